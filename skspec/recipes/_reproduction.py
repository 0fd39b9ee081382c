"""The published scores of a system beside those of its recipe: by the published protocol, and object by object."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skspec.metrics import BootstrapResult, bootstrap_interval
from skspec.recipes._boss_quasars import boss_quasars
from skspec.recipes._galaxy10 import NETWORKS as GALAXY_NETWORKS
from skspec.recipes._galaxy10 import PER_CLASS, VIEWS, galaxy10
from skspec.recipes._lamost_rare_o import lamost_rare_o
from skspec.recipes._mk_joint import NETWORKS as MK_NETWORKS
from skspec.recipes._mk_joint import mk_joint
from skspec.recipes._published import SCORES
from skspec.recipes._star_galaxy_qso import star_galaxy_qso

_FEW = 2000  # objects, each of which can be left out once
_FEWEST_RESAMPLES, _MOST_DRAWN = 100, 50_000_000  # objects in all resamples: 400 MB


@dataclass(frozen=True)
class System:
    """A published system: its recipe, its networks (the first is the recipe's own), and how it was tested.

    Attributes
    ----------
    recipe : callable
    networks : tuple of str
        Empty if there is one only.
    tested : float
        Fraction of the spectra that was tested on.
    stratified : bool
        Whether they were drawn class by class.
    protocol : str
        The same in words.
    """

    recipe: Callable[..., Pipeline]
    networks: tuple[str, ...]
    tested: float
    stratified: bool
    protocol: str

    def make(self, *, network: str | None, max_epochs: int | None, seed: int, **params: Any) -> Pipeline:
        """Return the unfitted pipeline."""
        if network is not None:
            params["network"] = network
        return self.recipe(max_epochs=max_epochs, random_state=seed, **params)


SYSTEMS = {
    "mk_joint": System(
        mk_joint,
        ("conv1d-v2", *(name for name in MK_NETWORKS if name != "conv1d-v2")),
        0.15,
        True,
        "spectrum by spectrum, class by class, 15 % for testing",
    ),
    "lamost_rare_o": System(lamost_rare_o, (), 0.3, False, "spectrum by spectrum, 30 % for testing"),
    "galaxy10": System(
        galaxy10,
        ("resnet18", *(name for name in GALAXY_NETWORKS if name != "resnet18")),
        0.1,
        True,
        "turned and mirrored copies first, then copy by copy, class by class, 10 % for testing",
    ),
    "star_galaxy_qso": System(
        star_galaxy_qso, (), 2 / 9, False, "spectrum by spectrum, 2 of 9 for testing, as in the contest"
    ),
    "boss_quasars": System(boss_quasars, (), 0.1, False, "spectrum by spectrum, 10 % for testing"),
}


@dataclass
class Protocol:
    """Labels and predictions of one way of testing.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n_tested,)
    groups : ndarray of shape (n_tested,) or None
        Objects, which the bootstrap draws as a whole.
    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    groups: NDArray[Any] | None = None

    def intervals(
        self, system: str, *, seed: int = 0, n_resamples: int = 1000
    ) -> list[BootstrapResult | None]:
        """Score with 95 % intervals.

        Parameters
        ----------
        system : str
        seed : int, default=0
        n_resamples : int, default=1000
            Fewer are taken of more than 50,000 objects; of more than 2000, intervals are those of percentiles.

        Returns
        -------
        list of BootstrapResult or None
            In the order of the published table; None where a class was not tested.
        """
        present = set(self.y_true.tolist())
        n_units = len(self.y_true) if self.groups is None else len(np.unique(self.groups))
        options: dict[str, Any] = {
            "groups": self.groups,
            "method": "bca" if n_units <= _FEW else "percentile",
            "n_resamples": min(n_resamples, max(_FEWEST_RESAMPLES, _MOST_DRAWN // n_units)),
            "random_state": seed,
        }
        return [
            bootstrap_interval(self.y_true, self.y_pred, score.score, **options, **score.params)
            if score.label is None or score.label in present
            else None
            for score in SCORES[system]
        ]


def random_split(
    y: NDArray[Any], fraction: float, *, stratified: bool, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split rows at random, whatever they are of; a class keeps at least one row to learn from.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    fraction : float
        To test on.
    stratified : bool
        Whether each class is split by itself.
    seed : int

    Returns
    -------
    train, test : ndarray of int
    """
    generator = np.random.default_rng(seed)
    _, classes = np.unique(y, return_inverse=True)
    strata = classes if stratified else np.zeros(len(y), dtype=int)
    testing = np.zeros(len(y), dtype=bool)
    for stratum in range(strata.max() + 1):
        rows = generator.permutation(np.flatnonzero(strata == stratum))
        testing[rows[: round(fraction * len(rows))]] = True
    for label in range(classes.max() + 1):
        if testing[classes == label].all():
            testing[np.flatnonzero(classes == label)[-1]] = False
    if not testing.any():
        raise ValueError(f"{len(y)} spectra are too few to test on {fraction:.0%} of them")
    return np.flatnonzero(~testing), np.flatnonzero(testing)


def as_published(
    system: str,
    model: Pipeline,
    X: Any,
    y: NDArray[Any],
    *,
    seed: int,
    on_fit: Callable[[], None] = lambda: None,
) -> Protocol:
    """Test as the publication did: one random split, which knows of no objects.

    Parameters
    ----------
    system : str
    model : Pipeline
        Unfitted.
    X, y
        Data as the recipe takes them.
    seed : int
    on_fit : callable, default=does nothing
        Called after the fit.

    Returns
    -------
    Protocol
    """
    if system == "galaxy10":
        X, y = views_of_images(X, y, seed=seed)
        model = clone(model).set_params(randomundersampler="passthrough", randomoversampler="passthrough")
    published = SYSTEMS[system]
    train, test = random_split(y, published.tested, stratified=published.stratified, seed=seed)
    with threadpool_limits(1):
        predicted = clone(model).fit(X[train], y[train]).predict(X[test])
    on_fit()
    return Protocol(y[test], predicted)


def by_object(
    model: Pipeline,
    X: Any,
    y: NDArray[Any],
    groups: NDArray[Any],
    *,
    folds: int,
    seed: int,
    on_fit: Callable[[], None] = lambda: None,
) -> Protocol:
    """Test by cross-validation in which all spectra of an object are in one fold.

    Parameters
    ----------
    model : Pipeline
        Unfitted.
    X, y
        Data as the recipe takes them.
    groups : ndarray of shape (n_spectra,)
        Objects.
    folds : int
    seed : int
    on_fit : callable, default=does nothing
        Called after each fit.

    Returns
    -------
    Protocol
        Of all folds together.
    """
    predicted = np.empty_like(y)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # rare classes are few, and some fold has none of them
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        splits = list(splitter.split(np.empty(len(y)), y, groups))
    for train, test in splits:
        with threadpool_limits(1):
            predicted[test] = clone(model).fit(X[train], y[train]).predict(X[test])
        on_fit()
    return Protocol(y, predicted, groups)


def views_of_images(
    X: NDArray[Any], y: NDArray[Any], *, seed: int, n_channels: int = 3
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Make the eight views of square images, at most 4000 of a class drawn at random.

    Parameters
    ----------
    X : ndarray of shape (n_images, n_channels * side * side)
    y : ndarray of shape (n_images,)
    seed : int
    n_channels : int, default=3

    Returns
    -------
    X, y : ndarray
        Of the views.
    """
    generator = np.random.default_rng(seed)
    side = round((X.shape[1] / n_channels) ** 0.5)
    chosen = []
    for label in np.unique(y):
        of_class = np.flatnonzero(y == label)[:, None] * VIEWS + np.arange(VIEWS)
        chosen.append(generator.permutation(of_class.ravel())[:PER_CLASS])
    rows, views = np.divmod(np.concatenate(chosen), VIEWS)
    images = np.ascontiguousarray(X[rows]).reshape(-1, n_channels, side, side)
    for view in range(1, VIEWS):
        turned = np.rot90(images[views == view], view // 2, (-2, -1))
        images[views == view] = turned[..., ::-1] if view % 2 else turned
    return images.reshape(len(rows), -1), y[rows]
