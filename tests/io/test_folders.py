"""Which files `read_spectra` finds: folders, patterns, lists in text files, links; and each of them once."""

import glob
import os

import numpy as np
import pytest
from astropy.table import Table

from skspec import read_spectra
from skspec.io import SpectrumReadError
from skspec.io.meta import write_table


def write(path, value=1.0, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        np.savez(file, wave=np.arange(4000.0, 4010.0), flux=np.full((1, 10), value), **arrays)


@pytest.fixture
def survey(tmp_path):
    for name in (
        "b.npz",
        "a.npz",
        "plate2/c.npz",
        "plate1/night/d.npz",
        ".hidden/e.npz",
        ".f.npz",
        "plate1/model.skspec",
    ):
        write(tmp_path / "survey" / name)
    return tmp_path / "survey"


def found(survey, *args, **options):
    return [os.path.relpath(file, survey) for file in read_spectra(*args, **options).meta["file"]]


def test_a_folder_is_searched_to_the_bottom(survey):
    everything = ["a.npz", "b.npz", "plate1/night/d.npz", "plate2/c.npz"]
    assert found(survey, survey) == everything
    assert found(survey, survey, recursive=False) == ["a.npz", "b.npz"]
    assert found(survey, f"{survey}/*", recursive=False) == ["a.npz", "b.npz"]
    assert sorted(found(survey, f"{survey}/**/*.npz")) == everything
    assert found(survey, f"{survey}/plate*/**/d.npz") == ["plate1/night/d.npz"]


def test_patterns_with_stars_give_what_glob_gives(survey, monkeypatch):
    monkeypatch.chdir(survey)
    for pattern in (
        "**/*.npz",
        "**/night/*.npz",
        "./**/*.npz",
        "plate?/**/*.npz",
        f"{survey}/**/plate*/*.npz",
        "**/[cd].npz",
    ):
        expected = sorted(file for file in glob.glob(pattern, recursive=True) if os.path.isfile(file))
        assert sorted(read_spectra(pattern).meta["file"]) == expected


@pytest.mark.parametrize("suffix", ["ecsv", "csv", "fits", "parquet"])
def test_tables_that_skspec_wrote_do_not_stop_a_folder(survey, suffix):
    write_table(
        Table({"file": ["a.npz"], "class": ["A"], "flags": ["low_snr"]}), survey / f"classes.{suffix}"
    )
    spectra = read_spectra(survey)
    assert len(spectra) == 4
    assert [item["file"] for item in spectra.meta.meta["skipped"]] == [str(survey / f"classes.{suffix}")]
    with pytest.raises(SpectrumReadError):
        read_spectra(survey / f"classes.{suffix}")


@pytest.mark.timeout(20)
def test_links_that_lead_in_circles(survey):
    (survey / "plate1" / "up").symlink_to(survey)
    (survey / "plate2" / "up").symlink_to(survey)
    (survey / "plate2" / "side").symlink_to(survey / "plate1")
    assert len(read_spectra(survey)) == 4
    assert len(read_spectra(f"{survey}/**/*.npz")) == 4
    (survey / "x.npz").symlink_to("y.npz")
    (survey / "y.npz").symlink_to("x.npz")
    with pytest.raises(SpectrumReadError, match=r"x\.npz: too many levels of symbolic links"):
        read_spectra(survey)
    spectra = read_spectra(survey, on_error="skip")
    assert len(spectra) == 4
    assert len(spectra.meta.meta["skipped"]) == 2


def test_each_file_once(survey):
    os.symlink(survey / "a.npz", survey / "link.npz")
    os.link(survey / "a.npz", survey / "twin.npz")
    with pytest.warns(UserWarning, match=r"2 names are of files that were named before .*link\.npz"):
        assert found(survey, survey, recursive=False) == ["a.npz", "b.npz"]
    with pytest.warns(UserWarning, match="3 names are of files that were named before"):
        spectra = read_spectra(
            [f"{survey}/a.npz", survey / "a.npz", f"{survey}/[al]*.npz", f"{survey}/b.npz"]
        )
    assert len(spectra) == 2


def test_a_table_may_repeat_files(survey):
    table = Table({"file": [str(survey / "a.npz")] * 2, "label": ["x", "y"]})
    assert read_spectra(table).meta["label"].tolist() == ["x", "y"]


def test_a_list_in_a_text_file(survey, monkeypatch, tmp_path):
    (survey / "list.txt").write_text("# a comment\n\n  b.npz \nplate?/*.npz\nplate1\n" + f"{survey}/a.npz\n")
    expected = ["b.npz", "plate2/c.npz", "plate1/night/d.npz", "a.npz"]
    assert found(survey, f"@{survey}/list.txt") == expected
    (tmp_path / "other.txt").write_bytes(b"\xef\xbb\xbfa.npz\r\nb.npz\r\n")
    monkeypatch.chdir(survey)
    assert found(survey, [f"@{tmp_path}/other.txt", "plate2/c.npz"]) == ["a.npz", "b.npz", "plate2/c.npz"]
    write(survey / "@file.npz")
    assert len(read_spectra("@file.npz")) == 1  # a file of that name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing\n", "list: the list has no paths"),
        (b"a.npz\n@list\n", "cannot name another list, it has @list"),
        (b"a\0b\n", "is not a text file with one path a line"),
        (b"absent.npz\n", r"absent\.npz: no such file"),
        (b"absent*\n", r"absent\*: no file matches"),
    ],
)
def test_bad_lists(tmp_path, content, message):
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(SpectrumReadError, match=message):
        read_spectra(f"@{tmp_path}/list")
    with pytest.raises(SpectrumReadError, match="nowhere: no such file"):
        read_spectra(f"@{tmp_path}/nowhere")


def test_an_empty_search_says_what_was_searched(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(SpectrumReadError, match="the directory and its 2 subdirectories have no files$"):
        read_spectra(tmp_path)
    with pytest.raises(SpectrumReadError, match=r"the directory has no files \(left out: a/\)"):
        read_spectra(tmp_path, recursive=False)
    write(tmp_path / ".cache" / "a.npz")
    with pytest.raises(SpectrumReadError, match=r"have no files \(left out: \.cache\)"):
        read_spectra(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read(survey):
    os.chmod(survey / "plate1", 0)
    try:
        with pytest.raises(
            SpectrumReadError, match="plate1: the directory cannot be read, permission denied"
        ):
            read_spectra(survey)
        assert len(read_spectra(survey, on_error="skip")) == 3
    finally:
        os.chmod(survey / "plate1", 0o700)
