"""Registry of the cases of `benchmarks.preprocessing`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skspec import Spectra


@dataclass(frozen=True)
class Case:
    """Functions to compare; each processes the first `items` spectra, or all if it is not in `items`."""

    title: str
    contenders: Mapping[str, Callable[[], Any]]
    transform: Callable[[Spectra], Any]  # whose memory is measured
    items: Mapping[str, int]


CASES: dict[str, Callable[[Spectra], Case]] = {}


def case(function):
    CASES[function.__name__] = function
    return function
