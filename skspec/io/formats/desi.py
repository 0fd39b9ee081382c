"""DESI ``coadd-*.fits`` and ``spectra-*.fits``, with the redrock file in the same directory.

Each arm has images X_WAVELENGTH, X_FLUX, X_IVAR and X_MASK (X = B, R, Z) with one row per target. Pixels whose mask is
not 0 are missing, as in redrock (or those with `mask_bits`). All arms are on one grid with 0.8 Å steps; an arm may be
missing, and pixels between arms are missing. Where arms overlap, fluxes are averaged with inverse-variance weights and
the inverse variances are added (as in desispec.coaddition.coadd_cameras); elsewhere flux and ivar are unchanged. Class
and redshift are in ``redrock-*.fits`` (``zbest-*.fits`` before 2021), either of them gzipped or not, matched by TARGETID.
Wavelengths are vacuum, flux is in 1e-17 erg/s/cm²/Å.
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
from skspec.io._masks import bits_of, has_bits
from skspec.io._registry import register_format
from skspec.io._source import Source

_MOST = 4  # times the pixels of all arms
_TOLERANCE = 1e-3  # of a step
_COADD = re.compile(r"(?:coadd|spectra)-(.+?)(?:\.fits?)?(?:\.gz)?$")
_REDSHIFTS = {"class": "SPECTYPE", "subclass": "SUBTYPE", "z": "Z", "zwarn": "ZWARN"}
_TARGET = {"ra": ("TARGET_RA", "RA", "FIBER_RA"), "dec": ("TARGET_DEC", "DEC", "FIBER_DEC")}

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
    wave, flux, ivar = _join(sorted((_arm(source, arm) for arm in arms), key=lambda part: part[0][0]))
    meta: dict[str, Any] = {"survey": "DESI", "flux_unit": source.hdus[f"{arms[0]}_FLUX"].header.get("BUNIT")}
    if fibermap.shape != (len(flux),):
        raise ValueError(f"FIBERMAP has {fibermap.shape[0]} rows for {len(flux)} spectra")
    for name, columns in _TARGET.items():
        column = next((column for column in columns if column in fibermap.columns), None)
        meta[name] = None if column is None else fibermap.column(column)
    scores = source.hdus.get("SCORES")
    if scores is not None and "MEDIAN_COADD_SNR_R" in scores.columns:
        meta["snr"] = scores.column("MEDIAN_COADD_SNR_R").astype(np.float64)
    if "TARGETID" in fibermap.columns:
        target = fibermap.column("TARGETID")
        meta |= {"targetid": target, "object": target.astype(str)} | _redshifts(source, target)
    return FileSpectra(flux, wave, ivar, meta=meta)


def _arm(source: Source, arm: str) -> Arm:
    """Return wavelengths, flux and ivar of one arm; ivar is 0 where its mask is set, as in redrock."""
    wave, flux, ivar = (source.hdus[f"{arm}_{name}"].image() for name in ("WAVELENGTH", "FLUX", "IVAR"))
    images = {"IVAR": ivar}
    mask = source.hdus.get(f"{arm}_MASK")
    if mask is not None:
        images["MASK"] = mask.image()
    if wave.ndim != 1 or wave.size < 2 or flux.ndim != 2 or flux.shape[1:] != wave.shape:
        raise ValueError(f"{arm}_FLUX has shape {flux.shape}, {arm}_WAVELENGTH {wave.shape}")
    for name, image in images.items():
        if image.shape != flux.shape:
            raise ValueError(f"{arm}_{name} has shape {image.shape}, {arm}_FLUX {flux.shape}")
    if mask is not None:
        bits = bits_of(source, f"{arm}_MASK", "MASK")
        bad = images["MASK"] != 0 if bits is None else has_bits(images["MASK"], bits)
        ivar[bad] = 0
    return wave, flux, ivar


def _join(parts: list[Arm]) -> Arm:
    """Join arms, in order of wavelength, to one grid; pixels between arms that do not overlap are missing."""
    start = parts[0][0][0]
    step = (parts[0][0][-1] - start) / (len(parts[0][0]) - 1)
    first = [round((wave[0] - start) / step) for wave, _, _ in parts]
    n_pixels = max(i + len(wave) for i, (wave, _, _) in zip(first, parts, strict=True))
    n_rows = [len(flux) for _, flux, _ in parts]
    if len(set(n_rows)) > 1:
        raise ValueError(f"the arms have {', '.join(map(str, n_rows))} spectra; equal numbers are needed")
    if n_pixels > _MOST * sum(len(wave) for wave, _, _ in parts):
        raise ValueError(f"the arms, of {step:.2f} Å steps, lie too far apart for one grid")
    joined_wave = start + step * np.arange(n_pixels)
    shape = (n_rows[0], n_pixels)
    flux, ivar = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    done = 0
    for i, (wave, arm_flux, arm_ivar) in zip(first, parts, strict=True):
        if np.abs(wave - joined_wave[i : i + len(wave)]).max() > _TOLERANCE * step:
            raise ValueError(
                f"the arm starting at {wave[0]:.1f} Å does not continue the grid of {step:.2f} Å steps before it"
            )
        shared = min(max(done - i, 0), len(wave))  # pixels that overlap with the arms before
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


def _redshifts(source: Source, target: NDArray[np.int64]) -> dict[str, Any]:
    """Return class and redshift of each target from the redrock file; warn if there should be one."""
    folder, name = os.path.split(source.path)
    match = _COADD.match(name)
    if match is None:
        return {}
    beside = [f"{kind}-{match[1]}.fits{end}" for kind in ("redrock", "zbest") for end in ("", ".gz")]
    found = next((file for file in beside if os.path.isfile(os.path.join(folder, file))), None)
    if found is None:
        source.notice(
            "class and z are missing, since the file redrock-*.fits of the same name (or zbest-*.fits) is not beside "
            "it; put it there"
        )
        return {}
    with Source(os.path.join(folder, found)) as redrock:
        table = next((hdu for hdu in redrock.hdus if hdu.name in ("REDSHIFTS", "ZBEST")), redrock.hdus[1])
        order = {identity: row for row, identity in enumerate(table.column("TARGETID").tolist())}
        rows = [order.get(identity) for identity in target.tolist()]
        absent = rows.count(None)
        if absent:
            source.notice(
                "{n} targets are not in their file of redshifts, so their class and z are missing", absent
            )
        return {
            name: _take(table, column, rows) for name, column in _REDSHIFTS.items() if column in table.columns
        }


def _take(table: Hdu, name: str, rows: list[int | None]) -> list[Any]:
    values = table.masked(name).tolist()
    return [None if row is None else values[row] for row in rows]


register_format(
    "desi",
    description="DESI coadd or spectra file, class from the redrock file in the same directory",
    identify=_identify,
    read=_read,
)
