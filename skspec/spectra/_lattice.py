"""Recognise wavelength grids that are parts of one log-linear grid, as in most surveys.

Spectra on such grids are placed on the common grid and processed as one 2-D array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-14  # relative accuracy of 10**(start + step * i)
_WIDEST = 4  # a lattice much longer than the spectra on it would be mostly empty


class Lattice(NamedTuple):
    """A log-linear grid, and the index on it where the grid of each spectrum starts.

    Attributes
    ----------
    wave : ndarray of shape (n_lattice,)
        Wavelengths in Å, read-only.
    start : ndarray of int of shape (n_spectra,)
        Index on `wave` of the first pixel of each spectrum.
    """

    wave: NDArray[np.float64]
    start: NDArray[np.intp]

    def grids(self, lengths: Sequence[int]) -> list[NDArray[np.float64]]:
        """Return the grids of spectra with the given lengths as views of `wave`; equal grids are one object."""
        cuts = list(zip(self.start.tolist(), lengths, strict=True))
        views = {(k, n): self.wave[k : k + n] for k, n in set(cuts)}
        return [views[cut] for cut in cuts]


def find_lattice(grids: Sequence[NDArray[np.float64]]) -> Lattice | None:
    """Find the log-linear grid of which all grids are parts.

    Return None if a grid differs from it by more than 1e-14, if a grid has fewer than three pixels, or if the lattice
    would be more than four times as long as the longest grid.
    """
    unique = {id(grid): grid for grid in grids}  # spectra on the same grid usually share the array
    found = _find(list(unique.values()))
    if found is None:
        return None
    wave, offsets = found
    start_of = dict(zip(unique, offsets, strict=True))
    return Lattice(wave, np.array([start_of[id(grid)] for grid in grids], dtype=np.intp))


def _find(grids: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], list[int]] | None:
    if len(grids) < 2 or min(map(len, grids)) < 3:
        return None
    size = np.array(list(map(len, grids)))
    first = np.log10([grid[0] for grid in grids])
    step = (np.log10([grid[-1] for grid in grids]) - first) / (size - 1)
    unit = float(np.median(step))
    anchor = first[np.argmin(np.abs(step - unit))]
    offset = np.rint((first - anchor) / unit).astype(int)
    begin = int(offset.min())
    width = int((offset + size).max()) - begin
    if width > _WIDEST * size.max():
        return None
    wave = 10.0 ** (anchor + unit * (begin + np.arange(width)))
    wave.flags.writeable = False
    offsets = (offset - begin).tolist()
    for grid, k in zip(grids, offsets, strict=True):
        if np.abs(wave[k : k + len(grid)] / grid - 1.0).max() >= _ROUNDING:
            return None
    return wave, offsets


def lay(rows: Sequence[NDArray[Any]], start: NDArray[np.intp], width: int, fill: float) -> NDArray[Any]:
    """Place rows on a lattice of `width` pixels from their `start`, padded with `fill`; shape (n_rows, width)."""
    placed = np.empty((len(rows), width), dtype=rows[0].dtype)
    for target, row, k in zip(placed, rows, start.tolist(), strict=True):
        target[:k] = target[k + len(row) :] = fill
        target[k : k + len(row)] = row
    return placed
