"""Constraints of parameters."""

from numbers import Real
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skspec.checks import COUNT, POSITIVE, Choice, Interval, Sizes, check_choice, check_parameters


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_flags_may_be_of_numpy(value):
    check_choice("flag", value, (True, False))


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (1, (True, False), "flag must be one of True, False, got 1$"),
        ("yes", (True, False), "flag must be one of True, False, got 'yes'$"),
        (np.True_, (1, 2), "flag must be one of 1, 2, got True$"),
        ("medain", ("mean", "median"), "got 'medain'; did you mean 'median'"),
    ],
)
def test_other_values_are_named(value, options, message):
    with pytest.raises(ValueError, match=message):
        check_choice("flag", value, options)


@pytest.mark.parametrize(
    ("closed", "low_allowed", "high_allowed"),
    [("both", True, True), ("left", True, False), ("right", False, True), ("neither", False, False)],
)
@pytest.mark.parametrize("limits", [(0, 2), (0, None), (None, 2)])
def test_interval_includes_closed_limits_only(closed, low_allowed, high_allowed, limits):
    interval = Interval(Real, *limits, closed)
    allowed = {1: True, 0: low_allowed or limits[0] is None, 2: high_allowed or limits[1] is None}
    for value, good in allowed.items():
        if good:
            interval.check("lr", value)
        else:
            with pytest.raises(ValueError, match="lr == "):
                interval.check("lr", value)


@pytest.mark.parametrize("value", [True, np.True_, "1", None])
def test_interval_refuses_other_types(value):
    with pytest.raises(TypeError, match="lr must be"):
        Interval(Real, 0, 2).check("lr", value)


def test_interval_refuses_nan():
    with pytest.raises(ValueError, match="lr must be a number, got nan"):
        Interval(Real).check("lr", float("nan"))


class Base(BaseEstimator):
    _parameter_constraints: ClassVar = {"lr": [POSITIVE], "mode": [Choice(("fast", "exact"))]}

    def __init__(self, lr=1.0, mode="fast"):
        self.lr = lr
        self.mode = mode


class Child(Base):
    _parameter_constraints: ClassVar = {"lr": [POSITIVE, None], "sizes": [Sizes(), COUNT]}

    def __init__(self, lr=1.0, mode="fast", sizes=3, free=object):
        super().__init__(lr, mode)
        self.sizes = sizes
        self.free = free


def test_constraints_are_inherited_and_replaced():
    check_parameters(Child(lr=None, sizes=(2, 3)))
    with pytest.raises(TypeError, match="lr must be an instance of float"):
        check_parameters(Base(lr=None))
    with pytest.raises(
        ValueError, match=r"mode must be one of 'fast', 'exact', got 'fats'; did you mean 'fast'\?"
    ):
        check_parameters(Child(mode="fats"))
    with pytest.raises(ValueError, match="sizes must be a sequence of positive integers, got 'a'"):
        check_parameters(Child(sizes="a"))
