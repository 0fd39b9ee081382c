"""Declarative constraints of the parameters of estimators.

As in scikit-learn, a class has a dict ``_parameter_constraints`` with a list of constraints for each parameter, to which
subclasses add their own. `check_parameters` checks the values when the estimator is fitted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np


class Constraint(Protocol):
    """One kind of value that a parameter may have."""

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError or TypeError, naming the parameter, if `value` is not of this kind."""


@dataclass(frozen=True)
class Interval:
    """A number between two limits.

    Parameters
    ----------
    kind : {Integral, Real}
    low, high : float or None
        Limits; None for no limit.
    closed : {"both", "left", "right", "neither"}, default="both"
        Which limits are included.
    """

    kind: type
    low: float | None = None
    high: float | None = None
    closed: str = "both"

    def check(self, name: str, value: Any) -> None:
        from sklearn.utils import check_scalar  # noqa: PLC0415 - `Spectra` work without scikit-learn

        if isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be a number, got {value!r}")
        if isinstance(value, Real) and value != value:  # noqa: PLR0124 - NaN
            raise ValueError(f"{name} must be a number, got nan")
        limits = {"min_val": self.low, "max_val": self.high, "include_boundaries": self.closed}
        if self.low is None or self.high is None:  # scikit-learn cannot exclude a limit that does not exist
            excluded = self.closed in (("neither", "right") if self.high is None else ("neither", "left"))
            limits["include_boundaries"] = "neither" if excluded else "both"
        check_scalar(value, name, self.kind, **limits)


@dataclass(frozen=True)
class Choice:
    """One of a few values; the error suggests the nearest."""

    options: tuple[Any, ...]

    def check(self, name: str, value: Any) -> None:
        check_choice(name, value, self.options)


@dataclass(frozen=True)
class Sizes:
    """A sequence of positive integers, not empty unless `allow_empty`."""

    allow_empty: bool = False

    def check(self, name: str, value: Any) -> None:
        _check_sizes(name, value, allow_empty=self.allow_empty)


@dataclass(frozen=True)
class Instance:
    """An instance of a type or types; `what` is their name in the error."""

    types: type | tuple[type, ...]
    what: str

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, self.types):
            raise TypeError(f"{name} must be {self.what}, got {value!r}")


POSITIVE = Interval(Real, 0, None, "neither")
NON_NEGATIVE = Interval(Real, 0, None)
FRACTION = Interval(Real, 0, 1)
COUNT = Interval(Integral, 1, None)
BOOLEAN = Choice((True, False))

Constraints = Mapping[str, Sequence[Constraint | None]]


def check_parameters(estimator: Any) -> None:
    """Check the parameters of an estimator against the constraints that its classes declare.

    Parameters
    ----------
    estimator : BaseEstimator
        Its classes may have a dict ``_parameter_constraints``: for each parameter a list of `Constraint` and None, one of
        which must be satisfied. A parameter without an entry is not checked.

    Raises
    ------
    ValueError or TypeError
        If a value satisfies none of its constraints.
    """
    constraints: dict[str, Sequence[Constraint | None]] = {}
    for kind in reversed(type(estimator).__mro__):
        constraints |= vars(kind).get("_parameter_constraints", {})
    for name, value in estimator.get_params(deep=False).items():
        if name in constraints:
            _check_parameter(name, value, constraints[name])


def _check_parameter(name: str, value: Any, allowed: Sequence[Constraint | None]) -> None:
    errors: list[Exception] = []
    for constraint in allowed:
        if constraint is None:
            if value is None:
                return None
            continue
        try:
            return constraint.check(name, value)
        except (TypeError, ValueError) as error:
            errors.append(error)
    # Of several errors, one about the value is more helpful than one about its type.
    raise next((error for error in errors if isinstance(error, ValueError)), errors[0])


def check_choice(name: str, value: Any, options: Iterable[Any]) -> None:
    """Raise ValueError unless `value` is one of `options`; the error suggests the nearest for a typo."""
    options = list(options)
    if isinstance(value, np.bool_):
        value = bool(value)
    if any(type(value) is type(option) and value == option for option in options):
        return
    near = difflib.get_close_matches(str(value), [str(option) for option in options], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {value!r}{hint}")


def _check_sizes(name: str, value: Any, *, length: int | None = None, allow_empty: bool = False) -> None:
    """Raise ValueError unless `value` is a sequence of positive integers, of the given length."""
    is_sequence = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    if not is_sequence or not all(isinstance(size, Integral) and int(size) > 0 for size in value):
        raise ValueError(f"{name} must be a sequence of positive integers, got {value!r}")
    if not allow_empty and not len(value):
        raise ValueError(f"{name} must not be empty")
    if length is not None and len(value) != length:
        raise ValueError(f"{name} must have {length} values, got {len(value)}: {value!r}")


def check_size_or_sizes(name: str, value: Any, *, length: int) -> None:
    """Raise ValueError unless `value` is a positive integer, or a sequence of `length` positive integers."""
    if not isinstance(value, Integral):
        _check_sizes(name, value, length=length)
    elif int(value) < 1:
        raise ValueError(f"{name} == {value}, must be >= 1.")
