"""Pictures of spectra and of what classifiers make of them (needs ``pip install skspec[plot]``)."""

from skspec.plotting._spectra import plot_spectra

__all__ = ["plot_spectra"]
