"""Text with two or three columns, or more if a header line names them.

Columns are wavelength, flux and optionally the standard deviation of the flux, or as named by a header line
(``wave_nm flux ivar``, ``# lambda(micron), flux, err``), separated by blanks, tabs or commas. Lines before the first line
of numbers are the header. A negative wavelength whose absolute value continues the grid marks a bad pixel, which becomes
missing; ``meta["note"]`` states their number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._names import find_medium, find_roles
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import ERRORS, pick_ivar
from skspec.io._wave import check_flux_unit, to_angstrom

_COMMENT = "#%;!"
_POSITIONAL = {"wave": 0, "flux": 1, "error": 2}


class _Layout(NamedTuple):
    """Index of the first line of numbers, and the columns of the table."""

    first: int
    separator: str | None
    columns: dict[str, int]
    unit: str | None
    medium: str | None


def _layout(lines: list[str]) -> _Layout | None:
    first = next((i for i, line in enumerate(lines) if _is_numbers(line)), None)
    if first is None:
        return None
    separator = "," if "," in lines[first] else None
    n_columns = len(_split(lines[first], separator))
    same = [
        len(_split(line, separator)) == n_columns for line in lines[first + 1 : first + 3] if line.strip()
    ]
    if n_columns < 2 or not all(same):
        return None
    names = next((line for line in reversed(lines[:first]) if line.strip(_COMMENT + " \t")), "")
    roles = find_roles(_names(names, separator))
    wave = roles.get("wave")
    if wave is None or "flux" not in roles or max(number for number, _ in roles.values()) >= n_columns:
        if n_columns > 3:
            return None
        columns = {kind: number for kind, number in _POSITIONAL.items() if number < n_columns}
        return _Layout(first, separator, columns, None, None)
    check_flux_unit(roles["flux"][1].unit)
    columns = {kind: number for kind, (number, _) in roles.items()}
    return _Layout(first, separator, columns, wave[1].unit, wave[1].medium or find_medium(names))


def _is_numbers(line: str) -> bool:
    cells = line.replace(",", " ").split()
    try:
        return len(cells) > 1 and all(
            np.isfinite(float(cell)) or cell.lower() in ("nan", "inf", "-inf") for cell in cells
        )
    except ValueError:
        return False


def _split(line: str, separator: str | None) -> list[str]:
    return line.rstrip(", \t").split(separator)


def _names(line: str, separator: str | None) -> list[str]:
    line = line.strip().lstrip(_COMMENT).strip()
    if separator and separator in line:
        return line.split(separator)
    return re.split(r"\t+|\s+(?![\[(])", line)  # not before a unit in brackets


def _identify(source: Source) -> bool:
    return source.is_text and _layout(source.lines) is not None


def _read(source: Source) -> FileSpectra:
    layout = _layout(source.lines)
    if layout is None:
        raise ValueError(
            "two or more lines of two or three numbers are needed, or a header line that names more columns"
        )
    try:
        table = np.loadtxt(
            source.text.splitlines()[layout.first :],
            delimiter=layout.separator,
            comments=_COMMENT[0],
            ndmin=2,
        )
    except ValueError as error:
        # The rest of the message is about arguments of numpy.
        raise ValueError(str(error).partition(";")[0]) from error
    flux = table[:, layout.columns["flux"]]
    errors = {kind: table[:, i] for kind, i in layout.columns.items() if kind in ERRORS}
    wave, bad = _without_signs(table[:, layout.columns["wave"]])
    flux[bad] = np.nan
    note = f"{bad.sum()} pixels with a negative wavelength are missing" if bad.any() else None
    return FileSpectra(
        flux,
        to_angstrom(wave, layout.unit or source.wave_unit),
        pick_ivar(errors),
        layout.medium,
        meta={"note": note},
    )


def _without_signs(wave: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the absolute wavelengths, and which of them were marked as bad by a minus sign."""
    negative = wave < 0
    if negative.any() and negative.mean() < 0.5 and (np.diff(np.abs(wave)) > 0).all():
        return np.abs(wave), negative
    return wave, np.zeros(wave.size, dtype=bool)


register_format(
    "text",
    description="text: wavelength, flux, error; or named columns",
    identify=_identify,
    read=_read,
    priority=0,
)
