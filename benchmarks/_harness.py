"""Time several functions in an interleaved order, so that changes in the speed of the machine affect all of them.

Protocol: each function runs once to warm up; then each repeat runs all functions in rotating order with garbage
collection off. The table has the median time and the speed-up, the ratio of the baseline's median to it.
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
    """Median and minimum time of one function in seconds, and its speed-up over the baseline."""

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
    """Time functions, print a table, and return the timings.

    Parameters
    ----------
    contenders : mapping of str to callable
        Functions to time, without arguments.
    repeats : int, default=7
        Number of timed runs of each function.
    baseline : str, default=None
        Name of the function that the others are compared with; None means the first.
    items : int or mapping of str to int, default=1
        Number of items (spectra, files) that one call processes; times are per item.
    title : str, default=""
        Line above the table.
    columns : mapping of str to callable, default=None
        Further columns of the table, by heading: functions of the name of a row and all timings.

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
    """Format seconds with three digits in a suitable unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def machine(*packages: str) -> str:
    """Describe the machine: cores, Python, versions of numpy and `packages`."""
    versions = ", ".join(f"{package} {version(package)}" for package in ("numpy", *packages))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"
