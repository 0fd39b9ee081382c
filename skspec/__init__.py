"""Classify astronomical spectra with scikit-learn.

Public names are loaded when they are first used, so that ``import skspec`` and the
transformers stay light: torch is imported by the neural classifiers alone.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

_HOME = {
    "ContinuumNormalizer": "skspec.preprocessing",
    "Conv1DClassifier": "skspec.estimators",
    "Conv1DRegressor": "skspec.regressors",
    "ConvKANClassifier": "skspec.estimators",
    "ConvTranClassifier": "skspec.estimators",
    "FluxNormalizer": "skspec.preprocessing",
    "FluxStatistics": "skspec.features",
    "GANOversampler": "skspec.oversampling",
    "LineIndices": "skspec.features",
    "LogWaveResampler": "skspec.preprocessing",
    "LogitVotingClassifier": "skspec.ensemble",
    "MissingFluxImputer": "skspec.preprocessing",
    "NoiseOversampler": "skspec.oversampling",
    "PlainCNNClassifier": "skspec.estimators",
    "ResNet1DClassifier": "skspec.estimators",
    "ResNet1DRegressor": "skspec.regressors",
    "ResNet2DClassifier": "skspec.estimators",
    "ResolutionMatcher": "skspec.preprocessing",
    "Spectra": "skspec.spectra",
    "WienFitFeatures": "skspec.features",
    "load": "skspec.persistence",
    "make_spectra": "skspec.datasets",
    "observe_spectra": "skspec.datasets",
    "read_info": "skspec.persistence",
    "read_spectra": "skspec.io",
    "register_estimator": "skspec.persistence",
    "save": "skspec.persistence",
    "search_space": "skspec.tuning",
}

if TYPE_CHECKING:
    from skspec.datasets import make_spectra, observe_spectra
    from skspec.ensemble import LogitVotingClassifier
    from skspec.estimators import (
        Conv1DClassifier,
        ConvKANClassifier,
        ConvTranClassifier,
        PlainCNNClassifier,
        ResNet1DClassifier,
        ResNet2DClassifier,
    )
    from skspec.features import FluxStatistics, LineIndices, WienFitFeatures
    from skspec.io import read_spectra
    from skspec.oversampling import GANOversampler, NoiseOversampler
    from skspec.persistence import load, read_info, register_estimator, save
    from skspec.preprocessing import (
        ContinuumNormalizer,
        FluxNormalizer,
        LogWaveResampler,
        MissingFluxImputer,
        ResolutionMatcher,
    )
    from skspec.regressors import Conv1DRegressor, ResNet1DRegressor
    from skspec.spectra import Spectra
    from skspec.tuning import search_space

__all__ = [
    "ContinuumNormalizer",
    "Conv1DClassifier",
    "Conv1DRegressor",
    "ConvKANClassifier",
    "ConvTranClassifier",
    "FluxNormalizer",
    "FluxStatistics",
    "GANOversampler",
    "LineIndices",
    "LogWaveResampler",
    "LogitVotingClassifier",
    "MissingFluxImputer",
    "NoiseOversampler",
    "PlainCNNClassifier",
    "ResNet1DClassifier",
    "ResNet1DRegressor",
    "ResNet2DClassifier",
    "ResolutionMatcher",
    "Spectra",
    "WienFitFeatures",
    "__version__",
    "load",
    "make_spectra",
    "observe_spectra",
    "read_info",
    "read_spectra",
    "register_estimator",
    "save",
    "search_space",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
