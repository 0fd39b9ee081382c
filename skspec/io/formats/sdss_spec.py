"""SDSS, BOSS and eBOSS ``spec-PLATE-MJD-FIBER.fits`` (data release 8 and later).

HDU 1 is the coadded spectrum (``flux, loglam, ivar``, in lower or upper case) and HDU 2 one row of the spectroscopic
catalogue, named SPECOBJ or SPALL or unnamed; single exposures may follow. Wavelengths are vacuum, flux is in
1e-17 erg/s/cm²/Å.
https://data.sdss.org/datamodel/files/BOSS_SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html
"""

from __future__ import annotations

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import Hdu
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import matching_log_grid

_SURVEYS = {"sdss": "SDSS", "boss": "BOSS", "eboss": "eBOSS"}
_R_BAND = 2  # of ugriz


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("NAXIS") != 0 or (coadd := source.fits.get(1)) is None:
        return False
    return {"FLUX", "LOGLAM", "IVAR"} <= coadd.columns.keys() and coadd.shape != (1,)


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
    return FileSpectra(coadd.column("flux"), wave, coadd.column("ivar"), meta=meta)


def _catalogue_row(row: Hdu) -> dict[str, object]:
    snr = row.cell("SN_MEDIAN")
    # SPECOBJ has a column SURVEY; SPALL, which is only for the BOSS spectrographs, has PROGRAMNAME.
    survey = row.cell("SURVEY") or row.cell("PROGRAMNAME") or ""
    default = "SDSS" if "SURVEY" in row.columns else "BOSS"
    return {
        "survey": _SURVEYS.get(survey.lower(), default),
        "class": row.cell("CLASS"),
        "subclass": row.cell("SUBCLASS"),
        "z": row.cell("Z"),
        "zwarn": row.cell("ZWARNING"),
        "snr": None if snr is None else float(snr[_R_BAND]),
        "ra": row.cell("PLUG_RA"),
        "dec": row.cell("PLUG_DEC"),
        "plate": row.cell("PLATE"),
        "mjd": row.cell("MJD"),
        "fiber": row.cell("FIBERID"),
    }


register_format(
    "sdss-spec",
    description="SDSS, BOSS, eBOSS spec-PLATE-MJD-FIBER.fits (DR8 and later)",
    identify=_identify,
    read=_read,
)
