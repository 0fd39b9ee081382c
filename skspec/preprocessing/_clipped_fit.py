"""Least squares of all rows at once in a common basis, with pixels that lie too far off left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray
from scipy.interpolate import BSpline

_FEW = 4  # rows for which products of all pairs of basis functions do not pay
_PENALTY = 1e-9  # of a pixel's weight: decides what no pixel does, and nothing else


def legendre_basis(wave: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Legendre polynomials on [-1, 1] stretched over `wave`, shape (n_pixels, degree + 1)."""
    span = wave[-1] - wave[0]
    return legvander(2.0 * (wave - wave[0]) / span - 1.0 if span else np.zeros_like(wave), degree)


def spline_basis(wave: NDArray[np.float64], n_knots: int) -> NDArray[np.float64]:
    """Cubic B-splines with `n_knots` equally spaced interior knots, shape (n_pixels, n_knots + 4).

    The outer knots go on at the same distance (Eilers and Marx 1996, Statistical Science 11, 89), so that coefficients
    on a straight line are a straight line.
    """
    step = (wave[-1] - wave[0]) / (n_knots + 1)
    knots = wave[0] + step * np.arange(-3, n_knots + 5)
    knots[n_knots + 4] = wave[-1]  # rounding must not leave the last pixel outside
    return BSpline.design_matrix(wave, knots, 3).toarray()


def bending(n_coefficients: int) -> NDArray[np.float64]:
    """Matrix of the sum of squared second differences of coefficients, for `fit_clipped`."""
    second = np.diff(np.eye(n_coefficients), 2, axis=0)
    return _PENALTY * second.T @ second


def fit_clipped(
    basis: NDArray[np.float64],
    flux: NDArray[Any],
    *,
    sigma_low: float,
    sigma_high: float,
    max_rounds: int,
    penalty: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Fit each row, leave out pixels that lie too far below or above the fit, and repeat.

    Parameters
    ----------
    basis : ndarray of shape (n_pixels, n_coefficients)
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing; at least n_coefficients pixels of each row are not, or `penalty` is given.
    sigma_low, sigma_high : float
        Limits in root mean squares of the residuals of the pixels still in the fit.
    max_rounds : int
        Most rounds of leaving out. A pixel once left out stays out; a row keeps n_coefficients pixels at least.
    penalty : ndarray of shape (n_coefficients, n_coefficients), default=None
        Quadratic form in the coefficients, for each valid pixel of a row.

    Returns
    -------
    ndarray of shape (n_spectra, n_pixels)
        The fits at all pixels.
    """
    n_coefficients = basis.shape[1]
    used = ~np.isnan(flux)
    values = np.where(used, flux, 0.0).astype(np.float64, copy=False)
    i, j = np.triu_indices(n_coefficients)
    products = basis[:, i] * basis[:, j] if len(flux) > _FEW else None
    fit = np.empty(flux.shape)
    rows = np.arange(len(flux))
    for round_ in range(max_rounds + 1):
        weight, y = used[rows].astype(np.float64), values[rows]
        gram = np.empty((len(rows), n_coefficients, n_coefficients))
        if products is None or len(rows) <= _FEW:
            for k, w in enumerate(weight):
                gram[k] = (basis.T * w) @ basis
        else:
            gram[:, i, j] = gram[:, j, i] = weight @ products
        n_used = weight.sum(axis=1)
        if penalty is not None:
            gram += n_used[:, None, None] * penalty
        model = np.linalg.solve(gram, ((weight * y) @ basis)[:, :, None])[:, :, 0] @ basis.T
        fit[rows] = model
        if round_ == max_rounds:
            break
        residual = y - model
        sigma = np.sqrt((weight * residual**2).sum(axis=1) / n_used)[:, None]
        keep = used[rows] & (residual >= -sigma_low * sigma) & (residual <= sigma_high * sigma)
        n_kept = np.count_nonzero(keep, axis=1)
        go_on = (n_kept < n_used) & (n_kept >= n_coefficients)
        rows = rows[go_on]
        if not len(rows):
            break
        used[rows] = keep[go_on]
    return fit
