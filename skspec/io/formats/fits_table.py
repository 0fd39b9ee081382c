"""FITS binary tables with columns of wavelength and flux, from any source.

A row is a pixel, or a spectrum if the columns are vectors (as in ESO's science data products). Columns are recognised
by name, and wavelengths converted from the unit in TUNIT. They are air if the column name, its comment, its UCD
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


class _Columns(Mapping[str, "NDArray[Any]"]):
    """Columns of an HDU, read on access."""

    def __init__(self, hdu: Hdu) -> None:
        self._hdu = hdu

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._hdu.column(name)

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._hdu.columns.values())

    def __len__(self) -> int:
        return len(self._hdu.columns)


def _find_table(source: Source) -> Hdu | None:
    if source.fits is None:
        return None
    for hdu in source.fits:
        roles = find_roles(hdu.columns)
        if {"flux", "wave"} <= roles.keys():
            return hdu
    return None


def _identify(source: Source) -> bool:
    return _find_table(source) is not None


def _read(source: Source) -> list[FileSpectra]:
    hdu = _find_table(source)
    if hdu is None:
        raise ValueError("no table has columns of wavelength and flux")
    header = hdu.header
    card = {column.name: column.number + 1 for column in hdu.columns.values()}
    meta = header_meta(source.hdus.header) | header_meta(header)
    flux = next(name for name in card if (role := column_role(name)) and role.kind == "flux")
    meta["flux_unit"] = header.get(f"TUNIT{card[flux]}")
    return SpectrumTable(
        _Columns(hdu),
        units={name: header.get(f"TUNIT{number}") for name, number in card.items()},
        medium=_medium(source, hdu, card),
        meta=meta,
        wave_unit=source.wave_unit,
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
