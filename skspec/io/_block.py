"""What a reader hands over: the spectra of one file, light and as they are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._wave import check_increasing


@dataclass(slots=True)
class Block:
    """Spectra of one file on one wavelength grid.

    Parameters
    ----------
    flux : ndarray of shape (n_pixels,) or (n_spectra, n_pixels)
        Flux density per unit wavelength; missing pixels are not finite, or have ``ivar == 0``.
    wave : ndarray of shape (n_pixels,)
        Wavelengths in Å, strictly increasing.
    ivar : ndarray like `flux` or None, default=None
        Inverse variance; None when the file gives no errors.
    medium : {"vacuum", "air"} or None, default="vacuum"
        Medium of `wave`; None when the file does not say, which is taken as vacuum.
    meta : dict, default={}
        Catalogue values: a scalar for all spectra of the block, or a sequence of one for each. None means
        that the file has no value. The common names are ``survey, object, class, subclass, z, ra, dec, snr``.
    """

    flux: NDArray[Any]
    wave: NDArray[np.float64]
    ivar: NDArray[Any] | None = None
    medium: str | None = "vacuum"
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return 1 if self.flux.ndim == 1 else len(self.flux)


def validated(block: Block) -> Block:
    """Check a block and return it with 2-D native float32 flux and ivar and float64 wavelengths.

    Raises
    ------
    ValueError
        If shapes disagree, wavelengths do not increase, values do not fit float32, or no pixel of any
        spectrum holds a measurement.
    """
    wave = np.ascontiguousarray(block.wave, dtype=np.float64)
    check_increasing(wave)
    flux = _float32("flux", block.flux, wave.size)
    ivar = None if block.ivar is None else _float32("ivar", block.ivar, wave.size)
    if ivar is not None and ivar.shape != flux.shape:
        raise ValueError(f"ivar has shape {ivar.shape}, flux {flux.shape}")
    measured = np.isfinite(flux)
    if not measured.any():
        raise ValueError("no pixel holds a measurement: all flux values are NaN or infinite")
    if ivar is not None:
        measured &= ivar > 0
        if not measured.any():
            raise ValueError("no pixel holds a measurement: the inverse variance is zero everywhere")
    return Block(flux, wave, ivar, block.medium, block.meta)


def _float32(name: str, values: Any, n_pixels: int) -> NDArray[np.float32]:
    values = np.asarray(values)
    if values.ndim not in (1, 2) or values.shape[-1] != n_pixels:
        raise ValueError(f"{name} has shape {values.shape} for {n_pixels} wavelengths")
    if values.dtype != np.float32:
        with np.errstate(over="ignore"):
            cast = values.astype(np.float32)
        lost = np.isinf(cast) & np.isfinite(values)
        if lost.any():
            raise ValueError(
                f"{name} reaches {np.abs(values[lost]).max():.3g}, beyond float32; "
                "store the flux in larger units, for example 1e-17 erg/s/cm²/Å"
            )
        values = cast
    return values.reshape(-1, n_pixels)


def ivar_from_error(error: NDArray[Any]) -> NDArray[np.float64]:
    """Inverse variance of standard deviations; 0 (missing) where those are not positive or not finite."""
    return ivar_from_variance(np.square(np.asarray(error, dtype=np.float64)) * np.sign(error))


def ivar_from_variance(variance: NDArray[Any]) -> NDArray[np.float64]:
    """Inverse of variances; 0 (missing) where those are not positive or not finite."""
    variance = np.asarray(variance, dtype=np.float64)
    good = np.isfinite(variance) & (variance > 0)
    return np.divide(1.0, variance, out=np.zeros_like(variance), where=good)


def column_list(value: Any, n: int) -> list[Any]:
    """Return a catalogue value as a list of one for each of `n` spectra, None where there is none."""
    if isinstance(value, (np.ndarray, list, tuple)):
        values = value.tolist() if isinstance(value, np.ndarray) else list(value)
        if len(values) != n:
            raise ValueError(f"a catalogue value has {len(values)} entries for {n} spectra")
        return values
    return [value] * n
