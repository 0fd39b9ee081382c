"""Tasks that the default network must learn perfectly, beyond the contract of all networks."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests._estimators import CASES

N_PIXELS = 24


def spectra(n=60, n_classes=3):
    """Return noisy flat spectra with a line whose position is the class, an easy task."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    X = 1.0 + 0.1 * rng.normal(size=(n, N_PIXELS))
    X[np.arange(n), 2 + y * (N_PIXELS // n_classes)] += 1.0
    return X, y


@pytest.fixture
def model():
    return CASES["Conv1DClassifier"].make().set_params(random_state=0)


def test_learns_every_spectrum(model):
    X, y = spectra()
    assert model.fit(X, y).score(X, y) == 1.0
    noise = np.random.default_rng(2).normal(size=X.shape)
    two = clone(model).set_params(n_channels=2).fit(np.hstack([noise, X]), y)
    assert two.score(np.hstack([noise, X]), y) == 1.0


def test_class_weight_moves_the_boundary(model):
    rng = np.random.default_rng(0)
    y, y_test = np.repeat([0, 1], [90, 30]), np.repeat([0, 1], 200)
    X = rng.normal(size=(120, N_PIXELS)) + 0.35 * y[:, None]
    X_test = rng.normal(size=(400, N_PIXELS)) + 0.35 * y_test[:, None]
    model.set_params(max_epochs=3)
    recall = {
        name: clone(model).set_params(class_weight=weight).fit(X, y).predict(X_test)[y_test == 1].mean()
        for name, weight in {"none": None, "balanced": "balanced", "mapping": {0: 1.0, 1: 100.0}}.items()
    }
    assert recall["none"] < recall["balanced"] <= recall["mapping"]
    assert recall["mapping"] > 0.95


def test_sample_weight_decides_between_contradictory_labels(model):
    X, y = spectra(n=120, n_classes=2)
    wrong = np.arange(120) < 40
    lie = np.where(wrong, 1 - y, y)
    trusting = clone(model).fit(X, lie).score(X[wrong], y[wrong])
    doubting = clone(model).fit(X, lie, sample_weight=np.where(wrong, 0.0, 1.0)).score(X[wrong], y[wrong])
    assert doubting == 1.0 > trusting


def test_grid_search_in_a_pipeline_in_processes(model):
    X, y = spectra()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {"conv1dclassifier__lr": [1e-7, 1e-2]},
        cv=2,
        n_jobs=2,
        refit=True,
    ).fit(X, np.array(["A", "F", "G"])[y])
    assert search.best_params_ == {"conv1dclassifier__lr": 1e-2}
    assert search.best_score_ > 0.8


def test_inside_ensembles_and_calibration(model):
    X, index = spectra(n=90)
    y = np.array(["A", "F", "G"])[index]
    vote = VotingClassifier([("net", model), ("lr", LogisticRegression())], voting="soft").fit(X, y)
    assert vote.score(X, y) == 1.0
    assert CalibratedClassifierCV(model, cv=2).fit(X, y).score(X, y) == 1.0
    assert (cross_val_predict(model, X, y, cv=3) == y).mean() > 0.9
