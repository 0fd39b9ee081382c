"""Joint classes of temperature and luminosity: their grid, orders and coordinates."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import check_choice
from skspec.mk._parse import map_types
from skspec.mk._type import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES, MKType

UNPUBLISHED = ("GVI", "KVI", "MIV")

_JOINT = re.compile(r"([OBAFGKM])(VI|V|IV|I{1,3})")


def mk_grid(*, order: str = "temperature", full: bool = False) -> NDArray[np.str_]:
    """Joint classes from OI to MVI.

    Parameters
    ----------
    order : {"temperature", "luminosity"}, default="temperature"
        What comes first: the temperature class (OI, OII, ...) or the luminosity class (OI, BI, ...). Hottest
        and most luminous come first.
    full : bool, default=False
        All 42 classes. By default GVI, KVI and MIV are left out, of which the published data set (see Notes) has no
        spectrum.

    Returns
    -------
    ndarray of str, shape (39,) or (42,)
        Luminosity classes are I to VI without subdivision.

    Raises
    ------
    ValueError
        If `order` is neither.

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
    return np.array([name for name in names if full or name not in UNPUBLISHED])


def mk_coordinates(
    label: str, *, temperature_scale: float = 1.0, luminosity_scale: float = 1.5
) -> tuple[float, float]:
    """Coordinates of a joint class, for the distance-aware loss of the neural classifiers.

    Parameters
    ----------
    label : str
        Joint class such as ``"GV"``.
    temperature_scale : float, default=1.0
        Distance of neighbouring temperature classes. In a squared distance an axis counts by the square of its scale.
    luminosity_scale : float, default=1.5
        Distance of neighbouring luminosity classes; 1.5 is the published one (see Notes of :func:`mk_grid`), which counts
        an error in luminosity 2.25 times.

    Returns
    -------
    temperature, luminosity : float
        Index from O = 0 to M = 6 and from I = 0 to VI = 5, times the scales.

    Raises
    ------
    ValueError
        If `label` is no joint class.

    Examples
    --------
    >>> from skspec.mk import mk_coordinates
    >>> mk_coordinates("GV")
    (4.0, 6.0)

    As it is, it suits ``Conv1DClassifier(loss="distance", class_coordinates=mk_coordinates)``.
    """
    match = _JOINT.fullmatch(label) if isinstance(label, str) else None
    if match is None:
        raise ValueError(f"label must be a joint class such as 'GV', got {label!r}")
    return (
        TEMPERATURE_CLASSES.index(match[1]) * temperature_scale,
        LUMINOSITY_CLASSES.index(match[2]) * luminosity_scale,
    )


def joint_class(types: ArrayLike, *, ranges: str = "mean") -> NDArray[np.str_]:
    """Joint class of MK types.

    Parameters
    ----------
    types : array-like of str
        Spectral types, see :func:`mk_type`.
    ranges : {"mean", "first"}, default="mean"
        Where a range belongs. ``"mean"`` is the published rule: the mean of the luminosity classes, with a and b a
        quarter before and after, rounded half to even, so that II-III is II and III-IV is IV; and the mean of the
        subtypes, of which the temperature class counts. ``"first"`` takes the class that is written first.

    Returns
    -------
    ndarray of str, of the shape of `types`
        Such as ``"GV"``; ``""`` without a luminosity class and for what is not an MK type. All classes of
        ``mk_grid(full=True)`` occur.

    Raises
    ------
    TypeError
        If `types` are not strings.
    ValueError
        If `ranges` is neither.

    Examples
    --------
    >>> from skspec.mk import joint_class
    >>> joint_class(["G2V", "B8III-IV", "M1Iab", "dM2", "F5"]).tolist()
    ['GV', 'BIV', 'MI', 'MV', '']
    """
    check_choice("ranges", ranges, ("mean", "first"))
    return map_types(types, _mean_class if ranges == "mean" else _first_class, "")


def round_luminosity(luminosity: ArrayLike) -> NDArray[np.int_]:
    """Index of luminosity classes, I first, of numbers."""
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
