"""`recommended`: members, errors, and training on a few stars and saving for each task."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

from skspec import Spectra, load, make_spectra, save
from skspec.datasets import observe_spectra
from skspec.recipes import recommended

QUICK = {"loglam_min": 3.6, "loglam_max": 3.9, "n_bins": 120, "random_state": 0}
MEMBERS = {
    ("class", "library"): ["conv1d", "conv1d_mixup", "forest"],
    ("luminosity", "library"): ["conv1d", "conv1d_mixup"],
    ("joint", "library"): ["conv1d", "conv1d_mixup"],
    ("class", "survey"): ["conv1d", "plain_cnn", "svm"],
    ("luminosity", "survey"): ["conv1d", "plain_cnn", "svm"],
    ("joint", "survey"): ["conv1d", "plain_cnn", "svm"],
    ("class", "elsewhere"): ["conv1d_lines", "conv1d_lines_mixup", "conv1d", "forest"],
    ("luminosity", "elsewhere"): ["conv1d_lines", "conv1d_lines_mixup", "conv1d", "forest"],
    ("joint", "elsewhere"): ["conv1d_lines", "conv1d_lines_mixup", "conv1d", "forest"],
    ("spectral_code", "library"): ["conv1d", "trees", "svm"],
}


@pytest.fixture(scope="module")
def stars():
    return make_spectra(120, classes="BAGM", repeats=0.0, snr=(30.0, 60.0), random_state=0)


def target(stars, task):
    letter = np.asarray(stars.meta["spectral_class"]).astype(str)
    luminosity = np.where(np.isin(stars.meta["lum_class"], ["IV", "V"]), "V", "I")
    return {
        "class": letter,
        "luminosity": luminosity,
        "joint": np.char.add(letter, luminosity),
        "spectral_code": np.log(np.asarray(stars.meta["teff"], dtype=float)),
    }[task]


def networks(model):
    """Networks among the members, and their parameters."""
    params = model[-1].get_params()
    return [value for value in params.values() if hasattr(value, "max_epochs")]


@pytest.mark.parametrize(("task", "observed"), MEMBERS)
def test_members(task, observed):
    model = recommended(task, observed=observed)
    assert [name for name, _ in model[-1].estimators] == MEMBERS[task, observed]
    assert [name for name, _ in model.steps[:-1]] == ["logwaveresampler", "fluxnormalizer"]
    assert is_regressor(model) == (task == "spectral_code")
    assert is_classifier(model) == (task != "spectral_code")
    assert model[0].n_bins == (800 if observed == "survey" else 1000)
    windows = {v for k, v in model.get_params().items() if k.endswith("continuumnormalizer__window")}
    assert windows == {model[0].n_bins // 10}
    epochs = 15 if observed == "survey" else 60 if task == "spectral_code" else 30
    assert {network.max_epochs for network in networks(model)} == {epochs}
    assert {n.max_epochs for n in networks(recommended(task, observed=observed, max_epochs=3))} == {3}


@pytest.mark.parametrize(("task", "observed"), MEMBERS)
def test_clones_and_seeds(task, observed):
    model = recommended(task, observed=observed, random_state=7)
    assert repr(clone(model)) == repr(model)
    seeds = [v for k, v in model.get_params().items() if k.endswith("__random_state")]
    assert set(seeds) <= {7, None}  # no seeds for steps that are deterministic
    assert all(n.random_state == 7 for n in networks(model))
    with pytest.raises(NotFittedError):
        model.predict(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("task", "observed", "epochs"),
    [
        ("class", "library", 10),
        ("luminosity", "library", 20),
        ("joint", "library", 15),
        ("class", "survey", 10),
        ("class", "elsewhere", 10),
        ("spectral_code", "library", 10),
    ],
)
def test_each_task_from_end_to_end(task, observed, epochs, stars, tmp_path):
    y = target(stars, task)
    model = recommended(task, observed=observed, max_epochs=epochs, **QUICK).fit(stars[:90], y[:90])
    predicted = model.predict(stars[90:])
    if task == "spectral_code":
        assert model.score(stars[90:], y[90:]) > 0.6  # R², which is 0 for the mean
    else:
        usual = np.unique(y[90:], return_counts=True)[1].max() / 30
        assert np.mean(predicted == y[90:]) > usual + 0.1
        np.testing.assert_allclose(model.predict_proba(stars[90:]).sum(axis=1), 1.0, rtol=1e-6)
    pytest.importorskip("skops")
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict(stars[90:]), predicted)
    if task != "spectral_code":
        np.testing.assert_array_equal(loaded.predict_proba(stars[90:]), model.predict_proba(stars[90:]))


def test_a_survey_classifier_learns_from_a_library(stars):
    """Trained on simulated survey observations of some stars, the ensemble classifies those of other stars."""
    library = make_spectra(40, classes="AM", repeats=0.0, snr=500.0, ebv=0.0, missing=0.0, random_state=1)
    wave = np.geomspace(4000.0, 7900.0, 600)
    night = observe_spectra(library, n_copies=3, ebv=(0.0, 0.5), wave=wave, random_state=0)
    model = recommended(observed="survey", max_epochs=4, **QUICK)
    model.fit(night, np.asarray(night.meta["spectral_class"]).astype(str))
    y = target(stars, "class")
    known = np.isin(y, ["A", "M"])
    assert np.mean(model.predict(stars[known]) == y[known]) > 0.9


@pytest.mark.parametrize("as_spectra", [False, True])
def test_prepared_spectra(as_spectra):
    rng = np.random.default_rng(0)
    X, y = rng.normal(1.0, 0.05, (80, 128)), np.repeat(["G", "K"], 40)
    X[y == "G", 40:50] -= 0.5
    X[0, :5] = np.nan
    if as_spectra:
        X = Spectra(X, wave=np.geomspace(4000.0, 7000.0, 128))
    for observed in ("library", "survey", "elsewhere"):
        model = recommended(observed=observed, prepared=True, n_bins=128, max_epochs=4, random_state=0)
        assert model.steps[0][0] == "missingfluximputer"
        assert model.fit(X, y).score(X, y) > 0.8


def test_lines_do_not_see_the_calibration(stars):
    """Half of the members for "elsewhere" hardly depend on the flux calibration."""
    y = target(stars, "class")
    bent = Spectra(stars.flux * (stars.wave / 5000.0) ** 0.5, wave=stars.wave, ivar=stars.ivar)
    model = recommended(observed="elsewhere", max_epochs=4, **QUICK).fit(stars[:80], y[:80])
    true, false = (model[:-1].transform(spectra[80:]) for spectra in (stars, bent))
    change = {
        name: np.abs(member.predict_proba(true) - member.predict_proba(false)).mean()
        for (name, _), member in zip(model[-1].estimators, model[-1].estimators_, strict=True)
    }
    assert max(change["conv1d_lines"], change["conv1d_lines_mixup"]) < 0.5 * change["conv1d"], change


def test_members_for_elsewhere_see_lines_or_both():
    members = dict(recommended(observed="elsewhere")[-1].estimators)
    assert {name: getattr(member[-1], "n_channels", None) for name, member in members.items()} == {
        "conv1d_lines": 1,
        "conv1d_lines_mixup": 1,
        "conv1d": 2,
        "forest": None,
    }
    X = np.ones((2, 1000))
    widths = {name: member[:-1].fit_transform(X).shape[1] for name, member in members.items()}
    assert widths == {"conv1d_lines": 1000, "conv1d_lines_mixup": 1000, "conv1d": 2000, "forest": 2000}


def test_same_seed_same_model(stars):
    y = target(stars, "luminosity")
    first, second = (
        recommended("luminosity", max_epochs=1, **QUICK).fit(stars[:40], y[:40]).predict_proba(stars[40:])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"task": "clas"}, ValueError, "task must be one of .*did you mean 'class'"),
        ({"observed": "surveys"}, ValueError, "observed must be one of .*did you mean 'survey'"),
        ({"prepared": "yes"}, ValueError, "prepared must be one of True, False, got 'yes'"),
        (
            {"task": "spectral_code", "observed": "survey"},
            ValueError,
            "task='spectral_code' needs observed='library', got 'survey'",
        ),
        ({"n_bins": 0}, ValueError, "n_bins == 0, must be >= 1"),
        ({"n_bins": "many"}, TypeError, "n_bins must be an instance of int"),
    ],
)
def test_mistakes_are_told(options, error, message):
    with pytest.raises(error, match=message):
        recommended(**options)


def test_no_epochs_are_refused(stars):
    with pytest.raises(ValueError, match="max_epochs == 0"):
        recommended("luminosity", max_epochs=0, **QUICK).fit(stars[:20], target(stars, "luminosity")[:20])
