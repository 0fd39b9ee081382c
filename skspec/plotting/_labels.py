"""Labels: which there are, in which order, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted

from skspec.metrics._scores import Coordinates, coordinates_of
from skspec.mk import mk_coordinates


def check_classifier(display: type, estimator: Any) -> None:
    """Raise unless `estimator` is a fitted classifier."""
    if not is_classifier(estimator):
        raise ValueError(
            f"{display.__name__}.from_estimator needs a classifier, got {type(estimator).__name__}"
        )
    check_is_fitted(estimator)


def check_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return true and predicted labels as 1-D arrays of one length."""
    true, predicted = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(true, predicted)
    if not len(true):
        raise ValueError("y_true is empty; at least one label is needed")
    return true, predicted


def ordered_classes(
    labels: Sequence[NDArray[Any]],
    *,
    order: Sequence[Any] | None,
    coordinates: Coordinates | None,
    major: int,
) -> list[Any]:
    """Classes in their order: a given one, by coordinates, or sorted.

    Parameters
    ----------
    labels : sequence of ndarray
        Labels that must be among the classes.
    order : sequence or None
        All classes in order.
    coordinates : mapping, callable or None
        Coordinates of each class; a mapping tells what classes there are, too.
    major : int
        Which coordinate orders first.

    Raises
    ------
    ValueError
        If `order` has a label twice or lacks one, coordinates lack one, or `major` is none of them.
    """
    classes = seen = unique_labels(*labels).tolist()
    if order is not None:
        classes = [plain(label) for label in order]
        if len(set(classes)) < len(classes):
            raise ValueError(f"order has a label twice: {classes}")
        missing = [label for label in seen if label not in set(classes)]
        if missing:
            raise ValueError(f"order lacks labels that y_true or y_pred has: {missing}")
    if coordinates is None:
        return classes
    if order is None and isinstance(coordinates, Mapping):
        coordinates_of(seen, coordinates)
        classes = [plain(label) for label in coordinates]
    places = coordinates_of(classes, coordinates)
    if not 0 <= major < places.shape[1]:
        raise ValueError(f"major must be one of the {places.shape[1]} axes of coordinates, got {major!r}")
    if order is not None:
        return classes
    keys = np.roll(places, -major, axis=1).T[::-1]
    return [classes[k] for k in np.lexsort(keys)]


def grid_coordinates(labels: NDArray[Any], coordinates: Coordinates | None) -> NDArray[np.intp]:
    """Coordinates of each label on a grid of two axes, shape (n_labels, 2); without any, those of joint MK classes.

    Raises
    ------
    ValueError
        If a class has no coordinates, or not two whole numbers.
    """
    classes, index = np.unique(labels, return_inverse=True)
    places = coordinates_of(classes.tolist(), _of_joint_class if coordinates is None else coordinates)
    if places.shape[1] != 2:
        raise ValueError(f"coordinates must have two numbers for each class, got {places.shape[1]}")
    whole = np.isfinite(places) & (places == np.round(places))
    if not whole.all():
        k = int(np.flatnonzero(~whole.all(axis=1))[0])
        raise ValueError(f"coordinates must be whole numbers, got {places[k].tolist()} for {classes[k]!r}")
    return places.astype(np.intp)[index]


def _of_joint_class(label: Any) -> tuple[float, float]:
    return mk_coordinates(label, luminosity_scale=1.0)


def blocks_of(classes: Sequence[Any], blocks: Mapping[Any, Any] | Callable[[Any], Any]) -> list[Any]:
    """Return the block of each class."""
    if not isinstance(blocks, Mapping):
        return [blocks(label) for label in classes]
    missing = [label for label in classes if label not in blocks]
    if missing:
        raise ValueError(f"blocks has nothing for the classes {missing}")
    return [blocks[label] for label in classes]


def plain(label: Any) -> Any:
    """Return a label as Python has it, if it is numpy's."""
    return label.item() if isinstance(label, np.generic) else label
