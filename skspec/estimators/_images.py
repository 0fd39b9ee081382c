"""What classifiers of images have in common: how rows fold into images, and their eight views."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isqrt, prod
from numbers import Integral
from typing import Any

import numpy as np
import torch

from skspec.checks import check_choice
from skspec.training import NeuralClassifier
from skspec.training.augmentation import Flips, Transform, n_views, turned
from skspec.training.network import InputShape

_OF_SPECTRA = {
    "n_channels": 1,
    "ivar_channel": None,
    "wave": None,
    "augment_shift": 0,
    "augment_velocity": 0.0,
    "augment_tilt": 0.0,
    "augment_mask": 0.0,
    "tta_shifts": 0,
}
_OF_IMAGES = {"augment_flips": False, "tta_flips": False}


@dataclass(kw_only=True, eq=False, repr=False)
class ImageClassifier(NeuralClassifier):
    """Base of the neural classifiers that take images.

    Parameters
    ----------
    image_shape : (int, int, int) or None, default=(3, -1, -1)
        Channels, height and width of the images that are the rows of X. -1 stands for what follows from the width
        of X, as in `numpy.reshape`; if both sides are -1, images are square. None: rows are spectra.
    augment_flips : bool, default=False
        Whether each training image is turned and mirrored at random: into one of its eight views, or of four if it
        is not square.
    tta_flips : bool, default=False
        Test-time augmentation: logits are averaged over these views.

    Raises
    ------
    ValueError
        In fit, if `image_shape` does not fit X, or a parameter is set that has a meaning for spectra only (or, for
        spectra, for images only).
    """

    image_shape: tuple[int, int, int] | None = (3, -1, -1)
    augment_flips: bool = False
    tta_flips: bool = False

    def _check_params(self) -> None:
        super()._check_params()
        for name in _OF_IMAGES:
            check_choice(name, getattr(self, name), (True, False))
        if self.image_shape is None:
            self._refuse(_OF_IMAGES, "is for images, and needs image_shape")
        else:
            _check_image_shape(self.image_shape)
            self._refuse(_OF_SPECTRA, "is for spectra, and means nothing for images (image_shape is given)")

    def _refuse(self, names: dict[str, Any], why: str) -> None:
        """Raise ValueError if any of some parameters is not at its default."""
        for name, default in names.items():
            value = getattr(self, name)
            if value is not default and not np.array_equal(value, default):
                raise ValueError(f"{name} {why}, got {value!r}")

    def _input_shape(self, n_features: int) -> InputShape:
        if self.image_shape is None:
            return super()._input_shape(n_features)
        return InputShape(_resolved(tuple(self.image_shape), n_features))

    def _transforms(self, shape: InputShape) -> list[Transform]:
        flips: list[Transform] = [Flips()] if self.augment_flips else []
        return flips + super()._transforms(shape)

    def _views(self) -> list[tuple[float, Transform]]:
        if not self.tta_flips:
            return super()._views()
        image = torch.empty(self._input_shape(self.n_features_in_).channels, device="meta")
        return [(1.0, partial(turned, view=view)) for view in range(n_views(image))]


def size_arguments(shape: tuple[int, ...]) -> dict[str, Any]:
    """Arguments that tell a network for spectra and images the shape of its input."""
    if len(shape) == 3:
        return {"image_shape": shape}
    n_channels, n_pixels = shape
    return {"n_channels": n_channels, "n_pixels": n_pixels}


def _check_image_shape(image_shape: Any) -> None:
    sizes = list(image_shape) if isinstance(image_shape, tuple | list | np.ndarray) else []
    if len(sizes) != 3 or not all(
        isinstance(size, Integral) and (int(size) == -1 or int(size) > 0) for size in sizes
    ):
        raise ValueError(
            "image_shape must be (channels, height, width), each a positive integer or -1 for what follows from X, "
            f"got {image_shape!r}"
        )
    if (sizes.count(-1) > 1 and sizes[1:] != [-1, -1]) or sizes.count(-1) == 3:
        raise ValueError(
            f"image_shape can have -1 once, or for both sides of square images, got {image_shape!r}"
        )


def _resolved(image_shape: tuple[int, ...], n_features: int) -> tuple[int, ...]:
    """Shape of an image with its -1 replaced."""
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
