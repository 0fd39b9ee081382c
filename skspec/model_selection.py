"""Cross-validation that keeps the spectra of an object together."""

from skspec.spectra.sky import sky_groups

__all__ = ["sky_groups"]
