"""Basis functions of one variable, and their expansion as a layer of `ConvKAN`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_CACHED = 2**17  # values; a few arrays of this size fit in the cache of a CPU


class Basis(nn.Module, ABC):
    """A family of `n_bases` functions.

    `values` and `slopes` yield one function after the other; a tensor may be overwritten by the next one.
    """

    minimum: ClassVar[int]

    def __init__(self, n_bases: int) -> None:
        super().__init__()
        if n_bases < self.minimum:
            raise ValueError(f"n_bases must be at least {self.minimum} for this basis, got {n_bases}")
        self.n_bases = n_bases

    @abstractmethod
    def values(self, x: Tensor) -> Iterator[Tensor]:
        """Evaluate each function at x."""

    @abstractmethod
    def slopes(self, x: Tensor) -> Iterator[Tensor]:
        """Evaluate the derivative of each function at x."""


class BSpline(Basis):
    """Cubic B-splines on uniform knots, the inner ones of which divide [-1, 1] into ``n_bases - 3`` intervals.

    At a distance of a knot spacings from its centre, each is ((2 - a)₊³ - 4 (1 - a)₊³) / 6. Four of them are nonzero at
    each point of [-1, 1], and none beyond the outermost knots.
    """

    minimum = 4
    knots: Tensor

    def __init__(self, n_bases: int) -> None:
        super().__init__(n_bases)
        reach = 1 + 6 / (n_bases - 3)
        self.register_buffer("knots", torch.linspace(-reach, reach, n_bases + 4))

    def values(self, x: Tensor) -> Iterator[Tensor]:
        for _, outer, inner in self._distances(x):
            yield outer.pow_(3).sub_(inner.pow_(3), alpha=4).div_(-6)

    def slopes(self, x: Tensor) -> Iterator[Tensor]:
        factor = -0.5 / self._spacing()
        for offset, outer, inner in self._distances(x):
            yield outer.square_().sub_(inner.square_(), alpha=4).mul_(offset.sign_()).mul_(factor)

    def _spacing(self) -> Tensor:
        return (self.knots[-1] - self.knots[0]) / (len(self.knots) - 1)

    def _distances(self, x: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield for each spline x - centre, -(2 - a)₊ and -(1 - a)₊ with a = |x - centre|, all in knot spacings."""
        spacing = self._spacing()
        x = x / spacing
        offset, outer, inner = torch.empty_like(x), torch.empty_like(x), torch.empty_like(x)
        for centre in self.knots[2:-2] / spacing:
            torch.sub(x, centre, out=offset)
            torch.abs(offset, out=outer)
            torch.clamp(outer, max=1, out=inner).sub_(1)
            outer.clamp_(max=2).sub_(2)
            yield offset, outer, inner


class Chebyshev(Basis):
    """Chebyshev polynomials of degree 0 to ``n_bases - 1`` of tanh x."""

    minimum = 2

    def values(self, x: Tensor) -> Iterator[Tensor]:
        u = x.tanh()
        previous, value = torch.ones_like(u), u
        yield previous
        for _ in range(1, self.n_bases):
            yield value
            previous, value = value, 2 * u * value - previous

    def slopes(self, x: Tensor) -> Iterator[Tensor]:
        u = x.tanh()
        slope_of_u = 1 - u.square()
        previous, value = torch.zeros_like(u), torch.ones_like(u)  # polynomials of the second kind
        yield previous
        for degree in range(1, self.n_bases):
            yield value * slope_of_u * degree
            previous, value = value, 2 * u * value - previous


class Radial(Basis):
    """Gaussians exp(-((x - c) / w)²) with centres c from -2 to 2, spaced by w."""

    minimum = 2
    centres: Tensor

    def __init__(self, n_bases: int) -> None:
        super().__init__(n_bases)
        self.register_buffer("centres", torch.linspace(-2, 2, n_bases))

    def values(self, x: Tensor) -> Iterator[Tensor]:
        for distance in self._distances(x):
            yield distance.square_().neg_().exp_()

    def slopes(self, x: Tensor) -> Iterator[Tensor]:
        factor = -2 / self._width()
        for distance in self._distances(x):
            yield distance.square().neg_().exp_().mul_(distance).mul_(factor)

    def _width(self) -> Tensor:
        return self.centres[1] - self.centres[0]

    def _distances(self, x: Tensor) -> Iterator[Tensor]:
        for centre in self.centres:
            yield (x - centre) / self._width()


BASES: dict[str, type[Basis]] = {"bspline": BSpline, "chebyshev": Chebyshev, "radial": Radial}


class Expansion(torch.autograd.Function):
    """GELU and basis functions of each value, as channels.

    ``Expansion.apply(x, basis)`` maps (n, n_channels, 1, length) to (n, (1 + n_bases) · n_channels, 1, length): first the
    GELU of all channels, then the first basis function of all channels, and so on. Only x is saved for the backward pass,
    which evaluates the slopes.

    Under autocast to half precision the functions are evaluated in float32. The memory layout of the result is the
    fastest to convolve: channels last, except for float32 that requires a gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, basis: Basis) -> Tensor:
        n, n_channels, _, length = x.shape
        n_parts, dtype = 1 + basis.n_bases, x.dtype
        device = x.device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        if dtype.itemsize < 4 or not ctx.needs_input_grad[0]:
            x = x.float() if dtype.itemsize < 4 else x
            out = x.new_empty((n, 1, length, n_parts, n_channels), dtype=dtype).permute(0, 3, 4, 1, 2)
        else:
            out = x.new_empty((n, n_parts, n_channels, 1, length))
        rows = _rows_at_once(x)
        for chunk, parts in zip(x.split(rows), out.split(rows), strict=True):
            parts[:, 0] = functional.gelu(chunk)
            for part, value in zip(parts.unbind(1)[1:], basis.values(chunk), strict=True):
                part.copy_(value)
        ctx.save_for_backward(x)
        ctx.basis = basis
        return out.flatten(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        grad = grad.unflatten(1, (-1, x.shape[1]))
        result = torch.ops.aten.gelu_backward(grad[:, 0].to(x.dtype), x)
        rows = _rows_at_once(x)
        for chunk, parts, sums in zip(x.split(rows), grad.split(rows), result.split(rows), strict=True):
            for part, slope in zip(parts.unbind(1)[1:], ctx.basis.slopes(chunk), strict=True):
                sums.addcmul_(part, slope)
        return result, None


def _rows_at_once(x: Tensor) -> int:
    """Return the number of rows to process at once: as many as fit in the cache on a CPU, all on other devices."""
    return max(1, _CACHED // math.prod(x.shape[1:]) if x.device.type == "cpu" else len(x))
