"""Saving and loading neural classifiers."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EpochTimer

import skspec
from skspec import (
    Conv1DClassifier,
    Flips,
    FluxNormalizer,
    LogWaveResampler,
    Mask,
    Noise,
    Rotations,
    Shift,
    Spectra,
    Tilt,
    VelocityShift,
    load,
    save,
)
from skspec.training import NeuralClassifier
from tests._estimators import CASES, names
from tests.persistence._files import load_random_changes, read_entries, with_manifest, write_entries

safetensors = pytest.importorskip("safetensors.numpy")
pytest.importorskip("skops")

WAVE = np.linspace(4000.0, 7000.0, 120)
RNG = np.random.default_rng(0)
FLUX = RNG.normal(2.0, 0.1, (30, 120)) + np.repeat([0.0, 0.5, 1.0], 10)[:, None] * np.sin(WAVE / 300)
LABELS = np.repeat(["A", "F", "G"], 10)


def spectra():
    return Spectra(FLUX, wave=WAVE)


def network(**options):
    return Conv1DClassifier(**({"filters": (4, 8), "max_epochs": 2, "random_state": 0} | options))


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        np.repeat([7, -1, 2**40], 10),
        np.repeat(["x", "yy", "é"], 10).astype(object),
        np.repeat([True, False], 15),
    ],
    ids=["str", "int", "object", "bool"],
)
def test_predicts_bit_for_bit(labels, tmp_path):
    model = make_pipeline(
        LogWaveResampler(loglam_min=3.61, loglam_max=3.84, n_bins=50), FluxNormalizer(), network()
    )
    model.fit(spectra(), labels)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(spectra()), model.predict_proba(spectra()))
    np.testing.assert_array_equal(loaded[:-1].transform(spectra()), model[:-1].transform(spectra()))
    np.testing.assert_array_equal(loaded[-1].embed(FLUX[:, :50]), model[-1].embed(FLUX[:, :50]))
    assert loaded.classes_.dtype == model.classes_.dtype
    assert loaded.classes_.tolist() == model.classes_.tolist()
    assert repr(loaded) == repr(model)
    assert loaded[-1].history_["train_loss"].tolist() == model[-1].history_["train_loss"].tolist()
    again = clone(loaded).fit(spectra(), labels)
    np.testing.assert_array_equal(again.predict_proba(spectra()), model.predict_proba(spectra()))


def test_knows_its_grid(tmp_path):
    save(network().fit(spectra(), LABELS), tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    np.testing.assert_array_equal(loaded.wave_, WAVE)
    with pytest.raises(ValueError, match="another wavelength grid"):
        loaded.predict(Spectra(FLUX, wave=WAVE + 10))
    assert skspec.read_info(tmp_path / "m.skspec")["wave"] == {"n": 120, "min": 4000.0, "max": 7000.0}


def test_predicts_the_same_in_another_process(tmp_path):
    model = network().fit(FLUX, LABELS)
    save(model, tmp_path / "m.skspec")
    np.save(tmp_path / "X.npy", FLUX)
    code = "import numpy as np, skspec; np.save('p.npy', skspec.load('m.skspec').predict_proba(np.load('X.npy')))"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(FLUX))


def test_callbacks_are_left_behind_and_devices_are_names(tmp_path):
    import torch

    model = network(
        callbacks=[EpochTimer()], device=torch.device("cpu"), class_weight={"A": 2.0, "F": 1.0, "G": 0.5}
    )
    model.fit(FLUX, LABELS)
    with pytest.warns(
        UserWarning, match=r"callbacks of the model \(list\) only guides another fit and is not saved"
    ):
        save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    assert loaded.callbacks is None
    assert loaded.device == "cpu"
    assert loaded.class_weight == {"A": 2.0, "F": 1.0, "G": 0.5}
    np.testing.assert_array_equal(loaded.predict_proba(FLUX), model.predict_proba(FLUX))


@pytest.mark.parametrize("name", names(NeuralClassifier))
def test_what_guided_the_fit(name, tmp_path):
    model = CASES[name].make()
    if getattr(model, "image_shape", None) is None:
        augment = [VelocityShift(50.0, wave=WAVE), Shift(1), Tilt(0.1), Noise((0.0, 0.1)), Mask(0.1)]
        model.set_params(tta_shifts={-1: 0.5, 0: 1.0}, augment=augment)
    else:
        model.set_params(tta_flips=True, augment=[Flips(), Rotations()])
    place = {"A": (1.0, 5.0), "F": (2.0, 5.0), "G": np.array([3.0, 1.0])}
    model.set_params(loss="distance", class_coordinates=place, max_epochs=1, random_state=0).fit(FLUX, LABELS)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    assert loaded.get_params().keys() == model.get_params().keys()
    assert {label: list(c) for label, c in loaded.class_coordinates.items()} == {
        label: list(c) for label, c in place.items()
    }
    assert getattr(loaded, "tta_shifts", None) == getattr(model, "tta_shifts", None)
    assert loaded.augment == model.augment
    np.testing.assert_array_equal(loaded.predict_proba(FLUX), model.predict_proba(FLUX))
    again = clone(loaded).fit(FLUX, LABELS)
    np.testing.assert_array_equal(again.predict_proba(FLUX), model.predict_proba(FLUX))


def test_functions_and_folders_are_left_behind(tmp_path):
    def quality(model, X, y):
        return model.score(X, y)

    model = network(
        loss="distance",
        class_coordinates=ord,
        scoring=quality,
        validation_fraction=0.3,
        checkpoint_dir=tmp_path / "checkpoints",
    )
    model.fit(FLUX, LABELS)
    with pytest.warns(UserWarning, match="only guides another fit and is not saved") as caught:
        save(model, tmp_path / "m.skspec")
    assert {str(w.message).split()[0] for w in caught} == {"class_coordinates", "scoring", "checkpoint_dir"}
    loaded = load(tmp_path / "m.skspec")
    assert loaded.class_coordinates is loaded.scoring is loaded.checkpoint_dir is None
    np.testing.assert_array_equal(loaded.predict_proba(FLUX), model.predict_proba(FLUX))
    with pytest.raises(ValueError, match="loss='distance' needs class_coordinates"):
        clone(loaded).fit(FLUX, LABELS)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        ("ResNet1DClassifier", "checkpoint_dir"),
        ("ResNet1DClassifier", "pretrained"),
        ("GANOversampler", "checkpoint_dir"),
        ("GANOversampler", "picture_dir"),
    ],
)
def test_a_file_names_no_place_on_this_machine(entries, estimator, name, tmp_path):
    change = {"estimator": f"skspec.{estimator}", "params": {name: "/etc/passwd"}}
    changed = with_manifest(entries, lambda manifest: manifest["model"].update(change))
    write_entries(tmp_path / "bad.skspec", changed)
    with pytest.raises(ValueError, match=f"skspec.{estimator} has a value for {name}"):
        load(tmp_path / "bad.skspec")


@pytest.mark.parametrize(
    ("meta", "name"),
    [
        (OneVsRestClassifier(network()), "OneVsRestClassifier"),
        (CalibratedClassifierCV(network(), cv=2), "CalibratedClassifierCV"),
    ],
    ids=["one_vs_rest", "calibrated"],
)
def test_meta_estimators_around_networks_are_refused(meta, name, tmp_path):
    model = make_pipeline(FluxNormalizer(), meta).fit(FLUX, LABELS)
    with pytest.raises(TypeError, match=rf"\({name}\) cannot be saved: it holds Conv1DClassifier"):
        save(model, tmp_path / "m.skspec")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "m.skspec"
    save(network().fit(FLUX, LABELS), path)
    return read_entries(path)


def test_weights_of_another_network(entries, tmp_path):
    path = tmp_path / "bad.skspec"
    filters = {"filters": {"tuple": [4, 16]}}
    write_entries(path, with_manifest(entries, lambda manifest: manifest["model"]["params"].update(filters)))
    with pytest.raises(
        ValueError, match="bad.skspec cannot be loaded: state and weights of skspec.Conv1DClassifier"
    ):
        load(path)
    arrays = safetensors.load(entries["weights.safetensors"])
    name = next(key for key in arrays if key.endswith("weight"))
    cropped = safetensors.save(arrays | {name: arrays[name][:1].copy()})
    write_entries(path, entries | {"weights.safetensors": cropped})
    with pytest.raises(ValueError, match="do not fit it"):
        load(path)
    del arrays[name]
    write_entries(path, entries | {"weights.safetensors": safetensors.save(arrays)})
    with pytest.raises(ValueError, match="lacks the array"):
        load(path)


def test_random_manifests_are_always_refused_or_harmless(entries, tmp_path):
    load_random_changes(tmp_path / "bad.skspec", entries, 200, part=lambda manifest: manifest["model"])


def public_estimators():
    found = [getattr(skspec, name) for name in skspec.__all__]
    classes = [cls for cls in found if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
    return [cls for cls in classes if hasattr(cls, "fit") and not hasattr(cls, "fit_resample")]


NEEDED = {  # nobody else can know
    "LogitVotingClassifier": {"estimators": [("bayes", GaussianNB())]},
    "ResNet2DClassifier": {"image_shape": (1, 10, 12)},
    "ResolutionMatcher": {"source": [[1000.0, 2.0], [20_000.0, 3.0]], "target": 4.0},
}


@pytest.mark.parametrize("cls", public_estimators())
def test_every_estimator_of_skspec_can_be_saved(cls, tmp_path):
    model = cls(**NEEDED.get(cls.__name__, {}))
    model.set_params(**({"max_epochs": 1} if "max_epochs" in model.get_params() else {}))
    X = spectra() if getattr(model, "image_shape", None) is None else FLUX
    model.fit(X, FLUX[:, 0] if is_regressor(model) else LABELS)
    save(model, tmp_path / "m.skspec")
    loaded = load(tmp_path / "m.skspec")
    assert type(loaded) is cls
    assert repr(loaded) == repr(model)
    method = next(name for name in ("predict_proba", "transform", "predict") if hasattr(model, name))
    np.testing.assert_array_equal(*(np.asarray(getattr(m, method)(X)) for m in (loaded, model)))
