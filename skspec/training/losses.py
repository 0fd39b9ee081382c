"""What training makes small."""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class CrossEntropy(nn.Module):
    """Cross-entropy of the logits with the true classes, averaged over a batch with weights.

    The sum of weighted losses is divided by the number of rows, not by the sum of their weights: weights with
    mean one over the training set then keep their meaning from batch to batch.
    """

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Loss of `logits`, shape (n, n_classes), for class indices `target` and `weight`, shape (n,)."""
        if weight is None:
            return cross_entropy(logits, target)
        return (cross_entropy(logits, target, reduction="none") * weight).mean()
