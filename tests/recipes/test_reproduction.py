"""Published protocols, tests grouped by object, published data and scores."""

import importlib

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skspec import Spectra, make_spectra
from skspec.recipes import FIT_RECIPES, PUBLISHED_SYSTEMS, _reproduction, galaxy10
from skspec.recipes._reproduction import HeldOutPredictions, as_published, by_object, random_split
from skspec.recipes._system import precision, recall
from tests._data import data_path

RNG = np.random.default_rng(0)
GALAXY10 = importlib.import_module("skspec.recipes.galaxy10")


# Protocols -----------------------------------------------------------------------------------------------


class Recorder(ClassifierMixin, BaseEstimator):
    """Classifier that records the first column of its training data."""

    log: list = []  # noqa: RUF012 - shared by clones

    def fit(self, X, y):
        self.classes_, self.trained_ = np.unique(y), X[:, 0]
        return self

    def predict(self, X):
        self.log.append((self.trained_, X[:, 0]))
        return np.repeat(self.classes_[:1], len(X))


@pytest.fixture
def recorder():
    Recorder.log.clear()
    return make_pipeline(Recorder())


def test_by_object_keeps_objects_together(recorder):
    groups = np.repeat(np.arange(20), 3)
    y = np.repeat(["a", "b"], 30)
    result = by_object(recorder, groups[:, None], y, groups, folds=4, seed=0)
    assert len(Recorder.log) == 4
    assert not any(set(train) & set(test) for train, test in Recorder.log)
    assert sorted(np.concatenate([test for _, test in Recorder.log])) == sorted(groups)
    assert len(result.y_pred) == 60


def test_the_published_split_does_not(recorder):
    groups = np.repeat(np.arange(20), 3)
    y = np.repeat(["a", "b"], 30)
    result = as_published(PUBLISHED_SYSTEMS["lamost_rare_o"], recorder, groups[:, None], y, seed=0)
    ((train, test),) = Recorder.log
    assert (len(train), len(test)) == (42, 18)
    assert set(train) & set(test)
    assert len(result.y_true) == 18


def test_random_split_by_class():
    y = np.repeat(["a", "b", "c"], [100, 20, 1])
    train, test = random_split(y, 0.15, stratified=True, seed=0)
    assert sorted([*train, *test]) == list(range(121))
    assert [int((y[test] == label).sum()) for label in "abc"] == [15, 3, 0]
    again, _ = random_split(y, 0.15, stratified=True, seed=0)
    np.testing.assert_array_equal(train, again)
    for seed in range(20):  # a class with one spectrum is in the training set
        assert "c" in y[random_split(y, 0.5, stratified=False, seed=seed)[0]]
    with pytest.raises(ValueError, match="3 spectra are too few to test on 10%"):
        random_split(np.array(["a", "b", "c"]), 0.1, stratified=False, seed=0)


def test_views_of_images():
    """All eight views of an image are different."""
    X = RNG.integers(0, 255, (3, 3 * 5 * 5)).astype(np.uint8)
    views, y = GALAXY10.views_of_images(X, np.array([0, 1, 1]), seed=0)
    assert np.bincount(y).tolist() == [8, 16]
    of_first = {row.tobytes() for row in views[y == 0]}
    image = X[0].reshape(3, 5, 5)
    turned = [np.rot90(image, k, (1, 2)) for k in range(4)]
    expected = {view.tobytes() for view in turned} | {view[..., ::-1].tobytes() for view in turned}
    assert of_first == expected
    assert len(expected) == 8


def test_galaxies_leak_when_copied_before_the_split():
    """On random images, a nearest-neighbour classifier recognises copies of training images, but no new ones."""
    X = RNG.integers(0, 255, (80, 3 * 9 * 9)).astype(np.uint8)
    X[:] = X.reshape(80, 3, 9, 9).mean(axis=(2, 3), keepdims=True).repeat(9, 2).repeat(9, 3).reshape(80, -1)
    X = (X + np.arange(80)[:, None]).astype(np.uint8)
    y = RNG.integers(0, 4, 80)
    model = galaxy10(network="cnn", random_state=0)
    model.steps[-1] = ("nearest", KNeighborsClassifier(1))
    leaky = as_published(PUBLISHED_SYSTEMS["galaxy10"], model, X, y, seed=0)
    honest = by_object(model, X, y, np.arange(80), folds=4, seed=0)
    assert np.mean(leaky.y_true == leaky.y_pred) > 0.9
    assert np.mean(honest.y_true == honest.y_pred) < 0.6


# Data and scores -----------------------------------------------------------------------------------------


def test_what_is_on_the_published_grid():
    def of(wave):
        return Spectra(np.ones((2, len(wave))), wave=wave)

    contest = of(np.linspace(3800.0, 8998.0, 2600))
    assert PUBLISHED_SYSTEMS["star_galaxy_qso"].grid.holds(contest)
    assert not PUBLISHED_SYSTEMS["boss_quasars"].grid.holds(contest)
    assert not PUBLISHED_SYSTEMS["lamost_rare_o"].grid.holds(contest)
    assert not PUBLISHED_SYSTEMS["star_galaxy_qso"].grid.holds(of(np.linspace(3800.0, 9100.0, 2600)))


def test_numbers_of_spectra_are_no_objects():
    spectra = Spectra(np.ones((3, 5)), wave=np.arange(5.0) + 4000, meta={"object": ["1", "2", "3"]})
    groups, said = PUBLISHED_SYSTEMS["boss_quasars"].group(spectra)
    assert groups is None
    assert "neither positions nor names" in said
    assert PUBLISHED_SYSTEMS["mk_joint"].group(spectra)[0].tolist() == [0, 1, 2]


def test_classes_of_the_published_scores_only():
    labels = np.array(["STAR", "star", "unknown", "Galaxy", "qso", "Unknown"])
    classes = PUBLISHED_SYSTEMS["star_galaxy_qso"].reduce_labels(labels)
    assert classes.tolist() == ["star", "star", "", "galaxy", "qso", ""]


def test_lamost_files_are_read():
    data = PUBLISHED_SYSTEMS["lamost_rare_o"].load(data_path("lamost_lrs/fits"))
    assert sorted(set(data.y)) == list("AFGKM")
    assert data.dropped["class B has fewer than 10 spectra"] == 2
    assert "Grouped by position" in data.grouping
    assert not data.prepared


@pytest.mark.parametrize("name", [name for name, recipe in FIT_RECIPES.items() if recipe.grid])
def test_grids_of_published_systems(name):
    recipe = FIT_RECIPES[name]
    resampler = recipe.make({}, epochs=3)["logwaveresampler"]
    assert {key: getattr(resampler, key) for key in recipe.grid.params} == recipe.grid.params
    assert resampler.fit(make_spectra(2, random_state=0)).n_bins > 400
    assert recipe.make({}, epochs=3)[-1].max_epochs == 3


def test_scores_of_classes():
    true, predicted = np.array(list("OOOBBA")), np.array(list("OOBBBO"))
    assert recall(true, predicted, label="O") == pytest.approx(2 / 3)
    assert precision(true, predicted, label="O") == pytest.approx(2 / 3)
    assert precision(true, predicted, label="A") == 0.0
    assert GALAXY10.macro_precision(true, predicted) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    published = PUBLISHED_SYSTEMS["lamost_rare_o"].scores
    results = HeldOutPredictions(true, predicted).intervals(published, n_resamples=20)
    scores = {score.name: result for score, result in zip(published, results, strict=True)}
    assert scores["accuracy"].score == pytest.approx(4 / 6)
    assert scores["recall of O"].score == pytest.approx(2 / 3)
    without = HeldOutPredictions(true[3:], predicted[3:]).intervals(published, n_resamples=20)
    assert without[2:] == [None, None]


def test_intervals_of_many_spectra(monkeypatch):
    """Use fewer resamples, and no jackknife."""
    monkeypatch.setattr(_reproduction, "_MAX_DRAWN", 300 * 3000)
    published = PUBLISHED_SYSTEMS["lamost_rare_o"].scores
    y = np.repeat(["a", "b", "c"], 1000)
    predicted = np.where(np.random.default_rng(0).random(3000) < 0.9, y, "a")
    accuracy = HeldOutPredictions(y, predicted).intervals(published)[0]
    assert len(accuracy.resamples) == 300
    np.testing.assert_allclose([accuracy.low, accuracy.high], np.quantile(accuracy.resamples, [0.025, 0.975]))
    of_groups = HeldOutPredictions(y, predicted, np.arange(3000) // 3).intervals(published)[0]
    assert len(of_groups.resamples) == 900
