"""Retrain a published system, and test it by its published protocol and grouped by object."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skspec.checks import check_choice
from skspec.metrics import BootstrapResult, bootstrap_interval
from skspec.model_selection import grouped_folds
from skspec.recipes._system import PublishedScore, PublishedSystem, SystemData

_BCA_LIMIT = 2000  # objects; the jackknife of the BCa interval leaves out each of them once
_MIN_RESAMPLES, _MAX_DRAWN = 100, 50_000_000  # objects in all resamples: 400 MB


@dataclass
class HeldOutPredictions:
    """Labels and predictions of held-out spectra, and their objects, whose spectra the bootstrap draws together."""

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    groups: NDArray[Any] | None = None

    def intervals(
        self, scores: tuple[PublishedScore, ...], *, seed: int = 0, n_resamples: int = 1000
    ) -> list[BootstrapResult | None]:
        """Return scores with 95 % intervals; None for a class without held-out spectra.

        With more than 2000 objects, intervals are percentiles of the resamples instead of BCa intervals; with more than
        50,000, fewer than `n_resamples` are drawn.
        """
        present = set(self.y_true.tolist())
        n_units = len(self.y_true) if self.groups is None else len(np.unique(self.groups))
        options: dict[str, Any] = {
            "groups": self.groups,
            "method": "bca" if n_units <= _BCA_LIMIT else "percentile",
            "n_resamples": min(n_resamples, max(_MIN_RESAMPLES, _MAX_DRAWN // n_units)),
            "random_state": seed,
        }
        return [
            bootstrap_interval(self.y_true, self.y_pred, score.score, **options, **score.params)
            if score.label is None or score.label in present
            else None
            for score in scores
        ]


def random_split(
    y: NDArray[Any], fraction: float, *, stratified: bool, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return training and test rows, split without regard to objects; each class has at least one training row."""
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
    system: PublishedSystem,
    model: Pipeline,
    X: Any,
    y: NDArray[Any],
    *,
    seed: int,
    on_fit: Callable[[], None] = lambda: None,
) -> HeldOutPredictions:
    """Test an unfitted model by the published protocol: one random split, without regard to objects."""
    model, X, y = system.before_published_split(model, X, y, seed=seed)
    train, test = random_split(y, system.test_fraction, stratified=system.stratified, seed=seed)
    with threadpool_limits(1):
        predicted = clone(model).fit(X[train], y[train]).predict(X[test])
    on_fit()
    return HeldOutPredictions(y[test], predicted)


def by_object(
    model: Pipeline,
    X: Any,
    y: NDArray[Any],
    groups: NDArray[Any],
    *,
    folds: int,
    seed: int,
    on_fit: Callable[[], None] = lambda: None,
) -> HeldOutPredictions:
    """Test an unfitted model by cross-validation that keeps all spectra of an object in one fold."""
    predicted = np.empty_like(y)
    for train, test in grouped_folds(y, groups, folds=folds, seed=seed):
        with threadpool_limits(1):
            predicted[test] = clone(model).fit(X[train], y[train]).predict(X[test])
        on_fit()
    return HeldOutPredictions(y, predicted, groups)


@dataclass
class Reproduction:
    """Published and computed scores of a system."""

    title: str  # system, network and number of epochs
    protocol: str  # the published split in words
    folds: int | None  # grouped by object; None if objects are not identified
    scores: list[tuple[Any, ...]]  # name; published, by the published protocol, grouped by object (or None)
    seconds: float  # of all fits and predictions


def reproduce(
    system: PublishedSystem,
    data: SystemData,
    *,
    network: str | None = None,
    folds: int = 5,
    epochs: int | None = None,
    seed: int = 0,
    on_fit: Callable[[], None] = lambda: None,
) -> Reproduction:
    """Train a system, and test it by the published protocol and grouped by object.

    Parameters
    ----------
    system : PublishedSystem
    data : SystemData
        From ``system.load``.
    network : str or None, default=None
        One of its networks; None means the default of the recipe.
    folds : int, default=5
        Number of folds grouped by object.
    epochs : int or None, default=None
        Number of epochs; None means the published number.
    seed : int, default=0
        Seed of the random number generators.
    on_fit : callable, optional
        Function without arguments that is called after each fit.

    Returns
    -------
    Reproduction

    Raises
    ------
    ValueError
        If the system has no such network.
    """
    params: dict[str, Any] = {} if system.grid is None else {"prepared": data.prepared}
    if system.networks:
        network = network or system.networks[0]
        check_choice("network", network, system.networks)
        params["network"] = network
    elif network is not None:
        raise ValueError(f"{system.name} has only one network, got network={network!r}")
    model = system.recipe(max_epochs=epochs, random_state=seed, **params)
    start = time.perf_counter()
    published = as_published(system, model, data.X, data.y, seed=seed, on_fit=on_fit).intervals(system.scores)
    grouped: list[BootstrapResult | None] = [None] * len(published)
    if data.groups is not None:
        tested = by_object(model, data.X, data.y, data.groups, folds=folds, seed=seed, on_fit=on_fit)
        grouped = tested.intervals(system.scores)
    scores = [
        (score.name, score.published.get(network), *pair)
        for score, *pair in zip(system.scores, published, grouped, strict=True)
        if any(pair)
    ]
    title = f"{system.name}{f', {network}' if network else ''}, at most {model[-1].max_epochs} epochs"
    n_folds = None if data.groups is None else folds
    return Reproduction(title, system.protocol, n_folds, scores, time.perf_counter() - start)
