"""Members and data for the tests of ensembles."""

import numpy as np
import threadpoolctl
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification

from skspec import LogitVotingClassifier

X, CODES = make_classification(
    240, 6, n_informative=4, n_redundant=0, n_classes=3, flip_y=0.1, class_sep=0.8, random_state=0
)
Y = np.array(["K", "G", "M"])[CODES]
CLASSES, TARGET = np.unique(Y, return_inverse=True)
GROUPS = np.repeat(np.arange(60), 4)


class Known(ClassifierMixin, BaseEstimator):
    """A fitted classifier with given logits of row i, where X is i."""

    def __init__(self, logits, classes=(0, 1, 2)):
        self.logits = logits
        self.classes = classes

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        return np.asarray(self.classes)

    def fit(self, X, y):
        raise AssertionError("a prefit member is not fitted again")

    def decision_function(self, X):
        return self.logits[np.ravel(X)]

    def predict(self, X):
        return self.classes_[self.decision_function(X).argmax(axis=1)]


class Recorder(ClassifierMixin, BaseEstimator):
    """A nearest-mean classifier that records the arguments of fit."""

    seen: list = []  # noqa: RUF012 - shared by clones

    def fit(self, X, y, sample_weight=None, groups=None):
        self.seen.append((np.array(X), sample_weight, groups))
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        self.n_threads_ = max((pool["num_threads"] for pool in threadpoolctl.threadpool_info()), default=1)
        return self

    def predict_proba(self, X):
        return softmax(-np.square(X[:, None] - self.means_).sum(axis=2), axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def of(*members, **params):
    return LogitVotingClassifier([(f"m{i}", member) for i, member in enumerate(members)], **params)


def known(n_members, n_rows=60, n_classes=3, seed=0):
    """Return members with different accuracy and width of logits, rows and true classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_rows)
    skill = rng.uniform(0.2, 1.5, n_members)[:, None, None]
    logits = skill * np.eye(n_classes)[truth] + rng.normal(0, 1, (n_members, n_rows, n_classes))
    logits *= rng.uniform(0.5, 5, n_members)[:, None, None]
    return [Known(of_member) for of_member in logits], np.arange(n_rows)[:, None], truth, logits
