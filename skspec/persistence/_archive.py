"""Zip archives of one layout: entries stored one after the other, then the directory, and nothing else.

`zipfile` reads archives in which entries overlap, swell, or hide behind other data. Such an archive is refused here: all
but the dates follows from names and contents.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple
from zipfile import BadZipFile

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s2B5H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_VERSION = 20  # of the zip format
_SYSTEM = 3  # all but Windows, which is 0
_MODE = 0o600 << 16
_FIRST_DATE = (0, 33)  # 1 January 1980, so that equal entries give equal files
_MAX_ENTRIES = 2**16 - 1
_MAX_SIZE = 2**32 - 1


class _Entry(NamedTuple):
    name: bytes
    time: int
    date: int
    crc: int
    size: int
    offset: int

    def local(self) -> bytes:
        fields = (_VERSION, 0, 0, self.time, self.date, self.crc, self.size, self.size, len(self.name), 0)
        return _LOCAL.pack(_LOCAL_MARK, *fields) + self.name

    def central(self, system: int) -> bytes:
        fields = (_VERSION, system, _VERSION, 0, 0, self.time, self.date, self.crc, self.size, self.size)
        return (
            _CENTRAL.pack(_CENTRAL_MARK, *fields, len(self.name), 0, 0, 0, 0, _MODE, self.offset) + self.name
        )

    @property
    def end(self) -> int:
        return self.offset + _LOCAL.size + len(self.name) + self.size


def pack(entries: dict[str, bytes]) -> Iterator[bytes]:
    """Yield the bytes of an archive; ValueError if they are 4 GiB or more."""
    directory: list[_Entry] = []
    offset = 0
    for name, content in entries.items():
        if len(content) >= _MAX_SIZE - offset:
            raise ValueError("the model is larger than 4 GiB, the limit of a model file")
        entry = _Entry(name.encode("ascii"), *_FIRST_DATE, zlib.crc32(content), len(content), offset)
        directory.append(entry)
        offset = entry.end
        yield entry.local()
        yield content
    yield _ending(directory, offset, [_SYSTEM] * len(directory))


def unpack(
    file: BinaryIO, *, see: Callable[[str, int, Iterable[bytes]], None] | None = None
) -> dict[str, bytes]:
    """Return the entries of an archive by name.

    Parameters
    ----------
    file : binary file
    see : callable, default=None
        Called for each entry with its name, its size and an iterator over its bytes; nothing is then returned or kept.

    Raises
    ------
    zipfile.BadZipFile
        If the layout is not exactly that of `pack`, apart from dates, or a CRC-32 does not fit.
    """
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    directory: list[_Entry] = []
    contents: dict[str, bytes] = {}
    names: set[str] = set()
    offset = 0
    while (mark := file.read(4)) == _LOCAL_MARK:
        entry, name = _read_entry(mark, file, offset, total)
        if name in names:
            raise BadZipFile(f"it has two entries of the same name, {_short(name)}")
        if len(names) == _MAX_ENTRIES:
            raise BadZipFile(f"it has more than {_MAX_ENTRIES} entries")
        names.add(name)
        if see is None:
            contents[name] = file.read(entry.size)
            crc = zlib.crc32(contents[name])
        else:
            reader = _Chunks(file, entry.size)
            see(name, entry.size, reader)
            crc = reader.crc
        if crc != entry.crc:
            raise BadZipFile(f"bad CRC-32 of its entry {_short(name)}")
        directory.append(entry)
        offset = entry.end
    if not directory:
        raise BadZipFile("it is not a zip archive")
    *places, length = _places(directory)
    rest = mark + file.read(length + _END.size + 1 - len(mark))  # one more, to see that nothing follows
    systems = [rest[at + 5] if rest[at + 5 : at + 6] in (b"\0", b"\3") else _SYSTEM for at in places]
    if rest != _ending(directory, offset, systems):
        raise BadZipFile("it is not a zip archive of entries one after the other and nothing else")
    return contents


class _Chunks:
    """Iterate once over the next `size` bytes of a file, and take their CRC-32."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left, self.crc = file, size, 0

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            chunk = self._file.read(min(self._left, 2**20))
            self._left = self._left - len(chunk) if chunk else 0
            self.crc = zlib.crc32(chunk, self.crc)
            yield chunk


def _read_entry(mark: bytes, file: BinaryIO, offset: int, total: int) -> tuple[_Entry, str]:
    header = mark + file.read(_LOCAL.size - 4)
    if len(header) < _LOCAL.size:
        raise BadZipFile("it ends early")
    _, _, flags, method, time, date, crc, packed, size, n_name, _ = _LOCAL.unpack(header)
    name = file.read(n_name)
    try:
        text = name.decode("ascii")
    except UnicodeDecodeError as error:
        raise BadZipFile("it has an entry whose name is not ASCII") from error
    if method or flags & 1:
        raise BadZipFile(f"its entry {_short(text)} is compressed or encrypted, which skspec never writes")
    entry = _Entry(name, time, date, crc, size, offset)
    if header + name != entry.local() or packed != size:
        raise BadZipFile(f"its entry {_short(text)} has a header that skspec never writes")
    if entry.end > total:
        raise BadZipFile(f"its entry {_short(text)} claims more bytes than the file has")
    return entry, text


def _ending(directory: list[_Entry], offset: int, systems: list[int]) -> bytes:
    central = b"".join(entry.central(system) for entry, system in zip(directory, systems, strict=True))
    if offset + len(central) >= _MAX_SIZE or len(directory) > _MAX_ENTRIES:
        raise ValueError("the model is larger than 4 GiB or 65,535 entries, the limits of a model file")
    n = len(directory)
    return central + _END.pack(_END_MARK, 0, 0, n, n, len(central), offset, 0)


def _places(directory: list[_Entry]) -> Iterator[int]:
    """Where the records of the entries begin in the directory, and where they end."""
    at = 0
    for entry in directory:
        yield at
        at += _CENTRAL.size + len(entry.name)
    yield at


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")
