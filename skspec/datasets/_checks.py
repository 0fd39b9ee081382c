"""Checks of what a simulation is asked for."""

from numbers import Real
from typing import Any

import numpy as np


def check_number(name: str, value: Any, low: float, high: float, *, closed: bool = True) -> float:
    """Return a number within limits."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    value = float(value)
    if not (low <= value <= high) or (value == high and not closed):
        raise ValueError(
            f"{name} must be from {low:g} to {'' if closed else 'below '}{high:g}, got {value:g}"
        )
    return value


def check_range(name: str, value: Any, lowest: float, highest: float) -> tuple[float, float]:
    """One number, or the ends of a range."""
    ends = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(ends) != 2:
        raise ValueError(f"{name} must be one number or (lowest, highest), got {len(ends)} values")
    low, high = (check_number(name, end, lowest, highest) for end in ends)
    if low > high:
        raise ValueError(f"{name} must be given as (lowest, highest), got ({low:g}, {high:g})")
    return low, high
