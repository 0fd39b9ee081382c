"""From raw flux to what a classifier likes to see."""

from skspec.preprocessing._flux_normalizer import FluxNormalizer
from skspec.preprocessing._log_wave_resampler import LogWaveResampler

__all__ = ["FluxNormalizer", "LogWaveResampler"]
