"""`NeuralRegressor`, the base of the neural regressors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skspec.checks import Choice, Constraints
from skspec.training.data import check_training_data
from skspec.training.devices import resolve_device
from skspec.training.estimator import NeuralEstimator
from skspec.training.losses import VALUE_LOSSES, ValueLoss
from skspec.training.net import RegressorNet
from skspec.training.network import RowNetwork
from skspec.training.run import train
from skspec.training.targets import SoftTargets
from skspec.training.validation import ValueAnswers


class NeuralRegressor(RegressorMixin, NeuralEstimator):
    """Base of the neural regressors: loss functions, fit and predictions.

    Several values can be learned together, and some of them may be unknown (NaN) for some spectra.

    Other Parameters
    ----------------
    — Loss —
    loss : {"squared_error", "absolute_error", "gaussian"}
        Loss function of values standardised by their mean and standard deviation: squared error; absolute error, which
        is less sensitive to outliers; or the negative log-likelihood of a Gaussian whose width is learned as well (Nix
        and Weigend 1994), for predictions with standard deviations.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        Mean and standard deviation of the known training values.
    n_targets_ : int
        Number of values per spectrum.
    """

    loss: str = "squared_error"

    _parameter_constraints: ClassVar[Constraints] = {"loss": [Choice(VALUE_LOSSES)]}

    # Public methods -----------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the network: from scratch, or with ``warm_start`` from the weights of the last fit.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,) or (n_spectra, n_targets)
            Values; NaN or masked where unknown, but at least one known value for each spectrum.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss; only their ratios matter. Spectra of weight 0 are left out.
        groups : array-like of shape (n_spectra,), default=None
            Spectra with the same value, for example of the same star, are never on both sides of
            ``validation_fraction``.

        Returns
        -------
        NeuralRegressor
            The regressor itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, grids of `Spectra` differ, X has infinite values or a row without a
            valid pixel, a spectrum has no known value, or lengths disagree.
        TypeError
            If a parameter has the wrong type, or X or y is an astropy Quantity.
        """
        self._check_params()
        device = resolve_device(self.device)
        start = getattr(self, "net_", None) if self.warm_start else None
        rows, values, weight, groups = check_training_data(
            self, X, y, sample_weight, groups, reset=start is None
        )
        if len(rows) < 2:
            raise ValueError("n_samples=1, but at least 2 training spectra are needed")
        self.__dict__.pop("net_", None)  # a fit that fails leaves no model of other data behind
        table = values[:, None] if values.ndim == 1 else values
        _check_known(table)
        if start is None:
            self._is_flat = values.ndim == 1
            self.target_mean_ = np.nanmean(table, axis=0)
            spread = np.nanstd(table, axis=0)
            self.target_scale_ = np.where(spread > 0, spread, 1.0)
        elif table.shape[1] != self.n_targets_:
            raise ValueError(
                f"warm_start needs the {self.n_targets_} targets of the last fit, got {table.shape[1]}"
            )
        target = ((table - self.target_mean_) / self.target_scale_).astype(np.float32)
        train(
            self,
            rows,
            target,
            None if weight is None else (weight / weight.mean()).astype(np.float32),
            groups=groups,
            device=device,
            start=start,
            identity=[self.target_mean_, self.target_scale_],
        )
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the values of each spectrum.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        return_std : bool, default=False
            Whether to return standard deviations as well, with ``loss="gaussian"``. They describe the scatter of
            training spectra around the predictions, and are too small for spectra unlike these.

        Returns
        -------
        values : ndarray of shape (n_spectra,) or (n_spectra, n_targets)
            In the shape of y.
        std : ndarray of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            If `return_std` is true for a model with another loss.
        """
        check_is_fitted(self)
        if return_std and self.loss != "gaussian":
            raise ValueError(f"return_std needs loss='gaussian', this model has loss={self.loss!r}")
        outputs = self._apply(X, RowNetwork.forward).astype(np.float64)
        answers = self._answers()
        return (answers.values(outputs), answers.errors(outputs)) if return_std else answers.values(outputs)

    @property
    def n_targets_(self) -> int:
        """Number of values per spectrum."""
        return len(self.target_mean_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    # Training and prediction --------------------------------------------------------------------------

    _net_class = RegressorNet

    def _answers(self) -> ValueAnswers:
        return ValueAnswers(self.target_mean_, self.target_scale_, self._is_flat)

    @property
    def _n_outputs(self) -> int:
        return self.n_targets_ * (2 if self.loss == "gaussian" else 1)

    def _net_options(self, generator: np.random.Generator) -> dict[str, Any]:
        soften = None
        if self.mixup:
            soften = SoftTargets(None, label_smoothing=0.0, mixup=self.mixup, generator=generator)
        return {"criterion": ValueLoss(self.loss), "soften": soften, "answers": self._answers()}

    def _get_answer_state(self) -> dict[str, Any]:
        return {
            "target_mean": self.target_mean_.tolist(),
            "target_scale": self.target_scale_.tolist(),
            "is_flat": self._is_flat,
        }

    def _set_answer_state(self, state: Mapping[str, Any]) -> None:
        self.target_mean_ = np.array(state["target_mean"], dtype=np.float64)
        self.target_scale_ = np.array(state["target_scale"], dtype=np.float64)
        self._is_flat = bool(state["is_flat"])


def _check_known(table: NDArray[np.float64]) -> None:
    known = ~np.isnan(table)
    unknown_rows, unknown_columns = np.flatnonzero(~known.any(axis=1)), np.flatnonzero(~known.any(axis=0))
    if len(unknown_rows):
        more = f", nor have {len(unknown_rows) - 1} others" if len(unknown_rows) > 1 else ""
        raise ValueError(f"row {unknown_rows[0]} of y has no known value{more}; remove such spectra")
    if len(unknown_columns):
        raise ValueError(f"column {unknown_columns[0]} of y has no known value")
