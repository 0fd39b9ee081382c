"""Random augmentation of training spectra and images, and test-time augmentation."""

from __future__ import annotations

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from torch import Tensor

from skspec.checks import NON_NEGATIVE, Constraints, Interval, check_choice, check_parameters
from skspec.spectra import as_wave
from skspec.training.network import InputShape
from skspec.training.randomness import own_generator

_LIGHT_SPEED = 299_792.458  # km/s


class Augmentation(BaseEstimator, metaclass=ABCMeta):
    """Base class of augmentations, random changes of training spectra or images.

    A subclass stores its parameters in the constructor, declares their valid values in ``_parameter_constraints``, and
    changes a batch in ``__call__``, with random numbers from torch's global generator, which ``fit`` seeds and restores.
    """

    _parameter_constraints: ClassVar[Constraints] = {}
    #: Supported data: "spectra", "images" or both.
    kinds: ClassVar[tuple[str, ...]] = ("spectra",)

    @property
    def needs(self) -> tuple[str, ...]:
        """Required arguments of ``__call__``: ``"ivar_channel"``, ``"wave"``, both or none."""
        return ()

    @abstractmethod
    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Return a changed copy of a batch.

        Parameters
        ----------
        x : Tensor of shape (n, n_channels, n_pixels), or (n, channels, height, width)
            Spectra or images; NaN where pixels are missing.
        ivar_channel : int or None, default=None
            Channel of log10 of the inverse variance.
        wave : Tensor of shape (n_pixels,) or None, default=None
            Wavelengths in Å, in float64, if known.
        """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        theirs = other.get_params()
        return all(np.array_equal(value, theirs[name]) for name, value in self.get_params().items())

    __hash__ = None  # type: ignore[assignment]


class RowAugmenter:
    """Apply augmentations, in this order, to rows of X; scalars are not changed.

    `wave` are the wavelengths of `Spectra` in Å. If it is None, those of each augmentation are used.
    """

    def __init__(
        self, shape: InputShape, augmentations: Sequence[Augmentation], wave: ArrayLike | None = None
    ) -> None:
        self.shape = shape
        self.augmentations = [clone(step) for step in augmentations]
        self.waves = [
            _known_wave(step, wave, shape) if "wave" in step.needs else None for step in augmentations
        ]

    def __call__(self, rows: Tensor) -> Tensor:
        """Return changed copies of rows of X."""
        x, scalars = self.shape.unfold(rows)
        for step, wave in zip(self.augmentations, self.waves, strict=True):
            x = step(x, ivar_channel=self.shape.ivar_channel, wave=wave)
        return self.shape.fold(x, scalars)


def _known_wave(step: Augmentation, wave: ArrayLike | None, shape: InputShape) -> Tensor:
    wave = getattr(step, "wave", None) if wave is None else wave
    if wave is None:
        name = type(step).__name__
        raise ValueError(f"{name} in augment needs wavelengths: pass {name}(..., wave=...), or Spectra as X")
    wave, n_pixels = as_wave(wave), shape.channels[-1]
    if not isinstance(wave, np.ndarray) or wave.shape != (n_pixels,):
        raise ValueError(f"wave must have {n_pixels} wavelengths, one for each pixel, got {np.shape(wave)}")
    return torch.from_numpy(wave)


def named_augmentations(augment: Any) -> dict[str, Augmentation]:
    """Return the augmentations in the parameter ``augment`` by lower-case class name."""
    steps = augment if isinstance(augment, list | tuple) else ()
    return {type(step).__name__.lower(): step for step in steps if isinstance(step, Augmentation)}


def check_augmentations(estimator: Any, kind: str, ivar_channel: int | None) -> None:
    """Check the parameter ``augment`` of an estimator whose rows of X are of a `kind`, "spectra" or "images".

    TypeError if it is not a list of augmentations or None; ValueError if an augmentation does not fit the input, occurs
    twice, or has an invalid parameter.
    """
    augment = estimator.augment
    if augment is None:
        return
    if not isinstance(augment, list | tuple):
        raise TypeError(
            f"augment must be a list of augmentations, for example [Shift(2), Mask(0.1)], or None, got {augment!r}"
        )
    for number, step in enumerate(augment):
        if not isinstance(step, Augmentation):
            hint = f"; did you mean {step.__name__}(...)?" if isinstance(step, type) else ""
            raise TypeError(
                f"augment must contain augmentations, such as Noise, Shift, Tilt or Flips, got {step!r}{hint}"
            )
        name = type(step).__name__
        if kind not in step.kinds:
            raise ValueError(
                f"augment has {name}, which is for {' and '.join(step.kinds)}, but the rows of X are {kind}"
            )
        if any(type(other).__name__ == name for other in augment[:number]):
            raise ValueError(f"augment has {name} twice; each augmentation can be given once")
        try:
            check_parameters(step)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name} in augment: {error}") from None
        if "ivar_channel" in step.needs and ivar_channel is None:
            raise ValueError(f"{step!r} in augment needs ivar_channel, the channel of the inverse variance")


class _NoiseRange:
    """Constraint of `Noise`: a range of σ, or "ivar"."""

    def check(self, name: str, value: Any) -> None:
        if isinstance(value, str):
            check_choice(name, value, ("ivar",))
        elif not (np.shape(value) == (2,) and 0 <= value[0] <= value[1] < math.inf):
            raise ValueError(f"{name} must be a range (low, high) of σ or 'ivar', got {value!r}")


class Noise(Augmentation):
    """Add Gaussian noise to training spectra or images.

    Parameters
    ----------
    sigma : (float, float) or "ivar"
        Range of the standard deviation, in the units of X: one value is drawn uniformly for each spectrum. With "ivar",
        σ is that of each pixel according to the channel `ivar_channel` of the estimator, times a factor drawn uniformly
        from 0 to 1 for each spectrum. The inverse variance is reduced accordingly.

    Examples
    --------
    >>> from skspec import Conv1DClassifier, Noise, Tilt
    >>> model = Conv1DClassifier(augment=[Tilt(0.1), Noise((0.0, 0.05))])
    """

    kinds = ("spectra", "images")
    _parameter_constraints: ClassVar[Constraints] = {"sigma": [_NoiseRange()]}

    def __init__(self, sigma: tuple[float, float] | str) -> None:
        self.sigma = sigma

    @property
    def needs(self) -> tuple[str, ...]:
        """The inverse variance, if σ is taken from it."""
        return ("ivar_channel",) if isinstance(self.sigma, str) else ()

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Add noise."""
        uniform = torch.rand((len(x),) + (1,) * (x.ndim - 1), **_own(x))
        log_ivar = None if ivar_channel is None else x[:, ivar_channel, None]
        if not isinstance(self.sigma, str):
            low, high = self.sigma
            sigma = low + (high - low) * uniform
        else:
            assert log_ivar is not None  # guaranteed by `needs`
            sigma = uniform * 10.0 ** (-0.5 * log_ivar)
        out = x + sigma * torch.randn(x.shape, dtype=x.dtype, **_own(x))
        if log_ivar is not None:
            out[:, ivar_channel] = -torch.log10(10.0**-log_ivar + sigma**2)[:, 0]
        return out


class Shift(Augmentation):
    """Shift training spectra by whole pixels; the value of the end pixel fills the gap.

    Parameters
    ----------
    largest : int
        Shifts are drawn from ``-largest`` to ``largest`` pixels.
    """

    _parameter_constraints: ClassVar[Constraints] = {"largest": [Interval(Integral, 0, None)]}

    def __init__(self, largest: int) -> None:
        self.largest = largest

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Shift each spectrum."""
        return shifted(
            x,
            torch.randint(-self.largest, self.largest + 1, (len(x),), **_own(x)),
        )


class VelocityShift(Augmentation):
    """Shift training spectra in radial velocity, by linear interpolation in wavelength.

    Parameters
    ----------
    largest : float
        Velocities are drawn from ``-largest`` to ``largest``, in km/s; positive ones (receding sources) shift to the red.
    wave : array-like of shape (n_pixels,) or None, default=None
        Wavelengths in Å, needed if X is an array instead of `Spectra`.
    """

    _parameter_constraints: ClassVar[Constraints] = {"largest": [NON_NEGATIVE]}

    def __init__(self, largest: float, *, wave: ArrayLike | None = None) -> None:
        self.largest = largest
        self.wave = wave

    @property
    def needs(self) -> tuple[str, ...]:
        """The wavelengths."""
        return ("wave",)

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Shift each spectrum."""
        assert wave is not None  # guaranteed by `needs`
        wave = wave.to(x.device)
        velocity = (2.0 * torch.rand(len(x), 1, **_own(x), dtype=torch.float64) - 1.0) * self.largest
        source = wave / (1.0 + velocity / _LIGHT_SPEED)
        right = torch.searchsorted(wave, source).clamp(1, len(wave) - 1)
        left = right - 1
        fraction = (source - wave[left]) / (wave[right] - wave[left])
        fraction = fraction.clamp(0.0, 1.0).to(x.dtype)[:, None]
        low, high = (x.gather(2, index[:, None].expand_as(x)) for index in (left, right))
        return torch.lerp(low, high, fraction)


class Tilt(Augmentation):
    """Multiply training spectra by a straight line, to simulate errors of flux calibration or reddening by dust.

    Parameters
    ----------
    largest : float
        The line goes from 1 - a at the first pixel to 1 + a at the last; a is drawn from ``-largest`` to ``largest``.
        An inverse variance channel is scaled accordingly.
    """

    _parameter_constraints: ClassVar[Constraints] = {"largest": [Interval(Real, 0, 1, "left")]}

    def __init__(self, largest: float) -> None:
        self.largest = largest

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Tilt each spectrum."""
        slope = (2.0 * torch.rand(len(x), 1, 1, **_own(x)) - 1.0) * self.largest
        line = 1.0 + slope * torch.linspace(-1.0, 1.0, x.shape[2], device=x.device)
        out = x * line
        if ivar_channel is not None:
            out[:, ivar_channel] = x[:, ivar_channel] - 2.0 * torch.log10(line[:, 0])
        return out


class Mask(Augmentation):
    """Make a range of pixels of each training spectrum missing, at a random place.

    Parameters
    ----------
    largest : float
        Maximum fraction of the spectrum that is masked.
    """

    _parameter_constraints: ClassVar[Constraints] = {"largest": [Interval(Real, 0, 1, "left")]}

    def __init__(self, largest: float) -> None:
        self.largest = largest

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Mask a range of each spectrum."""
        n_pixels = x.shape[2]
        width, place = torch.rand(2, len(x), 1, 1, **_own(x))
        width = (width * (self.largest * n_pixels + 1.0)).floor()
        start = (place * (n_pixels - width + 1.0)).floor()
        pixel = torch.arange(n_pixels, device=x.device)
        return x.masked_fill((pixel >= start) & (pixel < start + width), math.nan)


class Flips(Augmentation):
    """Mirror half of the training images, left to right. Combined with `Rotations`, this gives all eight orientations."""

    kinds = ("images",)

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Mirror half of the images."""
        mirror = torch.randint(2, (len(x), 1, 1, 1), **_own(x)) == 1
        return torch.where(mirror, x.flip(-1), x)


class Rotations(Augmentation):
    """Rotate training images by 0, 90, 180 or 270 degrees; by 0 or 180 degrees if they are not square."""

    kinds = ("images",)

    def __call__(self, x: Tensor, ivar_channel: int | None = None, wave: Tensor | None = None) -> Tensor:
        """Rotate each image."""
        drawn = torch.randint(n_views(x) // 2, (len(x),), **_own(x))
        out = torch.empty_like(x)
        for turn in range(n_views(x) // 2):
            out[drawn == turn] = turned(x[drawn == turn], 2 * turn)
        return out


def _own(x: Tensor) -> dict[str, Any]:
    """Return the arguments of torch's random functions for numbers on the device of `x`, of the generator of the fit."""
    return {"device": x.device, "generator": own_generator(x.device)}


# Test-time augmentation -------------------------------------------------------------------------------


def shift_weights(shifts: int | Mapping[int, float]) -> dict[int, float]:
    """Return the weight of each shift for the parameter ``tta_shifts``.

    A number k stands for the shifts -k … k with the weights exp(-u²), u = 3 shift / (k + 1/2).
    """
    if isinstance(shifts, Mapping):
        return {int(shift): float(weight) for shift, weight in shifts.items() if weight}
    return {s: math.exp(-((3.0 * s / (shifts + 0.5)) ** 2)) for s in range(-shifts, shifts + 1)}


def shifted(x: Tensor, shift: Tensor | int) -> Tensor:
    """Shift spectra to the red by whole pixels, one number or one per spectrum; end pixels fill the gaps."""
    pixel = torch.arange(x.shape[2], device=x.device)
    if isinstance(shift, int):
        return x[..., (pixel - shift).clamp(0, x.shape[2] - 1)]
    source = (pixel - shift[:, None]).clamp(0, x.shape[2] - 1)
    return x.gather(2, source[:, None].expand_as(x))


def n_views(x: Tensor) -> int:
    """Return the number of rotations and reflections of an image that keep its shape: eight, four if not square."""
    return 8 if x.shape[-1] == x.shape[-2] else 4


def turned(x: Tensor, view: int) -> Tensor:
    """Return images in the orientation `view`: 90 (not square: 180) degrees for each pair, mirrored if it is odd."""
    quarter_turns = view // 2 if n_views(x) == 8 else 2 * (view // 2)
    x = torch.rot90(x, quarter_turns, (-2, -1))
    return x.flip(-1) if view % 2 else x
