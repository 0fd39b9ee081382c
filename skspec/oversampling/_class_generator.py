"""What is kept of a trained generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import nn

from skspec.oversampling._adversarial import device_of, make
from skspec.training.devices import seeded


class ClassGenerator:
    """Makes spectra of one class.

    Attributes
    ----------
    network : torch.nn.Module
        Trained, and shared by the classes that were learned together; makes standardised spectra.
    number : int
        Of the class, for the network.
    center, scale : ndarray of shape (n_features,)
        Mean and standard deviation of the columns in training.
    limits : ndarray of shape (2, n_features)
        Lowest and highest value that is made, from `limits_of`.
    """

    def __init__(
        self,
        network: nn.Module,
        number: int,
        center: NDArray[np.float64],
        scale: NDArray[np.float64],
        limits: NDArray[np.floating],
    ) -> None:
        self.network = network
        self.number = number
        self.center = center
        self.scale = scale
        self.limits = limits

    def sample(self, n: int, seed: int) -> NDArray[np.float32]:
        """Make `n` spectra, shape (n, n_features)."""
        with seeded(seed, device_of(self.network)):
            rows = make(self.network, np.full(n, self.number)) * self.scale + self.center
        return np.clip(rows, *self.limits).astype(np.float32)


def limits_of(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Range of each column, and a tenth more at both ends, but not below 0 where nothing is; shape (2, n_features)."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    margin = 0.1 * (high - low)
    return np.array([np.where(low >= 0.0, np.maximum(low - margin, 0.0), low - margin), high + margin])
