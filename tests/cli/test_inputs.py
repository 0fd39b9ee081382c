"""What is given to the commands: files given twice, outputs that are inputs, labels that match in part."""

import re
import shutil

import numpy as np
import pytest
from astropy.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skspec
from tests.cli.conftest import KINDS, write_spectrum

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from skspec.cli._app import app

FIT = ["--labels", "kind", "--folds", "2", "--epochs", "1"]


def run(*args, code=0):
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.stdout, " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture
def night(tmp_path):
    """A folder with ten spectra, without positions, and ``kinds.csv`` beside it."""
    folder = tmp_path / "night"
    folder.mkdir()
    for i in range(10):
        write_spectrum(folder / f"s{i}.txt", KINDS[i % 2], seed=i)
    names = [f"night/s{i}.txt" for i in range(10)]
    Table({"file": names, "kind": np.tile(KINDS, 5)}).write(tmp_path / "kinds.csv", format="ascii.csv")
    return folder


@pytest.fixture
def model(night, tmp_path):
    pipeline = make_pipeline(
        skspec.LogWaveResampler(loglam_min=3.61, loglam_max=3.84, n_bins=40, missing="interpolate"),
        skspec.FluxNormalizer(),
        LogisticRegression(),
    )
    skspec.save(pipeline.fit(skspec.read_spectra(night), np.tile(KINDS, 5)), tmp_path / "model.skspec")
    return tmp_path / "model.skspec"


def n_objects(text):
    return int(re.search(r"^all +\d+ +(\d+)", text, re.MULTILINE)[1])


@pytest.mark.parametrize("groups", ["sky", "none"])
def test_copies_stay_in_one_fold(night, tmp_path, groups):
    for i in (0, 1, 2):
        shutil.copy(night / f"s{i}.txt", night / f"copy{i}.txt")
    kinds = Table.read(tmp_path / "kinds.csv")
    for i in (0, 1, 2):
        kinds.add_row((f"night/copy{i}.txt", KINDS[i % 2]))
    kinds.write(tmp_path / "kinds.csv", format="ascii.csv", overwrite=True)
    text, _ = run(
        *("fit", night, "--catalogue", tmp_path / "kinds.csv", *FIT, "--groups", groups),
        *("--out", tmp_path / "m.skspec"),
    )
    assert "Read 13 spectra from 13 files" in text
    assert n_objects(text) == 10
    assert re.search(
        r"6 spectra have the same flux as another, such as \S+copy0.txt and \S+s0.txt; copies stay", text
    )
    assert "same flux as another" in skspec.read_info(tmp_path / "m.skspec")["info"]["grouping"]


def test_dead_fibres_are_said(night, tmp_path):
    flat = (night / "s0.txt").read_text().splitlines()
    (night / "s0.txt").write_text(
        "\n".join([flat[0], *(f"{line.split()[0]} 0.0 0.1" for line in flat[1:])]) + "\n"
    )
    text, _ = run("fit", night, "--catalogue", tmp_path / "kinds.csv", *FIT, "--out", tmp_path / "m.skspec")
    assert "1 spectra have the same flux in all pixels: leave them out if they are dead fibres." in text


@pytest.mark.parametrize("how", ["itself", "symlink_to", "hardlink_to"])
def test_a_spectrum_is_not_overwritten(night, model, tmp_path, how):
    spectrum, out = night / "s0.csv", night / "s0.csv"
    (night / "s0.txt").rename(spectrum)
    if how != "itself":
        out = tmp_path / "link.csv"
        getattr(out, how)(spectrum)
    content = spectrum.read_bytes()
    for source in (spectrum, night, night / "*.csv"):
        _, told = run("predict", model, source, "--out", out, "--overwrite", code=2)
        assert "--out must not be one of the spectra to read" in told
    _, told = run("predict", model, night, "--out", out, code=2)
    assert "--out must not be" in told
    assert spectrum.read_bytes() == content


def test_the_model_and_the_labels_are_not_overwritten(night, model, tmp_path):
    kinds = tmp_path / "kinds.csv"
    for path, what in ((model, "model"), (kinds, "catalogue")):
        link = tmp_path / f"link.{'csv' if what == 'model' else 'skspec'}"
        link.symlink_to(path)
        content = path.read_bytes()
        command = ("predict", model, night) if what == "model" else ("fit", night, "--catalogue", kinds, *FIT)
        _, told = run(*command, "--out", link, "--overwrite", code=2)
        assert f"--out must not be the {what} itself" in told
        assert path.read_bytes() == content
        assert link.is_symlink()


def test_a_spectrum_of_the_catalogue_is_not_overwritten(night, tmp_path):
    out = tmp_path / "m.skspec"
    out.hardlink_to(night / "s3.txt")
    _, told = run("fit", "--catalogue", tmp_path / "kinds.csv", *FIT, "--out", out, "--overwrite", code=2)
    assert "--out must not be one of the spectra to read" in told
    assert (night / "s3.txt").read_text() == out.read_text()


def test_an_earlier_result_in_the_folder_is_overwritten(night, model):
    out = night / "classes.csv"
    run("predict", model, night, "--out", out)
    text, _ = run("predict", model, night, "--out", out, "--overwrite")
    assert "rows written to" in text


def test_labels_that_match_in_part_are_counted(night, tmp_path):
    names = [f"night/s{i}.txt" for i in range(8)] + ["night/gone.txt", "gone.txt", "s99.txt"]
    Table({"file": names, "kind": np.resize(KINDS, 11)}).write(tmp_path / "c.csv", format="ascii.csv")
    text, _ = run("fit", night, "--catalogue", tmp_path / "c.csv", *FIT, "--out", tmp_path / "m.skspec")
    assert (
        "The catalogue has 8 of these spectra. 2 are not in it, and 3 of its 11 rows match no spectrum."
        in text
    )
    assert re.search(r"no label +2", text)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_the_catalogue_may_name_files_by_links(night, tmp_path, link):
    linked = tmp_path / "linked"
    linked.mkdir()
    for i in range(10):
        getattr(linked / f"other{i}.txt", link)(night / f"s{i}.txt")
    text, _ = run("fit", linked, "--catalogue", tmp_path / "kinds.csv", *FIT, "--out", tmp_path / "m.skspec")
    assert "The catalogue has 10 of these spectra. 0 are not in it" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n-bins", 10**9], "less than or equal to 100000"),
        (["--n-jobs", 0], "0 jobs do nothing"),
        (["--seed", 2**32], "less than or equal to 4294967295"),
        (["--classes", ", "], "--classes must name one class or more"),
    ],
)
def test_invalid_options(night, tmp_path, options, message):
    _, told = run("fit", night, *FIT, *options, "--out", tmp_path / "m.skspec", code=2)
    assert message in told


def test_empty_paths_and_a_folder_as_catalogue(night, model, tmp_path):
    for command in (("predict", model, ""), ("fit", "", "--out", tmp_path / "m.skspec")):
        assert "a path is empty" in run(*command, code=2)[1]
    _, told = run("fit", night, "--catalogue", night, "--out", tmp_path / "m.skspec", code=1)
    assert told.endswith("night: is a folder; a table is needed")


def test_a_list_of_files(night, model, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(
        "# the first two, one of them twice\nnight/s0.txt\nnight/s1.txt\nnight/../night/s0.txt\n"
    )
    out = tmp_path / "classes.csv"
    _, told = run("predict", model, f"@{listed}", "--out", out)
    assert "1 names are of files that were named before" in told
    assert [name.rsplit("/", 1)[1] for name in Table.read(out)["file"]] == ["s0.txt", "s1.txt"]
    out.unlink()
    out.hardlink_to(night / "s1.txt")
    _, told = run("predict", model, f"@{listed}", "--out", out, "--overwrite", code=2)
    assert "--out must not be one of the spectra to read" in told
    text, told = run(
        "fit",
        night,
        night / "*.txt",
        "--catalogue",
        tmp_path / "kinds.csv",
        *FIT,
        "--out",
        tmp_path / "m.skspec",
    )
    assert n_objects(text) == 10
    assert "10 names are of files that were named before" in told
    assert "same flux" not in text
