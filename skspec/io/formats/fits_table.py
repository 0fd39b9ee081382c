"""FITS binary tables with columns of wavelength and flux, from any source.

A row is a pixel, or a spectrum if the columns are vectors (as in ESO's science data products). Columns are recognised
by name, and wavelengths converted from the unit in TUNIT. Values equal to TNULL are missing. All tables with spectra are
read, except much shorter ones, such as lists of lines. They are air if the column name, its comment, its UCD
(``obs.atmos``) or the card VACUUM states it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import Hdu
from skspec.io._names import column_role, find_medium, find_roles, header_medium, header_meta
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import SpectrumTable

_LEAST = 0.1  # of the pixels of the first table: tables of lines are shorter


class _Columns(Mapping[str, "NDArray[Any]"]):
    """Columns of an HDU, read on access."""

    def __init__(self, hdu: Hdu) -> None:
        self._hdu = hdu

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._hdu.masked(name)

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._hdu.columns.values())

    def __len__(self) -> int:
        return len(self._hdu.columns)


def _tables(source: Source) -> Iterator[Hdu]:
    """Yield the tables with columns of wavelength and flux."""
    for hdu in source.fits or ():
        if {"flux", "wave"} <= find_roles(hdu.columns).keys():
            yield hdu


def _identify(source: Source) -> bool:
    return next(_tables(source), None) is not None


def _read(source: Source) -> list[FileSpectra]:
    tables = list(_tables(source))
    if not tables:
        raise ValueError("no table has columns of wavelength and flux")
    filled = [hdu for hdu in tables if hdu.shape[0]]
    if not filled:
        raise ValueError(
            "the table has no rows" if len(tables) == 1 else f"all {len(tables)} tables have no rows"
        )
    items: list[FileSpectra] = []
    errors: list[ValueError] = []
    longest = 0
    for hdu in filled:
        name = f"HDU {hdu.index} ({hdu.name or 'unnamed'})"
        try:
            found = [item.checked() for item in _spectra(source, hdu)]
        except ValueError as error:
            errors.append(error)
            if len(filled) > 1:
                cause = getattr(error, "cause", error)
                source.notice(f"{name} was not read: {cause}; read it with astropy if it has spectra")
            continue
        n_pixels = max(item.flux.shape[-1] for item in found)
        if n_pixels < _LEAST * longest:
            source.notice(
                f"{name} was not read, since its {n_pixels} pixels are too few for a spectrum beside one of {longest}; "
                "read it with astropy if it has spectra"
            )
            continue
        longest = longest or n_pixels
        items += found
    if not items:
        raise errors[0]
    return items


def _spectra(source: Source, hdu: Hdu) -> list[FileSpectra]:
    """Return the spectra of one table."""
    header = hdu.header
    card = {column.name: column.number + 1 for column in hdu.columns.values()}
    meta = header_meta(source.hdus.header) | header_meta(header)
    flux = next(name for name in card if (role := column_role(name)) and role.kind == "flux")
    meta["flux_unit"] = header.get(f"TUNIT{card[flux]}")
    return SpectrumTable(
        _Columns(hdu),
        source,
        units={name: header.get(f"TUNIT{number}") for name, number in card.items()},
        medium=_medium(source, hdu, card),
        meta=meta,
    ).spectra()


def _medium(source: Source, hdu: Hdu, card: Mapping[str, int]) -> str | None:
    wave = next(
        number for name, number in card.items() if (role := column_role(name)) and role.kind == "wave"
    )
    if "obs.atmos" in str(hdu.header.get(f"TUCD{wave}", "")):
        return "air"
    return (
        find_medium(hdu.header.comment(f"TTYPE{wave}"))
        or header_medium(hdu.header)
        or header_medium(source.hdus.header)
    )


register_format(
    "fits-table",
    description="FITS binary table with columns of wavelength and flux",
    identify=_identify,
    read=_read,
    priority=0,
)
