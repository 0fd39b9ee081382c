"""The bytes of one file, opened once; gzip is decompressed."""

from __future__ import annotations

import io
import os
import stat
import zlib
from types import TracebackType
from typing import Self

from skspec.io._errors import SpectrumReadError, UnknownFormatError
from skspec.io._limits import FREE, check_unpacked

_HEAD = 1 << 18  # most survey spectra are smaller than this and are read in one go


class ByteFile:
    """Path, size and first bytes of a file; see `Source`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.notices: list[tuple[str, int]] = []
        try:
            status = os.stat(self.path)
            if not stat.S_ISREG(status.st_mode):  # a pipe or device might never answer
                raise self._not_a_file(status.st_mode)
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115  (closed by __exit__)
        except SpectrumReadError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            cause = getattr(error, "strerror", None) or str(error)
            raise SpectrumReadError(self.path, cause[:1].lower() + cause[1:]) from error
        try:
            self._open(status)
        except BaseException as error:
            self._file.close()
            if isinstance(error, ValueError) and not isinstance(error, SpectrumReadError):
                raise SpectrumReadError(self.path, str(error)) from error
            raise

    def _open(self, status: os.stat_result) -> None:
        """Read the first bytes, or unpack all."""
        self.size = status.st_size
        if self.size > FREE and hasattr(status, "st_blocks"):
            check_unpacked(self.size, 512 * status.st_blocks, "the sparse file")
        try:
            self.head = self._file.read(_HEAD)
            self._packed = self.head[:2] == b"\x1f\x8b"
            if self._packed:
                self.head = self._unpacked()
                self.size = len(self.head)
        except (OSError, EOFError, zlib.error) as error:
            raise SpectrumReadError(
                self.path, f"cannot be decompressed, it may be truncated ({error})"
            ) from error
        if not self.size:
            raise SpectrumReadError(self.path, "the file is empty")

    def _unpacked(self) -> bytes:
        """Decompress all members of a gzip file, a part at a time, and stop where it grows too large."""
        unpacked, raw = io.BytesIO(), self.head
        while raw:
            member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            while not member.eof:
                raw = raw or self._file.read(_HEAD)
                if not raw:
                    raise EOFError("its end is missing")
                unpacked.write(member.decompress(raw, 4 * _HEAD))
                raw = member.unconsumed_tail
                check_unpacked(unpacked.tell(), self._file.tell())
            raw = member.unused_data or self._file.read(_HEAD)
            while raw and not (raw := raw.lstrip(b"\0")):  # padding
                raw = self._file.read(_HEAD)
        return unpacked.getvalue()

    def _not_a_file(self, mode: int) -> SpectrumReadError:
        if stat.S_ISDIR(mode):
            readable = os.access(self.path, os.R_OK | os.X_OK)
            return SpectrumReadError(
                self.path, "is a directory" if readable else "the directory cannot be read, permission denied"
            )
        kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        return UnknownFormatError(self.path, f"is a {kinds.get(stat.S_IFMT(mode), 'device')}, not a file")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop`, fewer where the file ends before."""
        if stop <= len(self.head) or len(self.head) == self.size:
            return self.head[start:stop]
        self._file.seek(start)
        parts = []
        while start < stop and (part := self._file.read(stop - start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def notice(self, text: str, count: int = 0) -> None:
        """Have `read_spectra` warn of something in this file, once for all files with the same text.

        ``{n}`` in `text` becomes the sum of `count` over these files.
        """
        self.notices.append((text, count))

    def reopen(self) -> str | io.BytesIO:
        """Return what to give a library that opens files itself: the path, or the decompressed bytes."""
        return io.BytesIO(self.head) if self._packed else self.path
