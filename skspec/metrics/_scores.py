"""Scores of classes that have an order, or coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skspec.metrics import _confusion
from skspec.metrics._confusion import Array
from skspec.mk import mk_coordinates, mk_grid

Coordinates = Mapping[Any, Any] | Callable[[Any], Any]
ClassWeight = Mapping[Any, float] | str | None
OfMatrix = Callable[[Array], Array]


def accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Fraction of correct labels; with ``class_weight="balanced"``, the mean recall.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Labels.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the spectra of each true class; "balanced" makes all classes count the same.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum.

    Returns
    -------
    float
    """
    return _score("accuracy", y_true, y_pred, sample_weight, class_weight=class_weight)


def f1_macro(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean of the F1 scores of the classes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Labels.
    labels : sequence, default=None
        All classes; one that neither is nor is predicted counts 0. None takes those that are or are predicted, in
        each resample of a bootstrap those of the resample.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum.

    Returns
    -------
    float
    """
    return _score("f1_macro", y_true, y_pred, sample_weight, labels=labels)


def joint_mae(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    coordinates: Coordinates | None = None,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean absolute error of the coordinates of classes, averaged over axes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Labels.
    coordinates : mapping or callable, default=None
        Coordinates of each label, one number or several. None takes labels for joint MK classes such as "GV", with
        the indices of temperature and luminosity class.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the spectra of each true class; "balanced", the published choice, makes all classes count the same.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum.

    Returns
    -------
    float
        In units of the coordinates.
    """
    return _score(
        "joint_mae", y_true, y_pred, sample_weight, coordinates=coordinates, class_weight=class_weight
    )


def joint_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    order: Sequence[Any] | str = "temperature",
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Quadratically weighted kappa of classes in an order (Cohen 1968, Psychological Bulletin 70, 213).

    1 for perfect agreement, 0 for what independent labels would give.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Labels.
    order : sequence of labels, "temperature" or "luminosity", default="temperature"
        All classes in their order; differences are those of ranks. The two words are for joint MK classes such as
        "GV", temperature-major or luminosity-major, as `skspec.mk.mk_grid` has them.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the spectra of each true class; "balanced", the published choice, makes all classes count the same.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum.

    Returns
    -------
    float
        Between -1 and 1.

    See Also
    --------
    axis_kappa : The same for one coordinate of the classes.
    """
    return _score("joint_kappa", y_true, y_pred, sample_weight, order=order, class_weight=class_weight)


def axis_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    coordinates: Coordinates | None = None,
    axis: int = 0,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Quadratically weighted kappa of one coordinate of the classes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Labels.
    coordinates : mapping or callable, default=None
        Coordinates of each label. None takes labels for joint MK classes such as "GV", with the indices of
        temperature (axis 0) and luminosity class (axis 1).
    axis : int, default=0
        Which of the coordinates.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the spectra of each true class; "balanced" makes all classes count the same.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum.

    Returns
    -------
    float
        Between -1 and 1.
    """
    return _score(
        "axis_kappa",
        y_true,
        y_pred,
        sample_weight,
        coordinates=coordinates,
        axis=axis,
        class_weight=class_weight,
    )


def published_scores(
    y_true: ArrayLike, y_pred: ArrayLike, *, class_weight: ClassWeight = "balanced"
) -> dict[str, float]:
    """Scores of joint MK classes as the published table has them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Joint classes such as "GV".
    class_weight : mapping of label to float, "balanced" or None, default="balanced"
        Weighting of all but F1. That of the published table makes all classes count the same.

    Returns
    -------
    dict of str to float
        ``f1_macro``; ``joint_mae``; ``joint_kappa`` in temperature-major and ``joint_kappa_luminosity`` in
        luminosity-major order.

    Notes
    -----
    The table is that of volgasezen/StellarClassification. Both kappas are of the joint class; those of the two axes
    by themselves are `axis_kappa`.
    """
    return {
        "f1_macro": f1_macro(y_true, y_pred),
        "joint_mae": joint_mae(y_true, y_pred, class_weight=class_weight),
        "joint_kappa": joint_kappa(y_true, y_pred, class_weight=class_weight),
        "joint_kappa_luminosity": joint_kappa(y_true, y_pred, order="luminosity", class_weight=class_weight),
    }


# From labels to matrices ------------------------------------------------------------------------------


def prepare(
    name: str, y_true: Any, y_pred: Any, **params: Any
) -> tuple[OfMatrix, NDArray[np.intp], NDArray[np.intp], int]:
    """Return the score `name` as a function of confusion matrices, class indices and the number of classes."""
    if name not in _OF_LABELS:
        raise ValueError(f"score must be one of {', '.join(_OF_LABELS)} or a callable, got {name!r}")
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred)
    seen = unique_labels(y_true, y_pred)
    if name == "joint_kappa":
        params = {"order": "temperature"} | params
    if isinstance(params.get("order"), str):
        params["order"] = _mk_order(params["order"], seen)
    listed = params.get("order", params.get("labels"))
    classes = list(seen) if listed is None else list(listed)
    index = {label: k for k, label in enumerate(classes)}
    if len(index) < len(classes):
        raise ValueError(f"{'order' if 'order' in params else 'labels'} has a label twice: {classes}")
    strange = [label for label in seen.tolist() if label not in index]
    if strange:
        raise ValueError(
            f"{'order' if 'order' in params else 'labels'} lacks labels that y_true or y_pred has: {strange}"
        )
    true, predicted = (np.array([index[v] for v in y.tolist()], dtype=np.intp) for y in (y_true, y_pred))
    return _OF_LABELS[name]([_plain(c) for c in classes], **params), true, predicted, len(classes)


def check_weights(sample_weight: Any, n: int) -> Array | None:
    """Weights of the spectra, or None."""
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}; ({n},) is needed")
    return weight


def _score(name: str, y_true: Any, y_pred: Any, sample_weight: Any, **params: Any) -> float:
    score, true, predicted, n_classes = prepare(name, y_true, y_pred, **params)
    weight = check_weights(sample_weight, len(true))
    return float(score(_confusion.confusion(true, predicted, n_classes, weight)))


def _accuracy(classes: list[Any], *, class_weight: ClassWeight = None) -> OfMatrix:
    return _balanced(_confusion.accuracy, classes, class_weight)


def _f1_macro(classes: list[Any], *, labels: Any = None) -> OfMatrix:
    return partial(_confusion.macro_f1, present=labels is None)


def _joint_mae(
    classes: list[Any], *, coordinates: Coordinates | None = None, class_weight: ClassWeight = None
) -> OfMatrix:
    c = coordinates_of(classes, coordinates)
    distance = np.abs(c[:, None] - c).mean(axis=2)
    return _balanced(partial(_confusion.mean_distance, distance=distance), classes, class_weight)


def _joint_kappa(classes: list[Any], *, order: Any, class_weight: ClassWeight = None) -> OfMatrix:
    rank = np.arange(len(classes), dtype=np.float64)
    return _balanced(partial(_confusion.quadratic_kappa, position=rank), classes, class_weight)


def _axis_kappa(
    classes: list[Any],
    *,
    coordinates: Coordinates | None = None,
    axis: int = 0,
    class_weight: ClassWeight = None,
) -> OfMatrix:
    position = coordinates_of(classes, coordinates)[:, axis]
    return _balanced(partial(_confusion.quadratic_kappa, position=position), classes, class_weight)


_OF_LABELS: dict[str, Callable[..., OfMatrix]] = {
    "accuracy": _accuracy,
    "f1_macro": _f1_macro,
    "joint_mae": _joint_mae,
    "joint_kappa": _joint_kappa,
    "axis_kappa": _axis_kappa,
}


def coordinates_of(classes: Sequence[Any], coordinates: Coordinates | None = None) -> Array:
    """Coordinates of classes, shape (n_classes, n_axes); None is for joint MK classes."""
    if coordinates is None:
        coordinates = partial(mk_coordinates, luminosity_scale=1.0)
    rows = []
    for label in classes:
        if isinstance(coordinates, Mapping) and label not in coordinates:
            raise ValueError(f"coordinates has nothing for the class {label!r}")
        rows.append(coordinates[label] if isinstance(coordinates, Mapping) else coordinates(label))
    array = np.array(rows, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def _mk_order(order: str, seen: NDArray[Any]) -> list[str]:
    """Joint MK classes in an order: the published ones, or all if others occur."""
    published = mk_grid(order=order).tolist()
    return published if set(seen.tolist()) <= set(published) else mk_grid(order=order, full=True).tolist()


def _balanced(score: OfMatrix, classes: list[Any], class_weight: ClassWeight) -> OfMatrix:
    """Score of the matrix whose rows are weighted by class."""
    if class_weight is None:
        return score
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be 'balanced', a mapping or None, got {class_weight!r}")
        weight = np.full(len(classes), np.nan)
    else:
        weight = np.array([class_weight.get(label, 1.0) for label in classes], dtype=np.float64)
    return lambda matrix: score(_confusion.weighted(matrix, weight))


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
