"""Indices and coordinates of class labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.mk import mk_coordinates

Coordinates = Mapping[Any, Any] | Callable[[Any], Any]


def to_python(label: Any) -> Any:
    """Return a NumPy scalar as the Python object that it holds; anything else unchanged."""
    return label.item() if isinstance(label, np.generic) else label


def index_classes(name: str, classes: Sequence[Any], seen: Iterable[Any], *, source: str) -> dict[Any, int]:
    """Return the index of each class; raise ValueError for duplicates, and if a label in `seen` is missing.

    In error messages, `name` is the parameter with the classes, and `source` the origin of the labels.
    """
    index = {label: k for k, label in enumerate(classes)}
    if len(index) < len(classes):
        raise ValueError(f"{name} has duplicate labels: {classes}")
    missing = [label for label in seen if label not in index]
    if missing:
        raise ValueError(f"{name} lacks labels found in {source}: {missing}")
    return index


def coordinates_of(classes: Sequence[Any], coordinates: Coordinates | None = None) -> NDArray[np.float64]:
    """Return the coordinates of classes, shape (n_classes, n_axes); ValueError if a class has none.

    None means the indices of temperature and luminosity class of joint MK classes.
    """
    array = np.array([_coordinates_of_one(label, coordinates) for label in classes], dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def _coordinates_of_one(label: Any, coordinates: Coordinates | None) -> Any:
    if coordinates is None:
        try:
            return mk_coordinates(label, luminosity_scale=1.0)
        except ValueError:
            raise ValueError(
                f"the label {label!r} is not a joint MK class (temperature and luminosity class) such as 'GV'; for other "
                "labels, pass coordinates"
            ) from None
    if not isinstance(coordinates, Mapping):
        return coordinates(label)
    if label not in coordinates:
        raise ValueError(f"coordinates has no entry for the class {label!r}")
    return coordinates[label]
