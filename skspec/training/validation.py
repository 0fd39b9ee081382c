"""The validation set: split, scores, and early stopping."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from skorch.callbacks import Callback

from skspec.metrics import KnownLogits


def hold_out(
    target: NDArray[np.integer], groups: NDArray[Any] | None, fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the indices of a training set and of a validation set, with approximately a `fraction` of the rows.

    The split is stratified by `target`, class indices of shape (n_rows,), and keeps groups together. A class of a single
    row, or group, is in the training set only. ValueError if no such split is possible.
    """
    n_classes = int(target.max()) + 1
    splits: Any
    if groups is None:
        rows = np.flatnonzero(np.bincount(target)[target] > 1)
        splits = StratifiedShuffleSplit(1, test_size=fraction, random_state=seed).split(rows, target[rows])
    else:
        rows = np.arange(len(target))
        folds = StratifiedGroupKFold(max(2, round(1.0 / fraction)), shuffle=True, random_state=seed)
        splits = folds.split(rows, target, groups)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            for _, chosen in splits:
                validate = rows[chosen]
                learn = np.setdiff1d(np.arange(len(target)), validate)
                if len(np.unique(target[learn])) == n_classes:
                    return learn, validate
    except ValueError as error:
        raise ValueError(f"validation_fraction={fraction} cannot be held out: {error}") from None
    raise ValueError(
        f"validation_fraction={fraction} cannot be held out: with any choice of groups, a class has no training spectra"
    )


class Validation(Callback):
    """Score the validation set after each epoch, keep the best weights, and stop early.

    `scorer` is a scikit-learn scorer, or None for the negative loss. Training stops after `patience` epochs without a
    better score; None never stops.
    """

    def __init__(self, scorer: Callable[[Any, Any, Any], float] | None, patience: int | None) -> None:
        self.scorer = scorer
        self.patience = patience

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Reset the best epoch."""
        self.best_score_ = -math.inf
        self.best_epoch_ = 0
        self.best_weights_: dict[str, Any] = {}
        self.outputs_: list[Any] = []
        self.n_undefined_ = 0

    def on_batch_end(self, net: Any, training: bool | None = None, y_pred: Any = None, **kwargs: Any) -> None:
        """Collect the outputs."""
        if not training:
            self.outputs_.append(y_pred)

    def on_epoch_end(self, net: Any, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Score the epoch."""
        epoch = len(net.history)
        score = -net.history[-1, "valid_loss"]
        if self.scorer is not None:
            outputs = torch.cat(self.outputs_).cpu().numpy()
            score = net.outputs.score(self.scorer, dataset_valid.X, dataset_valid.y, outputs)
            net.history.record("valid_score", score)
            self._check(score, epoch)
        self.outputs_ = []
        if score > self.best_score_:
            self.best_score_, self.best_epoch_ = score, epoch
            self.best_weights_ = copy.deepcopy(net.validated_module.state_dict())
        elif self.patience is not None and epoch - self.best_epoch_ >= self.patience:
            net.stop_requested = True

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Restore the best weights."""
        if not self.best_weights_:
            raise ValueError(
                f"scoring is {self.scorer}, which was NaN in all {self.n_undefined_} epochs, so no epoch is the best; "
                "choose another score, or a larger validation_fraction"
            )
        net.module_.load_state_dict(self.best_weights_)
        self.best_weights_ = {}

    def _check(self, score: float, epoch: int) -> None:
        if score > -math.inf:
            return
        self.n_undefined_ += 1
        if self.n_undefined_ == 1:
            warnings.warn(
                f"the validation score of epoch {epoch} is {score}; epochs without a score are never the best: if there "
                "are many, choose another scoring, or a larger validation_fraction",
                RuntimeWarning,
                stacklevel=2,
            )


class ClassOutputs:
    """Meaning of outputs that are logits: the class labels in the order of the outputs."""

    def __init__(self, classes: NDArray[Any]) -> None:
        self.classes = classes

    def score(self, scorer: Any, X: Any, target: NDArray[np.intp], outputs: NDArray[np.float32]) -> float:
        """Return the score of the outputs for rows X with class indices `target`."""
        return float(scorer(KnownLogits(outputs, self.classes), X, self.classes[target]))


class ValueOutputs:
    """Meaning of outputs that are values standardised by `mean` and `scale`, each of shape (n_targets,).

    `is_flat` is whether values have shape (n_rows,) instead of (n_rows, n_targets).
    """

    def __init__(self, mean: NDArray[np.float64], scale: NDArray[np.float64], is_flat: bool) -> None:
        self.mean = mean
        self.scale = scale
        self.is_flat = is_flat

    def values(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values, in their original units, from the first columns of outputs."""
        values = outputs[:, : len(self.mean)] * self.scale + self.mean
        return values[:, 0] if self.is_flat else values

    def errors(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the standard deviations from the other columns, which are logarithms of variances."""
        errors = np.exp(0.5 * outputs[:, len(self.mean) :]) * self.scale
        return errors[:, 0] if self.is_flat else errors

    def score(self, scorer: Any, X: Any, target: NDArray[np.float32], outputs: NDArray[np.float32]) -> float:
        """Return the score of the outputs for rows X; the mean over targets if some are unknown."""
        known = ~np.isnan(target)
        if known.all():
            return float(scorer(_KnownValues(self.values(outputs)), X, self.values(target)))
        found, true = outputs[:, : len(self.mean)] * self.scale + self.mean, target * self.scale + self.mean
        scores = [
            scorer(_KnownValues(found[rows, k]), X[rows], true[rows, k])
            for k, rows in enumerate(known.T)
            if rows.any()
        ]
        return float(np.mean(scores))


class _KnownValues(RegressorMixin, BaseEstimator):
    """A regressor with known predictions."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the values."""
        return self.values
