"""Recipes that ``skspec fit`` can train on survey spectra, and a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

import skspec
from skspec.preprocessing import FluxNormalizer, LogWaveResampler
from skspec.recipes._recommended import recommended
from skspec.recipes._system import PublishedGrid, PublishedSystem


@dataclass(frozen=True)
class FitRecipe:
    """Recipe for survey spectra, and its requirements."""

    name: str
    recipe: Callable[..., Pipeline]
    grid: PublishedGrid | None = None  # None if the grid is chosen from the data
    min_class_size: int = 1
    min_train_size: int = 1

    def make(self, grid: dict[str, Any], *, epochs: int | None = None, seed: int = 0) -> Pipeline:
        """Return the unfitted pipeline; `grid`, parameters of `LogWaveResampler`, is ignored if the recipe has one."""
        return self.recipe(**({} if self.grid else grid), max_epochs=epochs, random_state=seed)

    def check_size(self, n_spectra: int, folds: int) -> None:
        """Raise ValueError if the training sets of a cross-validation have too few spectra."""
        needed = -(-self.min_train_size * folds // (folds - 1))
        if n_spectra < needed:
            raise ValueError(
                f"{self.name} needs {needed} or more spectra for {folds} folds, got {n_spectra}; try conv1d"
            )


def fit_recipes(systems: Iterable[PublishedSystem]) -> dict[str, FitRecipe]:
    """Return the recipes for spectra by name: a convolutional network, the recommended ensemble, published systems."""
    # its support vector machine is calibrated in five folds, each with every class and 50 spectra for training
    ours = FitRecipe("recommended", partial(recommended, observed="survey"), None, 10, 65)
    published = [FitRecipe(system.name, system.recipe, system.grid) for system in systems if system.grid]
    return {recipe.name: recipe for recipe in (FitRecipe("conv1d", _conv1d), ours, *published)}


def _conv1d(*, max_epochs: int | None, random_state: int, **grid: Any) -> Pipeline:
    """Return a convolutional network on standard normal variates.

    On survey spectra, whose level and slope are uncertain, they work better than flux divided by its median.
    """
    classifier = skspec.Conv1DClassifier(random_state=random_state)
    if max_epochs is not None:
        classifier.set_params(max_epochs=max_epochs)
    return make_pipeline(LogWaveResampler(**grid), FluxNormalizer("snv"), classifier)


def make_baseline(grid: dict[str, Any], *, seed: int = 0, n_jobs: int | None = None) -> Pipeline:
    """Return the random forest to compare a recipe with, on the `grid` (parameters of `LogWaveResampler`)."""
    forest = RandomForestClassifier(n_estimators=300, random_state=seed, n_jobs=n_jobs)
    return make_pipeline(LogWaveResampler(**grid), FluxNormalizer(), forest)
