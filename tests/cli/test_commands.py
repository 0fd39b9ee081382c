"""The commands of the command line."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from astropy.table import Table

import skspec
from skspec import load, read_info
from tests._data import ROOT, data_path
from tests.cli.conftest import WAVE, write_spectrum

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from skspec.cli import main
from skspec.cli._app import app

FIT = ["--labels", "kind", "--folds", "2", "--epochs", "8"]


def run(*args, code=0):
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output + repr(result.exception)
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output
    return result


def failed(*args):
    """Run a command that fails, and return the line that it prints."""
    result = run(*args, code=1)
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("skspec: error: ")
    return result.stderr


@pytest.fixture(scope="module")
def fit(survey, tmp_path_factory):
    """A saved model, and the output of the command that trained it."""
    path = tmp_path_factory.mktemp("model") / "m.skspec"
    result = run("fit", survey / "night1", "--catalogue", survey / "catalogue.csv", *FIT, "--out", path)
    return path, result.stdout


def test_version_help_and_formats():
    assert run("--version").stdout == f"skspec {skspec.__version__}\n"
    assert {"demo", "fit", "predict", "formats"} <= set(re.findall(r"\w+", run("--help").stdout))
    text = run("formats").stdout
    for known in skspec.io.available_formats():
        assert re.search(rf"{known.name} +{re.escape(known.description)}", text)


def test_fit_reports(fit):
    _, text = fit
    assert "Read 24 spectra from 24 files" in text
    assert re.search(r"broad +12 +10 *\nnarrow +11 +10 *\nall +23 +20", text)
    assert re.search(r"class odd has fewer than 2 spectra +1", text)
    assert "23 spectra of 20 objects; 6 (26%) share their object" in text
    assert "bins, 4009 to 6998 Å (vacuum)" in text
    accuracy = {
        name: float(pooled) for name, pooled in re.findall(r"(conv1d|random forest) +\S+ ± \S+ +(\S+)", text)
    }
    assert accuracy["random forest"] > 0.9
    assert accuracy["conv1d"] > 0.7
    rows = [
        list(map(int, row)) for row in re.findall(r"^(?:broad|narrow) +(\d+) +(\d+) *$", text, re.MULTILINE)
    ]
    matrix = np.array(rows[-2:])
    assert matrix.sum() == 23
    assert np.trace(matrix) / 23 == pytest.approx(accuracy["conv1d"], abs=5e-4)


def test_fit_saves_the_model_with_its_history(fit, survey):
    path, text = fit
    info = read_info(path)
    assert info["classes"] == ["broad", "narrow"]
    assert info["info"]["labels"] == "kind"
    assert info["info"]["n_spectra"] == 23
    scores = info["info"]["cross_validation"]
    assert f"{scores['conv1d']['accuracy']:.3f}" in text
    assert len(scores["random forest"]["fold_accuracy"]) == 2
    spectra = skspec.read_spectra(survey / "night1")
    assert (load(path).predict(spectra[:22]) == np.tile(["broad", "narrow"], 11)).mean() > 0.8
    assert f"skspec predict {path}" in text.replace("'", "")


def test_same_seed_same_model(fit, survey, tmp_path):
    spectra = skspec.read_spectra(survey / "night1")
    again = tmp_path / "again.skspec"
    run("fit", survey / "night1", "--catalogue", survey / "catalogue.csv", *FIT, "--out", again)
    np.testing.assert_array_equal(load(again).predict_proba(spectra), load(fit[0]).predict_proba(spectra))


def test_fit_on_the_files_of_the_catalogue(survey, tmp_path):
    out = tmp_path / "m.skspec"
    text = run(
        *("fit", "--catalogue", survey / "catalogue.csv", *FIT, "--out", out, "--groups", "plate"),
        *("--classes", "narrow, broad,", "--loglam-min", "3.65", "--n-bins", "50"),
    ).stdout
    assert "Read 24 spectra" in text
    assert re.search(r"not among the requested classes +1", text)
    assert "Grouped by the column plate: 23 spectra of 5 objects" in text
    assert load(out)[0].get_params()["n_bins"] == 50
    assert load(out)[0].loglam_min == 3.65


def test_fit_without_positions_says_so(survey, tmp_path):
    table = Table.read(survey / "catalogue.csv")
    table.remove_columns(["ra", "dec"])
    table.write(tmp_path / "c.ecsv")
    text = run(
        "fit", survey / "night1", "--catalogue", tmp_path / "c.ecsv", *FIT, "--out", tmp_path / "m.skspec"
    ).stdout
    assert "neither positions (ra, dec) nor object names, so every spectrum is its own group" in text


def test_predict_writes_a_table(fit, survey, tmp_path):
    write_spectrum(tmp_path / "good.txt", "narrow", seed=99)
    write_spectrum(tmp_path / "ultraviolet.txt", "narrow", seed=1, wave=WAVE / 3)
    write_spectrum(tmp_path / "noisy.txt", "broad", seed=1, noise=0.4)
    (tmp_path / "broken.fits").write_bytes(b"SIMPLE  =                    T" + b" " * 50)
    (tmp_path / "empty.txt").write_text("")
    out = tmp_path / "classes.ecsv"
    files = [
        tmp_path / name for name in ("good.txt", "broken.fits", "ultraviolet.txt", "noisy.txt", "empty.txt")
    ]
    result = run("predict", fit[0], *files, "--out", out)
    assert "5 rows written to" in result.stdout
    rows = Table.read(out).filled("")  # astropy reads empty strings as masked
    table = {row["file"].rsplit("/", 1)[-1]: row for row in rows}
    assert table["good.txt"]["class"] in ("broad", "narrow")
    assert table["good.txt"]["p_broad"] + table["good.txt"]["p_narrow"] == pytest.approx(1.0)
    assert [table[f.name]["flags"] for f in files] == [
        "",
        "unreadable",
        "no_overlap",
        "low_snr",
        "unreadable",
    ]
    assert all(table[name]["class"] == "" for name in ("broken.fits", "ultraviolet.txt", "empty.txt"))
    assert all(table[name]["reason"] for name in ("broken.fits", "empty.txt"))


def test_predict_prints_every_row_whole(fit, survey, tmp_path):
    folder = tmp_path / ("a_rather_long_name_of_a_folder_" * 4)
    folder.mkdir()
    write_spectrum(folder / "s[bold].txt", "narrow", seed=3)
    text = run("predict", fit[0], folder, survey / "night1").stdout
    line = next(line for line in text.splitlines() if "s[bold].txt" in line)
    assert str(folder / "s[bold].txt") in line
    numbers = re.search(r"(broad|narrow) +([01]\.\d{3}) +([01]\.\d{3}) +(1\.000)", line)
    assert float(numbers[2]) + float(numbers[3]) == pytest.approx(1.0, abs=1.1e-3)
    assert sum("night1/s" in line for line in text.splitlines()) == 24


def test_on_error(fit, survey, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    files = [survey / "night1" / "s00.txt", tmp_path / "empty.txt"]
    assert "empty.txt" in failed("predict", fit[0], *files, "--on-error", "raise")
    warned = run("predict", fit[0], *files, "--on-error", "warn")
    assert warned.stderr.startswith("skspec: warning: skipped ")
    assert "empty.txt" in failed("predict", fit[0], tmp_path / "empty.txt")


def test_wrong_usage_is_told_before_any_work(fit, survey, tmp_path):
    out = tmp_path / "classes.csv"
    out.write_text("mine")
    night = survey / "night1"
    assert "--overwrite" in run("predict", fit[0], night, "--out", out, code=2).stderr
    assert out.read_text() == "mine"
    run("predict", fit[0], night, "--out", tmp_path / "classes.xlsx", code=2)
    run("predict", fit[0], night, "--out", tmp_path / "nowhere" / "classes.csv", code=2)
    (tmp_path / "folder.csv").mkdir()
    for overwrite in ((), ("--overwrite",)):
        told = run("predict", fit[0], night, "--out", tmp_path / "folder.csv", *overwrite, code=2).stderr
        assert "must be a file" in told
    run("predict", fit[0], code=2)
    run("fit", night, "--out", tmp_path / "m.pkl", code=2)
    run("fit", code=2)
    run("fit", night, "--folds", "1", code=2)
    run("fit", night, "--recipe", "magic", code=2)
    run("predict", fit[0], night, "--out", out, "--overwrite")
    assert len(Table.read(out, format="ascii.csv")) == 24


def test_a_folder_that_cannot_be_written_to(survey, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK | os.X_OK)
    told = run("fit", survey / "night1", "--out", tmp_path / "m.skspec", code=2).stderr
    assert "is not writable" in " ".join(told.replace("│", " ").split())


def test_errors_are_one_line(fit, survey, tmp_path):
    night, out = survey / "night1", ("--out", tmp_path / "m.skspec")
    assert "labels must be one of" in failed("fit", night, "--labels", "flavour", *out)
    assert "no such file" in failed("fit", tmp_path / "nothing", *out)
    assert "no such file" in failed("fit", night, "--catalogue", tmp_path / "nothing.csv", *out).lower()
    assert "format must be one of" in failed("fit", night, "--format", "sdss", *out)
    nothing = tmp_path / "nothing.skspec"
    assert failed("predict", nothing, night) == f"skspec: error: {nothing}: no such file or directory\n"
    (tmp_path / "text.skspec").write_text("hello")
    assert "is not a skspec model" in failed("predict", tmp_path / "text.skspec", night)
    (tmp_path / "table.fits").write_text("hello")
    assert "table.fits" in failed("fit", night, "--catalogue", tmp_path / "table.fits", *out)
    assert not (tmp_path / "m.skspec").exists()
    result = CliRunner().invoke(app, ["predict", str(tmp_path / "text.skspec"), str(night), "--debug"])
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_model_that_does_not_know_its_wavelengths(survey, tmp_path):
    from sklearn.linear_model import LogisticRegression

    X = np.random.default_rng(0).normal(size=(10, 150))
    skspec.save(LogisticRegression().fit(X, np.tile(["a", "b"], 5)), tmp_path / "m.skspec")
    assert "has no wavelengths" in failed("predict", tmp_path / "m.skspec", survey / "night1")


def test_fit_trains_what_we_recommend(tmp_path):
    night = tmp_path / "night"
    night.mkdir()
    kinds = np.repeat(["broad", "narrow", "rare"], [70, 70, 8])
    for i, kind in enumerate(kinds):
        write_spectrum(night / f"s{i:03d}.txt", "broad" if kind == "rare" else kind, seed=i, noise=0.1)
    table = Table({"file": [f"s{i:03d}.txt" for i in range(len(kinds))], "kind": kinds})
    table.write(tmp_path / "catalogue.csv", format="ascii.csv")
    args = [
        "fit",
        night,
        "--catalogue",
        tmp_path / "catalogue.csv",
        "--labels",
        "kind",
        "--recipe",
        "recommended",
    ]
    args += ["--folds", 2, "--epochs", 2, "--n-bins", 100, "--out", tmp_path / "m.skspec"]
    text = run(*args).stdout
    assert "Wavelength grid: 100 bins" in text
    assert "class rare has fewer than 10 spectra" in text
    assert re.search(r"recommended +[01]\.\d{3} ± 0\.\d{3}", text)
    few = failed(*args, "--overwrite", "--classes", "broad,rare", "--min-class-size", 5)
    assert "recommended needs 130 or more spectra for 2 folds, got 78; try conv1d" in few
    model = load(tmp_path / "m.skspec")
    assert [name for name, _ in model[-1].estimators] == ["conv1d", "plain_cnn", "svm"]
    assert model.classes_.tolist() == ["broad", "narrow"]
    assert (
        "classes.csv"
        in run("predict", tmp_path / "m.skspec", night, "--out", tmp_path / "classes.csv").stdout
    )
    assert np.mean(Table.read(tmp_path / "classes.csv")["class"][:140] == kinds[:140]) > 0.9


def test_demo():
    text = run("demo", "--n-spectra", 84, "--folds", 2, "--epochs", 1).stdout
    assert text.startswith("Simulating 84 spectra")
    assert "share their object with another" in text
    assert re.search(r"conv1d +0\.\d{3} ± 0\.\d{3}", text)
    assert "Confusion matrix" in text
    assert "skspec predict model.skspec" in text


def test_without_typer_main_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "skspec.cli._app")
    monkeypatch.delattr("skspec.cli._app")
    with pytest.raises(SystemExit, match=r"needs typer: pip install 'skspec\[cli\]'"):
        main()


def test_as_a_program_whose_reader_leaves(survey):
    """The installed entry point, with an encoding without box characters and a pipe that is closed early."""
    code = "from skspec.cli import main; main()"
    command = (
        f"PYTHONIOENCODING=ascii {sys.executable} -c '{code}' formats | head -2; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.split() == ["Formats,", "recognised", "by", "content"]
    assert done.stderr == ""


def test_lamost_files_from_fit_to_predict(tmp_path):
    fits = data_path("lamost_lrs/fits")
    model, out = tmp_path / "m.skspec", tmp_path / "classes.fits"
    text = run(
        *("fit", fits, "--labels", "subclass", "--reduce-labels", "mk-class", "--out", model),
        *("--folds", "2", "--epochs", "2", "--classes", "A,F,G,K,M"),
    ).stdout
    assert "Read 299 spectra from 299 files (LAMOST 299)." in text
    assert re.search(r"all +284 +284", text)
    forest = float(re.search(r"random forest +\S+ ± \S+ +(\S+)", text)[1])
    assert forest > 0.75
    run("predict", model, fits, "--out", out)
    table = Table.read(out)
    assert len(table) == 299
    assert {"p_A", "p_F", "p_G", "p_K", "p_M"} <= set(table.colnames)
    assert all(table["class"] != "")
