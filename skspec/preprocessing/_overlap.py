"""Flux-conserving resampling as an overlap integral, for one grid or one grid a spectrum.

The flux density in an output bin is the mean of the pixels that it overlaps, weighted by the overlap o in Å:
``F = Σ o f / Σ o`` and ``var F = Σ o² var f / (Σ o)²`` over the valid pixels, so that the flux ``F · Σ o`` is
what those pixels hold. Pixels and bins are box-shaped and reach halfway to their neighbours (Carnall 2017,
arXiv:1705.05165; the same integral as specutils' FluxConservingResampler).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skspec._arrays import valid
from skspec._wavelength import pixel_edges

Array = NDArray[Any]

_BINS_PER_BLOCK = 16  # dense blocks this wide keep the matrix product near memory speed
_ROWS_PER_CHUNK = 256
_ROWS_PER_CHUNK_OWN = 32


class Resampled(NamedTuple):
    """Flux (NaN where no pixel contributes), inverse variance or None, and covered fraction of each bin."""

    flux: Array
    ivar: Array | None
    coverage: Array


class OverlapOperator:
    """Overlap of the pixels of one grid with output bins, applied to many spectra at once.

    The overlap matrix of two increasing grids is a band; it is held as dense blocks of a few bins, which BLAS
    multiplies twice as fast as a sparse matrix and without transposing the spectra.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Pixel centres, increasing, at least two.
    edges : ndarray of shape (n_bins + 1,)
        Edges of the output bins, increasing.
    """

    def __init__(self, wave: Array, edges: Array) -> None:
        pixels = pixel_edges(wave)
        self.n_bins = len(edges) - 1
        self._blocks: list[tuple[slice, slice, Array]] = []
        for first in range(0, self.n_bins, _BINS_PER_BLOCK):
            bins = slice(first, min(first + _BINS_PER_BLOCK, self.n_bins))
            low, high = edges[bins], edges[bins.start + 1 : bins.stop + 1]
            start = max(int(np.searchsorted(pixels, low[0], side="right")) - 1, 0)
            stop = min(int(np.searchsorted(pixels, high[-1], side="left")), len(wave))
            if stop <= start:
                continue
            inside = slice(start, stop)
            lower, upper = pixels[start:stop, None], pixels[start + 1 : stop + 1, None]
            overlap = np.minimum(upper, high) - np.maximum(lower, low)
            self._blocks.append((inside, bins, np.clip(overlap, 0.0, None) / (high - low)))
        self._cast: dict[tuple[np.dtype[Any], int], list[Array]] = {}
        self.coverage = self._sum(np.ones((1, len(wave))), 1)[0]

    def _sum(self, rows: Array, power: int) -> Array:
        """Sum of pixels weighted by their fraction of the bin to a power."""
        key = (rows.dtype, power)
        if key not in self._cast:
            self._cast[key] = [(block**power).astype(rows.dtype) for *_, block in self._blocks]
        out = np.zeros((len(rows), self.n_bins), dtype=rows.dtype)
        for (pixels, bins, _), block in zip(self._blocks, self._cast[key], strict=True):
            out[:, bins] = rows[:, pixels] @ block
        return out

    def __call__(self, flux: Array, ivar: Array | None = None) -> Resampled:
        """Resample rows of flux of shape (n_spectra, n_pixels), in their own floating-point type."""
        n = len(flux)
        out = Resampled(
            np.empty((n, self.n_bins), flux.dtype),
            None if ivar is None else np.empty((n, self.n_bins), flux.dtype),
            np.empty((n, self.n_bins), flux.dtype),
        )
        for start in range(0, n, _ROWS_PER_CHUNK):
            rows = slice(start, start + _ROWS_PER_CHUNK)
            f, errors = flux[rows], None if ivar is None else ivar[rows]
            bad = ~valid(f, errors)
            coverage = self.coverage.astype(f.dtype)
            if bad.any():
                f = f.copy()
                f[bad] = 0
                coverage = self._sum((~bad).astype(f.dtype), 1)
            out.coverage[rows] = coverage
            with np.errstate(divide="ignore", invalid="ignore"):
                np.divide(self._sum(f, 1), coverage, out=out.flux[rows])
                if errors is not None and out.ivar is not None:
                    variance = 1 / errors
                    variance[bad] = 0
                    np.divide(coverage * coverage, self._sum(variance, 2), out=out.ivar[rows])
                    out.ivar[rows][out.coverage[rows] <= 0] = 0
        return out


@lru_cache(maxsize=16)
def _operator(wave: bytes, edges: bytes) -> OverlapOperator:
    return OverlapOperator(np.frombuffer(wave), np.frombuffer(edges))


def operator(wave: Array, edges: Array) -> OverlapOperator:
    """Return the operator of a grid pair, built once and reused."""
    return _operator(np.ascontiguousarray(wave).tobytes(), np.ascontiguousarray(edges).tobytes())


def resample_own_grids(
    flux: Sequence[Array], wave: Sequence[Array], ivar: Sequence[Array] | None, edges: Array
) -> Resampled:
    """Resample spectra that each have a grid of their own, in their own floating-point type."""
    n, n_bins = len(flux), len(edges) - 1
    dtype = flux[0].dtype if n else np.dtype(np.float32)
    shape = (n, n_bins)
    out = Resampled(
        np.empty(shape, dtype), None if ivar is None else np.empty(shape, dtype), np.empty(shape, dtype)
    )
    for start in range(0, n, _ROWS_PER_CHUNK_OWN):
        rows = slice(start, start + _ROWS_PER_CHUNK_OWN)
        part = _integrate(flux[rows], wave[rows], None if ivar is None else ivar[rows], edges)
        for target, values in zip(out, part, strict=True):
            if target is not None:
                target[rows] = values
    return out


def _integrate(
    flux: Sequence[Array], wave: Sequence[Array], ivar: Sequence[Array] | None, edges: Array
) -> Resampled:
    """Integrate each spectrum over the bins; all pixels in one flat array, one spare after each spectrum."""
    dtype = flux[0].dtype
    spare = np.zeros(1), np.zeros(1, dtype)
    w = np.concatenate([part for row in wave for part in (row, spare[0])])
    f = np.concatenate([part for row in flux for part in (row, spare[1])])
    length = np.fromiter(map(len, wave), np.intp, len(wave))
    start = np.cumsum(length + 1) - (length + 1)
    last = start + length - 1

    edge = np.empty(len(w))  # lower edge of each pixel; the spare one's is the upper edge of the spectrum
    np.add(w[1:], w[:-1], out=edge[1:])
    edge *= 0.5
    edge[start] = 1.5 * w[start] - 0.5 * w[start + 1]
    edge[last + 1] = 1.5 * w[last] - 0.5 * w[last - 1]
    width = np.empty(len(w), dtype)
    np.subtract(edge[1:], edge[:-1], out=width[:-1], casting="same_kind")
    width[last + 1] = 0

    pixel, low, high = _locate(edge, start, length, edges)
    cut = ((edges - low) / (high - low)).astype(dtype)  # part of the pixel below each bin edge
    np.minimum(np.maximum(cut, 0, out=cut), 1, out=cut)
    alone = pixel[:, 1:] == pixel[:, :-1]  # bins that lie in one pixel
    # Whole pixels from each bin edge to the next, the first one without its part below the edge. Where bins
    # share a pixel the last assignment holds, and the others are alone in it.
    first = width.copy()
    first[pixel] = (1 - cut) * width[pixel]
    runs = np.concatenate([[0], pixel.reshape(-1), [len(w)]]).astype(np.int32)
    columns = np.arange(len(w), dtype=np.int32)

    def total(pixels: Array, power: int) -> Array:
        """Sum of pixels times overlap to a power, over each bin."""
        # The runs between bin edges as rows of a sparse matrix: half the time of np.add.reduceat.
        matrix = csr_array((pixels, columns, runs), shape=(len(runs) - 1, len(w)))
        sums = (matrix @ (first if power == 1 else first * first))[1:].reshape(pixel.shape)[:, :-1]
        at_edge = pixels[pixel] * width[pixel] ** power
        within = (cut[:, 1:] - cut[:, :-1]) ** power * at_edge[:, 1:]
        sums += cut[:, 1:] ** power * at_edge[:, 1:]
        sums[alone] = within[alone]
        return sums

    errors = None if ivar is None else np.concatenate([part for row in ivar for part in (row, spare[1])])
    bad = ~valid(f, errors)
    bad[last + 1] = False  # of no width
    if bad.any():
        f[bad] = 0
        covered = total((~bad).astype(dtype), 1)
    else:
        covered = np.diff(np.clip(edges, edge[start][:, None], edge[last + 1][:, None])).astype(dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux_out, ivar_out = total(f, 1) / covered, None
        if errors is not None:
            variance = 1 / errors
            variance[bad] = variance[last + 1] = 0
            ivar_out = covered * covered / total(variance, 2)
            ivar_out[covered <= 0] = 0
    return Resampled(flux_out, ivar_out, (covered / np.diff(edges)).astype(dtype))


def _locate(edge: Array, start: Array, length: Array, at: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Find the pixel that holds each position, for each spectrum: its flat index, lower and upper edge.

    Positions beyond the spectrum get its first or last pixel.
    """
    first, stop = np.log(edge[start])[:, None], np.log(edge[start + length])[:, None]
    guess = (np.log(at) - first) * (length[:, None] / (stop - first))  # right on a log-linear grid
    np.minimum(np.maximum(guess, 0, out=guess), (length - 1)[:, None], out=guess)
    pixel = guess.astype(np.intp)
    beyond = (pixel == 0, pixel == (length - 1)[:, None])
    pixel += start[:, None]
    low, high = edge[pixel], edge[pixel + 1]
    wrong = ((at < low) & ~beyond[0]) | ((at >= high) & ~beyond[1])
    for row in np.flatnonzero(wrong.any(axis=1)):
        inner = edge[start[row] + 1 : start[row] + length[row]]
        pixel[row] = start[row] + np.searchsorted(inner, at, side="right")
        low[row], high[row] = edge[pixel[row]], edge[pixel[row] + 1]
    return pixel, low, high
