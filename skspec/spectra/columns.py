"""Clean the values of catalogue columns, and find the missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import as_array, find_missing, is_missing_text


def present(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return values without masks and bytes, and whether they are known.

    Masked values, None, NaN, NaT, pandas.NA and blank strings are not known, nor are the words ``"nan"``, ``"None"``,
    ``"NaT"`` and ``"<NA>"``.

    Parameters
    ----------
    column : array-like of shape (n_spectra,)

    Returns
    -------
    values : ndarray of shape (n_spectra,)
        Objects become text.
    known : ndarray of bool of shape (n_spectra,)
    """
    known = ~find_missing(column)
    values = as_array(column)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    elif values.dtype.kind == "O":
        values = np.where(known, values, "").astype(str)
    if values.dtype.kind == "U":
        values = np.char.strip(values)
        known &= ~np.array([is_missing_text(value) for value in values], dtype=bool)
    elif values.dtype.kind == "f":
        known &= np.isfinite(values)
    return values, known


def texts(column: Any) -> NDArray[np.str_]:
    """Return values as text; ``""`` where they are missing, see `present`."""
    values, known = present(column)
    return np.where(known, values.astype(str), "")
