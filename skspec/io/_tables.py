"""Read spectra from tables with one pixel or one spectrum per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._errors import NoSpectraError
from skspec.io._file_spectra import FileSpectra, ivar_from_error, ivar_from_variance
from skspec.io._masks import bad_pixels, without_bad, without_gaps
from skspec.io._names import MASKS, META_NAMES, column_role, find_roles, looks_like_error
from skspec.io._source import Source
from skspec.io._wave import check_flux_unit, to_angstrom

_WIDE = re.compile(
    r"^\s*(?:(flux|ivar|err|error|sigma|var|variance|mask)_)?(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*$"
)
ERRORS = ("ivar", "variance", "error")  # kinds of columns, in order of preference
_MIN_WIDE = 8  # columns named by wavelengths that identify a table of spectra


@dataclass(frozen=True)
class SpectrumTable:
    """Columns of a table, with their units, medium and catalogue values.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Values of shape (n_rows,), (n_rows, n_pixels), or (n_rows,) of arrays, masked where they are missing. The
        mapping may load columns lazily.
    source : Source
        The file, with the options of reading it.
    units : dict, default={}
        Units of columns.
    medium : str, default=None
        Medium of the wavelengths, if stated in the file.
    meta : dict, default={}
        Catalogue values that apply to all spectra.
    gaps : bool, default=True
        Whether stretches of constant flux are missing if there are no errors.
    """

    columns: Mapping[str, NDArray[Any]]
    source: Source
    units: Mapping[str, str | None] = field(default_factory=dict)
    medium: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    gaps: bool = True

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
        flux, waves = (
            as_numbers(flux_name, self.columns[flux_name]),
            as_numbers(wave_name, self.columns[wave_name]),
        )
        if not len(flux):
            raise ValueError("the table has no rows")
        if flux.ndim > 2:
            raise ValueError(
                f"{flux_name} has shape {flux.shape}; (n_pixels,) or (n_spectra, n_pixels) is needed"
            )
        unit = self.units.get(wave_name) or role.unit or self.source.wave_unit
        medium = role.medium or self.medium
        errors = self._errors(roles, names, flux_name, flux)
        masks = self._masks(flux_name, flux)
        used = [wave_name, flux_name, *masks, *(names[roles[kind][0]] for kind in errors)]
        if flux.ndim == 1 and flux.dtype != object:
            return [
                self._checked(flux, to_angstrom(waves, unit), errors, masks, medium=medium, meta=self.meta)
            ]
        per_row = waves.ndim > 1 or waves.dtype == object
        if waves.ndim > 2 or (per_row and len(waves) != len(flux)):
            raise ValueError(f"{wave_name} has shape {waves.shape}, {flux_name} {flux.shape}")
        meta = dict(self.meta) | catalogue(self.columns, len(flux), skip=used)
        if flux.ndim == 2 and waves.dtype != object and (not per_row or (waves == waves[0]).all()):
            grid = waves[0] if per_row else waves
            return [self._checked(flux, to_angstrom(grid, unit), errors, masks, medium=medium, meta=meta)]
        return [
            self._checked(
                np.asarray(flux[i]),
                to_angstrom(waves[i] if per_row else waves, unit),
                {kind: np.asarray(values[i]) for kind, values in errors.items()},
                {name: np.asarray(values[i]) for name, values in masks.items()},
                medium=medium,
                meta={
                    name: values[i] if isinstance(values, list) else values for name, values in meta.items()
                },
            )
            for i in range(len(flux))
        ]

    def _errors(
        self, roles: Mapping[str, Any], names: Sequence[str], flux_name: str, flux: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        """Return the errors by kind; warn of columns that look like errors if there are none."""
        errors = {}
        for kind in (kind for kind in ERRORS if kind in roles):
            name = names[roles[kind][0]]
            values = _for_pixels(self.columns[name], flux)
            if values is not None:
                errors[kind] = as_numbers(name, values, missing=0.0)
            # A column ``sigma`` with one value per spectrum is not the error of the flux.
            elif (shape := self.columns[name].shape) == (1,):
                notice_unused_errors(self.source, [name])
            elif shape != flux.shape[:1]:
                raise ValueError(f"{name} has shape {shape}, {flux_name} {flux.shape}")
        if not errors and flux.dtype != object:
            unused = [
                name for name in names if looks_like_error(name) and self.columns[name].shape == flux.shape
            ]
            if unused:
                notice_unused_errors(self.source, unused)
        return errors

    def _masks(self, flux_name: str, flux: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the columns that are masks of the flux."""
        masks = {}
        for name in self.columns:
            role = column_role(name)
            if role is None or role.kind not in MASKS:
                continue
            values = _for_pixels(self.columns[name], flux)
            if values is not None:
                masks[name] = values
            elif (shape := self.columns[name].shape) not in ((1,), flux.shape[:1]):
                raise ValueError(f"{name} has shape {shape}, {flux_name} {flux.shape}")
        return masks

    def _checked(
        self,
        flux: NDArray[Any],
        wave: NDArray[np.float64],
        errors: Mapping[str, NDArray[Any]],
        masks: Mapping[str, NDArray[Any]],
        *,
        medium: str | None,
        meta: Mapping[str, Any],
    ) -> FileSpectra:
        """Return spectra on one grid, without the pixels that are bad."""
        ivar = pick_ivar(errors)
        bad = bad_pixels(masks, self.source, with_ivar=ivar is not None)
        flux, ivar = without_bad(flux, ivar, bad)
        if ivar is None and self.gaps:
            flux, note = without_gaps(flux, self.source)
            meta = dict(meta) | ({"note": note} if note else {})
        return FileSpectra(flux, wave, ivar, medium, meta)

    def _wide(self) -> FileSpectra:
        """Read columns named by their wavelengths: ``flux_4861.3`` and ``ivar_4861.3``, ``err_``, …; or ``4861.3``."""
        named: dict[str, dict[float, str]] = {"flux": {}}
        for name in self.columns:
            if (match := _WIDE.match(name)) and (role := column_role(match[1] or "flux")):
                named.setdefault(role.kind, {})[float(match[2])] = name
        wave = np.array(list(named["flux"]))
        arrays = {}
        for kind, columns in named.items():
            if list(columns) != list(named["flux"]):
                raise ValueError(f"{len(columns)} {kind} columns do not match the {wave.size} flux columns")
            missing = np.nan if kind == "flux" else 0.0
            read = (
                self.columns[name] if kind == "mask" else as_numbers(name, self.columns[name], missing)
                for name in columns.values()
            )
            arrays[kind] = np.column_stack(list(read))
        flux = arrays.pop("flux")
        if not len(flux):
            raise ValueError("the table has no rows")
        masks = {"mask": arrays.pop("mask")} if "mask" in arrays else {}
        skip = [name for columns in named.values() for name in columns.values()]
        meta = dict(self.meta) | catalogue(self.columns, len(flux), skip=skip)
        wave = to_angstrom(wave, self.source.wave_unit)
        return self._checked(flux, wave, arrays, masks, medium=self.medium, meta=meta)


def is_wide(names: Sequence[str]) -> bool:
    """Return whether columns are named by increasing wavelengths."""
    matches = [match for name in names if (match := _WIDE.match(name)) and match[1] in (None, "flux")]
    wave = np.array([float(match[2]) for match in matches])
    return wave.size >= _MIN_WIDE and bool((np.diff(wave) > 0).all())


def _for_pixels(values: NDArray[Any], flux: NDArray[Any]) -> NDArray[Any] | None:
    """Return values with one for each pixel of `flux`, repeated if they are for all spectra; None if they are not."""
    if values.shape == flux.shape and (values.dtype == object) == (flux.dtype == object):
        return values
    if flux.ndim == 2 and values.shape == flux.shape[1:] and len(flux) != flux.shape[1]:
        return np.broadcast_to(values, flux.shape)
    return None


def as_numbers(name: str, values: NDArray[Any], missing: float = np.nan) -> NDArray[Any]:
    """Return real numbers, with `missing` where they are masked.

    Raises
    ------
    ValueError
        If they are complex numbers, text, booleans, dates or other objects.
    """
    if values.dtype == object:
        rows = [
            np.ma.asarray(row) if row is not None else np.ma.masked_all(0) for row in np.ma.getdata(values)
        ]
        if any(row.ndim for row in rows):
            ragged = np.empty(len(rows), dtype=object)
            ragged[:] = [as_numbers(name, row, missing) for row in rows]
            return ragged
        values = np.ma.masked_array(
            [np.nan if value is None else value for value in np.ma.getdata(values)],
            np.ma.getmaskarray(values),
        )
    if values.dtype.kind not in "iuf":
        what = {"c": "complex numbers", "b": "booleans", "M": "dates", "m": "times"}.get(
            values.dtype.kind, "text"
        )
        raise ValueError(f"{name} has {what} of shape {values.shape}; real numbers are needed")
    if not np.ma.is_masked(values):
        return np.ma.getdata(values)
    dtype = values.dtype if values.dtype.kind == "f" else np.float64
    return np.where(np.ma.getmaskarray(values), missing, np.ma.getdata(values)).astype(dtype)


def notice_unused_errors(source: Source, names: Sequence[str]) -> None:
    """Warn of arrays that may be errors of the flux and are not used."""
    source.notice(
        f"{', '.join(names)} may hold errors of the flux, but is not used, since the name is not known; rename it, such "
        "as flux_err, ivar or variance, if it does"
    )


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
        if values.shape != (n,) or (
            values.dtype == object and len(values) and isinstance(values[0], np.ndarray | list)
        ):
            continue
        canonical = META_NAMES.get(name.lower(), name)
        if canonical != name and canonical in taken:
            canonical = name
        if canonical == "file":
            canonical = "filename"  # `file` is the file that was read
        taken.add(canonical)
        # None where masked
        meta[canonical] = list(values) if values.dtype.kind in "mM" else values.tolist()
    return meta
