"""Clean the values of catalogue columns, and find the missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def present(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return values without masks and bytes, and whether they are known: not masked, blank, None, NaN or ``"nan"``.

    Parameters
    ----------
    column : array-like of shape (n_spectra,)

    Returns
    -------
    values : ndarray of shape (n_spectra,)
        Objects become text.
    known : ndarray of bool of shape (n_spectra,)
    """
    masked = np.ma.asarray(column)
    known = ~np.ma.getmaskarray(masked)
    values = np.asarray(masked.data)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    elif values.dtype.kind == "O":
        known &= np.array([value is not None for value in values], dtype=bool)
        values = np.where(known, values, "").astype(str)
    if values.dtype.kind == "U":
        values = np.char.strip(values)
        known &= ~np.isin(np.char.lower(values), ("", "nan"))
    elif values.dtype.kind == "f":
        known &= np.isfinite(values)
    return values, known


def texts(column: Any) -> NDArray[np.str_]:
    """Return values as text; ``""`` where they are missing, see `present`."""
    values, known = present(column)
    return np.where(known, values.astype(str), "")
