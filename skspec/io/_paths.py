"""Find the files to read from paths, glob patterns, directories, lists and tables."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from astropy.table import Table

from skspec.io._errors import SpectrumReadError
from skspec.io._file import ByteFile
from skspec.spectra import is_frame, table_from_pandas

PATH_COLUMNS = ("file", "path", "filename")
_OUTPUTS = ".skspec"  # models
_LONGEST_LIST = 1 << 26  # bytes


class Wanted(NamedTuple):
    """A file to read, and whether it was named itself (True) or found in a directory."""

    path: str
    named: bool


def find_files(source: Any, *, recursive: bool = True) -> list[Wanted]:
    """Find the files of a path, glob pattern, directory, list in a text file, or any mixed list of these.

    Parameters
    ----------
    source : path-like or iterable of these
    recursive : bool, default=True
        Whether to search the subdirectories of directories.

    Returns
    -------
    list of Wanted
        Each file once, whatever names it has, with a warning if there were more.

    Raises
    ------
    TypeError
        If `source` is none of these.
    ValueError
        If a list is empty.
    SpectrumReadError
        If a pattern matches no file, a directory has none, or a text file of paths cannot be read.
    """
    found = _find_all(source, recursive)
    if not found:
        raise ValueError("source is an empty list; at least one file is needed")
    return _once(found) if len(found) > 1 else found


def _find_all(source: Any, recursive: bool) -> list[Wanted]:
    if isinstance(source, str | os.PathLike):
        return _find(os.path.expanduser(os.fspath(source)), recursive)
    if not isinstance(source, Iterable):
        raise TypeError(
            "source must be a path, a glob pattern, a directory, a list of these or a table with a column of paths, "
            f"got {type(source).__name__}"
        )
    return [wanted for item in source for wanted in _find_all(item, recursive)]


def _find(path: str, recursive: bool) -> list[Wanted]:
    if _is_directory(path):
        return _in_directory(path, recursive)
    if path.startswith("@") and not os.path.lexists(path):
        return _in_list(os.path.expanduser(path[1:]), recursive)
    if glob.has_magic(path) and not os.path.lexists(path):
        matches = sorted(set(_matches(path)))
        if not matches:
            raise SpectrumReadError(path, "no file matches this pattern")
        return [Wanted(match, named=True) for match in matches]
    return [Wanted(path, named=True)]  # if it does not exist, opening it fails, which may be skipped


def _is_directory(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:  # a null character
        return False


def _in_directory(path: str, recursive: bool) -> list[Wanted]:
    """Files in a directory, then those in its subdirectories; without hidden ones and models of skspec."""
    found: list[Wanted] = []
    n_searched, left_out = 0, []
    seen = {_identity(path)}
    stack = [path]
    while stack:
        directory = stack.pop()
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError:
            if directory == path:
                raise SpectrumReadError(path, "the directory cannot be read, permission denied") from None
            found.append(Wanted(directory, named=False))  # its error says why
            continue
        n_searched += 1
        below = []
        for entry in entries:
            if entry.name[0] == "." or entry.name.endswith(_OUTPUTS):
                left_out.append(entry.name)
            elif not _is_directory(entry.path):
                found.append(Wanted(entry.path, named=False))
            elif not recursive:
                left_out.append(f"{entry.name}{os.sep}")
            elif (identity := _identity(entry.path)) not in seen:  # links may lead back
                seen.add(identity)
                below.append(entry.path)
        stack += reversed(below)
    if not found:
        searched = f" and its {n_searched - 1} subdirectories have" if n_searched > 1 else " has"
        names = ", ".join(left_out[:3]) + (f" and {len(left_out) - 3} more" if len(left_out) > 3 else "")
        rest = f" (left out: {names})" if left_out else ""
        raise SpectrumReadError(path, f"the directory{searched} no files{rest}")
    return found


def _in_list(path: str, recursive: bool) -> list[Wanted]:
    """Files that a text file names, one path a line, relative to its directory or else the working directory."""
    with ByteFile(path) as file:
        if file.size > _LONGEST_LIST:
            raise SpectrumReadError(
                path, f"a list of paths may have {_LONGEST_LIST:,} bytes, it has {file.size:,}"
            )
        content = file.read(0, file.size)
    if b"\0" in content:
        raise SpectrumReadError(path, "is not a text file with one path a line")
    lines = content.decode("utf-8-sig", errors="surrogateescape").splitlines()
    wanted = [line for line in map(str.strip, lines) if line and line[0] != "#"]
    if not wanted:
        raise SpectrumReadError(path, "the list has no paths")
    found = []
    for line in wanted:
        if line[0] == "@":
            raise SpectrumReadError(path, f"a list of paths cannot name another list, it has {line}")
        entry = os.path.join(os.path.dirname(path), os.path.expanduser(line))
        there = os.path.lexists(entry) or (glob.has_magic(entry) and any(_matches(entry)))
        here = os.path.lexists(line) or (glob.has_magic(line) and any(_matches(line)))
        found += _find(line if here and not there else entry, recursive)
    return found


def _matches(pattern: str) -> Iterator[str]:
    """Files that match a glob pattern; ``**`` enters each directory once, where links lead in circles."""
    parts = pattern.split(os.sep)
    if "**" not in parts:
        yield from (match for match in glob.iglob(pattern) if not _is_directory(match))
        return
    first = parts.index("**")
    rest = parts[first + 1 :] or ["*"]
    seen = set()
    stack = [
        path for path in glob.iglob(os.sep.join([*parts[:first], ""]) or os.curdir) if _is_directory(path)
    ]
    while stack:
        directory = stack.pop()
        if (identity := _identity(directory)) in seen:
            continue
        seen.add(identity)
        plain = "" if first == 0 and directory == os.curdir else directory
        yield from _matches(os.path.join(glob.escape(plain), *rest))
        below = glob.iglob(os.path.join(glob.escape(plain), "*", ""))
        stack += [path.removesuffix(os.sep) for path in below]


def _once(found: list[Wanted]) -> list[Wanted]:
    """Leave out files that are listed before, under the same or another name, with a warning."""
    first: dict[tuple[Any, ...], Wanted] = {}
    repeated = [wanted for wanted in found if first.setdefault(_identity(wanted.path), wanted) is not wanted]
    if repeated:
        warnings.warn(
            f"{len(repeated)} names are of files that were named before (by name, link or pattern; the first is "
            f"{repeated[0].path}), and each file is read once; to read files repeatedly, give a table of paths",
            stacklevel=4,
        )
    return list(first.values())


def _identity(path: str) -> tuple[Any, ...]:
    """Return what is equal for two names of one file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return (path,)
    return (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)


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
