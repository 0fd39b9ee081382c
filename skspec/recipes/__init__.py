"""Functions that return unfitted pipelines: five published systems with bugs fixed, and our own recommendation.

Each file without a leading underscore defines a published system, ``SYSTEM``, and is found here and by the command line.
Importing this package does not import torch.
"""

import importlib
import pkgutil

from skspec.recipes._fitting import FitRecipe, fit_recipes, make_baseline
from skspec.recipes._recommended import recommended
from skspec.recipes._reproduction import Reproduction, reproduce
from skspec.recipes._system import (
    PublishedGrid,
    PublishedScore,
    PublishedSystem,
    ScoredPredictions,
    SystemData,
)

PUBLISHED_SYSTEMS: dict[str, PublishedSystem] = {
    name: importlib.import_module(f"{__name__}.{name}").SYSTEM
    for _, name, _ in pkgutil.iter_modules(__path__)
    if not name.startswith("_")
}
FIT_RECIPES: dict[str, FitRecipe] = fit_recipes(PUBLISHED_SYSTEMS.values())
# the recipes replace the modules of the same name
globals().update({name: system.recipe for name, system in PUBLISHED_SYSTEMS.items()})

__all__ = [
    "FIT_RECIPES",
    "PUBLISHED_SYSTEMS",
    "FitRecipe",
    "PublishedGrid",
    "PublishedScore",
    "PublishedSystem",
    "Reproduction",
    "ScoredPredictions",
    "SystemData",
    "make_baseline",
    "recommended",
    "reproduce",
]
__all__ += list(PUBLISHED_SYSTEMS)
