"""`ConvKAN`, a convolutional Kolmogorov-Arnold network."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from skspec.networks._bases import BASES, Basis, Expansion
from skspec.networks._layers import BernoulliDropout, for_each

_SHORT = 8  # pixels; fewer are not normalised, because little but their signs would remain
_EPSILON = 1e-5  # added to variances, as in torch


class ConvKAN(nn.Module):
    """A stack of convolutions in which each weight is a learned function of its input pixel.

    ============  ===========================================  ===============================
    layer         operation                                    output shape
    ============  ===========================================  ===============================
    input         tanh(``input_scale`` · x)                    (n, n_channels, n_pixels)
    layer i       GELU and ``n_bases`` basis functions of      (n, filters[i], length_i)
                  each value; convolution of them all (kernel
                  ``kernel_size``, stride ``strides[i]``,
                  padded by ``kernel_size // 2``, no bias) to
                  ``filters[i]`` channels; each channel of
                  each spectrum normalised over its pixels;
                  PReLU
    head          mean over pixels                             (n, filters[-1])
    final_layer   dropout, linear                              (n, n_outputs)
    ============  ===========================================  ===============================

    Parameters
    ----------
    n_pixels : int
        Pixels of a spectrum.
    n_outputs : int
        Number of logits, one per class.
    n_channels : int, default=1
        Values per pixel (flux; flux and inverse variance; ...).
    filters, kernel_size, strides, n_bases, dropout
        As in `skspec.ConvKANClassifier`. Eight cubic B-splines correspond to a grid of five intervals.
    basis : {"bspline", "chebyshev", "radial"}, default="bspline"
        Basis functions: cubic B-splines on a uniform grid over [-1, 1], as published; Chebyshev polynomials of degree 0
        to ``n_bases - 1`` of tanh x [3]_; or Gaussians with centres from -2 to 2 and a width equal to their spacing [4]_.
    input_scale : float or None, default=0.5
        Scale of the tanh that maps the input to the range of the splines: 0.5 maps values within two standard deviations
        of standardised spectra to ±0.76. None does not transform the input, as published.

    Raises
    ------
    ValueError
        If `basis` is unknown, `n_bases` is too small for it, or the lengths of `filters` and `strides` differ.

    Notes
    -----
    B-splines are 0 beyond their outermost knots (±2.2 for eight of them), so unscaled input, such as the ratio of a
    spectrum to its continuum, may produce little or no response.

    The basis functions are evaluated in closed form, one after the other, and written to the input of the convolution,
    which is the only large array; their slopes are evaluated in the backward pass. The weights of the convolution are
    stored basis by basis (all channels of the first, then of the second, ...), in the published code channel by channel.

    Spectra can have any number of pixels. Fewer than 8 pixels after a layer are not normalised: the published layer
    raises an error for one pixel, and turns any two into ±1.

    The network for joint MK classification of 2305 pixels into 39 classes [5]_ has ``filters=(64, 128, 256, 512),
    strides=(1, 2, 2, 1), input_scale=None`` and 4,666,603 parameters.

    References
    ----------
    .. [1] A. D. Bodner, A. S. Tepsich, J. N. Spolski, S. Pourteau, "Convolutional Kolmogorov-Arnold networks"
       (2024), https://arxiv.org/abs/2406.13155
    .. [2] I. Drokin, "Kolmogorov-Arnold convolutions: design principles and empirical studies" (2024),
       https://arxiv.org/abs/2407.01092
    .. [3] S. S. Sidharth, A. R. Keerthana, R. Gokul, K. P. Anas, "Chebyshev polynomial-based Kolmogorov-Arnold
       networks" (2024), https://arxiv.org/abs/2405.07200
    .. [4] Z. Li, "Kolmogorov-Arnold networks are radial basis function networks" (2024),
       https://arxiv.org/abs/2405.06721
    .. [5] https://github.com/volgasezen/StellarClassification
    """

    def __init__(
        self,
        n_pixels: int,
        n_outputs: int,
        *,
        n_channels: int = 1,
        filters: Sequence[int] = (16, 32, 64),
        kernel_size: int = 3,
        strides: int | Sequence[int] = 2,
        basis: str = "bspline",
        n_bases: int = 8,
        input_scale: float | None = 0.5,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if basis not in BASES:
            raise ValueError(f"basis must be one of {', '.join(BASES)}, got {basis!r}")
        self.input_scale = input_scale
        widths = [n_channels, *filters]
        steps = for_each(strides, len(filters), "strides")
        self.layers = nn.Sequential(
            *(
                _KANConv(n_in, n_out, kernel_size, stride, BASES[basis](n_bases))
                for (n_in, n_out), stride in zip(pairwise(widths), steps, strict=True)
            )
        )
        self.dropout = BernoulliDropout(dropout)
        self.final_layer = nn.Linear(widths[-1], n_outputs)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations before the last layer, shape (n, filters[-1]); `x` is (n, n_channels, n_pixels)."""
        if self.input_scale is not None:
            x = torch.tanh(self.input_scale * x)
        return self.layers(x.unsqueeze(2)).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, shape (n, n_outputs); `x` as in `features`."""
        return self.final_layer(self.dropout(self.features(x)))


class _KANConv(nn.Module):
    """One layer, from (n, n_in, 1, length) to (n, n_out, 1, length_out)."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int, stride: int, basis: Basis) -> None:
        super().__init__()
        self.base = nn.Conv1d(n_in, n_out, kernel_size, bias=False)
        self.spline = nn.Conv1d(n_in * basis.n_bases, n_out, kernel_size, bias=False)
        for convolution in (self.base, self.spline):
            nn.init.kaiming_uniform_(convolution.weight, nonlinearity="linear")
        self.basis = basis
        self.activation = nn.PReLU()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = Expansion.apply(x, self.basis)
        weight = torch.cat([self.base.weight, self.spline.weight], dim=1).unsqueeze(2)
        y = functional.conv2d(x, weight, stride=(1, self.stride), padding=(0, weight.shape[3] // 2))
        if y.shape[3] < _SHORT:
            return self.activation(y)
        return _NormalizedPReLU.apply(y, self.activation.weight)


class _NormalizedPReLU(torch.autograd.Function):
    """Instance normalisation (mean 0 and variance 1 over the pixels of each channel of each spectrum), then PReLU.

    Equivalent to `torch.nn.InstanceNorm1d` and `torch.nn.PReLU`, but in fewer passes, equally fast in channels-last
    layout, and in float32 for half precision.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, slope: Tensor) -> Tensor:
        z = y.float() if y.dtype.itemsize < 4 else y
        z = z - z.mean(dim=3, keepdim=True)
        scale = torch.rsqrt(z.square().mean(dim=3, keepdim=True) + _EPSILON)
        z.mul_(scale)
        ctx.save_for_backward(z, scale, slope)
        return torch.addcmul(z, z.clamp(max=0), slope - 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        z, scale, slope = ctx.saved_tensors
        negative = torch.lt(z, 0, out=torch.empty_like(z)).mul_(grad)  # the part scaled by the slope
        grad_z = torch.addcmul(grad, negative, slope - 1)
        grad_slope = negative.mul_(z).sum().reshape(1)
        along_z = torch.mul(grad_z, z, out=negative).mean(dim=3, keepdim=True)
        grad_z.sub_(grad_z.mean(dim=3, keepdim=True)).addcmul_(z, along_z, value=-1).mul_(scale)
        return grad_z, grad_slope
