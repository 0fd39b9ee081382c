"""Small files in the layouts of the data sets of published systems."""

import sys

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from scipy.signal import resample

from skspec import read_spectra
from skspec.io import SpectrumReadError
from skspec.io.formats.boss_hdf5 import CLASSES
from skspec.spectra import vacuum_to_air

RNG = np.random.default_rng(0)


def fails(path, message, **options):
    with pytest.raises(SpectrumReadError, match=message) as caught:
        read_spectra(path, **options)
    assert str(caught.value).startswith(str(path))


# Joint MK classification library -----------------------------------------------------------------------

MK_FLUX = RNG.normal(1, 0.1, (4, 2305))
MK_TEXT = {
    "ID": ["7-1", "113", "13", "X0001"],
    "TYPED_ID": ["HD 1", "HD002", "HD 3", "HD 4"],
    "IDS": ["a|b", "c", "d", "e" * 300],
    "SP_TYPE": ["G2V", "B2.5II-III", "M1III-IV", "sdO"],
    "SP_QUAL": ["B", "C", "D", "C"],
    "SPEC": ["G", "B", "M", "O"],
    "SUB": ["2", "2.5", "1", ""],
    "LUM": ["V", "II-III", "III-IV", "VI"],
    "DATASET": ["SDSS", "CFLIB", "SOPHIE", "XSL"],
}
MK_NUMBERS = {
    "SPEC_NUM": [4, 1, 6, 0],
    "SUB_NUM": [2, 2.5, 1, np.nan],
    "LUM_NUM": [5, 2.5, 3.5, 6],
}


def write_mk(path, *, flux=MK_FLUX, numbers=MK_NUMBERS, **changes):
    columns = [fits.Column("FLUX", f"{flux.shape[1]}D", array=flux)]
    columns += [fits.Column(name, f"{max(map(len, v))}A", array=np.array(v)) for name, v in MK_TEXT.items()]
    columns += [fits.Column(name, "1E", array=np.array(v)) for name, v in (numbers | changes).items()]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def test_mk_library(tmp_path):
    write_mk(tmp_path / "any.name")
    spectra = read_spectra(tmp_path / "any.name")
    np.testing.assert_array_equal(spectra.flux, MK_FLUX.astype(np.float32))
    air = vacuum_to_air(spectra.wave)
    assert (spectra.medium, len(air)) == ("vacuum", 2305)
    np.testing.assert_allclose(air[[0, 1, -1]], [4000.3685, 4000.3685 + 1.215057, 6799.8605], atol=1e-5)
    meta = spectra.meta
    assert meta["object"].tolist() == MK_TEXT["TYPED_ID"]
    assert meta["subclass"].tolist() == MK_TEXT["SP_TYPE"]
    assert meta["survey"].tolist() == MK_TEXT["DATASET"]
    assert set(meta["native_medium"]) == {"air"}
    for name in ("ID", "IDS", "SP_QUAL", "SPEC", "SUB", "LUM"):
        assert meta[name].tolist() == MK_TEXT[name]
    assert meta["LUM_NUM"].tolist() == MK_NUMBERS["LUM_NUM"]
    assert meta["SUB_NUM"].mask.tolist() == [False, False, False, True]
    # 2.5 rounds down and 3.5 up, half to even
    assert meta["class"].tolist() == ["GV", "BII", "MIV", "OVI"]


def test_mk_library_without_numbers_and_with_unknown_ones(tmp_path):
    write_mk(tmp_path / "dataset.fits", numbers={})
    assert "class" not in read_spectra(tmp_path / "dataset.fits").meta.colnames
    write_mk(tmp_path / "b.fits", LUM_NUM=[0.55, np.nan, 0.4, 6])
    assert read_spectra(tmp_path / "b.fits").meta["class"].tolist() == ["GI", "", "MI", "OVI"]


def test_mk_library_broken(tmp_path):
    write_mk(tmp_path / "wide.fits", flux=np.ones((4, 7000)))
    fails(tmp_path / "wide.fits", "FLUX has 7000 pixels; wavelengths are known only for 2305")
    write_mk(tmp_path / "code.fits", SPEC_NUM=[4, 1, 7, 0])
    fails(tmp_path / "code.fits", "SPEC_NUM must be from 0")
    write_mk(tmp_path / "cut.fits")
    content = (tmp_path / "cut.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(content[:40000])
    fails(tmp_path / "cut.fits", "truncated")


# Contest -----------------------------------------------------------------------------------------------

CONTEST = RNG.normal(10, 2, (5, 2600)).round(4)
IDS = ["17", "a4", "99", "3", "5"]
ANSWERS = ["star", "galaxy", "qso", "star", "qso"]


def contest_frame(*, answers=ANSWERS):
    frame = pd.DataFrame(CONTEST, columns=[f"FE{i}" for i in range(2600)])
    if answers:
        frame["answer"] = answers
    return frame.assign(id=IDS)


def check_contest(spectra, classes=ANSWERS):
    np.testing.assert_array_equal(spectra.flux, CONTEST.astype(np.float32))
    np.testing.assert_allclose(spectra.wave, 10 * (0.2 * np.arange(2600) + 380), rtol=1e-12)
    assert spectra.meta["object"].tolist() == IDS
    assert spectra.meta["class"].tolist() == classes
    assert set(spectra.meta["native_medium"]) == {"vacuum"}


@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz"])
def test_contest_csv(tmp_path, name):
    contest_frame().to_csv(tmp_path / name, index=False)
    check_contest(read_spectra(tmp_path / name))


def test_contest_csv_of_joined_files_and_other_orders(tmp_path):
    frame = contest_frame()
    frame = frame[["id", *frame.columns[:-1]]]
    lines = frame.to_csv(index=False).splitlines()
    (tmp_path / "a.csv").write_text("\n".join([*lines[:3], lines[0], *lines[3:], ""]))
    check_contest(read_spectra(tmp_path / "a.csv"))
    frame.columns = ["id", *map(str, range(2600)), "label"]
    frame.to_csv(tmp_path / "b.csv")  # with the unnamed index of pandas
    check_contest(read_spectra(tmp_path / "b.csv"))


def test_contest_labels_are_in_a_file_of_labels(tmp_path):
    frame = contest_frame(answers=None)
    frame.to_csv(tmp_path / "val_sets_v1.csv", index=False)
    assert "class" not in read_spectra(tmp_path / "val_sets_v1.csv").meta.colnames
    labels = pd.DataFrame({"id": IDS[::-1], "label": ANSWERS[::-1]})
    labels.iloc[1:].to_csv(tmp_path / "val_labels_v1.csv", index=False)
    expected = [*ANSWERS[:-1], ""]
    check_contest(read_spectra(tmp_path / "val_sets_v1.csv"), expected)
    frame.to_feather(tmp_path / "val_sets_v1.feather")
    check_contest(read_spectra(tmp_path / "val_sets_v1.feather"), expected)
    assert len(read_spectra(tmp_path)) == 10  # the file of labels is not a file of spectra
    (tmp_path / "val_labels_v1.csv").write_text("key,label\n")
    fails(tmp_path / "val_sets_v1.csv", "has no columns id and label; it has key, label")


def test_contest_labels_that_are_not_there(tmp_path):
    answers = ["star", "NaN", " nan", "", "qso"]
    contest_frame(answers=answers).to_csv(tmp_path / "a.csv", index=False)
    check_contest(read_spectra(tmp_path / "a.csv"), ["star", "", "", "", "qso"])
    contest_frame(answers=["star", None, np.nan, "NaN", "qso"]).to_feather(tmp_path / "a.feather")
    check_contest(read_spectra(tmp_path / "a.feather"), ["star", "", "", "", "qso"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["17,star", "a4"], r"line 3 of .*val_labels_v1\.csv, has 1 columns, the header 2"),
        (["17,star", "", "17,qso"], r"line 4 of .* has a second label for id 17: qso, not star"),
        (["017,star", "03,qso"], r"none of its ids \(the first is 17\) is in .* \(the first is 017\)"),
        ([], r"none of its ids \(the first is 17\) is in .* \(the first is None\)"),
    ],
)
def test_contest_labels_that_do_not_fit(tmp_path, rows, message):
    contest_frame(answers=None).to_csv(tmp_path / "val_sets_v1.csv", index=False)
    labels = tmp_path / "val_labels_v1.csv"
    labels.write_text("\n".join(["id,label", *rows]) + "\n")
    fails(tmp_path / "val_sets_v1.csv", message)
    pairs = [f" {identity} , {label}" for identity, label in zip(IDS, ANSWERS, strict=True)]
    labels.write_text("\n".join(["id,label", *pairs, pairs[0]]) + "\n")
    check_contest(read_spectra(tmp_path / "val_sets_v1.csv"))


def test_contest_feather(tmp_path):
    contest_frame().to_feather(tmp_path / "train.feather")
    check_contest(read_spectra(tmp_path / "train.feather"))
    contest_frame().iloc[:, 5:].to_feather(tmp_path / "train.feather")
    fails(tmp_path / "train.feather", "columns FE0 to FE2599 are needed; it has FE5, FE6")


def test_contest_text_with_its_index(tmp_path):
    for identity, row in zip(IDS, CONTEST, strict=True):
        (tmp_path / f"{identity}.txt").write_text(",".join(map(str, row)) + "\n")
    index = Table({"id": IDS, "type": ANSWERS})
    index["file"] = [str(tmp_path / f"{identity}.txt") for identity in IDS]
    index.rename_column("type", "class")
    check_contest(read_spectra(index))


def test_contest_broken(tmp_path):
    frame = contest_frame()
    frame.drop(columns="FE2599").to_csv(tmp_path / "a.csv", index=False)
    fails(tmp_path / "a.csv", "there are 2599 flux columns; wavelengths are known only for 2600")
    text = frame.to_csv(index=False)
    (tmp_path / "a.csv").write_text(text[:-9000])
    fails(tmp_path / "a.csv", r"in lines 2 to 6: .*, the file may be truncated")
    (tmp_path / "a.csv").write_text(text.splitlines()[0])
    fails(tmp_path / "a.csv", "the table has no rows")
    (tmp_path / "a.txt").write_text(("1.5," * 2599 + "2\n") * 2)
    fails(tmp_path / "a.txt", "one line of 2600 numbers is needed; it has 2 lines")


def test_feather_needs_pyarrow(tmp_path, monkeypatch):
    contest_frame().to_feather(tmp_path / "train.feather")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"reading it needs pyarrow; pip install 'skspec\[scale\]'"):
        read_spectra(tmp_path / "train.feather")


# BOSS --------------------------------------------------------------------------------------------------

BOSS = RNG.normal(0.3, 0.1, (30, 433)).astype(np.float32)
CODES = np.r_[np.arange(13), RNG.integers(0, 13, 17)]


def write_boss(path, *, flux=BOSS, classes=None):
    with h5py.File(path, "w") as file:
        file.create_dataset("fluxes", data=flux, dtype="f4")
        file.create_dataset("classes", data=np.eye(13)[CODES] if classes is None else classes, dtype="f4")


def test_boss(tmp_path, monkeypatch):
    monkeypatch.setattr("skspec.io.formats.boss_hdf5._CHUNK", 7)
    write_boss(tmp_path / "any.name")
    spectra = read_spectra(tmp_path / "any.name")
    np.testing.assert_array_equal(spectra.flux, BOSS)
    assert spectra.meta["class"].tolist() == [CLASSES[code] for code in CODES]
    assert CLASSES[:2] + CLASSES[-3:] == ("QSO", "BAL", "WD", "C", "GAL")


@pytest.mark.parametrize("n", [4500, 4600, 4650])
def test_boss_wavelengths_are_those_of_the_published_steps(tmp_path, n):
    """Wavelengths agree to 2 % of a pixel with the function called by the published code."""
    write_boss(tmp_path / "a.h5")
    wave = read_spectra(tmp_path / "a.h5").wave
    _, published = resample(np.ones(n), 433, np.linspace(3.56, 4.01, n))
    assert np.abs(np.log10(wave) - published).max() < 0.02 * 0.45 / 433


def test_boss_broken(tmp_path):
    path = tmp_path / "a.h5"
    write_boss(path, flux=BOSS[:, :400])
    fails(path, r"fluxes has shape \(30, 400\); \(n_spectra, 433\) is needed")
    write_boss(path, classes=np.ones((30, 1)))
    fails(path, r"classes has shape \(30, 1\); \(30, 13\) is needed")
    two = np.eye(13)[CODES]
    two[20, :2] = 1
    write_boss(path, classes=two)
    fails(path, r"classes must have one 1 in each row, and 0 elsewhere; row 20 has \[1.0, 1.0")
    write_boss(path)
    path.write_bytes(path.read_bytes()[:3000])
    fails(path, "truncated")
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros(3)
    fails(path, "HDF5 with datasets fluxes and classes is needed, it has images")


def test_hdf5_needs_h5py(tmp_path, monkeypatch):
    write_boss(tmp_path / "a.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"reading it needs h5py; pip install 'skspec\[hdf5\]'"):
        read_spectra(tmp_path / "a.h5")
