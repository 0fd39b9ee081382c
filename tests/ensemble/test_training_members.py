"""Training of the members of ensembles: folds, groups, weights, processes and files."""

import os

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skspec import (
    Conv1DClassifier,
    FluxNormalizer,
    LogitVotingClassifier,
    LogWaveResampler,
    load,
    make_spectra,
    save,
)
from skspec.ensemble._members import member_logits
from tests.ensemble._voters import GROUPS, Recorder, X, Y, known, of


@pytest.mark.parametrize(
    ("cv", "n_folds"), [(3, 3), (None, 5), (LeaveOneGroupOut(), 12)], ids=["3", "None", "splitter"]
)
def test_groups_are_never_shared(cv, n_folds):
    Recorder.seen.clear()
    rows = np.column_stack([X, np.arange(240)])
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(12), 20))
    members = Recorder(), make_pipeline(FunctionTransformer(), Recorder())
    of(*members, scaling="standard", cv=cv).fit(rows, Y, groups=groups)
    assert len(Recorder.seen) == 2 * (n_folds + 1)
    for trained, _, given in Recorder.seen:
        index = trained[:, -1].astype(int)
        np.testing.assert_array_equal(given, groups[index])
        assert not set(groups[index]) & set(np.delete(groups, index))


def test_weights_go_to_members_and_scales():
    Recorder.seen.clear()
    weight = np.random.default_rng(0).uniform(0.5, 2, 240)
    rows = np.column_stack([X, np.arange(240)])
    of(make_pipeline(FunctionTransformer(), Recorder()), scaling="standard", cv=3).fit(
        rows, Y, sample_weight=weight
    )
    for trained, given, _ in Recorder.seen:
        np.testing.assert_array_equal(given, weight[trained[:, -1].astype(int)])
    members, index, truth, logits = known(2)
    weight = np.arange(len(truth))
    model = of(*members, cv="prefit", scaling="standard").fit(index, truth, sample_weight=weight)
    expected = np.sqrt(np.average(np.var(logits, axis=2), axis=1, weights=weight))
    np.testing.assert_allclose(model.scales_, expected)


def test_members_without_weights_are_refused():
    weight = np.ones(240)
    with pytest.raises(
        ValueError, match="cannot be passed to the member 'm1': KNeighborsClassifier does not accept it"
    ):
        of(LogisticRegression(), KNeighborsClassifier()).fit(X, Y, sample_weight=weight)
    resampling = make_imblearn_pipeline(RandomOverSampler(random_state=0), LogisticRegression())
    with pytest.raises(ValueError, match="'m0': it resamples the spectra"):
        of(resampling).fit(X, Y, sample_weight=weight)
    assert of(resampling, scaling="standard").fit(X, Y, groups=GROUPS).score(X, Y) > 0.5


def test_searches_get_weights_and_groups():
    Recorder.seen.clear()
    weight = np.random.default_rng(0).uniform(0.5, 2, 240)
    rows = np.column_stack([X, np.arange(240)])
    searched = make_pipeline(FunctionTransformer(), Recorder())
    search = GridSearchCV(searched, {"functiontransformer__validate": [True, False]}, cv=GroupKFold(2))
    of(make_pipeline(StandardScaler(with_mean=False, with_std=False), search), scaling="standard", cv=2).fit(
        rows, Y, sample_weight=weight, groups=GROUPS
    )
    assert len(Recorder.seen) == 3 * 5
    for trained, of_rows, groups in Recorder.seen:
        index = trained[:, -1].astype(int)
        np.testing.assert_array_equal(of_rows, weight[index])
        np.testing.assert_array_equal(groups, GROUPS[index])
        assert not set(groups) & set(np.delete(GROUPS, index))
    with pytest.raises(ValueError, match="'m0': KNeighborsClassifier does not accept it"):
        of(GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1]})).fit(X, Y, sample_weight=weight)
    with pytest.warns(UserWarning, match="groups parameter is ignored by StratifiedKFold"):
        of(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2)).fit(X, Y, groups=GROUPS)


@pytest.mark.parametrize("kind", [VotingClassifier, StackingClassifier])
def test_scikit_learn_ensembles_get_weights_if_all_members_accept_them(kind):
    weight = np.random.default_rng(0).uniform(0.1, 2, 240)
    more = {"voting": "soft"} if kind is VotingClassifier else {"cv": 2}
    inner = kind([("linear", LogisticRegression()), ("bayes", GaussianNB()), ("none", "drop")], **more)
    model = of(inner).fit(X, Y, sample_weight=weight, groups=GROUPS)
    expected = inner.fit(X, Y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(model.estimators_[0].predict_proba(X), expected, rtol=1e-9)
    inner.set_params(none=make_pipeline(GaussianNB()))
    with pytest.raises(ValueError, match=f"'m0': its {kind.__name__} cannot pass them to a Pipeline"):
        of(inner).fit(X, Y, sample_weight=weight)


def test_a_search_whose_fits_have_different_methods():
    """RidgeClassifier has only a decision function, and trees only probabilities."""
    steps = {"clf": [RidgeClassifier(), DecisionTreeClassifier(random_state=0)]}

    def some(model, X, y):  # the tree for many spectra, else the linear classifier
        return float(isinstance(model[-1], DecisionTreeClassifier) == (len(X) > 100))

    search = GridSearchCV(Pipeline([("clf", GaussianNB())]), steps, scoring=some, cv=2)
    assert of(search).fit(X, Y).logit_methods_ == ["predict_proba"]
    few, many = np.arange(30), np.arange(30, 240)
    for cv in (3, [(few, many), (many, few)]):
        with pytest.raises(ValueError, match="a search found classifiers with and without"):
            of(search, scaling="standard", cv=cv).fit(X, Y)


def test_folds_may_be_masks():
    first = np.arange(240) % 2 == 0
    masks = [(first, ~first), (~first, first)]
    indices = [(np.flatnonzero(train), np.flatnonzero(test)) for train, test in masks]
    found, expected = (
        of(GaussianNB(), scaling="standard", cv=cv).fit(X, Y).scales_ for cv in (masks, indices)
    )
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(
        ValueError, match="cv has invalid indices for 240 spectra: boolean index did not match"
    ):
        of(GaussianNB(), scaling="standard", cv=[(first[:9], ~first[:9])]).fit(X, Y)


def test_a_class_missing_in_a_fold():
    y = Y.astype("U2")
    y[0] = "WD"
    model = of(
        GaussianNB(var_smoothing=1e-3), LogisticRegression(), scaling="temperature", selection="greedy", cv=3
    )
    model.fit(X, y)
    assert model.classes_.tolist() == ["G", "K", "M", "WD"]
    assert all(len(member.classes_) == 4 for member in model.estimators_)


def test_a_class_that_a_member_lacks_has_the_floor_as_probability():
    fitted = LogisticRegression().fit(X, Y)
    logits = member_logits(fitted, X[:5], np.array(["A", "G", "K", "M"]), "decision_function", name="linear")
    np.testing.assert_allclose(np.exp(logits[:, 0]), 1e-3)
    np.testing.assert_allclose(np.exp(logits[:, 1:]), fitted.predict_proba(X[:5]), rtol=1e-9)


def test_parallel_training_gives_the_same_and_shares_threads(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    members = Recorder(), RandomForestClassifier(5, random_state=0)
    one, two = (of(*members, scaling="temperature", cv=2, n_jobs=n).fit(X, Y) for n in (1, 2))
    np.testing.assert_array_equal(one.scales_, two.scales_)
    np.testing.assert_array_equal(one.decision_function(X), two.decision_function(X))
    assert two.estimators_[0].n_threads_ <= max(os.cpu_count() // 2, 1)


def test_networks_and_trees_from_spectra(tmp_path):
    spectra = make_spectra(60, random_state=0)
    y = spectra.meta["class"]
    front = LogWaveResampler(n_bins=60, missing="interpolate"), FluxNormalizer()
    net = Conv1DClassifier(
        filters=(8,), kernel_sizes=(5,), max_epochs=3, validation_fraction=0.3, random_state=0
    )
    model = LogitVotingClassifier(
        [
            ("net", make_pipeline(*front, net)),
            ("forest", make_pipeline(*front, RandomForestClassifier(10, random_state=0))),
            ("bayes", "drop"),
        ],
        scaling="temperature",
        cv=2,
    ).fit(spectra, y, groups=spectra.sky_groups())
    assert model.weights_.tolist() == [0.5, 0.5, 0]
    assert np.isnan(model.scales_[2])
    net, forest = model.estimators_
    forest_logits = np.log(np.maximum(forest.predict_proba(spectra), 1e-3))
    expected = net.decision_function(spectra) / model.scales_[0] + forest_logits / model.scales_[1]
    np.testing.assert_allclose(model.decision_function(spectra), expected / 2, rtol=1e-6)

    pytest.importorskip("skops")
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.decision_function(spectra), model.decision_function(spectra))
    np.testing.assert_array_equal(loaded.predict(spectra), model.predict(spectra))
    assert list(loaded.named_estimators_) == ["net", "forest"]


def test_a_loaded_ensemble_in_a_pipeline_can_be_fitted_again(tmp_path):
    pytest.importorskip("skops")
    voters = of(
        LogisticRegression(),
        GaussianNB(),
        HistGradientBoostingClassifier(max_iter=2),
        weights=[1, 2, 0],
        cv=KFold(3),
    )
    model = make_pipeline(StandardScaler(), voters).fit(X, Y)
    with pytest.warns(UserWarning, match="cv of step 'logitvotingclassifier' .* only guides another fit"):
        save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded[-1].estimators[2] == ("m2", "drop")
    np.testing.assert_array_equal(loaded.fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_what_is_saved_is_what_was_fitted(tmp_path):
    pytest.importorskip("skops")
    model = of(LogisticRegression(), GaussianNB()).fit(X, Y)
    expected = model.predict_proba(X)
    model.set_params(estimators=[("other", GaussianNB())])
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    assert list(loaded.named_estimators_) == ["m0", "m1"]


def test_fitted_members_are_loaded_fitted(tmp_path):
    pytest.importorskip("skops")
    model = of(
        LogisticRegression().fit(X, Y), GaussianNB().fit(X, Y), cv="prefit", scaling="temperature"
    ).fit(X, Y)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.fit(X, Y).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"logit_methods_": ["fit"]}, r"logits cannot be taken from \['fit'\]"),
        ({"weights_": np.array([0.5, 0.5])}, "weights_ and scales_ must have a value for each member"),
        ({"logit_methods_": []}, "a member with nonzero weight is missing"),
        ({"predict": 1}, "has no fitted attributes of these names"),
    ],
)
def test_a_state_of_another_ensemble_is_refused(state, message):
    model = of(LogisticRegression()).fit(X, Y)
    good, arrays = model.__skspec_get_state__()
    with pytest.raises(ValueError, match=message):
        of(model.estimators_[0]).__skspec_set_state__(good | state, arrays)


def test_parameters_of_members_are_searched():
    search = GridSearchCV(
        LogitVotingClassifier([("linear", LogisticRegression()), ("bayes", GaussianNB())]),
        {"linear__C": [1e-6, 1.0], "bayes": ["drop", GaussianNB()]},
        cv=2,
    ).fit(X, Y)
    assert set(search.best_params_) == {"linear__C", "bayes"}
    model = search.best_estimator_.set_params(bayes="drop", linear__C=3.0).fit(X, Y)
    assert model.weights_.tolist() == [1, 0]
    assert model.estimators_[0].C == 3.0


@pytest.mark.parametrize("kind", [VotingClassifier, StackingClassifier])
def test_ensembles_of_scikit_learn_take_networks(kind):
    net = Conv1DClassifier(filters=(8,), kernel_sizes=(3,), strides=1, max_epochs=5, random_state=0)
    more = {"voting": "soft"} if kind is VotingClassifier else {"cv": 2}
    model = kind([("net", net), ("logit", of(LogisticRegression(), GaussianNB()))], **more).fit(X, Y)
    assert model.score(X, Y) > 0.6
