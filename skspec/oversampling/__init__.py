"""Samplers in the manner of imbalanced-learn: spectra of rare classes made from the few there are.

They belong into a pipeline of imbalanced-learn, which applies them in ``fit`` alone. Names are loaded when they are first
used, since only the adversarial one needs torch.
"""

import importlib
from typing import TYPE_CHECKING

_HOME = {
    "GANOversampler": "skspec.oversampling._gan",
    "NoiseOversampler": "skspec.oversampling._noise",
    "QualityReport": "skspec.oversampling._quality",
    "max_per_class": "skspec.oversampling._caps",
    "quality_report": "skspec.oversampling._quality",
}

if TYPE_CHECKING:
    from skspec.oversampling._caps import max_per_class
    from skspec.oversampling._gan import GANOversampler
    from skspec.oversampling._noise import NoiseOversampler
    from skspec.oversampling._quality import QualityReport, quality_report

__all__ = ["GANOversampler", "NoiseOversampler", "QualityReport", "max_per_class", "quality_report"]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skspec.oversampling' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
