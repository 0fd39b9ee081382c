"""``skspec catalogue``."""

import pytest
from astropy.table import Table
from typer.testing import CliRunner

from skspec.cli._app import app
from skspec.io import sample_catalogue

SUBCLASSES = ["A5"] * 7 + ["O"] + ["OB"] * 3 + ["dM3", "gM0", "sdM1"] + ["Non"] * 2


def skspec(*args):
    result = CliRunner().invoke(app, ["catalogue", *map(str, args)])
    return result, result.output + result.stderr


@pytest.fixture
def path(tmp_path):
    lines = [f"{i}|{'GALAXY' if name == 'Non' else 'STAR'}|{name}" for i, name in enumerate(SUBCLASSES)]
    file = tmp_path / "dr6.csv"
    file.write_text("\n".join(["obsid|class|subclass", *lines, ""]))
    return file


@pytest.mark.parametrize("suffix", [".ecsv", ".csv", ".fits", ".parquet"])
def test_counts_and_table(path, tmp_path, suffix):
    out = tmp_path / f"table{suffix}"
    result, text = skspec(path, "--per-class", 2, "--reduce-labels", "mk-class", "--seed", 3, "--out", out)
    assert result.exit_code == 0, text
    rows = [line.split() for line in text.splitlines() if line.strip()]
    assert ["A", "7", "2"] in rows
    assert ["M", "3", "2"] in rows
    assert ["O", "1", "1"] in rows
    assert ["all", "11", "5"] in rows
    assert "16 rows by class" in text
    assert "5 rows written to" in text
    assert "warning" not in text
    expected = sample_catalogue(path, n_per_class=2, by="mk-class", random_state=3)
    table = Table.read(out)
    assert table["obsid"].tolist() == expected["obsid"].tolist()
    assert table["mk_class"].astype(str).tolist() == expected["mk_class"].tolist()


def test_subclasses_classes_and_where(path):
    result, text = skspec(path, "--per-class", 5, "--where", "class=STAR")
    assert result.exit_code == 0, text
    assert "Non" not in text
    assert "OB" in text
    assert "Nothing is written" in text
    _, text = skspec(path, "--per-class", 5, "--labels", "class", "--classes", "GALAXY")
    assert "STAR" not in text


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--classes", "O,B"], 1, "no row of class B among 16 by mk-class; the classes found are A, M, O"),
        (["--out", "a.txt"], 2, "--out must end in"),
        (["--labels", "class"], 2, "omit --labels"),
        (["--where", "class"], 2, "--where must be COLUMN=VALUE, got class"),
        (["--where", "class=STAR", "--where", "class=QSO"], 2, "--where names the column class twice"),
        (["--where", "class=STAR", "--where", "Class=STAR"], 2, "--where names the column Class twice"),
        (["--classes", " ,"], 2, "--classes must name one class or more"),
        (["--where", "kind=STAR"], 1, "there is no column 'kind'; it has obsid, class, subclass"),
    ],
)
def test_errors(path, options, code, message):
    result, text = skspec(path, "--per-class", 1, "--reduce-labels", "mk-class", *options)
    assert result.exit_code == code
    assert message in " ".join(text.replace("│", " ").split())
    assert "Traceback" not in text


def test_empty_names_of_classes(path):
    result, text = skspec(path, "--per-class", 1, "--classes", "A5,,O,")
    assert result.exit_code == 0, text
    assert "OB" not in text


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_catalogue_is_not_overwritten(path, tmp_path, link):
    out = path
    if link:
        out = tmp_path / "link.csv"
        getattr(out, link)(path)
    content = path.read_bytes()
    result, text = skspec(path, "--per-class", 1, "--out", out, "--overwrite")
    assert result.exit_code == 2
    assert "--out must not be the catalogue itself" in " ".join(text.replace("│", " ").split())
    assert "Reading" not in text
    assert path.read_bytes() == content


def test_no_such_file(tmp_path):
    result, text = skspec(tmp_path / "none.csv", "--per-class", 1)
    assert result.exit_code == 1
    assert "none.csv: no such file" in text
