"""`FileSpectra`, which readers of formats return, and helpers to make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra import check_pixels, valid

_PLAIN = frozenset({type(None), bool, int, float, complex, str})


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
        """Return the spectra with 2-D flux and ivar, and lists in `meta`.

        Raises
        ------
        ValueError
            If `check_pixels` does, there is no valid pixel, or a catalogue value does not have one entry per spectrum.
        """
        flux, wave, ivar = check_pixels(self.flux, self.wave, self.ivar)
        if not valid(flux, ivar).any():
            finite = ivar is not None and np.isfinite(flux).any()
            cause = "the inverse variance is zero everywhere" if finite else "no flux value is finite"
            raise ValueError(f"there are no valid pixels: {cause}")
        n = len(flux)
        meta = {
            name: [value] * n if type(value) in _PLAIN else catalogue_values(name, value, n)
            for name, value in self.meta.items()
        }
        return FileSpectra(flux, wave, ivar, self.medium, meta)


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


def catalogue_values(name: str, value: Any, n: int) -> list[Any]:
    """Return a catalogue value as a list with one entry for each of `n` spectra.

    Entries are bool, int, float, complex, str or arrays of these; None is missing, dates and all else become text.
    """
    if not isinstance(value, np.ndarray | list | tuple):
        return [_plain(value)] * n
    if value is np.ma.masked:
        return [None] * n
    if isinstance(value, np.ndarray) and not value.ndim:
        return [_plain(value.item())] * n
    if len(value) != n:
        raise ValueError(f"the catalogue value {name!r} has {len(value)} entries for {n} spectra")
    if (
        isinstance(value, np.ndarray)
        and value.ndim == 1
        and value.dtype.kind in "biufU"
        and type(value) is np.ndarray
    ):
        return value.tolist()
    return [_plain(entry) for entry in value]


def _plain(value: Any) -> Any:
    """One entry of the catalogue in a type that can be joined with others."""
    if value is None or value is np.ma.masked:
        return None
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.datetime64 | np.timedelta64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, bytes):
        return value.decode("latin-1").strip("\0 ")
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value) if not isinstance(value, np.ndarray) else value
        if array.ndim and array.dtype.kind in "biufcU":
            return array
        return str(value)
    if isinstance(value, np.generic):
        return _plain(value.item()) if not isinstance(value, np.void) else str(value)
    return value if isinstance(value, str | int | float) else str(value)


def ivar_from_error(error: NDArray[Any]) -> NDArray[np.float64]:
    """Convert standard deviations to inverse variances; 0 (missing) unless they are positive and finite."""
    return ivar_from_variance(np.square(np.asarray(error, dtype=np.float64)) * np.sign(error))


def ivar_from_variance(variance: NDArray[Any]) -> NDArray[np.float64]:
    """Convert variances to inverse variances; 0 (missing) unless they are positive and finite."""
    variance = np.asarray(variance, dtype=np.float64)
    good = np.isfinite(variance) & (variance > 0)
    return np.divide(1.0, variance, out=np.zeros_like(variance), where=good)
