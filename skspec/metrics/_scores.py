"""Scores of classes, ordered or with coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from skspec.metrics import _confusion
from skspec.metrics._confusion import FloatArray
from skspec.metrics.classes import Coordinates, coordinates_of, index_classes, to_python
from skspec.mk import mk_grid

ClassWeight = Mapping[Any, float] | str | None
OfMatrix = Callable[[FloatArray], FloatArray]


def accuracy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the fraction of correct labels or, with ``class_weight="balanced"``, the mean recall.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        True and predicted labels.
    class_weight : mapping of label to float, "balanced" or None, default=None
        Weight of the spectra of each true class; "balanced" gives all classes the same weight.
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
    """Compute the mean of the F1 scores of the classes.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        See `accuracy`.
    labels : sequence, default=None
        All classes; the F1 score of a class that is neither true nor predicted is 0. None means the classes that are
        true or predicted; in a bootstrap, those of each resample.

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
    """Compute the mean absolute error of the coordinates of classes, averaged over axes.

    Parameters
    ----------
    y_true, y_pred, class_weight, sample_weight
        See `accuracy`; the published table has ``class_weight="balanced"``.
    coordinates : mapping or callable, default=None
        Coordinates of each label, one or several numbers. None means the indices of temperature and luminosity class
        of joint MK classes such as "GV".

    Returns
    -------
    float
        Mean absolute error in units of the coordinates.
    """
    params = {"coordinates": coordinates, "class_weight": class_weight}
    return _score("joint_mae", y_true, y_pred, sample_weight, **params)


def joint_kappa(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    order: Sequence[Any] | str = "temperature",
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the quadratically weighted kappa of ordered classes (Cohen 1968, Psychological Bulletin 70, 213).

    It is 1 for perfect agreement and 0 for the expected agreement of independent labels.

    Parameters
    ----------
    y_true, y_pred, class_weight, sample_weight
        See `accuracy`.
    order : sequence of labels, "temperature" or "luminosity", default="temperature"
        All classes in order; differences are between ranks. The two strings mean joint MK classes such as "GV" in the
        temperature-major or luminosity-major order of `skspec.mk.mk_grid`.

    Returns
    -------
    float
        Between -1 and 1.

    See Also
    --------
    axis_kappa : Kappa of one coordinate of the classes.
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
    """Compute the quadratically weighted kappa of one coordinate of the classes.

    Parameters
    ----------
    y_true, y_pred, class_weight, sample_weight
        See `accuracy`.
    coordinates : mapping or callable, default=None
        Coordinates of each label. None means the indices of temperature class (axis 0) and luminosity class (axis 1) of
        joint MK classes such as "GV".
    axis : int, default=0
        Index of the coordinate.

    Returns
    -------
    float
        Between -1 and 1.
    """
    params = {"coordinates": coordinates, "axis": axis, "class_weight": class_weight}
    return _score("axis_kappa", y_true, y_pred, sample_weight, **params)


def published_scores(
    y_true: ArrayLike, y_pred: ArrayLike, *, class_weight: ClassWeight = "balanced"
) -> dict[str, float]:
    """Compute the scores of the published table of joint MK classes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        Joint classes such as "GV".
    class_weight : mapping of label to float, "balanced" or None, default="balanced"
        Weights of the classes in all scores but F1; equal weights are those of the published table.

    Returns
    -------
    dict of str to float
        ``f1_macro``; ``joint_mae``; ``joint_kappa`` in temperature-major and ``joint_kappa_luminosity`` in
        luminosity-major order.

    Notes
    -----
    The table is that of volgasezen/StellarClassification. Both kappas are of the joint class; for those of a single
    axis, see `axis_kappa`.
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
    classes = [to_python(label) for label in (seen if listed is None else listed)]
    parameter = "order" if "order" in params else "labels"
    index = index_classes(parameter, classes, seen.tolist(), source="y_true or y_pred")
    true, predicted = (np.array([index[v] for v in y.tolist()], dtype=np.intp) for y in (y_true, y_pred))
    return _OF_LABELS[name](classes, **params), true, predicted, len(classes)


def check_weights(sample_weight: Any, n: int) -> FloatArray | None:
    """Return the weights of the spectra, or None."""
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


def _mk_order(order: str, seen: NDArray[Any]) -> list[str]:
    """Return the published joint MK classes in order, or all joint MK classes if others occur."""
    published = mk_grid(order=order).tolist()
    return published if set(seen.tolist()) <= set(published) else mk_grid(order=order, full=True).tolist()


def _balanced(score: OfMatrix, classes: list[Any], class_weight: ClassWeight) -> OfMatrix:
    """Return the score of confusion matrices whose rows are weighted by class."""
    if class_weight is None:
        return score
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be 'balanced', a mapping or None, got {class_weight!r}")
        weight = np.full(len(classes), np.nan)
    else:
        weight = np.array([class_weight.get(label, 1.0) for label in classes], dtype=np.float64)
    return lambda matrix: score(_confusion.weighted(matrix, weight))
