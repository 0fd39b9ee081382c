"""All samplers: imbalanced-learn's checks, bookkeeping, errors, and no leaks into validation folds."""

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict, cross_validate
from sklearn.neighbors import KNeighborsClassifier

import skspec
from skspec import GANOversampler, NoiseOversampler, Spectra
from skspec.oversampling import max_per_class
from tests._data import ROOT
from tests._estimators import CASES
from tests.oversampling._rare import N_PIXELS, rare

SAMPLERS = [name for name, case in CASES.items() if hasattr(case.make(), "fit_resample")]
LITTLE = {"max_steps": 2, "latent_dim": 4, "random_state": 0}


CHECKS = [(name, check) for name in SAMPLERS for _, check in estimator_checks_generator(CASES[name].make())]


@pytest.mark.parametrize(
    ("name", "check"), CHECKS, ids=[f"{name}, {check.func.__name__}" for name, check in CHECKS]
)
def test_imbalanced_learn(name, check):
    check(CASES[name].make())


@pytest.fixture(params=SAMPLERS)
def sampler(request):
    return CASES[request.param].make()


def test_real_rows_come_first_and_are_untouched(sampler):
    X, y = rare()
    X_new, y_new = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    np.testing.assert_array_equal(y_new[: len(y)], y)
    np.testing.assert_array_equal(sampler.sample_indices_, np.r_[np.arange(80), np.full(40, -1)])
    assert (y_new[80:] == "O").all()
    assert np.isfinite(X_new).all()


def test_strategies(sampler):
    X, y = rare()
    for strategy, n in (("auto", 60), ({"O": 33}, 33), (0.5, 30), (lambda y: {"O": 21}, 21), ({"O": 20}, 20)):
        _, y_new = clone(sampler).set_params(sampling_strategy=strategy).fit_resample(X, y)
        assert (y_new == "O").sum() == n
        assert (y_new == "G").sum() == 60


def test_one_seed_one_result(sampler):
    X, y = rare()
    first, _ = clone(sampler).fit_resample(X, y)
    again, _ = clone(sampler).fit_resample(X, y)
    other, _ = clone(sampler).set_params(random_state=1).fit_resample(X, y)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_global_generators_are_left_alone(sampler):
    import torch

    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    sampler.set_params(random_state=None).fit_resample(*rare())
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("name", SAMPLERS)
def test_unknown_labels_in_the_strategy(name, monkeypatch):
    monkeypatch.setattr(
        "skspec.oversampling._adversarial.AdversarialTrainer.step", lambda _: pytest.fail("it was trained")
    )
    sampler = CASES[name].make().set_params(sampling_strategy={"WR": 50})
    with pytest.raises(ValueError, match="WR.*not present in the data"):
        sampler.fit_resample(*rare())


def test_spectra_and_cubes_are_refused(sampler):
    X, y = rare()
    with pytest.raises(TypeError, match="needs a 2-D array, got Spectra; put LogWaveResampler before it"):
        sampler.fit_resample(Spectra(X, wave=np.arange(4000.0, 4000.0 + N_PIXELS)), y)
    with pytest.raises(ValueError, match=r"one row per spectrum, got shape \(80, 2, 30\).*n_channels"):
        sampler.fit_resample(X.reshape(80, 2, 30), y)


def test_sample_weight_is_refused(sampler):
    X, y = rare()
    with pytest.raises(TypeError, match="does not take sample_weight.*class_weight"):
        sampler.fit_resample(X, y, sample_weight=np.ones(len(y)))
    assert not hasattr(sampler, "sample_indices_")


class Recorder(ClassifierMixin, BaseEstimator):
    """Classifier that records its input."""

    seen: ClassVar[list] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.append((X.copy(), y.copy(), None))
        return self

    def predict(self, X):
        self.seen.append((X.copy(), None, "predict"))
        return np.full(len(X), self.classes_[0])


def test_nothing_leaks_into_validation_folds(sampler):
    X, y = rare()
    groups = np.arange(80) // 2  # two spectra of each object
    folds = list(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(X, y, groups))
    Recorder.seen.clear()
    model = make_pipeline(sampler, Recorder())
    predicted = cross_val_predict(model, X, y, cv=folds)
    assert len(predicted) == 80  # generated spectra are never predicted
    for (train, test), fitted, validated in zip(folds, Recorder.seen[::2], Recorder.seen[1::2], strict=True):
        X_fit, y_fit, _ = fitted
        np.testing.assert_array_equal(validated[0], X[test])  # as they are, and none else
        np.testing.assert_array_equal(X_fit[: len(train)], X[train])
        assert len(X_fit) == 2 * (y[train] == "G").sum() == 2 * (y_fit == "O").sum()
        expected, _ = clone(sampler).fit_resample(X[train], y[train])  # from the training fold alone
        np.testing.assert_array_equal(X_fit, expected)
        nearest = np.abs(X_fit[:, None] - X[test]).max(axis=2).min()
        assert nearest > 0.0  # no spectrum of the validation fold is used for training


def test_pipelines_score_real_spectra_only(sampler):
    X, y = rare()
    model = make_pipeline(sampler, KNeighborsClassifier(1))
    result = cross_validate(model, X, y, cv=4, scoring="f1_macro", return_estimator=True)
    assert result["test_score"].min() > 0.7
    assert result["estimator"][0].predict(X[:3]).shape == (3,)


def test_weights_behind_a_sampler_are_an_error_of_the_classifier(sampler):
    X, y = rare()
    model = make_pipeline(sampler, skspec.Conv1DClassifier(max_epochs=1, random_state=0))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(80,\); \(120,\) is needed"):
        model.fit(X, y, conv1dclassifier__sample_weight=np.ones(80))


def test_saved_pipelines_predict_alike(sampler, tmp_path):
    X, y = rare()
    model = make_pipeline(sampler, skspec.Conv1DClassifier(max_epochs=2, random_state=0)).fit(X, y)
    skspec.save(model, tmp_path / "model.skspec")
    loaded = skspec.load(tmp_path / "model.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert not hasattr(loaded[0], "sample_indices_")


def test_functions_that_choose_are_left_behind(sampler, tmp_path):
    X, y = rare()
    sampler.set_params(sampling_strategy=lambda y: {"O": 30})
    model = make_pipeline(sampler, skspec.Conv1DClassifier(max_epochs=1, random_state=0)).fit(X, y)
    with pytest.warns(UserWarning, match="sampling_strategy.*only guides another fit"):
        skspec.save(model, tmp_path / "model.skspec")
    loaded = skspec.load(tmp_path / "model.skspec")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_max_per_class():
    from imblearn.under_sampling import RandomUnderSampler

    X, y = rare()
    model = make_pipeline(
        RandomUnderSampler(sampling_strategy=max_per_class(25), random_state=0),
        NoiseOversampler(random_state=0),
    )
    _, y_new = clone(model).fit_resample(X, y)
    assert dict(zip(*np.unique(y_new, return_counts=True), strict=True)) == {"G": 25, "O": 25}
    assert repr(max_per_class(25)) == "max_per_class(25)"
    with pytest.raises(ValueError, match="n == 0"):
        max_per_class(0)


def test_only_the_generator_needs_torch():
    code = (
        "import sys; from skspec import NoiseOversampler; from skspec.oversampling import quality_report; "
        "print([m for m in ('torch', 'skorch', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_names_and_integers_are_labels_too():
    X, y = rare()
    for labels in (np.where(y == "O", 7, 3), np.where(y == "O", "O star", "other").astype(object)):
        sampler = GANOversampler(**LITTLE)
        _, y_new = sampler.fit_resample(X, labels)
        assert y_new.dtype == labels.dtype
        label = labels[y == "O"][0]
        assert (y_new == label).sum() == 60
        assert sampler.sample(2, label).shape == (2, N_PIXELS)
