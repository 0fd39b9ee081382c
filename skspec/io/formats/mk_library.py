"""The joint MK classification library: ``dataset.fits`` and ``dataset_subset.fits``.

HDU 1 is a table with one spectrum per row: FLUX (2305 pixels), name, type and quality from SIMBAD (TYPED_ID, SP_TYPE,
SP_QUAL), the parts of the type (SPEC, SUB, LUM, MISC), the source library (DATASET: SDSS, CFLIB, ELODIE, SOPHIE or XSL)
and, in the subset, the type in numbers (SPEC_NUM, SUB_NUM, LUM_NUM). FLUX is the spectrum divided by its running median
over 100 pixels, a continuum ratio.

The file does not state wavelengths. The 2305 pixels are evenly spaced from 4000.3685 to 6799.8605 Å, the overlap of the
five libraries. They are read as air, to which CFLIB, ELODIE, SOPHIE and XSL (nine tenths of the spectra) are calibrated.
Spectra of SDSS (MaStar) were resampled to the same numbers in vacuum, without conversion, so they are 1.1 to 1.9 Å (about
one pixel) too far to the red; ``meta["survey"]`` identifies them.

``meta["class"]`` is the joint class from the numbers by the published rule: the luminosity class is rounded half to even
and at least I.
https://github.com/volgasezen/StellarClassification
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import Hdu
from skspec.io._names import find_roles
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import catalogue
from skspec.mk import mk_grid

N_PIXELS = 2305
_WAVE = np.linspace(4000.3685, 6799.8605, N_PIXELS)
_NAMES = {"TYPED_ID": "object", "SP_TYPE": "subclass", "DATASET": "survey"}


def _table(source: Source) -> Hdu | None:
    table = None if source.fits is None else source.fits.get(1)
    if table is None or table.kind != "table" or "FLUX" not in table.columns:
        return None
    width = table.columns["FLUX"].repeat
    if width == 1 or "wave" in find_roles(table.columns):
        return None
    published = len(_NAMES.keys() & table.columns.keys())
    return table if (width == N_PIXELS and published) or {"SP_TYPE", "LUM"} <= table.columns.keys() else None


def _identify(source: Source) -> bool:
    return _table(source) is not None


def _read(source: Source) -> FileSpectra:
    table = _table(source)
    if table is None:
        raise ValueError("HDU 1 is not a table of spectra FLUX without wavelengths")
    flux = table.column("FLUX")
    if flux.shape[1] != N_PIXELS:
        raise ValueError(f"FLUX has {flux.shape[1]} pixels; wavelengths are known only for {N_PIXELS}")
    columns = {
        _NAMES.get(name, column.name): table.column(name)
        for name, column in table.columns.items()
        if name != "FLUX"
    }
    meta: dict[str, Any] = catalogue(columns, len(flux), skip=())
    if {"SPEC_NUM", "LUM_NUM"} <= columns.keys() and "class" not in meta:
        meta["class"] = _joint_class(columns["SPEC_NUM"], columns["LUM_NUM"]).tolist()
    return FileSpectra(flux, _WAVE, medium="air", meta=meta)


def _joint_class(spec: NDArray[Any], lum: NDArray[Any]) -> NDArray[np.str_]:
    """Return classes such as GV from the numbers of temperature and luminosity class; empty where one is NaN."""
    names = mk_grid(full=True).reshape(-1, 6)
    known = np.isfinite(spec) & np.isfinite(lum)
    letter, roman = (np.where(known, np.rint(values), 1).astype(int) for values in (spec, lum))
    if letter.min() < 0 or letter.max() >= len(names) or roman.max() > names.shape[1]:
        raise ValueError(
            f"SPEC_NUM must be from 0 (O) to 6 (M) and LUM_NUM at most 6 (VI), got up to {letter.max()} and {roman.max()}"
        )
    return np.where(known, names[letter, np.maximum(roman, 1) - 1], "")


register_format(
    "mk-library",
    description="joint MK classification library, dataset.fits and dataset_subset.fits",
    identify=_identify,
    read=_read,
)
