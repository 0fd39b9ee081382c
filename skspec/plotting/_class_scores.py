"""Scores of classes, one column each: where they come from, and checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from skspec.checks import check_choice
from skspec.plotting._labels import check_classifier, plain

Array = NDArray[np.float64]
Labels = Sequence[Any] | NDArray[Any]


def response_of(display: type, estimator: Any, X: Any, method: str) -> tuple[Array, NDArray[Any]]:
    """Scores of a classifier, a column for each class, and its classes.

    Parameters
    ----------
    display : type
        Named in errors.
    estimator : classifier
    X : Spectra or array-like
    method : {"auto", "predict_proba", "decision_function"}
        "auto" takes `predict_proba` where there is one.
    """
    check_choice("response_method", method, ("auto", "predict_proba", "decision_function"))
    check_classifier(display, estimator)
    if method == "auto":
        method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    if not hasattr(estimator, method):
        raise ValueError(f"{type(estimator).__name__} has no {method}, which {display.__name__} needs")
    scores = np.asarray(getattr(estimator, method)(X))
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores, estimator.classes_


def check_scores(
    name: str, y_true: ArrayLike, scores: ArrayLike, labels: Labels | None
) -> tuple[NDArray[np.intp], Array, list[Any]]:
    """Class indices of labels, finite scores of shape (n_spectra, n_classes), and the classes.

    Parameters
    ----------
    name : str
        Of the scores, for errors.
    y_true : array-like of shape (n_spectra,)
    scores : array-like of shape (n_spectra, n_classes)
    labels : sequence or None
        Class of each column; None takes the classes of `y_true`, sorted.
    """
    true = column_or_1d(y_true)
    values = check_array(scores, dtype=np.float64, input_name=name)
    check_consistent_length(true, values)
    classes = np.unique(true).tolist() if labels is None else [plain(label) for label in labels]
    if len(classes) != values.shape[1]:
        known = "y_true has" if labels is None else "labels has"
        hint = "; give labels, the class of each column" if labels is None else ""
        raise ValueError(f"{name} has {values.shape[1]} columns, {known} {len(classes)} classes{hint}")
    if len(classes) < 2:
        raise ValueError(f"{name} has 1 column; one for each of two classes or more is needed")
    index = {label: k for k, label in enumerate(classes)}
    if len(index) < len(classes):
        raise ValueError(f"labels has a label twice: {classes}")
    strange = sorted(set(true.tolist()) - set(index), key=str)
    if strange:
        raise ValueError(f"labels lacks labels that y_true has: {strange}")
    return np.array([index[label] for label in true.tolist()], dtype=np.intp), values, classes
