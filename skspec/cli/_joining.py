"""Spectra with the columns of a catalogue that ``skspec fit --catalogue`` names. Nothing here prints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.cli._prediction import TABLE_FORMATS
from skspec.cli._training import texts
from skspec.io import read_spectra
from skspec.spectra import Spectra

_PATHS = ("file", "path", "filename")


def read(paths: list[str] | None, catalogue: Path | None, **options: Any) -> Spectra:
    """Read spectra, with the columns of a catalogue.

    Parameters
    ----------
    paths : list of str or None
        None takes the files of the catalogue.
    catalogue : Path or None
        Table in one of the formats of `TABLE_FORMATS`, or other text.
    **options
        Of `read_spectra`.

    Returns
    -------
    Spectra

    Raises
    ------
    ValueError
        If the catalogue cannot be read, or does not fit: see `join_catalogue`.
    """
    if catalogue is None:
        return read_spectra(paths, **options)
    table = _read_table(catalogue)
    if not paths:
        column = next((name for name in _PATHS if name in table.colnames), None)
        if column is None:
            raise ValueError(f"{catalogue} has no column file, path or filename; give PATHS too")
        files = texts(table[column])
        if (files == "").any():
            raise ValueError(f"{catalogue} has no path in row {np.argmax(files == '') + 1}, column {column}")
        paths = [str(catalogue.parent / file) for file in files.tolist()]
    return join_catalogue(read_spectra(paths, **options), table, folder=catalogue.parent)


def _read_table(path: Path) -> Table:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":  # astropy does not read text with missing values
            from pyarrow import parquet  # noqa: PLC0415

            columns = parquet.read_table(path)
            return Table({name: columns[name].to_numpy() for name in columns.column_names})
        return Table.read(path, format=TABLE_FORMATS.get(suffix, "ascii"))
    except Exception as error:  # each of these readers fails in its own way
        raise ValueError(f"{path} cannot be read as a table: {error}") from error


def join_catalogue(spectra: Spectra, table: Table, *, folder: Path = Path()) -> Spectra:
    """Add the columns of a catalogue to spectra, found by file or object.

    A file of the catalogue is the one at its path, from the catalogue's folder or else from the working directory.
    Where there is no such file, it is the only one of its name.

    Parameters
    ----------
    spectra : Spectra
        From `read_spectra`.
    table : Table
        With a column ``file``, ``path`` or ``filename``, or else ``object``. Rows where it is blank are of no spectrum.
    folder : Path, default=Path()
        Folder of the catalogue.

    Returns
    -------
    Spectra
        Spectra that are not in the catalogue have masked values in its columns.

    Raises
    ------
    ValueError
        If there is no such column, an entry stands twice, several files have the name of an entry, or no spectrum is
        in the catalogue.
    """
    by = next((name for name in (*_PATHS, "object") if name in table.colnames), None)
    if by is None:
        raise ValueError(f"the catalogue has no column file or object, only {', '.join(table.colnames)}")
    ours = "object" if by == "object" else "file"
    check_choice("the catalogue's column", ours, spectra.meta.colnames)
    entries, names = texts(table[by]).tolist(), texts(spectra.meta[ours]).tolist()
    found = _rows_of_objects(entries, names) if by == "object" else _rows_of_files(entries, names, folder)
    if (found < 0).all():
        raise ValueError(f"none of the {len(spectra)} spectra is in the catalogue, by its column {by}")
    joined = spectra[:]
    for name in table.colnames:
        if name != by:
            joined.meta[name] = np.ma.array(table[name][found], mask=(found < 0) | _mask(table[name])[found])
    return joined


def _rows_of_objects(entries: list[str], names: list[str]) -> NDArray[np.intp]:
    """Row of the catalogue for each object; -1 for none."""
    rows: dict[str, int] = {}
    for row, entry in enumerate(entries):
        if entry and rows.setdefault(entry, row) != row:
            raise ValueError(f"the catalogue has {entry!r} more than once in its column object")
    return np.array([rows.get(name, -1) for name in names], dtype=np.intp)


def _rows_of_files(entries: list[str], files: list[str], folder: Path) -> NDArray[np.intp]:
    """Row of the catalogue for each file; -1 for none."""
    places = {file: os.path.realpath(file) for file in set(files)}
    by_name: dict[str, set[str]] = {}
    for file, place in places.items():
        by_name.setdefault(os.path.basename(file), set()).add(place)
    rows: dict[str, int] = {}
    elsewhere: dict[str, list[int]] = {}  # rows by the name of a file that is not at its path
    for row, entry in enumerate(entries):
        name = os.path.basename(entry)
        if name not in by_name:
            continue
        tried = [os.path.realpath(os.path.join(base, entry)) for base in (folder, "")]
        there = [path for path in tried if path in by_name[name]]
        if not there:
            if not any(map(os.path.exists, tried)):
                elsewhere.setdefault(name, []).append(row)
        elif rows.setdefault(there[0], row) != row:
            raise ValueError(f"the catalogue has {entry!r} more than once")
    for name, found in elsewhere.items():
        if by_name[name] <= rows.keys():
            continue  # all of this name are found, these are others
        if len(found) > 1 or len(by_name[name]) > 1:
            raise ValueError(
                f"the catalogue has {entries[found[0]]!r}, which is not there, and {name!r} is the name of "
                f"{len(by_name[name])} spectra and {len(found)} entries: give paths from the catalogue's folder"
            )
        rows[next(iter(by_name[name]))] = found[0]
    return np.array([rows.get(places[file], -1) for file in files], dtype=np.intp)


def _mask(column: Any) -> NDArray[np.bool_]:
    return np.ma.getmaskarray(np.ma.asarray(column))
