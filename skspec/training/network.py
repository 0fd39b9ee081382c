"""How rows of X become the input of a network: shapes, standardised columns, filled missing pixels."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_CHUNK = 2**24  # values that are processed at once for the statistics


class InputShape(NamedTuple):
    """How a row of X folds into the input of a network.

    Parameters
    ----------
    channels : tuple of int
        (n_channels, n_pixels) of a spectrum, or (channels, height, width) of an image.
    n_scalars : int, default=0
        Number of scalar features at the end of the row.
    ivar_channel : int or None, default=None
        The channel that holds the inverse variance.
    """

    channels: tuple[int, ...]
    n_scalars: int = 0
    ivar_channel: int | None = None

    def unfold(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Spectra or images of shape (n, channels, ...), and scalars, from rows of X."""
        if not self.n_scalars:
            return rows.unflatten(1, self.channels), None
        n_values = prod(self.channels)
        return rows[:, :n_values].unflatten(1, self.channels), rows[:, n_values:]

    def fold(self, x: Tensor, scalars: Tensor | None) -> Tensor:
        """Rows of X from spectra or images, and scalars."""
        return x.flatten(1) if scalars is None else torch.cat([x.flatten(1), scalars], dim=1)


class RowNetwork(nn.Module):
    """A network for rows of X: columns standardised, missing pixels filled, channels unfolded.

    Each column is centred on its training mean and divided by its scale. A missing pixel (NaN), and a column
    that is missing in all training rows, is set to 0, which is the training mean.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (n, n_channels, n_pixels), and scalars if the rows have any; has ``features`` beside ``forward``.
    center, scale : ndarray of shape (n_features,)
        Mean and scale of each column, from `column_statistics`; NaN for a column without values.
    shape : InputShape
        How a row folds.
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
        """Logits of rows of X."""
        return self.network(*self.unfold(rows))

    def features(self, rows: Tensor) -> Tensor:
        """Activations before the network's last layer."""
        return self.network.features(*self.unfold(rows))


def column_statistics(
    X: NDArray[np.float32], shape: InputShape
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column, or of each channel of images, without missing values.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        NaN where missing.
    shape : InputShape
        How a row folds.

    Returns
    -------
    center, scale : ndarray of shape (n_features,)
        In float64. NaN for a column that is missing everywhere; the scale of a constant column is 1.
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
    flat = scale <= 1e-6 * np.abs(center)  # within the rounding of float32
    return center[group], np.where(flat, 1.0, scale)[group]


def _groups(shape: InputShape) -> NDArray[np.intp]:
    """Return for each column the index of its statistic: its own, or that of its channel of an image."""
    n_values = prod(shape.channels)
    if len(shape.channels) == 2:
        return np.arange(n_values + shape.n_scalars)
    n_channels = shape.channels[0]
    own = np.arange(n_channels, n_channels + shape.n_scalars)
    return np.concatenate([np.repeat(np.arange(n_channels), n_values // n_channels), own])
