"""Fits that leave an estimator unchanged if they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of an estimator if the block is left by an exception, KeyboardInterrupt included.

    The block must set attributes to new objects, and not modify the objects that the estimator has.
    """
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        estimator.__dict__ = before
        raise
