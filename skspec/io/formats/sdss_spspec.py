"""SDSS ``spSpec-MJD-PLATE-FIBER.fit`` (data releases 1 to 7).

The primary image has rows flux, continuum-subtracted flux, error and mask; an error of 0 marks a bad pixel.
Wavelengths are vacuum, ``10**(COEFF0 + COEFF1 * i)``, flux is in 1e-17 erg/s/cm²/Å.
https://classic.sdss.org/dr7/dm/flatFiles/spSpec.php
"""

from __future__ import annotations

import numpy as np

from skspec.io._file_spectra import FileSpectra, ivar_from_error
from skspec.io._masks import bits_of, has_bits
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._wave import log_grid

# SPEC_CLN: class as in later releases, and a subclass if it is more specific
_CLASSES = {
    0: ("UNKNOWN", ""),
    1: ("STAR", ""),
    2: ("GALAXY", ""),
    3: ("QSO", ""),
    4: ("QSO", "HIZ_QSO"),
    5: ("SKY", ""),
    6: ("STAR", "STAR_LATE"),
    7: ("GALAXY", "GAL_EM"),
}


def _identify(source: Source) -> bool:
    if source.fits is None:
        return False
    header = source.fits.header
    return "SPEC_CLN" in header and "COEFF0" in header and header.get("NAXIS") == 2


def _read(source: Source) -> FileSpectra:
    header = source.hdus.header
    flux, _, error, *rest = source.hdus[0].image(n_rows=3 if source.mask_bits is None else 4)
    ivar = ivar_from_error(error)
    if rest and (bits := bits_of(source, "mask", "or_mask", "and_mask")):
        ivar = np.where(has_bits(rest[0], bits), 0, ivar)
    code = header.get("SPEC_CLN")
    kind, subclass = _CLASSES.get(code, (None, None))
    return FileSpectra(
        flux,
        log_grid(header.get("COEFF0"), header.get("COEFF1"), flux.size),
        ivar,
        meta={
            "survey": "SDSS",
            "class": kind,
            "subclass": subclass,
            "z": header.get("Z"),
            "zwarn": header.get("Z_WARNIN"),
            "ra": header.get("RAOBJ"),
            "dec": header.get("DECOBJ"),
            "snr": header.get("SN_R"),
            "plate": header.get("PLATEID"),
            "mjd": header.get("MJD"),
            "fiber": header.get("FIBERID"),
            "flux_unit": header.get("BUNIT"),
        },
    )


register_format(
    "sdss-spspec", description="SDSS spSpec-MJD-PLATE-FIBER.fit (DR1 to DR7)", identify=_identify, read=_read
)
