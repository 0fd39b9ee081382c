"""Check and arrange the arrays of `Spectra`: flux, wavelengths and inverse variances, on one grid or many.

Rows are a 2-D array or a list of 1-D arrays. All rows are checked at once, since a survey has millions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u
from astropy.utils.masked import Masked
from numpy.typing import NDArray

from skspec.checks import fill_masked
from skspec.spectra._lattice import Lattice, find_lattice
from skspec.spectra._wavelength import doubtful_angstrom

_ADVICE = "scale the flux, for example to units of 1e-17 erg/s/cm²/Å, or give it as a Quantity"

Ragged = NDArray[Any] | list[NDArray[Any]]


class Pixels(NamedTuple):
    """Flux, wavelengths and inverse variances in the same layout, and the lattice of the grids, if any."""

    flux: Ragged
    wave: Ragged
    ivar: Ragged | None
    lattice: Lattice | None = None


class _OutOfRangeError(ValueError):
    """Numbers that float32 cannot hold."""


# Checks ------------------------------------------------------------------------------------------------


def as_flux_and_ivar(flux: Any, ivar: Any) -> tuple[Ragged, Ragged | None, u.UnitBase | None]:
    """Return rows of flux and inverse variance, and the unit of the flux; see `as_flux` and `as_ivar`.

    Where float32 cannot hold a Quantity, such as the inverse variance of faint flux in erg/s/cm²/Å, a power of ten goes
    into the unit.
    """
    try:
        rows, unit = as_flux(flux)
        return rows, None if ivar is None else as_ivar(ivar, unit), unit
    except _OutOfRangeError:
        if type(flux) is not u.Quantity or not (ivar is None or type(ivar) is u.Quantity):
            raise
        size = np.abs(flux.value[np.isfinite(flux.value) & (flux.value != 0)])
        scale = 10.0 ** np.floor(np.log10(np.median(size)))
        unit = u.Unit(scale * flux.unit)
        rows, _ = as_flux(flux.value / scale)
        if ivar is not None:
            ivar = as_ivar((ivar / flux.unit**-2).to_value(u.dimensionless_unscaled) * scale**2, None)
        return rows, ivar, unit


def as_flux(flux: Any) -> tuple[Ragged, u.UnitBase | None]:
    """Return rows of float32 flux and their unit; masked pixels become NaN."""
    unit = getattr(flux, "unit", None)
    if unit is None and _is_list(flux) and len(flux):
        units = {getattr(row, "unit", None) for row in flux}
        if len(units) > 1:
            raise TypeError(f"flux rows have different units: {', '.join(sorted(map(str, units)))}")
        unit = units.pop()
    if unit is not None:
        unit = u.Unit(unit)
        if unit.is_equivalent(u.Jy) or unit.is_equivalent(u.photon / u.cm**2 / u.s / u.Hz):
            raise TypeError(
                f"flux is in {unit}, per unit frequency; convert it to flux per unit wavelength with "
                "flux.to('erg s-1 cm-2 AA-1', astropy.units.spectral_density(wave))"
            )
        if unit.is_equivalent(u.mag):
            raise TypeError(f"flux is in {unit}; convert magnitudes to flux per unit wavelength")
        if unit == u.dimensionless_unscaled:
            unit = None
    return _as_rows("flux", flux), unit


def as_wave(wave: Any) -> Ragged:
    """Return wavelengths in Å as float64, after checking that they are finite, positive and strictly increasing.

    Parameters
    ----------
    wave : array-like of shape (n_pixels,) or (n_spectra, n_pixels), or sequence of 1-D arrays

    Returns
    -------
    ndarray, or list of ndarray
    """
    if not (_is_list(wave) and len(wave) and not np.isscalar(wave[0]) and np.ndim(wave[0]) == 1):
        grid = _as_grid(wave)
        check_wave(grid)
        return grid
    first: dict[int, int] = {}  # spectra on the same grid usually share the array
    for number, row in enumerate(wave):
        first.setdefault(id(row), number)
    unique = {key: _as_grid(wave[number]) for key, number in first.items()}
    check_wave(list(unique.values()), list(first.values()))
    return [unique[id(row)] for row in wave]


def _as_grid(wave: Any) -> NDArray[np.float64]:
    if np.ndim(wave) not in (1, 2):
        raise ValueError(
            f"wave has shape {np.shape(wave)}; (n_pixels,) is needed, or one grid for each spectrum"
        )
    kind = np.asarray(getattr(wave, "value", wave)).dtype
    if kind.kind not in "fiu" and not (kind.kind == "O" and all(isinstance(w, Real) for w in np.ravel(wave))):
        raise TypeError(f"wave has dtype {kind}; real numbers in Å are needed, or a Quantity")
    unit = getattr(wave, "unit", None)  # a Quantity or a table column
    if unit is not None:
        if not u.Unit(unit).is_equivalent(u.AA):
            convertible = u.Unit(unit).is_equivalent(u.AA, u.spectral())
            advice = "; convert it with wave.to(u.AA, u.spectral())" if convertible else ""
            raise TypeError(f"wave is in {unit}; Å or another unit of length is needed{advice}")
        wave = np.ma.asarray(getattr(wave, "value", wave)) * u.Unit(unit).to(u.AA)
    if isinstance(wave, np.ma.MaskedArray) and np.ma.is_masked(wave):
        raise ValueError("wave has masked values; every pixel needs a wavelength")
    return np.ascontiguousarray(wave, dtype=np.float64)


def question_wave(given: Any, wave: Ragged) -> None:
    """Raise ValueError if wavelengths that were given without a unit cannot be Å; warn if they may not be.

    Parameters
    ----------
    given : array-like
        What the user gave.
    wave : ndarray, or list of ndarray
        The same, checked by `as_wave`.
    """
    rows = list(wave) if isinstance(wave, list) or wave.ndim > 1 else [wave]
    parts = list(given) if _is_list(given) and len(given) == len(rows) and isinstance(wave, list) else [given]
    parts = parts * len(rows) if len(parts) == 1 else parts
    guesses: dict[int, str | None] = {}
    for part, row in zip(parts, rows, strict=True):
        if getattr(part, "unit", None) is not None or id(row) in guesses:
            continue
        guesses[id(row)] = guess = doubtful_angstrom(row)
        if guess is None:
            continue
        numbers = f"wave {row[0]:g} to {row[-1]:g} has no unit and "
        if guess == "pixel numbers":
            raise ValueError(f"{numbers}looks like pixel numbers; wavelengths in Å are needed")
        if guess == "Hz":
            raise ValueError(
                f"{numbers}cannot be Å; convert frequencies with (wave * u.Hz).to(u.AA, u.spectral())"
            )
        if guess != "nm":
            raise ValueError(
                f"{numbers}cannot be Å of a spectrograph; it may be in {guess}: give its unit, for example "
                "wave * u.micron, or u.AA for X-rays (astropy.units as u)"
            )
        warnings.warn(
            f"{numbers}is taken to be in Å, but may be in nm; give its unit as wave * u.nm or wave * u.AA "
            "(astropy.units as u)",
            stacklevel=4,
        )
        return


def check_wave(wave: Ragged, numbers: Sequence[int] | None = None) -> None:
    """Raise ValueError unless all wavelengths are finite, positive and strictly increasing.

    `numbers` are the numbers of the rows for messages; None counts them.
    """
    flat, starts = flatten(wave)
    if flat.size == 0:
        raise ValueError("wave is empty; at least one pixel is needed")
    rising = flat[1:] > flat[:-1]
    low, high = flat[0], flat[-1]
    if len(starts) > 1:
        rising[starts[1:] - 1] = True  # between spectra
        low, high = flat.min(), flat.max()
    if rising.all() and low > 0 and high < np.inf:
        return
    if not np.isfinite(flat).all():
        raise ValueError(f"wave has {np.count_nonzero(~np.isfinite(flat))} values that are not finite")
    if flat.min() <= 0:
        are_numbers = len(starts) == 1 and doubtful_angstrom(flat) == "pixel numbers"
        what = "; these look like pixel numbers, not wavelengths" if are_numbers else ""
        raise ValueError(f"wave must be positive (Å), got {flat.min():g}{what}")
    where = int(np.flatnonzero(~rising)[0])
    row = int(np.searchsorted(starts, where, side="right") - 1)
    which = "" if len(starts) == 1 else f" of spectrum {row if numbers is None else numbers[row]}"
    raise ValueError(
        f"wave must increase strictly, but pixel {where - starts[row]}{which} at {flat[where]:.6g} is followed by "
        f"{flat[where + 1]:.6g}; sort the pixels first"
    )


def as_ivar(ivar: Any, flux_unit: u.UnitBase | None) -> Ragged:
    """Return rows of float32 inverse variance; masked, negative and non-finite values become 0 (missing)."""
    unit = getattr(ivar, "unit", None) or (
        getattr(ivar[0], "unit", None) if _is_list(ivar) and len(ivar) else None
    )
    wanted = None if flux_unit is None else flux_unit**-2
    if unit is not None and u.Unit(unit) == u.dimensionless_unscaled:
        unit = None
    if (unit is None) != (wanted is None) or (unit is not None and u.Unit(unit) != wanted):
        raise TypeError(
            f"ivar is in {unit or 'no unit'} and flux in {flux_unit or 'no unit'}; ivar needs flux_unit**-2"
        )
    return map_rows(_clean_ivar, _as_rows("ivar", ivar))


def _clean_ivar(ivar: NDArray[np.float32]) -> NDArray[np.float32]:
    if ivar.min(initial=0) >= 0 and ivar.max(initial=0) < np.inf:  # both are False for NaN
        return ivar
    return np.where((ivar >= 0) & (ivar < np.inf), ivar, np.float32(0))


def check_pixels(
    flux: Any, wave: Any, ivar: Any
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32] | None]:
    """Check spectra on one grid in the same way as `Spectra`.

    Parameters
    ----------
    flux : array-like of shape (n_pixels,) or (n_spectra, n_pixels)
    wave : array-like of shape (n_pixels,)
    ivar : array-like of the shape of `flux`, or None

    Returns
    -------
    flux, wave, ivar
        Float32 arrays of shape (n_spectra, n_pixels), float64 wavelengths of shape (n_pixels,).
    """
    wave = _as_grid(wave)
    if wave.ndim != 1:
        raise ValueError(f"wave has shape {wave.shape}; (n_pixels,) is needed")
    check_wave(wave)
    flux = _cast("flux", flux)
    if flux.ndim not in (1, 2) or flux.shape[-1] != len(wave):
        raise ValueError(f"flux has shape {flux.shape} for {len(wave)} wavelengths")
    if ivar is not None:
        ivar = _clean_ivar(_cast("ivar", ivar))
        if ivar.shape != flux.shape:
            raise ValueError(f"ivar has shape {ivar.shape}, flux {flux.shape}")
        ivar = np.atleast_2d(ivar)
    return np.atleast_2d(flux), wave, ivar


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object)


def _as_rows(name: str, value: Any) -> Ragged:
    if _is_list(value):
        rows = [_cast(name, row) for row in value]
        wrong = next((number for number, row in enumerate(rows) if row.ndim != 1), None)
        if wrong is not None:
            raise ValueError(
                f"{name} must have one 1-D row per spectrum, but row {wrong} has shape {rows[wrong].shape}; "
                f"for one spectrum give [{name}]"
            )
        return rows
    array = _cast(name, value)
    if array.ndim != 2:
        advice = (
            f"for one spectrum give [{name}]" if array.ndim == 1 else "one row per spectrum, without channels"
        )
        raise ValueError(f"{name} has shape {array.shape}; (n_spectra, n_pixels) is needed: {advice}")
    return array


def _cast(name: str, value: Any) -> NDArray[np.float32]:
    """Return a native float32 array with NaN where values are masked."""
    if isinstance(value, u.Quantity):
        value = value.value
    elif isinstance(value, Masked):
        raise TypeError(
            f"{name} is a {type(value).__name__}; give a numpy masked array, or the mask as ivar = 0"
        )
    array = np.asarray(fill_masked(name, value))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {array.dtype}; real numbers are needed, NaN where missing")
    if array.dtype == np.float32 and array.dtype.isnative:
        return array
    with np.errstate(over="ignore"):
        out = array.astype(np.float32)
    if array.dtype.kind == "f" and array.dtype.itemsize > out.dtype.itemsize:
        lost = np.isinf(out) & np.isfinite(array)
        if lost.any():
            raise _OutOfRangeError(
                f"{name} has {np.count_nonzero(lost)} values outside the range of float32 (largest "
                f"{np.abs(array[lost]).max():.3g}); {_ADVICE}"
            )
        faint = np.fmax.reduce(np.abs(out), axis=-1, initial=0) < np.finfo(np.float32).tiny
        if np.any(faint):
            peak = np.fmax.reduce(np.abs(array[faint]), axis=None, initial=0)
            if peak > 0:
                raise _OutOfRangeError(
                    f"{name} of a spectrum is below the range of float32 (largest {peak:.3g}); {_ADVICE}"
                )
    return out


def _check_lengths(name: str, rows: Ragged, lengths: list[int], other: str) -> None:
    have = [rows.shape[1]] * len(rows) if isinstance(rows, np.ndarray) else list(map(len, rows))
    if have != lengths:
        row = next(i for i, (a, b) in enumerate(zip(have, lengths, strict=True)) if a != b)
        raise ValueError(
            f"{name} of spectrum {row} has {have[row]} pixels, its {other} {lengths[row]}; rows are spectra, "
            "columns their pixels"
        )


# Layout ------------------------------------------------------------------------------------------------


def settle(flux: Ragged, wave: Ragged, ivar: Ragged | None) -> Pixels:
    """Check that flux, wave and ivar have the same lengths, and convert them to the same layout."""
    n, common = len(flux), isinstance(wave, np.ndarray) and wave.ndim == 1
    if not common and len(wave) != n:
        raise ValueError(f"wave has {len(wave)} grids for {n} spectra")
    lengths = [len(wave)] * n if common else list(map(len, wave))
    _check_lengths("flux", flux, lengths, "wave")
    if ivar is not None:
        if len(ivar) != n:
            raise ValueError(f"ivar has {len(ivar)} rows for {n} spectra")
        _check_lengths("ivar", ivar, lengths, "flux")
    return _lay_out(flux, wave if common else list(wave), ivar)


def _lay_out(flux: Ragged, wave: Ragged, ivar: Ragged | None) -> Pixels:
    """Return 2-D arrays if all rows are on one grid, else lists."""
    if isinstance(wave, list):
        if not wave or not all(grid is wave[0] or np.array_equal(grid, wave[0]) for grid in wave):
            lattice = find_lattice(wave)
            if lattice is not None:
                wave = lattice.grids(list(map(len, wave)))
            return Pixels(list(flux), wave, None if ivar is None else list(ivar), lattice)
        wave = wave[0]
    return Pixels(_stack(flux, len(wave)), wave, None if ivar is None else _stack(ivar, len(wave)))


def _stack(rows: Ragged, width: int) -> NDArray[np.float32]:
    if isinstance(rows, np.ndarray):
        return rows
    return np.stack(rows) if rows else np.empty((0, width), dtype=np.float32)


def join(parts: Sequence[Pixels]) -> Pixels:
    """Concatenate checked parts; a grid that all share stays one grid."""
    grid = parts[0].wave
    if isinstance(grid, np.ndarray) and all(
        part.wave is grid or (isinstance(part.wave, np.ndarray) and np.array_equal(part.wave, grid))
        for part in parts
    ):
        ivar = None if parts[0].ivar is None else _concatenate([part.ivar for part in parts])
        return Pixels(_concatenate([part.flux for part in parts]), grid, ivar)
    flux: list[NDArray[Any]] = []
    waves: list[NDArray[Any]] = []
    ivars: list[NDArray[Any]] = []
    for part in parts:
        flux.extend(part.flux)
        waves.extend([part.wave] * len(part.flux) if isinstance(part.wave, np.ndarray) else part.wave)
        ivars.extend(part.ivar if part.ivar is not None else ())
    lattice, lengths = _join_lattices([part.lattice for part in parts]), [len(row) for row in flux]
    if lattice is None or len(set(zip(lattice.start.tolist(), lengths, strict=True))) == 1:
        return _lay_out(flux, waves, ivars or None)
    return Pixels(flux, lattice.grids(lengths), ivars or None, lattice)


def _join_lattices(lattices: Sequence[Lattice | None]) -> Lattice | None:
    """Return the lattice of all spectra if they are on the same one, else None."""
    first = lattices[0]
    known = [lattice for lattice in lattices if lattice is not None]
    if first is None or len(known) < len(lattices):
        return None
    if not all(wave is first.wave or np.array_equal(wave, first.wave) for wave, _ in known):
        return None
    return Lattice(first.wave, np.concatenate([start for _, start in known]))


def _concatenate(parts: list[Any]) -> NDArray[Any]:
    """Concatenate rows; a single part, which may have gigabytes, is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def rest_frame(pixels: Pixels, factor: NDArray[np.float64]) -> Pixels:
    """Divide wavelengths by `factor` (1 + z), conserving flux."""
    flux, wave, ivar, lattice = pixels
    f4 = factor.astype(np.float32)
    if factor.ndim == 0:
        if lattice is None:
            wave = map_rows(lambda row: row / factor, wave)
        else:
            lattice = Lattice(lattice.wave / factor, lattice.start)
            wave = lattice.grids(list(map(len, wave)))
        return Pixels(
            map_rows(lambda row: row * f4, flux),
            wave,
            None if ivar is None else map_rows(lambda row: row / f4**2, ivar),
            lattice,
        )
    waves = [wave] * len(factor) if isinstance(wave, np.ndarray) else wave
    return _lay_out(
        [row * f for row, f in zip(flux, f4, strict=True)],
        [w / f for w, f in zip(waves, factor, strict=True)],
        None if ivar is None else [row / f**2 for row, f in zip(ivar, f4, strict=True)],
    )


def flatten(rows: Ragged) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return all rows as one 1-D array, and the index where each starts."""
    if isinstance(rows, np.ndarray):
        width = rows.shape[-1]
        return rows.reshape(-1), np.arange(rows.size // width if width else 0, dtype=np.intp) * width
    lengths = np.fromiter(map(len, rows), np.intp, len(rows))
    return (np.concatenate(rows) if rows else np.empty(0)), np.cumsum(lengths) - lengths


def row_indices(key: Any, n: int) -> NDArray[np.int64] | slice:
    """Convert an integer, mask or index array to an index array, which every layout accepts; keep a slice."""
    if isinstance(key, slice):
        return key
    key = np.asarray(key)
    if key.dtype == bool:
        if key.shape != (n,):
            raise IndexError(f"the mask has shape {key.shape} for {n} spectra")
        return np.flatnonzero(key)
    if key.size and not np.issubdtype(key.dtype, np.integer):
        raise IndexError(f"rows must be integers, a slice or a mask, got {key.dtype}")
    if key.ndim > 1:
        raise IndexError(f"rows must be 1-D, got shape {key.shape}")
    if key.ndim == 0 and not -n <= int(key) < n:
        raise IndexError(f"row {int(key)} is out of range for {n} spectra")
    return np.atleast_1d(key.astype(np.int64))


def take(rows: Ragged, key: NDArray[np.int64] | slice) -> Ragged:
    """Return the rows of a slice or index array."""
    return rows[key] if isinstance(rows, np.ndarray) or isinstance(key, slice) else [rows[i] for i in key]


def map_rows(function: Callable[[NDArray[Any]], NDArray[Any]], rows: Ragged) -> Ragged:
    """Apply an elementwise function to rows in either layout."""
    return function(rows) if isinstance(rows, np.ndarray) else [function(row) for row in rows]


# Measures ----------------------------------------------------------------------------------------------


def valid(flux: NDArray[Any], ivar: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Return whether pixels are valid: finite flux and, if errors are known, ``ivar > 0``."""
    good = np.isfinite(flux)
    if ivar is not None:
        good &= ivar > 0
    return good


def snr(flux: NDArray[Any], ivar: NDArray[Any] | None) -> float:
    """Return the median signal-to-noise ratio per pixel of one spectrum, by DER_SNR if ivar is None."""
    good = valid(flux, ivar)
    if ivar is not None:
        return float(np.median(flux[good] * np.sqrt(ivar[good]))) if good.any() else np.nan
    f = flux[good].astype(np.float64)
    if len(f) < 5:
        return np.nan
    noise = 1.482602 / np.sqrt(6.0) * np.median(np.abs(2.0 * f[2:-2] - f[:-4] - f[4:]))
    with np.errstate(divide="ignore"):
        return float(np.median(f) / noise)
