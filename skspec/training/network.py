"""Conversion of rows of X to the input of a network: shape, standardisation, missing pixels."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_CHUNK = 2**24  # number of values processed at once for the statistics


class InputShape(NamedTuple):
    """Layout of a row of X: the channels one after the other, then scalar features.

    `channels` is (n_channels, n_pixels) for spectra, or (channels, height, width) for images; `n_scalars` is the number
    of scalar features, and `ivar_channel` the channel of the inverse variance, if there is one.
    """

    channels: tuple[int, ...]
    n_scalars: int = 0
    ivar_channel: int | None = None

    def unfold(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return spectra or images of shape (n, channels, ...), and scalars, from rows of X."""
        if not self.n_scalars:
            return rows.unflatten(1, self.channels), None
        n_values = prod(self.channels)
        return rows[:, :n_values].unflatten(1, self.channels), rows[:, n_values:]

    def fold(self, x: Tensor, scalars: Tensor | None) -> Tensor:
        """Return rows of X from spectra or images, and scalars."""
        return x.flatten(1) if scalars is None else torch.cat([x.flatten(1), scalars], dim=1)


class RowNetwork(nn.Module):
    """A network whose input is rows of X, with columns standardised, missing pixels filled and channels unfolded.

    Each column is centred on its training mean and divided by its scale, both from `column_statistics`. A missing pixel
    (NaN), and a column that is missing in all training rows, is set to 0, which is the training mean. The inputs of the
    inner `network` are spectra or images, and scalars if the rows have any; it has ``features`` besides ``forward``.
    """

    network: Any
    center: Tensor
    scale: Tensor

    def __init__(
        self,
        network: nn.Module,
        center: NDArray[np.floating],
        scale: NDArray[np.floating],
        shape: InputShape,
    ) -> None:
        super().__init__()
        self.network = network
        self.shape = shape
        self.register_buffer("center", torch.as_tensor(center, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))

    def unfold(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Return the inputs of the network from rows of X, shape (n, n_features)."""
        x, scalars = self.shape.unfold((rows - self.center).div_(self.scale).nan_to_num_(nan=0.0))
        return (x,) if scalars is None else (x, scalars)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the logits of rows of X."""
        return self.network(*self.unfold(rows))

    def features(self, rows: Tensor) -> Tensor:
        """Return the activations before the last layer of the network."""
        return self.network.features(*self.unfold(rows))


def column_statistics(
    X: NDArray[np.float32], shape: InputShape
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and standard deviation of each column, or of its channel for images, ignoring NaN.

    Both are NaN for a column that is missing everywhere; the standard deviation of a constant column is replaced by 1,
    or by the rounding error of larger values.
    """
    chunks = np.array_split(X, max(1, X.size // _CHUNK))
    group = _groups(shape)
    n_groups = int(group[-1]) + 1

    def total(of_chunk: Callable[[Any], Any]) -> NDArray[np.float64]:
        values = np.sum([of_chunk(chunk) for chunk in chunks], axis=0, dtype=np.float64)
        return np.asarray(values if n_groups == len(group) else np.bincount(group, values, n_groups))

    count = total(lambda chunk: np.count_nonzero(~np.isnan(chunk), axis=0))
    with np.errstate(invalid="ignore"):
        center = total(lambda chunk: np.nansum(chunk, axis=0, dtype=np.float64)) / count
        scale = np.sqrt(total(lambda chunk: np.nansum((chunk - center[group]) ** 2, axis=0)) / count)
    rounding = 1e-6 * np.abs(center)  # of float32
    return center[group], np.where(scale <= rounding, np.maximum(rounding, 1.0), scale)[group]


def _groups(shape: InputShape) -> NDArray[np.intp]:
    """Return the index of the statistic of each column; columns of the same channel of images share one."""
    n_values = prod(shape.channels)
    if len(shape.channels) == 2:
        return np.arange(n_values + shape.n_scalars)
    n_channels = shape.channels[0]
    own = np.arange(n_channels, n_channels + shape.n_scalars)
    return np.concatenate([np.repeat(np.arange(n_channels), n_values // n_channels), own])
