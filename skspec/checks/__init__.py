"""Checks of parameters and of the arguments of methods, shared by all estimators."""

from skspec.checks._fitting import unchanged_on_error
from skspec.checks._parameters import (
    BOOLEAN,
    COUNT,
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Choice,
    Constraints,
    Instance,
    Interval,
    Sizes,
    check_choice,
    check_parameters,
    check_size_or_sizes,
)
from skspec.checks._random import draw_seed
from skspec.checks._values import (
    check_groups,
    check_weight,
    count_missing,
    fill_masked,
    refuse_quantity,
    scale_weight,
)

__all__ = [
    "BOOLEAN",
    "COUNT",
    "FRACTION",
    "NON_NEGATIVE",
    "POSITIVE",
    "Choice",
    "Constraints",
    "Instance",
    "Interval",
    "Sizes",
    "check_choice",
    "check_groups",
    "check_parameters",
    "check_size_or_sizes",
    "check_weight",
    "count_missing",
    "draw_seed",
    "fill_masked",
    "refuse_quantity",
    "scale_weight",
    "unchanged_on_error",
]
