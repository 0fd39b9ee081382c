"""Scales and greedy selection against closed forms and brute force."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    KFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB

from skspec.metrics import accuracy, f1_macro
from tests.ensemble._voters import TARGET, Known, Recorder, X, Y, known, of


@pytest.mark.parametrize("weighted", [False, True])
def test_temperature_is_the_minimum_of_the_log_loss(weighted):
    members, rows, truth, logits = known(4)
    weight = np.random.default_rng(1).uniform(0, 2, len(truth)) if weighted else None
    model = of(*members, cv="prefit", scaling="temperature").fit(rows, truth, sample_weight=weight)
    # labels smoothed by 1e-3: each row once with its own label, and once with each label
    smoothed = np.concatenate([truth, *(np.full(len(truth), k) for k in range(3))])
    share = np.repeat([0.999, 1e-3 / 3, 1e-3 / 3, 1e-3 / 3], len(truth))
    share *= np.tile(np.ones(len(truth)) if weight is None else weight, 4)
    for found, of_member in zip(model.scales_, logits, strict=True):
        grid = found * np.exp(np.linspace(-0.05, 0.05, 101))
        losses = [
            log_loss(smoothed, softmax(np.tile(of_member, (4, 1)) / T, axis=1), sample_weight=share)
            for T in grid
        ]
        assert np.argmin(losses) == 50
    expected = np.mean(logits / model.scales_[:, None, None], axis=0)
    np.testing.assert_allclose(model.decision_function(rows), expected, rtol=1e-10)


def test_temperature_of_perfect_and_useless_members():
    _, rows, truth, logits = known(1)
    perfect, wrong, ignorant = np.eye(3)[truth], -np.eye(3)[truth], np.zeros_like(logits[0])
    model = of(Known(perfect), Known(wrong), Known(ignorant), cv="prefit", scaling="temperature")
    scales = model.fit(rows, truth).scales_
    # softmax of (1, 0, 0) / T gives the smoothed label of .999 + .001 / 3 to its class
    p = 0.999 + 1e-3 / 3
    assert scales[0] == pytest.approx(1 / np.log(2 * p / (1 - p)), rel=1e-9)
    assert scales[1] == 1e3
    np.testing.assert_array_equal(model.predict(rows), truth)


def test_standard_scaling_removes_widths():
    members, rows, truth, logits = known(3)
    model = of(*members, cv="prefit", scaling="standard").fit(rows, truth)
    centred = logits - logits.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(model.scales_, centred.std(axis=(1, 2)), rtol=1e-12)
    wide = [Known(k * of_member + 7) for k, of_member in zip((1, 30, 0.1), logits, strict=True)]
    again = of(*wide, cv="prefit", scaling="standard").fit(rows, truth)
    np.testing.assert_allclose(again.predict_proba(rows), model.predict_proba(rows), rtol=1e-9)


def test_a_member_with_constant_logits_is_not_scaled():
    """Its logits are equal up to rounding errors, which must not be amplified."""
    members, rows, truth, logits = known(1)
    rounding = Known(np.log(np.full((60, 3), 1 / 3)) + 3e-16 * np.sign(logits[0][::-1]))
    model = of(*members, rounding, cv="prefit", scaling="standard").fit(rows, truth)
    assert model.scales_[1] == 1
    np.testing.assert_array_equal(model.predict(rows), logits[0].argmax(axis=1))


def test_scales_are_found_out_of_fold():
    members = LogisticRegression(), RandomForestClassifier(10, random_state=0)
    model = of(*members, scaling="standard", cv=3).fit(X, Y)
    linear = cross_val_predict(members[0], X, Y, cv=3, method="decision_function")
    forest = np.log(np.maximum(cross_val_predict(members[1], X, Y, cv=3, method="predict_proba"), 1e-3))
    expected = [np.sqrt(np.var(logits, axis=1).mean()) for logits in (linear, forest)]
    np.testing.assert_allclose(model.scales_, expected, rtol=1e-9)


def test_margins_are_calibrated_by_temperature():
    raw, scaled = of(RidgeClassifier(), cv=3), of(RidgeClassifier(), scaling="temperature", cv=3)
    before, after = (cross_val_predict(m, X, Y, cv=4, method="predict_proba") for m in (raw, scaled))
    assert log_loss(Y, after) < log_loss(Y, before) - 0.05
    np.testing.assert_array_equal(scaled.fit(X, Y).predict(X), raw.fit(X, Y).predict(X))


def brute_force_selection(logits, truth, loss, n):
    """Try lists of members, adding one at a time, and return the shortest of the best."""
    chosen, history = [], []
    for _ in range(n):
        losses = [loss(truth, np.mean([logits[k] for k in [*chosen, j]], axis=0)) for j in range(len(logits))]
        chosen.append(min(range(len(logits)), key=lambda j: (round(losses[j], 12), j)))
        history.append((round(min(losses), 12), len(chosen)))
    return np.bincount(chosen[: min(history)[1]], minlength=len(logits))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scoring", [None, "accuracy", "f1_macro"])
def test_greedy_selection_is_that_of_brute_force(scoring, seed):
    members, rows, truth, logits = known(5, seed=seed)
    model = of(*members, cv="prefit", selection="greedy", scoring=scoring, max_members=9).fit(rows, truth)
    loss = {
        None: lambda y, z: log_loss(y, softmax(z, axis=1)),
        "accuracy": lambda y, z: -accuracy(y, z.argmax(axis=1)),
        "f1_macro": lambda y, z: -f1_macro(y, z.argmax(axis=1)),
    }[scoring]
    counts = brute_force_selection(logits, truth, loss, 9)
    np.testing.assert_allclose(model.weights_, counts / counts.sum(), rtol=1e-12)
    assert len(model.estimators_) == np.count_nonzero(counts)
    single = min(loss(truth, of_member) for of_member in logits)
    assert loss(truth, model.decision_function(rows)) <= single + 1e-12


def test_selection_keeps_the_perfect_member():
    members, rows, truth, _ = known(4)
    perfect = Known(50.0 * np.eye(3)[truth])
    for scoring in (None, "accuracy"):
        model = of(*members[:2], perfect, *members[2:], cv="prefit", selection="greedy", scoring=scoring)
        np.testing.assert_array_equal(model.fit(rows, truth).weights_, [0, 0, 1, 0, 0])
        assert model.estimators_ == [perfect]


def test_of_equal_members_the_first_is_selected():
    member = known(1)[0][0]
    _, rows, truth, _ = known(1)
    model = of(member, member, cv="prefit", selection="greedy", scoring="accuracy").fit(rows, truth)
    np.testing.assert_array_equal(model.weights_, [1, 0])


def test_selection_accepts_our_scorers():
    labels = np.array(["AV", "GV", "KIII"])[TARGET]
    model = of(LogisticRegression(), GaussianNB(), selection="greedy", scoring="joint_kappa", cv=3)
    assert model.fit(X, labels).weights_.sum() == pytest.approx(1)
    model.set_params(scoring=lambda model, X, y: np.nan)
    with pytest.raises(ValueError, match="scoring returned NaN for an ensemble of 1 of 2 members"):
        model.fit(X, labels)


def likeness_to_linear(model, X, y):
    expected = cross_val_predict(LogisticRegression(), X, y, cv=KFold(4), method="decision_function")
    return -np.abs(model.decision_function(X) - expected).max()


def test_members_that_are_not_selected_are_not_trained_on_all():
    Recorder.seen.clear()
    model = of(
        LogisticRegression(),
        Recorder(),
        selection="greedy",
        cv=KFold(4),
        scoring=likeness_to_linear,
    )
    model.fit(X, Y)
    np.testing.assert_array_equal(model.weights_, [1, 0])
    assert [len(rows) for rows, _, _ in Recorder.seen] == [180] * 4


def test_one_method_for_scales_and_prediction():
    """Saturated probabilities (0 or 1) in some folds are consistent with any decision function."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:600] / 4, y[:600]
    member = SGDClassifier(loss="log_loss", random_state=0)
    for cv in (3, 5):
        model = of(member, scaling="temperature", cv=cv).fit(X[:150], y[:150])
        p = np.maximum(cross_val_predict(member, X[:150], y[:150], cv=cv, method="predict_proba"), 1e-3)
        again = of(Known(np.log(p), np.arange(10)), cv="prefit", scaling="temperature")
        assert model.logit_methods_ == ["predict_proba"]
        np.testing.assert_allclose(model.scales_, again.fit(np.arange(150)[:, None], y[:150]).scales_)
        assert log_loss(y[150:], model.predict_proba(X[150:])) < 1.2


class Sure(ClassifierMixin, BaseEstimator):
    """Decision functions of any width whose softmax is, or is not, the probabilities."""

    def __init__(self, width, power):
        self.width = width
        self.power = power

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.float32(self.width * X[:, :3])

    def predict_proba(self, X):
        return softmax(self.power * np.float64(self.decision_function(X)), axis=1)


@pytest.mark.parametrize(
    ("width", "power", "method"),
    [
        (1, 1, "decision_function"),
        (20, 1, "decision_function"),
        (1e6, 1, "predict_proba"),  # all probabilities are saturated
        (1, 1.1, "predict_proba"),
        (20, 2, "predict_proba"),
        (1e-3, 2, "predict_proba"),
    ],
)
@pytest.mark.parametrize("scaling", [None, "standard"])
def test_softmax_is_recognised_at_any_width(width, power, method, scaling):
    rows = np.random.default_rng(0).normal(size=X.shape)
    assert of(Sure(width, power), scaling=scaling).fit(rows, Y).logit_methods_ == [method]
