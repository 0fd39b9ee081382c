"""IRAF and other FITS images of one spectrum, or of one in each row, linear or logarithmic in wavelength.

Pixel ``i`` (from 1) is at ``w = CRVAL1 + CDELT1 * (i - CRPIX1)``, with CD1_1 in place of CDELT1 if that is absent. ``w``
is a wavelength in CUNIT1 (Å if absent), or its decimal logarithm if DC-FLAG is 1; if CTYPE1 ends in ``-LOG``, the
wavelength is ``CRVAL1 * exp((w - CRVAL1) / CRVAL1)``. If the header does not state the medium, wavelengths are air, as
in IRAF's line lists.

Other images of the same shape are errors, inverse variances, variances or masks if their EXTNAME says so (ERR, SIGMA,
IVAR, VAR, STAT, MASK, DQ …), and wavelengths in place of the cards (WAVELENGTH, LOGLAM); an image in rows is read only
with errors or a mask. Without errors, stretches of constant flux,
such as zeros at the ends, are missing. Images with another wavelength scale are further spectra.
Valdes 1993 (ASP Conf. Ser. 52, 467); Greisen et al. 2006 (A&A 446, 747), equation 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra, split_rows
from skspec.io._fits import Hdu
from skspec.io._fits_header import Header
from skspec.io._masks import bad_pixels, without_bad, without_gaps
from skspec.io._names import MASKS, column_role, header_medium, header_meta, looks_like_error
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import ERRORS, notice_unused_errors, pick_ivar
from skspec.io._wave import check_flux_unit, log_grid, to_angstrom

_NO_WAVELENGTHS = (
    "FREQ",
    "ENER",
    "WAVN",
    "VRAD",
    "VOPT",
    "ZOPT",
    "BETA",
    "VELO",
    "FELO",
)  # FITS standard, table 25
_AUXILIARY = re.compile(r"SKY|BACKG|BKG|CONT|MODEL|TELL|RESP|SENS|RESOL|LSF|DISP|SNR|COUNTS?_RAW|WAVE|LAMBDA")


def find_image(source: Source) -> Hdu | None:
    """Return the first HDU with data if it is a one-dimensional image with a wavelength scale, else None."""
    hdu = _first_image(source)
    if hdu is None or hdu.shape[-1] != np.prod(hdu.shape):
        return None
    return hdu


def _first_image(source: Source) -> Hdu | None:
    if source.fits is None:
        return None
    hdu = next((hdu for hdu in source.fits if hdu.n_bytes), None)
    if hdu is None or hdu.kind != "image" or hdu.shape[-1] < 2:
        return None
    scaled = "CRVAL1" in hdu.header or "COEFF0" in hdu.header
    return hdu if scaled or _tabulated(source, hdu) is not None else None


def _tabulated(source: Source, hdu: Hdu) -> Hdu | None:
    """Return the image of the wavelengths of an image, such as WAVELENGTH or LOGLAM, if there is one."""
    return next(
        (
            other
            for other in source.fits or ()
            if other.kind == "image" and other.shape in (hdu.shape, hdu.shape[-1:]) and _kind(other) == "wave"
        ),
        None,
    )


def _in_rows(source: Source) -> Hdu | None:
    """Return the first HDU with data if it has one spectrum in each row, and errors or a mask in another HDU."""
    hdu = _first_image(source)
    if hdu is None or len(hdu.shape) != 2 or source.fits is None:
        return None
    beside = (other for other in source.fits if other.shape == hdu.shape and other.kind == "image")
    return hdu if any(_kind(other) in (*ERRORS, *MASKS) for other in beside) else None


def _kind(hdu: Hdu) -> str:
    """Return the role of an image by its name, such as ``"error"`` of ERR, FLUX_ERR or ERR2; empty if it has none."""
    role = column_role(hdu.name.rstrip("0123456789")) or column_role(hdu.name)
    return role.kind if role else ""


def wavelengths(header: Header, n_pixels: int, unit: str | None = None) -> NDArray[np.float64]:
    """Return the wavelengths in Å of the first axis of an image; `unit` is used if the header states none."""
    get = header.get
    if "COEFF0" in header and get("COEFF1"):
        return log_grid(get("COEFF0"), get("COEFF1"), n_pixels)
    ctype = str(get("CTYPE1", "")).upper()
    if ctype.startswith(_NO_WAVELENGTHS):
        raise ValueError(
            f"CTYPE1 is {ctype}, which is not a wavelength; convert the axis to wavelengths first"
        )
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
    return find_image(source) is not None or _in_rows(source) is not None


def _read(source: Source) -> list[FileSpectra]:
    hdu = find_image(source) or _in_rows(source)
    if hdu is None:
        raise ValueError("there is no one-dimensional image with CRVAL1 or COEFF0")
    others = [
        other for other in source.hdus if other.index > hdu.index and other.kind == "image" and other.n_bytes
    ]
    items = _by_row(
        _spectrum(source, hdu, others, tabulated=_tabulated(source, hdu) is not None), source, hdu
    )
    left = []
    for other in others:
        if _kind(other) or looks_like_error(other.name) or _AUXILIARY.search(other.name):
            continue
        if other.shape == other.shape[-1:] and _scale(other) not in (None, _scale(hdu)):
            items.append(_spectrum(source, other, []))
        else:
            left.append(f"{other.index} ({other.name or 'unnamed'})")
    if left:
        source.notice(
            f"the image HDU {', '.join(left)} was not read, since its name and wavelengths do not tell that it has other "
            "spectra or errors; read it with astropy if it has"
        )
    return items


def _spectrum(source: Source, hdu: Hdu, others: Sequence[Hdu], *, tabulated: bool = False) -> FileSpectra:
    """Return the spectrum of an image, with the errors and masks in other HDUs."""
    check_flux_unit(hdu.header.get("BUNIT"))
    flux = _pixels(hdu)
    if flux.dtype.kind == "c":
        raise ValueError(f"the flux has complex numbers of shape {flux.shape}; real numbers are needed")
    errors: dict[str, NDArray[Any]] = {}
    masks: dict[str, NDArray[Any]] = {}
    for other in others:
        kind = _kind(other)
        if kind not in (*ERRORS, *MASKS):
            if looks_like_error(other.name):
                notice_unused_errors(source, [other.name])
        elif np.prod(other.shape) != flux.size or other.shape[-1] != flux.shape[-1]:
            source.notice(
                f"{other.name} is not used, since it has shape {other.shape} and the flux {hdu.shape}; equal shapes are "
                "needed"
            )
        elif kind in ERRORS:
            errors.setdefault(kind, _pixels(other))
        else:
            masks[other.name] = _pixels(other)
    ivar = pick_ivar(errors)
    flux, ivar = without_bad(flux, ivar, bad_pixels(masks, source, with_ivar=ivar is not None))
    meta = header_meta(source.hdus.header) | (header_meta(hdu.header) if hdu.index else {})
    meta["survey"] = hdu.header.get("TPLLIB")
    meta["flux_unit"] = hdu.header.get("BUNIT")
    if ivar is None:
        flux, meta["note"] = without_gaps(flux, source)
    return FileSpectra(
        flux,
        np.arange(flux.shape[-1], dtype=np.float64)
        if tabulated
        else wavelengths(hdu.header, flux.shape[-1], source.wave_unit),
        ivar,
        medium=header_medium(hdu.header)
        or (header_medium(source.hdus.header) if hdu.index else None)
        or "air",
        meta=meta,
    )


def _by_row(item: FileSpectra, source: Source, hdu: Hdu) -> list[FileSpectra]:
    """Return the spectra on the wavelengths of an image, if there is one, each row on its own if they differ."""
    tabulated = _tabulated(source, hdu)
    if tabulated is None:
        return [item]
    role = column_role(tabulated.name)
    unit = tabulated.header.get("BUNIT") or (role.unit if role else None) or source.wave_unit
    wave = to_angstrom(_pixels(tabulated), unit)
    item.medium = (role.medium if role else None) or header_medium(tabulated.header) or item.medium
    if wave.ndim == 1 or (wave == wave[0]).all():
        item.wave = wave.reshape(-1, wave.shape[-1])[0]
        return [item]
    return split_rows(item.flux, wave, item.ivar, item.medium, item.meta)


def _pixels(hdu: Hdu) -> NDArray[Any]:
    """Return one spectrum of shape (n_pixels,), or one in each row."""
    image = hdu.image()
    return image.ravel() if image.shape[-1] == image.size else image.reshape(-1, image.shape[-1])


def _scale(hdu: Hdu) -> tuple[Any, ...] | None:
    """Return the cards of the wavelength scale; None if there are none."""
    cards = tuple(
        hdu.header.get(card) for card in ("CRVAL1", "CDELT1", "CD1_1", "CRPIX1", "COEFF0", "COEFF1")
    )
    return None if cards[0] is None and cards[4] is None else cards


register_format(
    "iraf",
    description="one-dimensional FITS image with CRVAL1 (IRAF, MILES)",
    identify=_identify,
    read=_read,
    priority=0,
)
