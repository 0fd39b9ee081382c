"""Batches that are taken whole out of arrays, never collated row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.dataset import Dataset
from torch import Tensor


class Rows(Dataset):
    """The rows that a network learns from or is applied to.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Used in place: read-only arrays and memory maps are fine.
    y : ndarray of shape (n_rows,), default=None
        Class indices.
    weight : ndarray of shape (n_rows,), default=None
        Weight of each row in the loss.
    """

    def __init__(self, X: Any, y: Any = None, weight: Any = None) -> None:
        super().__init__(np.asarray(X), None if y is None else np.asarray(y))
        self.weight = None if weight is None else np.asarray(weight)

    def __getitem__(self, rows: NDArray[np.intp]) -> Batch:
        """Copy the rows with indices `rows` into a batch."""
        return Batch(
            torch.from_numpy(self.X.take(rows, axis=0)),
            None if self.y is None else torch.from_numpy(self.y.take(rows, axis=0)),
            None if self.weight is None else torch.from_numpy(self.weight.take(rows)),
        )

    def part(self, rows: NDArray[np.intp]) -> Rows:
        """Take some of the rows."""
        return Rows(self.X[rows], self.y[rows], None if self.weight is None else self.weight[rows])


class Batch:
    """Rows as tensors. Unpacks to ``X, y``, as skorch and its callbacks expect of a batch."""

    __slots__ = ("X", "weight", "y")

    def __init__(self, X: Tensor, y: Tensor | None, weight: Tensor | None) -> None:
        self.X = X
        self.y = y
        self.weight = weight

    def __len__(self) -> int:
        return len(self.X)

    def __iter__(self) -> Iterator[Tensor | None]:
        yield self.X
        yield self.y

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return Batch(
            self.X.to(device, non_blocking=True),
            None if self.y is None else self.y.to(device, non_blocking=True),
            None if self.weight is None else self.weight.to(device, non_blocking=True),
        )


class Batches:
    """Passes over rows in batches.

    A last batch of a single row, of which batch normalisation could make nothing, joins the one before it.

    Parameters
    ----------
    rows : Rows
        What to pass over.
    batch_size : int
        Rows of a batch.
    device : torch.device or str, default="cpu"
        Where the batches are needed.
    generator : numpy.random.Generator, default=None
        Shuffles the rows anew in each pass; None leaves them in order.
    probability : ndarray of shape (n_rows,), default=None
        Rows are drawn with replacement, each with its probability, instead of shuffled.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        generator: np.random.Generator | None = None,
        probability: NDArray[np.float64] | None = None,
    ) -> None:
        self.rows = rows
        self.device = device
        self.generator = generator
        self.probability = probability
        n = len(rows)
        self.starts = list(range(0, n, batch_size))
        if len(self.starts) > 1 and self.starts[-1] == n - 1:
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Batch]:
        n = len(self.rows)
        order = self._order(n)
        for start, stop in zip(self.starts, [*self.starts[1:], n], strict=True):
            yield self.rows[order[start:stop]].to(self.device)

    def _order(self, n: int) -> NDArray[np.intp]:
        if self.generator is None:
            return np.arange(n)
        if self.probability is None:
            return self.generator.permutation(n)
        return self.generator.choice(n, n, p=self.probability)


def balanced(target: NDArray[np.integer]) -> NDArray[np.float64]:
    """Probabilities of rows with which all classes are drawn equally often."""
    _, index, count = np.unique(target, return_inverse=True, return_counts=True)
    return 1.0 / (len(count) * count[index])
