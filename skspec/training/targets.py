"""Soft targets: label smoothing and mixup."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot


class SoftTargets:
    """Smooth labels and mix pairs of rows, by the parameters ``label_smoothing`` and ``mixup`` of the estimators.

    Each batch is mixed with itself in another order; order and λ are drawn from the generator. `n_classes` is None for
    targets that are values.
    """

    def __init__(
        self, n_classes: int | None, *, label_smoothing: float, mixup: float, generator: np.random.Generator
    ) -> None:
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.generator = generator

    def __call__(
        self, X: Tensor, target: Tensor, weight: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return rows, probabilities of the classes (or values) and weights from rows, class indices and weights."""
        soft = target if self.n_classes is None else one_hot(target, self.n_classes).to(X.dtype)
        if self.label_smoothing and self.n_classes is not None:
            soft = torch.lerp(soft, torch.full_like(soft, 1.0 / self.n_classes), self.label_smoothing)
        if not self.mixup:
            return X, soft, weight
        share = float(self.generator.beta(self.mixup, self.mixup))
        other = torch.from_numpy(self.generator.permutation(len(X))).to(X.device)
        mixed = torch.lerp(X[other], X, share)
        if weight is None:
            return mixed, torch.lerp(soft[other], soft, share), None
        total = torch.lerp(weight[other], weight, share)
        tiny = torch.finfo(total.dtype).tiny  # of two rows of weight 0
        soft = (
            torch.lerp((weight[:, None] * soft)[other], weight[:, None] * soft, share)
            / total.clamp(min=tiny)[:, None]
        )
        return mixed, soft, total
