"""Layers in one and two dimensions: the one place where spectra and images differ.

A network for both is written for images, and a spectrum enters it as an image of height 1. Everything that
extends over pixels extends over `window` of them: along a spectrum, or along both sides of an image.

Activations are held channels-last. Convolutions are matrix products in that layout, so it is the quicker one
on processors and on GPUs, as long as no operation on the way leaves it: a layout lost in a gradient costs more
than was gained. That is why spectra stay images of height 1 all the way.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


def input_shape(
    n_channels: int, n_pixels: int | None, image_shape: Sequence[int] | None
) -> tuple[int, int, Sequence[int]]:
    """Shape of what a network takes.

    Parameters
    ----------
    n_channels, n_pixels : int
        Shape of a spectrum; `n_pixels` is None for images.
    image_shape : sequence of 3 int
        Channels, height and width of an image; None for spectra.

    Returns
    -------
    n_dims : int
        1 for spectra, 2 for images.
    n_channels : int
        Channels of the input.
    size : sequence of 2 int
        Height and width; the height of a spectrum is 1.

    Raises
    ------
    ValueError
        If not exactly one of `n_pixels` and `image_shape` is given, or that is no shape of an image.
    """
    if image_shape is None and n_pixels is not None:
        return 1, n_channels, (1, n_pixels)
    if image_shape is None or n_pixels is not None:
        raise ValueError(
            "either n_pixels (for spectra) or image_shape (for images) is needed, "
            f"got n_pixels={n_pixels} and image_shape={image_shape}"
        )
    if len(image_shape) != 3:
        raise ValueError(f"image_shape must be (channels, height, width), got {tuple(image_shape)}")
    n_channels, height, width = image_shape
    return 2, n_channels, (height, width)


def window(size: int, n_dims: int) -> tuple[int, int]:
    """Height and width of `size` pixels: (1, size) along a spectrum, (size, size) on an image."""
    return (1, size) if n_dims == 1 else (size, size)


def for_each(value: int | Sequence[int], n: int, name: str) -> list[int]:
    """One value for each of `n` convolutions, from one for all or a sequence of them.

    Raises
    ------
    ValueError
        If the sequence, the parameter `name`, has another length.
    """
    values = [int(v) for v in value] if isinstance(value, Iterable) else [int(value)] * n
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} values for {n} filters; give one for each")
    return values


def as_images(x: Tensor) -> Tensor:
    """Spectra (n, n_channels, n_pixels) or images (n, channels, height, width) as images, channels last."""
    # cloned, because a single channel is held the same way in both layouts, and torch would take it for the other
    return (x.unsqueeze(2) if x.ndim == 3 else x).clone(memory_format=torch.channels_last)


def flatten(x: Tensor) -> Tensor:
    """Images as rows (n, channels · height · width), ordered as if channels came first."""
    return _Flatten.apply(x)


class _Flatten(torch.autograd.Function):
    """Flatten; the gradient comes back in the layout of x, without which that of ReLU is forty times slower."""

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
    """Dropout by uniform random numbers, which processors draw four times as fast as Bernoulli ones."""

    def forward(self, x: Tensor) -> Tensor:
        """Set a fraction `p` of the values to 0 and divide the others by 1 - p, in training only."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, device=x.device) >= self.p
        return x * kept.to(x.dtype).div_(max(1 - self.p, 1e-6))


class Convolution(nn.Conv2d):
    """Convolution of images, or of spectra held as images of height 1.

    The weight has the usual shape: (n_out, n_in, kernel_size) in one dimension, (n_out, n_in, kernel_size,
    kernel_size) in two.

    Parameters
    ----------
    n_in, n_out : int
        Channels before and after.
    kernel_size, stride, padding : int
        In pixels, along each dimension.
    n_dims : {1, 2}
        Whether spectra or images are convolved.
    bias : bool, default=True
        Whether a constant is added to each channel.
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
        margins = (0 if n_dims == 1 else padding, padding)
        super().__init__(n_in, n_out, window(kernel_size, n_dims), window(stride, n_dims), margins, bias=bias)
        if n_dims == 1:
            self.weight = nn.Parameter(self.weight.detach().squeeze(2))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve images of shape (n, n_in, height, width)."""
        return self.convolve(x, self.weight, self.bias)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with weights other than the layer's own, of the same shape or flat for each output channel."""
        weight = weight.view(self.out_channels, self.in_channels, *self.kernel_size)
        return functional.conv2d(x, weight, bias, self.stride, self.padding)


def convolve_and_normalize(x: Tensor, convolution: Convolution, norm: nn.BatchNorm2d) -> Tensor:
    """Take a convolution without bias, then batch normalisation.

    Outside training both are linear maps with constant coefficients, and therefore one convolution.
    """
    if norm.training:
        return norm(convolution(x))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    weight = convolution.weight.flatten(1) * gain[:, None]
    return convolution.convolve(x, weight, norm.bias - gain * norm.running_mean)
