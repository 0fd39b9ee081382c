"""Checks of arguments: units, masks, weights, groups."""

from typing import Any

import numpy as np
from astropy.units import Quantity
from numpy.typing import NDArray


def refuse_quantity(name: str, value: Any) -> None:
    """Raise TypeError for an astropy Quantity where plain numbers are expected."""
    if isinstance(value, Quantity):
        raise TypeError(
            f"{name} is an astropy Quantity in {value.unit}, which scikit-learn would strip silently; "
            "pass it to Spectra, or use its .value in the intended unit"
        )


def fill_masked(name: str, value: Any) -> Any:
    """Return a masked array as a float array with NaN where it is masked, and other values unchanged."""
    if not isinstance(value, np.ma.MaskedArray):
        return value
    if not np.ma.is_masked(value):
        return value.data
    if not np.issubdtype(value.dtype, np.floating):
        raise TypeError(
            f"{name} is a masked array of {value.dtype}; only floats can represent missing values"
        )
    return value.filled(np.nan)


def check_weight(sample_weight: Any, n_rows: int) -> NDArray[np.float64]:
    """Return the weights of training rows as an array; they must be finite, not negative, and not all zero."""
    from sklearn.utils import check_array  # noqa: PLC0415 - `Spectra` work without scikit-learn

    refuse_quantity("sample_weight", sample_weight)
    if np.ma.is_masked(sample_weight):
        raise ValueError("sample_weight has masked values; set the weight of spectra to ignore to 0")
    if any(isinstance(value, str | bytes) for value in np.asarray(sample_weight).ravel()[:1].tolist()):
        raise TypeError("sample_weight must be numbers, got strings")
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {weight.shape}; ({n_rows},) is needed, one per spectrum")
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min():g}")
    if not weight.any():
        raise ValueError("sample_weight is zero for all spectra")
    return weight


def scale_weight(weight: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the weights of training rows in float32, scaled to mean one.

    ValueError if their sum is 0 or overflows, or the smallest would become 0.
    """
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        scaled = (weight / weight.mean()).astype(np.float32)
    if not np.isfinite(scaled).all() or (scaled[weight > 0] == 0).any() or not scaled.any():
        raise ValueError(
            "sample_weight, times class_weight, must not be 0 for all spectra, and must span less than 30 orders of "
            f"magnitude, got {weight.min():g} to {weight.max():g}"
        )
    return scaled


def check_groups(groups: Any, n_rows: int) -> NDArray[Any]:
    """Return the group of each training row as an array; none may be missing."""
    n_missing = count_missing(groups)
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(f"groups has shape {groups.shape}; ({n_rows},) is needed, one per spectrum")
    if n_missing:
        raise ValueError(
            f"groups has {n_missing} missing values; give each ungrouped spectrum a group of its own"
        )
    return groups


def count_missing(values: Any) -> int:
    """Count the values of an array-like that are masked, None, NaN, NaT or pandas.NA."""
    n_masked = 0
    if isinstance(values, np.ma.MaskedArray):
        n_masked, values = np.ma.count_masked(values), values.compressed()
    values = np.asarray(values)
    if values.dtype.kind == "O":
        return n_masked + sum(map(_is_missing, values.flat))
    return n_masked + int(np.count_nonzero(values != values))  # noqa: PLR0124 - of NaN and NaT


def _is_missing(value: Any) -> bool:
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except TypeError:  # pandas.NA has no truth value
        return True
