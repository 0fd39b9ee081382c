"""The binning of QuasarNET: each pixel whole to the bin that holds its centre, weighted by its inverse variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra import Block


def weighted_bins(block: Block, edges: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the weighted mean flux of each row in each bin, and its inverse variance, the sum of weights.

    Flux is NaN where a bin holds no centre of a valid pixel. Without ``ivar`` all pixels have the same weight, and no
    inverse variance is returned.
    """
    n, n_bins = len(block.flux), len(edges) - 1
    place = np.searchsorted(edges, block.wave, side="right") - 1
    place = np.where(
        (place < 0) | (place == n_bins), n_bins, place
    )  # one past the last bin where it is in none
    index = (place + (n_bins + 1) * np.arange(n)[:, None]).ravel()

    def sums(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(index, values.ravel(), n * (n_bins + 1)).reshape(n, n_bins + 1)[:, :n_bins]

    weight = (block.valid if block.ivar is None else block.ivar).astype(np.float64)
    total = sums(weight)
    with np.errstate(invalid="ignore"):
        flux = sums(np.where(block.valid, block.flux, 0.0) * weight) / total
    dtype = block.flux.dtype
    return flux.astype(dtype), None if block.ivar is None else total.astype(dtype)
