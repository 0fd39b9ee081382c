"""Header of a FITS HDU, whose cards are parsed on first use.

Reference: FITS standard 4.0, sections 4 and 7.3, https://fits.gsfc.nasa.gov/fits_standard.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import accumulate
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skspec.io._limits import check_unpacked

CARD = 80
PIXEL = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
CELL = {"L": ">B", "B": ">B", "I": ">h", "J": ">i", "K": ">q", "E": ">f", "D": ">d"}
_WIDTH = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_STRING = re.compile(rb" *'((?:[^']|'')*)'")
_FORM = re.compile(r"(\d{0,18})([LXBIJKAEDCMPQ])([LXBIJKAEDCM]?)")
_NUMBERED = {stem: re.compile(stem + rb"(\d+) *= '([^']*?) *'(?!')") for stem in (b"TTYPE", b"TFORM")}
_MOST, _LARGEST = 999, 1 << 63  # axes or columns, and bytes
_NUMBERS = [b"%d" % i for i in range(1, 1000)]


class Geometry(NamedTuple):
    """Kind, shape and size of the data, from the mandatory cards."""

    kind: str  # "image", "table" (binary) or "other"
    axes: tuple[int, ...]  # in numpy's order
    plain: bool  # neither compressed nor scaled
    n_bytes: int
    name: str  # EXTNAME in upper case


class Header:
    """Cards of one header, from the bytes before END."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        names = np.frombuffer(raw, "S8")[:: CARD // 8]
        # In reverse, since the first of repeated cards counts.
        self._at = dict(zip(names[::-1].tolist(), range(len(raw) - CARD, -1, -CARD), strict=True))

    def _card(self, key: str) -> bytes:
        """Return card `key` without its name; empty if there is none."""
        at = self._at.get(key.ljust(8).encode())
        return b"" if at is None else self.raw[at + 8 : at + CARD]

    def __contains__(self, key: str) -> bool:
        return key.ljust(8).encode() in self._at

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of card `key` as bool, int, float or stripped str; `default` if absent or undefined."""
        card = self._card(key)
        if card[:2] != b"= ":
            return default
        if match := _STRING.match(card, 2):
            text = match[1].replace(b"''", b"'").decode("latin-1")
            return self._unusual(key) if text.endswith("&") else text.strip()
        value = card[2:].partition(b"/")[0].strip()
        if not value:
            return default
        if value in (b"T", b"F"):
            return value == b"T"
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value.replace(b"D", b"E"))
        except ValueError:
            return self._unusual(key)

    def comment(self, key: str) -> str:
        """Return the comment of card `key`; empty if there is none."""
        card = self._card(key)
        match = _STRING.match(card, 2)
        rest = card[match.end() :] if match else card
        return rest.partition(b"/")[2].decode("latin-1").strip()

    def _unusual(self, key: str) -> Any:
        from astropy.io.fits import Header as AstropyHeader  # noqa: PLC0415

        value = AstropyHeader.fromstring(self.raw)[key]
        return value.strip() if isinstance(value, str) else value

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Columns of a binary table by upper-case name, empty for other HDUs."""
        return self.stored_columns if self.geometry.kind == "table" else {}

    @cached_property
    def stored_columns(self) -> Columns:
        """Columns of a binary table, also of one that holds a compressed image."""
        return Columns(self)

    def count(self, key: str, default: int, most: int = _LARGEST, least: int = 0) -> int:
        """Return card `key`, an integer.

        Raises
        ------
        ValueError
            If it is not an integer from `least` to `most`.
        """
        value: Any = default
        if (at := self._at.get(key.ljust(8).encode())) is not None:
            try:
                value = int(self.raw[at + 10 : at + CARD].partition(b"/")[0])
            except ValueError:
                value = self.get(key, default)
        if type(value) is not int or not least <= value <= most:
            limits = f"from {least} to {most}" if most < _LARGEST else f"not below {least}"
            raise ValueError(f"{key} is {str(value)[:30]}, an integer {limits} is needed")
        return value

    @cached_property
    def geometry(self) -> Geometry:
        """Kind, shape and size of the data.

        Raises
        ------
        ValueError
            If a card has a value that is not possible.
        """
        count = self.count
        n_axes, bits = count("NAXIS", 0, _MOST), self.get("BITPIX", 8)
        if type(bits) is not int or bits not in PIXEL:
            raise ValueError(f"BITPIX is {str(bits)[:30]}, one of {', '.join(map(str, PIXEL))} is needed")
        stored = tuple(count(f"NAXIS{i}", 0) for i in range(n_axes, 0, -1))
        extension, compressed = self.get("XTENSION", "IMAGE"), self.get("ZIMAGE", False) is True
        kind = {"IMAGE": "image", "BINTABLE": "table"}.get(extension, "other")
        if kind == "table" and (n_axes != 2 or bits != 8):
            raise ValueError(f"a table has NAXIS = 2 and BITPIX = 8, it has {n_axes} and {bits}")
        groups, heap = count("GCOUNT", 1, least=int(kind != "other")), count("PCOUNT", 0)
        if groups != 1 and kind == "table":
            raise ValueError(f"GCOUNT is {groups} in a table, 1 is needed")
        grouped = n_axes > 0 and stored[-1] == 0 and self.get("GROUPS", False) is True
        if grouped:
            kind = "other"
        n_bytes = abs(bits) // 8 * groups * (heap + prod(stored[:-1] if grouped else stored)) if n_axes else 0
        if n_bytes > _LARGEST:
            raise ValueError("NAXISn, PCOUNT and GCOUNT give more than 2**63 bytes of data")
        axes, plain = stored, not compressed
        if compressed:
            kind = "image"
            axes = self._compressed_axes(n_bytes)
        elif kind == "image":
            scaled = self.get("BSCALE", 1) != 1 or self.get("BZERO", 0) != 0
            plain = not scaled and "BLANK" not in self
        name = str(self.get("EXTNAME", "" if "XTENSION" in self else "PRIMARY")).upper()
        return Geometry(kind, axes, plain, n_bytes, name)

    def _compressed_axes(self, packed: int) -> tuple[int, ...]:
        """Shape of a compressed image, which is stored in `packed` bytes."""
        n_axes = self.count("ZNAXIS", 0, _MOST, 1)
        axes = tuple(self.count(f"ZNAXIS{i}", -1) for i in range(n_axes, 0, -1))
        tile = [
            self.count(f"ZTILE{i + 1}", n if i == 0 else 1, max(n, 1), 1) for i, n in enumerate(axes[::-1])
        ]
        bits = self.get("ZBITPIX")
        if bits not in PIXEL:
            raise ValueError(f"ZBITPIX is {str(bits)[:30]}, one of {', '.join(map(str, PIXEL))} is needed")
        check_unpacked(abs(bits) // 8 * max(prod(axes), prod(tile)), packed, "the compressed image")
        return axes


class Column(NamedTuple):
    """Name, number and format of a column, and its offset in a row."""

    name: str
    number: int
    offset: int
    code: str
    repeat: int
    plain: bool
    item_width: int


class Columns(Mapping[str, Column]):
    """Columns of a binary table by upper-case name.

    Only the offsets of all columns are computed: catalogues have hundreds of columns, of which a few are needed.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        n_columns = header.count("TFIELDS", 0, _MOST)
        self._names = _strings(header, b"TTYPE", n_columns)
        self._forms = list(map(_form, _strings(header, b"TFORM", n_columns)))
        self._offsets = list(accumulate((form[2] for form in self._forms), initial=0))
        width, needed = header.count("NAXIS1", 0), self._offsets[-1]
        if width != needed:
            raise ValueError(
                f"a row of the table has {width} bytes by NAXIS1 and {needed} by the formats TFORMn"
            )
        # In reverse, since the first of equal names counts.
        upper = "\n".join(self._names).upper().split("\n") if n_columns else []
        self._numbers = dict(zip(reversed(upper), range(n_columns - 1, -1, -1), strict=True))

    def __getitem__(self, name: str) -> Column:
        number = self._numbers[name]
        repeat, code, _, item_width = self._forms[number]
        scaled = any(f"{stem}{number + 1}" in self._header for stem in ("TSCAL", "TZERO", "TDIM"))
        plain = not scaled and repeat > 0 and (code in CELL or code == "A")
        return Column(self._names[number], number, self._offsets[number], code, repeat, plain, item_width)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def _strings(header: Header, stem: bytes, n: int) -> list[str]:
    """Values of the string cards ``stem1`` to ``stemN``."""
    found = _NUMBERED[stem].findall(header.raw)
    numbers, values = zip(*found, strict=True) if found else ((), ())
    if b" ".join(numbers) != b" ".join(_NUMBERS[:n]):  # out of order, incomplete, or a match in a comment
        return [str(header.get(f"{stem.decode()}{i + 1}", "")) for i in range(n)]
    return b"\n".join(values).decode("latin-1").split("\n")


@lru_cache(maxsize=256)
def _form(form: str) -> tuple[int, str, int, int]:
    """Repeat, code and width in bytes of a TFORM value, and the width of an element in arrays of variable length."""
    match = _FORM.match(form.strip())
    if match is None:
        raise ValueError(f"the FITS column format {form!r} is not known")
    repeat, code = int(match[1] or 1), match[2]
    width = -(-repeat // 8) if code == "X" else repeat * _WIDTH[code]
    return repeat, code, width, _WIDTH.get(match[3], 1)
