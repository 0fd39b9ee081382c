"""Convert wavelengths of files to Å: units, header keywords, shared logarithmic grids."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_UNITS = {
    1.0: "a aa ang angstrom angstroms å",
    10.0: "nm nanometer nanometers",
    1e4: "um µm μm micron microns micrometer micrometers",
    1e8: "cm",
    1e10: "m",
}
_FACTORS = {"": 1.0} | {name: factor for factor, names in _UNITS.items() for name in names.split()}
_LOG = re.compile(r"^(?:log|log10|dex)\s*[(\s]\s*(.*?)\)?$")


def to_angstrom(wave: ArrayLike, unit: str | None = None) -> NDArray[np.float64]:
    """Convert wavelengths to Å.

    Parameters
    ----------
    wave : array-like
        Wavelengths, or their decimal logarithm, depending on `unit`.
    unit : str, default=None
        For example ``"Angstrom"``, ``"nm"``, ``"micron"``, ``"log10(Angstrom)"``, or any length unit of astropy. None
        (not stated in the file) takes Å if the numbers are plausible.

    Raises
    ------
    ValueError
        If the unit is not a length, or is None and the numbers are implausible or ambiguous in Å.
    """
    wave = np.asarray(wave, dtype=np.float64)
    text = (unit or "").strip().lower()
    if not text:
        _check_plausible(wave)
        return wave
    if log := _LOG.match(text):
        return np.power(10.0, wave) * _factor(log[1], unit)
    factor = _factor(text, unit)
    return wave if factor == 1.0 else wave * factor


def _factor(text: str, unit: str | None) -> float:
    if text in _FACTORS:
        return _FACTORS[text]
    from astropy import units as u  # noqa: PLC0415

    try:
        return float(u.Unit(unit).to(u.AA))
    except (ValueError, TypeError, u.UnitConversionError):
        raise ValueError(
            f"wavelengths are in {unit!r}, which is not a length such as Angstrom, nm, micron or log10(Angstrom)"
        ) from None


def _check_plausible(wave: NDArray[np.float64]) -> None:
    if are_pixel_numbers(wave):
        raise ValueError(
            f"wavelengths {wave.flat[0]:g}, {wave.flat[1]:g}, … {wave.flat[-1]:g} are numbers of pixels; name the "
            "columns of wavelength and flux, or give wave_unit= if they are wavelengths"
        )
    low, high = np.min(wave, initial=np.inf), np.max(wave, initial=0.0)
    if low <= 0:
        return  # Spectra raises the error
    if high <= 100:
        guess = "micron, or log10(Angstrom)"
    elif low >= 200 and (high <= 1100 or (low < 900 and high <= 6000)):
        guess = "nm, or Angstrom"
    else:
        return
    raise ValueError(
        f"wavelengths {low:g} to {high:g} have no unit and may not be in Angstrom; "
        f"give the unit with wave_unit= (perhaps {guess})"
    )


def are_pixel_numbers(wave: NDArray[Any]) -> bool:
    """Return whether wavelengths are 0, 1, 2, … or 1, 2, 3, …."""
    wave = wave.reshape(-1, wave.shape[-1])[0] if wave.size else wave.ravel()
    return wave.size > 2 and wave[0] in (0, 1) and bool((np.diff(wave) == 1).all())


def check_flux_unit(unit: str | None) -> None:
    """Raise ValueError for flux per unit frequency or magnitudes; `Spectra` holds flux per unit wavelength."""
    if unit and re.search(r"jy|hz|mag", unit, re.IGNORECASE):
        raise ValueError(f"flux is in {unit!r}; convert it to flux per unit wavelength first")


@lru_cache(maxsize=256)
def log_grid(start: float, step: float, n: int, first: int = 0) -> NDArray[np.float64]:
    """Return ``10**(start + step * i)`` for ``i = first … first + n - 1``, as a cached read-only array."""
    grid = np.power(10.0, _log_lattice(start, step, n, first))
    grid.flags.writeable = False
    return grid


def matching_log_grid(loglam: NDArray[np.floating], start: Any, step: Any) -> NDArray[np.float64] | None:
    """Return the exact grid of the header if the tabulated ``loglam`` (log10 of Å) follows it, else None.

    Tables store wavelengths as float32, rounded by up to 3 parts in 10^7. The header states the grid exactly, as
    `start` (``COEFF0``) and `step` (``COEFF1``), but may start at a pixel that is not in the table, so the range of
    pixels is taken from the table.
    """
    if start is None or not step or not np.isfinite(loglam[0]):
        return None
    first = round((float(loglam[0]) - start) / step)
    lattice = _log_lattice(start, step, len(loglam), first)
    return log_grid(start, step, len(loglam), first) if np.abs(loglam - lattice).max() < 5e-7 else None


@lru_cache(maxsize=256)
def _log_lattice(start: float, step: float, n: int, first: int) -> NDArray[np.float64]:
    return start + step * np.arange(first, first + n, dtype=np.float64)
