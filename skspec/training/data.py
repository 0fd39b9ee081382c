"""What may come in as X, y and sample_weight, and what is said of the rest."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skspec.checks import fill_masked, refuse_quantity
from skspec.spectra import Spectra

_SAME_GRID = 1e-6  # relative; headers give wavelengths no better


def check_training_data(
    estimator: Any, X: Any, y: Any, *, reset: bool = True
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Rows of X and labels to learn from; remembers the number of columns and the grid of `Spectra`.

    Parameters
    ----------
    estimator : NeuralEstimator
        Gets ``n_features_in_``, ``feature_names_in_`` (named columns) and ``wave_`` (`Spectra`).
    X : Spectra, or array-like of shape (n_spectra, n_features)
    y : array-like of shape (n_spectra,)
    reset : bool, default=True
        Whether X may differ from what the estimator has seen.

    Returns
    -------
    rows : ndarray of shape (n_spectra, n_features)
        In float32, with NaN where pixels are missing.
    labels : ndarray of shape (n_spectra,)
    """
    if np.ma.is_masked(y):
        raise ValueError(f"y has {np.ma.count_masked(y)} masked labels; every training spectrum needs one")
    rows, labels = _validate(estimator, _as_array(estimator, X), y, reset=reset)
    check_classification_targets(labels)
    return _training_rows(estimator, X, rows, reset=reset), labels


def check_training_values(
    estimator: Any, X: Any, y: Any, *, reset: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows of X and values to learn, as `check_training_data` does for labels.

    Parameters
    ----------
    estimator : NeuralEstimator
        Gets ``n_features_in_``, ``feature_names_in_`` (named columns) and ``wave_`` (`Spectra`).
    X : Spectra, or array-like of shape (n_spectra, n_features)
    y : array-like of shape (n_spectra,) or (n_spectra, n_targets)
        NaN, or masked, where a value is not known.
    reset : bool, default=True
        Whether X may differ from what the estimator has seen.

    Returns
    -------
    rows : ndarray of shape (n_spectra, n_features)
        In float32, with NaN where pixels are missing.
    values : ndarray of shape (n_spectra,) or (n_spectra, n_targets)
        In float64.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    rows = _validate(estimator, _as_array(estimator, X), reset=reset)
    refuse_quantity("y", y)
    values = check_array(
        fill_masked("y", y), ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    check_consistent_length(rows, values)
    return _training_rows(estimator, X, rows, reset=reset), values


def _training_rows(estimator: Any, X: Any, rows: NDArray[np.float32], *, reset: bool) -> NDArray[np.float32]:
    wave = _check_wave(estimator, X, reset=reset)
    rows = _prepare(estimator, rows)
    _check_not_empty(rows, X)
    if reset:
        estimator.__dict__.pop("wave_", None)
        if wave is not None:
            estimator.wave_ = wave
    return rows


def check_rows(estimator: Any, X: Any) -> NDArray[np.float32]:
    """Rows of X to predict, checked against what the estimator was fitted on.

    Parameters
    ----------
    estimator : NeuralEstimator
        Fitted.
    X : Spectra, or array-like of shape (n_spectra, n_features)

    Returns
    -------
    ndarray of shape (n_spectra, n_features)
        In float32, with NaN where pixels are missing.
    """
    flux = _as_array(estimator, X)
    _check_wave(estimator, X, reset=False)
    rows = _prepare(estimator, _validate(estimator, flux, reset=False))
    _check_not_empty(rows, X)
    return rows


def _check_wave(estimator: Any, X: Any, *, reset: bool) -> NDArray[np.float64] | None:
    """Vacuum wavelengths of `Spectra`, checked to be those of the fit; None for arrays."""
    if not isinstance(X, Spectra):
        return None
    wave, known = X.to_vacuum().wave, getattr(estimator, "wave_", None)
    if not reset and known is not None and not _same_grid(wave, known):
        raise ValueError(
            f"X is on another wavelength grid ({_describe(wave)}) than {type(estimator).__name__} was fitted "
            f"on ({_describe(known)}); put LogWaveResampler first, and fit again"
        )
    return wave


def _as_array(estimator: Any, X: Any) -> Any:
    if isinstance(X, Spectra):
        if not X.is_common_grid:
            raise ValueError(
                f"the {len(X)} spectra have different wavelength grids; put LogWaveResampler first"
            )
        if getattr(estimator, "n_scalars", 0):
            raise ValueError(
                "n_scalars needs an array with the scalars in its last columns; Spectra have none"
            )
        channels = (estimator.n_channels, estimator.ivar_channel)
        if channels == (1, None):
            return np.asarray(X)
        if channels != (2, 1):
            raise ValueError(
                f"n_channels={estimator.n_channels} needs an array with the channels side by side; Spectra give the "
                "flux, or flux and ivar for n_channels=2, ivar_channel=1"
            )
        if X.ivar is None:
            raise ValueError("ivar_channel needs Spectra with ivar; these have none")
        return np.hstack([X.flux, X.ivar])
    refuse_quantity("X", X)
    if getattr(X, "ndim", 2) == 3:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, but one row a spectrum is needed: put the channels side by side "
            "with X.reshape(len(X), -1), and give their number as n_channels="
        )
    if getattr(X, "ndim", 2) == 4:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, but one row an image is needed: bring the channels to axis 1 and "
            "flatten with X.reshape(len(X), -1), and give image_shape=(channels, height, width)"
        )
    return fill_masked("X", X)


def _prepare(estimator: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with log10 of the inverse variance in its channel, and all channels missing where that is 0 or missing."""
    channel = estimator.ivar_channel
    shape = estimator._input_shape(rows.shape[1])
    if channel is None:
        return rows
    n_values = prod(shape.channels)
    rows = rows.copy()
    pixels = rows[:, :n_values].reshape(len(rows), *shape.channels)
    ivar = pixels[:, channel]
    if (ivar < 0).any():
        raise ValueError(
            f"channel {channel} is the inverse variance and must not be negative, got {np.nanmin(ivar):g}"
        )
    ivar[np.isnan(pixels).any(axis=1)] = 0.0
    missing = ivar == 0.0
    np.log10(ivar, out=ivar, where=~missing)
    pixels.transpose(0, 2, 1)[missing] = np.nan
    return rows


def _validate(estimator: Any, *data: Any, reset: bool = True) -> Any:
    with np.errstate(over="ignore"):  # what is too large for float32 is an error, said by scikit-learn
        return validate_data(
            estimator, *data, reset=reset, dtype=np.float32, order="C", ensure_all_finite="allow-nan"
        )


def _check_not_empty(rows: NDArray[np.float32], X: Any) -> None:
    empty = np.flatnonzero(np.isnan(rows).all(axis=1))
    if not len(empty):
        return
    first = int(empty[0])
    file = f" ({X.meta['file'][first]})" if isinstance(X, Spectra) and "file" in X.meta.colnames else ""
    more = f", nor have {len(empty) - 1} others" if len(empty) > 1 else ""
    raise ValueError(f"row {first} of X{file} has no valid pixel{more}; leave such spectra out")


def _same_grid(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return len(a) == len(b) and np.allclose(a, b, rtol=_SAME_GRID, atol=0.0)


def _describe(wave: NDArray[np.float64]) -> str:
    return f"{len(wave)} pixels, {wave[0]:.2f}–{wave[-1]:.2f} Å"
