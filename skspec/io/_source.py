"""One file as the formats see it: bytes, FITS or text, each parsed once for all identifiers and the reader."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import Any, Self

from skspec.io._errors import SpectrumReadError
from skspec.io._fits import FitsFile

MaskBits = int | Mapping[str, int] | None

_HEAD = 1 << 18  # most survey spectra are smaller than this and are read in one go


class Source:
    """A file as identifiers and readers see it; gzip is decompressed.

    Parameters
    ----------
    path : path-like
        The file.
    wave_unit : str, default=None
        Unit of the wavelengths if the file does not state it.
    mask_bits : int or dict of str to int, default=None
        Bits of masks that make a pixel missing: for all masks, or by the name of the mask.

    Attributes
    ----------
    path, wave_unit, mask_bits : str, str, int or dict
        As given.
    size, head : int, bytes
        Number of bytes and the first 256 KiB, decompressed.
    notices : list of (str, int)
        Warnings of the reader, see `notice`.
    has_wanted_mask : bool
        Whether a reader found a mask for `mask_bits`.

    Raises
    ------
    SpectrumReadError
        If the file cannot be opened, is empty, or is a damaged gzip file.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, wave_unit: str | None = None, mask_bits: MaskBits = None
    ) -> None:
        self.path, self.wave_unit, self.mask_bits = os.fspath(path), wave_unit, mask_bits
        self.notices: list[tuple[str, int]] = []
        self.has_wanted_mask = False
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

    def __exit__(self, *error: object) -> None:
        self._file.close()
        if "fits" in self.__dict__ and self.fits is not None:
            self.fits.close()

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` to `stop`, or fewer at the end of the file."""
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
        """Return the path, or the decompressed bytes, for a library that opens files itself."""
        return io.BytesIO(self.head) if self._packed else self.path

    @cached_property
    def fits(self) -> FitsFile | None:
        """The file as FITS, or None if it is not FITS."""
        return FitsFile(self) if self.head.startswith(b"SIMPLE  =") else None

    @property
    def hdus(self) -> FitsFile:
        """The file as FITS, for readers; SpectrumReadError if it is not FITS."""
        if self.fits is None:
            raise SpectrumReadError(self.path, f"is not a FITS file, it starts with {self.head[:12]!r}")
        return self.fits

    def optional(self, module: str, extra: str) -> Any:
        """Import a module that reading this file needs; an ImportError names the `extra` of skspec to install."""
        package = module.partition(".")[0]
        try:
            import_module(package)
        except ImportError as error:
            raise ImportError(
                f"{self.path}: reading it needs {package}; pip install 'skspec[{extra}]'"
            ) from error
        return import_module(module)

    @cached_property
    def is_text(self) -> bool:
        """Whether the file looks like text."""
        return self.fits is None and (
            self._utf_16 or not any(byte in self.head[:4096] for byte in (b"\0", b"\xff", b"\x01"))
        )

    @property
    def _utf_16(self) -> bool:
        """Whether the file starts with the byte order mark of UTF-16."""
        return self.head.startswith((b"\xff\xfe", b"\xfe\xff"))

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the text in `head`, without line ends; the last may be incomplete."""
        encoding = "utf-16" if self._utf_16 else "utf-8-sig"
        return self.head.decode(encoding, errors="replace").splitlines() if self.is_text else []

    @cached_property
    def text(self) -> str:
        """The whole file as text."""
        data = self.read(0, self.size)
        try:
            return data.decode("utf-16" if self._utf_16 else "utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("latin-1")
