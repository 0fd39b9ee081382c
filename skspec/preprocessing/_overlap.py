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

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


class Resampled(NamedTuple):
    """Flux (NaN where no pixel contributes), inverse variance or None, and covered fraction of each bin."""

    flux: NDArray[Any]
    ivar: NDArray[Any] | None
    coverage: NDArray[Any]


class OverlapOperator:
    """Overlap of the pixels of one grid with output bins, as a sparse matrix applied to many spectra.

    `wave` are the centres of at least two pixels and `edges` those of the bins, both increasing.
    """

    def __init__(self, wave: FloatArray, edges: FloatArray) -> None:
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
        flux, errors, bad = block.flux, block.ivar, None
        coverage = np.broadcast_to(self.coverage.astype(flux.dtype), (len(flux), len(self.coverage)))
        if not block.complete:
            flux, bad = flux.copy(), ~block.valid
            np.copyto(flux, 0, where=bad)
            coverage = self._sum(block.valid.astype(flux.dtype), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            resampled, ivar = np.divide(self._sum(flux, 1), coverage, order="C"), None
            if errors is not None:
                variance = 1 / errors
                if bad is not None:
                    np.copyto(variance, 0, where=bad)
                ivar = np.divide(coverage * coverage, self._sum(variance, 2), order="C")
                ivar[coverage <= 0] = 0
        return Resampled(resampled, ivar, coverage)


@lru_cache(maxsize=16)
def _operator(wave: bytes, edges: bytes) -> OverlapOperator:
    return OverlapOperator(np.frombuffer(wave), np.frombuffer(edges))


def operator(wave: FloatArray, edges: FloatArray) -> OverlapOperator:
    """Return the operator of a grid pair, built once and reused."""
    return _operator(np.ascontiguousarray(wave).tobytes(), np.ascontiguousarray(edges).tobytes())


def overlap(block: Block, edges: FloatArray) -> Resampled:
    """Resample the rows of a block, in their own floating-point type."""
    return operator(block.wave, edges)(block) if block.wave.ndim == 1 else _integrate(block, edges)


def _integrate(block: Block, edges: FloatArray) -> Resampled:
    """Integrate each spectrum over the bins, all pixels in one flat array.

    Positions and widths are in half ångströms: there the edge of two pixels is the sum of their wavelengths.
    """
    dtype, length = block.flux.dtype, block.length
    w, size = block.wave.ravel(), block.wave.size
    start = np.arange(len(length)) * block.wave.shape[1]
    stop = start + length  # the pixel after each spectrum has the wavelength that its grid would go on to
    before = w[start] * (w[start] / w[start + 1])
    overlap = np.empty(size, dtype)  # of pixels with bins: at first, their width
    np.subtract(w[2:], w[:-2], out=overlap[1:-1], casting="same_kind")
    overlap[start] = w[start + 1] - before
    overlap[stop] = overlap[-1] = 0

    ends = (before + w[start])[:, None], (w[stop - 1] + w[stop])[:, None]
    at, pixel, below, above = _locate(w, start, stop, ends, 2 * edges)
    cut = ((at - below) / (above - below)).astype(dtype)  # part of the pixel below each bin edge
    alone = pixel[:, 1:] == pixel[:, :-1]  # bins that lie in one pixel
    # Whole pixels from each bin edge to the next, the first one without its part below the edge. Where bins
    # share a pixel the last assignment holds, and the others are alone in it.
    pixel_width = overlap.take(pixel)
    overlap[pixel] = (1 - cut) * pixel_width
    runs = np.concatenate([[0], pixel.reshape(-1), [size]]).astype(np.int32)
    columns = _columns(size.bit_length())[:size]

    def total(pixels: NDArray[Any], power: int) -> NDArray[Any]:
        """Sum of pixels times overlap to a power, over each bin."""
        # The runs between bin edges as rows of a sparse matrix: half the time of np.add.reduceat.
        weight = overlap if power == 1 else overlap * overlap
        sums = (csr_array((pixels, columns, runs), shape=(len(runs) - 1, size)) @ weight)[1:]
        sums = sums.reshape(pixel.shape)[:, :-1]
        at_edge = (pixels.take(pixel) * pixel_width**power)[:, 1:]
        sums += cut[:, 1:] ** power * at_edge
        np.copyto(sums, (cut[:, 1:] - cut[:, :-1]) ** power * at_edge, where=alone)
        return sums

    covered = (at[:, 1:] - at[:, :-1]).astype(dtype)
    gaps = np.count_nonzero(block.valid) < length.sum()  # pixels after a spectrum are in no bin
    flux = block.flux.ravel()
    if gaps:
        covered = total(block.valid.ravel().astype(dtype), 1)
        flux = np.where(block.valid.ravel(), flux, dtype.type(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        resampled, ivar = total(flux, 1) / covered, None
        if block.ivar is not None:
            variance = 1 / block.ivar.ravel()
            if gaps:
                variance[~block.valid.ravel()] = 0
            ivar = covered * covered / total(variance, 2)
            ivar[covered <= 0] = 0
    coverage = np.divide(covered, 2 * np.diff(edges), out=np.empty_like(covered), casting="same_kind")
    return Resampled(resampled, ivar, coverage)


@lru_cache(maxsize=2)
def _columns(n_bits: int) -> NDArray[np.int32]:
    return np.arange(2**n_bits, dtype=np.int32)


def _locate(
    w: FloatArray, start: IntArray, stop: IntArray, ends: tuple[FloatArray, FloatArray], edges: FloatArray
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """Cut bin edges to the `ends` of each spectrum, and find the pixel that holds each.

    Returns the edges, and the flat index of their pixels, its lower and upper edge, all of shape (n_spectra, n_edges).
    """
    low, high = ends
    at = np.maximum(edges, low)
    np.minimum(at, high, out=at)
    first, last = np.log(low), np.log(high)
    length = (stop - start)[:, None]
    guess = (np.log(edges) - first) * (length / (last - first))  # right on a log-linear grid
    np.minimum(np.maximum(guess, 0, out=guess), length - 1, out=guess)
    pixel = guess.astype(np.intp)
    pixel += start[:, None]
    centre = w.take(pixel)
    below, above = w.take(pixel - 1, mode="clip"), w.take(pixel + 1)
    below += centre
    above += centre
    np.copyto(below, low, where=pixel == start[:, None])
    for row in np.flatnonzero(((at < below) | (at > above)).any(axis=1)):
        own = w[start[row] : stop[row] + 1]
        between = own[1:] + own[:-1]
        found = np.searchsorted(between[:-1], at[row], side="right")
        pixel[row] = start[row] + found
        below[row], above[row] = np.where(found, between[found - 1], low[row]), between[found]
    return at, pixel, below, above
