"""Groups of spectra of the same object, by position, name or any catalogue column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice, find_missing
from skspec.model_selection._labels import NO_VALUE
from skspec.spectra import Spectra
from skspec.spectra.columns import texts


def group_spectra(spectra: Spectra, groups: str) -> tuple[NDArray[Any], str]:
    """Group spectra of the same object.

    Parameters
    ----------
    spectra : Spectra
    groups : str
        ``"sky"`` (by position or, without a position, by object name), ``"none"``, or a column of ``meta``. A spectrum
        without a value is its own group; names such as "unknown" and "N/A" are not values.

    Returns
    -------
    groups : ndarray of shape (n_spectra,)
    grouping : str
        Sentence that describes the groups, and how many spectra share their object with another.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    alone = np.arange(len(spectra))
    if groups == "none":
        return alone, "Every spectrum is its own group, as requested."
    if groups != "sky":
        check_choice("groups", groups, ["sky", "none", *spectra.meta.colnames])
        names = _names(spectra.meta[groups])
        numbers = np.unique(_keys(names), return_inverse=True)[1]
        lost = int((names == "").sum())
        note = f" {lost} without a value are their own groups." if lost else ""
        return numbers, f"Grouped by the column {groups}: {_shared_objects(numbers)}.{note}"
    placed = has_position(spectra)
    names = _names(spectra.meta["object"]) if "object" in spectra.meta.colnames else np.full(len(spectra), "")
    if not placed.any() and not (names != "").any():
        return alone, (
            "The spectra have neither positions (ra, dec) nor object names, so every spectrum is its own group: if "
            "an object was observed twice, the scores are too optimistic."
        )
    keys = _keys(names)
    if placed.any():
        place = np.char.add("place ", spectra[placed].sky_groups().astype(str))
        keys = keys.astype(f"U{max(keys.itemsize, place.itemsize) // 4}")
        keys[placed] = place
    numbers = np.unique(keys, return_inverse=True)[1]
    by = "position on the sky (3 arcsec)" if placed.any() else "object name"
    lost = int((~placed).sum())
    note = ""
    if placed.any() and lost:
        note = f" {lost} without position are grouped by object name, or are their own groups."
    return numbers, f"Grouped by {by}: {_shared_objects(numbers)}.{note}"


def has_position(spectra: Spectra) -> NDArray[np.bool_]:
    """Return whether each spectrum has a position in ``meta``."""
    placed = np.full(len(spectra), {"ra", "dec"} <= set(spectra.meta.colnames))
    for name in ("ra", "dec") if placed.any() else ():
        column = spectra.meta[name]
        missing = find_missing(column)
        placed &= ~missing
        placed[~missing] &= np.isfinite(np.asarray(column[~missing], dtype=np.float64))
    return placed


def _names(column: Any) -> NDArray[np.str_]:
    """Return the names in a column, ``""`` where there is none."""
    names = texts(column)
    return np.where(np.isin(np.char.lower(names), list(NO_VALUE)), "", names)


def _keys(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the keys of groups: the name or, without one, the row number."""
    rows = np.arange(len(names)).astype(str)
    return np.where(names != "", np.char.add("name ", names), np.char.add("row ", rows))


def _shared_objects(groups: NDArray[Any]) -> str:
    """Describe how many spectra share an object with another, and would leak without groups."""
    sizes = np.unique(groups, return_counts=True)[1]
    shared = int(sizes[sizes > 1].sum())
    if not shared:
        return f"{len(groups)} spectra of as many objects, none observed twice"
    return (
        f"{len(groups)} spectra of {len(sizes)} objects; {shared} ({shared / len(groups):.0%}) share their object "
        "with another and stay together in one fold"
    )
