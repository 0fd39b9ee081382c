"""One file as the formats see it: bytes, FITS or text, each parsed once for all identifiers and the reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from types import TracebackType
from typing import Any

from skspec.io._errors import SpectrumReadError
from skspec.io._file import ByteFile
from skspec.io._fits import FitsFile

MaskBits = int | Mapping[str, int] | None

_LONGEST_TEXT = 1 << 30  # bytes
_PART = 1 << 24


class Source(ByteFile):
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
        If the file cannot be opened, is empty, is a damaged gzip file, or unpacks to more than 64 MiB plus a hundred
        times its size, or 4 GiB; the environment variable ``SKSPEC_MAX_UNPACKED`` sets another number of bytes.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, wave_unit: str | None = None, mask_bits: MaskBits = None
    ) -> None:
        self.wave_unit, self.mask_bits = wave_unit, mask_bits
        self.has_wanted_mask = False
        super().__init__(path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fits = self.__dict__.get("fits")
        try:
            if fits is not None and kind is None:
                fits.check_end()
        finally:
            super().__exit__(kind, error, trace)
            if fits is not None:
                fits.close()

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
        """The whole file as text.

        Raises
        ------
        SpectrumReadError
            If it is longer than 1 GiB, or has zero bytes.
        """
        if self.size > _LONGEST_TEXT:
            raise SpectrumReadError(
                self.path,
                f"text of {self.size:,} bytes is too long, {_LONGEST_TEXT:,} are read; split the file",
            )
        parts = []
        for start in range(0, self.size, _PART):
            parts.append(self.read(start, start + _PART))
            if not self._utf_16 and b"\0" in parts[-1]:
                at = start + parts[-1].index(b"\0")
                raise SpectrumReadError(self.path, f"is not text, byte {at} is zero; the file may be damaged")
        data = b"".join(parts)
        try:
            return data.decode("utf-16" if self._utf_16 else "utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("latin-1")
