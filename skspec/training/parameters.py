"""Which parameters of training make sense."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.training.optimizers import OPTIMIZERS
from skspec.training.precision import PRECISIONS
from skspec.training.schedules import SCHEDULES


def check_parameters(estimator: Any) -> None:
    """Raise ValueError or TypeError for a parameter of a `NeuralEstimator` that makes no sense."""
    positive = {"min_val": 0, "include_boundaries": "neither"}
    fraction = {"min_val": 0, "max_val": 1}
    check_scalar(estimator.lr, "lr", Real, **positive)
    check_scalar(estimator.max_epochs, "max_epochs", Integral, min_val=1)
    check_scalar(estimator.batch_size, "batch_size", Integral, min_val=1)
    check_choice("optimizer", estimator.optimizer, OPTIMIZERS)
    check_scalar(estimator.weight_decay, "weight_decay", Real, min_val=0)
    check_choice("schedule", estimator.schedule, SCHEDULES)
    if estimator.max_grad_norm is not None:
        check_scalar(estimator.max_grad_norm, "max_grad_norm", Real, **positive)
    if estimator.ema_decay is not None:
        check_scalar(estimator.ema_decay, "ema_decay", Real, **fraction, include_boundaries="neither")
    check_scalar(estimator.mixup, "mixup", Real, min_val=0)
    if estimator.validation_fraction is not None:
        check_scalar(
            estimator.validation_fraction,
            "validation_fraction",
            Real,
            **fraction,
            include_boundaries="neither",
        )
    if estimator.n_iter_no_change is not None:
        check_scalar(estimator.n_iter_no_change, "n_iter_no_change", Integral, min_val=1)
    _check_noise(estimator.augment_noise, estimator.ivar_channel)
    check_scalar(estimator.augment_shift, "augment_shift", Integral, min_val=0)
    check_scalar(estimator.augment_velocity, "augment_velocity", Real, min_val=0)
    check_scalar(estimator.augment_tilt, "augment_tilt", Real, **fraction, include_boundaries="left")
    check_scalar(estimator.augment_mask, "augment_mask", Real, **fraction, include_boundaries="left")
    check_scalar(estimator.n_channels, "n_channels", Integral, min_val=1)
    if estimator.ivar_channel is not None:
        check_scalar(
            estimator.ivar_channel, "ivar_channel", Integral, min_val=0, max_val=estimator.n_channels - 1
        )
    check_choice("precision", estimator.precision, PRECISIONS)
    for name in ("warm_start", "compile"):
        check_choice(name, getattr(estimator, name), (True, False))
    check_scalar(estimator.verbose, "verbose", Integral, min_val=0)
    if estimator.callbacks is not None and not isinstance(estimator.callbacks, list | tuple):
        raise TypeError(f"callbacks must be a list of skorch callbacks, got {estimator.callbacks!r}")


def _check_noise(noise: Any, ivar_channel: int | None) -> None:
    if isinstance(noise, str):
        check_choice("augment_noise", noise, ("ivar",))
        if ivar_channel is None:
            raise ValueError(
                "augment_noise='ivar' needs ivar_channel, which says where the inverse variance is"
            )
    elif noise is not None and not (np.shape(noise) == (2,) and 0 <= noise[0] <= noise[1] < np.inf):
        raise ValueError(f"augment_noise must be a range (low, high) of σ, 'ivar' or None, got {noise!r}")
