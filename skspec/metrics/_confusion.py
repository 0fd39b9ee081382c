"""Scores as functions of confusion matrices, so that a thousand resamples are scored at once.

Matrices have the shape (..., n_classes, n_classes), rows true and columns predicted, and may be weighted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def confusion(
    true: NDArray[np.intp], predicted: NDArray[np.intp], n_classes: int, weight: Array | None
) -> Array:
    """Confusion matrix of class indices."""
    cells = np.bincount(true * n_classes + predicted, weight, n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.float64)


def weighted(matrix: Array, class_weight: Array | None) -> Array:
    """Multiply rows by the weights of their classes; NaN weights make all rows count the same."""
    if class_weight is None:
        return matrix
    support = matrix.sum(axis=-1, keepdims=True)
    inverse = np.divide(1.0, support, out=np.zeros_like(support), where=support > 0)
    return matrix * np.where(np.isnan(class_weight)[:, None], inverse, class_weight[:, None])


def accuracy(matrix: Array) -> Array:
    """Fraction of the trace."""
    return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum(axis=(-2, -1))


def macro_f1(matrix: Array, *, present: bool) -> Array:
    """Mean of the F1 scores of all classes, or of those that are present or predicted; the others count 0."""
    hit = np.diagonal(matrix, axis1=-2, axis2=-1)
    total = matrix.sum(axis=-1) + matrix.sum(axis=-2)
    f1 = np.divide(2.0 * hit, total, out=np.zeros_like(total), where=total > 0)
    return f1.sum(axis=-1) / np.count_nonzero(total, axis=-1) if present else f1.mean(axis=-1)


def mean_distance(matrix: Array, distance: Array) -> Array:
    """Mean of a distance between true and predicted classes."""
    return (matrix * distance).sum(axis=(-2, -1)) / matrix.sum(axis=(-2, -1))


def quadratic_kappa(matrix: Array, position: Array) -> Array:
    """One less the mean squared difference of positions over that expected of independent labels (Cohen 1968)."""
    squares = (position[:, None] - position) ** 2
    rows, columns, total = matrix.sum(axis=-1), matrix.sum(axis=-2), matrix.sum(axis=(-2, -1))
    observed = (matrix * squares).sum(axis=(-2, -1)) * total
    expected = np.einsum("...i,ij,...j->...", rows, squares, columns)
    return 1.0 - np.divide(observed, expected, out=np.zeros_like(observed), where=expected > 0)
