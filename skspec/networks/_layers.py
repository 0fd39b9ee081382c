"""Layers for spectra and images.

Networks for both are written for images, and process a spectrum as an image of height 1. Kernels, strides and pooling
have the size `window`: along a spectrum, or along both sides of an image.

Activations are in channels-last layout. Convolutions are then matrix products, which is faster on CPUs and GPUs if all
operations, also in the backward pass, keep this layout. This is why spectra stay images of height 1 throughout.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


def input_shape(
    n_channels: int, n_pixels: int | None, image_shape: Sequence[int] | None
) -> tuple[int, int, Sequence[int]]:
    """Return the shape of the input: number of dimensions (1 for spectra, 2 for images), channels, (height, width).

    Spectra have `n_channels` and `n_pixels`, and height 1; images have an `image_shape` (channels, height, width).
    """
    if image_shape is None and n_pixels is not None:
        return 1, n_channels, (1, n_pixels)
    if image_shape is None or n_pixels is not None:
        raise ValueError(
            "give either n_pixels (for spectra) or image_shape (for images), "
            f"got n_pixels={n_pixels} and image_shape={image_shape}"
        )
    if len(image_shape) != 3:
        raise ValueError(f"image_shape must be (channels, height, width), got {tuple(image_shape)}")
    n_channels, height, width = image_shape
    return 2, n_channels, (height, width)


def window(size: int, n_dims: int) -> tuple[int, int]:
    """Return height and width of `size` pixels: (1, size) for spectra, (size, size) for images."""
    return (1, size) if n_dims == 1 else (size, size)


def for_each(value: int | Sequence[int], n: int, name: str) -> list[int]:
    """Return one value for each of `n` convolutions; raise ValueError if there are not n values of parameter `name`."""
    values = [int(v) for v in value] if isinstance(value, Iterable) else [int(value)] * n
    if len(values) != n:
        raise ValueError(f"{name} must have one value for each of the {n} filters, got {len(values)} values")
    return values


def convolved(length: int, kernel_size: int, stride: int, *, same: bool = False) -> int:
    """Return the length after a convolution or pooling, with padding "same" or "valid"."""
    return -(-length // stride) if same else max(length - kernel_size, 0) // stride + 1


def margins(length: int, kernel_size: int, stride: int, *, same: bool = False) -> tuple[int, int]:
    """Return the numbers of zeros to pad on both sides; "valid" inputs are padded to the length of the kernel."""
    needed = (convolved(length, kernel_size, stride, same=same) - 1) * stride + kernel_size
    missing = max(needed - length, 0)
    return missing // 2, missing - missing // 2


def as_images(x: Tensor) -> Tensor:
    """Return spectra (n, n_channels, n_pixels) or images (n, channels, height, width) as channels-last images."""
    # Cloned, because both layouts of a single channel are the same and torch would assume channels first.
    return (x.unsqueeze(2) if x.ndim == 3 else x).clone(memory_format=torch.channels_last)


def flatten(x: Tensor) -> Tensor:
    """Flatten images to rows (n, channels · height · width), in the order of channels-first images."""
    return _Flatten.apply(x)


class _Flatten(torch.autograd.Function):
    """Flatten, with a gradient in the layout of x: in another, the backward pass of ReLU is forty times slower."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        last = x.is_contiguous(memory_format=torch.channels_last)
        ctx.layout = torch.channels_last if last else torch.contiguous_format
        return x.flatten(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad.view(ctx.shape).to(memory_format=ctx.layout)


class Dropout(nn.Dropout):
    """Dropout with uniform random numbers, which CPUs draw four times as fast as Bernoulli ones.

    They are drawn from ``generator``, or from torch's global generator if that is None.
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """In training, set a fraction `p` of the values to 0 and divide the others by 1 - p."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, device=x.device, generator=self.generator) >= self.p
        return x * kept.to(x.dtype).div_(max(1 - self.p, 1e-6))


class BernoulliDropout(nn.Dropout):
    """Dropout as in torch, with random numbers from ``generator``, or from torch's global generator if that is None."""

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """In training, set a fraction `p` of the values to 0 and divide the others by 1 - p."""
        if not self.training or self.p == 0 or self.generator is None:
            return super().forward(x)
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept.div_(max(1 - self.p, 1e-6))


class Convolution(nn.Conv2d):
    """Convolution of images (`n_dims` = 2), or of spectra as images of height 1 (`n_dims` = 1).

    The weight has the usual shape: (n_out, n_in, kernel_size) in one dimension, (n_out, n_in, kernel_size, kernel_size)
    in two. `kernel_size`, `stride` and `padding` are in pixels along each dimension.
    """

    kernel_size: tuple[int, int]

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel_size: int,
        *,
        n_dims: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        pad = (0 if n_dims == 1 else padding, padding)
        super().__init__(n_in, n_out, window(kernel_size, n_dims), window(stride, n_dims), pad, bias=bias)
        if n_dims == 1:
            self.weight = nn.Parameter(self.weight.detach().squeeze(2))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve images of shape (n, n_in, height, width)."""
        return self.convolve(x, self.weight, self.bias)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with other weights, of the same shape or flattened for each output channel."""
        weight = weight.view(self.out_channels, self.in_channels, *self.kernel_size)
        padding: Any = self.padding
        if any(size < kernel for size, kernel in zip(x.shape[2:], self.kernel_size, strict=True)):
            # oneDNN leaves gradients of weights that meet no pixel but padding undefined: pad such images here.
            down, across = padding
            x, padding = functional.pad(x, (across, across, down, down)), 0
        return functional.conv2d(x, weight, bias, self.stride, padding)


def convolve_and_normalize(x: Tensor, convolution: Convolution, norm: nn.BatchNorm2d) -> Tensor:
    """Apply a convolution without bias and batch normalisation; in evaluation mode, as a single convolution."""
    if norm.training:
        return norm(convolution(x))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    weight = convolution.weight.flatten(1) * gain[:, None]
    return convolution.convolve(x, weight, norm.bias - gain * norm.running_mean)


class PerceptronNetwork(nn.Module, ABC):
    """A network that ends in a perceptron; subclasses define `features`.

    Each hidden layer and the output layer is linear, after dropout; hidden layers are followed by ReLU.
    """

    def add_perceptron(self, n_features: int, hidden: Sequence[int], n_outputs: int, dropout: float) -> None:
        """Make the layers."""
        widths = [n_features, *hidden]
        self.hidden = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise(widths))
        self.dropout = Dropout(dropout)
        self.final_layer = nn.Linear(widths[-1], n_outputs)

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return the activations before the last layer."""

    def apply_hidden(self, x: Tensor) -> Tensor:
        """Apply the hidden layers to rows (n, n_features)."""
        for layer in self.hidden:
            x = torch.relu(layer(self.dropout(x)))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, shape (n, n_outputs); `x` as in `features`."""
        return self.final_layer(self.dropout(self.features(x)))
