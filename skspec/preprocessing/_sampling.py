"""Resampling that takes the flux at wavelengths: linear and cubic interpolation, and the FFT of the BOSS classifier.

Only valid pixels are interpolated; nothing is extrapolated. What a bin is covered by is left to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from skspec.spectra import valid

Array = NDArray[Any]
Block = tuple[
    Array, Array, Array | None, Array, int
]  # rows, flux, ivar, wave, pixels before the missing were left out

_ROWS_PER_BLOCK = 64


def sample(
    method: str, flux: Array | Sequence[Array], wave: Array | Sequence[Array], ivar: Any, edges: Array
) -> tuple[Array, Array | None]:
    """Flux, and inverse variance where the method carries it, of each spectrum in each bin.

    Parameters
    ----------
    method : {"linear", "cubic", "fft"}
    flux, wave, ivar : as those of Spectra
    edges : ndarray of shape (n_bins + 1,)
        Bin edges, equally spaced in the logarithm.

    Returns
    -------
    flux : ndarray of shape (n_spectra, n_bins)
        NaN where a spectrum has no valid pixel.
    ivar : ndarray of shape (n_spectra, n_bins) or None
    """
    n_bins = len(edges) - 1
    dtype = flux[0].dtype if len(flux) else np.dtype(np.float32)
    flux_out = np.full((len(flux), n_bins), np.nan, dtype)
    if method != "linear":
        take: Callable[..., Array]
        take = partial(_fourier, edges=edges) if method == "fft" else partial(_cubic, at=_centres(edges))
        for rows, f, _, w, size in _blocks(flux, wave, ivar):
            flux_out[rows] = take(f, w, size)
        return flux_out, None
    ivar_out = None if ivar is None else np.zeros((len(flux), n_bins), dtype)
    for rows, f, i, w, _ in _blocks(flux, wave, ivar):
        flux_out[rows], errors = _linear(f, w, i, _centres(edges))
        if ivar_out is not None:
            ivar_out[rows] = errors
    return flux_out, ivar_out


def _centres(edges: Array) -> Array:
    return np.sqrt(edges[1:] * edges[:-1])


def _blocks(flux: Any, wave: Any, ivar: Any) -> Iterator[Block]:
    """Yield the valid pixels of spectra, together where a block of them lacks none and shares the grid."""
    alone: Any = range(len(flux))
    if isinstance(wave, np.ndarray):
        complete = valid(flux, ivar).all(axis=1)
        alone = np.flatnonzero(~complete)
        together = np.flatnonzero(complete)
        for start in range(0, len(together), _ROWS_PER_BLOCK):
            rows = together[start : start + _ROWS_PER_BLOCK]
            yield rows, flux[rows], None if ivar is None else ivar[rows], wave, len(wave)
    for row in alone:
        f, i = flux[row], None if ivar is None else ivar[row]
        w = wave if isinstance(wave, np.ndarray) else wave[row]
        good = valid(f, i)
        if good.any():
            yield np.array([row]), f[None, good], None if i is None else i[None, good], w[good], len(w)


def _linear(flux: Array, wave: Array, ivar: Array | None, at: Array) -> tuple[Array, Array | None]:
    at = np.clip(at, wave[0], wave[-1])
    right = np.clip(np.searchsorted(wave, at), min(1, len(wave) - 1), len(wave) - 1)
    left = np.maximum(right - 1, 0)
    part = ((at - wave[left]) / np.maximum(wave[right] - wave[left], np.finfo(float).tiny)).astype(flux.dtype)
    out = (1 - part) * flux[:, left] + part * flux[:, right]
    if ivar is None:
        return out, None
    return out, 1 / ((1 - part) ** 2 / ivar[:, left] + part**2 / ivar[:, right])


def _cubic(flux: Array, wave: Array, _size: int, at: Array) -> Array:
    return _spline(np.log10(wave), flux, np.log10(np.clip(at, wave[0], wave[-1])))


def _spline(x: Array, flux: Array, at: Array) -> Array:
    return CubicSpline(x, flux, axis=1)(at) if len(x) > 1 else np.repeat(flux, len(at), axis=1)


def _fourier(flux: Array, wave: Array, size: int, edges: Array) -> Array:
    """As published: cubic interpolation at as many points as there are pixels, zero outside, then an FFT."""
    loglam, n_bins = np.log10(wave), len(edges) - 1
    points = np.linspace(np.log10(edges[0]), np.log10(edges[-1]), size)
    inside = (points >= loglam[0]) & (points <= loglam[-1])
    native = np.zeros((len(flux), size))
    native[:, inside] = _spline(loglam, flux, points[inside])
    spectrum = np.fft.rfft(native)
    n = min(size, n_bins)
    if n % 2 == 0 and size != n_bins:  # the two halves of the highest frequency fall together, or come apart
        spectrum[:, n // 2] *= 2 if n_bins < size else 0.5
    return np.fft.irfft(spectrum[:, : n // 2 + 1], n_bins) * (n_bins / size)
