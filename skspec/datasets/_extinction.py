"""Extinction and reddening by interstellar dust."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def extinction_law(wave: ArrayLike, *, rv: float = 3.1) -> NDArray[np.float64]:
    """Return the extinction A(wave) / A(V) of Galactic dust.

    Parameters
    ----------
    wave : array-like
        Vacuum wavelength in Å, between 1000 and 33,333.
    rv : float, default=3.1
        Ratio of total to selective extinction, A(V) / E(B-V).

    Returns
    -------
    ndarray of the shape of `wave`

    References
    ----------
    Cardelli, Clayton & Mathis (1989), ApJ 345, 245, equations 1 to 5.
    """
    x = 1e4 / np.asarray(wave, dtype=np.float64)  # inverse micrometres
    a, b = np.empty_like(x), np.empty_like(x)

    infrared = x < 1.1
    a[infrared] = 0.574 * x[infrared] ** 1.61
    b[infrared] = -0.527 * x[infrared] ** 1.61

    optical = (x >= 1.1) & (x < 3.3)
    y = x[optical] - 1.82
    a[optical] = np.polynomial.polynomial.polyval(
        y, (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
    )
    b[optical] = np.polynomial.polynomial.polyval(
        y, (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
    )

    near_uv = (x >= 3.3) & (x < 8.0)
    u = x[near_uv]
    f = np.maximum(u - 5.9, 0.0)
    a[near_uv] = 1.752 - 0.316 * u - 0.104 / ((u - 4.67) ** 2 + 0.341) - 0.04473 * f**2 - 0.009779 * f**3
    b[near_uv] = -3.090 + 1.825 * u + 1.206 / ((u - 4.62) ** 2 + 0.263) + 0.2130 * f**2 + 0.1207 * f**3

    far_uv = x >= 8.0
    y = x[far_uv] - 8.0
    a[far_uv] = np.polynomial.polynomial.polyval(y, (-1.073, -0.628, 0.137, -0.070))
    b[far_uv] = np.polynomial.polynomial.polyval(y, (13.670, 4.257, -0.420, 0.374))
    return a + b / rv


def log_transmission(wave: ArrayLike) -> NDArray[np.float64]:
    """Return the natural logarithm of the transmission of average dust (R_V = 3.1) with E(B-V) = 1."""
    return -0.4 * np.log(10.0) * 3.1 * extinction_law(wave)
