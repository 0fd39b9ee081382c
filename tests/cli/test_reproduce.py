"""skspec reproduce on small files in the published layouts, and the published systems as recipes of fit."""

import re
from functools import partial

import numpy as np
import pytest
from astropy.io import fits
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skspec import LogWaveResampler, Spectra, load, make_spectra
from skspec.cli import _models, _reproduce
from skspec.recipes import _published, _reproduction
from tests._data import data_path
from tests.cli.test_commands import failed, run

RNG = np.random.default_rng(0)


# From the command line -----------------------------------------------------------------------------------


def write_boss(path, n=60):
    h5py = pytest.importorskip("h5py")
    code = np.arange(n) % 3
    flux = RNG.normal(0.5, 0.05, (n, 433))
    for k, place in enumerate((100, 200, 300)):
        flux[code == k, place : place + 20] += 0.5
    with h5py.File(path, "w") as file:
        file["fluxes"] = flux.astype(np.float32)
        file["classes"] = np.eye(13, dtype=np.float32)[code * 6]  # QSO, G, GAL


def test_boss_has_no_positions(tmp_path):
    write_boss(tmp_path / "b.h5")
    text = run("reproduce", "boss-quasars", "--data", tmp_path / "b.h5", "--epochs", 2).stdout
    assert re.search(r"G +20 *\nGAL +20 *\nQSO +20 *\nall +60", text)
    assert "Warning: The file has neither positions nor names of objects" in text
    assert "by object" not in text.replace("by object: ", "")
    rows = dict(re.findall(r"^(mean recall|recall of \w+) +([\d.]+) +[\d.]+ \[", text, re.MULTILINE))
    assert rows == {
        "mean recall": "0.788",
        "recall of QSO": "0.989",
        "recall of G": "0.782",
        "recall of GAL": "0.919",
    }
    assert "boss_quasars, at most 2 epochs" in text
    assert "10 % for testing" in text


def write_library(path, n=40):
    """Stars of two classes, each observed twice."""
    dwarf = (np.arange(n) // 2) % 2 == 0
    flux = RNG.normal(1.0, 0.02, (n, 2305))
    flux[dwarf, 800:1000] -= 0.3
    columns = [
        fits.Column("FLUX", "2305E", array=flux),
        fits.Column("TYPED_ID", "8A", array=[f"HD {k // 2}" for k in range(n)]),
        fits.Column("SP_TYPE", "4A", array=np.where(dwarf, "G2V", "K1II")),
        fits.Column("LUM", "4A", array=np.where(dwarf, "V", "II")),
        fits.Column("SPEC_NUM", "E", array=np.where(dwarf, 4, 5)),
        fits.Column("LUM_NUM", "E", array=np.where(dwarf, 5, 2)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def test_contest_has_numbers_of_spectra_only(tmp_path):
    kinds = np.array(["star", "galaxy", "qso"])[np.arange(30) % 3]
    kinds[25:] = ["other", "other", "NaN", "", "qso"]
    flux = RNG.normal(10.0, 1.0, (30, 2600)) + 5.0 * (kinds == "qso")[:, None]
    header = ",".join(["id", *(f"FE{k}" for k in range(2600)), "answer"])
    rows = [",".join([str(k), *(f"{f:.3f}" for f in flux[k]), kinds[k]]) for k in range(30)]
    (tmp_path / "contest.csv").write_text("\n".join([header, *rows]) + "\n")
    text = run("reproduce", "star-galaxy-qso", "--data", tmp_path / "contest.csv", "--epochs", 1).stdout
    assert "Warning: The file has neither positions nor names of objects" in text
    assert re.search(r"galaxy +8 *\nqso +9 *\nstar +9 *\nall +26", text)
    assert re.search(r"no class of this system +2", text)
    assert re.search(r"no label +2", text)
    assert re.search(r"macro-F1 +0\.974 +\d\.\d+ \[.*\]\naccuracy +0\.99[45] ", text)


def test_classes_of_the_published_scores_only():
    labels = np.array(["STAR", "star", "unknown", "Galaxy", "qso", "Unknown"])
    classes = _reproduce._REDUCTIONS["star_galaxy_qso"](labels)
    assert classes.tolist() == ["star", "star", "", "galaxy", "qso", ""]


def test_galaxies_are_objects_of_their_own(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "Galaxy10.h5", "w") as file:
        file["images"] = RNG.integers(0, 255, (24, 69, 69, 3)).astype(np.uint8)
        file["ans"] = (np.arange(24) % 2).astype(np.uint8)
    args = ("--data", tmp_path / "Galaxy10.h5", "--network", "cnn", "--epochs", 1, "--folds", 2)
    text = run("reproduce", "galaxy10", *args).stdout
    assert "Each image counts as a galaxy of its own: the file has no positions." in text
    assert re.search(r"macro-F1 +0\.511 +\d\.\d+ \[.*\] +\d\.\d+ \[.*\]", text)
    assert "turned and mirrored copies first" in text


def test_lamost_files_are_read():
    data = _reproduce.load_data("lamost_rare_o", data_path("lamost_lrs/fits"))
    assert sorted(set(data.y)) == list("AFGKM")
    assert data.dropped["class B has fewer than 10 spectra"] == 2
    assert "Grouped by position" in data.grouping
    assert not data.prepared


@pytest.fixture
def small_networks(monkeypatch):
    """The recipe of joint classes with a network of two layers."""
    made = _reproduction.SYSTEMS["mk_joint"]

    def recipe(**params):
        model = made.recipe(**params)
        model[-1].set_params(width=4, batch_size=8)
        return model

    small = _reproduction.System(recipe, made.networks, made.tested, made.stratified, made.protocol)
    monkeypatch.setitem(_reproduction.SYSTEMS, "mk_joint", small)


def test_joint_classes_are_tested_both_ways(tmp_path, small_networks):
    write_library(tmp_path / "dataset_subset.fits")
    text = run(
        "reproduce", "mk-joint", "--data", tmp_path, "--network", "resnet50", "--epochs", 1, "--folds", 2
    ).stdout
    assert "Grouped by object name: 40 spectra of 20 objects; 40 (100%) share their object" in text
    assert re.search(r"mk_joint, resnet50, at most 1 epochs", text)
    assert re.search(r"score +published +ours, tested as published +ours, by object, 2 folds", text)
    assert re.search(r"macro-F1 +0\.585 +\d\.\d+ \[.*\] +\d\.\d+ \[.*\]", text)
    assert "15 % for testing" in text


def test_published_predictions(monkeypatch):
    quick = partial(_reproduce.mk_table, n_resamples=50)
    monkeypatch.setattr(_reproduce, "mk_table", quick)
    text = run("reproduce", "mk-joint", "--data", data_path("mk_predictions/README.md").parent).stdout
    rows = re.findall(r"(\d\.\d{3})  (\d\.\d{3}) \[(\d\.\d{3}), (\d\.\d{3})\]", text)
    assert len(rows) == 40
    for published, ours, low, high in np.array(rows, dtype=float):
        assert -1e-9 <= ours - published < 1.5e-3
        assert low < ours < high
    assert "0.961 are right where the star was trained on (232 spectra), 0.662 where it was not (225)" in text


def predictions(n=6, **changes):
    """What the file of published predictions holds."""
    scores = {f"scores_{name}": RNG.normal(size=(n, 39)) for name, _ in _reproduce._MEMBERS.values()}
    flags = np.arange(n) % 2
    return scores | {"y_true": np.arange(n), "elodie_star_also_in_train": flags} | changes


def test_predictions_that_are_not_the_published_ones(tmp_path):
    path = tmp_path / "mk_test_predictions.npz"
    command = ("reproduce", "mk-joint", "--data", tmp_path)
    np.savez(path, **predictions())
    for option, value in {"network": "convkan", "labels": "x", "folds": 5, "epochs": 3, "seed": 0}.items():
        told = run(*command, f"--{option}", value, code=2).stderr
        assert f"--{option} is for training" in " ".join(told.replace("│", " ").split())
    lacking = predictions()
    del lacking["y_true"]
    np.savez(path, **lacking)
    told = failed(*command)
    assert f"{path} are not the published predictions: y_true is not a file in the archive" in told
    for name, value in {
        "y_true": np.arange(5),
        "scores_convkan": np.zeros((6, 38)),
        "elodie_star_also_in_train": np.zeros(5),
    }.items():
        np.savez(path, **predictions(**{name: value}))
        assert "has other shapes or values" in failed(*command)
    np.savez(path, **predictions(y_true=np.full(6, 39)))
    assert "y_true has other shapes or values" in failed(*command)
    for content in (b"", b"hello", path.read_bytes()[:3000]):
        path.write_bytes(content)
        assert failed(*command) == f"skspec: error: {path} is damaged, or no archive of NumPy\n"


def test_mistakes_are_told(tmp_path):
    write_boss(tmp_path / "b.h5")
    boss = ("reproduce", "boss-quasars", "--data", tmp_path / "b.h5")
    assert "network is for mk_joint and galaxy10; boss_quasars has one only" in failed(
        *boss, "--network", "cnn"
    )
    assert "has no column 'kind' with labels; it has" in failed(*boss, "--labels", "kind")
    galaxies = ("reproduce", "galaxy10", "--data", tmp_path / "b.h5")
    assert "labels is for spectra; galaxy10 has its own, got 'x'" in failed(*galaxies, "--labels", "x")
    assert "no such file or folder" in failed("reproduce", "galaxy10", "--data", tmp_path / "absent.h5")
    write_library(tmp_path / "l.fits")
    wrong = failed("reproduce", "mk-joint", "--data", tmp_path / "l.fits", "--network", "resnet5")
    assert "did you mean 'resnet50'" in wrong


def test_fit_trains_a_published_system(survey, tmp_path):
    args = ["fit", survey / "night1", "--catalogue", survey / "catalogue.csv", "--labels", "kind"]
    args += ["--folds", "2", "--epochs", "1", "--recipe", "boss-quasars", "--out", tmp_path / "m.skspec"]
    text = run(*args).stdout
    assert "Wavelength grid: 433 bins, 3631 to 10233 Å (vacuum)" in text
    assert [name for name, _ in load(tmp_path / "m.skspec").steps] == [
        "logwaveresampler",
        "fluxnormalizer",
        "plaincnnclassifier",
    ]
    result = run(*args, "--n-bins", "100", "--overwrite", code=2)
    assert "boss-quasars, which has a grid of its own" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("recipe", _models.PUBLISHED)
def test_grids_of_published_systems(recipe):
    grid = _models.own_grid(recipe)
    assert LogWaveResampler(**grid).fit(make_spectra(2, random_state=0)).n_bins > 400
    assert _models.make_model(recipe, grid, epochs=3)[-1].max_epochs == 3


# Protocols -----------------------------------------------------------------------------------------------


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers the first column of what it was trained on."""

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
    result = _reproduction.by_object(recorder, groups[:, None], y, groups, folds=4, seed=0)
    assert len(Recorder.log) == 4
    assert not any(set(train) & set(test) for train, test in Recorder.log)
    assert sorted(np.concatenate([test for _, test in Recorder.log])) == sorted(groups)
    assert len(result.y_pred) == 60


def test_the_published_split_does_not(recorder):
    groups = np.repeat(np.arange(20), 3)
    y = np.repeat(["a", "b"], 30)
    result = _reproduction.as_published("lamost_rare_o", recorder, groups[:, None], y, seed=0)
    ((train, test),) = Recorder.log
    assert (len(train), len(test)) == (42, 18)
    assert set(train) & set(test)
    assert len(result.y_true) == 18


def test_random_split_by_class():
    y = np.repeat(["a", "b", "c"], [100, 20, 1])
    train, test = _reproduction.random_split(y, 0.15, stratified=True, seed=0)
    assert sorted([*train, *test]) == list(range(121))
    assert [int((y[test] == label).sum()) for label in "abc"] == [15, 3, 0]
    again, _ = _reproduction.random_split(y, 0.15, stratified=True, seed=0)
    np.testing.assert_array_equal(train, again)
    for seed in range(20):  # a class of one spectrum is learned
        assert "c" in y[_reproduction.random_split(y, 0.5, stratified=False, seed=seed)[0]]
    with pytest.raises(ValueError, match="3 spectra are too few to test on 10%"):
        _reproduction.random_split(np.array(["a", "b", "c"]), 0.1, stratified=False, seed=0)


def test_views_of_images():
    """All eight of each image, which a network that takes views apart would see as copies."""
    X = RNG.integers(0, 255, (3, 3 * 5 * 5)).astype(np.uint8)
    views, y = _reproduction.views_of_images(X, np.array([0, 1, 1]), seed=0)
    assert np.bincount(y).tolist() == [8, 16]
    of_first = {row.tobytes() for row in views[y == 0]}
    image = X[0].reshape(3, 5, 5)
    turned = [np.rot90(image, k, (1, 2)) for k in range(4)]
    expected = {view.tobytes() for view in turned} | {view[..., ::-1].tobytes() for view in turned}
    assert of_first == expected
    assert len(expected) == 8


def test_galaxies_leak_when_copied_before_the_split():
    """A nearest neighbour of random images knows copies of what it has seen, and nothing of new ones."""
    X = RNG.integers(0, 255, (80, 3 * 9 * 9)).astype(np.uint8)
    X[:] = X.reshape(80, 3, 9, 9).mean(axis=(2, 3), keepdims=True).repeat(9, 2).repeat(9, 3).reshape(80, -1)
    X = (X + np.arange(80)[:, None]).astype(np.uint8)
    y = RNG.integers(0, 4, 80)
    from skspec.recipes import galaxy10

    model = galaxy10(network="cnn", random_state=0)
    model.steps[-1] = ("nearest", KNeighborsClassifier(1))
    leaky = _reproduction.as_published("galaxy10", model, X, y, seed=0)
    honest = _reproduction.by_object(model, X, y, np.arange(80), folds=4, seed=0)
    assert np.mean(leaky.y_true == leaky.y_pred) > 0.9
    assert np.mean(honest.y_true == honest.y_pred) < 0.6


# Data and scores -----------------------------------------------------------------------------------------


def test_what_is_on_the_published_grid():
    def of(wave):
        return Spectra(np.ones((2, len(wave))), wave=wave)

    contest = of(np.linspace(3800.0, 8998.0, 2600))
    assert _reproduce._on_published_grid(contest, "star_galaxy_qso")
    assert not _reproduce._on_published_grid(contest, "boss_quasars")
    assert not _reproduce._on_published_grid(contest, "lamost_rare_o")
    assert not _reproduce._on_published_grid(of(np.linspace(3800.0, 9100.0, 2600)), "star_galaxy_qso")


def test_numbers_of_spectra_are_no_objects():
    spectra = Spectra(np.ones((3, 5)), wave=np.arange(5.0) + 4000, meta={"object": ["1", "2", "3"]})
    groups, said = _reproduce._objects(spectra, by_name=False)
    assert groups is None
    assert "neither positions nor names" in said
    assert _reproduce._objects(spectra, by_name=True)[0].tolist() == [0, 1, 2]


def test_scores_of_classes():
    true, predicted = np.array(list("OOOBBA")), np.array(list("OOBBBO"))
    assert _published.recall(true, predicted, label="O") == pytest.approx(2 / 3)
    assert _published.precision(true, predicted, label="O") == pytest.approx(2 / 3)
    assert _published.precision(true, predicted, label="A") == 0.0
    assert _published.macro_precision(true, predicted) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    tested = _reproduction.Protocol(true, predicted)
    scores = dict(
        zip(
            [s.name for s in _published.SCORES["lamost_rare_o"]],
            tested.intervals("lamost_rare_o", n_resamples=20),
            strict=True,
        )
    )
    assert scores["accuracy"].score == pytest.approx(4 / 6)
    assert scores["recall of O"].score == pytest.approx(2 / 3)
    without = _reproduction.Protocol(true[3:], predicted[3:]).intervals("lamost_rare_o", n_resamples=20)
    assert without[2:] == [None, None]


def test_intervals_of_many_spectra(monkeypatch):
    """Fewer resamples, and none that leave out one spectrum after the other."""
    monkeypatch.setattr(_reproduction, "_MOST_DRAWN", 300 * 3000)
    y = np.repeat(["a", "b", "c"], 1000)
    predicted = np.where(np.random.default_rng(0).random(3000) < 0.9, y, "a")
    accuracy = _reproduction.Protocol(y, predicted).intervals("lamost_rare_o")[0]
    assert len(accuracy.resamples) == 300
    np.testing.assert_allclose([accuracy.low, accuracy.high], np.quantile(accuracy.resamples, [0.025, 0.975]))
    of_groups = _reproduction.Protocol(y, predicted, np.arange(3000) // 3).intervals("lamost_rare_o")[0]
    assert len(of_groups.resamples) == 900
