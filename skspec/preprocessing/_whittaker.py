"""Asymmetric least squares: a smooth curve that most of a spectrum lies below, or above."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded


def asymmetric_least_squares(
    flux: NDArray[Any], *, smoothness: float, asymmetry: float, max_rounds: int
) -> NDArray[np.float64]:
    """Whittaker smoother with weights by the sign of the residual (Eilers and Boelens 2005).

    Parameters
    ----------
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing; the first and last pixel of each row are not.
    smoothness : float
        Weight of the sum of squared second differences of the curve.
    asymmetry : float
        Weight of pixels above the curve; those below have 1 - `asymmetry`.
    max_rounds : int
        Most rounds; a row is done when no weight changes.

    Returns
    -------
    ndarray of shape (n_spectra, n_pixels)
    """
    n = flux.shape[1]
    bands = np.zeros((3, n))  # lower: diagonal, first and second below
    bands[0, :-2] += smoothness
    bands[0, 1:-1] += 4 * smoothness
    bands[0, 2:] += smoothness
    bands[1, : max(n - 2, 0)] -= 2 * smoothness
    bands[1, 1:-1] -= 2 * smoothness
    bands[2, :-2] = smoothness
    curves = np.empty(flux.shape)
    system = np.empty_like(bands)
    for k, row in enumerate(flux):
        valid = ~np.isnan(row)
        y = np.where(valid, row, 0.0).astype(np.float64, copy=False)
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
        curves[k] = curve
    return curves
