"""DESI ``coadd-*.fits`` and ``spectra-*.fits``, with the redrock file in the same directory.

Each arm has images X_WAVELENGTH, X_FLUX, X_IVAR (X = B, R, Z) with one row per target. All arms are on one grid with
0.8 Å steps. Where they overlap, fluxes are averaged with inverse-variance weights and the inverse variances are added
(as in desispec.coaddition.coadd_cameras); elsewhere flux and ivar are unchanged. Class and redshift are in
``redrock-*.fits`` (``zbest-*.fits`` before 2021), matched by TARGETID. Wavelengths are vacuum, flux is in
1e-17 erg/s/cm²/Å.
https://desidatamodel.readthedocs.io/en/latest/DESI_SPECTRO_REDUX/SPECPROD/healpix/SURVEY/PROGRAM/PIXGROUP/PIXNUM/coadd-SURVEY-PROGRAM-PIXNUM.html
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._fits import Hdu
from skspec.io._registry import register_format
from skspec.io._source import Source

Arm = tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]


def _identify(source: Source) -> bool:
    if source.fits is None or source.fits.header.get("NAXIS") != 0 or (first := source.fits.get(1)) is None:
        return False
    return first.name in ("FIBERMAP", "REDSHIFTS", "ZBEST") and (
        first.name != "FIBERMAP" or bool(_arms(source))
    )


def _arms(source: Source) -> list[str]:
    names = {hdu.name for hdu in source.hdus}
    found = [name.removesuffix("_WAVELENGTH") for name in sorted(names) if name.endswith("_WAVELENGTH")]
    return [arm for arm in found if {f"{arm}_FLUX", f"{arm}_IVAR"} <= names]


def _read(source: Source) -> FileSpectra | list[FileSpectra]:
    fibermap = source.hdus.get("FIBERMAP")
    if fibermap is None or not (arms := _arms(source)):
        return []  # a redrock file, which is read with its coadd file
    parts = [
        (
            source.hdus[f"{arm}_WAVELENGTH"].image(),
            source.hdus[f"{arm}_FLUX"].image(),
            source.hdus[f"{arm}_IVAR"].image(),
        )
        for arm in arms
    ]
    wave, flux, ivar = _join(sorted(parts, key=lambda part: part[0][0]))
    target = fibermap.column("TARGETID")
    if len(target) != len(flux):
        raise ValueError(f"FIBERMAP has {len(target)} rows for {len(flux)} spectra")
    meta: dict[str, Any] = {
        "survey": "DESI",
        "targetid": target,
        "object": target.astype(str),
        "ra": fibermap.column("TARGET_RA"),
        "dec": fibermap.column("TARGET_DEC"),
        "flux_unit": source.hdus[f"{arms[0]}_FLUX"].header.get("BUNIT"),
    }
    scores = source.hdus.get("SCORES")
    if scores is not None and "MEDIAN_COADD_SNR_R" in scores.columns:
        meta["snr"] = scores.column("MEDIAN_COADD_SNR_R").astype(np.float64)
    return FileSpectra(flux, wave, ivar, meta=meta | _redshifts(source.path, target))


def _join(parts: list[Arm]) -> Arm:
    """Join arms, in order of wavelength, to one grid."""
    start = parts[0][0][0]
    step = (parts[0][0][-1] - start) / (len(parts[0][0]) - 1)
    first = [round((wave[0] - start) / step) for wave, _, _ in parts]
    n_pixels = max(i + len(wave) for i, (wave, _, _) in zip(first, parts, strict=True))
    joined_wave = np.zeros(n_pixels)
    shape = (len(parts[0][1]), n_pixels)
    flux, ivar = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    done = 0
    for i, (wave, arm_flux, arm_ivar) in zip(first, parts, strict=True):
        shared = max(done - i, 0)  # pixels that overlap with the arms before
        if i > done or np.abs(wave[:shared] - joined_wave[i : i + shared]).max(initial=0.0) > 1e-3 * step:
            raise ValueError(
                f"the arm starting at {wave[0]:.1f} Å does not continue the grid of {step:.2f} Å steps before it"
            )
        stop = i + len(wave)
        joined_wave[i + shared : stop] = wave[shared:]
        flux[:, i + shared : stop], ivar[:, i + shared : stop] = arm_flux[:, shared:], arm_ivar[:, shared:]
        both = slice(i, i + shared)
        flux[:, both], ivar[:, both] = _average(
            flux[:, both], ivar[:, both], arm_flux[:, :shared], arm_ivar[:, :shared]
        )
        done = max(done, stop)
    return joined_wave, flux, ivar


def _average(
    flux: NDArray[np.float32],
    ivar: NDArray[np.float32],
    other: NDArray[np.float32],
    other_ivar: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weighted mean and its ivar; where one of the two is missing, the other unchanged."""
    weight, other_weight = ivar.astype(np.float64), other_ivar.astype(np.float64)
    total = weight + other_weight
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = ((weight * flux + other_weight * other) / total).astype(np.float32)
    return (
        np.where(other_weight <= 0, flux, np.where(weight <= 0, other, mean)),
        np.where(other_weight <= 0, ivar, np.where(weight <= 0, other_ivar, total.astype(np.float32))),
    )


def _redshifts(path: str, target: NDArray[np.int64]) -> dict[str, Any]:
    """Return class and redshift of each target from the redrock file, if there is one."""
    folder, name = os.path.split(path)
    stem = re.sub(r"^(coadd|spectra)-", "", name)
    beside = (
        os.path.join(folder, f"{kind}-{stem}{end}") for kind in ("redrock", "zbest") for end in ("", ".gz")
    )
    found = next((file for file in beside if stem != name and os.path.isfile(file)), None)
    if found is None:
        return {}
    with Source(found) as redrock:
        table = redrock.hdus[1]
        order = {identity: row for row, identity in enumerate(table.column("TARGETID").tolist())}
        rows = [order.get(identity) for identity in target.tolist()]
        return {
            "class": _take(table, "SPECTYPE", rows),
            "subclass": _take(table, "SUBTYPE", rows),
            "z": _take(table, "Z", rows),
            "zwarn": _take(table, "ZWARN", rows),
        }


def _take(table: Hdu, name: str, rows: list[int | None]) -> list[Any]:
    values = table.column(name).tolist()
    return [None if row is None else values[row] for row in rows]


register_format(
    "desi",
    description="DESI coadd or spectra file, class from the redrock file in the same directory",
    identify=_identify,
    read=_read,
)
