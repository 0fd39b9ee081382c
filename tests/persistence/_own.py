"""Estimators as users might write them, registered for saving."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from torch import nn

from skspec import FluxNormalizer, register_estimator
from skspec.training import Augmentation, SpectrumClassifier


@register_estimator
class ColumnScaler(TransformerMixin, BaseEstimator):
    """Transformer with fitted attributes, and a parameter that only guides another fit."""

    __skspec_fit_only__ = ("cache_dir",)

    def __init__(self, power=1.0, cache_dir=None):
        self.power = power
        self.cache_dir = cache_dir

    def fit(self, X, y=None):
        self.scale_ = np.std(X, axis=0) ** self.power
        return self

    def transform(self, X):
        return X / self.scale_


@register_estimator
class NearestMean(ClassifierMixin, BaseEstimator):
    """Classifier with its own state protocol."""

    def fit(self, X, y):
        self._labels = np.unique(y)
        self._means = np.array([X[y == label].mean(axis=0) for label in self._labels])
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_means")

    @property
    def classes_(self):
        return self._labels

    def predict(self, X):
        return self._labels[np.square(X[:, None] - self._means).sum(axis=2).argmin(axis=1)]

    def __skspec_get_state__(self):
        return {"labels": self._labels.tolist()}, {"means": self._means}

    def __skspec_set_state__(self, state, arrays):
        self._labels, self._means = np.array(state["labels"]), arrays["means"]
        if len(self._labels) != len(self._means):
            raise ValueError("a mean for each label is needed")


class Linear(nn.Module):
    """A network with one hidden layer."""

    def __init__(self, n_inputs, n_hidden, n_outputs):
        super().__init__()
        self.hidden = nn.Linear(n_inputs, n_hidden)
        self.last = nn.Linear(n_hidden, n_outputs)

    def features(self, x):
        """Activations before the last layer."""
        return self.hidden(x.flatten(1)).relu()

    def forward(self, x):
        """Logits."""
        return self.last(self.features(x))


@register_estimator
class LinearClassifier(SpectrumClassifier):
    """Classify spectra by one hidden layer.

    Parameters
    ----------
    n_hidden : int
        Number of hidden units.
    """

    n_hidden: int = 8

    def _build_network(self, shape, n_outputs):
        return Linear(shape[0] * shape[1], self.n_hidden, n_outputs)


@register_estimator
class Dimming(Augmentation):
    """An augmentation."""

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, x, ivar_channel=None, wave=None):
        """Return fainter copies."""
        return x * self.factor


@register_estimator
class Normalizer(FluxNormalizer):
    """A subclass of a transformer of skspec."""


class Unregistered(FluxNormalizer):
    """Transformer that is not registered."""
