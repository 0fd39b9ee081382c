"""The training engine of all neural estimators, around skorch.

`estimator`, `classifier`, `regressor` and `inputs` are the base classes with their parameters, `declaration` composes
their signature and documentation. `data` validates X and y; `run` is one training run, `net` its loop, `prediction` the
application of a trained network; the other modules are parts of these, each named after what it holds.
"""

from skspec.training.augmentation import (
    Augmentation,
    Flips,
    Mask,
    Noise,
    Rotations,
    Shift,
    Tilt,
    VelocityShift,
)
from skspec.training.classifier import NeuralClassifier
from skspec.training.estimator import NeuralEstimator
from skspec.training.inputs import ImageClassifier, SpectrumClassifier, SpectrumInput
from skspec.training.regressor import NeuralRegressor

__all__ = [
    "Augmentation",
    "Flips",
    "ImageClassifier",
    "Mask",
    "NeuralClassifier",
    "NeuralEstimator",
    "NeuralRegressor",
    "Noise",
    "Rotations",
    "Shift",
    "SpectrumClassifier",
    "SpectrumInput",
    "Tilt",
    "VelocityShift",
]
