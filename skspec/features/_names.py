"""Which columns a transformer of this room is asked for."""

from collections.abc import Iterable
from typing import Any

from skspec.checks import check_choice


def check_names(parameter: str, names: Any, options: Iterable[str]) -> None:
    """Raise ValueError unless `names` is a sequence of at least one of `options`, none of them twice."""
    if isinstance(names, str) or not len(names):
        raise ValueError(f"{parameter} must be a sequence of names, at least one, got {names!r}")
    options = list(options)
    for name in names:
        check_choice(parameter, name, options)
    if len(set(names)) < len(names):
        raise ValueError(f"{parameter} has a name twice: {', '.join(names)}")
