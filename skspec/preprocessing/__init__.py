"""Transformers from raw flux to the input of a classifier: resampling, scaling, continuum, missing pixels."""

from skspec.preprocessing._continuum_normalizer import ContinuumNormalizer
from skspec.preprocessing._flux_normalizer import FluxNormalizer
from skspec.preprocessing._log_wave_resampler import LogWaveResampler
from skspec.preprocessing._missing_flux_imputer import MissingFluxImputer
from skspec.preprocessing._resolution_matcher import ResolutionMatcher

__all__ = [
    "ContinuumNormalizer",
    "FluxNormalizer",
    "LogWaveResampler",
    "MissingFluxImputer",
    "ResolutionMatcher",
]
