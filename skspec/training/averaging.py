"""Moving averages of the weights, which often predict better than the last weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of the weights and statistics of a network.

    The decay grows as (1 + step) / (10 + step) up to `decay`, which reduces the influence of the initial weights.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).requires_grad_(False)
        self.decay = decay
        self.n_steps = 0

    def update(self, module: nn.Module) -> None:
        """Update the average with the weights after a step."""
        decay = min(self.decay, (1 + self.n_steps) / (10 + self.n_steps))
        self.n_steps += 1
        with torch.no_grad():
            torch._foreach_lerp_(_floats(self.module), _floats(module), 1.0 - decay)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        return {"module": self.module.state_dict(), "n_steps": self.n_steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self.module.load_state_dict(state["module"])
        self.n_steps = state["n_steps"]


def _floats(module: nn.Module) -> list[Tensor]:
    tensors = [*module.parameters(), *module.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]
