"""Flux-conserving resampling as an overlap integral, for one grid or one grid a spectrum.

The flux density in an output bin is the mean of the pixels that it overlaps, weighted by the overlap o in Å:
``F = Σ o f / Σ o`` and ``var F = Σ o² var f / (Σ o)²`` over the valid pixels, so that ``F · Σ o`` is the flux of those
pixels. Pixels are boxes that reach halfway to their neighbours (Carnall 2017, arXiv:1705.05165; the same integral as
specutils' FluxConservingResampler).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skspec.spectra import Block, pixel_edges


class Resampled(NamedTuple):
    """Flux (NaN where no pixel contributes), inverse variance or None, and covered fraction of each bin."""

    flux: NDArray[Any]
    ivar: NDArray[Any] | None
    coverage: NDArray[Any]


class OverlapOperator:
    """Overlap of the pixels of one grid with output bins, as a sparse matrix applied to many spectra.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Pixel centres, increasing, at least two.
    edges : ndarray of shape (n_bins + 1,)
        Edges of the output bins, increasing.
    """

    def __init__(self, wave: NDArray[np.float64], edges: NDArray[np.float64]) -> None:
        pixels = pixel_edges(wave)
        cuts = np.union1d(pixels, edges)  # between neighbouring cuts lies one pixel and one bin, or none
        middle = 0.5 * (cuts[1:] + cuts[:-1])
        pixel = np.searchsorted(pixels, middle) - 1
        bin_ = np.searchsorted(edges, middle) - 1
        both = (pixel >= 0) & (pixel < len(wave)) & (bin_ >= 0) & (bin_ < len(edges) - 1)
        pixel, bin_ = pixel[both], bin_[both]
        fraction = np.diff(cuts)[both] / np.diff(edges)[bin_]
        self._matrix = csr_array((fraction, (bin_, pixel)), shape=(len(edges) - 1, len(wave)))
        self._cast: dict[tuple[np.dtype[Any], int], csr_array] = {}
        self.coverage = self._matrix.sum(axis=1)

    def _sum(self, rows: NDArray[Any], power: int) -> NDArray[Any]:
        """Sum of pixels weighted by their fraction of the bin to a power."""
        key = (rows.dtype, power)
        if key not in self._cast:
            self._cast[key] = self._matrix.power(power).astype(rows.dtype)
        return (self._cast[key] @ rows.T).T

    def __call__(self, block: Block) -> Resampled:
        """Resample the rows of a block, in their own floating-point type."""
        flux, errors = block.flux, block.ivar
        coverage = np.broadcast_to(self.coverage.astype(flux.dtype), (len(flux), len(self.coverage)))
        if not block.complete:
            flux = np.where(block.valid, flux, flux.dtype.type(0))
            coverage = self._sum(block.valid.astype(flux.dtype), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            resampled, ivar = self._sum(flux, 1) / coverage, None
            if errors is not None:
                variance = 1 / errors
                if not block.complete:
                    variance[~block.valid] = 0
                ivar = coverage * coverage / self._sum(variance, 2)
                ivar[coverage <= 0] = 0
        return Resampled(resampled, ivar, coverage)


@lru_cache(maxsize=16)
def _operator(wave: bytes, edges: bytes) -> OverlapOperator:
    return OverlapOperator(np.frombuffer(wave), np.frombuffer(edges))


def operator(wave: NDArray[np.float64], edges: NDArray[np.float64]) -> OverlapOperator:
    """Return the operator of a grid pair, built once and reused."""
    return _operator(np.ascontiguousarray(wave).tobytes(), np.ascontiguousarray(edges).tobytes())


def overlap(block: Block, edges: NDArray[np.float64]) -> Resampled:
    """Resample the rows of a block, in their own floating-point type."""
    return operator(block.wave, edges)(block) if block.wave.ndim == 1 else _integrate(block, edges)


def _integrate(block: Block, edges: NDArray[np.float64]) -> Resampled:
    """Integrate each spectrum over the bins, all pixels in one flat array.

    Before and after each spectrum is a spare pixel, with the wavelength that its grid would go on to. Positions and
    widths are in half ångströms: there the edge of two pixels is the sum of their wavelengths.
    """
    dtype, (n, width) = block.flux.dtype, block.flux.shape
    start = np.arange(n) * (width + 1) + 1
    stop = start + [columns.stop for columns in block.columns or ()]  # the spare pixel after each spectrum
    w = _with_spare(block.wave, np.float64)
    w[start - 1] = w[start] * (w[start] / w[start + 1])
    size = len(w)
    overlap = np.zeros(size, dtype)  # of pixels with bins: at first, their width
    np.subtract(w[2:], w[:-2], out=overlap[1:-1], casting="same_kind")
    overlap[start - 1] = overlap[stop] = 0

    low, high = (w[start - 1] + w[start])[:, None], (w[stop - 1] + w[stop])[:, None]
    at = np.minimum(np.maximum(2 * edges, low), high)  # bin edges, cut to the spectrum
    pixel, below, above = _locate(w, start, stop, at, np.log(2 * edges))
    cut = ((at - below) / (above - below)).astype(dtype)  # part of the pixel below each bin edge
    alone = pixel[:, 1:] == pixel[:, :-1]  # bins that lie in one pixel
    # Whole pixels from each bin edge to the next, the first one without its part below the edge. Where bins
    # share a pixel the last assignment holds, and the others are alone in it.
    pixel_width = overlap[pixel]
    overlap[pixel] = (1 - cut) * pixel_width
    runs = np.concatenate([[0], pixel.reshape(-1), [size]]).astype(np.int32)
    columns, square = np.arange(size, dtype=np.int32), overlap * overlap

    def total(pixels: NDArray[Any], power: int) -> NDArray[Any]:
        """Sum of pixels times overlap to a power, over each bin."""
        # The runs between bin edges as rows of a sparse matrix: half the time of np.add.reduceat.
        weight = overlap if power == 1 else square
        sums = (csr_array((pixels, columns, runs), shape=(len(runs) - 1, size)) @ weight)[1:]
        sums = sums.reshape(pixel.shape)[:, :-1]
        at_edge = (pixels[pixel] * pixel_width**power)[:, 1:]
        sums += cut[:, 1:] ** power * at_edge
        np.copyto(sums, (cut[:, 1:] - cut[:, :-1]) ** power * at_edge, where=alone)
        return sums

    good = _with_spare(block.valid, bool)
    gaps = np.count_nonzero(good) < (stop - start).sum()
    covered = (at[:, 1:] - at[:, :-1]).astype(dtype)
    if gaps:
        covered = total(good.astype(dtype), 1)
    flux = np.nan_to_num(_with_spare(block.flux, dtype), copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        resampled, ivar = total(flux, 1) / covered, None
        if block.ivar is not None:
            variance = 1 / _with_spare(block.ivar, dtype)
            variance[~good] = 0
            ivar = covered * covered / total(variance, 2)
            ivar[covered <= 0] = 0
    return Resampled(resampled, ivar, (covered / (2 * np.diff(edges))).astype(dtype))


def _with_spare(rows: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Rows end to end, with one more pixel before each."""
    out = np.zeros((len(rows), rows.shape[1] + 1), dtype)
    out[:, 1:] = rows
    return out.reshape(-1)


def _locate(
    w: NDArray[np.float64],
    start: NDArray[np.intp],
    stop: NDArray[np.intp],
    at: NDArray[np.float64],
    log_at: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Find a pixel that holds each position, for each spectrum: its flat index, lower and upper edge.

    Positions `at`, of shape (n_spectra, n_positions), lie within their spectrum; `log_at` are their logarithms
    before they were cut to it.
    """
    first, last = np.log(w[start - 1] + w[start])[:, None], np.log(w[stop - 1] + w[stop])[:, None]
    length = (stop - start)[:, None]
    guess = (log_at - first) * (length / (last - first))  # right on a log-linear grid
    np.minimum(np.maximum(guess, 0, out=guess), length - 1, out=guess)
    pixel = guess.astype(np.intp)
    pixel += start[:, None]
    centre = w[pixel]
    below, above = w[pixel - 1] + centre, w[pixel + 1] + centre
    for row in np.flatnonzero(((at < below) | (at > above)).any(axis=1)):
        own = w[start[row] - 1 : stop[row] + 1]
        inner = own[1:-2] + own[2:-1]
        pixel[row] = start[row] + np.searchsorted(inner, at[row], side="right")
        below[row] = w[pixel[row] - 1] + w[pixel[row]]
        above[row] = w[pixel[row] + 1] + w[pixel[row]]
    return pixel, below, above
