"""Resampling by interpolation: linear, by cubic splines, and by the spline and FFT of the BOSS classifier.

Only valid pixels are interpolated; nothing is extrapolated. The coverage of bins is computed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_banded

from skspec.spectra import Block

FloatArray = NDArray[np.floating]


def sample(method: str, block: Block, edges: NDArray[np.float64]) -> tuple[FloatArray, FloatArray | None]:
    """Return the flux, and inverse variance where the method has it, of each row in each bin.

    `method` is "linear", "cubic" or "fft", and `edges` are equally spaced in the logarithm. Flux is NaN where a spectrum
    has no valid pixel.
    """
    centres = np.sqrt(edges[1:] * edges[:-1])
    if method == "linear":
        return _linear(block, centres)
    out = np.full((len(block.flux), len(centres)), np.nan, block.flux.dtype)
    at, length = np.log10(centres), block.length.tolist()
    for row, spline in _splines(block):
        out[row] = (
            _fourier(spline, length[row], edges) if method == "fft" else spline(np.clip(at, *spline.ends))
        )
    return out, None


def _linear(block: Block, at: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Interpolate between the nearest valid pixels on both sides; the outermost are held."""
    flux, ivar, (n, p) = block.flux, block.ivar, block.flux.shape
    if block.wave.ndim == 1:
        right = np.broadcast_to(np.searchsorted(block.wave, at), (n, len(at)))
    else:
        right = np.array([np.searchsorted(row, at) for row in block.wave])
    if block.complete:
        left, right = np.maximum(right - 1, 0), np.minimum(right, p - 1)
    else:
        pixels = np.arange(p)
        last = np.maximum.accumulate(np.where(block.valid, pixels, -1), axis=1)  # valid pixel up to each
        next_ = np.minimum.accumulate(np.where(block.valid, pixels, p)[:, ::-1], axis=1)[:, ::-1]
        before = np.where(right > 0, np.take_along_axis(last, np.maximum(right - 1, 0), axis=1), -1)
        after = np.where(right < p, np.take_along_axis(next_, np.minimum(right, p - 1), axis=1), p)
        left = np.clip(np.where(before < 0, after, before), 0, p - 1)
        right = np.clip(np.where(after == p, before, after), 0, p - 1)
    rows = np.arange(n)[:, None]
    wave = np.broadcast_to(block.wave, (n, p))
    low, high = wave[rows, left], wave[rows, right]
    part = np.where(high > low, (at - low) / np.where(high > low, high - low, 1.0), 0.0).astype(flux.dtype)
    out = (1 - part) * flux[rows, left] + part * flux[rows, right]
    if ivar is None:
        return out, None
    with np.errstate(divide="ignore", invalid="ignore"):  # of rows without valid pixels
        return out, 1 / ((1 - part) ** 2 / ivar[rows, left] + part**2 / ivar[rows, right])


class _Spline:
    """Cubic spline through the points ``x``, ``y``, whose slopes there are known."""

    def __init__(self, x: FloatArray, y: FloatArray, slope: FloatArray) -> None:
        self._x, self._y, self._slope = x, y, slope
        self.ends = x[0], x[-1]

    def __call__(self, at: FloatArray) -> FloatArray:
        left = np.clip(np.searchsorted(self._x, at, side="right") - 1, 0, max(len(self._x) - 2, 0))
        right = np.minimum(left + 1, len(self._x) - 1)
        x, y, step = (
            self._x[left],
            self._y[left],
            np.maximum(self._x[right] - self._x[left], np.finfo(float).tiny),
        )
        mean, slope, t = (self._y[right] - y) / step, self._slope[left], at - x
        bend = (slope + self._slope[right] - 2 * mean) / step
        return y + t * (slope + t * ((mean - slope) / step - bend + t * bend / step))


def _splines(block: Block) -> Iterator[tuple[int, _Spline]]:
    """Yield the not-a-knot splines of flux against log wavelength through the valid pixels of rows that have some.

    The slopes of all rows solve one tridiagonal system.
    """
    x = np.broadcast_to(np.log10(block.wave), block.flux.shape)[block.valid]
    y = block.flux[block.valid].astype(np.float64)
    size = block.n_valid
    many = np.repeat(size > 3, size)
    slope = np.zeros_like(y)
    if many.any():
        slope[many] = _slopes(x[many], y[many], size[size > 3])
    ends = np.cumsum(size).tolist()
    for row in np.flatnonzero(size).tolist():
        pixels = slice(ends[row] - int(size[row]), ends[row])
        if 1 < size[row] <= 3:
            slope[pixels] = CubicSpline(x[pixels], y[pixels])(x[pixels], 1)
        yield row, _Spline(x[pixels], y[pixels], slope[pixels])


def _slopes(x: FloatArray, y: FloatArray, size: NDArray[np.intp]) -> FloatArray:
    """Slopes at the points of splines through `size` points each, all end to end."""
    last = np.cumsum(size) - 1
    first = last - size + 1
    step = np.diff(x, append=np.inf)
    step[last] = 1.0  # from one spline to the next is no step
    mean = np.diff(y, append=y[-1]) / step
    matrix = np.zeros((3, len(x)))  # above, on and below the diagonal
    right = np.zeros(len(x))
    matrix[0, 2:], matrix[2, :-2] = step[:-2], step[1:-1]
    matrix[1, 1:-1] = 2 * (step[:-2] + step[1:-1])
    right[1:-1] = 3 * (step[1:-1] * mean[:-2] + step[:-2] * mean[1:-1])
    # At the second and the last but one point the third derivative is continuous.
    for end, near, far, inwards in ((first, first, first + 1, 1), (last, last - 1, last - 2, -1)):
        span = np.abs(x[end + 2 * inwards] - x[end])
        matrix[1, end], matrix[1 - inwards, end + inwards] = step[far], span
        right[end] = ((step[near] + 2 * span) * step[far] * mean[near] + step[near] ** 2 * mean[far]) / span
    matrix[0, first[1:]] = matrix[2, last[:-1]] = 0.0  # nothing connects one spline with the next
    return solve_banded((1, 1), matrix, right, overwrite_ab=True, overwrite_b=True, check_finite=False)


def _fourier(spline: _Spline, n_pixels: int, edges: FloatArray) -> FloatArray:
    """Resample as published: cubic interpolation at as many points as there are pixels, zero outside, then an FFT."""
    n_bins = len(edges) - 1
    points = np.linspace(np.log10(edges[0]), np.log10(edges[-1]), n_pixels)
    inside = (points >= spline.ends[0]) & (points <= spline.ends[1])
    native = np.zeros(n_pixels)
    native[inside] = spline(points[inside])
    spectrum = np.fft.rfft(native)
    n = min(n_pixels, n_bins)
    if (
        n % 2 == 0 and n_pixels != n_bins
    ):  # the two halves of the highest frequency fall together, or come apart
        spectrum[n // 2] *= 2 if n_bins < n_pixels else 0.5
    return np.fft.irfft(spectrum[: n // 2 + 1], n_bins) * (n_bins / n_pixels)
