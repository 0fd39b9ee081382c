"""Cross-validation of several models on the same folds, with all spectra of an object in one fold."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skspec.checks import check_groups, check_labels
from skspec.spectra import Spectra


@dataclass
class CrossValidation:
    """Out-of-fold predictions of one model, and its scores by fold."""

    labels: NDArray[Any]
    predicted: NDArray[Any]
    fold_accuracy: list[float] = field(default_factory=list)
    fold_f1: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accuracy(self) -> float:
        """Accuracy over all folds together."""
        return float(accuracy_score(self.labels, self.predicted))

    @property
    def macro_f1(self) -> float:
        """Macro-averaged F1 score over all folds together."""
        return float(f1_score(self.labels, self.predicted, average="macro", zero_division=0))

    def summary(self) -> dict[str, Any]:
        """Return the scores as plain numbers, for the notes in a model file."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "fold_accuracy": self.fold_accuracy,
            "fold_macro_f1": self.fold_f1,
        }


def fit_in_one_thread(model: BaseEstimator, spectra: Spectra, labels: NDArray[Any]) -> BaseEstimator:
    """Fit a model in one thread, which is faster than several for small batches."""
    with threadpool_limits(1):
        return model.fit(spectra, labels)


def grouped_folds(
    labels: NDArray[Any], groups: NDArray[Any], *, folds: int, seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return (train, test) rows of stratified folds that keep groups together.

    A rare class may be missing from some folds.
    """
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        return list(splitter.split(np.empty(len(labels)), labels, groups))


def compare_models(
    models: dict[str, BaseEstimator],
    spectra: Spectra,
    labels: NDArray[Any],
    groups: NDArray[Any],
    *,
    folds: int = 5,
    seed: int = 0,
    on_fit: Callable[[], None] = lambda: None,
) -> dict[str, CrossValidation]:
    """Cross-validate models on the same stratified folds that keep groups together.

    Parameters
    ----------
    models : dict of estimators
    spectra : Spectra
    labels, groups : ndarray of shape (n_spectra,)
    folds : int, default=5
        Number of folds.
    seed : int, default=0
        Seed of the shuffling.
    on_fit : callable, default=does nothing
        Called after each model is fitted to a fold.

    Returns
    -------
    dict of CrossValidation
        By the names of `models`.

    Raises
    ------
    ValueError
        If labels or groups are missing, or a class has fewer groups than there are folds.
    """
    labels, groups = check_labels("labels", labels), check_groups(groups, len(spectra))
    for label in np.unique(labels):
        n = len(np.unique(groups[labels == label]))
        if n < folds:
            raise ValueError(
                f"class {label} has {n} objects, fewer than the {folds} folds; lower folds or raise min_class_size"
            )
    results = {name: CrossValidation(labels, np.empty_like(labels)) for name in models}
    for train, test in grouped_folds(labels, groups, folds=folds, seed=seed):
        for name, model in models.items():
            start = time.perf_counter()
            fitted = fit_in_one_thread(clone(model), spectra[train], labels[train])
            predicted = fitted.predict(spectra[test])
            result = results[name]
            result.predicted[test] = predicted
            result.fold_accuracy.append(float(accuracy_score(labels[test], predicted)))
            result.fold_f1.append(float(f1_score(labels[test], predicted, average="macro", zero_division=0)))
            result.seconds += time.perf_counter() - start
            on_fit()
    return results
