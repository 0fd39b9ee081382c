"""The estimator that every neural regressor is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skspec.checks import check_choice, check_groups, check_weight
from skspec.training.data import check_training_values
from skspec.training.devices import resolve_device
from skspec.training.estimator import NeuralEstimator
from skspec.training.losses import VALUE_LOSSES, ValueLoss
from skspec.training.net import RegressorNet
from skspec.training.network import RowNetwork
from skspec.training.targets import SoftTargets
from skspec.training.validation import ValueAnswers


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralRegressor(RegressorMixin, NeuralEstimator):
    """Base of the neural regressors: values such as effective temperature, surface gravity, metallicity or redshift.

    Several values can be learned together, and some of them may be unknown (NaN) for some spectra.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "gaussian"}, default="squared_error"
        What training makes small, of values standardised by their mean and standard deviation: squared errors;
        absolute errors, which outliers move less; or the negative logarithm of a Gaussian likelihood whose width is
        learned as well (Nix and Weigend 1994), for predictions with their standard deviation.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        Mean and standard deviation of the known training values.
    n_targets_ : int
        Number of values a spectrum.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, when X was `Spectra`; predictions then need the same grid, to 1e-6 relative.
    net_ : skorch.NeuralNetRegressor
        The trained net; ``net_.module_`` is the network, which takes rows of X.
    history_ : astropy.table.Table
        A row for each epoch: epoch, train_loss, valid_loss, valid_score, lr, dur (seconds), and what callbacks
        recorded.
    best_epoch_ : int
        The epoch whose weights were kept, counted from 1, with `validation_fraction`.

    See Also
    --------
    NeuralEstimator : The parameters of training.
    NeuralClassifier : The same for classes.
    """

    loss: str = "squared_error"

    def _check_params(self) -> None:
        super()._check_params()
        check_choice("loss", self.loss, VALUE_LOSSES)

    # What a user calls --------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the network: from scratch, or with ``warm_start`` from where the last fit ended.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,) or (n_spectra, n_targets)
            Values; NaN or masked where one is not known, but not for a whole spectrum.
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
        rows, values = check_training_values(self, X, y, reset=start is None)
        weight = None if sample_weight is None else check_weight(sample_weight, len(rows))
        groups = None if groups is None else check_groups(groups, len(rows))
        if weight is not None and not weight.all():
            known = weight > 0
            rows, values, weight = rows[known], values[known], weight[known]
            groups = None if groups is None else groups[known]
        if len(rows) < 2:
            raise ValueError("n_samples=1, but at least 2 spectra are needed to learn from")
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
        self._train(
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
        """Values of each spectrum.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        return_std : bool, default=False
            Whether to return standard deviations as well, of ``loss="gaussian"``. They are those of the training
            spectra around the network's values, and know nothing of spectra unlike them.

        Returns
        -------
        values : ndarray of shape (n_spectra,) or (n_spectra, n_targets)
            As y was.
        std : ndarray of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            If `return_std` is asked of a model with another loss.
        """
        check_is_fitted(self)
        if return_std and self.loss != "gaussian":
            raise ValueError(f"return_std needs loss='gaussian', this model has loss={self.loss!r}")
        outputs = self._apply(X, RowNetwork.forward).astype(np.float64)
        answers = self._answers()
        return (answers.values(outputs), answers.errors(outputs)) if return_std else answers.values(outputs)

    @property
    def n_targets_(self) -> int:
        """Number of values a spectrum."""
        return len(self.target_mean_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    # How it is done -----------------------------------------------------------------------------------

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
        raise ValueError(f"row {unknown_rows[0]} of y has no known value{more}; leave such spectra out")
    if len(unknown_columns):
        raise ValueError(f"column {unknown_columns[0]} of y has no known value")
