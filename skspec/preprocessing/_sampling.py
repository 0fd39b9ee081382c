"""Resampling by interpolation: linear, by cubic splines, and by the spline and FFT of the BOSS classifier.

Only valid pixels are interpolated; nothing is extrapolated. The coverage of bins is computed elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from skspec.spectra import Block

FloatArray = NDArray[np.floating]


def sample(method: str, block: Block, edges: NDArray[np.float64]) -> tuple[FloatArray, FloatArray | None]:
    """Return the flux, and inverse variance where the method has it, of each row in each bin.

    Parameters
    ----------
    method : {"linear", "cubic", "fft"}
    block : Block
    edges : ndarray of shape (n_bins + 1,)
        Bin edges, equally spaced in the logarithm.

    Returns
    -------
    flux : ndarray of shape (n_rows, n_bins)
        NaN where a spectrum has no valid pixel.
    ivar : ndarray of shape (n_rows, n_bins) or None
    """
    centres = np.sqrt(edges[1:] * edges[:-1])
    if method == "linear":
        return _linear(block, centres)
    out = np.full((len(block.flux), len(centres)), np.nan, block.flux.dtype)
    at = np.log10(centres)
    for rows, flux, loglam, n_pixels in _valid_pixels(block):
        if method == "fft":
            out[rows] = _fourier(flux, loglam, n_pixels, edges)
        else:
            out[rows] = _spline(loglam, flux, np.clip(at, loglam[0], loglam[-1]))
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


def _valid_pixels(block: Block) -> Iterator[tuple[Any, FloatArray, FloatArray, int]]:
    """Yield rows, their valid pixels, the logarithms of wavelength, and the number of all pixels.

    Rows without missing pixels on one grid come together, others alone.
    """
    alone, loglam = np.arange(len(block.flux)), np.log10(block.wave)
    if block.wave.ndim == 1:
        together = block.valid.all(axis=1)
        if together.any():
            yield together, block.flux[together], loglam, len(loglam)
        alone = np.flatnonzero(~together)
    loglam = np.broadcast_to(loglam, block.flux.shape)
    for row in alone:
        good = block.valid[row]
        columns = slice(0, len(good)) if block.columns is None else block.columns[row]
        if good.any():
            yield row, block.flux[row : row + 1, good], loglam[row, good], columns.stop - columns.start


def _spline(x: FloatArray, flux: FloatArray, at: FloatArray) -> FloatArray:
    return CubicSpline(x, flux, axis=1)(at) if len(x) > 1 else np.repeat(flux, len(at), axis=1)


def _fourier(flux: FloatArray, loglam: FloatArray, n_pixels: int, edges: FloatArray) -> FloatArray:
    """Resample as published: cubic interpolation at as many points as there are pixels, zero outside, then an FFT."""
    n_bins = len(edges) - 1
    points = np.linspace(np.log10(edges[0]), np.log10(edges[-1]), n_pixels)
    inside = (points >= loglam[0]) & (points <= loglam[-1])
    native = np.zeros((len(flux), n_pixels))
    native[:, inside] = _spline(loglam, flux, points[inside])
    spectrum = np.fft.rfft(native)
    n = min(n_pixels, n_bins)
    if (
        n % 2 == 0 and n_pixels != n_bins
    ):  # the two halves of the highest frequency fall together, or come apart
        spectrum[:, n // 2] *= 2 if n_bins < n_pixels else 0.5
    return np.fft.irfft(spectrum[:, : n // 2 + 1], n_bins) * (n_bins / n_pixels)
