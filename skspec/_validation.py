"""Checks shared by every room: what came, what is needed, in one sentence."""

import difflib
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from astropy.units import Quantity


def check_choice(name: str, value: Any, options: Iterable[Any]) -> None:
    """Raise ValueError unless `value` is one of `options`; suggests the nearest for a typo."""
    options = list(options)
    if isinstance(value, np.bool_):
        value = bool(value)
    if any(type(value) is type(option) and value == option for option in options):
        return
    near = difflib.get_close_matches(str(value), [str(option) for option in options], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {value!r}{hint}")


def refuse_quantity(name: str, value: Any) -> None:
    """Raise TypeError for an astropy Quantity where a bare number is meant."""
    if isinstance(value, Quantity):
        raise TypeError(
            f"{name} is an astropy Quantity in {value.unit}, which scikit-learn would strip silently; "
            "give it to Spectra, or take its .value in the unit that you mean"
        )


def fill_masked(name: str, value: Any) -> Any:
    """Return a masked array as a float array with NaN where it is masked; anything else unchanged."""
    if not isinstance(value, np.ma.MaskedArray):
        return value
    if not np.ma.is_masked(value):
        return value.data
    if not np.issubdtype(value.dtype, np.floating):
        raise TypeError(f"{name} is a masked array of {value.dtype}; only floats can mark missing values")
    return value.filled(np.nan)


def check_size_or_sizes(name: str, value: Any, *, length: int) -> None:
    """Raise unless `value` is a positive integer, or a sequence of `length` of them."""
    if not isinstance(value, Integral):
        check_sizes(name, value, length=length)
    elif int(value) < 1:
        raise ValueError(f"{name} == {value}, must be >= 1.")


def check_sizes(name: str, value: Any, *, length: int | None = None, allow_empty: bool = False) -> None:
    """Raise unless `value` is a sequence of positive integers, of a given length where that is fixed."""
    is_sequence = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    if not is_sequence or not all(isinstance(size, Integral) and int(size) > 0 for size in value):
        raise ValueError(f"{name} must be a sequence of positive integers, got {value!r}")
    if not allow_empty and not len(value):
        raise ValueError(f"{name} must not be empty")
    if length is not None and len(value) != length:
        raise ValueError(f"{name} must have {length} values, got {len(value)}: {value!r}")
