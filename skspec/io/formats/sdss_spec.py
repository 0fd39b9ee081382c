"""SDSS, BOSS and eBOSS ``spec-PLATE-MJD-FIBER.fits`` (data release 8 and later).

HDU 1 is the coadded spectrum (``flux, loglam, ivar``, in lower or upper case) and HDU 2 one row of the spectroscopic
catalogue, named SPECOBJ or SPALL or unnamed; single exposures may follow. Wavelengths are vacuum, flux is in
1e-17 erg/s/cm²/Å. The masks ``and_mask`` and ``or_mask`` are set on nearly every pixel and applied only by `mask_bits`;
``ivar`` is 0 where a pixel is unusable.
https://data.sdss.org/datamodel/files/BOSS_SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import FitsFile, Hdu
from skspec.io._masks import bits_of, has_bits
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import matching_log_grid

_SURVEYS = {"sdss": "SDSS", "boss": "BOSS", "eboss": "eBOSS"}
_R_BAND = 2  # of ugriz
_ROW = {"CLASS", "ZWARNING", "MJD"}  # columns of the catalogue


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("NAXIS") != 0 or (coadd := source.fits.get(1)) is None:
        return False
    return (
        {"FLUX", "LOGLAM", "IVAR"} <= coadd.columns.keys() and coadd.shape != (1,) and _is_sdss(source.fits)
    )


def _is_sdss(file: FitsFile) -> bool:
    """Return whether more than the column names is that of a spec file."""
    header = file.header
    if "PLUG_RA" in header or "PLATEID" in header or str(header.get("TELESCOP", "")).startswith("SDSS"):
        return True
    row = file.get(2)
    return row is not None and (row.name in ("SPECOBJ", "SPALL") or row.columns.keys() >= _ROW)


def _read(source: Source) -> FileSpectra:
    header, coadd = source.hdus.header, source.hdus[1]
    loglam = coadd.column("loglam")
    wave = matching_log_grid(loglam, header.get("COEFF0"), header.get("COEFF1"))
    if wave is None:
        wave = np.power(10.0, loglam, dtype=np.float64)
    row = source.hdus.get(2)
    meta = {
        "ra": header.get("PLUG_RA"),
        "dec": header.get("PLUG_DEC"),
        "plate": header.get("PLATEID"),
        "mjd": header.get("MJD"),
        "fiber": header.get("FIBERID"),
        "flux_unit": header.get("BUNIT"),
    }
    if row is not None and "CLASS" in row.columns:
        meta.update((name, value) for name, value in _catalogue_row(row).items() if value is not None)
    else:
        meta["survey"] = "SDSS"
    ivar = coadd.column("ivar")
    for name in ("and_mask", "or_mask") if source.mask_bits is not None else ():
        if name.upper() in coadd.columns and (bits := bits_of(source, name)):
            ivar = np.where(has_bits(coadd.column(name), bits), 0, ivar)
    return FileSpectra(coadd.column("flux"), wave, ivar, meta=meta)


def _catalogue_row(row: Hdu) -> dict[str, object]:
    def first(*names: str) -> Any:
        return next((value for name in names if (value := row.cell(name)) is not None), None)

    snr = first("SN_MEDIAN", "SN_MEDIAN_ALL")
    # SPECOBJ has a column SURVEY; SPALL, which is only for the BOSS spectrographs, has PROGRAMNAME. SDSS-V has fields
    # of fibres that are not on plates.
    survey = str(row.cell("SURVEY") or row.cell("PROGRAMNAME") or "").lower()
    default = "SDSS-V" if "CATALOGID" in row.columns else "SDSS" if "SURVEY" in row.columns else "BOSS"
    return {
        "survey": _SURVEYS.get(survey, default),
        "class": row.cell("CLASS"),
        "subclass": row.cell("SUBCLASS"),
        "z": row.cell("Z"),
        "zwarn": row.cell("ZWARNING"),
        "snr": None
        if snr is None
        else float(np.ravel(snr)[_R_BAND] if np.size(snr) > _R_BAND else np.ravel(snr)[0]),
        "ra": first("PLUG_RA", "FIBER_RA", "RACAT", "RA"),
        "dec": first("PLUG_DEC", "FIBER_DEC", "DECCAT", "DEC"),
        "plate": first("PLATE", "FIELD"),
        "mjd": row.cell("MJD"),
        "fiber": row.cell("FIBERID"),
    }


register_format(
    "sdss-spec",
    description="SDSS, BOSS, eBOSS spec-PLATE-MJD-FIBER.fits (DR8 and later)",
    identify=_identify,
    read=_read,
)
