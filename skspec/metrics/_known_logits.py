"""Answers that are known already, for scorers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin


class KnownLogits(ClassifierMixin, BaseEstimator):
    """A classifier whose answers for some rows are known already: what scikit-learn's scorers ask.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
    classes : ndarray of shape (n_classes,)
        Labels, in the order of the columns.
    """

    def __init__(self, logits: NDArray[np.floating], classes: NDArray[Any]) -> None:
        self.logits = logits
        self.classes = classes
        self.classes_ = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Logits; for two classes, that of the second less that of the first."""
        return self.logits[:, 1] - self.logits[:, 0] if len(self.classes) == 2 else self.logits

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Softmax of the logits."""
        return softmax(self.logits.astype(np.float64), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class."""
        return self.classes[self.logits.argmax(axis=1)]
