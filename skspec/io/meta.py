"""Join a catalogue to spectra, and read and write tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.io._paths import PATH_COLUMNS
from skspec.io._read import read_spectra
from skspec.io.writing import replacing
from skspec.spectra import Spectra
from skspec.spectra.columns import texts

TABLE_FORMATS = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".fits": "fits", ".parquet": "parquet"}
"""Formats of tables, by file suffix, under their names in astropy."""

_MAX_LINKS = 100_000  # entries that are looked for on the disk because no file has their name


def read_with_catalogue(paths: list[str] | None, catalogue: Path | None, **options: Any) -> Spectra:
    """Read spectra, and add the columns of a catalogue with `join_catalogue`.

    Parameters
    ----------
    paths : list of str or None
        Files of spectra; None reads those listed in the catalogue.
    catalogue : Path or None
        Table in one of `TABLE_FORMATS` or another text format.
    **options
        Parameters of `read_spectra`.
    """
    if catalogue is None:
        return read_spectra(paths, **options)
    table = _read_table(catalogue)
    if not paths:
        column = next((name for name in PATH_COLUMNS if name in table.colnames), None)
        if column is None:
            raise ValueError(f"{catalogue} has no column file, path or filename; give paths too")
        files = texts(table[column])
        if (files == "").any():
            raise ValueError(f"{catalogue} has no path in row {np.argmax(files == '') + 1}, column {column}")
        paths = [str(catalogue.parent / file) for file in files.tolist()]
    return join_catalogue(read_spectra(paths, **options), table, folder=catalogue.parent)


def _read_table(path: Path) -> Table:
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; a table is needed")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":  # astropy cannot read text columns with missing values
            from pyarrow import parquet  # noqa: PLC0415

            columns = parquet.read_table(path)
            return Table({name: columns[name].to_numpy() for name in columns.column_names})
        return Table.read(path, format=TABLE_FORMATS.get(suffix, "ascii"))
    except Exception as error:  # these readers raise errors of many kinds
        raise ValueError(f"{path} cannot be read as a table: {error}") from error


def join_catalogue(spectra: Spectra, table: Table, *, folder: Path = Path()) -> Spectra:
    """Return spectra with the columns of a catalogue, masked for spectra that are not in it.

    ``meta.meta["catalogue"]`` says how many rows and spectra matched: ``n_rows``, ``n_matched_rows`` and
    ``n_matched_spectra``.

    Parameters
    ----------
    spectra : Spectra
        From `read_spectra`.
    table : Table
        Catalogue with a column ``file``, ``path`` or ``filename``, or else ``object``. Rows where it is blank are
        ignored.
    folder : Path, default=Path()
        Folder of the catalogue. Paths are relative to it, or else to the working directory. A path that does not exist
        matches the only spectrum file with the same name.

    Raises
    ------
    ValueError
        If the catalogue has no such column, an entry is repeated or ambiguous, or no spectrum is in the catalogue.
    """
    by = next((name for name in (*PATH_COLUMNS, "object") if name in table.colnames), None)
    if by is None:
        raise ValueError(f"the catalogue has no column file or object, only {', '.join(table.colnames)}")
    ours = "object" if by == "object" else "file"
    check_choice("the catalogue's column", ours, spectra.meta.colnames)
    entries, names = texts(table[by]).tolist(), texts(spectra.meta[ours]).tolist()
    found = _rows_of_objects(entries, names) if by == "object" else _rows_of_files(entries, names, folder)
    if (found < 0).all():
        raise ValueError(f"none of the {len(spectra)} spectra is in the catalogue, by its column {by}")
    joined = spectra[:]
    joined.meta.meta["catalogue"] = {
        "n_rows": len(table),
        "n_matched_rows": len(np.unique(found[found >= 0])),
        "n_matched_spectra": int((found >= 0).sum()),
    }
    for name in table.colnames:
        if name != by:
            mask = np.ma.getmaskarray(np.ma.asarray(table[name]))
            joined.meta[name] = np.ma.array(table[name][found], mask=(found < 0) | mask[found])
    return joined


def _rows_of_objects(entries: list[str], names: list[str]) -> NDArray[np.intp]:
    """Return the catalogue row of each object, or -1."""
    rows: dict[str, int] = {}
    for row, entry in enumerate(entries):
        if entry and rows.setdefault(entry, row) != row:
            raise ValueError(f"the catalogue has {entry!r} more than once in its column object")
    return np.array([rows.get(name, -1) for name in names], dtype=np.intp)


def _rows_of_files(entries: list[str], files: list[str], folder: Path) -> NDArray[np.intp]:
    """Return the catalogue row of each file, or -1."""
    places = {file: _place(file) for file in set(files)}
    by_name: dict[str, set[Any]] = {}
    for file, place in places.items():
        by_name.setdefault(os.path.basename(file), set()).add(place)
    rows: dict[Any, int] = {}
    elsewhere: dict[str, list[int]] = {}  # rows whose path does not exist, by file name
    others: list[int] = []  # rows with names that no file has
    for row, entry in enumerate(entries):
        name = os.path.basename(entry)
        if name not in by_name:
            others += [row] if entry else []
            continue
        tried = _tried(entry, folder)
        there = [place for place in tried if place in by_name[name]]
        if not there:
            if all(isinstance(place, str) for place in tried):
                elsewhere.setdefault(name, []).append(row)
        elif rows.setdefault(there[0], row) != row:
            raise ValueError(f"the catalogue has {entry!r} more than once")
    for name, found in elsewhere.items():
        if by_name[name] <= rows.keys():
            continue  # all files with this name are already matched
        if len(found) > 1 or len(by_name[name]) > 1:
            raise ValueError(
                f"the catalogue has {entries[found[0]]!r}, which does not exist, and {name!r} is the name of "
                f"{len(by_name[name])} spectra and {len(found)} entries: give paths from the catalogue's folder"
            )
        rows[next(iter(by_name[name]))] = found[0]
    left = set(places.values()) - rows.keys()
    for row in others if left and len(others) <= _MAX_LINKS else ():  # it may name a file by a link
        for place in left.intersection(_tried(entries[row], folder)):
            if rows.setdefault(place, row) != row:
                raise ValueError(
                    f"the catalogue has the file {entries[row]!r} more than once, by several names"
                )
    return np.array([rows.get(places[file], -1) for file in files], dtype=np.intp)


def _tried(entry: str, folder: Path) -> list[Any]:
    """Return where an entry may be: relative to the folder of the catalogue, or to the working directory."""
    return list(dict.fromkeys(_place(os.path.join(base, entry)) for base in (folder, "")))


def _place(path: str) -> Any:
    """Return what all names of a file have in common, links too; the path of a file that does not exist."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return os.path.abspath(path)
    return (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)


def write_table(table: Table, path: Path) -> None:
    """Write a table in the format given by the suffix of `path`, completely or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If the suffix is not in `TABLE_FORMATS`, or the table has characters that the format cannot store.
    """
    if path.suffix not in TABLE_FORMATS:
        raise ValueError(f"{path.name!r} must end in {', '.join(TABLE_FORMATS)}")
    if path.suffix == ".fits":
        for name, column in table.items():
            if not name.isascii() or (column.dtype.kind in "OU" and not "".join(map(str, column)).isascii()):
                raise ValueError(
                    f"{path.name}: column {name} has non-ASCII characters, which FITS cannot store; write "
                    f"{path.stem}.ecsv"
                )
    with replacing(path) as temporary:
        table.write(temporary, format=TABLE_FORMATS[path.suffix])
