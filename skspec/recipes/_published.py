"""What the five systems reached, by their own account, and how to compute the same scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]


@dataclass(frozen=True)
class Score:
    """A row of a published table.

    Attributes
    ----------
    name : str
        As it is printed.
    score : str or callable
        As `skspec.metrics.bootstrap_interval` takes it.
    params : mapping
        Parameters of the score.
    published : mapping of str to float
        Its published values, by network; None is the only network.
    label : str or None
        The class that it is about, without which it means nothing.
    """

    name: str
    score: str | Callable[[Labels, Labels], float]
    params: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str | None, float] = field(default_factory=dict)
    label: str | None = None


def recall(y_true: Labels, y_pred: Labels, *, label: str) -> float:
    """Fraction of a class that is found."""
    own = y_true == label
    return float(np.mean(y_pred[own] == label)) if own.any() else np.nan


def precision(y_true: Labels, y_pred: Labels, *, label: Any) -> float:
    """Fraction of what is called a class that is of it; 0 if nothing is."""
    called = y_pred == label
    return float(np.mean(y_true[called] == label)) if called.any() else 0.0


def macro_precision(y_true: Labels, y_pred: Labels) -> float:
    """Mean precision of the classes that there are."""
    return float(np.mean([precision(y_true, y_pred, label=label) for label in np.unique(y_true)]))


def _by_network(networks: tuple[str, ...], *values: float) -> dict[str | None, float]:
    return dict(zip(networks, values, strict=True))


_MK = ("conv1d-v1", "conv1d-v2", "resnet50", "convtran", "convkan")
_GALAXIES = ("cnn", "resnet18", "resnet50")
_BALANCED = {"class_weight": "balanced"}
_BOSS_RECALL = {
    "QSO": 0.989,
    "BAL": 0.818,
    "O": 0.524,
    "B": 0.405,
    "A": 0.713,
    "F": 0.910,
    "G": 0.782,
    "K": 0.855,
    "M": 0.975,
    "L": 0.797,
    "WD": 0.833,
    "C": 0.725,
    "GAL": 0.919,
}

SCORES: dict[str, tuple[Score, ...]] = {
    "mk_joint": (
        Score("macro-F1", "f1_macro", {}, _by_network(_MK, 0.597, 0.628, 0.585, 0.567, 0.522)),
        Score("MAE", "joint_mae", _BALANCED, _by_network(_MK, 0.236, 0.269, 0.322, 0.269, 0.405)),
        Score("QWK (T)", "joint_kappa", _BALANCED, _by_network(_MK, 0.980, 0.979, 0.982, 0.980, 0.964)),
        Score(
            "QWK (L)",
            "joint_kappa",
            {"order": "luminosity", **_BALANCED},
            _by_network(_MK, 0.903, 0.865, 0.798, 0.861, 0.725),
        ),
    ),
    "lamost_rare_o": (
        Score("accuracy", "accuracy", {}, {None: 0.8395}),
        Score("macro-F1", "f1_macro"),
        Score("precision of O", partial(precision, label="O"), {}, {None: 0.99}, label="O"),
        Score("recall of O", partial(recall, label="O"), label="O"),
    ),
    "galaxy10": (
        Score("macro precision", macro_precision, {}, _by_network(_GALAXIES, 0.551, 0.839, 0.908)),
        Score("macro recall", "accuracy", _BALANCED, _by_network(_GALAXIES, 0.526, 0.790, 0.909)),
        Score("macro-F1", "f1_macro", {}, _by_network(_GALAXIES, 0.511, 0.802, 0.908)),
    ),
    "star_galaxy_qso": (
        Score("macro-F1", "f1_macro", {}, {None: 0.9741}),
        Score("accuracy", "accuracy", {}, {None: 0.9945}),
    ),
    "boss_quasars": (
        Score("mean recall", "accuracy", _BALANCED, {None: sum(_BOSS_RECALL.values()) / len(_BOSS_RECALL)}),
        *(
            Score(f"recall of {name}", partial(recall, label=name), {}, {None: value}, label=name)
            for name, value in _BOSS_RECALL.items()
        ),
    ),
}
