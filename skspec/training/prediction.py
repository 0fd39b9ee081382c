"""Application of a trained network to rows of X."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skspec.training.batching import Batches, Rows
from skspec.training.network import RowNetwork
from skspec.training.precision import autocast

_VALUES = {"cpu": 2**16, "cuda": 2**20}  # values of X in a batch, chosen for caches and memory
_MIN_ROWS = 16  # in a batch; convolutions of fewer do not occupy a processor fully
_MIN_COMPUTED = 4  # fewer rows are repeated, because torch's kernels for them round differently

View = tuple[float, Callable[[Tensor], Tensor]]  # weight and function of spectra or images


def apply_network(
    module: RowNetwork,
    X: NDArray[np.float32],
    function: Callable[[Any, Tensor], Tensor],
    *,
    views: Sequence[View] = (),
    device: torch.device,
    dtype: torch.dtype,
) -> NDArray[np.float32]:
    """Return the outputs of a method of the network for rows of X, or their weighted mean over views.

    The outputs of a row do not depend on the other rows, up to rounding.
    """
    batches = Batches(
        Rows(X), max(_MIN_ROWS, _VALUES.get(device.type, _VALUES["cpu"]) // X.shape[1]), device=device
    )
    weights = torch.tensor([weight for weight, _ in views], device=device)

    def outputs(rows: Tensor) -> Tensor:
        if not views:
            return function(module, rows)
        x, scalars = module.shape.unfold(rows)
        seen = [function(module, module.shape.fold(see(x), scalars)).float() for _, see in views]
        return (torch.stack(seen) * (weights / weights.sum())[:, None, None]).sum(0)

    def outputs_of_few(rows: Tensor) -> Tensor:
        n = len(rows)
        if n < _MIN_COMPUTED:
            rows = rows[torch.arange(_MIN_COMPUTED, device=device) % n]
        return outputs(rows).float()[:n]

    module.eval()
    with torch.inference_mode(), autocast(device, dtype):
        return torch.cat([outputs_of_few(batch.X).cpu() for batch in batches]).numpy()
