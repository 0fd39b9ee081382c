"""What ``skspec fit`` trains, and how well it does: models and their cross-validation. Nothing here prints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skspec.checks import check_choice
from skspec.preprocessing import FluxNormalizer, LogWaveResampler
from skspec.spectra import Spectra

PUBLISHED = ("mk-joint", "lamost-rare-o", "star-galaxy-qso", "boss-quasars")
RECIPES = ("conv1d", "recommended", *PUBLISHED)
_FEWEST_OF_A_CLASS, _FEWEST = 10, 65  # to calibrate one of the members of "recommended"


@dataclass
class CrossValidation:
    """Predictions of one model for spectra that it had not seen, and its scores fold by fold."""

    labels: NDArray[Any]
    predicted: NDArray[Any]
    fold_accuracy: list[float] = field(default_factory=list)
    fold_f1: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accuracy(self) -> float:
        """Accuracy over all folds together."""
        return float(accuracy_score(self.labels, self.predicted))

    @property
    def macro_f1(self) -> float:
        """Unweighted mean of the classes' F1 over all folds together."""
        return float(f1_score(self.labels, self.predicted, average="macro", zero_division=0))

    def summary(self) -> dict[str, Any]:
        """Return scores as plain numbers, for the notes in the model file."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "fold_accuracy": self.fold_accuracy,
            "fold_macro_f1": self.fold_f1,
        }


def make_model(recipe: str, grid: dict[str, Any], *, epochs: int | None = None, seed: int = 0) -> Pipeline:
    """Return the unfitted pipeline of a recipe.

    ``"conv1d"`` is `LogWaveResampler`, `FluxNormalizer` and `Conv1DClassifier`. Standard normal variates serve the
    network better on survey spectra, whose level and slope are uncertain, than division by the median does. The others
    are those of `skspec.recipes`, ``"recommended"`` the one for classes of a survey's spectra.

    Parameters
    ----------
    recipe : {"conv1d", "recommended", "mk-joint", "lamost-rare-o", "star-galaxy-qso", "boss-quasars"}
    grid : dict
        Parameters of `LogWaveResampler`, for ``"conv1d"`` and ``"recommended"``; published systems have theirs, see
        `own_grid`.
    epochs : int, default=None
        Passes over the training spectra; None takes the default of the recipe.
    seed : int, default=0
        ``random_state`` of the classifier.

    Returns
    -------
    Pipeline
    """
    check_choice("recipe", recipe, RECIPES)
    if recipe != "conv1d":
        from skspec import recipes  # noqa: PLC0415 - torch is loaded by whoever trains

        if recipe == "recommended":
            return recipes.recommended(observed="survey", **grid, max_epochs=epochs, random_state=seed)
        return getattr(recipes, recipe.replace("-", "_"))(max_epochs=epochs, random_state=seed)
    from skspec.estimators import Conv1DClassifier  # noqa: PLC0415

    classifier = Conv1DClassifier(random_state=seed)
    if epochs is not None:
        classifier.set_params(max_epochs=epochs)
    return make_pipeline(LogWaveResampler(**grid), FluxNormalizer("snv"), classifier)


def own_grid(recipe: str) -> dict[str, Any] | None:
    """Return the wavelength grid of a published system; None for recipes that take it from the data.

    Parameters
    ----------
    recipe : str

    Returns
    -------
    dict or None
        ``loglam_min``, ``loglam_max`` and ``n_bins`` of `LogWaveResampler`.
    """
    if recipe not in PUBLISHED:
        return None
    resampler = make_model(recipe, {})["logwaveresampler"]
    return {name: getattr(resampler, name) for name in ("loglam_min", "loglam_max", "n_bins")}


def smallest_class(recipe: str, folds: int) -> int:
    """Return how many spectra a class needs at least, for a recipe and folds of a cross-validation.

    Parameters
    ----------
    recipe : str
    folds : int

    Returns
    -------
    int
    """
    return max(folds, _FEWEST_OF_A_CLASS) if recipe == "recommended" else folds


def check_enough(recipe: str, n_spectra: int, folds: int) -> None:
    """Refuse a recipe that cannot be cross-validated with so few spectra.

    Parameters
    ----------
    recipe : str
    n_spectra : int
    folds : int

    Raises
    ------
    ValueError
        If the folds leave too few to train with.
    """
    needed = -(-_FEWEST * folds // (folds - 1))
    if recipe == "recommended" and n_spectra < needed:
        raise ValueError(
            f"{recipe} needs {needed} spectra or more for {folds} folds, there are {n_spectra}; try conv1d"
        )


def fit_in_one_thread(model: BaseEstimator, spectra: Spectra, labels: NDArray[Any]) -> BaseEstimator:
    """Fit a model; its batches are too small to share, and waiting for threads costs many times what they save.

    Parameters
    ----------
    model : estimator
    spectra : Spectra
    labels : ndarray of shape (n_spectra,)

    Returns
    -------
    estimator
        The model itself.
    """
    with threadpool_limits(1):
        return model.fit(spectra, labels)


def make_baseline(grid: dict[str, Any], *, seed: int = 0, n_jobs: int | None = None) -> Pipeline:
    """Return the random forest that stands beside every model, on the same wavelength grid.

    Parameters
    ----------
    grid : dict
        Parameters of `LogWaveResampler`.
    seed : int, default=0
    n_jobs : int, default=None

    Returns
    -------
    Pipeline
    """
    forest = RandomForestClassifier(n_estimators=300, random_state=seed, n_jobs=n_jobs)
    return make_pipeline(LogWaveResampler(**grid), FluxNormalizer(), forest)


def cross_validate(
    models: dict[str, BaseEstimator],
    spectra: Spectra,
    labels: NDArray[Any],
    groups: NDArray[Any],
    *,
    folds: int = 5,
    seed: int = 0,
    on_fit: Callable[[], None] = lambda: None,
) -> dict[str, CrossValidation]:
    """Cross-validate models on the same folds, which keep the groups together and the classes balanced.

    Parameters
    ----------
    models : dict of estimators
    spectra : Spectra
    labels, groups : ndarray of shape (n_spectra,)
    folds : int, default=5
    seed : int, default=0
        Shuffles the folds.
    on_fit : callable, default=does nothing
        Called after each fit of a model to a fold.

    Returns
    -------
    dict of CrossValidation
        By the names of `models`.

    Raises
    ------
    ValueError
        If a class is in fewer groups than there are folds, so that some fold would not know it.
    """
    for label in np.unique(labels):
        n = len(np.unique(groups[labels == label]))
        if n < folds:
            raise ValueError(
                f"class {label} has {n} objects, fewer than the {folds} folds; lower folds or raise min_class_size"
            )
    results = {name: CrossValidation(labels, np.empty_like(labels)) for name in models}
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(np.empty(len(labels)), labels, groups):
        for name, model in models.items():
            start = time.perf_counter()
            fitted = fit_in_one_thread(clone(model), spectra[train], labels[train])
            predicted = fitted.predict(spectra[test])
            result = results[name]
            result.predicted[test] = predicted
            result.fold_accuracy.append(float(accuracy_score(labels[test], predicted)))
            result.fold_f1.append(float(f1_score(labels[test], predicted, average="macro", zero_division=0)))
            result.seconds += time.perf_counter() - start
            on_fit()
    return results
