"""Data sets and batches of rows. A batch is indexed from an array at once, not collated row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.dataset import Dataset
from torch import Tensor


class Rows(Dataset):
    """Data set for training or prediction.

    `X` has shape (n_rows, n_features) and is not copied: it can be read-only or a memory map. `y` contains class indices
    of shape (n_rows,), or values of shape (n_rows, n_targets); `weight` the weight of each row in the loss.
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
        """Return the rows with indices `rows`."""
        return Rows(self.X[rows], self.y[rows], None if self.weight is None else self.weight[rows])


class Batch:
    """Rows as tensors. It unpacks to ``X, y``, as skorch and its callbacks expect."""

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
    """Iterable over the batches of a data set, on a device.

    The `generator` shuffles the rows in each epoch; None keeps their order. Given a `probability` for each row, of shape
    (n_rows,), it draws rows with replacement instead. A last batch of a single row, for which batch normalisation is
    undefined, is joined to the one before it.
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
    """Return the probability of each row with which all classes are drawn equally often."""
    _, index, count = np.unique(target, return_inverse=True, return_counts=True)
    return 1.0 / (len(count) * count[index])
