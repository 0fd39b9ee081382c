"""What estimators around `Conv1D` have in common."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from sklearn.utils import check_scalar

from skspec.checks import check_choice, check_size_or_sizes, check_sizes
from skspec.networks import Conv1D
from skspec.training import NeuralEstimator


@dataclass(kw_only=True, eq=False, repr=False)
class Conv1DParameters(NeuralEstimator):
    """Parameters of the network, which the docstrings of its estimators explain."""

    filters: tuple[int, ...] = (8, 16, 32)
    kernel_sizes: tuple[int, ...] = (3, 5, 7)
    strides: int | tuple[int, ...] | None = None
    head: str = "flatten"
    hidden: tuple[int, ...] = ()
    dropout: float = 0.5
    batch_norm: bool = True

    def _check_params(self) -> None:
        super()._check_params()
        check_sizes("filters", self.filters)
        check_sizes("kernel_sizes", self.kernel_sizes)
        if self.strides is not None:
            check_size_or_sizes("strides", self.strides, length=len(self.filters))
        check_choice("head", self.head, ("flatten", "channel_max", "pool"))
        check_sizes("hidden", self.hidden, allow_empty=True)
        check_scalar(self.dropout, "dropout", Real, min_val=0, max_val=1, include_boundaries="left")
        check_choice("batch_norm", self.batch_norm, (True, False))

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> Conv1D:
        n_channels, n_pixels = shape
        return Conv1D(
            n_pixels,
            n_outputs,
            n_channels=n_channels,
            filters=self.filters,
            kernel_sizes=self.kernel_sizes,
            strides=self.strides,
            head=self.head,
            hidden=self.hidden,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )
