"""What ``skspec reproduce`` tests a system on, and the published table of joint MK classes. Nothing here prints."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.cli._training import group_spectra, select_labels
from skspec.datasets import load_galaxy10
from skspec.io import read_spectra
from skspec.metrics import BootstrapResult, accuracy, bootstrap_interval
from skspec.mk import joint_class, mk_grid, temperature_class
from skspec.spectra import Spectra


def _among(classes: tuple[str, ...], labels: NDArray[Any]) -> NDArray[np.str_]:
    """Labels in small letters; ``""`` for other classes."""
    labels = np.char.lower(labels)
    return np.where(np.isin(labels, classes), labels, "")


_PUBLISHED_GRIDS = {  # Å: first and last of so many pixels
    "mk_joint": (4000.4, 6799.9, 2305),
    "star_galaxy_qso": (3800.0, 8998.0, 2600),
    "boss_quasars": (3630.8, 10208.0, 433),
}
_REDUCTIONS: dict[str, Callable[[Any], NDArray[Any]]] = {  # to the classes of the published scores
    "mk_joint": joint_class,
    "lamost_rare_o": temperature_class,
    "star_galaxy_qso": partial(_among, ("star", "galaxy", "qso")),
}
_FEWEST = {"lamost_rare_o": 10}  # spectra of a class that a generator learns from, in each training part
_NO_POSITIONS = (
    "The file has neither positions nor names of objects, so spectra of one object cannot be kept together: only "
    "the published protocol can be followed, whose scores are too good if any object was observed twice."
)
_PREDICTIONS = "mk_test_predictions.npz"
_MEMBERS = {  # networks, by their number in the published table: key in the file, published scores
    "0": ("convkan", ".522 .405 .964 .725"),
    "1": ("convtran", ".567 .269 .980 .861"),
    "2": ("conv1d_old", ".597 .236 .980 .903"),
    "3": ("resnet50_1d", ".585 .322 .982 .798"),
    "4": ("conv1d_best", ".628 .269 .979 .865"),
    "5": ("conv1d_half_ord", ".609 .254 .983 .875"),
    "6": ("conv1d_no_ord", ".615 .258 .983 .877"),
}
_ENSEMBLES = {
    "1,3": ".652 .230 .987 .880",
    "3,4,6": ".677 .231 .985 .883",
    "3,4": ".676 .232 .983 .884",
}
_NAMES = (
    "ConvKAN",
    "ConvTran",
    "Conv1D-v1",
    "ResNet50",
    "Conv1D-v2",
    "Conv1D-v2, α = .5",
    "Conv1D-v2, α = 0",
)


@dataclass
class Data:
    """Spectra or images with labels, and what is known of their objects.

    Attributes
    ----------
    X : Spectra or ndarray
    y : ndarray of shape (n,)
    groups : ndarray of shape (n,) or None
        Objects; None if nothing tells them.
    grouping : str
        That in words.
    prepared : bool
        Whether X is on the published grid already.
    dropped : Counter
        How many were left out for which reason.
    """

    X: Any
    y: NDArray[Any]
    groups: NDArray[Any] | None
    grouping: str
    prepared: bool
    dropped: Counter[str]


def load_data(system: str, path: Path, *, labels: str | None = None) -> Data:
    """Read the data of a system.

    Parameters
    ----------
    system : str
    path : Path
        File or folder.
    labels : str, default=None
        Column of ``meta`` with the labels; None takes ``"subclass"`` for LAMOST's spectral types and else ``"class"``.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If there is no such column, fewer than two classes, or `labels` are given for images.
    """
    if system == "galaxy10":
        if labels is not None:
            raise ValueError(f"labels is for spectra; galaxy10 has its own, got {labels!r}")
        galaxies = load_galaxy10(path)
        alone = np.arange(len(galaxies.data))
        note = "Each image counts as a galaxy of its own: the file has no positions."
        return Data(galaxies.data, galaxies.target, alone, note, False, Counter())
    spectra = read_spectra(path)
    column = labels or ("subclass" if system == "lamost_rare_o" else "class")
    if column not in spectra.meta.colnames:
        raise ValueError(
            f"{path} has no column {column!r} with labels; it has {', '.join(spectra.meta.colnames)}"
        )
    y, keep, dropped = select_labels(spectra.meta[column])
    if system in _REDUCTIONS:
        y = _REDUCTIONS[system](y.astype(str))
        dropped["no class of this system"] += int((keep & (y == "")).sum())
        keep &= y != ""
    for label, n in Counter(y[keep].tolist()).items():
        if n < _FEWEST.get(system, 1):
            dropped[f"class {label} has fewer than {_FEWEST[system]} spectra"] += n
            keep &= y != label
    spectra, y = spectra[keep], y[keep]
    if len(np.unique(y)) < 2:
        raise ValueError(
            f"{path} has {len(y)} spectra of {len(np.unique(y))} classes of {system} in its column {column!r}"
        )
    groups, grouping = _objects(spectra, by_name=system == "mk_joint")
    return Data(spectra, y, groups, grouping, _on_published_grid(spectra, system), +dropped)


def _objects(spectra: Spectra, *, by_name: bool) -> tuple[NDArray[Any] | None, str]:
    """Objects by position; by name only where the names are those of objects and no numbers of spectra."""
    known = spectra.meta.colnames
    placed = (
        "ra" in known and np.isfinite(np.ma.filled(np.ma.asarray(spectra.meta["ra"], float), np.nan)).any()
    )
    if placed or (by_name and "object" in known):
        return group_spectra(spectra, "sky")
    return None, _NO_POSITIONS


def _on_published_grid(spectra: Spectra, system: str) -> bool:
    if system not in _PUBLISHED_GRIDS or not spectra.is_common_grid:
        return False
    first, last, n = _PUBLISHED_GRIDS[system]
    wave = np.asarray(spectra.wave)
    return len(wave) == n and bool(np.allclose(wave[[0, -1]], [first, last], rtol=1e-3))


@dataclass
class Line:
    """A score: published, by the published protocol, and object by object; None is not known."""

    name: str
    published: float | None
    as_published: BootstrapResult | None
    by_object: BootstrapResult | None


@dataclass
class Reproduction:
    """The table of a system.

    Attributes
    ----------
    title : str
        System, network and epochs.
    protocol : str
        The published one in words.
    folds : int or None
        Of the test object by object; None if nothing tells objects.
    lines : list of Line
    seconds : float
        Of all fits.
    """

    title: str
    protocol: str
    folds: int | None
    lines: list[Line]
    seconds: float


def reproduce(
    system: str,
    data: Data,
    *,
    network: str | None = None,
    folds: int = 5,
    epochs: int | None = None,
    seed: int = 0,
    on_fit: Callable[[], None] = lambda: None,
) -> Reproduction:
    """Train a system and test it, as published and object by object.

    Parameters
    ----------
    system : str
    data : Data
    network : str, default=None
        One of its networks; None takes that of the recipe.
    folds : int, default=5
    epochs : int, default=None
        None takes the published number.
    seed : int, default=0
    on_fit : callable, default=does nothing
        Called after each fit.

    Returns
    -------
    Reproduction

    Raises
    ------
    ValueError
        If the system has no such network.
    """
    from skspec.recipes._published import SCORES  # noqa: PLC0415 - recipes load torch
    from skspec.recipes._reproduction import SYSTEMS, as_published, by_object  # noqa: PLC0415

    published = SYSTEMS[system]
    if published.networks:
        network = network or published.networks[0]
        check_choice("network", network, published.networks)
    elif network is not None:
        raise ValueError(f"network is for mk_joint and galaxy10; {system} has one only, got {network!r}")
    params = {} if system == "galaxy10" else {"prepared": data.prepared}
    model = published.make(network=network, max_epochs=epochs, seed=seed, **params)
    start = time.perf_counter()
    theirs = as_published(system, model, data.X, data.y, seed=seed, on_fit=on_fit).intervals(system)
    ours: list[BootstrapResult | None] = [None] * len(theirs)
    if data.groups is not None:
        honest = by_object(model, data.X, data.y, data.groups, folds=folds, seed=seed, on_fit=on_fit)
        ours = honest.intervals(system)
    lines = [
        Line(score.name, score.published.get(network), *pair)
        for score, *pair in zip(SCORES[system], theirs, ours, strict=True)
        if any(pair)
    ]
    title = f"{system}{f', {network}' if network else ''}, at most {model[-1].max_epochs} epochs"
    return Reproduction(
        title, published.protocol, None if data.groups is None else folds, lines, time.perf_counter() - start
    )


# The table of joint MK classes, from published predictions ---------------------------------------------------


@dataclass
class Row:
    """A network or ensemble: its published scores, and the same with intervals."""

    name: str
    published: list[float]
    ours: list[BootstrapResult]


@dataclass
class MKTable:
    """The published table, and the accuracy of the best ensemble for stars that were trained on, and for others."""

    n_spectra: int
    rows: list[Row]
    known: tuple[float, int]
    new: tuple[float, int]


def find_predictions(path: Path) -> Path | None:
    """Return the file of published predictions at a path or in it, if there is one."""
    candidate = path / _PREDICTIONS if path.is_dir() else path
    return candidate if candidate.name == _PREDICTIONS and candidate.is_file() else None


def mk_table(path: Path, *, n_resamples: int = 1000, on_row: Callable[[], None] = lambda: None) -> MKTable:
    """Compute the published table of joint MK classes from the published logits.

    Parameters
    ----------
    path : Path
        File ``mk_test_predictions.npz``.
    n_resamples : int, default=1000
        Of the bootstrap, by spectra: the file tells no objects.
    on_row : callable, default=does nothing
        Called after each row.

    Returns
    -------
    MKTable

    Raises
    ------
    ValueError
        If the file is not that.
    """
    classes = mk_grid()
    data = _load_predictions(path, len(classes))
    y = classes[data["y_true"].astype(int)]
    logits = {key: data[f"scores_{name}"] for key, (name, _) in _MEMBERS.items()}
    named = {key: (f"{key} {_NAMES[int(key)]}", text) for key, (_, text) in _MEMBERS.items()}
    named |= {key: (f"({key})", text) for key, text in _ENSEMBLES.items()}
    rows = []
    for key, (name, text) in named.items():
        mean = np.mean([logits[member] for member in key.split(",")], axis=0)
        predicted = classes[mean.argmax(axis=1)]
        rows.append(Row(name, [float(word) for word in text.split()], _intervals(y, predicted, n_resamples)))
        on_row()
    shared = data["elodie_star_also_in_train"]
    known, new = (
        (accuracy(y[shared == flag], predicted[shared == flag]), int((shared == flag).sum()))
        for flag in (1, 0)
    )
    return MKTable(len(y), rows, known, new)


def _load_predictions(path: Path, n_classes: int) -> dict[str, NDArray[Any]]:
    shapes: dict[str, tuple[int, ...]] = {"y_true": (), "elodie_star_also_in_train": ()}
    shapes |= {f"scores_{name}": (n_classes,) for name, _ in _MEMBERS.values()}
    try:
        with open(path, "rb") as opened, np.load(opened) as file:
            data = {name: file[name] for name in shapes}
        strange = next((k for k, v in data.items() if v.shape != (len(data["y_true"]), *shapes[k])), None)
        if strange is None and not np.isin(data["y_true"], np.arange(n_classes)).all():
            strange = "y_true"
    except KeyError as error:
        raise ValueError(f"{path} are not the published predictions: {error.args[0]}") from error
    except Exception as error:  # numpy and zipfile fail in ways of their own
        raise ValueError(f"{path} is damaged, or no archive of NumPy") from error
    if strange is not None:
        raise ValueError(f"{path} are not the published predictions: {strange} has other shapes or values")
    return data


def _intervals(y: NDArray[Any], predicted: NDArray[Any], n_resamples: int) -> list[BootstrapResult]:
    from skspec.recipes._published import SCORES  # noqa: PLC0415 - recipes load torch

    return [
        bootstrap_interval(
            y, predicted, score.score, n_resamples=n_resamples, random_state=1337, **score.params
        )
        for score in SCORES["mk_joint"]
    ]
