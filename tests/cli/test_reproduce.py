"""``skspec reproduce`` on small files in the published layouts, and ``skspec fit`` with published systems."""

import importlib
import re
from dataclasses import replace
from functools import partial, wraps

import numpy as np
import pytest
from astropy.io import fits

from skspec import load
from skspec.recipes import PUBLISHED_SYSTEMS
from tests._data import data_path
from tests.cli.test_commands import failed, run

RNG = np.random.default_rng(0)
MK_JOINT = importlib.import_module("skspec.recipes.mk_joint")


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


def test_galaxies_are_objects_of_their_own(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "Galaxy10.h5", "w") as file:
        file["images"] = RNG.integers(0, 255, (24, 69, 69, 3)).astype(np.uint8)
        file["ans"] = (np.arange(24) % 2).astype(np.uint8)
    args = ("--data", tmp_path / "Galaxy10.h5", "--network", "cnn", "--epochs", 1, "--folds", 2)
    text = run("reproduce", "galaxy10", *args).stdout
    assert "The file has no positions: each image counts as a separate galaxy." in text
    assert re.search(r"macro-F1 +0\.511 +\d\.\d+ \[.*\] +\d\.\d+ \[.*\]", text)
    assert "rotated and reflected copies first" in text


@pytest.fixture
def small_networks(monkeypatch):
    """The recipe of joint classes with a small network."""
    system = PUBLISHED_SYSTEMS["mk_joint"]

    @wraps(system.recipe)
    def small(**params):
        model = system.recipe(**params)
        model[-1].set_params(width=4, batch_size=8)
        return model

    monkeypatch.setitem(PUBLISHED_SYSTEMS, "mk_joint", replace(system, recipe=small))


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
    quick = partial(MK_JOINT.published_table, n_resamples=50)
    monkeypatch.setattr(MK_JOINT, "published_table", quick)
    text = run("reproduce", "mk-joint", "--data", data_path("mk_predictions/README.md").parent).stdout
    rows = re.findall(r"(\d\.\d{3})  (\d\.\d{3}) \[(\d\.\d{3}), (\d\.\d{3})\]", text)
    assert len(rows) == 40
    for published, ours, low, high in np.array(rows, dtype=float):
        assert -1e-9 <= ours - published < 1.5e-3
        assert low < ours < high
    assert "All 40 published values are reproduced" in text
    assert "classifies 0.961 of the 232 ELODIE spectra of such stars correctly, and 0.662 of the 225" in text


def test_published_values_that_are_not_reproduced(monkeypatch):
    members, published = MK_JOINT._TABLE["(3,4)"]
    monkeypatch.setitem(MK_JOINT._TABLE, "(3,4)", (members, (0.678, *published[1:3], 0.883)))
    file = data_path("mk_predictions/README.md").with_name("mk_test_predictions.npz")
    note = MK_JOINT.published_table(file, n_resamples=2).note
    assert note.startswith(
        "2 of 40 published values are not reproduced: macro-F1 of (3,4); QWK (L) of (3,4). "
    )


def predictions(n=6, **changes):
    """Arrays in the layout of the published predictions."""
    members = [member for members, _ in MK_JOINT._TABLE.values() for member in members]
    scores = {f"scores_{member}": RNG.normal(size=(n, 39)) for member in members}
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
    assert f"{path} does not hold the published predictions: y_true is not a file in the archive" in told
    for name, value in {
        "y_true": np.arange(5),
        "scores_convkan": np.zeros((6, 38)),
        "elodie_star_also_in_train": np.zeros(5),
    }.items():
        np.savez(path, **predictions(**{name: value}))
        assert "wrong shape or values of" in failed(*command)
    np.savez(path, **predictions(y_true=np.full(6, 39)))
    assert "wrong shape or values of y_true" in failed(*command)
    for content in (b"", b"hello", path.read_bytes()[:3000]):
        path.write_bytes(content)
        assert failed(*command) == f"skspec: error: {path} is damaged, or is not a NumPy archive\n"


def test_invalid_input(tmp_path):
    write_boss(tmp_path / "b.h5")
    boss = ("reproduce", "boss-quasars", "--data", tmp_path / "b.h5")
    assert "boss_quasars has only one network, got network='cnn'" in failed(*boss, "--network", "cnn")
    assert "has no column 'kind' with labels; it has" in failed(*boss, "--labels", "kind")
    galaxies = ("reproduce", "galaxy10", "--data", tmp_path / "b.h5")
    assert "labels must be None for galaxy10, whose file has a single" in failed(*galaxies, "--labels", "x")
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
    assert "boss-quasars has its own grid" in " ".join(result.stderr.replace("│", " ").split())
