"""Values around the current one, for the search spaces of the neural estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scipy.stats import loguniform


def around(value: float) -> Any:
    """Return a log-uniform distribution within a factor of ten."""
    return loguniform(value / 10, value * 10)


def sizes_around(value: int) -> list[int]:
    """Return half the value, the value and its double."""
    return [value // 2, value, 2 * value] if value > 1 else [value, 2 * value]


def choices(value: Any, *others: Any) -> list[Any]:
    """Return choices, beginning with the current one."""
    return [value, *(other for other in others if other != value)]


def filters_around(filters: Sequence[int]) -> list[tuple[int, ...]]:
    """Return choices with the same number of layers, since strides and kernels may be set for each layer."""
    filters = tuple(filters)
    return choices(filters, tuple(max(1, n // 2) for n in filters), tuple(2 * n for n in filters))
