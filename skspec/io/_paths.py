"""Find the files that the user names: paths, patterns, folders, lists and tables."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from astropy.table import Table

from skspec.io._errors import SpectrumReadError
from skspec.spectra import is_frame, table_from_pandas

_PATH_COLUMNS = ("file", "path", "filename")


class Wanted(NamedTuple):
    """A file to read, and whether the user named it or a directory it lies in."""

    path: str
    named: bool


def find_files(source: Any) -> list[Wanted]:
    """Find the files of a path, glob pattern, directory, or any mixed list of these.

    Raises
    ------
    TypeError
        If `source` is none of these.
    ValueError
        If a list is empty.
    SpectrumReadError
        If a pattern matches no file, or a directory has none.
    """
    if isinstance(source, str | os.PathLike):
        return _find(os.path.expanduser(os.fspath(source)))
    if not isinstance(source, Iterable):
        raise TypeError(
            f"source is a {type(source).__name__}; a path, glob pattern, directory, list of these or a table with a "
            "column of paths is needed"
        )
    found = [wanted for item in source for wanted in find_files(item)]
    if not found:
        raise ValueError("source is an empty list; at least one file is needed")
    return found


def _find(path: str) -> list[Wanted]:
    if os.path.isdir(path):
        inside = sorted(entry.path for entry in os.scandir(path) if entry.is_file() and entry.name[0] != ".")
        if not inside:
            raise SpectrumReadError(path, "the directory has no files")
        return [Wanted(file, named=False) for file in inside]
    if glob.has_magic(path) and not os.path.exists(path):
        matches = sorted(match for match in glob.glob(path, recursive=True) if os.path.isfile(match))
        if not matches:
            raise SpectrumReadError(path, "no file matches this pattern")
        return [Wanted(match, named=True) for match in matches]
    return [Wanted(path, named=True)]  # one that does not exist is an error later, which may be skipped


def as_catalogue(source: Any) -> tuple[Table, str] | None:
    """Return a table and the name of its column of paths; None if `source` is not a table.

    Raises
    ------
    ValueError
        If the table has no such column, or no rows.
    """
    if isinstance(source, Table):
        table = source
    elif is_frame(source):
        table = table_from_pandas(source)
    else:
        return None
    name = next((name for want in _PATH_COLUMNS for name in table.colnames if name.lower() == want), None)
    if name is None:
        raise ValueError(
            f"the table has no column of paths called {', '.join(_PATH_COLUMNS)}; it has {', '.join(table.colnames)}"
        )
    if not len(table):
        raise ValueError("the table of files has no rows")
    return table, name
