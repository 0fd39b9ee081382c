"""Class labels and scores: checks, order of the classes, places on a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import unique_labels

from skspec.checks import check_choice, check_labels
from skspec.metrics.classes import Coordinates, coordinates_of, index_classes, to_python
from skspec.plotting._display import check_classifier

Labels = Sequence[Any] | NDArray[Any]


def ordered_classes(
    labels: Sequence[NDArray[Any]],
    *,
    order: Sequence[Any] | None,
    coordinates: Coordinates | None,
    major: int,
) -> list[Any]:
    """Return the classes in order: as given, by coordinates, or sorted.

    All `labels` must be among the classes. The keys of a mapping of `coordinates` are the classes; `major` is the
    coordinate to order by first.

    Raises
    ------
    ValueError
        If `order` has a duplicate label or lacks one, a class has no coordinates, or `major` is out of range.
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
    """Return the coordinates of each label on a grid of two axes, shape (n_labels, 2).

    Raises
    ------
    ValueError
        If a class has no coordinates, or not two integers.
    """
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


def get_scores(
    display: type, estimator: Any, X: Any, method: str
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the scores of a classifier, one column for each class, and its classes.

    `method` is "predict_proba", "decision_function", or "auto" for the first of them that the classifier has; `display`
    is named in error messages.
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
) -> tuple[NDArray[np.intp], NDArray[np.float64], list[Any]]:
    """Return class indices of labels, finite scores of shape (n_spectra, n_classes), and the classes.

    `labels` is the class of each column; None takes the classes of `y_true`, sorted. Error messages call the scores
    `name`.
    """
    true = check_labels("y_true", y_true)
    values = check_array(scores, dtype=np.float64, input_name=name)
    check_consistent_length(true, values)
    classes = np.unique(true).tolist() if labels is None else [to_python(label) for label in labels]
    if len(classes) != values.shape[1]:
        known = "y_true has" if labels is None else "labels has"
        hint = "; pass labels, the class of each column" if labels is None else ""
        raise ValueError(f"{name} has {values.shape[1]} columns, {known} {len(classes)} classes{hint}")
    if len(classes) < 2:
        raise ValueError(f"{name} has 1 column; one for each of two or more classes is needed")
    seen = sorted(set(true.tolist()), key=str)
    index = index_classes("labels", classes, seen, source="y_true")
    return np.array([index[label] for label in true.tolist()], dtype=np.intp), values, classes
