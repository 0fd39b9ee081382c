"""What ``skspec fit`` trains on: labels, groups, wavelength grid, and what is left out. Nothing here prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.mk import joint_class, temperature_class
from skspec.preprocessing import LogWaveResampler
from skspec.spectra import Spectra

REDUCTIONS: dict[str, Callable[[Any], NDArray[Any]]] = {
    "mk-class": temperature_class,
    "mk-joint": joint_class,
}

_BIN = 1e-3  # dex; 690 km/s, about the default of LogWaveResampler
_MIN_BINS = 400  # of a narrow range, if the pixels allow it


@dataclass
class TrainingSet:
    """Spectra with labels and groups, and what was left out on the way (reason: how many)."""

    spectra: Spectra
    labels: NDArray[Any]
    groups: NDArray[Any]
    grouping: str
    grid: dict[str, Any]
    dropped: Counter[str] = field(default_factory=Counter)


def prepare(
    spectra: Spectra,
    *,
    labels: str,
    reduce_labels: str | None = None,
    classes: Iterable[str] | None = None,
    min_class_size: int = 5,
    groups: str = "sky",
    rest_frame: bool = False,
    loglam_min: float | None = None,
    loglam_max: float | None = None,
    n_bins: int | None = None,
) -> TrainingSet:
    """Make a training set of spectra and a catalogue column.

    Parameters
    ----------
    spectra : Spectra
        With the label in ``meta``.
    labels : str
        Column of ``meta``.
    reduce_labels : {"mk-class", "mk-joint"}, default=None
        ``"mk-class"`` makes O, B, A, F, G, K or M of MK types, ``"mk-joint"`` classes with luminosity such as GV; the
        rest is dropped.
    classes : iterable of str, default=None
        Classes to keep; None keeps all.
    min_class_size : int, default=5
        Classes of fewer spectra are dropped.
    groups : str, default="sky"
        ``"sky"`` (same position, same group; where there is no position, same object name), ``"none"``, or a
        column of ``meta``.
    rest_frame : bool, default=False
        Whether wavelengths are divided by 1 + ``meta["z"]``; spectra without redshift are dropped.
    loglam_min, loglam_max, n_bins : optional
        Wavelength grid; what is None is chosen by `data_grid`.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ValueError
        If a column does not exist, or fewer than two classes are left.
    """
    check_choice("labels", labels, spectra.meta.colnames)
    target, keep, dropped = select_labels(
        spectra.meta[labels], reduce_labels=reduce_labels, classes=classes, min_class_size=1
    )
    spectra, target = spectra[keep], target[keep]
    if rest_frame:
        spectra, known = to_rest_frame(spectra)
        target = target[known]
        dropped["no redshift for the rest frame"] += int((~known).sum())
    grid = data_grid(spectra) if len(spectra) else {}
    given = {"loglam_min": loglam_min, "loglam_max": loglam_max, "n_bins": n_bins}
    grid |= {key: value for key, value in given.items() if value is not None}
    if len(spectra):
        covered = LogWaveResampler(**grid).fit(spectra).coverage(spectra) > 0
        dropped["no overlap with the wavelength grid"] += int((~covered).sum())
        spectra, target = spectra[covered], target[covered]
    _, keep, small = select_labels(target, min_class_size=min_class_size)
    spectra, target = spectra[keep], target[keep]
    dropped += small
    found = np.unique(target)
    if len(found) < 2:
        left = f"only {str(found[0])!r} is" if len(found) else "none is"
        why = "; ".join(f"{reason} ({n})" for reason, n in dropped.most_common(3))
        raise ValueError(f"two classes are needed, {left} left" + (f" after dropping: {why}" if why else ""))
    numbers, grouping = group_spectra(spectra, groups)
    return TrainingSet(spectra, target, numbers, grouping, grid, +dropped)


def select_labels(
    column: Any,
    *,
    reduce_labels: str | None = None,
    classes: Iterable[str] | None = None,
    min_class_size: int = 1,
) -> tuple[NDArray[Any], NDArray[np.bool_], Counter[str]]:
    """Clean labels: what they become, which to keep, and how many are dropped for which reason.

    Parameters
    ----------
    column : array-like of shape (n_spectra,)
        Strings, integers or booleans. Masked, empty and NaN are no label.
    reduce_labels, classes, min_class_size
        As in `prepare`.

    Returns
    -------
    labels : ndarray of shape (n_spectra,)
        Those not to keep are meaningless.
    keep : ndarray of bool of shape (n_spectra,)
    dropped : Counter
        Number of labels by reason.

    Raises
    ------
    ValueError
        If the labels are measurements: floats that are no whole numbers.
    """
    labels, known = _as_labels(column)
    reasons = np.where(known, "", "no label").astype(object)
    if reduce_labels is not None:
        check_choice("reduce_labels", reduce_labels, REDUCTIONS)
        raw, labels = labels, REDUCTIONS[reduce_labels](labels.astype(str))
        for row in np.flatnonzero((labels == "") & known):
            reasons[row] = f"not an MK class: {raw[row]}"
    if classes is not None:
        wanted = list(classes)
        absent = sorted(set(wanted) - set(labels[reasons == ""].astype(str)))
        if absent:
            raise ValueError(f"no spectrum has the class {absent[0]!r} of classes={','.join(wanted)}")
        reasons[(reasons == "") & ~np.isin(labels.astype(str), wanted)] = "not among the classes asked for"
    for label, n in Counter(labels[reasons == ""].tolist()).items():
        if n < min_class_size:
            reasons[(labels == label) & (reasons == "")] = (
                f"class {label} has fewer than {min_class_size} spectra"
            )
    return labels, reasons == "", Counter(reasons[reasons != ""].tolist())


def _as_labels(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Labels without masks and bytes, and which of them there are."""
    labels, known = present(column)
    if labels.dtype.kind == "f":
        whole = np.where(known, labels, 0)
        if (whole != np.round(whole)).any():
            raise ValueError(
                "the labels are measurements, not classes: give a column of names or whole numbers"
            )
        labels = whole.astype(np.int64)
    return labels, known


def present(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return values without masks and bytes, and which there are: not masked, blank, None or NaN, also in letters.

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
    """Return values as text; ``""`` where there is none, see `present`."""
    values, known = present(column)
    return np.where(known, values.astype(str), "")


def to_rest_frame(spectra: Spectra) -> tuple[Spectra, NDArray[np.bool_]]:
    """Bring spectra to the rest frame by ``meta["z"]``; those without a usable redshift are left out.

    Parameters
    ----------
    spectra : Spectra

    Returns
    -------
    spectra : Spectra
        Those with a redshift.
    known : ndarray of bool
        Which they are.

    Raises
    ------
    ValueError
        If ``meta`` has no redshifts.
    """
    if "z" not in spectra.meta.colnames:
        raise ValueError("the spectra have no redshift column z, which the rest frame needs")
    z = np.ma.filled(np.ma.asarray(spectra.meta["z"], dtype=np.float64), np.nan)
    known = np.isfinite(z) & (z > -1)
    return spectra[known].to_rest_frame(), known


def group_spectra(spectra: Spectra, groups: str) -> tuple[NDArray[Any], str]:
    """Group spectra of the same object, and say in words how.

    Parameters
    ----------
    spectra : Spectra
    groups : str
        ``"sky"``, ``"none"``, or a column of ``meta``; a spectrum without a value there is a group of its own.

    Returns
    -------
    groups : ndarray of shape (n_spectra,)
    grouping : str
        A sentence.
    """
    alone = np.arange(len(spectra))
    if groups == "none":
        return alone, "Every spectrum is its own group, as asked for."
    if groups != "sky":
        check_choice("groups", groups, ["sky", "none", *spectra.meta.colnames])
        names = texts(spectra.meta[groups])
        numbers = np.unique(_keys(names), return_inverse=True)[1]
        lost = int((names == "").sum())
        note = f" {lost} without a value there are each a group of their own." if lost else ""
        return numbers, f"Grouped by the column {groups}: {shared_objects(numbers)}.{note}"
    placed, names = _has_position(spectra), _names(spectra)
    if not placed.any() and not (names != "").any():
        return alone, (
            "The spectra have neither positions (ra, dec) nor object names, so every spectrum is its own group: if "
            "an object was observed twice, the scores below are too good."
        )
    keys = _keys(names)
    if placed.any():
        place = np.char.add("place ", spectra[placed].sky_groups().astype(str))
        keys = keys.astype(f"U{max(keys.itemsize, place.itemsize) // 4}")
        keys[placed] = place
    numbers = np.unique(keys, return_inverse=True)[1]
    by = "position on the sky (3 arcsec)" if placed.any() else "object name"
    lost = int((~placed).sum())
    note = f" {lost} without position are grouped by object name, or alone." if placed.any() and lost else ""
    return numbers, f"Grouped by {by}: {shared_objects(numbers)}.{note}"


def _has_position(spectra: Spectra) -> NDArray[np.bool_]:
    placed = np.ones(len(spectra), dtype=bool)
    for name in ("ra", "dec"):
        if name not in spectra.meta.colnames:
            return np.zeros(len(spectra), dtype=bool)
        placed &= np.isfinite(np.ma.filled(np.ma.asarray(spectra.meta[name], dtype=np.float64), np.nan))
    return placed


def _names(spectra: Spectra) -> NDArray[np.str_]:
    if "object" not in spectra.meta.colnames:
        return np.full(len(spectra), "", dtype="U1")
    return texts(spectra.meta["object"])


def _keys(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """Keys of groups: the name or, where there is none, the number of the row."""
    rows = np.arange(len(names)).astype(str)
    return np.where(names != "", np.char.add("name ", names), np.char.add("row ", rows))


def shared_objects(groups: NDArray[Any]) -> str:
    """Say how many spectra share an object with another, which is what would leak without groups."""
    sizes = np.unique(groups, return_counts=True)[1]
    shared = int(sizes[sizes > 1].sum())
    if not shared:
        return f"{len(groups)} spectra of as many objects, none observed twice"
    return (
        f"{len(groups)} spectra of {len(sizes)} objects; {shared} ({shared / len(groups):.0%}) share their object "
        "with another and stay together in one fold"
    )


def data_grid(spectra: Spectra) -> dict[str, Any]:
    """Choose a wavelength grid that most spectra fill.

    From where four in five spectra have begun to where four in five have not ended, in bins of 1e-3 dex; finer
    (400 bins) where the range is narrow, but never finer than the pixels.

    Parameters
    ----------
    spectra : Spectra

    Returns
    -------
    dict
        ``loglam_min``, ``loglam_max``, ``n_bins`` of `LogWaveResampler`.

    Raises
    ------
    ValueError
        If the spectra have no range in common.
    """
    spectra = spectra.to_vacuum()
    wave = spectra.wave if isinstance(spectra.wave, list) else [spectra.wave] * len(spectra)
    ends = [w[good][[0, -1]] for w, good in zip(wave, spectra.valid, strict=True) if good.sum() > 1]
    if not ends:
        raise ValueError("no spectrum has valid pixels")
    loglam = np.log10(ends)
    low, high = np.quantile(loglam[:, 0], 0.8), np.quantile(loglam[:, 1], 0.2)
    low, high = np.ceil(low * 1000) / 1000, np.floor(high * 1000) / 1000
    if not low < high:
        raise ValueError("the spectra have no common range of wavelengths; give loglam_min and loglam_max")
    pixel = float(np.median([np.median(np.diff(np.log10(w))) for w in wave if len(w) > 1]))
    width = max(pixel, min(_BIN, (high - low) / _MIN_BINS))
    return {
        "loglam_min": round(float(low), 3),
        "loglam_max": round(float(high), 3),
        "n_bins": max(1, round((high - low) / width)),
    }
