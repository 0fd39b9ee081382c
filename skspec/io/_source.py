"""One file, opened once, for all identifiers and the reader."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from functools import cached_property
from types import TracebackType

from skspec.io._errors import SpectrumReadError
from skspec.io._fits import FitsFile

_HEAD = 1 << 18  # most survey spectra are smaller than this and are read in one go


class Source:
    """A file as identifiers and readers see it; gzip is undone transparently.

    Parameters
    ----------
    path : path-like
        The file.
    wave_unit : str, default=None
        Unit of wavelengths where the file gives none.

    Attributes
    ----------
    path, wave_unit : str
        As given.
    size : int
        Number of bytes, decompressed.
    head : bytes
        The first 256 KiB, decompressed.

    Raises
    ------
    SpectrumReadError
        If the file cannot be opened, is empty, or is a broken gzip file.
    """

    def __init__(self, path: str | os.PathLike[str], *, wave_unit: str | None = None) -> None:
        self.path = os.fspath(path)
        self.wave_unit = wave_unit
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

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if "fits" in self.__dict__ and self.fits is not None:
            self.fits.close()

    def read(self, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop`, fewer where the file ends before."""
        if stop <= len(self.head) or len(self.head) == self.size:
            return self.head[start:stop]
        self._file.seek(start)
        parts = []
        while start < stop and (part := self._file.read(stop - start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    @property
    def data(self) -> bytes:
        """The whole file."""
        return self.read(0, self.size)

    def reopen(self) -> str | io.BytesIO:
        """Return what a library that opens files itself is to be given: the path, or the decompressed bytes."""
        return io.BytesIO(self.head) if self._packed else self.path

    @cached_property
    def fits(self) -> FitsFile | None:
        """The file as FITS, or None if it is something else."""
        return FitsFile(self) if self.head.startswith(b"SIMPLE  =") else None

    @property
    def hdus(self) -> FitsFile:
        """The file as FITS, for readers.

        Raises
        ------
        SpectrumReadError
            If it is something else.
        """
        if self.fits is None:
            raise SpectrumReadError(self.path, f"is no FITS file, it starts with {self.head[:12]!r}")
        return self.fits

    @cached_property
    def is_text(self) -> bool:
        """Whether the file looks like text."""
        return self.fits is None and not any(byte in self.head[:4096] for byte in (b"\0", b"\xff", b"\x01"))

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the text in `head` without their ends; the last may be cut."""
        return self.head.decode("utf-8-sig", errors="replace").splitlines() if self.is_text else []

    @cached_property
    def text(self) -> str:
        """The whole file as text."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.data.decode("latin-1")
