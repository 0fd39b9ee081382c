"""Time contenders in turn, so that a machine that drifts drifts for all of them.

Protocol: every contender runs once to warm up; then each repeat runs all contenders in rotating order with garbage
collection off. The median counts, and the ratio of the baseline's median to it: above 1 is faster.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Median and least time of one contender in seconds, and how many times faster than the baseline it is."""

    median: float
    best: float
    ratio: float


def compare(
    contenders: Mapping[str, Callable[[], Any]],
    *,
    repeats: int = 7,
    baseline: str | None = None,
    items: int | Mapping[str, int] = 1,
    title: str = "",
    columns: Mapping[str, Callable[[str, Mapping[str, Timing]], str]] | None = None,
) -> dict[str, Timing]:
    """Time `contenders`, print a table, return the numbers.

    Parameters
    ----------
    contenders : mapping of str to callable
        What is timed, without arguments.
    repeats : int, default=7
        Runs of each.
    baseline : str, default=None
        The contender that the others are compared with; None takes the first.
    items : int or mapping of str to int, default=1
        How many things (spectra, files) one call of a contender works on; times are for one of them.
    title : str, default=""
        Line above the table.
    columns : mapping of str to callable, default=None
        More columns of the table: by their heading, what gives the entry of a contender from all timings.

    Returns
    -------
    dict of str to Timing
    """
    names = list(contenders)
    baseline = names[0] if baseline is None else baseline
    count = dict.fromkeys(names, items) if isinstance(items, int) else items
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        contenders[name]()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for repeat in range(repeats):
            shift = repeat % len(names)
            for name in names[shift:] + names[:shift]:
                start = time.perf_counter()
                contenders[name]()
                times[name].append((time.perf_counter() - start) / count[name])
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    medians = {name: statistics.median(values) for name, values in times.items()}
    results = {
        name: Timing(medians[name], min(times[name]), medians[baseline] / medians[name]) for name in names
    }
    width, columns = max(map(len, names)), columns or {}
    more = "".join(f"  {heading:>10}" for heading in columns)
    print(f"\n{title}" if title else "")
    print(f"{'':{width}}  {'median':>10}  {'best':>10}  {'times faster':>12}{more}")
    for name, timing in results.items():
        more = "".join(f"  {entry(name, results):>10}" for entry in columns.values())
        print(
            f"{name:{width}}  {human(timing.median):>10}  {human(timing.best):>10}  {timing.ratio:>12.1f}{more}"
        )
    return results


def human(seconds: float) -> str:
    """Seconds with three digits in a fitting unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def machine(*packages: str) -> str:
    """Return the line that says where numbers were measured: cores, Python, versions of numpy and `packages`."""
    versions = ", ".join(f"{package} {version(package)}" for package in ("numpy", *packages))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"
