"""Training data of an ensemble, and its folds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, check_cv
from sklearn.utils import assert_all_finite, column_or_1d, indexable
from sklearn.utils.multiclass import check_classification_targets

from skspec.checks import check_groups, check_weight, count_missing

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class LabelledRows:
    """Rows in the form that the user passed, with labels, and weights and groups or None."""

    X: Any
    labels: NDArray[Any]
    weight: NDArray[np.float64] | None
    groups: NDArray[Any] | None

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, sample_weight: Any, groups: Any) -> Self:
        """Return checked arguments of the fit of an estimator."""
        if y is None:
            raise ValueError(
                f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
            )
        labels = np.asarray(column_or_1d(y, warn=True))
        n_missing = count_missing(y)
        if n_missing:
            kind = "masked" if np.ma.is_masked(y) else "missing"
            raise ValueError(f"y has {n_missing} {kind} labels; every training spectrum needs one")
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        X, labels = indexable(X, labels)
        if not len(labels):
            raise ValueError("X has no spectra; spectra of at least two classes are needed")
        weight = None if sample_weight is None else check_weight(sample_weight, len(labels))
        groups = None if groups is None else check_groups(groups, len(labels))
        return cls(X, labels, weight, groups)

    @property
    def classes(self) -> NDArray[Any]:
        """Sorted class labels; ValueError if there is only one."""
        counted = self.labels if self.weight is None else self.labels[self.weight > 0]
        if len(np.unique(counted)) < 2:
            raise ValueError(f"y has only one class, {counted[0]!s}; at least two classes are needed")
        return np.unique(self.labels)

    def folds(self, cv: Any) -> list[Fold]:
        """Return training and test rows of each fold with test rows.

        ValueError if there are no folds, a row is not in exactly one test set, or a training set has only one class.
        """
        cv = 5 if cv is None else cv
        grouped = self.groups is not None and isinstance(cv, Integral)
        splitter = StratifiedGroupKFold(cv) if grouped else check_cv(cv, self.labels, classifier=True)
        with warnings.catch_warnings():  # members may lack a class
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            splits = splitter.split(self.X, self.labels, self.groups)
            rows = np.arange(len(self.labels))  # to be indexed by integers or masks
            try:
                folds = [(rows[np.asarray(train)], rows[np.asarray(test)]) for train, test in splits]
            except IndexError as error:
                raise ValueError(f"cv has invalid indices for {len(rows)} spectra: {error}") from error
        folds = [(train, test) for train, test in folds if len(test)]
        if not folds:
            raise ValueError(
                "cv has no folds; a generator is exhausted after the first fit: pass a list of its folds instead"
            )
        times = np.bincount(np.concatenate([test for _, test in folds]), minlength=len(rows))
        if (times != 1).any():
            raise ValueError(
                f"cv must test each spectrum exactly once, but does not for {np.sum(times != 1)} of {len(times)}"
            )
        for k, (train, _) in enumerate(folds):
            if len(np.unique(self.labels[train])) < 2:
                raise ValueError(
                    f"cv leaves only one class in the training set of fold {k}; at least two are needed"
                )
        return folds
