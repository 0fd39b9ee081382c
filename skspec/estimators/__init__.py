"""Neural classifiers and regressors in the style of scikit-learn: one file for each family of networks.

Their classes can be imported from `skspec`, and from here.
"""

import importlib
import pkgutil
from typing import Any


def __getattr__(name: str) -> Any:
    for _, family, _ in pkgutil.iter_modules(__path__):
        module = f"{__name__}.{family}"
        value = None if name.startswith("_") else getattr(importlib.import_module(module), name, None)
        if getattr(value, "__module__", None) == module:
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
