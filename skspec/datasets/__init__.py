"""Simulate spectra of stars, galaxies and quasars, and load a set of galaxy images."""

from skspec.datasets._galaxy10 import load_galaxy10
from skspec.datasets._make_spectra import make_spectra
from skspec.datasets._observe_spectra import observe_spectra

__all__ = ["load_galaxy10", "make_spectra", "observe_spectra"]
