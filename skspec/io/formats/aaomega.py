"""2dF and AAOmega spectra, as written by 2dfdr and OzDES.

The flux is in the primary image (one spectrum, or one row per fibre), the variance in VARIANCE, the wavelengths in
WAVELENGTH (Å or log10 Å) or in CRVAL1, CDELT1 and CRPIX1. They are air unless the card VACUUM states vacuum. FIBRES
lists the targets, with positions in radians; only fibres on targets (type P) are read, not sky, guide and parked fibres.
With DO_HELIO or DO_CMB in the header, a velocity correction is yet to be applied, and ``meta["frame"]`` is
``"observatory"``.
https://github.com/Samreay/Marz/wiki (input files)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra, ivar_from_variance, split_rows
from skspec.io._fits import Hdu
from skspec.io._names import header_medium
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import to_angstrom
from skspec.io.formats.iraf import wavelengths

_LOG_LIMIT = 10.0  # larger values are Å, smaller ones log10 Å


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("NAXIS") not in (1, 2):
        return False
    extension = source.fits.get(1)
    if extension is None or extension.kind != "image" or source.fits.get("VARIANCE") is None:
        return False
    instrument = str(source.fits.header.get("INSTRUME", "")).upper()
    return source.fits.get("FIBRES") is not None or instrument.startswith(("AAOMEGA", "2DF", "6DF"))


def _read(source: Source) -> list[FileSpectra]:
    hdus, header = source.hdus, source.hdus.header
    flux = np.atleast_2d(hdus[0].image())
    ivar = ivar_from_variance(np.atleast_2d(hdus["VARIANCE"].image()))
    if ivar.shape != flux.shape:
        raise ValueError(f"VARIANCE has shape {ivar.shape}, the flux {flux.shape}")
    tabulated = hdus.get("WAVELENGTH")
    wave = (
        wavelengths(header, flux.shape[1], source.wave_unit)[None]
        if tabulated is None
        else _tabulated(tabulated, source.wave_unit)
    )
    wave = np.broadcast_to(wave, flux.shape)
    fibres = hdus.get("FIBRES")
    if fibres is not None and fibres.shape != (len(flux),):
        raise ValueError(f"FIBRES has {fibres.shape[0]} rows for {len(flux)} spectra")
    targets = np.arange(len(flux)) if fibres is None else np.flatnonzero(fibres.column("TYPE") == "P")
    if not targets.size:
        raise ValueError("there is no fibre on a target (type P)")
    meta = {} if fibres is None else _meta(fibres, targets)
    meta["frame"] = "observatory" if header.get("DO_HELIO") or header.get("DO_CMB") else ""
    meta["survey"] = "AAOmega"
    return split_rows(flux[targets], wave[targets], ivar[targets], header_medium(header) or "air", meta)


def _tabulated(hdu: Hdu, unit: str | None) -> NDArray[np.float64]:
    wave = np.atleast_2d(hdu.image())
    stated = hdu.header.get("BUNIT") or unit
    if stated is None and np.nanmax(wave) < _LOG_LIMIT:
        stated = "log10(Angstrom)"
    return np.stack([to_angstrom(row, stated) for row in wave])


def _meta(fibres: Hdu, targets: NDArray[np.intp]) -> dict[str, Any]:
    return {
        "object": fibres.column("NAME")[targets].tolist(),
        "ra": np.rad2deg(fibres.column("RA")[targets]).tolist(),
        "dec": np.rad2deg(fibres.column("DEC")[targets]).tolist(),
        "magnitude": fibres.column("MAGNITUDE")[targets].tolist(),
        "fiber": (targets + 1).tolist(),
    }


register_format(
    "aaomega",
    description="2dF/AAOmega (2dfdr, OzDES) with VARIANCE and FIBRES",
    identify=_identify,
    read=_read,
)
