"""Loss functions of critic and generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from skspec.training.randomness import own_generator

LOSSES = ("hinge", "wasserstein", "logistic")


def critic_loss(kind: str, real: Tensor, generated: Tensor) -> Tensor:
    """Return the loss of a critic from its scores of real and generated spectra.

    `kind` is "hinge" (Lim and Ye 2017, arXiv:1705.02894), "wasserstein" (Arjovsky et al. 2017, arXiv:1701.07875), or
    "logistic", the cross-entropy of logits (Goodfellow et al. 2014, arXiv:1406.2661).
    """
    if kind == "hinge":
        return functional.relu(1.0 - real).mean() + functional.relu(1.0 + generated).mean()
    if kind == "wasserstein":
        return generated.mean() - real.mean()
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def generator_loss(kind: str, generated: Tensor) -> Tensor:
    """Return the loss of a generator from the critic's scores of its spectra; "logistic" is the non-saturating loss."""
    return functional.softplus(-generated).mean() if kind == "logistic" else -generated.mean()


def gradient_penalty(critic: nn.Module, real: Tensor, generated: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of (|gradient| - 1)² of the critic, at random points between real and generated spectra.

    See Gulrajani et al. (2017, arXiv:1704.00028).
    """
    uniform = torch.rand(len(real), 1, 1, device=real.device, generator=own_generator(real.device))
    between = torch.lerp(real, generated, uniform).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between, labels).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()
