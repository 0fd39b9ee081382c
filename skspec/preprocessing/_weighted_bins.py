"""The binning of QuasarNET: each pixel whole to the bin that holds its centre, weighted by its inverse variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra import valid

Array = NDArray[Any]

_ROWS_PER_BLOCK = 64


def weighted_bins(
    flux: Array | Sequence[Array], wave: Array | Sequence[Array], ivar: Any, edges: Array
) -> tuple[Array, Array | None]:
    """Weighted mean flux of each spectrum in each bin, and its inverse variance, the sum of weights.

    Parameters
    ----------
    flux, wave, ivar : as those of Spectra
        Without `ivar` all pixels weigh the same, and there is none to return.
    edges : ndarray of shape (n_bins + 1,)

    Returns
    -------
    flux : ndarray of shape (n_spectra, n_bins)
        NaN where a bin holds no centre of a valid pixel.
    ivar : ndarray of shape (n_spectra, n_bins) or None
    """
    n_bins = len(edges) - 1
    dtype = flux[0].dtype if len(flux) else np.dtype(np.float32)
    flux_out = np.empty((len(flux), n_bins), dtype)
    ivar_out = None if ivar is None else np.empty((len(flux), n_bins), dtype)
    place = _place(wave, edges) if isinstance(wave, np.ndarray) else None
    for start in range(0, len(flux), _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, len(flux))
        block = range(stop - start)
        f = np.concatenate(flux[start:stop])
        errors = None if ivar is None else np.concatenate(ivar[start:stop])
        places = [place if place is not None else _place(wave[start + k], edges) for k in block]
        index = np.concatenate([p + k * (n_bins + 1) for k, p in zip(block, places, strict=True)])
        good = valid(f, errors)
        weight = np.where(good, 1.0 if errors is None else errors.astype(np.float64), 0.0)
        size = len(block) * (n_bins + 1)
        total = _sums(index, weight, size, n_bins)
        with np.errstate(invalid="ignore"):
            flux_out[start:stop] = _sums(index, np.where(good, f, 0.0) * weight, size, n_bins) / total
        if ivar_out is not None:
            ivar_out[start:stop] = total
    return flux_out, ivar_out


def _place(wave: Array, edges: Array) -> NDArray[np.intp]:
    """Bin of each pixel centre; one past the last bin where it is in none."""
    place = np.searchsorted(edges, wave, side="right") - 1
    return np.where((place < 0) | (place == len(edges) - 1), len(edges) - 1, place)


def _sums(index: Array, values: Array, size: int, n_bins: int) -> Array:
    return np.bincount(index, values, size).reshape(-1, n_bins + 1)[:, :n_bins]
