"""Simulated spectra of stars, galaxies and quasars."""

from skspec.datasets._make_spectra import make_spectra

__all__ = ["make_spectra"]
