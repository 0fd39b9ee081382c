"""`NeuralRegressor`, the base class of the neural regressors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skspec.checks import Choice, Constraints, scale_weight
from skspec.training.estimator import NeuralEstimator
from skspec.training.losses import VALUE_LOSSES, ValueLoss
from skspec.training.net import RegressorNet
from skspec.training.network import RowNetwork
from skspec.training.targets import SoftTargets
from skspec.training.validation import ValueOutputs


class NeuralRegressor(RegressorMixin, NeuralEstimator):
    """Base class of the neural regressors: loss functions, fit and predictions.

    Several values can be learned together, and some of them may be unknown (NaN) for some spectra.

    Other Parameters
    ----------------
    — Loss —
    loss : {"squared_error", "absolute_error", "gaussian"}
        Loss function of values standardised by their mean and standard deviation: squared error; absolute error, which
        is less sensitive to outliers; or the negative log-likelihood of a Gaussian whose width is also learned (Nix and
        Weigend 1994), for predictions with standard deviations.

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

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the values of each spectrum.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        return_std : bool, default=False
            Whether to also return standard deviations, with ``loss="gaussian"``. They describe the scatter of the
            training spectra about the predictions, and are too small for spectra that differ from these.

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
        units = self._outputs()
        return (units.values(outputs), units.errors(outputs)) if return_std else units.values(outputs)

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

    def _encode_target(
        self, y: NDArray[np.float64], weight: NDArray[np.float64] | None, *, warm_start: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, Any]:
        table = y[:, None] if y.ndim == 1 else y
        _check_known(table)
        if not warm_start:
            self._is_flat = y.ndim == 1
            self.target_mean_ = _in_range(np.nanmean, table)
            spread = _in_range(np.nanstd, table)
            self.target_scale_ = np.where(spread > 0, spread, 1.0)
        elif table.shape[1] != self.n_targets_:
            raise ValueError(
                f"warm_start needs the {self.n_targets_} targets of the last fit, got {table.shape[1]}"
            )
        target = ((table - self.target_mean_) / self.target_scale_).astype(np.float32)
        scaled = None if weight is None else scale_weight(weight)
        return target, scaled, [self.target_mean_, self.target_scale_]

    def _outputs(self) -> ValueOutputs:
        return ValueOutputs(self.target_mean_, self.target_scale_, self._is_flat)

    @property
    def _n_outputs(self) -> int:
        return self.n_targets_ * (2 if self.loss == "gaussian" else 1)

    def _net_options(self, generator: np.random.Generator) -> dict[str, Any]:
        soften = None
        if self.mixup:
            soften = SoftTargets(None, label_smoothing=0.0, mixup=self.mixup, generator=generator)
        return {"criterion": ValueLoss(self.loss), "soften": soften, "outputs": self._outputs()}

    def _get_output_state(self) -> dict[str, Any]:
        return {
            "target_mean": self.target_mean_.tolist(),
            "target_scale": self.target_scale_.tolist(),
            "is_flat": self._is_flat,
        }

    def _set_output_state(self, state: Mapping[str, Any]) -> None:
        self.target_mean_ = np.array(state["target_mean"], dtype=np.float64)
        self.target_scale_ = np.array(state["target_scale"], dtype=np.float64)
        self._is_flat = bool(state["is_flat"])
        for values in (self.target_mean_, self.target_scale_):
            if values.ndim != 1 or values.shape != self.target_mean_.shape or not np.isfinite(values).all():
                raise ValueError(
                    "means and scales of the targets must be lists of finite numbers of one length"
                )


def _check_known(table: NDArray[np.float64]) -> None:
    known = ~np.isnan(table)
    unknown_rows, unknown_columns = np.flatnonzero(~known.any(axis=1)), np.flatnonzero(~known.any(axis=0))
    if len(unknown_rows):
        more = f", nor have {len(unknown_rows) - 1} others" if len(unknown_rows) > 1 else ""
        raise ValueError(f"row {unknown_rows[0]} of y has no known value{more}; remove such spectra")
    if len(unknown_columns):
        raise ValueError(f"column {unknown_columns[0]} of y has no known value")


def _in_range(
    statistic: Callable[..., NDArray[np.float64]], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a statistic of each column, also of values so large or small that sums of squares over- or underflow."""
    unit = np.nanmax(np.abs(table), axis=0)
    unit = np.where((unit > 1e100) | ((unit > 0) & (unit < 1e-100)), unit, 1.0)
    return statistic(table / unit, axis=0) * unit
