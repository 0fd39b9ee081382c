"""IRAF and other one-dimensional FITS images, linear or logarithmic in wavelength.

Pixel ``i`` (from 1) is at ``w = CRVAL1 + CDELT1 * (i - CRPIX1)``, with CD1_1 in place of CDELT1 if that is absent. ``w``
is a wavelength in CUNIT1 (Å if absent), or its decimal logarithm if DC-FLAG is 1; if CTYPE1 ends in ``-LOG``, the
wavelength is ``CRVAL1 * exp((w - CRVAL1) / CRVAL1)``. If the header does not state the medium, wavelengths are air, as
in IRAF's line lists.
Valdes 1993 (ASP Conf. Ser. 52, 467); Greisen et al. 2006 (A&A 446, 747), equation 5.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import Hdu
from skspec.io._fits_header import Header
from skspec.io._names import header_medium, header_meta
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import log_grid, to_angstrom


def find_image(source: Source) -> Hdu | None:
    """Return the first HDU with data if it is a one-dimensional image with a wavelength scale, else None."""
    if source.fits is None:
        return None
    hdu = next((hdu for hdu in source.fits if hdu.n_bytes), None)
    if hdu is None or hdu.kind != "image" or hdu.shape[-1] < 2 or hdu.shape[-1] != np.prod(hdu.shape):
        return None
    return hdu if "CRVAL1" in hdu.header or "COEFF0" in hdu.header else None


def wavelengths(header: Header, n_pixels: int, unit: str | None = None) -> NDArray[np.float64]:
    """Return the wavelengths in Å of the first axis of an image; `unit` is used if the header states none."""
    get = header.get
    if "COEFF0" in header and get("COEFF1"):
        return log_grid(get("COEFF0"), get("COEFF1"), n_pixels)
    ctype = str(get("CTYPE1", "")).upper()
    if ctype.startswith("MULTISPE"):
        raise ValueError("CTYPE1 is MULTISPE; linearise the spectrum (IRAF dispcor, or specutils) first")
    start, step = get("CRVAL1"), get("CDELT1", get("CD1_1"))
    if start is None or not step:
        raise ValueError("the header has no CRVAL1 with CDELT1 or CD1_1")
    pixel = np.arange(1, n_pixels + 1) - float(get("CRPIX1", 1))
    wave = start + step * pixel
    if ctype in ("WAVE-LOG", "AWAV-LOG"):
        wave = start * np.exp(step * pixel / start)
    elif get("DC-FLAG", 0) == 1:
        return 10.0**wave
    return to_angstrom(wave, get("CUNIT1") or _wat_unit(header) or unit)


def _wat_unit(header: Header) -> str | None:
    """Return the unit in IRAF's attributes, such as ``wtype=linear label=Wavelength units=angstroms``."""
    match = re.search(r"units=(\w+)", str(header.get("WAT1_001", "")))
    return match[1] if match else None


def _identify(source: Source) -> bool:
    return find_image(source) is not None


def _read(source: Source) -> FileSpectra:
    hdu = find_image(source)
    if hdu is None:
        raise ValueError("there is no one-dimensional image with CRVAL1 or COEFF0")
    flux = hdu.image().ravel()
    meta = header_meta(hdu.header)
    meta["survey"] = hdu.header.get("TPLLIB")
    meta["flux_unit"] = hdu.header.get("BUNIT")
    return FileSpectra(
        flux,
        wavelengths(hdu.header, flux.size, source.wave_unit),
        medium=header_medium(hdu.header) or "air",
        meta=meta,
    )


register_format(
    "iraf",
    description="one-dimensional FITS image with CRVAL1 (IRAF, MILES)",
    identify=_identify,
    read=_read,
    priority=0,
)
