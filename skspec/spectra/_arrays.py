"""Check and lay out the arrays of `Spectra`: flux, wavelength and inverse variance, on one grid or many.

Rows are a 2-D array or a list of 1-D arrays. Checks run on all rows at once, since a survey has millions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u
from astropy.utils.masked import Masked
from numpy.typing import NDArray

from skspec.checks import fill_masked
from skspec.spectra._lattice import Lattice, find_lattice

Ragged = NDArray[Any] | list[NDArray[Any]]


class Pixels(NamedTuple):
    """Rows in one layout, and the lattice of their grids if there is one."""

    flux: Ragged
    wave: Ragged
    ivar: Ragged | None
    lattice: Lattice | None = None


def as_flux(flux: Any) -> tuple[Ragged, u.UnitBase | None]:
    """Rows of float32 flux and their unit; masked pixels become NaN."""
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
        if unit == u.dimensionless_unscaled:
            unit = None
    return _as_rows("flux", flux, np.float32), unit


def as_wave(wave: Any) -> Ragged:
    """Rows (or one 1-D grid) of float64 wavelengths in Å, checked to be finite, positive and increasing."""
    if _is_list(wave) and len(wave) and not np.isscalar(wave[0]) and np.ndim(wave[0]) == 1:
        rows: Ragged = [_grid(row) for row in wave]
    else:
        rows = _grid(wave)
    check_wave(rows)
    return rows


def _grid(wave: Any) -> NDArray[np.float64]:
    unit = getattr(wave, "unit", None)  # a Quantity or a table column
    if unit is not None:
        if not u.Unit(unit).is_equivalent(u.AA):
            raise TypeError(f"wave is in {unit}; wavelengths in Å, or a length unit, are needed")
        wave = np.ma.asarray(getattr(wave, "value", wave)) * u.Unit(unit).to(u.AA)
    if isinstance(wave, np.ma.MaskedArray) and np.ma.is_masked(wave):
        raise ValueError("wave has masked values; every pixel needs a wavelength")
    return np.ascontiguousarray(wave, dtype=np.float64)


def check_wave(wave: Ragged) -> None:
    """Raise ValueError unless all wavelengths are finite, positive and strictly increasing."""
    flat, starts = flatten(wave)
    if flat.size == 0:
        raise ValueError("wave is empty; at least one pixel is needed")
    if not np.isfinite(flat).all():
        raise ValueError(f"wave has {np.count_nonzero(~np.isfinite(flat))} values that are not finite")
    if flat.min() <= 0:
        raise ValueError(f"wave must be positive (Å), got {flat.min():g}")
    step = np.diff(flat)
    step[starts[1:] - 1] = 1.0  # from one spectrum to the next is no step
    if not (step > 0).all():
        where = int(np.flatnonzero(step <= 0)[0])
        row = int(np.searchsorted(starts, where, side="right") - 1)
        which = "" if len(starts) == 1 else f" in spectrum {row}"
        raise ValueError(
            f"wave must increase strictly, but {flat[where]:.6g} is followed by {flat[where + 1]:.6g}{which}; "
            "sort the pixels first"
        )


def as_ivar(ivar: Any, flux_unit: u.UnitBase | None) -> Ragged:
    """Rows of float32 inverse variance; what is masked, negative or not finite is 0 (missing)."""
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
    rows = _as_rows("ivar", ivar, np.float32)
    return map_rows(_clean_ivar, rows)


def _clean_ivar(ivar: NDArray[np.float32]) -> NDArray[np.float32]:
    good = (ivar >= 0) & (ivar < np.inf)
    return ivar if good.all() else np.where(good, ivar, np.float32(0))


def settle(flux: Ragged, wave: Ragged, ivar: Ragged | None) -> Pixels:
    """Bring flux, wave and ivar to one layout: 2-D arrays on one grid, or lists of rows."""
    n, lattice = len(flux), None
    if isinstance(wave, np.ndarray) and wave.ndim == 1:
        _same_lengths("flux", flux, [len(wave)] * n, "wave")
        flux = _stack(flux, len(wave))
    else:
        if len(wave) != n:
            raise ValueError(f"wave has {len(wave)} grids for {n} spectra")
        _same_lengths("flux", flux, list(map(len, wave)), "wave")
        if n and all(row is wave[0] or np.array_equal(row, wave[0]) for row in wave):
            wave, flux = wave[0], _stack(flux, len(wave[0]))
        else:
            flux, wave = list(flux), list(wave)
            lattice = find_lattice(wave)
            if lattice is not None:
                wave = lattice.grids([len(grid) for grid in wave])
    if ivar is not None:
        if len(ivar) != n:
            raise ValueError(f"ivar has {len(ivar)} rows for {n} spectra")
        _same_lengths("ivar", ivar, list(map(len, flux)), "flux")
        ivar = _stack(ivar, flux.shape[1]) if isinstance(flux, np.ndarray) else list(ivar)
    return Pixels(flux, wave, ivar, lattice)


def join(parts: Sequence[Pixels]) -> Pixels:
    """Join parts end to end; one grid if all of them share it."""
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
    lattice = _join_lattices([part.lattice for part in parts])
    if lattice is None:
        return settle(flux, waves, ivars or None)
    lengths = [len(row) for row in flux]
    if len(set(zip(lattice.start.tolist(), lengths, strict=True))) == 1:
        return settle(flux, waves, ivars or None)
    return Pixels(flux, lattice.grids(lengths), ivars or None, lattice)


def _join_lattices(lattices: Sequence[Lattice | None]) -> Lattice | None:
    """Lattice of spectra that are all on the same one, None if they are not."""
    first = lattices[0]
    known = [lattice for lattice in lattices if lattice is not None]
    if first is None or len(known) < len(lattices):
        return None
    if not all(wave is first.wave or np.array_equal(wave, first.wave) for wave, _ in known):
        return None
    return Lattice(first.wave, np.concatenate([start for _, start in known]))


def _concatenate(parts: list[Any]) -> NDArray[Any]:
    """Rows of all parts; those of a single one, which may be gigabytes, without a copy."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def flatten(rows: Ragged) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """All rows end to end, and where each starts."""
    if isinstance(rows, np.ndarray):
        width = rows.shape[-1]
        return rows.reshape(-1), np.arange(rows.size // width if width else 0, dtype=np.intp) * width
    lengths = np.fromiter(map(len, rows), np.intp, len(rows))
    return (np.concatenate(rows) if rows else np.empty(0)), np.cumsum(lengths) - lengths


def take(rows: Ragged, key: NDArray[np.int64] | slice) -> Ragged:
    """Rows by slice or index array."""
    if isinstance(rows, np.ndarray):
        return rows[key]
    return rows[key] if isinstance(key, slice) else [rows[i] for i in key]


def map_rows(function: Callable[[NDArray[Any]], NDArray[Any]], rows: Ragged) -> Ragged:
    """Apply an elementwise function to rows of either layout."""
    return function(rows) if isinstance(rows, np.ndarray) else [function(row) for row in rows]


def valid(flux: NDArray[Any], ivar: NDArray[Any] | None) -> NDArray[np.bool_]:
    """Where there is a measurement."""
    good = np.isfinite(flux)
    if ivar is not None:
        good &= ivar > 0
    return good


def snr(flux: NDArray[Any], ivar: NDArray[Any] | None) -> float:
    """Median signal-to-noise ratio per pixel of one spectrum; DER_SNR where ivar is None."""
    good = valid(flux, ivar)
    if ivar is not None:
        return float(np.median(flux[good] * np.sqrt(ivar[good]))) if good.any() else np.nan
    f = flux[good].astype(np.float64)
    if len(f) < 5:
        return np.nan
    noise = 1.482602 / np.sqrt(6.0) * np.median(np.abs(2.0 * f[2:-2] - f[:-4] - f[4:]))
    with np.errstate(divide="ignore"):
        return float(np.median(f) / noise)


def rest_frame(pixels: Pixels, factor: NDArray[np.float64]) -> Pixels:
    """Divide wavelengths by `factor` (1 + z), conserving flux."""
    flux, wave, ivar, lattice = pixels
    f4 = factor.astype(np.float32)
    if factor.ndim == 0:
        if lattice is not None:
            lattice = Lattice(lattice.wave / factor, lattice.start)
        return Pixels(
            map_rows(lambda row: row * f4, flux),
            map_rows(lambda row: row / factor, wave)
            if lattice is None
            else lattice.grids(list(map(len, flux))),
            None if ivar is None else map_rows(lambda row: row / f4**2, ivar),
            lattice,
        )
    waves = (
        [wave / f for f in factor]
        if isinstance(wave, np.ndarray)
        else [w / f for w, f in zip(wave, factor, strict=True)]
    )
    return settle(
        [row * f for row, f in zip(flux, f4, strict=True)],
        waves,
        None if ivar is None else [row / f**2 for row, f in zip(ivar, f4, strict=True)],
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object)


def _as_rows(name: str, value: Any, dtype: type[np.floating]) -> Ragged:
    if _is_list(value):
        if len(value) and np.ndim(value[0]) != 1:
            raise ValueError(f"{name} must have one row a spectrum; for one spectrum give [{name}]")
        return [_cast(name, row, dtype) for row in value]
    array = _cast(name, value, dtype)
    if array.ndim != 2:
        advice = (
            f"for one spectrum give [{name}]" if array.ndim == 1 else "one row a spectrum, channels apart"
        )
        raise ValueError(f"{name} has shape {array.shape}; (n_spectra, n_pixels) is needed: {advice}")
    return array


def _cast(name: str, value: Any, dtype: type[np.floating]) -> NDArray[Any]:
    if isinstance(value, u.Quantity):
        value = value.value
    elif isinstance(value, Masked):
        raise TypeError(
            f"{name} is a {type(value).__name__}; give a numpy masked array, or the mask as ivar = 0"
        )
    array = np.asarray(fill_masked(name, value))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {array.dtype}; real numbers are needed")
    if array.dtype == dtype and array.dtype.isnative:
        return array
    with np.errstate(over="ignore"):
        out = array.astype(dtype)
    if array.dtype.kind == "f" and array.dtype.itemsize > out.dtype.itemsize:
        lost = np.isinf(out) & np.isfinite(array)
        if lost.any():
            raise ValueError(
                f"{name} has {np.count_nonzero(lost)} values beyond float32 (largest {np.abs(array[lost]).max():.3g}); "
                "scale the flux, for example to units of 1e-17"
            )
    return out


def _same_lengths(name: str, rows: Ragged, lengths: list[int], other: str) -> None:
    have = [rows.shape[1]] * len(rows) if isinstance(rows, np.ndarray) else list(map(len, rows))
    if have != lengths:
        row = next(i for i, (a, b) in enumerate(zip(have, lengths, strict=True)) if a != b)
        raise ValueError(f"{name} of spectrum {row} has {have[row]} pixels, its {other} {lengths[row]}")


def _stack(rows: Ragged, width: int) -> NDArray[np.float32]:
    if isinstance(rows, np.ndarray):
        return rows
    return np.stack(rows) if rows else np.empty((0, width), dtype=np.float32)
