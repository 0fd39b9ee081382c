"""The step with which the recipes for spectra begin: it brings them onto the grid of the system."""

from __future__ import annotations

from numpy.typing import ArrayLike

from skspec.checks import check_choice
from skspec.preprocessing import LogWaveResampler, MissingFluxImputer


def onto_grid(
    prepared: bool, *, first: float, last: float, n_bins: int, wave: ArrayLike
) -> LogWaveResampler | MissingFluxImputer:
    """Return the resampler onto the grid, or for spectra that are on it already, what fills their missing pixels.

    Parameters
    ----------
    prepared : bool
        Whether they are on it already.
    first, last : float
        Decimal logarithm of the outer edges in Å, and
    n_bins : int
        how many bins there are between them.
    wave : array-like
        Wavelengths of the columns of prepared arrays, in Å.
    """
    check_choice("prepared", prepared, (True, False))
    if prepared:
        return MissingFluxImputer(wave=wave)
    return LogWaveResampler(loglam_min=first, loglam_max=last, n_bins=n_bins, missing="interpolate")
