"""Survey grids are cut-outs of one log-linear lattice: spectra that hold views of it can be resampled as one.

What shows that grids are cut from one lattice is the memory they share: no wavelength needs to be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-14  # of the wavelength: what 10**(start + step * i) is good to
_WIDEST = 4  # a lattice much longer than the spectra on it would be mostly empty


def share_lattice(grids: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Replace log-linear grids by views of the one lattice that most of them are cut from.

    Parameters
    ----------
    grids : sequence of ndarray
        Increasing wavelengths.

    Returns
    -------
    list of ndarray
        Equal to `grids` within 1e-14; grids off the lattice as they are.
    """
    long = [i for i, grid in enumerate(grids) if len(grid) > 2]
    if len(long) < 2:
        return list(grids)
    first = np.log10([grids[i][0] for i in long])
    step = (np.log10([grids[i][-1] for i in long]) - first) / [len(grids[i]) - 1 for i in long]
    unit = float(np.median(step))
    anchor = first[np.argmin(np.abs(step - unit))]
    offset = np.rint((first - anchor) / unit).astype(int)
    near = np.abs((first - anchor) / unit - offset) < 1e-6
    size = np.array([len(grids[i]) for i in long])
    if near.sum() < 2:
        return list(grids)
    begin = int(offset[near].min())
    width = int((offset + size)[near].max()) - begin
    if width > _WIDEST * size[near].max():
        return list(grids)
    lattice = 10.0 ** (anchor + unit * (begin + np.arange(width)))
    lattice.flags.writeable = False
    shared = list(grids)
    for i, k in zip(long, offset - begin, strict=True):
        if 0 <= k <= width - len(grids[i]):
            view = lattice[k : k + len(grids[i])]
            if np.abs(view / grids[i] - 1.0).max() < _ROUNDING:
                shared[i] = view
    return shared


def find_lattice(wave: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.intp]] | None:
    """Return the lattice that all grids are views of, and where on it each starts; None if they are not.

    Parameters
    ----------
    wave : sequence of ndarray
        Grids of spectra.

    Returns
    -------
    lattice : ndarray
        As far as the grids reach.
    offset : ndarray of int
        Index on it of each grid's first pixel.
    """
    base: Any = wave[0].base if len(wave) else None
    if not (isinstance(base, np.ndarray) and base.ndim == 1 and base.dtype == np.float64 and len(base) > 2):
        return None
    if any(grid.base is not base or grid.strides != (8,) for grid in wave):
        return None
    ratio = base[1:] / base[:-1]
    if base.strides != (8,) or not (ratio > 1).all() or np.ptp(ratio) > 10 * _ROUNDING:
        return None
    origin = base.ctypes.data
    offset = np.array([(grid.__array_interface__["data"][0] - origin) // 8 for grid in wave])
    stop = max(int(k) + len(grid) for k, grid in zip(offset, wave, strict=True))
    if stop - offset.min() > _WIDEST * max(map(len, wave)):
        return None
    return base[offset.min() : stop], offset - offset.min()


def lay(rows: Sequence[NDArray[Any]], offset: NDArray[np.intp], width: int, fill: float) -> NDArray[Any]:
    """Lay rows on a lattice of `width` pixels, each from its `offset` on, with `fill` around them.

    Returns
    -------
    ndarray of shape (n_rows, width)
    """
    laid = np.full((len(rows), width), fill, dtype=rows[0].dtype)
    for target, row, start in zip(laid, rows, offset.tolist(), strict=True):
        target[start : start + len(row)] = row
    return laid
