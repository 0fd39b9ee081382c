"""Rows of a large catalogue, a few megabytes at a time: delimited text or a FITS binary table, gzip undone."""

from __future__ import annotations

import gzip
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

import numpy as np
from astropy.io import ascii as astropy_ascii
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

_CHUNK = 1 << 24  # bytes; the positions of its separators take three times as much
_DELIMITERS = "|\t,"
_NEWLINE, _QUOTE = b"\n"[0], b'"'[0]


@dataclass
class Chunk:
    """Consecutive rows: the columns asked for, as bytes, and access to the rows as they stand in the file."""

    n_rows: int
    columns: dict[str, NDArray[np.bytes_]]
    row: Callable[[int], bytes]


class Catalogue(Protocol):
    """An opened catalogue."""

    names: list[str]

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, once, with the columns `names`."""

    def table(self, rows: Sequence[bytes]) -> Table:
        """Table of rows that `Chunk.row` has given."""


@contextmanager
def open_catalogue(path: str) -> Iterator[Catalogue]:
    """Open a catalogue of either kind.

    Raises
    ------
    OSError
        If the file cannot be opened or decompressed.
    ValueError
        If it is neither kind, or damaged.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else open(path, "rb") as stream:
        try:
            start = stream.read(9)
            stream.seek(0)
            yield (FitsCatalogue if start == b"SIMPLE  =" else TextCatalogue)(path, cast("IO[bytes]", stream))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"{path}: cannot be decompressed, it may be truncated ({error})") from error


class TextCatalogue:
    """Text with a header line and columns separated by ``|``, tabs or commas."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self._path, self._stream = path, stream
        self._header = stream.readline(1 << 20)
        try:
            header = self._header.decode("utf-8-sig").strip("\r\n")
        except UnicodeDecodeError:
            header = ""
        self._delimiter = max(_DELIMITERS, key=header.count)
        self.names = [name.strip().strip('"') for name in header.split(self._delimiter)]
        if len(self.names) < 2 or not self._header.endswith(b"\n"):
            raise ValueError(
                f"{path}: a line of column names separated by '|', commas or tabs is needed, or a FITS table"
            )

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, once, with the columns `names`."""
        rest, line = b"", 2
        while part := self._stream.read(_CHUNK):
            text = rest + part
            end = text.rfind(b"\n") + 1
            text, rest = text[:end], text[end:]
            if text:
                chunk = self._chunk(text, names, line)
                line += chunk.n_rows
                yield chunk
        if rest.strip():
            yield self._chunk(rest + b"\n", names, line)

    def _chunk(self, text: bytes, names: Sequence[str], line: int) -> Chunk:
        """Chunk of whole lines, of which `line` is the number of the first."""
        raw = np.frombuffer(text, np.uint8)
        newline, separator = raw == _NEWLINE, raw == ord(self._delimiter)
        if b'"' in text:
            outside = np.cumsum(raw == _QUOTE, dtype=np.int32) % 2 == 0
            newline &= outside
            separator &= outside
        ends, separators = np.flatnonzero(newline), np.flatnonzero(separator)
        n, m = len(ends), len(self.names) - 1
        cells = np.diff(np.searchsorted(separators, ends), prepend=0)
        if (cells != m).any():
            bad = int(np.flatnonzero(cells != m)[0])
            raise ValueError(
                f"{self._path}: line {line + bad} has {cells[bad] + 1} cells for {m + 1} columns, the file may be damaged"
            )
        starts = np.r_[0, ends[:-1] + 1]
        edges = np.column_stack([starts - 1, separators.reshape(n, m), ends])
        columns = {}
        for name in names:
            at = self.names.index(name)
            columns[name] = _cut(raw, edges[:, at] + 1, edges[:, at + 1])
        return Chunk(n, columns, lambda i: text[starts[i] : ends[i] + 1])

    def table(self, rows: Sequence[bytes]) -> Table:
        """Table of rows that `Chunk.row` has given."""
        text = (self._header + b"".join(rows)).decode("utf-8-sig")
        return astropy_ascii.read(text, format="csv", delimiter=self._delimiter)


def _cut(raw: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.bytes_]:
    """Cells of one column as strings of bytes."""
    width = max(int((ends - starts).max()), 1)
    at = starts[:, None] + np.arange(width)
    inside = at < ends[:, None]
    cells = np.where(inside, raw[np.minimum(at, raw.size - 1)], 0).astype(np.uint8)
    return np.ascontiguousarray(cells).view(f"S{width}")[:, 0]


class FitsCatalogue:
    """The first binary table of a FITS file."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self._path, self._stream = path, stream
        with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
            warnings.simplefilter("ignore", AstropyUserWarning)  # of truncation, which is an error below
            hdu = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)), None)
            if hdu is None:
                raise ValueError(f"{path}: the FITS file has no binary table")
            self._header = hdu.header.copy()
            self._start = hdu.fileinfo()["datLoc"]
            self._dtype = hdu.columns.dtype
            self.names = hdu.columns.names
        if self._header["PCOUNT"]:
            raise ValueError(f"{path}: the table has columns of variable length, which are not supported")

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """All rows in order, once, with the columns `names`."""
        width, n_rows = self._dtype.itemsize, self._header["NAXIS2"]
        step = max(_CHUNK // width, 1)
        self._stream.seek(self._start)
        for first in range(0, n_rows, step):
            n = min(step, n_rows - first)
            raw = self._stream.read(n * width)
            if len(raw) < n * width:
                raise ValueError(
                    f"{self._path}: truncated, the table ends in row {first + len(raw) // width} of {n_rows}"
                )
            yield _fits_chunk(raw, np.frombuffer(raw, self._dtype), names)

    def table(self, rows: Sequence[bytes]) -> Table:
        """Table of rows that `Chunk.row` has given."""
        self._header["NAXIS2"] = len(rows)
        data = b"".join(rows)
        hdu = fits.BinTableHDU.fromstring(self._header.tostring().encode() + data + bytes(-len(data) % 2880))
        return Table.read(hdu)


def _fits_chunk(raw: bytes, rows: NDArray[Any], names: Sequence[str]) -> Chunk:
    width = rows.dtype.itemsize
    columns = {name: rows[name].astype(np.bytes_) for name in names}
    return Chunk(len(rows), columns, lambda i: raw[i * width : (i + 1) * width])


def file_path(path: str | os.PathLike[str]) -> str:
    """Path of a file, the home folder expanded.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    path = os.path.expanduser(os.fspath(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file")
    return path
