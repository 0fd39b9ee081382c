"""Indo-US Library of Coudé Feed Stellar Spectra.

A one-dimensional linear image in air wavelengths. Not every star was observed in all settings of the spectrograph:
pixels outside the ranges in the card COVERAGE, or exactly zero, are missing (NaN).
Valdes et al. 2004 (ApJS 152, 251).
"""

from __future__ import annotations

import re

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._names import header_meta
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io.formats.iraf import find_image, wavelengths

_RANGE = re.compile(r"(\d+\.?\d*)\s*-\s*(\d+\.?\d*)")


def _identify(source: Source) -> bool:
    image = find_image(source)
    return image is not None and "COVERAGE" in image.header and "HDNAME" in image.header


def _read(source: Source) -> FileSpectra:
    image = find_image(source)
    if image is None:
        raise ValueError("there is no one-dimensional image with CRVAL1")
    header = image.header
    flux = image.image().ravel()
    wave = wavelengths(header, flux.size)
    ranges = _RANGE.findall(str(header.get("COVERAGE", "")))
    observed = np.zeros(flux.size, dtype=bool) if ranges else np.ones(flux.size, dtype=bool)
    half = 0.5 * (wave[1] - wave[0])
    for low, high in ranges:
        observed |= (wave > float(low) - half) & (wave < float(high) + half)
    flux[~observed | (flux == 0)] = np.nan
    meta = header_meta(header) | {
        "survey": "Indo-US",
        "object": header.get("HDNAME"),
        "teff": header.get("TEFF"),
        "logg": header.get("LOGG"),
        "feh": header.get("FEH"),
    }
    return FileSpectra(flux, wave, medium="air", meta=meta)


register_format(
    "indo-us",
    description="Indo-US coudé feed stellar library (gaps are missing)",
    identify=_identify,
    read=_read,
)
