"""Class labels as numbers: their indices and coordinates."""

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
    """Return the index of each class; raise ValueError if one is given twice, or a label that was seen is missing.

    Error messages call the parameter with the classes `name`, and the place where labels were seen `source`.
    """
    index = {label: k for k, label in enumerate(classes)}
    if len(index) < len(classes):
        raise ValueError(f"{name} has duplicate labels: {classes}")
    missing = [label for label in seen if label not in index]
    if missing:
        raise ValueError(f"{name} lacks labels found in {source}: {missing}")
    return index


def coordinates_of(classes: Sequence[Any], coordinates: Coordinates | None = None) -> NDArray[np.float64]:
    """Return the coordinates of classes, shape (n_classes, n_axes).

    None stands for the indices of temperature and luminosity class of joint MK classes.

    Raises
    ------
    ValueError
        If a class has no coordinates.
    """
    array = np.array([_coordinates_of_one(label, coordinates) for label in classes], dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def _coordinates_of_one(label: Any, coordinates: Coordinates | None) -> Any:
    if coordinates is None:
        try:
            return mk_coordinates(label, luminosity_scale=1.0)
        except ValueError:
            raise ValueError(
                f"the label {label!r} is not a joint MK class, that is a temperature and a luminosity class such as "
                "'GV'; for other labels, pass coordinates"
            ) from None
    if not isinstance(coordinates, Mapping):
        return coordinates(label)
    if label not in coordinates:
        raise ValueError(f"coordinates has no entry for the class {label!r}")
    return coordinates[label]
