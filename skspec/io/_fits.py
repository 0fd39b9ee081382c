"""Fast FITS reader: plain images and binary tables are parsed here, everything else by astropy.

`astropy.io.fits` spends 20 to 50 ms on a survey file, mostly on the ~130 columns of the one-row catalogue table. This
reader scans only the headers of the HDUs in use and converts only the bytes needed. Values equal those of astropy bit
for bit. Scaled, compressed, variable-length, bit and multi-dimensional data are read by astropy itself.

Reference: FITS standard 4.0, https://fits.gsfc.nasa.gov/fits_standard.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from math import prod
from struct import unpack_from
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._errors import SpectrumReadError
from skspec.io._fits_header import CARD, CELL, PIXEL, Column, Header

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from skspec.io._source import Source

_BLOCK = 2880
_END = re.compile(rb"(?:.{80})*?(?=END {5})", re.DOTALL)


class FitsFile:
    """HDUs of an open file, located on first use."""

    def __init__(self, content: Source) -> None:
        self.content = content
        self._hdus: list[Hdu] = []
        self._end = 0
        self._astropy: HDUList | None = None
        self._scan()

    def __iter__(self) -> Iterator[Hdu]:
        index = 0
        while (hdu := self.get(index)) is not None:
            yield hdu
            index += 1

    def get(self, key: int | str) -> Hdu | None:
        """Return the HDU with this number or EXTNAME (case-insensitive), or None."""
        if isinstance(key, str):
            return next((hdu for hdu in self if hdu.name == key.upper()), None)
        while len(self._hdus) <= key:
            if not self._scan():
                return None
        return self._hdus[key]

    def __getitem__(self, key: int | str) -> Hdu:
        hdu = self.get(key)
        if hdu is None:
            raise SpectrumReadError(self.content.path, f"has no HDU {key!r}, the file may be truncated")
        return hdu

    @property
    def header(self) -> Header:
        """Header of the primary HDU."""
        return self._hdus[0].header

    def __repr__(self) -> str:
        return ", ".join(f"{hdu.name or hdu.index} ({hdu.kind} {hdu.shape})" for hdu in self)

    def astropy(self, index: int) -> Any:
        """Return HDU `index` as read by astropy, for data that are not plain."""
        self[index].check_complete()
        if self._astropy is None:
            from astropy.io import fits  # noqa: PLC0415  (most files never need it)

            self._astropy = fits.open(self.content.reopen(), memmap=False)
        return self._astropy[index]

    def close(self) -> None:
        """Close the file if astropy opened it."""
        if self._astropy is not None:
            self._astropy.close()

    def _scan(self) -> bool:
        """Find the next HDU; return False if there is none."""
        start, size = self._end, 10 * _BLOCK
        if self._hdus:
            self._hdus[-1].check_complete()
            if self.content.read(start, start + 8) != b"XTENSION":
                return False
        while (end := _END.match(raw := self.content.read(start, start + size))) is None:
            if len(raw) < size:
                raise SpectrumReadError(
                    self.content.path,
                    f"the FITS header of HDU {len(self._hdus)} has no END card, the file may be truncated",
                )
            size *= 4
        cards = raw[: end.end()]
        header = _extension_header(cards) if self._hdus else Header(cards)
        hdu = Hdu(self, len(self._hdus), header, start + _padded(len(cards) + CARD))
        self._end = hdu.start + _padded(header.geometry.n_bytes)
        self._hdus.append(hdu)
        return True


class Hdu:
    """One HDU of a file: its number (0 is the primary), its header and the offset of its data."""

    def __init__(self, file: FitsFile, index: int, header: Header, start: int) -> None:
        self.file, self.index, self.header, self.start = file, index, header, start
        self.kind, axes, self._plain, self.n_bytes, self.name = header.geometry
        self.shape = axes[:1] if self.kind == "table" else axes

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns of a table by upper-case name; empty for an image."""
        return self.header.columns

    def image(self, n_rows: int | None = None) -> NDArray[Any]:
        """Return the pixels, of the first `n_rows` rows if given, in native byte order."""
        if not self._plain:
            data = self.file.astropy(self.index).data[:n_rows]
            return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
        dtype = np.dtype(PIXEL[self.header.get("BITPIX")])
        shape = self.shape if n_rows is None else (min(n_rows, self.shape[0]), *self.shape[1:])
        raw = self._bytes(prod(shape) * dtype.itemsize)
        return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))

    def column(self, name: str) -> NDArray[Any]:
        """Return a column in native byte order, shape (n_rows,) or (n_rows, repeat); text is stripped."""
        column = self.columns.get(name.upper())
        if column is None:
            raise SpectrumReadError(self.file.content.path, f"table {self.index} has no column {name!r}")
        if not column.plain:
            data = np.asarray(self.file.astropy(self.index).data.field(column.number))
            return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
        n_rows, width = self.header.geometry.axes
        if not n_rows:
            raise SpectrumReadError(self.file.content.path, f"table {self.name or self.index} has no rows")
        if column.code == "A":
            dtype, repeat = np.dtype(f"S{column.repeat}"), 1
        else:
            dtype, repeat = np.dtype(CELL[column.code]), column.repeat
        cells = np.ndarray(
            (n_rows, repeat), dtype, self._table, offset=column.offset, strides=(width, dtype.itemsize)
        )
        if repeat == 1:
            cells = cells[:, 0]
        if column.code == "A":
            return np.char.strip(np.char.decode(cells, "latin-1"))
        return cells == ord("T") if column.code == "L" else cells.astype(dtype.newbyteorder("="))

    def masked(self, name: str) -> NDArray[Any]:
        """Return `column`, as a masked array where it has values equal to its TNULL."""
        values, column = self.column(name), self.columns[name.upper()]
        null = self.header.get(f"TNULL{column.number + 1}")
        if null is None or (values.dtype != object and column.code not in "BIJK"):
            return values
        scale = self.header.get(f"TSCAL{column.number + 1}", 1)
        zero = self.header.get(f"TZERO{column.number + 1}", 0)
        if values.dtype == object:
            rows = np.empty(len(values), dtype=object)
            rows[:] = [np.ma.masked_array(row, np.rint((row - zero) / scale) == null) for row in values]
            return rows
        n_rows, width = self.header.geometry.axes
        dtype = np.dtype(CELL[column.code])
        strides = (width, dtype.itemsize)
        stored = np.ndarray(
            (n_rows, column.repeat), dtype, self._table, offset=column.offset, strides=strides
        )
        mask = stored == null
        if not mask.any() and scale == 1:  # astropy writes the value of unsigned integers, not the stored one
            mask = values == null
        return np.ma.masked_array(values, mask.reshape(values.shape)) if mask.any() else values

    def cell(self, name: str, row: int = 0) -> Any:
        """Return one value of a table as bool, int, float, stripped str or array; None if it does not exist."""
        column = self.header.columns.get(name.upper())
        n_rows, width = self.header.geometry.axes
        if column is None or row >= n_rows:
            return None
        start = row * width + column.offset
        if column.plain and column.code == "A":
            return self._table[start : start + column.repeat].partition(b"\0")[0].decode("latin-1").strip()
        if column.plain and column.repeat == 1:
            (value,) = unpack_from(CELL[column.code], self._table, start)
            return value == ord("T") if column.code == "L" else value
        value = self.column(name)[row]
        return value.item() if np.ndim(value) == 0 else value

    @cached_property
    def _table(self) -> bytes:
        return self._bytes(prod(self.header.geometry.axes))

    def check_complete(self) -> None:
        """Raise SpectrumReadError if the file ends before the end of the data."""
        needed, size = self.start + self.n_bytes, self.file.content.size
        if needed > size:
            raise SpectrumReadError(
                self.file.content.path,
                f"truncated: HDU {self.index} needs {needed} bytes, the file has {size}",
            )

    def _bytes(self, n: int) -> bytes:
        self.check_complete()
        return self.file.content.read(self.start, self.start + n)


@lru_cache(maxsize=64)
def _extension_header(raw: bytes) -> Header:
    """Header of an extension; cached, since it is often the same in all files of a survey."""
    return Header(raw)


def _padded(n: int) -> int:
    return -(-n // _BLOCK) * _BLOCK
