"""Spectra in blocks of rows, of whatever layout they come in, so that a survey needs the memory of a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skspec.spectra._arrays import valid
from skspec.spectra._spectra import Spectra

_PIXELS_PER_BLOCK = 2**19  # what a call costs by itself is shared by a hundred spectra


class Block(NamedTuple):
    """Rows `rows` of the input.

    ``flux`` has shape (n, p) and NaN where a pixel is missing. ``ivar`` has that shape and 0 there, or is None when
    the errors are unknown. ``wave`` has shape (p,) where all rows share a grid, or (n, p): each row is then followed
    by at least one missing pixel at the wavelength that its grid would go on to. It is None if X is an array whose
    wavelengths are not known. ``complete`` says that no pixel is missing.
    """

    rows: slice
    flux: NDArray[Any]
    ivar: NDArray[Any] | None
    wave: Any
    complete: bool

    @property
    def n_valid(self) -> NDArray[np.intp]:
        """Number of valid pixels of each row."""
        n, p = self.flux.shape
        return np.full(n, p) if self.complete else np.count_nonzero(np.isfinite(self.flux), axis=1)


def blocks(X: Any, wave: NDArray[np.float64] | None = None) -> Iterator[Block]:
    """Cut `Spectra`, or an array with the wavelengths of its columns, into blocks of rows.

    Parameters
    ----------
    X : Spectra or ndarray of shape (n_spectra, n_pixels)
        Spectra on any grids, in vacuum, or an array with NaN where pixels are missing.
    wave : ndarray of shape (n_pixels,), default=None
        Wavelengths of the columns of an array; not used for `Spectra`.

    Yields
    ------
    Block
    """
    step = max(1, _PIXELS_PER_BLOCK // max(1, X.shape[1]))
    for start in range(0, len(X), step):
        rows = slice(start, min(start + step, len(X)))
        if not isinstance(X, Spectra):
            flux = X[rows]
            yield Block(rows, flux, None, wave, bool(np.isfinite(flux).all()))
        elif isinstance(X.flux, np.ndarray):
            yield _mark(rows, X.flux[rows], None if X.ivar is None else X.ivar[rows], X.wave)
        else:
            yield _pad(rows, X)


def _mark(rows: slice, flux: NDArray[Any], ivar: NDArray[Any] | None, wave: Any) -> Block:
    """Block with NaN flux and zero inverse variance where a pixel is missing."""
    good = valid(flux, ivar)
    if good.all():
        return Block(rows, flux, ivar, wave, True)
    flux = np.where(good, flux, flux.dtype.type(np.nan))
    return Block(rows, flux, None if ivar is None else np.where(good, ivar, ivar.dtype.type(0)), wave, False)


def _pad(rows: slice, X: Spectra) -> Block:
    """Block of spectra that each have a grid of their own, as rows of one length."""
    n, width = rows.stop - rows.start, max(map(len, X.wave[rows])) + 1
    flux = np.full((n, width), np.nan, dtype=X.flux[rows.start].dtype)
    ivar = None if X.ivar is None else np.zeros((n, width), dtype=X.ivar[rows.start].dtype)
    wave = np.empty((n, width))
    for k, source in enumerate(range(rows.start, rows.stop)):
        own = X.wave[source]
        size = len(own)
        flux[k, :size] = X.flux[source]
        wave[k, :size] = own
        wave[k, size:] = own[-1] * (own[-1] / own[-2] if size > 1 else 1.0)
        if ivar is not None:
            ivar[k, :size] = X.ivar[source]
    return _mark(rows, flux, ivar, wave)
