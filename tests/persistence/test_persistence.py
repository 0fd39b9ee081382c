"""Saving and loading: a loaded model equals the saved one."""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skspec import FluxNormalizer, LogWaveResampler, MissingFluxImputer, Spectra, load, save
from skspec.persistence import read_info

pytest.importorskip("safetensors")
pytest.importorskip("skops")

WAVE = np.linspace(4000.0, 7000.0, 120)
GRID = {"loglam_min": 3.61, "loglam_max": 3.84, "n_bins": 30}


@pytest.fixture(scope="module")
def spectra():
    rng = np.random.default_rng(0)
    flux = 2.0 + rng.normal(0.0, 0.1, (60, 120)) + np.repeat([0, 1, 2], 20)[:, None] * np.sin(WAVE / 500)
    return Spectra(flux, wave=WAVE)


LABELS = np.repeat(["A", "F", "G"], 20)


def there_and_back(model, folder, **kwargs):
    path = folder / "model.skspec"
    save(model, path, **kwargs)
    assert sorted(os.listdir(folder)) == ["model.skspec"]
    return load(path)


@pytest.mark.parametrize(
    "tail",
    [
        [LogisticRegression()],
        [SimpleImputer(), StandardScaler(), PCA(5, random_state=0), SVC()],
        [RandomForestClassifier(10, random_state=0)],
        [
            FeatureUnion([("pca", make_pipeline(FluxNormalizer("snv"), PCA(3))), ("raw", "passthrough")]),
            LogisticRegression(),
        ],
        [make_pipeline(FluxNormalizer("max"), StandardScaler()), None, LogisticRegression()],
        [FunctionTransformer(np.log1p), LogisticRegression()],
    ],
    ids=["logistic", "svc", "forest", "union", "nested", "ufunc"],
)
def test_predicts_bit_for_bit(tail, spectra, tmp_path):
    model = Pipeline(
        [(f"step{i}", step) for i, step in enumerate([LogWaveResampler(**GRID), FluxNormalizer(), *tail])]
    )
    model.fit(spectra, LABELS)
    loaded = there_and_back(model, tmp_path)
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    np.testing.assert_array_equal(getattr(loaded, method)(spectra), getattr(model, method)(spectra))
    np.testing.assert_array_equal(loaded.predict(spectra), model.predict(spectra))
    assert repr(loaded) == repr(model)
    np.testing.assert_array_equal(loaded[0].wave_, model[0].wave_)
    assert loaded[0].wave_.dtype == np.float64


def test_imblearn_pipeline_keeps_its_sampler_unlearned(spectra, tmp_path):
    model = make_imblearn_pipeline(
        LogWaveResampler(**GRID), SMOTE(k_neighbors=2, sampling_strategy={"A": 25}), LogisticRegression()
    ).fit(spectra, LABELS)
    loaded = there_and_back(model, tmp_path)
    assert type(loaded) is type(model)
    assert loaded[1].get_params() == model[1].get_params()
    np.testing.assert_array_equal(loaded.predict_proba(spectra), model.predict_proba(spectra))
    loaded.fit(spectra, LABELS)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["é", "b c", "QSO/BAL"], dtype="<U9"),
        np.array([-3, 5, 2**40]),
        np.array([1, 2, 3], dtype=np.uint8),
        np.array([0.0, 1.0, 2.0], dtype=np.float32),
        np.array(["x", "yy", "zzz"], dtype=object),
        np.array([True, False, True]),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_keep_their_type(labels, spectra, tmp_path):
    y = np.repeat(labels, 20)
    model = make_pipeline(LogWaveResampler(**GRID), LogisticRegression()).fit(spectra, y)
    loaded = there_and_back(model, tmp_path)
    assert loaded.classes_.dtype == model.classes_.dtype
    assert loaded.classes_.tolist() == model.classes_.tolist()
    assert [type(c) for c in loaded.classes_.tolist()] == [type(c) for c in model.classes_.tolist()]
    assert read_info(tmp_path / "model.skspec")["classes"] == model.classes_.tolist()


@pytest.mark.parametrize(
    "wave",
    [WAVE, WAVE.astype(">f8"), WAVE.tolist(), (4000.0, 7000.0), np.asfortranarray(np.stack([WAVE, WAVE]))[0]],
    ids=["array", "big-endian", "list", "pair", "strided"],
)
def test_wave_given_as_parameter(wave, tmp_path):
    X = np.random.default_rng(1).normal(2.0, 0.1, (4, 120))
    model = LogWaveResampler(wave=wave, **GRID).fit(X)
    loaded = there_and_back(model, tmp_path)
    assert type(loaded.wave) is type(wave)
    np.testing.assert_array_equal(loaded.wave, wave)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    assert read_info(tmp_path / "model.skspec")["wave"] == {
        "n": 30,
        "min": model.wave_[0],
        "max": model.wave_[-1],
    }


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        0.1,
        float("nan"),
        float("inf"),
        -float("inf"),
        "päth",
        (1, (2.5, None), "x"),
        [1, [2.0, ()]],
        {"a": 1, "dict": (1, 2)},
        {0: 1.0, 2: 0.5, None: 3, ("t", 1): [4]},
        np.float32(0.1),
        np.float64("nan"),
        np.float16(-np.inf),
        np.int8(-5),
        np.uint64(2**63),
        np.bool_(True),
        np.str_("abc"),
        np.array(3.0),
        np.zeros((0, 3), np.float32),
        np.array([[1, 2], [3, 4]], dtype=np.int16, order="F"),
        np.array([np.nan, -0.0, np.inf], np.float16),
        np.array([True, False]),
        np.array([["a", "bcd"]], dtype="<U7"),
        np.array([], dtype="<U1"),
        np.array(["ab", "c"], dtype=object),
    ],
    ids=repr,
)
def test_parameter_values_come_back(value, tmp_path):
    loaded = there_and_back(FluxNormalizer(value), tmp_path).method
    assert type(loaded) is type(value)
    if isinstance(value, np.ndarray | np.generic):
        assert loaded.dtype == value.dtype
        assert np.shape(loaded) == np.shape(value)
    if isinstance(value, np.ndarray):
        assert np.array_equal(loaded, value, equal_nan=value.dtype.kind == "f")
        assert loaded.tobytes() == value.tobytes() or value.dtype == object
    else:
        assert repr(loaded) == repr(value)


def test_set_output_is_kept(spectra, tmp_path):
    model = (
        make_pipeline(LogWaveResampler(**GRID), StandardScaler()).set_output(transform="pandas").fit(spectra)
    )
    frame = there_and_back(model, tmp_path).transform(spectra)
    assert list(frame.columns) == list(model[0].get_feature_names_out())


def test_feature_names_are_kept(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]})
    model = FluxNormalizer().fit(frame)
    loaded = there_and_back(model, tmp_path)
    assert loaded.feature_names_in_.dtype == object
    assert loaded.feature_names_in_.tolist() == ["a", "b"]


def test_manifest_says_what_is_inside(spectra, tmp_path):
    model = make_pipeline(LogWaveResampler(**GRID), LogisticRegression()).fit(spectra, LABELS)
    info = {"accuracy": 0.5, "bad": float("nan"), "classes": ("a", 1), "deep": {"x": [None, True]}}
    there_and_back(model, tmp_path, info=info)
    path = tmp_path / "model.skspec"
    manifest = read_info(path)
    assert manifest["format_version"] == 1
    assert manifest["classes"] == ["A", "F", "G"]
    assert manifest["versions"]["numpy"] == np.__version__
    assert repr(manifest["info"]) == repr(info)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["manifest.json", "weights.safetensors", "steps/0.skops"]
        text = archive.read("manifest.json").decode()
    assert json.loads(text)["model"]["estimator"] == "sklearn.Pipeline"


def test_grid_is_known_past_steps_that_see_arrays(spectra, tmp_path):
    model = make_pipeline(LogWaveResampler(**GRID), MissingFluxImputer()).fit(spectra)
    save(model, tmp_path / "model.skspec")
    assert read_info(tmp_path / "model.skspec")["wave"]["n"] == 30


def test_loads_in_a_fresh_process_without_torch(spectra, tmp_path):
    model = make_pipeline(LogWaveResampler(**GRID), FluxNormalizer()).fit(spectra)
    save(model, tmp_path / "model.skspec")
    np.save(tmp_path / "flux.npy", spectra.flux)
    np.save(tmp_path / "wave.npy", WAVE)
    code = (
        "import sys, numpy as np; from skspec import Spectra, load\n"
        "spectra = Spectra(np.load('flux.npy'), wave=np.load('wave.npy'))\n"
        "np.save('out.npy', load('model.skspec').transform(spectra))\n"
        "assert not {'torch', 'skops', 'imblearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), model.transform(spectra))


# Refused by save -------------------------------------------------------------------------------------------


class Derived(FluxNormalizer):
    pass


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (
            [FunctionTransformer(lambda X: X)],
            r"step 'last' \(FunctionTransformer\) cannot be saved: .*<lambda>",
        ),
        ([KNeighborsClassifier(algorithm="kd_tree")], "KDTree.*use algorithm='brute'"),
        ([Derived()], r"step 'last' \(.*Derived\) cannot be saved: register its class"),
        ([GridSearchCV(GaussianNB(), {"priors": [None]}, cv=2)], "is a search; save its best_estimator_"),
        ([SelectKBest(k=3)], "f_classif, not a trusted type"),
    ],
)
def test_refuses_what_is_not_safe(tail, message, spectra, tmp_path):
    model = Pipeline([("grid", LogWaveResampler(**GRID)), ("last", tail[0])]).fit(spectra, LABELS)
    with pytest.raises(TypeError, match=message):
        save(model, tmp_path / "model.skspec")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1, "a"], dtype=object), "method of the model is an array of object"),
        (np.array(["2020-01-01"], "M8[D]"), r"array of datetime64\[D\]"),
        (np.longdouble(1), "numpy scalar of"),
        ({1, 2}, "builtins.set"),
        (1j, "builtins.complex"),
        (np.ma.array([1.0]), "MaskedArray"),
    ],
)
def test_refuses_parameters_without_safe_form(value, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(FluxNormalizer(value), tmp_path / "model.skspec")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.random.RandomState(0), np.random.default_rng(0), np.median, str.upper])
def test_generators_and_functions_are_left_out(value, tmp_path):
    message = rf"method of the model \({type(value).__name__}\) only guides another fit and is not saved"
    with pytest.warns(UserWarning, match=message):
        save(FluxNormalizer(value), tmp_path / "model.skspec")
    assert load(tmp_path / "model.skspec").method is None


def test_pipeline_cache_is_left_behind(spectra, tmp_path):
    model = Pipeline(
        [("grid", LogWaveResampler(**GRID)), ("scale", StandardScaler())], memory=str(tmp_path / "cache")
    )
    model.fit(spectra)
    with pytest.warns(UserWarning, match=r"memory of the model \(str\) only guides another fit"):
        save(model, tmp_path / "model.skspec")
    assert load(tmp_path / "model.skspec").memory is None


def test_bad_arguments(spectra, tmp_path):
    fitted = LogWaveResampler(**GRID).fit(spectra)
    with pytest.raises(ValueError, match=r"path must end in \.skspec, got 'model\.pkl'"):
        save(fitted, tmp_path / "model.pkl")
    with pytest.raises(NotFittedError):
        save(LogWaveResampler(), tmp_path / "model.skspec")
    with pytest.raises(TypeError, match="model is a dict"):
        save({}, tmp_path / "model.skspec")
    with pytest.raises(TypeError, match="info must contain only str"):
        save(fitted, tmp_path / "model.skspec", info={"x": np.ones(2)})
    with pytest.raises(TypeError, match=r"info\.x of the model is a builtins\.object"):
        save(fitted, tmp_path / "model.skspec", info={"x": object()})
    fitted._cache = 1
    with pytest.raises(TypeError, match="_cache of the model is neither a parameter nor a fitted attribute"):
        save(fitted, tmp_path / "model.skspec")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(spectra, tmp_path, monkeypatch):
    path = tmp_path / "model.skspec"
    save(LogWaveResampler(**GRID).fit(spectra), path)
    before = path.read_bytes()

    def fails(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="no space left"):
        save(FluxNormalizer(), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.skspec"]
