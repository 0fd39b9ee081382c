"""Text with two or three columns, or more if a header line names them.

Columns are wavelength, flux and optionally the standard deviation of the flux, or as named by a header line
(``wave_nm flux ivar``, ``# lambda(micron), flux, err``), separated by blanks, tabs, commas or semicolons. Lines before
the first line of numbers are the header. Numbers may have a decimal comma (``4000,5``), a Fortran exponent
(``1.0D+03``) or quotes. ``nan``, ``INDEF``, ``null``, ``-``, ``***`` and empty cells are missing. A first column of pixel
numbers is left out. A negative wavelength whose absolute value continues the grid marks a bad pixel, which becomes
missing; ``meta["note"]`` states their number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._masks import bad_pixels, without_bad, without_gaps
from skspec.io._names import MASKS, column_role, find_medium, find_roles
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import ERRORS, pick_ivar
from skspec.io._wave import are_pixel_numbers, check_flux_unit, to_angstrom

_COMMENT = "#%;!"
_COMMENTS = re.compile("[#%!]")
_DIGIT = re.compile(r"\d")
_MISSING = {"", "nan", "indef", "null", "none", "n/a", "na", "-", "--", "---", "...", "masked"}
_BOOLEANS = {"true": "1", "false": "0"}
_DECIMAL_COMMA = re.compile(r"[-+]?\d*(?:,\d*)?(?:[eEdD][-+]?\d+)?|[A-Za-z*-]+")
_EXPONENT = re.compile(r"(\d\.?)[dD]([-+]?\d)")
_THOUSANDS = re.compile("(?<=\\d)[\u2009\u202f\u00a0'’](?=\\d{3}(?!\\d))")
_PLAIN = {ord("\u2212"): "-", ord("\u2013"): "-", ord('"'): None, ord("'"): None}
_POSITIONAL = {"wave": 0, "flux": 1, "error": 2}
_AFTER_PIXELS = {"wave": 1, "flux": 2, "error": 3}


class _Layout(NamedTuple):
    """Index of the first line of numbers, and the columns of the table."""

    first: int
    style: _Style
    columns: dict[str, int]
    unit: str | None
    medium: str | None
    masks: dict[str, int]


class _Style(NamedTuple):
    """Separator of the columns, None for blanks, and whether numbers have a decimal comma."""

    separator: str | None
    decimal_comma: bool


def _layout(lines: list[str]) -> _Layout | None:
    first = next((i for i, line in enumerate(lines) if _is_numbers(line)), None)
    if first is None:
        return None
    style = _style(lines[first])
    n_columns = len(_split(lines[first], style))
    same = [len(_split(line, style)) == n_columns for line in lines[first + 1 : first + 3] if line.strip()]
    if n_columns < 2 or not all(same):
        return None
    line = next((line for line in reversed(lines[:first]) if line.strip(_COMMENT + " \t")), "")
    names = _names(line, style.separator)
    roles = find_roles(names)
    wave = roles.get("wave")
    if wave is None or "flux" not in roles or max(number for number, _ in roles.values()) >= n_columns:
        if n_columns == 4 and _counts(
            [_split(line, style)[0] for line in lines[first : first + 3] if line.strip()]
        ):
            n_columns = 3  # after the numbers of the pixels
        if n_columns > 3:
            return None
        columns = {kind: number for kind, number in _POSITIONAL.items() if number < n_columns}
        return _Layout(first, style, columns, None, None, {})
    check_flux_unit(roles["flux"][1].unit)
    columns = {kind: number for kind, (number, _) in roles.items() if kind not in MASKS}
    masks = {
        name: i
        for i, name in enumerate(names)
        if (role := column_role(name)) is not None and role.kind in MASKS
    }
    return _Layout(first, style, columns, wave[1].unit, wave[1].medium or find_medium(line), masks)


def _is_numbers(line: str) -> bool:
    if line.lstrip()[:1] in _COMMENT:
        return False
    cells = _split(line, _style(line))
    return len(cells) > 1 and all(map(_is_number, cells)) and any(map(_DIGIT.search, cells))


def _counts(cells: list[str]) -> bool:
    """Return whether cells are 0, 1, 2 or 1, 2, 3."""
    return cells in (["0", "1", "2"], ["1", "2", "3"])


def _is_number(cell: str) -> bool:
    try:
        float(_number(cell))
    except ValueError:
        return False
    return True


def _style(line: str) -> _Style:
    line = _COMMENTS.split(line, maxsplit=1)[0].strip()
    blanks = _clean(line).split()
    if ";" in line:
        return _Style(";", "," in line)
    if "," in line and len(blanks) > 1 and all(map(_DECIMAL_COMMA.fullmatch, blanks)):
        return _Style("\t" if "\t" in line else None, True)
    if "," in line:
        return _Style(",", False)
    return _Style("\t" if "\t" in line and len(line.split("\t")) == len(blanks) else None, False)


def _is_plain(text: str) -> bool:
    return text.isascii() and '"' not in text and "'" not in text


def _clean(line: str) -> str:
    """Return a line with plain signs, and without quotes and separators of thousands."""
    if _is_plain(line):
        return line
    return _THOUSANDS.sub("", line).translate(_PLAIN)


def _split(line: str, style: _Style) -> list[str]:
    line = _COMMENTS.split(_clean(line), maxsplit=1)[0].strip(" \r\n")
    if style.separator is None:
        return line.split()
    return line.rstrip(f"{style.separator} \t" if style.separator == "," else " ").split(style.separator)


def _number(cell: str, decimal_comma: bool = True) -> str:
    """Return a cell as Python writes a number; ``"nan"`` if it is missing."""
    cell = cell.strip()
    if cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    if cell.lower() in _MISSING or not cell.strip("*"):
        return "nan"
    if decimal_comma:
        cell = cell.replace(",", ".")
    return _EXPONENT.sub(r"\1e\2", cell)


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
    text = source.text
    lines = text.splitlines()
    table = _table(lines if _is_plain(text) else list(map(_clean, lines)), layout)
    columns = layout.columns
    if not layout.unit and columns == _POSITIONAL and _begins_with_pixels(table):
        columns = {kind: number for kind, number in _AFTER_PIXELS.items() if number < table.shape[1]}
        source.notice(
            "column 1 has the numbers of the pixels, so that wavelength and flux are read from columns 2 and 3; name the "
            "columns in a header line if this is wrong"
        )
    flux = table[:, columns["flux"]]
    ivar = pick_ivar({kind: table[:, i] for kind, i in columns.items() if kind in ERRORS})
    wave, bad = _without_signs(table[:, columns["wave"]])
    flux[bad] = np.nan
    notes = [f"{bad.sum()} pixels with a negative wavelength are missing"] if bad.any() else []
    masks = {name: table[:, i] for name, i in layout.masks.items()}
    flux, ivar = without_bad(flux, ivar, bad_pixels(masks, source, with_ivar=ivar is not None))
    if ivar is None:
        flux, note = without_gaps(flux, source)
        notes += [note] if note else []
    return FileSpectra(
        flux,
        to_angstrom(wave, layout.unit or source.wave_unit),
        ivar,
        layout.medium,
        meta={"note": "; ".join(notes) or None},
    )


def _table(lines: list[str], layout: _Layout) -> NDArray[np.float64]:
    """Return the numbers of a table."""
    first, style = layout.first, layout.style
    try:
        return np.loadtxt(lines[first:], delimiter=style.separator, comments=_COMMENT[0], ndmin=2)
    except ValueError as error:
        # The rest of the message is about arguments of numpy.
        cause = str(error).partition(";")[0]
    n_columns = len(_split(lines[first], style))
    rows = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not _COMMENTS.split(line, maxsplit=1)[0].strip() or line.lstrip()[0] in _COMMENT:
            continue
        cells = _split(line, style)
        if style.separator == "\t" and len(cells) != n_columns:
            cells = _split(line, style._replace(separator=None))
        elif style.separator is not None and style.separator in line:
            cells += [""] * (n_columns - len(cells))
        try:
            row = [float(_number(cell, style.decimal_comma)) for cell in cells]
        except ValueError:
            raise ValueError(
                cause if _clean(line) == line else f"line {number} is not a line of numbers"
            ) from None
        if len(row) != n_columns:
            raise ValueError(f"line {number} has {len(row)} columns, the lines before it have {n_columns}")
        rows.append(row)
    return np.array(rows, dtype=np.float64)


def _begins_with_pixels(table: NDArray[np.float64]) -> bool:
    """Return whether column 1 numbers the pixels and column 2 may be wavelengths."""
    wave = table[:, 1]
    return are_pixel_numbers(table[:, 0]) and bool((np.diff(wave) > 0).all()) and bool(wave[0] > 100)


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
