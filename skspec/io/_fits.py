"""Fast FITS reader: plain images and binary tables are parsed here, everything else by astropy.

`astropy.io.fits` spends 20 to 50 ms on a survey file, mostly on the ~130 columns of the one-row catalogue table. This
reader scans only the headers of the HDUs in use and converts only the bytes needed. Values equal those of astropy bit
for bit. Scaled, compressed, variable-length, bit and multi-dimensional data are read by astropy itself.

Reference: FITS standard 4.0, https://fits.gsfc.nasa.gov/fits_standard.html
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from math import prod
from struct import unpack_from
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._errors import SpectrumReadError
from skspec.io._file import ByteFile
from skspec.io._fits_header import CARD, CELL, PIXEL, Column, Header
from skspec.io._limits import check_unpacked

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

_BLOCK = 2880
_LONGEST_HEADER = 1 << 23  # bytes
_MOST_HDUS = 10_000
_WIDEST_PIXEL = 8  # bytes
_PART = 1 << 20  # bytes read at a time where only their sum or presence counts
_END = re.compile(rb"(?:.{80})*?(?=END {5})", re.DOTALL)


class FitsFile:
    """HDUs of an open file, located on first use."""

    def __init__(self, content: ByteFile) -> None:
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
                self._check_rest()
                return False
        if len(self._hdus) == _MOST_HDUS:
            raise SpectrumReadError(self.content.path, f"has more than {_MOST_HDUS:,} HDUs")
        while (end := _END.match(raw := self.content.read(start, start + size))) is None:
            if len(raw) < size or size > _LONGEST_HEADER:
                where = "" if len(raw) < size else f" in its first {size:,} bytes"
                raise SpectrumReadError(
                    self.content.path,
                    f"the FITS header of HDU {len(self._hdus)} has no END card{where}, the file may be truncated",
                )
            size *= 4
        cards = raw[: end.end()]
        header = _extension_header(cards) if self._hdus else Header(cards)
        try:
            hdu = Hdu(self, len(self._hdus), header, start, start + _padded(len(cards) + CARD))
        except ValueError as error:
            raise SpectrumReadError(
                self.content.path, f"the FITS header of HDU {len(self._hdus)} is damaged: {error}"
            ) from error
        self._end = hdu.start + _padded(hdu.n_bytes)
        self._hdus.append(hdu)
        return True

    def check_end(self) -> None:
        """Check that what follows the HDUs read so far is an HDU or nothing.

        Raises
        ------
        SpectrumReadError
            If it is something else, as where bytes were lost or inserted; or if the number of bytes is not that
            of a whole file and the sums in the headers do not match.
        """
        if self._end < self.content.size and self.content.read(self._end, self._end + 8) != b"XTENSION":
            self._check_rest()
        if not self.content.size % _BLOCK:
            return
        verified = [hdu.verify() or not hdu.n_bytes for hdu in self._hdus]
        if not all(verified):
            self.content.notice(
                f"the size is not a multiple of {_BLOCK} bytes as that of every whole FITS file, so that bytes may "
                "be missing or wrong; compare the file with the original"
            )

    def verify(self) -> None:
        """Compare all HDUs with the sums in their cards DATASUM and CHECKSUM, where they have them.

        Raises
        ------
        SpectrumReadError
            If a sum does not match.
        """
        for hdu in self:
            hdu.verify()

    def _check_rest(self) -> None:
        """Raise SpectrumReadError unless what follows the last HDU is padding."""
        start = self._end
        while part := self.content.read(start, start + _PART):
            if part.strip(b"\0 "):
                raise SpectrumReadError(
                    self.content.path,
                    f"no HDU begins after HDU {len(self._hdus) - 1} at byte {self._end}, where other data are; bytes "
                    "before may be missing, inserted or wrong",
                )
            start += len(part)


class Hdu:
    """One HDU of a file: its number (0 is the primary), its header and the offsets of it and of its data."""

    def __init__(self, file: FitsFile, index: int, header: Header, begin: int, start: int) -> None:
        self.file, self.index, self.header, self.begin, self.start = file, index, header, begin, start
        self.kind, axes, self._plain, self.n_bytes, self.name = header.geometry
        self.shape = axes[:1] if self.kind == "table" else axes

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns of a table by upper-case name; empty for an image."""
        return self.header.columns

    def image(self, n_rows: int | None = None) -> NDArray[Any]:
        """Return the pixels, of the first `n_rows` rows if given, in native byte order."""
        if self.kind != "image" or 0 in self.shape or not self.shape:
            raise SpectrumReadError(self.file.content.path, f"HDU {self.index} has no image with pixels")
        if not self._plain:
            self._check_tiles()
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
        n_rows, width = self.header.geometry.axes
        if not n_rows:
            raise SpectrumReadError(self.file.content.path, f"the table in HDU {self.index} has no rows")
        if column.code in "PQ":
            self._check_variable(column)
        if not column.plain:
            data = np.asarray(self.file.astropy(self.index).data.field(column.number))
            return np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
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
        return self._bytes(self.header.count("NAXIS1", 0) * self.header.count("NAXIS2", 0))

    def _check_variable(self, column: Column) -> list[tuple[int, int]]:
        """Return the places of arrays of variable length, first bytes and sizes, in the bytes of this HDU.

        Raises
        ------
        SpectrumReadError
            If one lies outside.
        ValueError
            If they share bytes so that they are far larger together than the HDU.
        """
        n_rows, width = self.header.count("NAXIS2", 0), self.header.count("NAXIS1", 0)
        dtype = np.dtype(">i4" if column.code == "P" else ">i8")
        shape, strides = (n_rows, min(column.repeat, 1), 2), (width, 0, dtype.itemsize)
        cells = np.ndarray(shape, dtype, self._table, column.offset, strides).reshape(-1, 2)
        heap = self.header.count("THEAP", n_rows * width, self.n_bytes)
        starts, sizes = (
            heap + cells[:, 1].astype(np.float64),
            column.item_width * cells[:, 0].astype(np.float64),
        )
        if (cells < 0).any() or (starts + sizes > self.n_bytes).any():
            raise SpectrumReadError(
                self.file.content.path,
                f"column {column.name!r} has arrays outside the table of HDU {self.index}",
            )
        check_unpacked(int(sizes.sum()), self.n_bytes, f"column {column.name!r}")
        return list(zip(starts.astype(int).tolist(), sizes.astype(int).tolist(), strict=True))

    def _check_tiles(self) -> None:
        """Raise an error if the tiles of a compressed image lie outside the file, or unpack to more than a tile."""
        if not self.header.get("ZIMAGE", False):
            return
        axes = [self.header.count(f"ZNAXIS{i + 1}", 1) for i in range(len(self.shape))]
        tile = prod(self.header.count(f"ZTILE{i + 1}", n if i == 0 else 1) for i, n in enumerate(axes))
        columns = self.header.stored_columns
        packed = {"GZIP_COMPRESSED_DATA"} | (
            {"COMPRESSED_DATA"} if "GZIP" in str(self.header.get("ZCMPTYPE")) else set()
        )
        for name in columns:
            if (column := columns[name]).code not in "PQ":
                continue
            for start, size in self._check_variable(column):
                if name in packed and size:
                    content = self.file.content.read(self.start + start, self.start + start + size)
                    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
                    unpacker.decompress(content, _WIDEST_PIXEL * tile + 1)
                    if not unpacker.eof:
                        raise SpectrumReadError(
                            self.file.content.path,
                            f"a tile of the compressed image in HDU {self.index} is damaged",
                        )

    def verify(self) -> bool:
        """Compare the bytes with the cards DATASUM and CHECKSUM; return whether there is one.

        Raises
        ------
        SpectrumReadError
            If a sum does not match.
        """
        data_sum, whole = self.header.get("DATASUM"), "CHECKSUM" in self.header
        if not whole and data_sum is None:
            return False
        stop = self.start + _padded(self.n_bytes)
        found = self._sum(self.start, stop, 0)
        if data_sum is not None and str(data_sum).isdecimal() and int(data_sum) != found:
            self._differs("DATASUM")
        # The standard has the sum of a whole HDU be "minus zero", all bits set.
        written = whole and str(self.header.get("CHECKSUM")).strip("0 ")
        if written and self._sum(self.begin, self.start, found) != 0xFFFFFFFF:
            self._differs("CHECKSUM")
        return True

    def _differs(self, card: str) -> None:
        raise SpectrumReadError(
            self.file.content.path,
            f"the bytes of HDU {self.index} do not match its card {card}, the file is damaged",
        )

    def _sum(self, start: int, stop: int, total: int) -> int:
        """Sum of 32-bit words in ones' complement; bytes after the end of the file are 0."""
        for at in range(start, stop, _PART):
            part = self.file.content.read(at, min(at + _PART, stop))
            total += int(np.frombuffer(part + bytes(-len(part) % 4), ">u4").sum(dtype=np.uint64))
        while total >> 32:
            total = (total & 0xFFFFFFFF) + (total >> 32)
        return total

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
