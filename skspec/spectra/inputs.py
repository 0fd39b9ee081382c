"""Check the X of estimators, `Spectra` or a 2-D array with one row a spectrum, and the wavelengths of its columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skspec.checks import fill_masked, refuse_quantity
from skspec.spectra._arrays import as_wave, question_wave
from skspec.spectra._spectra import Spectra


def check_flux(estimator: BaseEstimator, X: Any, *, reset: bool) -> Any:
    """Return `Spectra` as they are, and anything else as a float32 or float64 array with NaN where pixels are missing.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_`` and ``feature_names_in_`` of arrays if `reset`; otherwise X must agree with them.
    X : Spectra, or array-like of shape (n_spectra, n_pixels)
    reset : bool
        Whether this is a fit.
    """
    if isinstance(X, Spectra):
        return X
    refuse_quantity("X", X)
    if getattr(X, "ndim", 2) == 3:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, but one row a spectrum is needed: put the channels side by side "
            "with X.reshape(len(X), -1)"
        )
    return validate_data(
        estimator,
        fill_masked("X", X),
        reset=reset,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
    )


def wave_of_columns(wave: Any, n_features: int) -> NDArray[np.float64]:
    """Return the wavelengths in Å of the columns of an array, from the parameter `wave` of a transformer.

    Parameters
    ----------
    wave : array-like of shape (n_features,), (first, last) or None
        A pair is a linear grid between the two.
    n_features : int
        Columns of X.

    Raises
    ------
    ValueError
        If `wave` is None, does not increase, or has another length.
    """
    if wave is None:
        raise ValueError(
            "X is a 2-D array, whose wavelengths are unknown: give them as wave=, or give Spectra(flux, wave=...)"
        )
    given, wave = wave, as_wave(wave)
    question_wave(given, wave)
    if not isinstance(wave, np.ndarray) or wave.ndim != 1:
        raise ValueError("wave must be 1-D: the common grid of all rows; Spectra can have a grid each")
    if n_features < 2:
        raise ValueError("n_features = 1, at least 2 pixels are needed to know how wide they are")
    if len(wave) == 2:
        wave = np.linspace(wave[0], wave[1], n_features)
    if len(wave) != n_features:
        raise ValueError(f"wave has {len(wave)} wavelengths, X has {n_features} features")
    return wave


def in_vacuum(X: Any, wave: Any) -> tuple[Any, NDArray[np.float64] | None]:
    """Return what `blocks` takes: spectra in vacuum, or an array and the wavelengths of its columns.

    Parameters
    ----------
    X : Spectra, or ndarray of shape (n_spectra, n_pixels)
    wave : array-like of shape (n_pixels,), (first, last) or None
        The parameter of a transformer, for arrays: see `wave_of_columns`.

    Returns
    -------
    X : Spectra or ndarray
    wave : ndarray of shape (n_pixels,) or None
        None for `Spectra`.

    Raises
    ------
    ValueError
        If X is an array and its wavelengths are not known.
    """
    return (X.to_vacuum(), None) if isinstance(X, Spectra) else (X, wave_of_columns(wave, X.shape[1]))


def check_pixel_widths(X: Any) -> None:
    """Raise ValueError if a spectrum has a single pixel, whose width is unknown."""
    if not isinstance(X, Spectra):
        return
    sizes = [len(X.wave)] if X.is_common_grid else list(map(len, X.wave))
    if 1 in sizes:
        raise ValueError(
            f"{row_name(sizes.index(1), X)} has 1 pixel; at least 2 are needed to know how wide they are"
        )


def row_name(row: int, X: Any) -> str:
    """Return the name of a row of X for messages: its number, and its file if the catalogue of `Spectra` has it."""
    file = str(X.meta["file"][row]) if isinstance(X, Spectra) and "file" in X.meta.colnames else ""
    return f"{file} (spectrum {row})" if file else f"spectrum {row}"
