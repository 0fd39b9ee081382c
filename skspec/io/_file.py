"""The bytes of one file, opened once; gzip is decompressed."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from types import TracebackType
from typing import Self

from skspec.io._errors import SpectrumReadError

_HEAD = 1 << 18  # most survey spectra are smaller than this and are read in one go


class ByteFile:
    """Path, size and first bytes of a file; see `Source`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115  (closed by __exit__)
        except OSError as error:
            raise SpectrumReadError(self.path, (error.strerror or str(error)).lower()) from error
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self.head = self._file.read(_HEAD)
            self._packed = self.head[:2] == b"\x1f\x8b"
            if self._packed:
                self.head = gzip.decompress(self.head + self._file.readall())
                self.size = len(self.head)
        except (OSError, EOFError, zlib.error) as error:
            self._file.close()
            raise SpectrumReadError(
                self.path, f"cannot be decompressed, it may be truncated ({error})"
            ) from error
        if not self.size:
            self._file.close()
            raise SpectrumReadError(self.path, "the file is empty")

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

    def reopen(self) -> str | io.BytesIO:
        """Return what to give a library that opens files itself: the path, or the decompressed bytes."""
        return io.BytesIO(self.head) if self._packed else self.path
