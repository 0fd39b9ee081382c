"""Exact running quantiles of the valid pixels in windows of pixels or of wavelength.

Windows that all have the same number of pixels go to scipy's 1-D rank filter, all rows end to end: it keeps the window
sorted while it slides, which the 2-D filter does not. Missing pixels are replaced by as many -inf and +inf as keep the
wanted value within a rank or two of the same place, so a few passes are enough. In windows whose number of pixels varies
the rank is found bit by bit (wavelet matrix: Claude, Navarro and Ordóñez 2015, Information Systems 47, 15).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rank_filter

EDGES = ("nearest", "reflect", "mirror", "shrink")
_ROWS_AT_ONCE = 8  # whose ranks stay in the cache


class Windows(NamedTuple):
    """The window of each pixel: from `low` to before `high` in a row extended by `before` and `after` pixels.

    `low` and `high` have shape (n_pixels,), or (n_spectra, n_pixels) where windows differ from row to row.
    """

    before: int
    after: int
    low: NDArray[np.intp]
    high: NDArray[np.intp]


def windows_of_pixels(n_pixels: int, size: int) -> Windows:
    """Windows of `size` pixels, where an even one has its extra pixel before the centre, as in `scipy.ndimage`."""
    low = np.arange(n_pixels)
    return Windows(size // 2, size - 1 - size // 2, low, low + size)


def windows_of_wave(wave: NDArray[np.float64], width: float) -> Windows:
    """Windows of all pixels within `width` / 2 of each; the grid is extended by its mirror image."""
    half = 0.5 * width * (1 + 1e-9)  # includes pixels at the limit of a linear grid in spite of rounding
    before = int(np.searchsorted(wave, wave[0] + half, side="right")) - 1
    after = len(wave) - int(np.searchsorted(wave, wave[-1] - half, side="left")) - 1
    extended = np.concatenate(
        [
            2 * wave[0] - wave[1 : 1 + before][::-1],
            wave,
            2 * wave[-1] - wave[len(wave) - 1 - after : -1][::-1],
        ]
    )
    low = np.searchsorted(extended, wave - half, side="left")
    return Windows(before, after, low, np.searchsorted(extended, wave + half, side="right"))


def windows_of_waves(wave: NDArray[np.float64], length: NDArray[np.intp], width: float) -> Windows:
    """Windows as those of `windows_of_wave` for rows that have `length` pixels each, on grids of their own."""
    each = [windows_of_wave(row[:n], width) for row, n in zip(wave, length.tolist(), strict=True)]
    before, after = max(windows.before for windows in each), max(windows.after for windows in each)
    low, high = np.zeros((2, *wave.shape), np.intp)
    for k, (windows, n) in enumerate(zip(each, length.tolist(), strict=True)):
        low[k, :n], high[k, :n] = (
            windows.low + before - windows.before,
            windows.high + before - windows.before,
        )
    return Windows(before, after, low, high)


def running_quantile(
    flux: NDArray[Any], windows: Windows, quantile: float, edge: str, length: NDArray[np.intp] | None = None
) -> NDArray[Any]:
    """Return the quantile of the valid pixels in the window of each pixel.

    Parameters
    ----------
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing.
    windows : Windows
        For n_pixels.
    quantile : float
        Of m valid pixels the one with index ``floor(quantile * m)`` in increasing order, the last for 1: no values are
        averaged. This is the rule of `scipy.ndimage.median_filter` and ``percentile_filter``.
    edge : {"nearest", "reflect", "mirror", "shrink"}
        How a row is extended beyond its ends; with ``"shrink"`` it is not, and windows have fewer pixels there.
    length : ndarray of int of shape (n_spectra,), default=None
        Number of pixels of each row; what follows them is not used, and has no meaning in the result. None takes all.

    Returns
    -------
    ndarray of shape (n_spectra, n_pixels)
        In the type of `flux`; NaN where a window has no valid pixel.
    """
    rows = _extend(flux, windows.before, windows.after, edge, length)
    missing = np.isnan(rows)
    low, size = windows.low, windows.high - windows.low
    if not ((size == size.flat[0]).all() and (low == np.arange(low.shape[-1])).all()):
        out = np.empty_like(flux)
        for start in range(0, len(flux), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            own = windows if low.ndim == 1 else windows._replace(low=low[some], high=windows.high[some])
            out[some] = _by_bits(rows[some], missing[some], own, quantile)
        return out
    gaps = missing.any(axis=1)
    width = int(size.flat[0])
    rank = int(_rank(quantile, size.ravel()[:1])[0])
    if not gaps.any():
        return _sliding(rows, width, rank)
    out = np.empty_like(flux)
    if not gaps.all():
        out[~gaps] = _sliding(rows[~gaps], width, rank)
    out[gaps] = _sliding_past_gaps(rows[gaps], missing[gaps], width, quantile)
    return out


def _extend(
    flux: NDArray[Any], before: int, after: int, edge: str, length: NDArray[np.intp] | None
) -> NDArray[Any]:
    n = np.array([flux.shape[1]]) if length is None else length
    at, n = np.arange(-before, flux.shape[1] + after)[None], n[:, None]
    if edge == "shrink":
        outside = (at < 0) | (at >= n)
    if edge == "reflect":
        at = at % (2 * n)
        at = np.minimum(at, 2 * n - 1 - at)
    elif edge == "mirror":
        period = np.maximum(2 * n - 2, 1)
        at = at % period
        at = np.minimum(at, period - at)
    else:
        at = np.clip(at, 0, n - 1)
    rows = flux.take(at[0], axis=1) if length is None else np.take_along_axis(flux, at, axis=1)
    if edge == "shrink":
        np.copyto(rows, np.nan, where=outside)
    return rows


def _rank(quantile: float, count: NDArray[Any]) -> NDArray[np.intp]:
    """Index in rising order among `count` values."""
    rank = np.floor(quantile * count + 1e-9).astype(np.intp)
    return np.maximum(np.minimum(rank, count - 1), 0)


def _sliding(rows: NDArray[Any], width: int, rank: int) -> NDArray[Any]:
    """Value of a rank in each full window of rows without NaN."""
    # Windows over the seam between two rows are computed and cut away.
    flat = rank_filter(rows.ravel(), rank=rank, size=width, mode="nearest")
    return flat.reshape(rows.shape)[:, width // 2 : rows.shape[1] - (width - 1 - width // 2)]


def _sliding_past_gaps(
    rows: NDArray[Any], missing: NDArray[np.bool_], width: int, quantile: float
) -> NDArray[Any]:
    seen = np.zeros((len(rows), rows.shape[1] + 1), np.intp)  # missing pixels before each place
    np.cumsum(missing, axis=1, out=seen[:, 1:])
    lowest = np.floor(quantile * seen + 1e-9).astype(np.intp)  # how many of those become -inf
    is_lowest = lowest[:, 1:] > lowest[:, :-1]
    infinity = rows.dtype.type(np.inf)
    filled = np.where(missing, np.where(is_lowest, -infinity, infinity), rows)
    count = width - (seen[:, width:] - seen[:, :-width])
    rank = lowest[:, width:] - lowest[:, :-width] + _rank(quantile, count)
    rank[count == 0] = -1
    out = np.full(rank.shape, np.nan, rows.dtype)
    for value in np.flatnonzero(np.bincount(rank.ravel() + 1)[1:]):
        here = rank == value
        some = here.any(axis=1)
        out[some] = np.where(here[some], _sliding(filled[some], width, int(value)), out[some])
    return out


def _by_bits(
    rows: NDArray[Any], missing: NDArray[np.bool_], windows: Windows, quantile: float
) -> NDArray[Any]:
    """Quantiles in windows of any sizes: the rank of the wanted value is found from its highest bit down.

    At each bit the ranks of a row are divided into those with a 0 and those with a 1, in order. The pixels of a window
    stay contiguous in both parts, and their numbers show in which part the wanted value is.
    """
    n, width = rows.shape
    order = np.argsort(rows, axis=1)  # NaN comes last
    ranks = np.empty((n, width), np.intp)
    np.put_along_axis(ranks, order, np.arange(width)[None], axis=1)
    seen = np.zeros((n, width + 1), np.intp)
    np.cumsum(~missing, axis=1, out=seen[:, 1:])
    first = np.arange(n)[:, None] * (width + 1)  # of each row of `seen` and `zeros`, as one run
    low, high = first + windows.low, first + windows.high
    count = seen.take(high) - seen.take(low)
    left = _rank(quantile, count)
    found = np.zeros_like(left)
    zeros = np.zeros((n, width + 1), np.intp)  # before each place
    for bit in reversed(range(max(int(width - 1).bit_length(), 1))):
        is_zero = (ranks >> bit) & 1 == 0
        np.cumsum(is_zero, axis=1, out=zeros[:, 1:])
        zeros_low, zeros_high = zeros.take(low), zeros.take(high)
        inside = zeros_high - zeros_low
        above = left >= inside
        left -= inside * above
        found += above.astype(np.intp) << bit
        total = zeros[:, -1:]
        low = np.where(above, low + total - zeros_low, first + zeros_low)
        high = np.where(above, high + total - zeros_high, first + zeros_high)
        place = np.where(is_zero, zeros[:, :-1], total + np.arange(width) - zeros[:, :-1])
        parted = np.empty_like(ranks)
        np.put_along_axis(parted, place, ranks, axis=1)
        ranks = parted
    found = np.where(count > 0, found, width - 1)
    out = np.take_along_axis(rows, np.take_along_axis(order, found, axis=1), axis=1)
    return np.where(count > 0, out, rows.dtype.type(np.nan))
