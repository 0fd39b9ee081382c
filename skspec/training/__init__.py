"""One training engine for all networks: what skorch needs from us.

`base` holds the estimator and its parameters, `data` what comes in, `batching` how it reaches the network,
`network` the network's input layer, `net` the loop, and `losses`, `optimizers`, `schedules`, `callbacks` and
`devices` what they say.
"""

from skspec.training.base import NeuralClassifier

__all__ = ["NeuralClassifier"]
