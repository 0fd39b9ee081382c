"""Checks of arguments: units, masks, weights, groups, labels."""

from typing import Any

import numpy as np
from astropy.units import Quantity
from astropy.utils.masked import Masked
from numpy.typing import NDArray

_MISSING_TEXTS = {"", "nan", "none", "nat", "<na>"}


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
    """Return the weights of the spectra, checked to be known, finite, not negative, and not all zero."""
    from sklearn.utils import check_array  # noqa: PLC0415 - `Spectra` work without scikit-learn

    refuse_quantity("sample_weight", sample_weight)
    n_missing = count_missing(sample_weight)
    if n_missing:
        raise ValueError(
            f"sample_weight contains NaN or masked values ({n_missing}); set the weight of spectra to ignore to 0"
        )
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
    """Return the group of each spectrum, checked to be known.

    Empty strings and the words that NumPy, Python and pandas write for missing values are missing as well.
    """
    missing = find_missing(groups)
    groups = as_array(groups)
    if groups.shape != (n_rows,):
        raise ValueError(f"groups has shape {groups.shape}; ({n_rows},) is needed, one per spectrum")
    if groups.dtype.kind in "OSU":
        missing |= np.array([is_missing_text(value) for value in groups], dtype=bool)
    if missing.any():
        raise ValueError(
            f"groups has {missing.sum()} missing values; give each ungrouped spectrum a group of its own"
        )
    _check_one_type("groups", groups)
    return groups


def check_labels(name: str, labels: Any) -> NDArray[Any]:
    """Return class labels as an array of shape (n_spectra,), checked to be known and of one type.

    Raises
    ------
    ValueError
        If there are no labels or some are missing, or if they are not one-dimensional, infinite, bytes, or a mixture of
        strings and numbers.
    """
    n_missing = count_missing(labels)
    if n_missing:
        raise ValueError(
            f"{name} has {n_missing} masked or missing labels; leave out the spectra without a label"
        )
    array = as_array(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{name} must be one-dimensional, one label for each spectrum, got shape {array.shape}"
        )
    if not len(array):
        raise ValueError(f"{name} must have at least one label, got none")
    if array.dtype.kind == "S" or (array.dtype.kind == "O" and any(isinstance(v, bytes) for v in array)):
        raise ValueError(f"{name} has labels that are bytes, such as {array[0]!r}; decode them to strings")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} has infinite labels")
    _check_one_type(name, array)
    return array


def check_label_pair(names: tuple[str, str], first: Any, second: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two arrays of labels, see `check_labels`, checked to be of one length and one type."""
    one, other = (check_labels(name, labels) for name, labels in zip(names, (first, second), strict=True))
    if len(one) != len(other):
        raise ValueError(
            f"{names[0]} and {names[1]} have inconsistent numbers of samples, {len(one)} and {len(other)}; "
            "each spectrum needs a label in both"
        )
    texts = [isinstance(array[0], str) for array in (one, other)]
    if texts[0] != texts[1]:
        kinds = [
            f"{name} has {'strings' if text else 'numbers'}" for name, text in zip(names, texts, strict=True)
        ]
        raise ValueError(
            f"{kinds[0]}, such as {one[0]!s}, and {kinds[1]}, such as {other[0]!s}; both need labels of one type"
        )
    return one, other


def count_missing(values: Any) -> int:
    """Count the missing values of an array-like, see `find_missing`."""
    return int(np.count_nonzero(find_missing(values)))


def find_missing(values: Any) -> NDArray[np.bool_]:
    """Return which values of an array-like are masked, None, NaN, NaT or pandas.NA."""
    if isinstance(values, Masked):
        return np.asarray(values.mask) | find_missing(values.unmasked)
    masked: Any = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else False
    array = as_array(values)
    if array.dtype.kind == "O":
        missing = np.array([_is_missing(value) for value in array.flat], dtype=bool).reshape(array.shape)
    else:
        missing = np.isnan(array) if array.dtype.kind in "fcmM" else np.zeros(array.shape, dtype=bool)
    return missing | masked


def as_array(values: Any) -> NDArray[Any]:
    """Return an array of the values; of objects if a list holds strings together with anything else.

    NumPy would turn the others to strings: NaN to ``"nan"``, 1 to ``"1"``.
    """
    if isinstance(values, list | tuple):
        array = np.array(values, dtype=object)
        texts = [isinstance(value, str | bytes) for value in array.flat]
        if (any(texts) and not all(texts)) or any(value is np.ma.masked for value in array.flat):
            return array
    return np.asarray(values)


def is_missing_text(value: Any) -> bool:
    """Return whether a string is blank, or how NumPy, Python and pandas write a missing value."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return isinstance(text, str) and text.strip().lower() in _MISSING_TEXTS


def _is_missing(value: Any) -> bool:
    if value is None or value is np.ma.masked:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124
    except TypeError:  # pandas.NA has no truth value
        return True
    except ValueError:  # an array
        return False


def _check_one_type(name: str, array: NDArray[Any]) -> None:
    """Raise unless the values are all strings, or all numbers: others cannot be sorted."""
    texts = [isinstance(value, str) for value in array] if array.dtype.kind == "O" else []
    if any(texts) and not all(texts):
        text, other = array[texts.index(True)], array[texts.index(False)]
        raise ValueError(
            f"{name} mixes strings, such as {text!r}, and {type(other).__name__}, such as {other!r}; "
            "make them of one type"
        )
