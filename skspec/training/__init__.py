"""One training engine for all networks: what skorch needs from us.

`estimator` holds the `parameters` of training and runs it, `classifier` and `regressor` are what a user calls, `data`
what comes in, `batching`, `augmentation` and `targets` how it reaches the network, `network` the network's input
layer, `net` the loop, `validation`, `averaging` and `checkpoint` what is kept of it, and `losses`, `optimizers`,
`schedules`, `callbacks`, `precision` and `devices` what they say.
"""

from skspec.training.classifier import NeuralClassifier
from skspec.training.estimator import NeuralEstimator
from skspec.training.regressor import NeuralRegressor

__all__ = ["NeuralClassifier", "NeuralEstimator", "NeuralRegressor"]
