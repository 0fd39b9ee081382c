"""Joint classes of temperature and luminosity: grid, orders and coordinates."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import check_choice
from skspec.mk._parse import map_types
from skspec.mk._type import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES, MKType

_UNPUBLISHED = ("GVI", "KVI", "MIV")

_JOINT = re.compile(r"([OBAFGKM])(VI|V|IV|I{1,3})")


def mk_grid(*, order: str = "temperature", full: bool = False) -> NDArray[np.str_]:
    """Return the joint classes from OI to MVI.

    Parameters
    ----------
    order : {"temperature", "luminosity"}, default="temperature"
        Sort by temperature class first (OI, OII, ...) or by luminosity class first (OI, BI, ...), with the hottest and
        most luminous classes at the beginning.
    full : bool, default=False
        Whether to return all 42 classes. By default GVI, KVI and MIV, which do not occur in the published data set (see
        Notes), are left out.

    Returns
    -------
    ndarray of str, shape (39,) or (42,)
        Luminosity classes are I to VI without subdivisions.

    Notes
    -----
    The 39 classes and both orders are those of volgasezen/StellarClassification.

    Examples
    --------
    >>> from skspec.mk import mk_grid
    >>> mk_grid()[:7].tolist()
    ['OI', 'OII', 'OIII', 'OIV', 'OV', 'OVI', 'BI']
    >>> len(mk_grid(order="luminosity", full=True))
    42
    """
    check_choice("order", order, ("temperature", "luminosity"))
    if order == "temperature":
        names = [letter + name for letter in TEMPERATURE_CLASSES for name in LUMINOSITY_CLASSES]
    else:
        names = [letter + name for name in LUMINOSITY_CLASSES for letter in TEMPERATURE_CLASSES]
    return np.array([name for name in names if full or name not in _UNPUBLISHED])


def mk_coordinates(
    label: str, *, temperature_scale: float = 1.0, luminosity_scale: float = 1.5
) -> tuple[float, float]:
    """Return the coordinates of a joint class, for the distance-aware loss of the neural classifiers.

    Parameters
    ----------
    label : str
        Joint class such as ``"GV"``.
    temperature_scale : float, default=1.0
        Distance between adjacent temperature classes. In a squared distance, the weight of an axis is the square of its
        scale.
    luminosity_scale : float, default=1.5
        Distance between adjacent luminosity classes; the published value of 1.5 (see Notes of :func:`mk_grid`) gives
        errors in luminosity a weight of 2.25.

    Returns
    -------
    temperature, luminosity : float
        Index from O = 0 to M = 6 and from I = 0 to VI = 5, multiplied by the scales.

    Raises
    ------
    ValueError
        If `label` is not a joint class.

    Examples
    --------
    >>> from skspec.mk import mk_coordinates
    >>> mk_coordinates("GV")
    (4.0, 6.0)

    The function itself can be a parameter: ``Conv1DClassifier(loss="distance", class_coordinates=mk_coordinates)``.
    """
    match = _JOINT.fullmatch(label) if isinstance(label, str) else None
    if match is None:
        raise ValueError(f"label must be a joint class such as 'GV', got {label!r}")
    return (
        TEMPERATURE_CLASSES.index(match[1]) * temperature_scale,
        LUMINOSITY_CLASSES.index(match[2]) * luminosity_scale,
    )


def joint_class(types: ArrayLike, *, ranges: str = "mean") -> NDArray[np.str_]:
    """Return the joint classes of MK types.

    Parameters
    ----------
    types : array-like of str
        Spectral types, see :func:`parse_mk`.
    ranges : {"mean", "first"}, default="mean"
        Class of a range. ``"mean"`` is the published rule: the mean of the luminosity classes, where a and b are a
        quarter of a class lower and higher, rounded half to even, so that II-III is II and III-IV is IV; and the
        temperature class of the mean subtype. ``"first"`` is the class that is written first.

    Returns
    -------
    ndarray of str, of the shape of `types`
        Classes of ``mk_grid(full=True)`` such as ``"GV"``; ``""`` without a luminosity class and for strings that are
        not MK types.

    Examples
    --------
    >>> from skspec.mk import joint_class
    >>> joint_class(["G2V", "B8III-IV", "M1Iab", "dM2", "F5"]).tolist()
    ['GV', 'BIV', 'MI', 'MV', '']
    """
    check_choice("ranges", ranges, ("mean", "first"))
    return map_types(types, _mean_class if ranges == "mean" else _first_class, "")


def round_luminosity(luminosity: ArrayLike) -> NDArray[np.int_]:
    """Return the index of the luminosity class, from I = 0, of numeric luminosities (I = 1)."""
    rounded = np.round(np.asarray(luminosity, dtype=np.float64))
    return np.clip(rounded, 1, len(LUMINOSITY_CLASSES)).astype(int) - 1


def _mean_class(t: MKType) -> str:
    if t.luminosity_class is None:
        return ""
    letter = t.temperature_class
    if not np.isnan(t.code):
        letter = TEMPERATURE_CLASSES[min(int(t.code // 10), len(TEMPERATURE_CLASSES) - 1)]
    return letter + LUMINOSITY_CLASSES[int(round_luminosity(t.luminosity))]


def _first_class(t: MKType) -> str:
    return "" if t.luminosity_class is None else t.temperature_class + t.luminosity_class.rstrip("ab+")
