"""Class labels and scores: checks, order of classes, coordinates on a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skspec.checks import check_choice
from skspec.metrics.classes import Coordinates, coordinates_of, index_classes, to_python
from skspec.plotting._display import check_classifier


def check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return true and predicted labels as 1-D arrays of the same length."""
    true, predicted = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(true, predicted)
    if not len(true):
        raise ValueError("y_true must have at least one label, got none")
    return true, predicted


def ordered_classes(
    labels: Sequence[NDArray[Any]],
    *,
    order: Sequence[Any] | None,
    coordinates: Coordinates | None,
    major: int,
) -> list[Any]:
    """Return the classes in the given order, by coordinates (first by `major`), or sorted.

    If `coordinates` is a mapping, its keys are the classes. All `labels` must be among the classes.
    """
    classes = seen = unique_labels(*labels).tolist()
    if order is not None:
        classes = [to_python(label) for label in order]
        index_classes("order", classes, seen, source="y_true or y_pred")
    if coordinates is None:
        return classes
    if order is None and isinstance(coordinates, Mapping):
        coordinates_of(seen, coordinates)
        classes = [to_python(label) for label in coordinates]
    places = coordinates_of(classes, coordinates)
    if not 0 <= major < places.shape[1]:
        raise ValueError(f"major must be one of the {places.shape[1]} axes of coordinates, got {major!r}")
    if order is not None:
        return classes
    keys = np.roll(places, -major, axis=1).T[::-1]
    return [classes[k] for k in np.lexsort(keys)]


def grid_coordinates(labels: NDArray[Any], coordinates: Coordinates | None) -> NDArray[np.intp]:
    """Return two integer coordinates of each label, shape (n_labels, 2)."""
    classes, index = np.unique(labels, return_inverse=True)
    places = coordinates_of(classes.tolist(), coordinates)
    if places.shape[1] != 2:
        raise ValueError(f"coordinates must have two numbers for each class, got {places.shape[1]}")
    whole = np.isfinite(places) & (places == np.round(places))
    if not whole.all():
        k = int(np.flatnonzero(~whole.all(axis=1))[0])
        raise ValueError(f"coordinates must be integers, got {places[k].tolist()} for {classes[k]!r}")
    return places.astype(np.intp)[index]


def blocks_of(classes: Sequence[Any], blocks: Mapping[Any, Any] | Callable[[Any], Any]) -> list[Any]:
    """Return the block of each class."""
    if not isinstance(blocks, Mapping):
        return [blocks(label) for label in classes]
    missing = [label for label in classes if label not in blocks]
    if missing:
        raise ValueError(f"blocks has no entry for the classes {missing}")
    return [blocks[label] for label in classes]


def get_scores(display: type, estimator: Any, X: Any, method: str) -> tuple[NDArray[np.float64], list[Any]]:
    """Return the scores of a classifier, one column for each class, and its classes.

    `method` is "predict_proba", "decision_function", or "auto" for the first that exists; errors mention `display`.
    """
    check_choice("response_method", method, ("auto", "predict_proba", "decision_function"))
    check_classifier(display, estimator)
    if method == "auto":
        method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
    if not hasattr(estimator, method):
        raise ValueError(f"{display.__name__} needs {method}, which {type(estimator).__name__} does not have")
    scores = np.asarray(getattr(estimator, method)(X))
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores, list(estimator.classes_)


def check_scores(
    name: str, y_true: ArrayLike, scores: ArrayLike, labels: Sequence[Any] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64], list[Any]]:
    """Return class indices of labels, finite scores of shape (n_spectra, n_classes), and the classes.

    `labels` are the classes of the columns; None means the sorted classes of `y_true`. `name` is that of the scores in
    error messages.
    """
    true = column_or_1d(y_true)
    values = check_array(scores, dtype=np.float64, input_name=name)
    check_consistent_length(true, values)
    classes = np.unique(true).tolist() if labels is None else [to_python(label) for label in labels]
    if len(classes) != values.shape[1]:
        source, hint = (
            ("y_true", "; pass labels, the class of each column") if labels is None else ("labels", "")
        )
        raise ValueError(
            f"{name} has {values.shape[1]} columns, but {source} has {len(classes)} classes{hint}"
        )
    if len(classes) < 2:
        raise ValueError(f"{name} must have two or more columns, one for each class, got 1")
    seen = sorted(set(true.tolist()), key=str)
    index = index_classes("labels", classes, seen, source="y_true")
    return np.array([index[label] for label in true.tolist()], dtype=np.intp), values, classes
