"""Flux-conserving resampling as an overlap integral, for one grid or one grid a spectrum.

The flux density in an output bin is the mean of the pixels that it overlaps, weighted by the overlap o in Å:
``F = Σ o f / Σ o`` and ``var F = Σ o² var f / (Σ o)²`` over the valid pixels, so that the flux ``F · Σ o`` is
what those pixels hold. Pixels are boxes that reach halfway to their neighbours (Carnall 2017,
arXiv:1705.05165; the same integral as specutils' FluxConservingResampler).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skspec.spectra import find_lattice, lay, pixel_edges, valid

Array = NDArray[Any]

_ROWS_PER_CHUNK = 64  # so that a chunk stays in the cache
_ROWS_PER_CHUNK_OWN = 48


class Resampled(NamedTuple):
    """Flux (NaN where no pixel contributes), inverse variance or None, and covered fraction of each bin."""

    flux: Array
    ivar: Array | None
    coverage: Array


def _empty(n: int, n_bins: int, dtype: np.dtype[Any], *, with_ivar: bool) -> Resampled:
    flux, ivar, coverage = (np.empty((n, n_bins), dtype) for _ in range(3))
    return Resampled(flux, ivar if with_ivar else None, coverage)


class OverlapOperator:
    """Overlap of the pixels of one grid with output bins, as a sparse matrix applied to many spectra.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Pixel centres, increasing, at least two.
    edges : ndarray of shape (n_bins + 1,)
        Edges of the output bins, increasing.
    """

    def __init__(self, wave: Array, edges: Array) -> None:
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

    def _sum(self, rows: Array, power: int) -> Array:
        """Sum of pixels weighted by their fraction of the bin to a power."""
        key = (rows.dtype, power)
        if key not in self._cast:
            self._cast[key] = self._matrix.power(power).astype(rows.dtype)
        return (self._cast[key] @ rows.T).T

    def __call__(self, flux: Array, ivar: Array | None = None) -> Resampled:
        """Resample rows of flux of shape (n_spectra, n_pixels), in their own floating-point type."""
        out = _empty(len(flux), len(self.coverage), flux.dtype, with_ivar=ivar is not None)
        for start in range(0, len(flux), _ROWS_PER_CHUNK):
            rows = slice(start, start + _ROWS_PER_CHUNK)
            f, errors = flux[rows], None if ivar is None else ivar[rows]
            bad = ~valid(f, errors)
            coverage, gaps = self.coverage.astype(f.dtype), bool(bad.any())
            if gaps:
                f = f.copy()
                f[bad] = 0
                coverage = self._sum((~bad).astype(f.dtype), 1)
            out.coverage[rows] = coverage
            with np.errstate(divide="ignore", invalid="ignore"):
                np.divide(self._sum(f, 1), coverage, out=out.flux[rows])
                if errors is not None and out.ivar is not None:
                    variance = 1 / errors
                    if gaps:
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


def overlap(flux: Any, wave: Any, ivar: Any, edges: Array) -> Resampled:
    """Resample spectra with one grid, or one each, as those of `Spectra` are."""
    if isinstance(wave, np.ndarray):
        return operator(wave, edges)(flux, ivar)
    return resample_own_grids(flux, wave, ivar, edges)


def resample_own_grids(
    flux: Sequence[Array], wave: Sequence[Array], ivar: Sequence[Array] | None, edges: Array
) -> Resampled:
    """Resample spectra that each have a grid of their own, in their own floating-point type.

    Those whose grids are views of one lattice are laid on it and share its operator; others are integrated each on
    its own pixels.
    """
    dtype = flux[0].dtype if len(flux) else np.dtype(np.float32)
    out = _empty(len(flux), len(edges) - 1, dtype, with_ivar=ivar is not None)
    lattice = find_lattice(wave)
    if lattice is not None:
        grid, offset = lattice
        for k in range(0, len(flux), _ROWS_PER_CHUNK):
            rows = slice(k, k + _ROWS_PER_CHUNK)
            laid = lay(flux[rows], offset[rows], len(grid), np.nan)
            errors = None if ivar is None else lay(ivar[rows], offset[rows], len(grid), 0.0)
            _store(operator(grid, edges)(laid, errors), out, rows)
        return out
    chunks = [slice(k, k + _ROWS_PER_CHUNK_OWN) for k in range(0, len(flux), _ROWS_PER_CHUNK_OWN)]
    work = _Workspace(max((sum(len(row) + 2 for row in flux[rows]) for rows in chunks), default=0), dtype)
    for rows in chunks:
        _store(
            _integrate(flux[rows], wave[rows], None if ivar is None else ivar[rows], edges, work), out, rows
        )
    return out


def _store(part: Resampled, out: Resampled, rows: slice) -> None:
    for target, values in zip(out, part, strict=True):
        if target is not None:
            target[rows] = values


class _Workspace:
    """Arrays that chunks use in turn: touching new memory costs more than the arithmetic."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.wave = np.empty(size)
        self.flux, self.ivar, self.overlap, self.square = np.empty((4, size), dtype)
        self.columns = np.arange(size, dtype=np.int32)


def _integrate(
    flux: Sequence[Array], wave: Sequence[Array], ivar: Sequence[Array] | None, edges: Array, work: _Workspace
) -> Resampled:
    """Integrate each spectrum over the bins, all pixels in one flat array.

    Before and after each spectrum is a spare pixel, with the wavelength that its grid would go on to. Positions and
    widths are in half ångströms: there the edge of two pixels is the sum of their wavelengths.
    """
    dtype = flux[0].dtype
    length = np.fromiter(map(len, wave), np.intp, len(wave))
    stop = np.cumsum(length + 2) - 1  # the spare pixel after each spectrum
    start = stop - length
    rows = list(zip(start.tolist(), stop.tolist(), strict=True))
    size = rows[-1][1] + 1
    w = _fill(work.wave[:size], wave, rows)
    w[start - 1] = w[start] * (w[start] / w[start + 1])
    w[stop] = w[stop - 1] * (w[stop - 1] / w[stop - 2])
    overlap = work.overlap[:size]  # of pixels with bins: at first, their width
    np.subtract(w[2:], w[:-2], out=overlap[1:-1], casting="same_kind")
    overlap[start - 1] = overlap[stop] = 0

    low, high = (w[start - 1] + w[start])[:, None], (w[stop - 1] + w[stop])[:, None]
    at = np.minimum(np.maximum(2 * edges, low), high)  # bin edges, cut to the spectrum
    pixel, below, above = _locate(w, start, stop, at, np.log(2 * edges))
    cut = ((at - below) / (above - below)).astype(dtype)  # part of the pixel below each bin edge
    alone = pixel[:, 1:] == pixel[:, :-1]  # bins that lie in one pixel
    # Whole pixels from each bin edge to the next, the first one without its part below the edge. Where bins
    # share a pixel the last assignment holds, and the others are alone in it.
    width = overlap[pixel]
    overlap[pixel] = (1 - cut) * width
    runs = np.concatenate([[0], pixel.reshape(-1), [size]]).astype(np.int32)
    columns, square = work.columns[:size], work.square[:size]

    def total(pixels: Array, power: int) -> Array:
        """Sum of pixels times overlap to a power, over each bin."""
        weight = overlap if power == 1 else np.multiply(overlap, overlap, out=square)
        # The runs between bin edges as rows of a sparse matrix: half the time of np.add.reduceat.
        sums = (csr_array((pixels, columns, runs), shape=(len(runs) - 1, size)) @ weight)[1:]
        sums = sums.reshape(pixel.shape)[:, :-1]
        at_edge = (pixels[pixel] * width**power)[:, 1:]
        sums += cut[:, 1:] ** power * at_edge
        np.copyto(sums, (cut[:, 1:] - cut[:, :-1]) ** power * at_edge, where=alone)
        return sums

    f = _fill(work.flux[:size], flux, rows)
    errors = None if ivar is None else _fill(work.ivar[:size], ivar, rows)
    good = valid(f, errors)
    good[start - 1] = good[stop] = True  # of no width
    gaps = not good.all()
    covered = (at[:, 1:] - at[:, :-1]).astype(dtype)
    if gaps:
        f[~good] = 0
        covered = total(good.astype(dtype), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux_out, ivar_out = total(f, 1) / covered, None
        if errors is not None:
            variance = np.divide(1, errors, out=errors)
            variance[start - 1] = variance[stop] = 0
            if gaps:
                variance[~good] = 0
            ivar_out = covered * covered / total(variance, 2)
            ivar_out[covered <= 0] = 0
    return Resampled(flux_out, ivar_out, (covered / (2 * np.diff(edges))).astype(dtype))


def _fill(out: Array, rows: Sequence[Array], places: list[tuple[int, int]]) -> Array:
    """Put rows in their places, with zeros in the spare pixels."""
    for row, (start, stop) in zip(rows, places, strict=True):
        out[start - 1] = out[stop] = 0
        out[start:stop] = row
    return out


def _locate(
    w: Array, start: Array, stop: Array, at: Array, log_at: Array
) -> tuple[NDArray[np.intp], Array, Array]:
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
