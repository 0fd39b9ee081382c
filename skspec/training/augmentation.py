"""Spectra and images as they might have been observed as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from skspec.training.network import InputShape

_LIGHT_SPEED = 299_792.458  # km/s
Transform = Callable[[Tensor], Tensor]


class Augmentation:
    """Random changes of a batch, drawn for each row from torch's global generator.

    Parameters
    ----------
    shape : InputShape
        How a row folds into channels and pixels; scalars beside them are left alone.
    transforms : sequence of callable
        Each takes and gives spectra or images of shape (n, channels, ...), NaN where pixels are missing.
    """

    def __init__(self, shape: InputShape, transforms: Sequence[Transform]) -> None:
        self.shape = shape
        self.transforms = list(transforms)

    def __call__(self, rows: Tensor) -> Tensor:
        """Change copies of rows of X."""
        x, scalars = self.shape.unfold(rows)
        for transform in self.transforms:
            x = transform(x)
        return self.shape.fold(x, scalars)


class Noise:
    """Add Gaussian noise, whose σ is drawn for each spectrum.

    Parameters
    ----------
    sigma : (float, float) or None
        Range of σ, uniform, in the units of the flux; None takes σ of each pixel from its inverse variance, times a
        number between 0 and 1 that is drawn for the spectrum.
    ivar_channel : int or None
        The channel that holds log10 of the inverse variance, which noise makes smaller; all others get noise.
    """

    def __init__(self, sigma: tuple[float, float] | None, ivar_channel: int | None) -> None:
        self.sigma = sigma
        self.ivar_channel = ivar_channel

    def __call__(self, x: Tensor) -> Tensor:
        """Add noise."""
        uniform = torch.rand((len(x),) + (1,) * (x.ndim - 1), device=x.device)
        if self.sigma is not None:
            low, high = self.sigma
            sigma = low + (high - low) * uniform
        if self.ivar_channel is None:
            return x + sigma * torch.randn_like(x)
        log_ivar = x[:, self.ivar_channel, None]
        if self.sigma is None:
            sigma = uniform * 10.0 ** (-0.5 * log_ivar)
        out = x + sigma * torch.randn_like(x)
        out[:, self.ivar_channel] = -torch.log10(10.0**-log_ivar + sigma**2)[:, 0]
        return out


class Shift:
    """Move each spectrum by a whole number of pixels; what is moved in is the pixel at its end.

    Parameters
    ----------
    largest : int
        Shifts are drawn from ``-largest`` to ``largest``.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest

    def __call__(self, x: Tensor) -> Tensor:
        """Shift each spectrum."""
        return shifted(x, torch.randint(-self.largest, self.largest + 1, (len(x),), device=x.device))


class VelocityShift:
    """Move each spectrum in velocity, by linear interpolation in wavelength.

    Parameters
    ----------
    wave : Tensor of shape (n_pixels,)
        Wavelengths, in float64.
    largest : float
        Velocities are drawn from ``-largest`` to ``largest``, in km/s.
    """

    def __init__(self, wave: Tensor, largest: float) -> None:
        self.wave = wave
        self.largest = largest

    def __call__(self, x: Tensor) -> Tensor:
        """Shift each spectrum; flux of a receding source (positive velocity) moves to the red."""
        self.wave = self.wave.to(x.device)
        velocity = (2.0 * torch.rand(len(x), 1, device=x.device, dtype=torch.float64) - 1.0) * self.largest
        source = self.wave / (1.0 + velocity / _LIGHT_SPEED)
        right = torch.searchsorted(self.wave, source).clamp(1, len(self.wave) - 1)
        left = right - 1
        fraction = (source - self.wave[left]) / (self.wave[right] - self.wave[left])
        fraction = fraction.clamp(0.0, 1.0).to(x.dtype)[:, None]
        low, high = (x.gather(2, index[:, None].expand_as(x)) for index in (left, right))
        return torch.lerp(low, high, fraction)


class Tilt:
    """Multiply each spectrum by a straight line, from 1 - a at one end to 1 + a at the other.

    Parameters
    ----------
    largest : float
        The a of a spectrum is drawn from ``-largest`` to ``largest``.
    ivar_channel : int or None
        The channel that holds log10 of the inverse variance, which changes as that of scaled flux does.
    """

    def __init__(self, largest: float, ivar_channel: int | None) -> None:
        self.largest = largest
        self.ivar_channel = ivar_channel

    def __call__(self, x: Tensor) -> Tensor:
        """Tilt each spectrum."""
        slope = (2.0 * torch.rand(len(x), 1, 1, device=x.device) - 1.0) * self.largest
        line = 1.0 + slope * torch.linspace(-1.0, 1.0, x.shape[2], device=x.device)
        out = x * line
        if self.ivar_channel is not None:
            out[:, self.ivar_channel] = x[:, self.ivar_channel] - 2.0 * torch.log10(line[:, 0])
        return out


class Mask:
    """Make a stretch of each spectrum missing, at a random place.

    Parameters
    ----------
    largest : float
        The stretch is up to this fraction of the spectrum.
    """

    def __init__(self, largest: float) -> None:
        self.largest = largest

    def __call__(self, x: Tensor) -> Tensor:
        """Make a gap in each spectrum."""
        n_pixels = x.shape[2]
        width, place = torch.rand(2, len(x), 1, 1, device=x.device)
        width = (width * (self.largest * n_pixels + 1.0)).floor()
        start = (place * (n_pixels - width + 1.0)).floor()
        pixel = torch.arange(n_pixels, device=x.device)
        return x.masked_fill((pixel >= start) & (pixel < start + width), math.nan)


class Flips:
    """Turn and mirror each image: one of its eight views, or of four if it is not square."""

    def __call__(self, x: Tensor) -> Tensor:
        """Turn each image."""
        views = n_views(x)
        view = torch.randint(views, (len(x),), device=x.device)
        out = torch.empty_like(x)
        for k in range(views):
            out[view == k] = turned(x[view == k], k)
        return out


# Views of a batch, for prediction ---------------------------------------------------------------------


def shift_weights(shifts: int | Mapping[int, float]) -> dict[int, float]:
    """Weights of shifted copies of a spectrum, from the parameter ``tta_shifts``.

    A number k stands for the shifts -k … k with the weights exp(-u²), u = 3 shift / (k + 1/2).
    """
    if isinstance(shifts, Mapping):
        return {int(shift): float(weight) for shift, weight in shifts.items() if weight}
    return {s: math.exp(-((3.0 * s / (shifts + 0.5)) ** 2)) for s in range(-shifts, shifts + 1)}


def shifted(x: Tensor, shift: Tensor | int) -> Tensor:
    """Spectra moved by whole pixels to the red, one shift for all or one for each; ends are held."""
    pixel = torch.arange(x.shape[2], device=x.device)
    if isinstance(shift, int):
        return x[..., (pixel - shift).clamp(0, x.shape[2] - 1)]
    source = (pixel - shift[:, None]).clamp(0, x.shape[2] - 1)
    return x.gather(2, source[:, None].expand_as(x))


def n_views(x: Tensor) -> int:
    """How many of the eight views of an image have its shape."""
    return 8 if x.shape[-1] == x.shape[-2] else 4


def turned(x: Tensor, view: int) -> Tensor:
    """View of images: odd ones are mirrored, and each pair is turned by 90 (oblong ones: 180) degrees more."""
    quarter_turns = view // 2 if n_views(x) == 8 else 2 * (view // 2)
    x = torch.rot90(x, quarter_turns, (-2, -1))
    return x.flip(-1) if view % 2 else x
