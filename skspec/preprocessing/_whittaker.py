"""Asymmetric least squares: a smooth curve that most of a spectrum lies below, or above."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded


def asymmetric_least_squares(
    flux: NDArray[Any], length: NDArray[np.intp], *, smoothness: float, asymmetry: float, max_rounds: int
) -> NDArray[np.float64]:
    """Smooth each row by a Whittaker smoother with weights by the sign of the residual (Eilers and Boelens 2005).

    Parameters
    ----------
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing; the first and last pixel of each row are not.
    length : ndarray of int of shape (n_spectra,)
        Number of pixels of each row; what follows them is not used, and NaN in the result.
    smoothness : float
        Weight of the sum of squared second differences of the curve.
    asymmetry : float
        Weight of pixels above the curve; those below have 1 - `asymmetry`.
    max_rounds : int
        Maximum number of rounds; a row is done when no weight changes.

    Returns
    -------
    ndarray of shape (n_spectra, n_pixels)
    """
    curves = np.full(flux.shape, np.nan)
    bands = np.empty((3, 0))
    for row, n, out in zip(flux, length.tolist(), curves, strict=True):
        if bands.shape[1] != n:
            bands = _second_differences(n, smoothness)
            system = np.empty_like(bands)
        valid = ~np.isnan(row[:n])
        y = np.where(valid, row[:n], 0.0).astype(np.float64, copy=False)
        weight = 0.5 * valid
        for _ in range(max_rounds):
            system[:] = bands
            system[0] += weight
            curve = solveh_banded(
                system, weight * y, lower=True, overwrite_ab=True, overwrite_b=True, check_finite=False
            )
            before, weight = weight, np.where(y > curve, asymmetry, 1.0 - asymmetry) * valid
            if np.array_equal(weight, before):
                break
        out[:n] = curve
    return curves


def _second_differences(n: int, smoothness: float) -> NDArray[np.float64]:
    """Bands of the matrix of squared second differences: diagonal, first and second below it."""
    bands = np.zeros((3, n))
    bands[0, :-2] += smoothness
    bands[0, 1:-1] += 4 * smoothness
    bands[0, 2:] += smoothness
    bands[1, : max(n - 2, 0)] -= 2 * smoothness
    bands[1, 1:-1] -= 2 * smoothness
    bands[2, :-2] = smoothness
    return bands
