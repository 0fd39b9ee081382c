"""Least-squares fits of polynomials and splines to many spectra at once, with sigma clipping."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Sums = tuple[FloatArray, ...]

_FEW = 4  # rows for which products of all pairs of basis functions do not pay
_OUTLIER = 1e3  # times the flux of other pixels: leaves its rounding behind when it is subtracted from a sum
_PENALTY = 1e-9  # of a pixel's weight: decides what no pixel does, and nothing else


class CommonBasis:
    """Basis functions on a grid that all rows share.

    Parameters
    ----------
    functions : ndarray of shape (n_pixels, n_coefficients)
    """

    def __init__(self, functions: FloatArray) -> None:
        self.n_coefficients = functions.shape[1]
        self._functions = functions
        self._pairs = np.triu_indices(self.n_coefficients)
        self._products: FloatArray | None = None

    def normal_equations(self, rows: IntArray, used: BoolArray, flux: FloatArray) -> Sums:
        """Sum products of two functions, and of functions with the flux, over the used pixels of some rows."""
        functions, (i, j) = self._functions, self._pairs
        weight = used.astype(np.float64)
        gram = np.empty((len(rows), self.n_coefficients, self.n_coefficients))
        if len(rows) <= _FEW:
            for k, w in enumerate(weight):
                gram[k] = (functions.T * w) @ functions
        else:
            if self._products is None:
                self._products = functions[:, i] * functions[:, j]
            gram[:, i, j] = gram[:, j, i] = weight @ self._products
        return gram, (weight * flux) @ functions

    def without(
        self, dropped: BoolArray, rows: IntArray, used: BoolArray, flux: FloatArray, sums: Sums
    ) -> Sums:
        """Update such sums for pixels that are not used any more."""
        return self.normal_equations(rows, used, flux)  # one matrix product for all rows

    def curves(self, rows: IntArray, coefficients: FloatArray) -> FloatArray:
        """Evaluate linear combinations of the functions at all pixels of some rows."""
        return coefficients @ self._functions.T


class OwnBasis:
    """Basis functions on a grid for each row, few of which are not zero between two knots.

    Parameters
    ----------
    functions : ndarray of shape (n_spectra, m, n_pixels)
        The m functions that are not zero at each pixel.
    piece : ndarray of int of shape (n_spectra, n_pixels)
        Number of the first of them, which rises from pixel to pixel.
    n_pieces : int
    """

    def __init__(self, functions: FloatArray, piece: IntArray, n_pieces: int) -> None:
        self.n_coefficients = n_pieces - 1 + functions.shape[1]
        self._functions, self._piece = functions, piece
        ends = [np.searchsorted(row, np.arange(n_pieces + 1)).tolist() for row in piece]
        self._pieces = [[slice(*pair) for pair in pairwise(row)] for row in ends]

    def normal_equations(self, rows: IntArray, used: BoolArray, flux: FloatArray) -> Sums:
        """See `CommonBasis`; the last of the sums is that of the squared flux, for the check in `without`."""
        n, c, m = len(rows), self.n_coefficients, self._functions.shape[1]
        flux = np.where(used, flux, 0.0)
        gram, projected = np.zeros((n, c, c)), np.zeros((n, c))
        for k, row in enumerate(rows.tolist()):
            for first, pixels in enumerate(self._pieces[row]):
                functions, some = self._functions[row, :, pixels], slice(first, first + m)
                gram[k, some, some] += functions @ functions.T
                projected[k, some] += functions @ flux[k, pixels]
        power = np.einsum("ij,ij->i", flux, flux)
        return self.without(~used, rows, used, flux, (gram, projected, power))

    def without(
        self, dropped: BoolArray, rows: IntArray, used: BoolArray, flux: FloatArray, sums: Sums
    ) -> Sums:
        """See `CommonBasis`."""
        gram, projected, power = sums
        n_pixels = dropped.shape[1]
        at = np.flatnonzero(dropped)
        ends = np.searchsorted(at, n_pixels * np.arange(len(rows) + 1)).tolist()
        for k, row in enumerate(rows.tolist()):
            pixels = at[ends[k] : ends[k + 1]] - k * n_pixels
            if not len(pixels):
                continue
            functions, values = self._all_functions(row, pixels), flux[k].take(pixels)
            gram[k] -= functions @ functions.T
            projected[k] -= functions @ values
            values *= values
            power[k] -= values.sum()
            if values.max() * n_pixels > _OUTLIER**2 * power[k]:
                one = slice(k, k + 1)
                _, projected[one], power[one] = self.normal_equations(rows[one], used[one], flux[one])
        return gram, projected, power

    def _all_functions(self, row: int, pixels: IntArray) -> FloatArray:
        """Return the functions at some pixels, those that are zero there too."""
        some = self._functions[row].take(pixels, axis=1)
        if len(some) == self.n_coefficients:
            return some
        functions = np.zeros((self.n_coefficients, len(pixels)))
        functions[self._piece[row, pixels] + np.arange(len(some))[:, None], np.arange(len(pixels))] = some
        return functions

    def curves(self, rows: IntArray, coefficients: FloatArray) -> FloatArray:
        """See `CommonBasis`."""
        windows = sliding_window_view(coefficients, self._functions.shape[1], axis=1)
        out = np.empty((len(rows), self._functions.shape[2]))
        for k, row in enumerate(rows.tolist()):
            functions = self._functions[row]
            for pixels, window in zip(self._pieces[row], windows[k], strict=True):
                np.matmul(window, functions[:, pixels], out=out[k, pixels])
        return out


Basis = CommonBasis | OwnBasis


def legendre_basis(wave: FloatArray, length: IntArray, degree: int) -> Basis:
    """Legendre polynomials on [-1, 1] stretched over the grid of each row.

    `wave` has shape (n_pixels,), or (n_spectra, n_pixels) where grids differ; `length` is the number of pixels of each
    row.
    """
    at = _places(wave, length)
    functions = legvander(2.0 * at - 1.0, degree)
    if wave.ndim == 1:
        return CommonBasis(functions)
    return OwnBasis(np.moveaxis(functions, -1, 1), np.zeros(at.shape, np.intp), 1)


def spline_basis(wave: FloatArray, length: IntArray, n_knots: int) -> Basis:
    """Cubic B-splines with `n_knots` equally spaced interior knots on the grid of each row; see `legendre_basis`.

    The outer knots go on at the same distance (Eilers and Marx 1996, Statistical Science 11, 89), so that coefficients
    on a straight line are a straight line.
    """
    at = (n_knots + 1) * _places(wave, length)
    piece = np.minimum(at.astype(np.intp), n_knots)
    values = _b_splines(at - piece)
    if wave.ndim > 1:
        return OwnBasis(np.moveaxis(values, 0, 1), piece, n_knots + 1)
    functions = np.zeros((len(wave), n_knots + 4))
    np.put_along_axis(functions, piece[:, None] + np.arange(4), values.T, axis=1)
    return CommonBasis(functions)


def _places(wave: FloatArray, length: IntArray) -> FloatArray:
    """Places of pixels between the first (0) and last (1) of their row; pixels beyond the row are at its end."""
    first = wave[..., :1]
    last = wave[-1:] if wave.ndim == 1 else np.take_along_axis(wave, length[:, None] - 1, axis=1)
    span = last - first
    return np.minimum((wave - first) / np.where(span > 0, span, 1.0), 1.0)


def _b_splines(at: FloatArray) -> FloatArray:
    """Values of the four cubic B-splines that are not zero between two knots, at places between 0 and 1."""
    rest, square = 1.0 - at, at * at
    cube = square * at
    return np.stack([rest * rest * rest, 3 * cube - 6 * square + 4, 3 * (square + at - cube) + 1, cube]) / 6


def bending(n_coefficients: int) -> FloatArray:
    """Matrix of the sum of squared second differences of coefficients, for `fit_clipped`."""
    second = np.diff(np.eye(n_coefficients), 2, axis=0)
    return _PENALTY * second.T @ second


def _solve(system: FloatArray, projected: FloatArray) -> FloatArray:
    """Solve the normal equations of each row; of pixels that do not determine them, the shortest solution."""
    try:
        return np.linalg.solve(system, projected[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # pixels so close together that functions are the same there
        inverse: FloatArray = np.linalg.pinv(system, hermitian=True)
        return (inverse @ projected[:, :, None])[:, :, 0]


def fit_clipped(
    basis: Basis,
    flux: NDArray[Any],
    *,
    sigma_low: float,
    sigma_high: float,
    max_rounds: int,
    penalty: FloatArray | None = None,
) -> FloatArray:
    """Fit each row, leave out pixels that lie too far below or above the fit, and repeat.

    Parameters
    ----------
    basis : Basis
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing; at least n_coefficients pixels of each row are not, or `penalty` is given.
    sigma_low, sigma_high : float
        Limits in root mean squares of the residuals of the pixels still in the fit.
    max_rounds : int
        Maximum number of rounds of clipping. A clipped pixel stays out; a row keeps at least n_coefficients pixels.
    penalty : ndarray of shape (n_coefficients, n_coefficients), default=None
        Quadratic form in the coefficients, for each valid pixel of a row.

    Returns
    -------
    ndarray of shape (n_spectra, n_pixels)
        The fits at all pixels.
    """
    used = ~np.isnan(flux)
    values = np.where(used, flux, 0.0).astype(np.float64, copy=False)
    fit = np.empty(flux.shape)
    rows = np.arange(len(flux))
    sums = basis.normal_equations(rows, used, values)
    for round_ in range(max_rounds + 1):
        still, y = used[rows], values[rows]
        n_used = np.count_nonzero(still, axis=1)
        gram, projected = sums[:2]
        system = gram if penalty is None else gram + n_used[:, None, None] * penalty
        model = basis.curves(rows, _solve(system, projected))
        fit[rows] = model
        if round_ == max_rounds:
            break
        residual = y - model
        sigma = np.sqrt((still * residual**2).sum(axis=1) / n_used)
        limits = -sigma_low * sigma[:, None], sigma_high * sigma[:, None]
        keep = still & (residual >= limits[0]) & (residual <= limits[1])
        n_kept = np.count_nonzero(keep, axis=1)
        go_on = (n_kept < n_used) & (n_kept >= basis.n_coefficients)
        if not go_on.any():
            break
        rows, keep, y = rows[go_on], keep[go_on], y[go_on]
        used[rows] = keep
        sums = basis.without(still[go_on] & ~keep, rows, keep, y, tuple(part[go_on] for part in sums))
    return fit
