"""How rows of X become what a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_CHUNK = 2**24  # values that are looked at together when statistics are taken


class RowNetwork(nn.Module):
    """A network for rows of X: columns standardised, missing pixels filled, channels unfolded.

    Each column is centred on its training mean and divided by its scale. A missing pixel (NaN), and a column
    that was missing in all training rows, becomes 0 thereby: the training mean.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (n, n_channels, n_pixels); has ``features`` beside ``forward``.
    center, scale : ndarray of shape (n_features,)
        Mean and scale of each column, from `column_statistics`; NaN for a column without values.
    n_channels : int
        Channels that lie side by side in a row.
    """

    network: Any
    center: Tensor
    scale: Tensor

    def __init__(
        self, network: nn.Module, center: NDArray[np.floating], scale: NDArray[np.floating], n_channels: int
    ) -> None:
        super().__init__()
        self.network = network
        self.n_channels = n_channels
        self.register_buffer("center", torch.as_tensor(center, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))

    def unfold(self, rows: Tensor) -> Tensor:
        """Input of the network, shape (n, n_channels, n_pixels), from rows of X, shape (n, n_features)."""
        filled = torch.nan_to_num((rows - self.center) / self.scale, nan=0.0)
        return filled.unflatten(1, (self.n_channels, -1))

    def forward(self, rows: Tensor) -> Tensor:
        """Logits of rows of X."""
        return self.network(self.unfold(rows))

    def features(self, rows: Tensor) -> Tensor:
        """Activations before the network's last layer."""
        return self.network.features(self.unfold(rows))


def column_statistics(X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column over what is not missing.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        NaN where missing.

    Returns
    -------
    center, scale : ndarray of shape (n_features,)
        In float64. NaN for a column that is missing everywhere; the scale of a constant column is 1.
    """
    chunks = np.array_split(X, max(1, X.size // _CHUNK))
    count = sum(np.count_nonzero(~np.isnan(chunk), axis=0) for chunk in chunks)
    with np.errstate(invalid="ignore"):
        center = sum(np.nansum(chunk, axis=0, dtype=np.float64) for chunk in chunks) / count
        scale = np.sqrt(sum(np.nansum((chunk - center) ** 2, axis=0) for chunk in chunks) / count)
    flat = scale <= 1e-6 * np.abs(center)  # float32 rounding is no spread
    return center, np.where(flat, 1.0, scale)
