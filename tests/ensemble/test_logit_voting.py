"""Logit voting against explicit means and the published ensembles, and invalid input."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, NuSVC

from skspec import (
    Conv1DClassifier,
    LogitVotingClassifier,
)
from skspec.metrics import accuracy, f1_macro, joint_kappa, joint_mae
from tests._data import data_path
from tests.ensemble._voters import CODES, GROUPS, Known, X, Y, known, of


class Undefined(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are NaN for negative rows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.where(X[:, :1] < 0, np.nan, np.full((len(X), len(self.classes_)), 1 / len(self.classes_)))


def test_a_member_that_diverges_or_gives_nan_is_named():
    rows, y = np.random.default_rng(0).normal(2.0, 0.2, (60, 20)), np.arange(60) % 3
    steep = Conv1DClassifier(lr=1e9, max_epochs=2, filters=(4,), kernel_sizes=(3,), random_state=0)
    for options in ({}, {"scaling": "standard", "cv": 2}):
        ensemble = LogitVotingClassifier([("lr", LogisticRegression()), ("net", steep)], **options)
        with pytest.raises(FloatingPointError, match="member 'net': training diverged in epoch"):
            ensemble.fit(rows, y)
        assert not any(name.endswith("_") for name in vars(ensemble))
    ensemble = LogitVotingClassifier([("lr", LogisticRegression()), ("odd", Undefined())]).fit(rows, y)
    fitted = dict(vars(ensemble))
    with pytest.raises(FloatingPointError, match="member 'odd': predict_proba of Undefined returns NaN"):
        ensemble.predict(-rows)
    with pytest.raises(FloatingPointError, match="member 'odd'"):
        ensemble.fit(-rows, y)
    assert vars(ensemble) == fitted


@pytest.mark.parametrize(
    ("members", "name"), [((1, 3), "1_3"), ((3, 4, 6), "3_4_6"), ((3, 4), "3_4")], ids=str
)
def test_the_published_ensembles(members, name):
    names = [
        "convkan",
        "convtran",
        "conv1d_old",
        "resnet50_1d",
        "conv1d_best",
        "conv1d_half_ord",
        "conv1d_no_ord",
    ]
    with np.load(data_path("mk_predictions/mk_test_predictions.npz")) as file:
        y, t, lum = file["y_true"], file["temp_index"], file["lum_index"]
        voters = [Known(file[f"scores_{names[k]}"], np.arange(39)) for k in members]
    truth = json.loads(data_path("mk_predictions/expected_metrics.json").read_text())["metrics"]
    truth = truth[f"ensemble_logitmean_{name}"]
    rows = np.arange(len(y))[:, None]
    found = of(*voters, cv="prefit").fit(rows, y).predict(rows)
    weighted = truth["readme_definition_w_inv_test_freq"]
    balanced = {"class_weight": "balanced"}
    by_luminosity = sorted(range(39), key=lambda k: (lum[k], t[k]))
    coordinates = {k: (int(t[k]), int(lum[k])) for k in range(39)}
    assert accuracy(y, found) == pytest.approx(truth["accuracy"], abs=1e-12)
    assert f1_macro(y, found) == pytest.approx(truth["f1_macro"], abs=1e-12)
    assert joint_mae(y, found, coordinates=coordinates, **balanced) == pytest.approx(
        weighted["mae"], abs=1e-10
    )
    assert joint_kappa(y, found, order=list(range(39)), **balanced) == pytest.approx(
        weighted["qwk_T_joint_rank"], abs=1e-10
    )
    assert joint_kappa(y, found, order=by_luminosity, **balanced) == pytest.approx(
        weighted["qwk_L_joint_rank"], abs=1e-10
    )


@pytest.mark.parametrize("weights", [None, [1, 2, 0.5], [1, 0, 3]])
def test_mean_of_raw_logits(weights):
    members, rows, truth, logits = known(3)
    model = of(*members, cv="prefit", weights=weights).fit(rows, truth)
    mean = np.average(logits, axis=0, weights=weights)
    np.testing.assert_allclose(model.decision_function(rows), mean, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(rows), mean.argmax(axis=1))
    np.testing.assert_allclose(model.predict_proba(rows), softmax(mean, axis=1), rtol=1e-12)
    expected = np.ones(3) if weights is None else np.array(weights)
    np.testing.assert_allclose(model.weights_, expected / expected.sum())
    assert len(model.estimators_) == np.count_nonzero(expected)
    assert list(model.named_estimators_) == [f"m{i}" for i in np.flatnonzero(expected)]


def test_two_classes():
    y = np.where(CODES == 0, "star", "other")
    a, b = LogisticRegression().fit(X, y), GaussianNB().fit(X, y)
    model = of(LogisticRegression(), GaussianNB()).fit(X, y)
    p = np.maximum(b.predict_proba(X), 1e-3)
    expected = (a.decision_function(X) + np.log(p[:, 1] / p[:, 0])) / 2
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-8)
    np.testing.assert_array_equal(model.predict(X), np.where(expected > 0, "star", "other"))
    assert model.predict_proba(X).shape == (240, 2)


@pytest.mark.parametrize(
    ("member", "method"),
    [
        (LogisticRegression(), "decision_function"),
        (HistGradientBoostingClassifier(max_iter=3), "decision_function"),
        (
            Conv1DClassifier(filters=(4,), kernel_sizes=(3,), max_epochs=1, random_state=0),
            "decision_function",
        ),
        (make_pipeline(StandardScaler(), LogisticRegression()), "decision_function"),
        (RidgeClassifier(), "decision_function"),
        (SVC(), "decision_function"),
        (RandomForestClassifier(5, random_state=0), "predict_proba"),
        (KNeighborsClassifier(), "predict_proba"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseEstimator) else "",
)
def test_method_of_logits(member, method):
    model = of(member).fit(X, Y)
    assert model.logit_methods_ == [method]
    fitted = model.estimators_[0]
    answers = getattr(fitted, method)(X)
    expected = answers if method == "decision_function" else np.log(np.maximum(answers, 1e-3))
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X), fitted.classes_[expected.argmax(axis=1)])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scaling": "temprature"}, "scaling must be one of None, 'standard', 'temperature', .*did you mean"),
        ({"selection": "gready"}, "selection must be one of None, 'greedy'"),
        ({"selection": "greedy", "max_members": 0}, "max_members == 0, must be >= 1"),
        ({"selection": "greedy", "weights": [1, 1]}, "weights are determined by selection='greedy'"),
        ({"selection": "greedy", "scoring": "acuracy"}, "acuracy"),
        ({"weights": [1]}, r"weights has shape \(1,\); \(2,\) is needed"),
        ({"weights": [1, -1]}, r"weights must be finite and not negative, got \[1.0, -1.0\]"),
        ({"weights": [1, np.nan]}, "weights must be finite"),
        ({"weights": [0, 0]}, "weights are zero for all members"),
        ({"weights": [0, 1], "m1": "drop"}, "weights are zero for all members that are not dropped"),
        ({"m0": "drop", "m1": "drop"}, "All estimators are dropped"),
        ({"scaling": "standard", "cv": "fit"}, "Expected .?cv.? as an integer"),
        (
            {"scaling": "standard", "cv": ShuffleSplit(2, random_state=0)},
            "cv must test each spectrum exactly once",
        ),
        (
            {
                "scaling": "standard",
                "cv": [
                    (np.flatnonzero(CODES), np.flatnonzero(CODES == 0)),
                    (np.flatnonzero(CODES == 0), np.flatnonzero(CODES)),
                ],
            },
            "cv leaves only one class in the training set of fold 1",
        ),
        ({"scaling": "standard", "cv": iter([])}, "cv has no folds; a generator is exhausted"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        of(LogisticRegression(), GaussianNB()).set_params(**params).fit(X, Y)


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        (None, {}, "requires y to be passed"),
        (Y[:-1], {}, "inconsistent numbers of samples"),
        (np.ma.masked_equal(CODES, 1), {}, "y has 79 masked labels"),
        (np.full(240, "G"), {}, "y has only one class, G"),
        (np.where(CODES, Y, None), {}, "y has 77 missing labels; every training spectrum needs one"),
        (np.where(CODES, CODES, np.nan), {}, "y has 77 missing labels"),
        (Y, {"groups": GROUPS[1:]}, "groups has shape"),
        (
            Y,
            {"groups": np.where(GROUPS < 50, GROUPS, np.nan)},
            "groups has 40 missing values; give each",
        ),
        (Y, {"groups": np.where(GROUPS < 50, GROUPS, None)}, "groups has 40 missing values"),
        (Y, {"groups": np.ma.masked_greater(GROUPS, 49)}, "groups has 40 missing values"),
        (Y, {"sample_weight": -np.ones(240)}, "sample_weight must not be negative"),
    ],
)
def test_bad_data(y, given, message):
    with pytest.raises(ValueError, match=message):
        of(LogisticRegression()).fit(X, y, **given)


def test_bad_members_that_are_fitted():
    with pytest.raises(NotFittedError, match="LogisticRegression"):
        of(LogisticRegression(), cv="prefit").fit(X, Y)
    good, other = LogisticRegression().fit(X, Y), LogisticRegression().fit(X, np.where(Y == "M", "G", Y))
    with pytest.raises(ValueError, match=r"'m0' has \['G', 'K', 'M'\], 'm1' has \['G', 'K'\]"):
        of(good, other, cv="prefit").fit(X, Y)
    with pytest.raises(ValueError, match=r"y has labels that are not classes of the fitted members: \['X'\]"):
        of(good, cv="prefit").fit(X[:2], ["G", "X"])
    with pytest.raises(NotFittedError):
        of(good, cv="prefit").predict(X)
    with pytest.raises(NotFittedError):
        _ = of(good).named_estimators_


@pytest.mark.parametrize("n_classes", [3, 4])
@pytest.mark.parametrize(
    "member",
    [
        SVC(decision_function_shape="ovo"),
        make_pipeline(StandardScaler(), NuSVC(nu=0.1, decision_function_shape="ovo")),
        GridSearchCV(make_pipeline(SVC(decision_function_shape="ovo")), {"svc__C": [1, 2]}, cv=2),
        GridSearchCV(SVC(), {"decision_function_shape": ["ovo"]}, cv=2),
    ],
    ids=["svc", "pipeline", "search", "searched"],
)
def test_columns_for_pairs_of_classes_are_refused(member, n_classes):
    with pytest.raises(
        ValueError, match=f"SVC.decision_function has a column for each pair of the {n_classes} cl"
    ):
        of(member).fit(X, np.arange(240) % n_classes)
    two = of(member).fit(X, Y == "G")
    np.testing.assert_array_equal(two.predict(X), two.estimators_[0].predict(X))


class Silent(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise AssertionError("a member without logits is not trained")


def test_a_member_without_logits_is_refused_before_it_is_trained():
    with pytest.raises(ValueError, match="Silent has neither decision_function nor predict_proba"):
        of(make_pipeline(StandardScaler(), Silent())).fit(X, Y)
    hard = VotingClassifier([("a", GaussianNB())])
    with pytest.raises(ValueError, match=r"VotingClassifier has neither .*voting='soft'"):
        of(GridSearchCV(hard, {"a__var_smoothing": [1e-9]}), scaling="standard").fit(X, Y)
    with pytest.raises(ValueError, match="VotingClassifier has neither"):
        of(hard.fit(X, Y), cv="prefit").fit(X, Y)
    stacked = StackingClassifier([("a", GaussianNB())], cv=2)  # has predict_proba only once it is fitted
    assert not hasattr(stacked, "predict_proba")
    assert of(stacked).fit(X, Y).logit_methods_ == ["decision_function"]


def test_names_are_those_of_the_fit():
    model = of(LogisticRegression(), GaussianNB(), weights=[0, 1]).fit(X, Y)
    model.set_params(estimators=[("z", LogisticRegression())])
    assert list(model.named_estimators_) == ["m1"]
