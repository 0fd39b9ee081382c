"""Clean, reduce and select the labels in a catalogue column, and count those dropped by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.mk import joint_class, temperature_class
from skspec.spectra.columns import present

LABEL_REDUCTIONS: dict[str, Callable[[Any], NDArray[Any]]] = {
    "mk-class": temperature_class,
    "mk-joint": joint_class,
}
"""Functions that reduce MK types to classes, by name; ``""`` for a label that is not an MK type."""

NO_VALUE = frozenset(
    "- -- --- ... ? n/a #n/a null nil non none missing unknown unclassified undefined".split()  # noqa: SIM905
)
"""Words for nothing in catalogues, in lower case."""


def select_labels(
    column: Any,
    *,
    reduce_labels: str | None = None,
    classes: Iterable[str] | None = None,
    min_class_size: int = 1,
) -> tuple[NDArray[Any], NDArray[np.bool_], Counter[str]]:
    """Clean labels, and select those to train on.

    Parameters
    ----------
    column : array-like of shape (n_spectra,)
        Strings, integers or booleans. Masked, empty and NaN labels are missing, and so are words for nothing, in upper
        or lower case, unless they are among `classes`: "-", "--", "---", "...", "?", "N/A", "#N/A", "null", "nil", "Non",
        "None", "missing", "unknown", "unclassified" and "undefined".
    reduce_labels : {"mk-class", "mk-joint"} or None, default=None
        Reduce MK types to temperature classes O, B, A, F, G, K, M (``"mk-class"``) or to joint classes with luminosity
        such as GV (``"mk-joint"``). Other labels are dropped.
    classes : iterable of str or None, default=None
        Classes to keep; None keeps all.
    min_class_size : int, default=1
        Classes with fewer spectra are dropped.

    Returns
    -------
    labels : ndarray of shape (n_spectra,)
        Cleaned labels, valid where `keep` is True.
    keep : ndarray of bool of shape (n_spectra,)
    dropped : Counter
        Number of dropped labels by reason, for example "no label" or "no label: Unknown".

    Raises
    ------
    ValueError
        If the labels are continuous (floats that are not whole numbers), or no spectrum has one of `classes`.
    """
    labels, known = _as_labels(column)
    reasons = np.where(known, "", "no label").astype(object)
    wanted = None if classes is None else list(classes)
    if labels.dtype.kind == "U":
        for word in set(labels[known].tolist()) - set(wanted or ()):
            if word.lower() in NO_VALUE:
                reasons[labels == word] = f"no label: {word}"
        known = reasons == ""
    if reduce_labels is not None:
        check_choice("reduce_labels", reduce_labels, LABEL_REDUCTIONS)
        raw, labels = labels, LABEL_REDUCTIONS[reduce_labels](labels.astype(str))
        for row in np.flatnonzero((labels == "") & known):
            reasons[row] = f"not an MK class: {raw[row]}"
    if wanted is not None:
        absent = sorted(set(wanted) - set(labels[reasons == ""].astype(str)))
        if absent:
            raise ValueError(f"no spectrum has the class {absent[0]!r} of classes={','.join(wanted)}")
        reasons[(reasons == "") & ~np.isin(labels.astype(str), wanted)] = "not among the requested classes"
    for label, n in Counter(labels[reasons == ""].tolist()).items():
        if n < min_class_size:
            reasons[(labels == label) & (reasons == "")] = (
                f"class {label} has fewer than {min_class_size} spectra"
            )
    return labels, reasons == "", Counter(reasons[reasons != ""].tolist())


def _as_labels(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return labels without masks and bytes, and whether they are known."""
    labels, known = present(column)
    if labels.dtype.kind == "f":
        whole = np.where(known, labels, 0)
        if (whole != np.round(whole)).any():
            raise ValueError(
                "the labels are continuous, not classes: give a column of names or whole numbers"
            )
        labels = whole.astype(np.int64)
    return labels, known
