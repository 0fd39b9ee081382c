"""What estimators around residual networks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from os import PathLike

from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.estimators._images import size_arguments
from skspec.networks import ResNet
from skspec.networks.resnet import DEPTHS, STEMS
from skspec.training import NeuralEstimator
from skspec.training.network import InputShape
from skspec.training.pretrained import read_state_dict


@dataclass(kw_only=True, eq=False, repr=False)
class ResNetParameters(NeuralEstimator):
    """Parameters of the network, which the docstrings of its estimators explain."""

    depth: int = 18
    width: int = 64
    stem: str = "standard"
    n_hidden: int = 0
    n_scalars: int = 0
    pretrained: str | PathLike[str] | None = None
    lr: float = 1e-3
    max_epochs: int = 15

    def _check_params(self) -> None:
        super()._check_params()
        check_choice("depth", self.depth, DEPTHS)
        check_scalar(self.width, "width", Integral, min_val=1)
        check_choice("stem", self.stem, STEMS)
        check_scalar(self.n_hidden, "n_hidden", Integral, min_val=0)
        check_scalar(self.n_scalars, "n_scalars", Integral, min_val=0)

    def _input_shape(self, n_features: int) -> InputShape:
        n_values = n_features - self.n_scalars
        if n_values < 1:
            raise ValueError(
                f"n_scalars={self.n_scalars} leaves nothing but scalars of the {n_features} features of X"
            )
        return super()._input_shape(n_values)._replace(n_scalars=self.n_scalars)

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> ResNet:
        return ResNet(
            n_outputs=n_outputs,
            **size_arguments(shape),
            depth=self.depth,
            width=self.width,
            stem=self.stem,
            n_hidden=self.n_hidden,
            n_scalars=self.n_scalars,
        )

    def _load_pretrained(self, network: ResNet) -> None:
        if self.pretrained is not None:
            network.load_pretrained(read_state_dict(self.pretrained))
