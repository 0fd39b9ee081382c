"""2dF and AAOmega spectra as 2dfdr and OzDES write them.

Flux in the primary image (one spectrum, or one row a fibre), variance in VARIANCE, wavelengths in WAVELENGTH (Å or
log10 Å) or by CRVAL1, CDELT1, CRPIX1; air, unless the card VACUUM says otherwise. FIBRES names the targets, with
positions in radians; rows of its type P are targets, and sky, guide and parked fibres are left out. A header with
DO_HELIO or DO_CMB asks for a velocity correction that has not been made; ``meta["frame"]`` says so.
https://github.com/Samreay/Marz/wiki (input files)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra, ivar_from_variance, one_a_row
from skspec.io._fits import Hdu
from skspec.io._names import header_medium
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import to_angstrom
from skspec.io.formats.iraf import wavelengths

_LOG_LIMIT = 10.0  # wavelengths in Å are above, their log10 below


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("NAXIS") not in (1, 2):
        return False
    extension = source.fits.get(1)
    return extension is not None and extension.kind == "image" and source.fits.get("VARIANCE") is not None


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
        raise ValueError("no fibre is on a target (type P)")
    meta = {} if fibres is None else _meta(fibres, targets)
    meta["frame"] = "observatory" if header.get("DO_HELIO") or header.get("DO_CMB") else ""
    meta["survey"] = "AAOmega"
    return one_a_row(flux[targets], wave[targets], ivar[targets], header_medium(header) or "air", meta)


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
