"""Transformers from spectra to physical features: temperature, statistics of the flux, line strengths."""

from skspec.features._flux_statistics import FluxStatistics
from skspec.features._line_indices import LineIndices
from skspec.features._wien import WienFitFeatures

__all__ = ["FluxStatistics", "LineIndices", "WienFitFeatures"]
