"""Checks of parameters that all rooms share."""

import numpy as np
import pytest

from skspec.checks import check_choice


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
