"""The table of cases of `benchmarks.preprocessing`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skspec import Spectra


@dataclass(frozen=True)
class Case:
    """What runs against what: `contenders` work on the first `items` spectra each (all, where none are given)."""

    title: str
    contenders: Mapping[str, Callable[[], Any]]
    transform: Callable[[Spectra], Any]  # whose memory is measured
    items: Mapping[str, int]


CASES: dict[str, Callable[[Spectra], Case]] = {}


def case(function):
    CASES[function.__name__] = function
    return function
