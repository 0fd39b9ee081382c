"""`Conv1D`, parallel stacks of one-dimensional convolutions."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from skspec.networks._layers import (
    Convolution,
    PerceptronNetwork,
    as_images,
    convolve_and_normalize,
    convolved,
    flatten,
    for_each,
    margins,
)

_PIXELS_LEFT = 50  # after the last convolution, with default strides
# From this number of filters on, channels-last gradients of the weights cost more on a CPU than the layout saves.
_WIDE = {torch.float32: 256, torch.bfloat16: 1024}
HEADS = ("flatten", "channel_max", "pool")


class Conv1D(PerceptronNetwork):
    """Branches of convolutions with kernels of different widths, followed by a perceptron.

    Each branch is a stack of convolutions with one kernel size; the outputs of all branches are concatenated.

    ============  ===========================================  ==================================
    layer         operation                                    output shape
    ============  ===========================================  ==================================
    branch j      for each i: convolution (kernel              (n, filters[-1], length_j)
                  ``kernel_sizes[j]``, stride ``strides[i]``,
                  no padding) to ``filters[i]`` channels,
                  [batch normalisation], ReLU
    head          ``channel_max``: maximum over channels       (n, Σ_j length_j)
                  ``flatten``                                  (n, filters[-1] · Σ_j length_j)
                  ``pool``: mean over pixels                   (n, filters[-1] · n_branches)
    hidden m      dropout, linear, ReLU                        (n, hidden[m])
    final_layer   dropout, linear                              (n, n_outputs)
    ============  ===========================================  ==================================

    Parameters
    ----------
    n_pixels : int
        Pixels of a spectrum.
    n_outputs : int
        Number of logits, one per class.
    n_channels : int, default=1
        Values per pixel (flux; flux and inverse variance; ...).
    filters, kernel_sizes, strides, head, hidden, dropout, batch_norm
        As in `skspec.Conv1DClassifier`. With batch normalisation, convolutions have no bias.

    Notes
    -----
    Convolutions are not padded, as published, except that an input shorter than the kernel is padded with zeros, evenly
    on both sides, to the length of the kernel. Spectra can therefore have any number of pixels.

    Spectra are processed as channels-last images of height 1, except when wide networks are trained on a CPU.

    Two systems for joint MK classification [1]_ are configurations of this network (2305 pixels, 39 classes,
    ``batch_norm=False``):

    - v1: ``filters=(512, 256, 128, 64), strides=1, head="channel_max", hidden=(2048, 1024)``, with 18,794,855
      parameters. The released model has 65 more, in a layer that is never called.
    - v2: ``filters=(32, 128, 512, 2048, 512, 128, 32), strides=(1, 2, 2, 2, 2, 2, 2), head="flatten", hidden=(2048,)``,
      with 40,126,919 parameters.

    References
    ----------
    .. [1] https://github.com/volgasezen/StellarClassification
    """

    def __init__(
        self,
        n_pixels: int,
        n_outputs: int,
        *,
        n_channels: int = 1,
        filters: Sequence[int] = (8, 16, 32),
        kernel_sizes: Sequence[int] = (3, 5, 7),
        strides: int | Sequence[int] | None = None,
        head: str = "flatten",
        hidden: Sequence[int] = (),
        dropout: float = 0.5,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}, got {head!r}")
        if strides is None:
            strides = max(1, round((n_pixels / _PIXELS_LEFT) ** (1.0 / len(filters))))
        strides = for_each(strides, len(filters), "strides")
        self.head = head
        self._width = max(filters)
        self.branches = nn.ModuleList()
        n_features = 0
        for kernel_size in kernel_sizes:
            layers, length = _layers(
                n_pixels, n_channels, kernel_size, filters=filters, strides=strides, batch_norm=batch_norm
            )
            self.branches.append(_Branch(*layers))
            n_features += {"channel_max": length, "flatten": filters[-1] * length, "pool": filters[-1]}[head]
        self.add_perceptron(n_features, hidden, n_outputs, dropout)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations before the last layer, shape (n, n_features); `x` is (n, n_channels, n_pixels)."""
        x = x.unsqueeze(2) if self._channels_first(x) else as_images(x)
        return self.apply_hidden(torch.cat([self._head(branch(x)) for branch in self.branches], dim=1))

    def _channels_first(self, x: Tensor) -> bool:
        half = torch.is_autocast_enabled("cpu")
        wide = self._width >= _WIDE[torch.bfloat16 if half else torch.float32]
        return wide and self.training and x.device.type == "cpu"

    def _head(self, x: Tensor) -> Tensor:
        if self.head == "channel_max":
            return x.amax(dim=(1, 2))
        return x.mean(dim=(2, 3)) if self.head == "pool" else flatten(x)


class _Branch(nn.Sequential):
    """Sequential layers, in which a convolution and the batch normalisation after it are applied together."""

    def forward(self, x: Tensor) -> Tensor:
        for layer, following in pairwise([*self, None]):
            if isinstance(following, nn.BatchNorm2d):
                x = convolve_and_normalize(x, layer, following)
            elif not isinstance(layer, nn.BatchNorm2d):
                x = layer(x)
        return x


def _layers(
    length: int,
    n_channels: int,
    kernel_size: int,
    *,
    filters: Sequence[int],
    strides: Sequence[int],
    batch_norm: bool,
) -> tuple[list[nn.Module], int]:
    """Return the layers of a branch for `length` pixels, and its number of output pixels."""
    layers: list[nn.Module] = []
    for n_filters, stride in zip(filters, strides, strict=True):
        padding = margins(length, kernel_size, stride)
        if any(padding):
            layers.append(nn.ZeroPad2d((*padding, 0, 0)))
        layers.append(
            Convolution(n_channels, n_filters, kernel_size, n_dims=1, stride=stride, bias=not batch_norm)
        )
        if batch_norm:
            layers.append(nn.BatchNorm2d(n_filters))
        layers.append(nn.ReLU(inplace=True))
        n_channels, length = n_filters, convolved(length, kernel_size, stride)
    return layers, length
