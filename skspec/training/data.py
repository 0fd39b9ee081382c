"""Validation of X, y, sample_weight and groups, with errors that suggest a remedy."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skspec.checks import check_groups, check_weight, fill_masked, refuse_quantity
from skspec.spectra import Spectra, describe_grid, same_grid
from skspec.spectra.inputs import row_name


def check_training_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, *, reset: bool = True
) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.float64] | None, NDArray[Any] | None]:
    """Return rows of X, targets, weights and groups for training, without spectra of weight 0.

    Rows are float32, with NaN where pixels are missing. Targets are labels for a classifier, and float64 values for a
    regressor, NaN where they are unknown (NaN or masked). The attributes ``n_features_in_``, ``feature_names_in_`` (named
    columns) and ``wave_`` (`Spectra`) of the estimator are set; if `reset` is false, X must agree with the last fit.
    """
    flux = _as_array(estimator, X)
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    if is_classifier(estimator):
        if np.ma.is_masked(y):
            raise ValueError(
                f"y has {np.ma.count_masked(y)} masked labels; every training spectrum needs one"
            )
        rows, target = _validate(estimator, flux, y, reset=reset)
        check_classification_targets(target)
    else:
        rows = _validate(estimator, flux, reset=reset)
        refuse_quantity("y", y)
        y = fill_masked("y", y)
        target = check_array(
            y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
        )
        check_consistent_length(rows, target)
    wave = _check_wave(estimator, X, reset=reset)
    rows = _prepare(estimator, rows)
    _check_not_empty(rows, X)
    if reset:
        estimator.__dict__.pop("wave_", None)
        if wave is not None:
            estimator.wave_ = wave
    weight = None if sample_weight is None else check_weight(sample_weight, len(rows))
    groups = None if groups is None else check_groups(groups, len(rows))
    if weight is not None and not weight.all():
        kept = weight > 0
        rows, target, weight = rows[kept], target[kept], weight[kept]
        groups = None if groups is None else groups[kept]
    if len(rows) < 2 and is_regressor(estimator):
        raise ValueError("n_samples=1, but at least 2 training spectra are needed")
    return rows, target, weight, groups


def check_rows(estimator: Any, X: Any) -> NDArray[np.float32]:
    """Return rows of X for prediction, as in `check_training_data`, if they agree with the fit of the estimator."""
    flux = _as_array(estimator, X)
    _check_wave(estimator, X, reset=False)
    rows = _prepare(estimator, _validate(estimator, flux, reset=False))
    _check_not_empty(rows, X)
    return rows


def _check_wave(estimator: Any, X: Any, *, reset: bool) -> NDArray[np.float64] | None:
    """Return the vacuum wavelengths of `Spectra`, checked against those of the fit; None for arrays."""
    if not isinstance(X, Spectra):
        return None
    wave, known = X.to_vacuum().wave, getattr(estimator, "wave_", None)
    if not reset and known is not None and not same_grid(wave, known):
        raise ValueError(
            f"X is on another wavelength grid ({describe_grid(wave)}) than {type(estimator).__name__} was fitted "
            f"on ({describe_grid(known)}); put LogWaveResampler first, and fit again"
        )
    return wave


def _as_array(estimator: Any, X: Any) -> Any:
    if isinstance(X, Spectra):
        return _array_of_spectra(estimator, X)
    refuse_quantity("X", X)
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) == 4:
        raise ValueError(
            f"X has shape {shape}, but one row per image is needed: move the channels to axis 1 and flatten with "
            "X.reshape(len(X), -1), and set image_shape=(channels, height, width)"
        )
    if len(shape) == 3 and estimator._input_kind == "images":
        raise ValueError(
            f"X has shape {shape}, but one row per image is needed: flatten with X.reshape(len(X), -1), and set "
            f"image_shape=(1, {shape[1]}, {shape[2]})"
        )
    if len(shape) == 3:
        raise ValueError(
            f"X has shape {shape}, but one row per spectrum is needed: put the channels side by side with "
            "X.reshape(len(X), -1), and set n_channels to their number"
        )
    return fill_masked("X", X)


def _array_of_spectra(estimator: Any, X: Spectra) -> NDArray[np.floating]:
    if not X.is_common_grid:
        raise ValueError(f"the {len(X)} spectra have different wavelength grids; put LogWaveResampler first")
    if estimator._input_kind == "images":
        raise ValueError(
            f"X is Spectra, but the rows of X are images for {type(estimator).__name__} with "
            f"image_shape={estimator.image_shape!r}"
        )
    if getattr(estimator, "n_scalars", 0):
        raise ValueError("n_scalars needs an array with the scalars in its last columns; Spectra have none")
    channels = (estimator.n_channels, estimator.ivar_channel)
    if channels == (1, None):
        return np.asarray(X)
    if channels != (2, 1):
        raise ValueError(
            f"n_channels={estimator.n_channels} needs an array with the channels side by side; Spectra provide "
            "flux, or flux and ivar for n_channels=2, ivar_channel=1"
        )
    if X.ivar is None:
        raise ValueError("ivar_channel needs Spectra with ivar; these have none")
    return np.hstack([X.flux, X.ivar])


def _prepare(estimator: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace the inverse variance by its log10; pixels where it is 0 or missing become missing in all channels."""
    shape = estimator._input_shape(rows.shape[1])
    channel = shape.ivar_channel
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
    with np.errstate(over="ignore"):  # scikit-learn reports values too large for float32
        return validate_data(
            estimator, *data, reset=reset, dtype=np.float32, order="C", ensure_all_finite="allow-nan"
        )


def _check_not_empty(rows: NDArray[np.float32], X: Any) -> None:
    empty = np.flatnonzero(np.isnan(rows).all(axis=1))
    if len(empty):
        more = f", nor have {len(empty) - 1} others" if len(empty) > 1 else ""
        raise ValueError(f"{row_name(int(empty[0]), X)} has no valid pixel{more}; remove such spectra")
