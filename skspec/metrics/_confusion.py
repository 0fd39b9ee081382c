"""Scores as functions of confusion matrices, so that many resamples of a bootstrap are scored at once.

Two forms of confusion matrices have the same interface: `Matrices` hold all cells of few classes, `Cells` only those
that occur, as most cells of many classes are empty. True classes are rows and predicted classes columns; counts may be
weighted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
Measure = Callable[[IndexArray, IndexArray], FloatArray]
"""Function of indices of true and predicted classes, for example their distance."""

MOST_DENSE_CLASSES = 128


class Confusion(Protocol):
    """Confusion matrices of shape (..., n_classes, n_classes)."""

    @property
    def rows(self) -> FloatArray:
        """Sums of rows: weights of the true classes, shape (..., n_classes)."""

    @property
    def columns(self) -> FloatArray:
        """Sums of columns: weights of the predicted classes, shape (..., n_classes)."""

    @property
    def hits(self) -> FloatArray:
        """Diagonal: weights of correct predictions, shape (..., n_classes)."""

    @property
    def total(self) -> FloatArray:
        """Sums of all cells, shape (...)."""

    def dot(self, measure: Measure) -> FloatArray:
        """Return the sum of all cells multiplied by a function of their row and column, shape (...)."""

    def multiply_rows(self, factor: FloatArray) -> Self:
        """Return the matrices with rows multiplied by factors of shape (n_classes,) or (..., n_classes)."""

    def expected(self, position: FloatArray) -> FloatArray:
        """Return the sum over pairs of classes of row sum times column sum times squared difference of positions."""


@dataclass(frozen=True)
class Matrices:
    """All cells of confusion matrices, `values` of shape (..., n_classes, n_classes)."""

    values: FloatArray

    @property
    def rows(self) -> FloatArray:
        return self.values.sum(axis=-1)

    @property
    def columns(self) -> FloatArray:
        return self.values.sum(axis=-2)

    @property
    def hits(self) -> FloatArray:
        return np.diagonal(self.values, axis1=-2, axis2=-1)

    @property
    def total(self) -> FloatArray:
        return self.values.sum(axis=(-2, -1))

    def dot(self, measure: Measure) -> FloatArray:
        index = np.arange(self.values.shape[-1])
        return (self.values * measure(index[:, None], index)).sum(axis=(-2, -1))

    def multiply_rows(self, factor: FloatArray) -> Matrices:
        return Matrices(self.values * factor[..., None])

    def expected(self, position: FloatArray) -> FloatArray:
        squares = (position[:, None] - position) ** 2
        return np.einsum("...i,ij,...j->...", self.rows, squares, self.columns)


@dataclass(frozen=True)
class Cells:
    """Cells of confusion matrices that may be filled: `values` of shape (..., n_cells), with their rows and columns."""

    values: FloatArray
    row: IndexArray
    column: IndexArray
    n_classes: int

    def _add(self, values: FloatArray, index: IndexArray) -> FloatArray:
        n = len(index)
        of_class = csr_array((np.ones(n), (np.arange(n), index)), shape=(n, self.n_classes))
        return np.asarray(values @ of_class)

    @property
    def rows(self) -> FloatArray:
        return self._add(self.values, self.row)

    @property
    def columns(self) -> FloatArray:
        return self._add(self.values, self.column)

    @property
    def hits(self) -> FloatArray:
        hit = self.row == self.column
        return self._add(self.values[..., hit], self.row[hit])

    @property
    def total(self) -> FloatArray:
        return self.values.sum(axis=-1)

    def dot(self, measure: Measure) -> FloatArray:
        return self.values @ measure(self.row, self.column)

    def multiply_rows(self, factor: FloatArray) -> Cells:
        return replace(self, values=self.values * factor[..., self.row])

    def expected(self, position: FloatArray) -> FloatArray:
        p = position - position.mean()
        rows, columns = self.rows, self.columns
        squares = (rows @ p**2) * columns.sum(axis=-1) + rows.sum(axis=-1) * (columns @ p**2)
        return squares - 2.0 * (rows @ p) * (columns @ p)


def confusion(values: Any, cells: IndexArray, n_classes: int) -> Confusion:
    """Return confusion matrices with `values` of shape (..., n_cells) in cells of the index row * n_classes + column."""
    values = np.asarray(values, dtype=np.float64)
    if n_classes > MOST_DENSE_CLASSES:
        return Cells(values, cells // n_classes, cells % n_classes, n_classes)
    matrices = np.zeros((*values.shape[:-1], n_classes**2))
    matrices[..., cells] = values
    return Matrices(matrices.reshape(*values.shape[:-1], n_classes, n_classes))


def size_of(n_cells: int, n_classes: int) -> int:
    """Return the number of values that `confusion` needs for one matrix."""
    return n_cells if n_classes > MOST_DENSE_CLASSES else n_classes**2


def weighted(matrix: Confusion, class_weight: FloatArray | None) -> Confusion:
    """Multiply rows by the weights of their classes; a weight of NaN divides a row by its sum."""
    if class_weight is None:
        return matrix
    support = matrix.rows
    inverse = np.divide(1.0, support, out=np.zeros_like(support), where=support > 0)
    return matrix.multiply_rows(np.where(np.isnan(class_weight), inverse, class_weight))


def accuracy(matrix: Confusion) -> FloatArray:
    """Return the fraction of correct predictions."""
    return matrix.hits.sum(axis=-1) / matrix.total


def macro_f1(matrix: Confusion, *, present: bool) -> FloatArray:
    """Return the mean F1 score of all classes (0 if neither true nor predicted), or only of those `present`."""
    total = matrix.rows + matrix.columns
    f1 = np.divide(2.0 * matrix.hits, total, out=np.zeros_like(total), where=total > 0)
    return f1.sum(axis=-1) / np.count_nonzero(total, axis=-1) if present else f1.mean(axis=-1)


def mean_distance(matrix: Confusion, distance: Measure) -> FloatArray:
    """Return the mean distance between true and predicted classes."""
    return matrix.dot(distance) / matrix.total


def quadratic_kappa(matrix: Confusion, position: FloatArray) -> FloatArray:
    """Return 1 − the ratio of the mean squared difference of positions to its expectation for independent labels."""
    observed = matrix.dot(lambda i, j: (position[i] - position[j]) ** 2) * matrix.total
    expected = matrix.expected(position)
    return 1.0 - np.divide(observed, expected, out=np.zeros_like(observed), where=expected > 0)
