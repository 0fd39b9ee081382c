"""Iterate over spectra in blocks of rows, whatever their layout: `blocks`, and `map_blocks`, which puts results back.

A transformer that works block by block needs little more memory than its result, and reads memory-mapped flux piece by
piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra._arrays import valid
from skspec.spectra._lattice import lay
from skspec.spectra._spectra import Spectra

_PIXELS_PER_BLOCK = 2**18  # float64 copies of so many stay in the cache


@dataclass
class Block:
    """Some rows of the input as 2-D arrays, with missing pixels marked in one way.

    Attributes
    ----------
    rows : slice
        Which rows of the input.
    flux : ndarray of shape (n_rows, n_pixels)
        NaN where a pixel is missing. May be a view of the input: do not write to it.
    ivar : ndarray of shape (n_rows, n_pixels) or None
        0 where a pixel is missing; None when the errors are unknown.
    valid : ndarray of bool of shape (n_rows, n_pixels)
        Where pixels are not missing.
    complete : bool
        Whether no pixel is missing.
    start : ndarray of shape (n_rows,), or None
        First column of each row that holds a pixel of its spectrum: rows on grids of their own have missing pixels before
        and after them. None for rows on one grid.
    length : ndarray of shape (n_rows,)
        Number of pixels of each spectrum, missing or not.
    """

    rows: slice
    flux: NDArray[Any]
    ivar: NDArray[Any] | None
    valid: NDArray[np.bool_]
    complete: bool
    start: NDArray[np.intp] | None
    length: NDArray[np.intp]
    _wave: NDArray[np.float64] | list[NDArray[np.float64]] | None

    @cached_property
    def wave(self) -> Any:
        """Wavelengths in Å of shape (n_pixels,), or (n_rows, n_pixels) where grids differ.

        In the latter case each row is followed by at least one missing pixel, at the wavelength that its grid would go
        on to. None for an array whose wavelengths are not known.
        """
        if not isinstance(self._wave, list):
            return self._wave
        wave = np.empty(self.flux.shape)
        for row, grid in zip(wave, self._wave, strict=True):
            row[: len(grid)] = grid
            row[len(grid) :] = grid[-1] * (grid[-1] / grid[-2:][0])
        return wave

    @property
    def n_valid(self) -> NDArray[np.intp]:
        """Number of valid pixels of each row."""
        return np.count_nonzero(self.valid, axis=1)

    def first_pixels(self, row: int, stop: int) -> Block:
        """Return the block of one row up to column `stop`, with ``wave`` of shape (1, stop)."""
        some = slice(row, row + 1), slice(stop)
        return Block(
            rows=slice(self.rows.start + row, self.rows.start + row + 1),
            flux=self.flux[some],
            ivar=None if self.ivar is None else self.ivar[some],
            valid=self.valid[some],
            complete=bool(self.valid[some].all()),
            start=None,
            length=np.array([stop]),
            _wave=np.broadcast_to(self.wave, self.flux.shape)[some],
        )


def blocks(X: Any, wave: NDArray[np.float64] | None = None, *, one_grid: bool = False) -> Iterator[Block]:
    """Cut `Spectra`, or an array, into blocks of rows.

    Parameters
    ----------
    X : Spectra or ndarray of shape (n_spectra, n_pixels)
        Spectra on any grids, or an array with NaN where pixels are missing.
    wave : ndarray of shape (n_pixels,), default=None
        Wavelengths of the columns of an array; not used for `Spectra`.
    one_grid : bool, default=False
        Whether the rows of each block must share their grid, so that ``wave`` has shape (n_pixels,). Spectra on grids of
        their own are then blocks of one row, unless neighbours share a grid.

    Yields
    ------
    Block
        Together they hold all rows in order.
    """
    if not isinstance(X, Spectra):
        for rows in _cut(0, *X.shape):
            yield _mark(rows, X[rows], None, wave)
    elif X.is_common_grid:
        for rows in _cut(0, *X.shape):
            yield _mark(rows, X.flux[rows], None if X.ivar is None else X.ivar[rows], X.wave)
    elif X.lattice is not None:
        grid, start = X.lattice
        first = start.min(initial=len(grid))
        grid, start = (
            grid[first : max(map(int.__add__, start.tolist(), map(len, X.flux)), default=0)],
            start - first,
        )
        for rows in _cut(0, len(X), len(grid)):
            yield _lay(rows, X, start[rows], len(grid), grid)
    elif one_grid:
        for rows in _same_grids(X.wave):
            grid = X.wave[rows.start]
            yield _lay(rows, X, np.zeros(rows.stop - rows.start, np.intp), len(grid), grid)
    else:
        for rows in _cut(0, *X.shape):
            grids = X.wave[rows]
            yield _lay(rows, X, np.zeros(len(grids), np.intp), max(map(len, grids)) + 1, grids)


def map_blocks(
    function: Callable[[Block], tuple[NDArray[Any], NDArray[Any] | None]],
    X: Any,
    wave: NDArray[np.float64] | None = None,
    *,
    one_grid: bool = False,
    **changes: Any,
) -> Any:
    """Apply a function to all blocks, and put the results together as the input is.

    Parameters
    ----------
    function : callable
        Gives flux, and inverse variance or None, of shape (n_rows, n_pixels) for a `Block`.
    X, wave, one_grid
        See `blocks`.
    **changes : object
        Other attributes of `Spectra` to replace in the result.

    Returns
    -------
    Spectra or ndarray of shape (n_spectra, n_pixels)
        As X is. Spectra on grids of their own get the columns of their own pixels.
    """
    if not len(X):
        return X
    flux = ivar = None
    for block in blocks(X, wave, one_grid=one_grid):
        new_flux, new_ivar = function(block)
        flux = _store(flux, new_flux, block, len(X))
        ivar = None if new_ivar is None else _store(ivar, new_ivar, block, len(X))
    return X.replace(flux=flux, ivar=ivar, **changes) if isinstance(X, Spectra) else flux


def _cut(start: int, stop: int, n_pixels: int) -> Iterator[slice]:
    step = max(1, _PIXELS_PER_BLOCK // max(1, n_pixels))
    for first in range(start, stop, step):
        yield slice(first, min(first + step, stop))


def _same_grids(grids: list[NDArray[np.float64]]) -> Iterator[slice]:
    """Yield runs of spectra that hold the same grid, cut to the size of a block."""
    start = 0
    for stop in range(1, len(grids) + 1):
        if stop == len(grids) or grids[stop] is not grids[start]:
            yield from _cut(start, stop, len(grids[start]))
            start = stop


def _mark(rows: slice, flux: NDArray[Any], ivar: NDArray[Any] | None, wave: Any) -> Block:
    """Make a block of rows on one grid."""
    good = valid(flux, ivar)
    complete = bool(good.all())
    if not complete:
        flux, bad = flux.copy(), ~good
        np.copyto(flux, np.nan, where=bad)
        if ivar is not None:
            ivar = ivar.copy()
            np.copyto(ivar, 0.0, where=bad)
    return Block(rows, flux, ivar, good, complete, None, np.full(len(flux), flux.shape[1]), wave)


def _lay(rows: slice, X: Spectra, start: NDArray[np.intp], width: int, wave: Any) -> Block:
    """Make a block of spectra on grids of their own, each laid from column `start` on."""
    flux = lay(X.flux[rows], start, width, np.nan)
    ivar = None if X.ivar is None else lay(X.ivar[rows], start, width, 0.0)
    good = valid(flux, ivar)
    length = np.fromiter(map(len, X.flux[rows]), np.intp, len(flux))
    n_valid = np.count_nonzero(good)
    if n_valid < length.sum():
        bad = ~good
        np.copyto(flux, np.nan, where=bad)
        if ivar is not None:
            np.copyto(ivar, 0.0, where=bad)
    return Block(rows, flux, ivar, good, n_valid == good.size, start, length, wave)


def _store(out: Any, values: NDArray[Any], block: Block, n_rows: int) -> Any:
    """Add the values of a block to those of the blocks before, `out`, which is None at first."""
    if block.start is None:
        out = np.empty((n_rows, values.shape[1]), values.dtype) if out is None else out
        out[block.rows] = values
        return out
    out = [] if out is None else out
    ends = zip(values, block.start.tolist(), block.length.tolist(), strict=True)
    out.extend(row[start : start + length].copy() for row, start, length in ends)
    return out
