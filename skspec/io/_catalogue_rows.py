"""Read a large catalogue a few megabytes at a time: delimited text or a FITS binary table, optionally gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Protocol, cast

import numpy as np
from astropy.io import ascii as astropy_ascii
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from skspec.io._file import ByteFile
from skspec.io._fits import FitsFile

_CHUNK = 1 << 24  # bytes; the positions of its separators take three times as much
_DELIMITERS = "|\t,"
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_LONE_RETURN = re.compile(rb"\r(?!\n)")


@dataclass
class Chunk:
    """Consecutive rows: some columns as bytes, and a function that returns a row as stored in the file."""

    n_rows: int
    columns: dict[str, NDArray[np.bytes_]]
    row: Callable[[int], bytes]


class Catalogue(Protocol):
    """An open catalogue."""

    names: list[str]

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows in order, once, with the columns `names`."""

    def table(self, rows: Sequence[bytes]) -> Table:
        """Convert rows returned by `Chunk.row` to a table."""


@contextmanager
def open_catalogue(path: str) -> Iterator[Catalogue]:
    """Open a catalogue of either kind."""
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
    """Text with a header line and columns separated by ``|``, tabs or commas; each row is a line."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self._path, self._stream = path, stream
        self._line = 1  # line number of the start of the current text
        while (line := stream.readline(1 << 20)).isspace():
            self._line += 1
        self._check_characters(line)
        header = line.decode("utf-8-sig").strip("\r\n").removeprefix("#")
        self._delimiter = max(_DELIMITERS, key=header.count)
        self.names = [name.strip() for name in self._cells(header)]
        if len(self.names) < 2 or not line.endswith(b"\n"):
            raise ValueError(
                f"{path}: a line of column names separated by '|', commas or tabs is needed, or a FITS table"
            )
        # As in CSV, a quote opens a cell only at its start, after blanks; elsewhere it may mean inches or arcseconds.
        self._quoted = re.compile(
            rb'(?<![^%b\n]) *+"[^"\n]*+(?:""[^"\n]*+)*+(")?' % re.escape(self._delimiter.encode())
        )

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows in order, once, with the columns `names`."""
        rest = b""
        self._line += 1
        while part := self._stream.read(_CHUNK):
            text = rest + part
            end = text.rfind(b"\n") + 1
            text, rest = text[:end], text[end:]
            if len(rest) > _CHUNK:
                raise ValueError(f"{self._path}: line {self._line} has more than {_CHUNK:,} bytes")
            if text:
                yield self._chunk(text, names)
        if rest.strip():
            yield self._chunk(rest + b"\n", names)

    def _chunk(self, text: bytes, names: Sequence[str]) -> Chunk:
        """Return a chunk of whole lines."""
        self._check_characters(text)
        raw = np.frombuffer(text, np.uint8)
        ends, separators = np.flatnonzero(raw == _NEWLINE), np.flatnonzero(raw == ord(self._delimiter))
        quotes = b'"' in text
        if quotes:
            marks = self._quote_marks(text, raw, ends)
            separators = separators[np.searchsorted(marks, separators) % 2 == 0]
        starts, n_lines = np.r_[0, ends[:-1] + 1], len(ends)
        m = len(self.names) - 1
        cells = np.diff(np.searchsorted(separators, ends), prepend=0)
        if (cells != m).any():
            odd = np.flatnonzero(cells != m)
            blank = [i for i in odd.tolist() if not text[starts[i] : ends[i]].strip()]
            bad = np.setdiff1d(odd, blank)
            if bad.size:
                raise ValueError(
                    f"{self._path}: line {self._line + bad[0]} has {cells[bad[0]] + 1} cells for {m + 1} columns, "
                    "the file may be damaged"
                )
            separators = separators[np.isin(np.searchsorted(ends, separators), blank, invert=True)]
            starts, ends = np.delete(starts, blank), np.delete(ends, blank)
        n = len(ends)
        last = ends - (raw[ends - 1] == _RETURN)
        edges = np.column_stack([starts - 1, separators.reshape(n, m), last])
        columns = {}
        for name in names:
            at = self.names.index(name)
            columns[name] = _cut(raw, edges[:, at] + 1, edges[:, at + 1])
            if quotes:
                self._unquote(columns[name])
        self._line += n_lines
        return Chunk(n, columns, lambda i: text[starts[i] : ends[i] + 1])

    def _check_characters(self, text: bytes) -> None:
        """Raise ValueError unless the text is valid UTF-8."""
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError as error:
                problem = "is not UTF-8; convert text in latin-1 with iconv -f latin1 -t utf-8"
                raise self._error(text, error.start, problem) from None
        if b"\0" in text:
            raise self._error(text, text.index(b"\0"), "has a zero byte; UTF-8 text or FITS is needed")
        if b"\r" in text and text.count(b"\r") > text.count(b"\r\n") and (lone := _LONE_RETURN.search(text)):
            raise self._error(text, lone.start(), "has a carriage return before its end")

    def _error(self, text: bytes, at: int, problem: str) -> ValueError:
        """Return the error for a position in the current text."""
        line = self._line + text.count(b"\n", 0, at)
        return ValueError(f"{self._path}: line {line} {problem}")

    def _quote_marks(self, text: bytes, raw: NDArray[np.uint8], ends: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the positions of the quotes that open and close cells, in turn."""
        marks = np.flatnonzero(raw == _QUOTE)
        opening, closing = marks[::2], marks[1::2]
        if opening.size == closing.size:
            before = raw[opening - 1]  # index -1 for the first byte is the final newline
            paired = np.searchsorted(ends, opening) == np.searchsorted(ends, closing)
            if (paired & np.isin(before, [ord(self._delimiter), _NEWLINE, _QUOTE])).all():
                return marks
        spans = []
        for cell in self._quoted.finditer(text):
            if cell[1] is None:
                problem = "has a cell whose opening quote is not closed; a row must be one line"
                raise self._error(text, cell.start(), problem)
            spans += [cell.start(), cell.end() - 1]
        return np.array(spans, dtype=np.intp)

    def _unquote(self, cells: NDArray[np.bytes_]) -> None:
        """Remove the quotes of cells, in place."""
        quoted = np.char.find(cells, b'"') >= 0
        values, which = np.unique(cells[quoted], return_inverse=True)
        plain = [self._cells(value.decode())[0].encode() for value in values.tolist()]
        cells[quoted] = np.array(plain, dtype=cells.dtype)[which]

    def _cells(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter, skipinitialspace=True), [])
        except csv.Error as error:
            raise ValueError(f"{self._path}: {error}") from error

    def table(self, rows: Sequence[bytes]) -> Table:
        """Convert rows returned by `Chunk.row` to a table."""
        text = io.StringIO()
        # Comma-separated, since astropy strips tabs at the ends of lines, which would shift the cells.
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.names)
        writer.writerows(self._cells(row.decode().rstrip("\r\n")) for row in rows)
        # As a list, since astropy would also split a string at characters other than newlines.
        table = astropy_ascii.read(text.getvalue().split("\n")[:-1], format="csv")
        if len(table) != len(rows):
            raise ValueError(f"{self._path}: astropy read {len(table)} of the {len(rows)} drawn rows")
        return table


def _cut(raw: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.bytes_]:
    """Return the cells of one column as bytes."""
    width = int((ends - starts).max(initial=1))
    at = starts[:, None] + np.arange(width)
    inside = at < ends[:, None]
    cells = np.where(inside, raw[np.minimum(at, raw.size - 1)], 0).astype(np.uint8)
    return np.ascontiguousarray(cells).view(f"S{width}")[:, 0]


class _Content:
    """A file as `FitsFile` reads it, of which only the headers are wanted."""

    size = 1 << 62  # not known of a packed file

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self.path, self._stream = path, stream

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop`, fewer where the file ends before."""
        try:
            self._stream.seek(start)
        except OSError:  # where no file can have bytes
            return b""
        return self._stream.read(stop - start)


class FitsCatalogue:
    """The first binary table of a FITS file."""

    def __init__(self, path: str, stream: IO[bytes]) -> None:
        self._path, self._stream = path, stream
        next(
            (one for one in FitsFile(cast("ByteFile", _Content(path, stream))) if one.columns), None
        )  # checks them
        with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
            warnings.simplefilter(
                "ignore", AstropyUserWarning
            )  # about truncated files, which raise an error below
            hdu = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)), None)
            if hdu is None:
                kind = "an ASCII" if any(isinstance(hdu, fits.TableHDU) for hdu in hdus) else "no"
                raise ValueError(f"{path}: the FITS file has {kind} table; a binary table is needed")
            self._header = hdu.header.copy()
            self._start = hdu.fileinfo()["datLoc"]
            self._dtype = hdu.columns.dtype
            self.names = hdu.columns.names
        if self._header["PCOUNT"]:
            raise ValueError(f"{path}: the table has columns of variable length, which are not supported")

    def chunks(self, names: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows in order, once, with the columns `names`."""
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
            yield self._chunk(raw, n, names)

    def _chunk(self, raw: bytes, n: int, names: Sequence[str]) -> Chunk:
        """Return a chunk of `n` rows."""
        stored, width = np.frombuffer(raw, self._dtype), self._dtype.itemsize
        columns = {}
        hdu = None
        for name in names:
            values = stored[name]
            if values.ndim > 1:
                raise ValueError(f"{self._path}: column {name!r} has vectors; one value per row is needed")
            if values.dtype.kind != "S":
                hdu = hdu or self._hdu(raw, n)
                values = _decoded(hdu, name)
            columns[name] = values
        return Chunk(n, columns, lambda i: raw[i * width : (i + 1) * width])

    def _hdu(self, data: bytes, n: int) -> fits.BinTableHDU:
        self._header["NAXIS2"] = n
        content = self._header.tostring().encode() + data + bytes(-len(data) % 2880)
        return fits.BinTableHDU.fromstring(content, uint=True)  # the default of fits.open

    def table(self, rows: Sequence[bytes]) -> Table:
        """Convert rows returned by `Chunk.row` to a table."""
        return Table.read(self._hdu(b"".join(rows), len(rows)))


def _decoded(hdu: fits.BinTableHDU, name: str) -> NDArray[np.bytes_]:
    """Return a column of numbers or booleans as text; empty where astropy masks them."""
    column = hdu.columns[name]
    if column.format.format == "L":
        stored = hdu.data.view(np.ndarray)[name]  # astropy reads undefined values as False
        return np.select([stored == ord("T"), stored == 0], [b"True", b""], b"False")
    values = np.asarray(hdu.data[name])
    text = values.astype(np.bytes_)
    if column.null is not None:
        text[values == column.null] = b""
    elif values.dtype.kind in "fc":
        text[np.isnan(values)] = b""
    return text


def file_path(path: str | os.PathLike[str]) -> str:
    """Return the path with ``~`` expanded; FileNotFoundError or IsADirectoryError if it is not a file."""
    path = os.path.expanduser(os.fspath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path}: is a directory; a file is needed")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file")
    return path
