"""Classify astronomical spectra with scikit-learn.

Public names are loaded when they are first used, so that ``import skspec`` and the
transformers stay light: torch is imported by the neural classifiers alone.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

_HOME = {
    "Conv1DClassifier": "skspec.classifiers",
    "FluxNormalizer": "skspec.preprocessing",
    "LogWaveResampler": "skspec.preprocessing",
    "Spectra": "skspec.spectra",
    "load": "skspec.persistence",
    "make_spectra": "skspec.datasets",
    "read_info": "skspec.persistence",
    "read_spectra": "skspec.io",
    "save": "skspec.persistence",
}

if TYPE_CHECKING:
    from skspec.classifiers import Conv1DClassifier
    from skspec.datasets import make_spectra
    from skspec.io import read_spectra
    from skspec.persistence import load, read_info, save
    from skspec.preprocessing import FluxNormalizer, LogWaveResampler
    from skspec.spectra import Spectra

__all__ = [
    "Conv1DClassifier",
    "FluxNormalizer",
    "LogWaveResampler",
    "Spectra",
    "__version__",
    "load",
    "make_spectra",
    "read_info",
    "read_spectra",
    "save",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
