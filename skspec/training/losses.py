"""Loss functions.

The arguments of a loss are logits of shape (n, n_classes), targets that are class indices of shape (n,) or class
probabilities of shape (n, n_classes), and weights of shape (n,). The sum of weighted losses is divided by the number of
rows, not by the sum of weights: a weight then has the same effect in each batch. Weights have mean one over the training
set.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

LOSSES = ("cross_entropy", "focal", "soft_f1", "distance")
VALUE_LOSSES = ("squared_error", "absolute_error", "gaussian")


class CrossEntropy(nn.Module):
    """Cross-entropy of the logits with the true classes."""

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss of the rows."""
        if weight is None:
            return functional.cross_entropy(logits, target)
        return (functional.cross_entropy(logits, target, reduction="none") * weight).mean()


class Focal(nn.Module):
    """Cross-entropy with less weight for confident correct predictions (Lin et al. 2017, arXiv:1708.02002).

    Each term is multiplied by (1 - p)^gamma, where p is the probability of its class; gamma = 0 is cross-entropy.
    """

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss of the rows."""
        log_p = functional.log_softmax(logits, dim=1)
        terms = (-torch.expm1(log_p)).clamp(min=1e-7) ** self.gamma * log_p
        hard = target.ndim == 1
        loss = -terms.gather(1, target[:, None])[:, 0] if hard else -(target * terms).sum(dim=1)
        return _mean(loss, weight)


class SoftF1(nn.Module):
    """1 − macro-averaged F1 score of the batch, with probabilities in place of decisions.

    F1 of class k is 2 Σ t p / Σ (t + p) over the batch, where t is 1 for spectra of the class, else 0, and p the
    probability of the class; the mean is over the classes in the batch.
    """

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the loss of the batch."""
        p, t = functional.softmax(logits, dim=1), as_probabilities(target, logits)
        w = torch.ones_like(p[:, :1]) if weight is None else weight[:, None]
        support = (w * t).sum(dim=0)
        f1 = 2.0 * (w * t * p).sum(dim=0) / (support + (w * p).sum(dim=0)).clamp(min=1e-12)
        present = (support > 0).to(p.dtype)
        return 1.0 - (f1 * present).sum() / present.sum().clamp(min=1.0)


class Distance(nn.Module):
    """Weighted sum of cross-entropy and the distance of the expected class from the true class.

    With the weight a from 0 to 1, coordinates c of the classes, shape (n_classes, n_axes), and probabilities p, the loss
    of a spectrum of class y is (1 - a) · cross-entropy + a · mean over axes of (Σ p c - c_y)².
    """

    coordinates: Tensor

    def __init__(self, coordinates: Tensor, weight: float) -> None:
        super().__init__()
        self.register_buffer("coordinates", coordinates)
        self.weight = weight
        self.cross_entropy = CrossEntropy()

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss of the rows."""
        true = self.coordinates[target] if target.ndim == 1 else target @ self.coordinates
        expected = functional.softmax(logits, dim=1) @ self.coordinates
        distance = ((expected - true) ** 2).mean(dim=1)
        entropy = self.cross_entropy(logits, target, weight)
        return (1.0 - self.weight) * entropy + self.weight * _mean(distance, weight)


class ValueLoss(nn.Module):
    """Loss of regression for the known values (not NaN), of one of the kinds `VALUE_LOSSES`.

    For "gaussian", the outputs are the values followed by the logarithms of their variances; the loss is the negative
    log-likelihood without its constant (Nix and Weigend 1994).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, outputs: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean over rows of the mean over known values; `target` has shape (n, n_targets)."""
        known = ~target.isnan()
        error = torch.where(known, outputs[:, : target.shape[1]] - target, 0.0)
        if self.kind == "absolute_error":
            loss = error.abs()
        elif self.kind == "squared_error":
            loss = error**2
        else:
            log_variance = outputs[:, target.shape[1] :].clamp(-20.0, 20.0)
            loss = 0.5 * (log_variance + error**2 * torch.exp(-log_variance))
        loss = torch.where(known, loss, 0.0).sum(dim=1) / known.sum(dim=1).clamp(min=1)
        return _mean(loss, weight)


def as_probabilities(target: Tensor, logits: Tensor) -> Tensor:
    """Return the target as class probabilities; class indices are one-hot encoded."""
    if target.ndim == 2:
        return target
    return functional.one_hot(target, logits.shape[1]).to(logits.dtype)


def _mean(loss: Tensor, weight: Tensor | None) -> Tensor:
    return (loss if weight is None else loss * weight).mean()
