"""`FileSpectra`, which readers of formats return, and helpers to make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra import check_pixels, valid


@dataclass(slots=True)
class FileSpectra:
    """Spectra of one file on one wavelength grid.

    Parameters
    ----------
    flux : ndarray of shape (n_pixels,) or (n_spectra, n_pixels)
        Flux density per unit wavelength. Pixels that are masked, not finite or with ``ivar == 0`` are missing.
    wave : ndarray of shape (n_pixels,)
        Wavelengths in Å, strictly increasing.
    ivar : ndarray like `flux` or None, default=None
        Inverse variance; None if the file has no errors.
    medium : {"vacuum", "air"} or None, default="vacuum"
        Medium of `wave`; None (not stated in the file) is read as vacuum.
    meta : dict, default={}
        Catalogue values: a scalar for all spectra, or a sequence with one value for each. None is a missing value. The
        common names are ``survey, object, class, subclass, z, ra, dec, snr``.
    """

    flux: NDArray[Any]
    wave: NDArray[np.float64]
    ivar: NDArray[Any] | None = None
    medium: str | None = "vacuum"
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return 1 if self.flux.ndim == 1 else len(self.flux)

    def checked(self) -> FileSpectra:
        """Return the spectra with 2-D flux and ivar, checked by `check_pixels` and for at least one valid pixel."""
        flux, wave, ivar = check_pixels(self.flux, self.wave, self.ivar)
        if not valid(flux, ivar).any():
            finite = ivar is not None and np.isfinite(flux).any()
            cause = "the inverse variance is zero everywhere" if finite else "no flux value is finite"
            raise ValueError(f"there are no valid pixels: {cause}")
        return FileSpectra(flux, wave, ivar, self.medium, self.meta)


def split_rows(
    flux: Any, wave: Any, ivar: Any, medium: str | None, meta: Mapping[str, Any]
) -> list[FileSpectra]:
    """Return one `FileSpectra` for each row of flux, wave, ivar and the lists in `meta`."""
    return [
        FileSpectra(
            np.asarray(flux[i]),
            wave[i],
            None if ivar is None else ivar[i],
            medium,
            {name: values[i] if isinstance(values, list) else values for name, values in meta.items()},
        )
        for i in range(len(flux))
    ]


def ivar_from_error(error: NDArray[Any]) -> NDArray[np.float64]:
    """Convert standard deviations to inverse variances; 0 (missing) unless they are positive and finite."""
    return ivar_from_variance(np.square(np.asarray(error, dtype=np.float64)) * np.sign(error))


def ivar_from_variance(variance: NDArray[Any]) -> NDArray[np.float64]:
    """Convert variances to inverse variances; 0 (missing) unless they are positive and finite."""
    variance = np.asarray(variance, dtype=np.float64)
    good = np.isfinite(variance) & (variance > 0)
    return np.divide(1.0, variance, out=np.zeros_like(variance), where=good)
