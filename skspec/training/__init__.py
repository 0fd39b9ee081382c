"""Training engine of the neural estimators, based on skorch.

`estimator`, `classifier`, `regressor` and `inputs` contain the base classes and their parameters; `declaration` composes
signatures and docstrings. `data` validates X and y, `run` starts a training run, `net` contains the training loop, and
`prediction` applies a trained network. The other modules are parts of these, named after their content.
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
