"""Compare and describe wavelength grids."""

import numpy as np
from numpy.typing import NDArray

_SAME_GRID = 1e-6


def same_grid(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Return whether two wavelength grids are the same within one part in a million.

    The tolerance allows for survey files, which store wavelengths, or their logarithms, as float32 or with few digits in
    the header: the same grid read from two files differs by up to about 3e-7. One part in a million is 0.3 km/s, or
    0.4 % of a pixel of SDSS or LAMOST.

    Parameters
    ----------
    a, b : ndarray of shape (n_pixels,)
        Wavelengths in the same unit and medium.

    Returns
    -------
    bool
    """
    return a is b or (a.shape == b.shape and np.allclose(a, b, rtol=_SAME_GRID, atol=0.0))


def describe_grid(wave: NDArray[np.float64]) -> str:
    """Describe a grid for a message: ``"3890 pixels, 3700.00–9000.00 Å"``."""
    return f"{len(wave)} pixels, {wave[0]:.2f}–{wave[-1]:.2f} Å"
