"""Find the files to read from paths, glob patterns, directories, lists and tables."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from astropy.table import Table

from skspec.io._errors import SpectrumReadError
from skspec.spectra import is_frame, table_from_pandas

PATH_COLUMNS = ("file", "path", "filename")


class Wanted(NamedTuple):
    """A file to read, and whether it was named itself (True) or found in a directory."""

    path: str
    named: bool


def find_files(source: Any) -> list[Wanted]:
    """Find the files of a path, glob pattern, directory, or any mixed list of these."""
    if isinstance(source, str | os.PathLike):
        return _find(os.path.expanduser(os.fspath(source)))
    if not isinstance(source, Iterable):
        raise TypeError(
            "source must be a path, a glob pattern, a directory, a list of these or a table with a column of paths, "
            f"got {type(source).__name__}"
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
    return [Wanted(path, named=True)]  # if it does not exist, opening it fails, which may be skipped


def as_catalogue(source: Any) -> tuple[Table, str] | None:
    """Return a table and the name of its column of paths; None if `source` is not a table."""
    if isinstance(source, Table):
        table = source
    elif is_frame(source):
        table = table_from_pandas(source)
    else:
        return None
    name = next((name for want in PATH_COLUMNS for name in table.colnames if name.lower() == want), None)
    if name is None:
        raise ValueError(
            f"the table has no column of paths called {', '.join(PATH_COLUMNS)}; it has {', '.join(table.colnames)}"
        )
    if not len(table):
        raise ValueError("the table of files has no rows")
    return table, name
