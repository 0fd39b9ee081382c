"""Classify astronomical spectra with scikit-learn.

Public names are loaded on first use, so that ``import skspec`` and the transformers stay light: only the neural
estimators import torch. The names are listed in ``__init__.pyi``, for type checkers as well.
"""

import ast
import importlib
from pathlib import Path

__version__ = "0.1.0.dev0"

_HOME = {
    alias.name: str(statement.module)
    for statement in ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8")).body
    if isinstance(statement, ast.ImportFrom)
    for alias in statement.names
}
__all__ = sorted([*_HOME, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
