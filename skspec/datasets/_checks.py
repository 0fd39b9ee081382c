"""Checks of the parameters of the simulators."""

from numbers import Integral, Real
from typing import Any

import numpy as np


def check_count(name: str, value: Any) -> int:
    """Return a positive integer, or raise an error that names the parameter."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def check_number(name: str, value: Any, low: float, high: float, *, closed: bool = True) -> float:
    """Return a number between `low` and `high`, excluding NaN and, unless `closed`, `high`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    value = float(value)
    if not (low <= value <= high) or (value == high and not closed):
        limits = f"between {low:g} and {high:g}" if closed else f"at least {low:g} and below {high:g}"
        raise ValueError(f"{name} must be {limits}, got {value:g}")
    return value


def check_range(name: str, value: Any, lowest: float, highest: float) -> tuple[float, float]:
    """Return the limits (low, high) of a range; one number is both limits."""
    ends = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(ends) != 2:
        raise ValueError(f"{name} must be one number or (lowest, highest), got {len(ends)} values")
    low, high = (check_number(name, end, lowest, highest) for end in ends)
    if low > high:
        raise ValueError(f"{name} must be given as (lowest, highest), got ({low:g}, {high:g})")
    return low, high
