"""Base classes of estimators by input, spectra or images: shape of the rows of X and test-time augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import isqrt, prod
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch

from skspec.checks import BOOLEAN, COUNT, Constraints, Interval
from skspec.training.augmentation import n_views, shift_weights, shifted, turned
from skspec.training.classifier import NeuralClassifier
from skspec.training.estimator import NeuralEstimator
from skspec.training.network import InputShape
from skspec.training.prediction import View

_MAX_SHIFT = 1000  # pixels; the network is applied once for each shift
_MAX_WEIGHT = 1e30  # of a shift; sums of weights are in float32


class SpectrumInput(NeuralEstimator):
    """Base class of the neural estimators of spectra.

    Other Parameters
    ----------------
    — Input —
    n_channels : int
        Number of channels, side by side in a row of X (flux | ivar): n_features = n_channels * n_pixels.
    ivar_channel : int or None
        Channel of the inverse variance, counted from 0. The input of the network is its logarithm; a pixel with inverse
        variance 0 or NaN is missing in all channels, and augmentation updates the channel. With `Spectra`, set
        ``n_channels=2, ivar_channel=1`` to use their ``ivar``.

    Attributes
    ----------
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, if X was `Spectra`; predictions then require the same grid, to 1e-6 relative.

    Notes
    -----
    Spectra differ in brightness: normalise them first, for example with `FluxNormalizer`.
    """

    n_channels: int = 1
    ivar_channel: int | None = None

    _parameter_constraints: ClassVar[Constraints] = {
        "n_channels": [COUNT],
        "ivar_channel": [Interval(Integral, 0, None), None],
    }

    @property
    def _input_kind(self) -> str:
        return "spectra"

    def _check_params(self) -> None:
        super()._check_params()
        if self.ivar_channel is not None:
            Interval(Integral, 0, self.n_channels - 1).check("ivar_channel", self.ivar_channel)

    def _input_shape(self, n_features: int) -> InputShape:
        if n_features % self.n_channels:
            raise ValueError(f"n_channels must divide the {n_features} features of X, got {self.n_channels}")
        return InputShape((self.n_channels, n_features // self.n_channels), ivar_channel=self.ivar_channel)


class Shifts:
    """Constraint: a number of pixels, or the weight of each shift."""

    def check(self, name: str, value: Any) -> None:
        """Raise unless `value` is such a number or mapping."""
        if not isinstance(value, Mapping):
            Interval(Integral, 0, _MAX_SHIFT).check(name, value)
        elif len(value) > 2 * _MAX_SHIFT + 1:
            raise ValueError(f"{name} can have up to {2 * _MAX_SHIFT + 1} shifts, got {len(value)}")
        else:
            for shift, weight in value.items():
                Interval(Integral, -_MAX_SHIFT, _MAX_SHIFT).check(f"shift in {name}", shift)
                Interval(Real, high=_MAX_WEIGHT).check(f"weight in {name}", weight)
            if min(value.values(), default=0) < 0 or not sum(value.values()) > 1 / _MAX_WEIGHT:
                raise ValueError(
                    f"{name} must have weights that are not negative and not all 0, got {value!r}"
                )


class ShiftAveraging(NeuralClassifier):
    """Base class of the neural classifiers that average over shifted copies of a spectrum.

    Other Parameters
    ----------------
    — Input —
    tta_shifts : int or mapping of int to float
        Test-time augmentation: logits are averaged over copies of each spectrum shifted by whole pixels. A number k
        stands for the shifts -k … k with Gaussian weights; a mapping gives the weight of each shift.
    """

    tta_shifts: int | Mapping[int, float] = 0

    _parameter_constraints: ClassVar[Constraints] = {"tta_shifts": [Shifts()]}

    def _views(self) -> list[View]:
        if not self.tta_shifts:
            return []
        return [(w, partial(shifted, shift=s)) for s, w in shift_weights(self.tta_shifts).items()]


class SpectrumClassifier(SpectrumInput, ShiftAveraging):
    """Base class of the neural classifiers of spectra."""


class ImageShape:
    """Constraint: the shape of an image, with -1 for sizes that are inferred from X."""

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError unless `value` is such a shape."""
        sizes = list(value) if isinstance(value, tuple | list | np.ndarray) else []
        if len(sizes) != 3 or not all(isinstance(n, Integral) and (n == -1 or int(n) > 0) for n in sizes):
            raise ValueError(
                f"{name} must be (channels, height, width), each a positive integer or -1 to infer it from X, "
                f"got {value!r}"
            )
        if (sizes.count(-1) > 1 and sizes[1:] != [-1, -1]) or sizes.count(-1) == 3:
            raise ValueError(f"{name} can have -1 once, or for both sides of square images, got {value!r}")


class ImageClassifier(NeuralClassifier):
    """Base class of the neural classifiers of images.

    Other Parameters
    ----------------
    — Input —
    image_shape : (int, int, int)
        Channels, height and width of the images; rows of X are flattened images, one channel after the other. -1 is
        inferred from the number of columns, as in `numpy.reshape`; if both sides are -1, images are square.
    tta_flips : bool
        Test-time augmentation: whether logits are averaged over the eight views of an image under rotations and
        reflections (four if it is not square).
    """

    image_shape: tuple[int, int, int] = (3, -1, -1)
    tta_flips: bool = False

    _parameter_constraints: ClassVar[Constraints] = {"image_shape": [ImageShape()], "tta_flips": [BOOLEAN]}

    @property
    def _input_kind(self) -> str:
        return "images"

    def _input_shape(self, n_features: int) -> InputShape:
        return InputShape(_resolved(tuple(self.image_shape), n_features))

    def _views(self) -> list[View]:
        if not self.tta_flips:
            return []
        image = torch.empty(self._input_shape(self.n_features_in_).channels, device="meta")
        return [(1.0, partial(turned, view=view)) for view in range(n_views(image))]


def _resolved(image_shape: tuple[int, ...], n_features: int) -> tuple[int, ...]:
    """Return the shape of an image with -1 replaced by the inferred size."""
    unknown = image_shape.count(-1)
    known = prod(size for size in image_shape if size != -1)
    value = n_features // known
    if unknown == 2:
        value = isqrt(value)
    shape = tuple(value if size == -1 else int(size) for size in image_shape)
    if prod(shape) != n_features:
        square = " of square images" if unknown == 2 else ""
        raise ValueError(f"image_shape={image_shape}{square} does not fit the {n_features} features of X")
    return shape
