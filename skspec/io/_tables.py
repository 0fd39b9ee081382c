"""Read spectra from tables with one pixel or one spectrum per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._errors import NoSpectraError
from skspec.io._file_spectra import FileSpectra, ivar_from_error, ivar_from_variance, split_rows
from skspec.io._names import META_NAMES, find_roles
from skspec.io._wave import check_flux_unit, to_angstrom

_WIDE = re.compile(r"^\s*(?:(flux|ivar)_)?(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*$")
ERRORS = ("ivar", "variance", "error")  # kinds of columns, in order of preference
_MIN_WIDE = 8  # columns named by wavelengths that identify a table of spectra


@dataclass(frozen=True)
class SpectrumTable:
    """Columns of a table, with their units, medium and catalogue values.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Values of shape (n_rows,), (n_rows, n_pixels), or (n_rows,) of arrays. The mapping may load columns lazily.
    units : dict, default={}
        Units of columns.
    medium : str, default=None
        Medium of the wavelengths, if stated in the file.
    meta : dict, default={}
        Catalogue values that apply to all spectra.
    wave_unit : str, default=None
        Unit of the wavelengths if not stated elsewhere.
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str | None] = field(default_factory=dict)
    medium: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    wave_unit: str | None = None

    def spectra(self) -> list[FileSpectra]:
        """Return the spectra of the table."""
        if is_wide(list(self.columns)):
            return [self._wide()]
        roles = find_roles(self.columns)
        if "wave" not in roles or "flux" not in roles:
            raise NoSpectraError(f"no columns of wavelength and flux among {', '.join(self.columns)}")
        names = list(self.columns)
        wave_name, role = names[roles["wave"][0]], roles["wave"][1]
        flux_name = names[roles["flux"][0]]
        check_flux_unit(self.units.get(flux_name) or roles["flux"][1].unit)
        flux, waves = self.columns[flux_name], self.columns[wave_name]
        unit = self.units.get(wave_name) or role.unit or self.wave_unit
        medium = role.medium or self.medium
        errors = {}
        used = [wave_name, flux_name]
        for kind in (kind for kind in ERRORS if kind in roles):
            name = names[roles[kind][0]]
            values = self.columns[name]
            # A column ``sigma`` with one value per spectrum is not the error of the flux.
            if values.shape == flux.shape and (values.dtype == object) == (flux.dtype == object):
                errors[kind] = values
                used.append(name)
            elif values.ndim == flux.ndim == 2:
                raise ValueError(f"{name} has shape {values.shape}, {flux_name} {flux.shape}")
        if flux.ndim == 1 and flux.dtype != object:
            return [FileSpectra(flux, to_angstrom(waves, unit), pick_ivar(errors), medium, self.meta)]
        if waves.shape[:-1] not in ((), flux.shape[:-1]):
            raise ValueError(f"{wave_name} has shape {waves.shape}, {flux_name} {flux.shape}")
        meta = dict(self.meta) | catalogue(self.columns, len(flux), skip=used)
        if flux.ndim == 2 and waves.dtype != object and (waves.ndim == 1 or (waves == waves[0]).all()):
            grid = waves if waves.ndim == 1 else waves[0]
            return [FileSpectra(flux, to_angstrom(grid, unit), pick_ivar(errors), medium, meta)]
        ivar = [
            pick_ivar({kind: np.asarray(values[i]) for kind, values in errors.items()})
            for i in range(len(flux) if errors else 0)
        ]
        return split_rows(flux, [to_angstrom(grid, unit) for grid in waves], ivar or None, medium, meta)

    def _wide(self) -> FileSpectra:
        """Read columns named by their wavelengths: ``flux_4861.3`` and optionally ``ivar_4861.3``, or ``4861.3``."""
        named: dict[str, dict[float, str]] = {"flux": {}, "ivar": {}}
        for name in self.columns:
            if match := _WIDE.match(name):
                named[match[1] or "flux"][float(match[2])] = name
        wave = np.array(list(named["flux"]))
        flux = np.column_stack([self.columns[name] for name in named["flux"].values()])
        ivar = None
        if named["ivar"]:
            if list(named["ivar"]) != list(named["flux"]):
                raise ValueError(
                    f"{len(named['ivar'])} ivar columns do not match the {wave.size} flux columns"
                )
            ivar = np.column_stack([self.columns[name] for name in named["ivar"].values()])
        skip = (*named["flux"].values(), *named["ivar"].values())
        meta = dict(self.meta) | catalogue(self.columns, len(flux), skip=skip)
        return FileSpectra(flux, to_angstrom(wave, self.wave_unit), ivar, self.medium, meta)


def is_wide(names: Sequence[str]) -> bool:
    """Return whether columns are named by increasing wavelengths."""
    matches = [match for name in names if (match := _WIDE.match(name)) and match[1] != "ivar"]
    wave = np.array([float(match[2]) for match in matches])
    return wave.size >= _MIN_WIDE and bool((np.diff(wave) > 0).all())


def pick_ivar(errors: Mapping[Any, NDArray[Any]]) -> NDArray[Any] | None:
    """Return the inverse variance from the first of ivar, variance and error that is given, or None."""
    convert: dict[str, Callable[[Any], NDArray[Any]]] = {
        "ivar": np.asarray,
        "variance": ivar_from_variance,
        "error": ivar_from_error,
    }
    return next((convert[kind](errors[kind]) for kind in ERRORS if kind in errors), None)


def catalogue(columns: Mapping[str, NDArray[Any]], n: int, *, skip: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns with one value per spectrum, under their canonical names if they have one."""
    meta: dict[str, list[Any]] = {}
    taken = {META_NAMES[name] for name in columns if META_NAMES.get(name) == name}
    for name in columns:
        if name in skip:
            continue
        values = columns[name]
        if values.shape != (n,) or (values.dtype == object and isinstance(values[0], np.ndarray | list)):
            continue
        canonical = META_NAMES.get(name.lower(), name)
        if canonical != name and canonical in taken:
            canonical = name
        if canonical == "file":
            canonical = "filename"  # `file` is the file that was read
        taken.add(canonical)
        meta[canonical] = list(values) if values.dtype.kind in "mM" else values.tolist()
    return meta
