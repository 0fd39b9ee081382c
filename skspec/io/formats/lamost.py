"""LAMOST low-resolution spectra ``spec-LMJD-PLANID_spNN-NNN.fits`` (and ``.gz``).

Up to data release 7 the primary image has five rows: flux, inverse variance, continuum-subtracted flux (pipeline 2.6)
or wavelength (2.9), and two masks; the card EXTEN0 lists them. Since release 8 they and a normalised flux are vector
columns of a table with one row. Wavelengths are vacuum, ``10**(COEFF0 + COEFF1 * i)``; flux is relative.
Where a pixel is unusable ``ivar`` is 0; the masks are applied only by `mask_bits`.
http://www.lamost.org/dr8/v1.0/doc/lr-data-production-description
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits_header import Header
from skspec.io._masks import bits_of, has_bits
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import log_grid, matching_log_grid

_MISSING = -9999  # redshift or S/N not known


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("TELESCOP") != "LAMOST":
        return False
    return _is_image(source) or (
        (table := source.fits.get(1)) is not None and {"FLUX", "IVAR"} <= table.columns.keys()
    )


def _is_image(source: Source) -> bool:
    shape = source.hdus[0].shape
    return len(shape) == 2 and shape[0] >= 2


def _read(source: Source) -> FileSpectra:
    header = source.hdus.header
    names = str(header.get("EXTEN0", "")).replace(",", " ").upper().split()
    tabulated = None
    if _is_image(source):
        with_wave = names[2:3] == ["WAVELENGTH"]
        flux, ivar, *rest = source.hdus[0].image(n_rows=_n_rows(source, with_wave))
        if with_wave:
            tabulated = rest[0]
        masks = dict(zip(("andmask", "ormask"), rest[1:], strict=False))
    else:
        table = source.hdus[1]
        if table.name.startswith(("COADD_B", "COADD_R", "B-", "R-")):
            raise ValueError(
                f"HDU {table.name} is one arm of a medium-resolution spectrum; low resolution is needed"
            )
        flux, ivar = table.column("FLUX").ravel(), table.column("IVAR").ravel()
        if "WAVELENGTH" in table.columns:
            tabulated = table.column("WAVELENGTH").ravel()
        wanted = () if source.mask_bits is None else ("andmask", "ormask")
        masks = {name: table.column(name).ravel() for name in wanted if name.upper() in table.columns}
    for name, values in masks.items():
        if bits := bits_of(source, name):
            ivar = np.where(has_bits(values, bits), 0, ivar)
    return FileSpectra(flux, _wavelengths(header, tabulated, flux.size), ivar, meta=_meta(header))


def _n_rows(source: Source, with_wave: bool) -> int | None:
    """Return the number of rows of the image that are needed."""
    return None if source.mask_bits is not None else 3 if with_wave else 2


def _wavelengths(header: Header, tabulated: NDArray[np.float32] | None, n_pixels: int) -> NDArray[np.float64]:
    start, step = header.get("COEFF0"), header.get("COEFF1")
    if tabulated is not None:
        with np.errstate(divide="ignore", invalid="ignore"):  # `Spectra` refuses wavelengths <= 0
            exact = matching_log_grid(np.log10(tabulated), start, step)
        return tabulated.astype(np.float64) if exact is None else exact
    if start is None or not step:
        raise ValueError("the header has no COEFF0 and COEFF1, and there is no wavelength array")
    return log_grid(start, step, n_pixels)


def _meta(header: Header) -> dict[str, Any]:
    def number(*cards: str) -> Any:
        value = next((v for card in cards if (v := header.get(card)) is not None), None)
        return None if value == _MISSING else value

    return {
        "survey": "LAMOST",
        "object": header.get("DESIG"),
        "class": header.get("CLASS"),
        "subclass": header.get("SUBCLASS"),
        "z": number("Z"),
        "ra": number("RA"),
        "dec": number("DEC"),
        "snr": number("SN_R", "SNRR"),
        "obsid": header.get("OBSID"),
        "mjd": header.get("MJD"),
        "plan": header.get("PLANID"),
        "spectrograph": header.get("SPID"),
        "fiber": header.get("FIBERID"),
    }


register_format(
    "lamost-lrs",
    description="LAMOST low resolution, image (to DR7) or table (DR8 on)",
    identify=_identify,
    read=_read,
)
