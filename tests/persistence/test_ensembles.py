"""Ensembles of scikit-learn with members of scikit-learn and of skspec: calibrated classifiers and voting."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV, _CalibratedClassifier, _SigmoidCalibration
from sklearn.ensemble import (
    ExtraTreesRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skspec import (
    ContinuumNormalizer,
    Conv1DClassifier,
    Conv1DRegressor,
    FluxNormalizer,
    LogitVotingClassifier,
    load,
    read_info,
    save,
)
from tests.persistence._files import read_entries, with_manifest, write_entries

pytest.importorskip("safetensors")
pytest.importorskip("skops")

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 0.1, (30, 40)) + np.repeat([0.0, 0.5, 1.0], 10)[:, None] * np.sin(np.arange(40) / 5)
LABELS = np.repeat(["A", "F", "G"], 10)
VALUES = np.repeat([1.0, 2.0, 3.0], 10)


@pytest.mark.parametrize("labels", [LABELS, np.repeat([False, True], 15)], ids=["three", "two"])
@pytest.mark.parametrize(("method", "ensemble"), [("sigmoid", False), ("sigmoid", True), ("isotonic", True)])
@pytest.mark.parametrize(
    "inner", [make_pipeline(StandardScaler(), SVC()), GaussianNB()], ids=["svc", "bayes"]
)
def test_calibrated_classifiers_predict_bit_for_bit(inner, method, ensemble, labels, tmp_path):
    model = make_pipeline(
        FluxNormalizer(), CalibratedClassifierCV(inner, method=method, cv=2, ensemble=ensemble)
    )
    model.fit(X, labels)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded) == repr(model)


def test_calibrated_trees_are_refused(tmp_path):
    model = CalibratedClassifierCV(RandomForestClassifier(2), cv=2).fit(X, LABELS)
    with pytest.raises(
        TypeError, match=r"\(CalibratedClassifierCV\) cannot be saved: it holds .*_tree\.Tree, not"
    ):
        save(model, tmp_path / "m.skspec")
    assert not list(tmp_path.iterdir())


def test_what_is_trusted_runs_nothing_when_it_is_loaded():
    """skops creates objects without calling the class, and sets attributes, with __setstate__ if it exists."""
    assert not hasattr(_CalibratedClassifier, "__setstate__")
    assert _SigmoidCalibration.__setstate__ is BaseEstimator.__setstate__
    for cls in (_CalibratedClassifier, _SigmoidCalibration):
        assert cls.__new__ is object.__new__
        assert cls.__setattr__ is object.__setattr__
        assert cls.__reduce__ is object.__reduce__


def regressors():
    union = FeatureUnion([("flux", "passthrough"), ("lines", ContinuumNormalizer(window=5))])
    network = Conv1DRegressor(n_channels=2, filters=(4, 8), max_epochs=2, random_state=0)
    return VotingRegressor(
        [
            ("net", make_pipeline(union, network)),
            ("trees", ExtraTreesRegressor(3, random_state=0)),
            ("none", "drop"),
            ("svm", make_pipeline(FluxNormalizer(), SVR())),
        ],
        weights=[2.0, 1.0, 0.0, 1.0],
    )


@pytest.fixture(scope="module")
def fitted():
    return make_pipeline(FluxNormalizer(), regressors()).fit(X, VALUES)


def test_voting_regressors_predict_bit_for_bit(fitted, tmp_path):
    save(fitted, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(loaded.transform(X), fitted.transform(X))
    inner = loaded[-1]
    assert list(inner.named_estimators_) == ["net", "trees", "none", "svm"]
    assert inner.named_estimators_["svm"] is inner.estimators_[2]
    assert inner.named_estimators_["none"] == "drop"
    assert inner.n_features_in_ == 40
    np.testing.assert_array_equal(loaded.fit(X, VALUES).predict(X), fitted.predict(X))


def test_voting_regressors_know_their_features(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    model = VotingRegressor([("line", LinearRegression()), ("net", Conv1DRegressor(max_epochs=1))])
    save(model.fit(frame, VALUES), tmp_path / "m.skspec")
    assert load(tmp_path / "m.skspec").feature_names_in_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("voting", ["soft", "hard"])
@pytest.mark.parametrize("labels", [LABELS, np.repeat([False, True], 15)], ids=["three", "two"])
def test_voting_classifiers_predict_bit_for_bit(voting, labels, tmp_path):
    network = Conv1DClassifier(filters=(4, 8), max_epochs=2, random_state=0)
    members = [
        ("net", make_pipeline(FluxNormalizer(), network)),
        ("trees", RandomForestClassifier(3, random_state=0)),
        ("none", "drop"),
        ("bayes", GaussianNB()),
    ]
    model = make_pipeline(FluxNormalizer(), VotingClassifier(members, voting=voting, weights=[2, 1, 3, 1]))
    model.fit(X, labels)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    assert loaded.predict(X).dtype == labels.dtype
    if voting == "soft":
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    inner = loaded[-1]
    np.testing.assert_array_equal(inner.le_.classes_, np.unique(labels))
    assert list(inner.named_estimators_) == ["net", "trees", "none", "bayes"]
    assert inner.named_estimators_["bayes"] is inner.estimators_[2]
    assert read_info(tmp_path / "m.skspec")["classes"] == np.unique(labels).tolist()
    np.testing.assert_array_equal(loaded.fit(X, labels).transform(X), model.transform(X))


def test_votes_inside_of_votes(tmp_path):
    inner = VotingClassifier([("bayes", GaussianNB()), ("line", LogisticRegression())], voting="soft")
    for model in (
        VotingClassifier([("vote", inner), ("bayes", GaussianNB())]),
        LogitVotingClassifier([("vote", inner), ("bayes", GaussianNB())]),
    ):
        model.fit(X, LABELS)
        save(model, tmp_path / "m.skspec")
        np.testing.assert_array_equal(load(tmp_path / "m.skspec").predict(X), model.predict(X))


def test_a_vote_without_classes_is_refused(tmp_path):
    model = VotingClassifier([("bayes", GaussianNB())]).fit(X, LABELS)
    for classes in (["A", "F", "G"], np.array([["A", "F", "G"]])):
        model.classes_ = classes
        save(model, tmp_path / "m.skspec")
        with pytest.raises(ValueError, match="VotingClassifier has no classes"):
            load(tmp_path / "m.skspec")


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (StackingClassifier([("bayes", GaussianNB())], cv=2), LABELS),
        (StackingRegressor([("line", LinearRegression())], cv=2), VALUES),
    ],
    ids=["classifier", "regressor"],
)
def test_stacks_are_refused(model, y, tmp_path):
    with pytest.raises(
        TypeError, match=r"\(Stacking\w+\) cannot be saved; save its estimators_ and its final_est"
    ):
        save(model.fit(X, y), tmp_path / "m.skspec")


@pytest.mark.parametrize(
    ("estimators", "message"),
    [
        (3, "has members that are not pairs"),
        ([], "has no members"),
        ([{"tuple": ["a", "drop"]}], "has no members"),
        ([{"tuple": ["a", "passthrough"]}], "has members that are not pairs"),
        ([{"tuple": [1, "drop"]}], "has members that are not pairs"),
        ([["a", "drop"]], "has members that are not pairs"),
    ],
)
def test_members_that_are_none(estimators, message, tmp_path):
    path = tmp_path / "m.skspec"
    save(VotingRegressor([("line", LinearRegression())]).fit(X, VALUES), path)
    entries = read_entries(path)
    del entries["steps/0.skops"]

    def change(manifest):
        manifest["model"]["params"]["estimators"] = estimators
        manifest["blobs"] = []

    write_entries(path, with_manifest(entries, change))
    with pytest.raises(ValueError, match=f"VotingRegressor {message}"):
        load(path)
