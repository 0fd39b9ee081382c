"""Base class of the samplers: checks of the input, and assembly of the resampled data."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import validate_data

from skspec.checks import (
    COUNT,
    Constraints,
    check_parameters,
    fill_masked,
    refuse_quantity,
    unchanged_on_error,
)
from skspec.spectra import Spectra

_FEWEST = 5
_FEWEST_HELD_OUT = 3


class _Inherited:
    """Constraint that imbalanced-learn declares for the parameter."""

    def check(self, name: str, value: Any) -> None:
        validate_parameter_constraints(BaseOverSampler._parameter_constraints, {name: value}, "a sampler")


class SpectrumOverSampler(BaseOverSampler):
    """Base class of samplers that append new rows to those of X, class by class."""

    _parameter_constraints: ClassVar[Constraints] = {
        "sampling_strategy": [_Inherited()],
        "random_state": [_Inherited()],
        "n_channels": [COUNT],
    }
    _allow_nan: bool = False
    n_channels: int
    sample_indices_: NDArray[np.intp]

    @abstractmethod
    def _make(
        self, X: NDArray[np.floating], y: NDArray[Any], wanted: dict[Any, int]
    ) -> list[NDArray[np.floating]]:
        """Return the wanted number of new rows of X for each class."""

    @unchanged_on_error
    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Append new rows to those of X, and their labels to y. If this fails, the sampler is left as it was before.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_spectra, n_features)
        y : array-like of shape (n_spectra,)
            Class labels.
        **params : dict
            None: TypeError for ``sample_weight`` and others, which new spectra do not have.

        Returns
        -------
        X_new : array-like or sparse matrix of shape (n_spectra_new, n_features)
        y_new : array-like of shape (n_spectra_new,)
        """
        return super().fit_resample(X, y, **params)

    def _validate_params(self) -> None:
        """Check the parameters; imbalanced-learn calls this in fit."""
        check_parameters(self)

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = None) -> tuple[Any, Any, bool]:  # noqa: N802
        name = type(self).__name__
        if isinstance(X, Spectra):
            raise TypeError(
                f"{name} needs a 2-D array, got Spectra; put LogWaveResampler before it in the pipeline"
            )
        refuse_quantity("X", X)
        if getattr(X, "ndim", 2) == 3:
            raise ValueError(
                f"X must have one row per spectrum, got shape {tuple(X.shape)}: put the channels side by side with "
                "X.reshape(len(X), -1), and set n_channels to their number"
            )
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(
            self,
            X=fill_masked("X", X),
            y=y,
            reset=True,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )
        incomplete = np.flatnonzero(np.isnan(_dense(X)).any(axis=1))
        if len(incomplete) and not self._allow_nan:
            raise ValueError(
                f"X has NaN in {len(incomplete)} of {len(X)} rows (first: row {incomplete[0]}), but {name} needs "
                "complete spectra; put MissingFluxImputer before it in the pipeline"
            )
        return X, y, binarize_y

    def _fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        if params:
            raise TypeError(
                f"{type(self).__name__} does not take {', '.join(params)}, which new spectra do not have; weight classes "
                "in the classifier (class_weight), or remove the sampler"
            )
        container, X = X, _dense(X)
        self._check_columns(X)
        counts = self.sampling_strategy_.items()
        wanted = {k.item() if isinstance(k, np.generic) else k: n for k, n in counts if n > 0}
        made = self._make(X, y, wanted) if wanted else []
        labels = [np.full(n, label, dtype=y.dtype) for label, n in wanted.items()]
        self.sample_indices_ = np.concatenate([np.arange(len(X)), np.full(sum(wanted.values()), -1)])
        rows = np.concatenate([X, *(new.astype(X.dtype) for new in made)])
        return container.__class__(rows) if issparse(container) else rows, np.concatenate([y, *labels])

    def _check_columns(self, X: NDArray[np.floating]) -> None:
        """Raise ValueError if the columns of X do not fit the parameters."""
        if X.shape[1] % self.n_channels:
            raise ValueError(f"n_channels must divide the {X.shape[1]} features of X, got {self.n_channels}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._allow_nan
        tags.sampler_tags.sample_indices = True
        return tags


def _dense(X: Any) -> NDArray[np.floating]:
    return X.toarray() if issparse(X) else X


def check_classes(
    X: NDArray[np.floating], y: NDArray[Any], labels: list[Any], validation_fraction: float | None
) -> None:
    """Raise ValueError if a class has too few spectra to train on or to hold out, or a constant spectrum."""
    for label in labels:
        own = np.flatnonzero(y == label)
        if len(own) < _FEWEST:
            raise ValueError(
                f"class {label!r} has {len(own)} spectra; GANOversampler needs at least {_FEWEST}, and about 20 "
                "to be useful: leave the class out of sampling_strategy, or use NoiseOversampler"
            )
        flat = own[np.ptp(X[own], axis=1) == 0.0]
        if len(flat):
            raise ValueError(f"row {flat[0]} of X, of class {label!r}, is constant, so it is not a spectrum")
        if validation_fraction is None:
            continue
        n_held_out = int(len(own) * validation_fraction)
        if n_held_out < _FEWEST_HELD_OUT or len(own) - n_held_out < _FEWEST:
            raise ValueError(
                f"validation_fraction={validation_fraction} of the {len(own)} spectra of class {label!r} is "
                f"{n_held_out}; at least {_FEWEST_HELD_OUT} must be held out, and {_FEWEST} left for training"
            )
