"""Registry of the formats of `read_spectra`, to which users can add their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from skspec.checks import check_choice
from skspec.io._errors import UnknownFormatError
from skspec.io._file_spectra import FileSpectra
from skspec.io._source import Source

Identify = Callable[[Source], bool]
Read = Callable[[Source], FileSpectra | Sequence[FileSpectra]]


class FormatInfo(NamedTuple):
    """Name and description of a format."""

    name: str
    description: str


@dataclass(frozen=True)
class Format:
    """A registered format; see `register_format`."""

    name: str
    description: str
    identify: Identify = field(repr=False)
    read: Read = field(repr=False)
    priority: int = 0


_formats: dict[str, Format] = {}


def register_format(
    name: str,
    *,
    description: str,
    identify: Identify,
    read: Read,
    priority: int = 10,
    replace: bool = False,
) -> None:
    """Add a file format to `read_spectra`.

    Parameters
    ----------
    name : str
        Name for ``read_spectra(..., format=name)``.
    description : str
        One line for ``skspec formats``.
    identify : callable
        ``identify(source) -> bool`` returns whether a file has this format, from its content rather than its name, in
        microseconds. The `Source` has ``head`` (the first bytes, decompressed), ``fits`` (the HDUs, or None),
        ``is_text`` and ``lines``, which are read once for all formats.
    read : callable
        ``read(source) -> FileSpectra or sequence of FileSpectra``. Its errors are reported with the file name.
    priority : int, default=10
        Formats are tried in order of decreasing priority, then of registration. The formats of skspec have 10 if they
        are specific to a survey and 0 if they are generic.
    replace : bool, default=False
        Whether to replace an existing format with the same name.

    Raises
    ------
    ValueError
        If the name is taken and `replace` is False.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec.io import FileSpectra, register_format
    >>> def read(source):
    ...     wave, flux = np.loadtxt(source.text.splitlines()[1:], unpack=True)
    ...     return FileSpectra(flux, wave, medium="air", meta={"survey": "mine"})
    >>> register_format(
    ...     "mine",
    ...     description="my spectrograph",
    ...     identify=lambda source: source.head.startswith(b"MY SPECTROGRAPH"),
    ...     read=read,
    ...     replace=True,
    ... )
    """
    if name in _formats and not replace:
        raise ValueError(f"format {name!r} already exists; give replace=True to replace it")
    _formats[name] = Format(name, description, identify, read, priority)


def available_formats() -> list[FormatInfo]:
    """Return the name and description of every format, in the order in which they are tried.

    Returns
    -------
    list of FormatInfo
        Named tuples ``(name, description)``.

    Examples
    --------
    >>> from skspec.io import available_formats
    >>> "sdss-spec" in [format.name for format in available_formats()]
    True
    """
    return [FormatInfo(known.name, known.description) for known in ordered_formats()]


def ordered_formats(name: str | None = None) -> tuple[Format, ...]:
    """Return the formats in the order in which they are tried, or the one called `name`."""
    if name is not None:
        check_choice("format", name, _formats)
        return (_formats[name],)
    return tuple(sorted(_formats.values(), key=lambda known: -known.priority))


def identify_format(source: Source, formats: Sequence[Format]) -> Format:
    """Return the first of `formats` that recognises the file; UnknownFormatError if none does."""
    for known in formats:
        if known.identify(source):
            return known
    if source.fits is not None:
        what = f"FITS with HDUs {source.fits!r}"
    elif source.is_text:
        what = f"text starting with {source.head[:40].decode('latin-1')!r}"
    else:
        what = f"bytes starting with {source.head[:12]!r}"
    raise UnknownFormatError(
        source.path, f"the format is not recognised ({what}); `skspec formats` lists all formats"
    )
