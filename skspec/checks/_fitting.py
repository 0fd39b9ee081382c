"""Fits that leave an estimator unchanged if they fail."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

_Method = TypeVar("_Method", bound=Callable[..., Any])


def unchanged_on_error(fit: _Method) -> _Method:
    """Decorate a method that fits an estimator: if it raises, KeyboardInterrupt included, attributes are restored.

    The method must set attributes to new objects, and not modify the objects that the estimator has.
    """

    @wraps(fit)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(self).copy()
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            self.__dict__ = before
            raise

    return cast("_Method", method)
