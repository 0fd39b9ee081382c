"""The code of CONTRIBUTING.md works: each how-to adds its files to a copy of the package, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests._data import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COPIED_TESTS = ("_data", "_estimators", "test_architecture", "test_documentation", "test_estimator_checks")
COMMANDS = """
import sys
import pytest
from typer.testing import CliRunner
from skspec.cli._app import app
def run(*args):
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    print(result.output, "=====")
run("formats")
run("reproduce", "--help")
run("fit", "--help")
assert "torch" not in sys.modules
from tests.recipes.test_white_dwarfs import write_file
write_file("stars.npz")
run("reproduce", "white-dwarfs", "--data", "stars.npz", "--network", "wide", "--epochs", "2", "--folds", "2")
from skspec.recipes import white_dwarfs
print("called", white_dwarfs()[-1].max_epochs, "=====")
sys.exit(pytest.main(sys.argv[1:]))
"""


class File(NamedTuple):
    """A block of code in CONTRIBUTING.md: a whole file, or lines to add to one."""

    path: str
    code: str
    is_new: bool


def read_how_tos(text):
    """Files of each how-to, by what it adds."""
    how_tos = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        if section.startswith("How to add a "):
            title = section.partition("\n")[0].removeprefix("How to add a ")
            found = re.findall(
                r"^(Add to )?`(\S+)`[^\n]*:\n\n```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL
            )
            assert len(found) == section.count("```python"), f"a block under {title!r} does not name its file"
            how_tos[title] = [File(path, code, not adds) for adds, path, code in found]
    return how_tos


HOW_TOS = read_how_tos(TEXT)


def add_lines(path, code):
    """Add lines to a file as their how-to says."""
    text = path.read_text("utf-8")
    if path.name == "_estimators.py":
        (name,) = re.findall(r'^    "(\w+)": Case\(', code, re.MULTILINE)
        text = text.replace("from skspec import (\n", f"from skspec import (\n    {name},\n")
        text = text.replace("CASES = {\n", f"CASES = {{\n{code}")
        assert text.count(name) >= 2
    else:
        text = code + text
        name = code.split()[-1]
        text = text.replace("__all__ = [\n", f'__all__ = [\n    "{name}",\n')
    path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What the commands and the tests print in a copy of the package with the files of all how-tos."""
    pytest.importorskip("typer")
    pytest.importorskip("safetensors")
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "skspec", copy / "skspec", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    for name in COPIED_TESTS:
        shutil.copy(ROOT / "tests" / f"{name}.py", copy / "tests")
    for name in ("CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    for file in (file for files in HOW_TOS.values() for file in files):
        path = copy / file.path
        assert path.exists() != file.is_new, file.path
        if file.is_new:
            path.parent.mkdir(exist_ok=True)
            path.write_text(file.code, "utf-8")
        else:
            add_lines(path, file.code)
    new = [file.path for files in HOW_TOS.values() for file in files if file.is_new]
    names = "DilatedCNNClassifier or ArcsinhScaler"
    rules = "circle or rooms or private or networks_know or light_rooms"
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, "-rA", "-p", "no:cacheprovider", *new]
        + [f"tests/{name}.py" for name in COPIED_TESTS if name.startswith("test_")]
        + ["-k", f"{names} or {rules} or " + " or ".join(os.path.basename(path) for path in new)],
        capture_output=True,
        text=True,
        check=False,
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("what", "n_files", "n_lines"),
    [("network", 2, 2), ("reader", 1, 0), ("transformer", 1, 3), ("published system", 1, 0)],
)
def test_number_of_places(what, n_files, n_lines):
    new = [file.path.split("/")[0] for file in HOW_TOS[what] if file.is_new]
    assert new.count("skspec") == n_files
    assert new.count("tests") == 1
    assert len([file for file in HOW_TOS[what] if not file.is_new]) == n_lines
    assert len(HOW_TOS) == 4


def test_tests_of_the_how_tos_pass(output):
    passed = re.findall(r"^PASSED (\S+)::", output, re.MULTILINE)
    for file in (file for files in HOW_TOS.values() for file in files if file.is_new):
        own_tests = len(re.findall(r"^def test_|^ +>>> from skspec import", file.code, re.MULTILINE))
        assert passed.count(file.path) == own_tests, file.path


def test_rules_hold_for_what_was_added(output):
    checks = re.findall(r"^PASSED tests/test_(architecture|documentation|estimator_checks)", output, re.M)
    assert checks.count("architecture") >= 9
    for name in ("DilatedCNNClassifier", "ArcsinhScaler"):
        own = re.findall(rf"^PASSED tests/test_(\w+)\.py::\S*{name}", output, re.MULTILINE)
        assert own.count("documentation") >= 3
        assert own.count("estimator_checks") > 30


def test_the_reader_is_listed(output):
    formats = output.split("=====")[0]
    assert re.search(r"casspec +CASSPEC spectrograph, text", formats)


def test_the_system_is_a_command(output):
    _, reproduce, fit, scores, called, *_ = output.split("=====")
    assert "white-dwarfs: narrow, wide" in reproduce
    assert "white-dwarfs" in fit
    assert "white_dwarfs, wide, at most 2 epochs" in scores
    assert re.search(r"accuracy +0\.950 +[01]\.\d+ \[.*\] +[01]\.\d+ \[", scores)
    assert "25 % for testing" in scores
    assert "called 40" in called
