"""Samplers with the interface of imbalanced-learn that add spectra to rare classes, and a quality report on them."""

from typing import TYPE_CHECKING

from skspec.oversampling._caps import max_per_class
from skspec.oversampling._noise import NoiseOversampler
from skspec.oversampling._quality import QualityReport, quality_report

if TYPE_CHECKING:
    from skspec.oversampling._gan import GANOversampler

__all__ = ["GANOversampler", "NoiseOversampler", "QualityReport", "max_per_class", "quality_report"]


def __getattr__(name: str) -> object:
    if name == "GANOversampler":  # loaded when it is used, since it needs torch
        from skspec.oversampling._gan import GANOversampler  # noqa: PLC0415

        return GANOversampler
    raise AttributeError(f"module 'skspec.oversampling' has no attribute {name!r}")
