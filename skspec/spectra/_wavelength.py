"""Convert wavelengths between air, vacuum and rest frame, and find pixel edges."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_VACUUM_LIMIT = 2000.0  # air wavelengths are used only above it (IAU convention)


def _refractivity(vacuum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refractive index of standard air minus one (Ciddor 1996, Applied Optics 35, 1566)."""
    s2 = (1e4 / vacuum) ** 2
    return 5.792105e-2 / (238.0185 - s2) + 1.67917e-3 / (57.362 - s2)


_AIR_LIMIT = float(_VACUUM_LIMIT / (1.0 + _refractivity(np.array(_VACUUM_LIMIT))))


def vacuum_to_air(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert vacuum to air wavelengths, in Å.

    Standard dry air at 15 °C and 101325 Pa with 450 ppm CO2, as in the SDSS and VALD conversions (Ciddor 1996, Applied
    Optics 35, 1566). Wavelengths below 2000 Å stay in vacuum, so the air scale has a jump of 0.65 Å there.

    Parameters
    ----------
    wave : ndarray
        Vacuum wavelengths in Å.

    Returns
    -------
    ndarray
        Air wavelengths in Å.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec.spectra import vacuum_to_air
    >>> float(vacuum_to_air(np.array([6564.614]))[0])  # H-alpha
    6562.80
    """
    wave = np.asarray(wave, dtype=np.float64)
    air = wave.copy()
    optical = wave >= _VACUUM_LIMIT
    air[optical] /= 1.0 + _refractivity(wave[optical])
    return air


def air_to_vacuum(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert air to vacuum wavelengths, in Å; the inverse of `vacuum_to_air` to within rounding.

    Parameters
    ----------
    wave : ndarray
        Air wavelengths in Å.

    Returns
    -------
    ndarray
        Vacuum wavelengths in Å.
    """
    wave = np.asarray(wave, dtype=np.float64)
    vacuum = wave.copy()
    optical = wave >= _AIR_LIMIT
    air = wave[optical]
    guess = air
    for _ in range(4):  # converges by 1e-5 per step: three reach rounding precision
        guess = air * (1.0 + _refractivity(guess))
    vacuum[optical] = guess
    return vacuum


def doubtful_angstrom(wave: NDArray[Any]) -> str | None:
    """Return what numbers without a unit may be if they are not wavelengths in Å, or None if they look like Å.

    Parameters
    ----------
    wave : ndarray
        At least one number, all positive or zero, increasing along the last axis.

    Returns
    -------
    str or None
        ``"nm"``, which Å may also be; or what the numbers are rather than Å: ``"micron or log10(Angstrom)"``,
        ``"pixel numbers"`` or ``"Hz"``.
    """
    row = wave.reshape(-1, wave.shape[-1])[0]
    if len(row) > 2 and row[0] in (0, 1) and (np.diff(row) == 1).all():
        return "pixel numbers"
    low, high = wave.min(), wave.max()
    if high <= 100:
        return "micron or log10(Angstrom)"
    if high > 1e11:
        return "Hz"
    return "nm" if low >= 200 and (high <= 1100 or (low < 900 and high <= 6000)) else None


def rest_frame_factor(z: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return 1 + z as one number or `n`; raise ValueError for a redshift that is missing or not above -1."""
    factor = 1.0 + np.asarray(np.ma.filled(np.ma.asarray(z, dtype=np.float64), np.nan))
    if factor.shape not in ((), (n,)):
        raise ValueError(f"z has shape {factor.shape}; one number or one for each of {n} spectra is needed")
    bad = np.flatnonzero(~(factor > 0))
    if bad.size:
        raise ValueError(
            f"z must be finite and above -1, got {factor.flat[bad[0]] - 1:g} for spectrum {bad[0]}"
        )
    return factor


def pixel_edges(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixel edges: halfway between neighbouring centres, and `outer_edges` at both ends.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Pixel centres, increasing, at least two.

    Returns
    -------
    ndarray of shape (n_pixels + 1,)
    """
    edges = np.empty(len(wave) + 1)
    edges[1:-1] = 0.5 * (wave[1:] + wave[:-1])
    edges[0], edges[-1] = outer_edges(wave)
    return edges


def outer_edges(wave: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lower edge of the first and the upper edge of the last pixel, continuing the grid at a constant ratio.

    This is exact for log-linear grids. On a linear grid with pixels of width d at wavelength w, the error is d/2w of a
    pixel, about 1e-4.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Pixel centres, increasing, at least two.

    Returns
    -------
    float, float
    """
    first, second, before_last, last = wave[0], wave[1], wave[-2], wave[-1]
    return 0.5 * (first + first * first / second), 0.5 * (last + last * last / before_last)
