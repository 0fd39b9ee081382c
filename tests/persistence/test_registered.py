"""Estimators of users: registered, saved, and loaded after their package is imported."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

import skspec
from skspec import FluxNormalizer, LogitVotingClassifier, load, read_info, register_estimator, save
from skspec.persistence import _registry
from tests._data import ROOT
from tests.persistence._files import change_manifest
from tests.persistence._own import (
    ColumnScaler,
    Dimming,
    LinearClassifier,
    NearestMean,
    Normalizer,
    Unregistered,
)

pytest.importorskip("safetensors")
pytest.importorskip("skops")

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 0.1, (30, 40)) + np.repeat([0.0, 0.5, 1.0], 10)[:, None] * np.sin(np.arange(40) / 5)
Y = np.repeat(["A", "F", "G"], 10)
NET = LinearClassifier(max_epochs=2, random_state=0)
MODELS = {
    "transformer": ColumnScaler(power=0.5),
    "state": NearestMean(),
    "network": NET,
    "augmentation": clone(NET).set_params(augment=[Dimming(0.9), skspec.Mask(0.2)]),
    "derived": Normalizer("snv"),
    "pipeline": make_pipeline(Normalizer(), ColumnScaler(), NET),
    "union": make_pipeline(FeatureUnion([("a", ColumnScaler()), ("b", Normalizer())]), NearestMean()),
    "voting": VotingClassifier([("net", NET), ("bayes", GaussianNB())]),
    "logits": LogitVotingClassifier([("net", NET), ("linear", LogisticRegression())]),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skspec"


def answers(model):
    method = next(name for name in ("predict_proba", "predict", "transform") if hasattr(model, name))
    return getattr(model, method)(X)


@pytest.mark.parametrize("name", MODELS)
def test_comes_back(name, path):
    model = clone(MODELS[name]).fit(X, Y)
    save(model, path)
    loaded = load(path)
    assert type(loaded) is type(model)
    assert repr(loaded) == repr(model)
    np.testing.assert_array_equal(answers(loaded), answers(model))
    np.testing.assert_array_equal(answers(clone(loaded).fit(X, Y)), answers(model))


def test_the_file_has_the_qualified_name(path):
    save(ColumnScaler().fit(X), path)
    assert read_info(path)["model"]["estimator"] == "tests.persistence._own.ColumnScaler"


LOAD = "import numpy as np, skspec; np.save('out.npy', skspec.load('model.skspec').predict(np.load('X.npy')))"


def test_another_process_must_import_the_package(path):
    model = clone(MODELS["pipeline"]).fit(X, Y)
    save(model, path)
    np.save(path.with_name("X.npy"), X)

    def run(code):
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"
        return subprocess.run(
            [sys.executable, "-c", code], check=False, cwd=path.parent, capture_output=True, text=True
        )

    alone = run(LOAD)
    assert alone.returncode == 1
    message = "unknown class 'tests.persistence._own.Normalizer'; import the package that"
    assert message in alone.stderr
    assert run("import tests.persistence._own; " + LOAD).returncode == 0
    np.testing.assert_array_equal(np.load(path.with_name("out.npy")), model.predict(X))


def test_a_name_in_a_file_is_never_imported(path, tmp_path, monkeypatch):
    (tmp_path / "harmful.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    save(ColumnScaler().fit(X), path)
    change_manifest(path, lambda manifest: manifest["model"].update(estimator="harmful.ColumnScaler"))
    with pytest.raises(ValueError, match=r"unknown class 'harmful\.ColumnScaler'; "):
        load(path)
    assert "harmful" not in sys.modules


def test_unregistered_classes_are_refused_with_advice(path):
    model = Pipeline([("first", Unregistered()), ("last", NearestMean())]).fit(X, Y)
    message = r"step 'first' \(tests\..*\.Unregistered\) cannot be saved: register its class with skspec\.reg"
    with pytest.raises(TypeError, match=message):
        save(model, path)
    assert not path.exists()


def test_inside_of_other_meta_estimators_they_are_refused(path):
    model = CalibratedClassifierCV(NET, cv=2).fit(X, Y)
    with pytest.raises(TypeError, match="cannot be saved: it holds LinearClassifier"):
        save(model, path)


def test_what_guides_a_fit_is_left_out_and_refused(path):
    model = ColumnScaler(cache_dir="/tmp").fit(X)
    with pytest.warns(UserWarning, match=r"cache_dir of the model \(str\) only guides another fit"):
        save(model, path)
    assert load(path).cache_dir is None
    change_manifest(path, lambda manifest: manifest["model"]["params"].update(cache_dir="/etc"))
    with pytest.raises(ValueError, match=r"\.ColumnScaler has a value for cache_dir, which save never"):
        load(path)


def test_subclasses_add_to_what_guides_a_fit(path):
    @register_estimator
    class Logged(ColumnScaler):
        __skspec_fit_only__ = ("log",)

        def __init__(self, log=None, power=1.0, cache_dir=None):
            super().__init__(power, cache_dir)
            self.log = log

    with pytest.warns(UserWarning, match="only guides another fit") as caught:
        save(Logged("a", cache_dir="b").fit(X), path)
    assert {str(warning.message).split()[0] for warning in caught} == {"log", "cache_dir"}


def test_functions_are_left_out(path):
    model = ColumnScaler(power=np.float64(1.0)).fit(X)
    model.power = abs
    with pytest.warns(UserWarning, match=r"power of the model \(builtin.*\) is a function and is not saved"):
        save(model, path)
    assert load(path).power is None


def test_parameters_to_save_are_the_choice_of_the_class(path):
    @register_estimator
    class Rounded(ColumnScaler):
        def __skspec_get_params__(self):
            return self.get_params(deep=False) | {"power": round(self.power, 1)}

    save(Rounded(0.123).fit(X), path)
    assert load(path).power == 0.1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda model: model["params"].update(evil=1), "has no parameter 'evil'"),
        (lambda model: model["fitted"]["state"]["dict"].update(labels=["A"]), "do not fit it"),
        (lambda model: model["fitted"]["state"]["dict"].clear(), "do not fit it"),
        (lambda model: model.update(fitted={"dict": {}}), "has no state and weights"),
    ],
)
def test_files_that_were_changed_are_refused(function, message, path):
    save(NearestMean().fit(X, Y), path)
    change_manifest(path, lambda manifest: function(manifest["model"]))
    with pytest.raises(ValueError, match=message):
        load(path)


def test_a_constructor_that_objects_is_a_refusal(path):
    @register_estimator
    class Strict(TransformerMixin, BaseEstimator):
        def __init__(self, power=1.0):
            self.power = power.real

        def fit(self, X, y=None):
            self.fitted_ = True
            return self

    save(Strict().fit(X), path)
    change_manifest(path, lambda manifest: manifest["model"]["params"].update(power="x"))
    with pytest.raises(ValueError, match="Strict cannot be built: 'str' object has no attribute 'real'"):
        load(path)


def test_private_attributes_would_be_lost(path):
    model = ColumnScaler().fit(X)
    model._cache = 1
    with pytest.raises(TypeError, match="_cache of the model is neither a parameter nor a fitted attribute"):
        save(model, path)


# Registration ---------------------------------------------------------------------------------------------


def test_once_more_is_fine_and_a_namesake_is_not():
    assert register_estimator(ColumnScaler) is ColumnScaler
    other = type("ColumnScaler", (BaseEstimator,), {"__module__": ColumnScaler.__module__})
    with pytest.raises(ValueError, match=r"_own\.ColumnScaler cannot be registered: another class has this"):
        register_estimator(other)


@pytest.mark.parametrize(
    "cls",
    [
        FluxNormalizer,
        LogisticRegression,
        Pipeline,
        type("Mine", (BaseEstimator,), {"__module__": "skspec"}),
        type("Mine", (BaseEstimator,), {"__module__": "imblearn.mine"}),
    ],
)
def test_reserved_names(cls):
    with pytest.raises(ValueError, match="cannot be registered: names of (skspec|sklearn|imblearn) are res"):
        register_estimator(cls)


@pytest.mark.parametrize("value", [3, "FluxNormalizer", FluxNormalizer(), dict], ids=str)
def test_only_estimator_classes(value):
    with pytest.raises(TypeError, match=r"cls must be a subclass of sklearn\.base\.BaseEstimator, got"):
        register_estimator(value)


def test_public_name():
    assert skspec.persistence.register_estimator is skspec.register_estimator


def test_a_notebook_cell_can_define_a_class_again():
    for _ in range(2):
        namespace = {"BaseEstimator": BaseEstimator, "__name__": "__main__"}
        exec("class Doubler(BaseEstimator):\n    pass\n", namespace)
        again = register_estimator(namespace["Doubler"])
    assert _registry.find("__main__.Doubler") is again
