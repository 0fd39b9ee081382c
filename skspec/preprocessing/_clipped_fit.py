"""Least-squares fits of polynomials and splines to many spectra at once, with sigma clipping."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray
from scipy.sparse import csr_array

FloatArray = NDArray[np.float64]

_FEW = 4  # rows for which products of all pairs of basis functions do not pay
_PENALTY = 1e-9  # of a pixel's weight: decides what no pixel does, and nothing else
_A, _B = np.triu_indices(4)  # pairs of the B-splines that are not zero at a pixel


class Basis(Protocol):
    """Functions of wavelength whose linear combination is fitted to each row."""

    n_coefficients: int

    def normal_equations(
        self, rows: NDArray[np.intp], weight: FloatArray, flux: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return, for some rows, the weighted sums of products of two functions and of functions with the flux."""

    def curves(self, rows: NDArray[np.intp], coefficients: FloatArray) -> FloatArray:
        """Evaluate linear combinations at all pixels of some rows."""


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

    def normal_equations(
        self, rows: NDArray[np.intp], weight: FloatArray, flux: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See `Basis`."""
        functions, (i, j) = self._functions, self._pairs
        gram = np.empty((len(rows), self.n_coefficients, self.n_coefficients))
        if len(rows) <= _FEW:
            for k, w in enumerate(weight):
                gram[k] = (functions.T * w) @ functions
        else:
            if self._products is None:
                self._products = functions[:, i] * functions[:, j]
            gram[:, i, j] = gram[:, j, i] = weight @ self._products
        return gram, (weight * flux) @ functions

    def curves(self, rows: NDArray[np.intp], coefficients: FloatArray) -> FloatArray:
        """See `Basis`."""
        return coefficients @ self._functions.T


class OwnBasis:
    """Basis functions on a grid for each row.

    Parameters
    ----------
    functions : ndarray of shape (n_spectra, n_coefficients, n_pixels)
    """

    def __init__(self, functions: FloatArray) -> None:
        self.n_coefficients = functions.shape[1]
        self._functions = functions

    def normal_equations(
        self, rows: NDArray[np.intp], weight: FloatArray, flux: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See `Basis`."""
        functions = self._functions[rows]
        weighted = functions * weight[:, None]
        return weighted @ functions.transpose(0, 2, 1), (weighted @ flux[:, :, None])[:, :, 0]

    def curves(self, rows: NDArray[np.intp], coefficients: FloatArray) -> FloatArray:
        """See `Basis`."""
        return (coefficients[:, None] @ self._functions[rows])[:, 0]


class OwnSplines:
    """Cubic B-splines on a grid for each row, of which four are not zero at a pixel.

    Parameters
    ----------
    at : ndarray of shape (n_spectra, n_pixels)
        Places of the pixels in units of the distance of knots, from 0 on.
    n_knots : int
        Interior knots.
    """

    def __init__(self, at: FloatArray, n_knots: int) -> None:
        self.n_coefficients = n_knots + 4
        n, p = at.shape
        values, piece = _b_splines(at, n_knots)
        self._values = values
        self._products = (values[..., _A] * values[..., _B]).reshape(n * p, len(_A))
        self._first = piece
        knots = np.arange(n_knots + 2)
        self._runs = np.array(
            [np.searchsorted(row, knots) for row in piece]
        )  # pixels between neighbouring knots
        self._runs[:, -1] = p

    def _sums(self, rows: NDArray[np.intp], weight: FloatArray, values: FloatArray) -> FloatArray:
        """Weighted sums of `values`, of shape (n_pixels of all rows, m), between neighbouring knots."""
        n, p = weight.shape
        starts = self._runs[rows, :-1] + p * np.arange(n)[:, None]
        pixels = (p * rows[:, None] + np.arange(p)).ravel()
        runs = np.append(starts.ravel(), n * p)
        sums = csr_array((weight.ravel(), pixels, runs), shape=(len(runs) - 1, len(values))) @ values
        return sums.reshape(n, -1, values.shape[1])

    def normal_equations(
        self, rows: NDArray[np.intp], weight: FloatArray, flux: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See `Basis`."""
        products = self._sums(rows, weight, self._products)
        projections = self._sums(rows, weight * flux, self._values.reshape(-1, 4))
        gram = np.zeros((len(rows), self.n_coefficients, self.n_coefficients))
        projected = np.zeros((len(rows), self.n_coefficients))
        for k in range(products.shape[1]):
            for pair, (a, b) in enumerate(zip(_A, _B, strict=True)):
                gram[:, k + a, k + b] += products[:, k, pair]
            projected[:, k : k + 4] += projections[:, k]
        lower = np.tril_indices(self.n_coefficients, -1)
        gram[:, lower[0], lower[1]] = gram[:, lower[1], lower[0]]
        return gram, projected

    def curves(self, rows: NDArray[np.intp], coefficients: FloatArray) -> FloatArray:
        """See `Basis`."""
        n, p = len(rows), self._first.shape[1]
        first = self._first[rows] + self.n_coefficients * np.arange(n)[:, None]
        columns = (first[..., None] + np.arange(4)).ravel()
        values = self._values[rows].ravel()
        matrix = csr_array(
            (values, columns, np.arange(0, len(values) + 1, 4)), shape=(n * p, coefficients.size)
        )
        return (matrix @ coefficients.ravel()).reshape(n, p)


def legendre_basis(wave: FloatArray, length: NDArray[np.intp], degree: int) -> Basis:
    """Legendre polynomials on [-1, 1] stretched over the grid of each row.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,), or (n_spectra, n_pixels) where grids differ
    length : ndarray of int of shape (n_spectra,)
        Number of pixels of each row.
    degree : int
    """
    functions = legvander(2.0 * _places(wave, length) - 1.0, degree)
    return CommonBasis(functions) if wave.ndim == 1 else OwnBasis(np.moveaxis(functions, -1, 1))


def spline_basis(wave: FloatArray, length: NDArray[np.intp], n_knots: int) -> Basis:
    """Cubic B-splines with `n_knots` equally spaced interior knots on the grid of each row; see `legendre_basis`.

    The outer knots go on at the same distance (Eilers and Marx 1996, Statistical Science 11, 89), so that coefficients
    on a straight line are a straight line.
    """
    at = (n_knots + 1) * _places(wave, length)
    if wave.ndim > 1:
        return OwnSplines(at, n_knots)
    values, piece = _b_splines(at, n_knots)
    functions = np.zeros((len(wave), n_knots + 4))
    np.put_along_axis(functions, piece[:, None] + np.arange(4), values, axis=1)
    return CommonBasis(functions)


def _places(wave: FloatArray, length: NDArray[np.intp]) -> FloatArray:
    """Places of pixels between the first (0) and last (1) of their row; pixels beyond the row are at its end."""
    first = wave[..., :1]
    last = wave[-1:] if wave.ndim == 1 else np.take_along_axis(wave, length[:, None] - 1, axis=1)
    span = last - first
    return np.minimum((wave - first) / np.where(span > 0, span, 1.0), 1.0)


def _b_splines(at: FloatArray, n_knots: int) -> tuple[FloatArray, NDArray[np.intp]]:
    """Values of the four cubic B-splines at each place, and the number of the first of them."""
    piece = np.minimum(at.astype(np.intp), n_knots)
    t = at - piece
    s, t2 = 1 - t, t * t
    t3 = t2 * t
    values = np.stack([s * s * s, 3 * t3 - 6 * t2 + 4, 3 * (t2 + t - t3) + 1, t3], axis=-1) / 6
    return values, piece


def bending(n_coefficients: int) -> FloatArray:
    """Matrix of the sum of squared second differences of coefficients, for `fit_clipped`."""
    second = np.diff(np.eye(n_coefficients), 2, axis=0)
    return _PENALTY * second.T @ second


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
    for round_ in range(max_rounds + 1):
        weight, y = used[rows].astype(np.float64), values[rows]
        gram, projected = basis.normal_equations(rows, weight, y)
        n_used = weight.sum(axis=1)
        if penalty is not None:
            gram += n_used[:, None, None] * penalty
        model = basis.curves(rows, np.linalg.solve(gram, projected[:, :, None])[:, :, 0])
        fit[rows] = model
        if round_ == max_rounds:
            break
        residual = y - model
        sigma = np.sqrt((weight * residual**2).sum(axis=1) / n_used)[:, None]
        keep = used[rows] & (residual >= -sigma_low * sigma) & (residual <= sigma_high * sigma)
        n_kept = np.count_nonzero(keep, axis=1)
        go_on = (n_kept < n_used) & (n_kept >= basis.n_coefficients)
        rows = rows[go_on]
        if not len(rows):
            break
        used[rows] = keep[go_on]
    return fit
