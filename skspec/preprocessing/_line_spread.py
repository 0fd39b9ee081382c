"""Smoothing by a Gaussian whose width changes along the spectrum, as a banded operator of one grid.

Each output pixel is a mean of input pixels weighted by the Gaussian's integral over them. Such weights are wider than
the Gaussian by the width of a pixel, and narrower where they are nearly zero in the neighbouring pixels. The Gaussian's
width is therefore chosen such that the variance of the weights is the required one, from broad kernels to ones far below
a pixel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skspec.spectra import Block, pixel_edges

FloatArray = NDArray[np.floating]

_REACH = 5.0  # sigma; 6e-7 of the weight is beyond
_BAND = 64  # output pixels that are computed together: a small dense product is faster than a sparse one
_ROUNDING = 1e-5  # of sums of float32 weights
_NARROWEST, _WIDEST = 0.05, 2.0  # pixels; between them the variance of integrated weights is looked up


class LineSpread:
    """Gaussian smoothing of spectra on the grid `wave`, increasing, of at least two pixels.

    `sigma` is the standard deviation of the Gaussian at each of them, in the same unit; 0 leaves a pixel as it is.
    """

    def __init__(self, wave: NDArray[np.float64], sigma: FloatArray) -> None:
        edges = pixel_edges(wave)
        width = np.diff(edges)
        scale = width * _integrated_sigma(sigma / width)
        low = np.maximum(np.searchsorted(edges, wave - _REACH * scale, side="right") - 1, 0)
        high = np.minimum(np.searchsorted(edges, wave + _REACH * scale), len(wave))
        self._bands: list[tuple[slice, slice, FloatArray]] = []
        self.inside = np.empty(len(wave))
        for start in range(0, len(wave), _BAND):
            out = slice(start, min(start + _BAND, len(wave)))
            into = slice(int(low[out].min()), int(high[out].max()))
            at = (edges[into.start : into.stop + 1, None] - wave[out]) / scale[out]
            # Cut there, the weights have no tail of denormal numbers, which are slow.
            weights = np.diff(ndtr(np.clip(at, -_REACH, _REACH, out=at)), axis=0)
            self.inside[out] = weights.sum(axis=0) / (1 - 2 * ndtr(-_REACH))
            self._bands.append((into, out, weights / weights.sum(axis=0)))
        self._cast: dict[tuple[np.dtype[Any], int], list[FloatArray]] = {}

    def _sum(self, rows: FloatArray, power: int, out: FloatArray) -> FloatArray:
        """Write the sum of pixels times a power of their weights to `out`, and return it."""
        key = (rows.dtype, power)
        if key not in self._cast:
            self._cast[key] = [(weights**power).astype(rows.dtype) for _, _, weights in self._bands]
        for (into, pixels, _), weights in zip(self._bands, self._cast[key], strict=True):
            np.matmul(rows[:, into], weights, out=out[:, pixels])
        return out

    def __call__(self, block: Block, *, min_coverage: float) -> tuple[FloatArray, FloatArray | None]:
        """Return flux and ivar, None if that of the block is, of smoothed rows in their own floating-point type.

        Pixels with less than `min_coverage` of their weight on valid pixels are missing: NaN flux and ``ivar`` 0.
        """
        flux, ivar = block.flux, None
        share: Any = 1  # of the weights inside the grid
        if not block.complete:
            flux = np.where(block.valid, flux, flux.dtype.type(0))
            share = self._sum(block.valid.astype(flux.dtype), 1, np.empty_like(flux))
        missing = np.broadcast_to(share * self.inside < min_coverage - _ROUNDING, flux.shape)
        smooth = self._sum(flux, 1, np.empty_like(flux))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            smooth /= share
            if block.ivar is not None:
                # No infinity, which would spread with weights of zero.
                variance = np.minimum(1 / block.ivar, np.finfo(block.ivar.dtype).max)
                variance = np.where(block.valid, variance, 0)
                ivar = share * share / self._sum(variance, 2, np.empty_like(flux))
                ivar[missing] = 0
        smooth[missing] = np.nan
        return smooth, ivar


def _integrated_sigma(sigma: FloatArray) -> FloatArray:
    """Width of the Gaussian whose integrals over pixels have the standard deviation `sigma`, all in pixels."""
    trial = np.geomspace(_NARROWEST, _WIDEST, 400)
    far = np.arange(1, int(_WIDEST * 8))[:, None]
    variance = 2 * np.sum((2 * far - 1) * ndtr((0.5 - far) / trial), axis=0)
    broad = np.sqrt(np.maximum(sigma**2 - 1 / 12, 0))
    # Below the narrowest no weight leaves the pixel; it only keeps the division defined.
    return np.where(sigma**2 > variance[-1], broad, np.interp(sigma, np.sqrt(variance), trial))


@lru_cache(maxsize=16)
def _operator(wave: bytes, sigma: bytes) -> LineSpread:
    return LineSpread(np.frombuffer(wave), np.frombuffer(sigma))


def line_spread(wave: FloatArray, sigma: FloatArray) -> LineSpread:
    """Return the operator of a grid and a width, built once and reused."""
    return _operator(np.ascontiguousarray(wave).tobytes(), np.ascontiguousarray(sigma).tobytes())
