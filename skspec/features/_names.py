"""Check the names of the columns that a transformer of features computes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skspec.checks import check_choice


@dataclass(frozen=True)
class Names:
    """A constraint of parameters: a sequence of different names, at least one."""

    options: Iterable[str]

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError unless `value` is such a sequence."""
        if isinstance(value, str) or not len(value):
            raise ValueError(f"{name} must be a sequence of names, at least one, got {value!r}")
        for item in value:
            check_choice(name, item, self.options)
        if len(set(value)) < len(value):
            raise ValueError(f"{name} has a name twice: {', '.join(value)}")
