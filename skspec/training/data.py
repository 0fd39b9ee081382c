"""What may come in as X, y and sample_weight, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skspec._validation import fill_masked, refuse_quantity
from skspec.spectra import Spectra

_SAME_GRID = 1e-6  # relative; headers give wavelengths no better


def check_training_data(
    estimator: BaseEstimator, X: Any, y: Any, n_channels: int
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Rows of X and labels to learn from; remembers the number of columns and the grid of `Spectra`.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_``, ``feature_names_in_`` (named columns) and ``wave_`` (`Spectra`).
    X : Spectra, or array-like of shape (n_spectra, n_features)
    y : array-like of shape (n_spectra,)
    n_channels : int
        Must divide n_features.

    Returns
    -------
    rows : ndarray of shape (n_spectra, n_features)
        In float32, with NaN where pixels are missing.
    labels : ndarray of shape (n_spectra,)
    """
    wave = _wave_of(X, n_channels)
    if np.ma.is_masked(y):
        raise ValueError(f"y has {np.ma.count_masked(y)} masked labels; every training spectrum needs one")
    rows, labels = _validate(estimator, _as_array(X), y)
    check_classification_targets(labels)
    if rows.shape[1] % n_channels:
        raise ValueError(f"n_channels must divide the {rows.shape[1]} features of X, got {n_channels}")
    _check_not_empty(rows, X)
    estimator.__dict__.pop("wave_", None)
    if wave is not None:
        estimator.wave_ = wave
    return rows, labels


def check_rows(estimator: BaseEstimator, X: Any, n_channels: int) -> NDArray[np.float32]:
    """Rows of X to predict, checked against what the estimator was fitted on.

    Parameters
    ----------
    estimator : BaseEstimator
        Fitted.
    X : Spectra, or array-like of shape (n_spectra, n_features)
    n_channels : int
        As in fit.

    Returns
    -------
    ndarray of shape (n_spectra, n_features)
        In float32, with NaN where pixels are missing.
    """
    wave, known = _wave_of(X, n_channels), getattr(estimator, "wave_", None)
    if wave is not None and known is not None and not _same_grid(wave, known):
        raise ValueError(
            f"X is on another wavelength grid ({_describe(wave)}) than {type(estimator).__name__} was fitted "
            f"on ({_describe(known)}); put LogWaveResampler first, and fit again"
        )
    rows = _validate(estimator, _as_array(X), reset=False)
    _check_not_empty(rows, X)
    return rows


def check_weight(sample_weight: Any, n_rows: int) -> NDArray[np.float64]:
    """Weights of the training rows, checked to be finite, not negative, and not all zero."""
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; ({n_rows},) is needed, one for each spectrum"
        )
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min():g}")
    if not weight.any():
        raise ValueError("sample_weight is zero for all spectra")
    return weight


def _wave_of(X: Any, n_channels: int) -> NDArray[np.float64] | None:
    """Vacuum wavelengths of `Spectra` on one grid; None for arrays."""
    if not isinstance(X, Spectra):
        return None
    if n_channels != 1:
        raise ValueError(
            f"n_channels={n_channels} needs an array with the channels side by side; Spectra give the flux only"
        )
    if not X.is_common_grid:
        raise ValueError(f"the {len(X)} spectra have different wavelength grids; put LogWaveResampler first")
    return X.to_vacuum().wave


def _as_array(X: Any) -> Any:
    if isinstance(X, Spectra):
        return np.asarray(X)
    refuse_quantity("X", X)
    if getattr(X, "ndim", 2) == 3:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, but one row a spectrum is needed: put the channels side by side "
            "with X.reshape(len(X), -1), and give their number as n_channels="
        )
    return fill_masked("X", X)


def _validate(estimator: BaseEstimator, *data: Any, reset: bool = True) -> Any:
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
