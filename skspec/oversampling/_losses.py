"""What critic and generator play for."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

LOSSES = ("hinge", "wasserstein", "logistic")


def critic_loss(kind: str, real: Tensor, made: Tensor) -> Tensor:
    """Loss of a critic from its scores of real and of made-up spectra.

    Parameters
    ----------
    kind : {"hinge", "wasserstein", "logistic"}
        The margin of Lim and Ye (2017, arXiv:1705.02894), the distance of Arjovsky et al. (2017, arXiv:1701.07875), or
        the cross-entropy of logits of Goodfellow et al. (2014, arXiv:1406.2661).
    real, made : Tensor of shape (n,)
    """
    if kind == "hinge":
        return functional.relu(1.0 - real).mean() + functional.relu(1.0 + made).mean()
    if kind == "wasserstein":
        return made.mean() - real.mean()
    return functional.softplus(-real).mean() + functional.softplus(made).mean()


def generator_loss(kind: str, made: Tensor) -> Tensor:
    """Loss of a generator from the scores of what it made; kinds as in `critic_loss`, the logistic not saturating."""
    return functional.softplus(-made).mean() if kind == "logistic" else -made.mean()


def gradient_penalty(critic: nn.Module, real: Tensor, made: Tensor, labels: Tensor) -> Tensor:
    """Mean square of |gradient| - 1 of the critic between real and made-up spectra.

    At random points on the lines between pairs of them (Gulrajani et al. 2017, arXiv:1704.00028).
    """
    between = torch.lerp(real, made, torch.rand(len(real), 1, 1, device=real.device)).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between, labels).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()
