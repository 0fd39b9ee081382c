"""Which room may know which, and what an import costs."""

import ast
import subprocess
import sys

import pytest

import skspec
from tests._data import ROOT

PACKAGE = ROOT / "skspec"
LIGHT = (
    "checks",
    "spectra",
    "model_selection",
    "io",
    "datasets",
    "preprocessing",
    "features",
    "ensemble",
    "metrics",
    "mk",
    "plotting",
    "tuning",
)
TOP = ("cli", "recipes")


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """Top-level and nested imports of a file, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize(
    "path", [f for f in FILES if room(f) in LIGHT], ids=lambda path: str(path.relative_to(ROOT))
)
def test_light_rooms_never_import_torch(path):
    rooms = ("training", "networks", "estimators", "regressors", *TOP)
    heavy = {"torch", "skorch"} | {f"skspec.{name}" for name in rooms}
    assert not [
        name
        for name in imports(path)
        if name.split(".")[0] in heavy or ".".join(name.split(".")[:2]) in heavy
    ]


@pytest.mark.parametrize(
    "path", [f for f in FILES if room(f) == "networks"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_networks_know_only_torch(path):
    allowed = {"torch", "safetensors"} | sys.stdlib_module_names
    assert not [
        name
        for name in imports(path)
        if name.split(".")[0] not in allowed and not name.startswith("skspec.networks")
    ]


@pytest.mark.parametrize(
    "path", [f for f in FILES if room(f) == "training"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_training_knows_no_network_by_name(path):
    assert not [name for name in imports(path) if name.startswith(("skspec.networks", "skspec.estimators"))]


@pytest.mark.parametrize(
    "path", [f for f in FILES if room(f) not in TOP], ids=lambda path: str(path.relative_to(ROOT))
)
def test_nothing_imports_the_top_floor(path):
    assert not [name for name in imports(path) if name.startswith(tuple(f"skspec.{top}" for top in TOP))]


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()


def test_import_is_light():
    heavy = "[m for m in ('torch', 'skorch', 'sklearn', 'scipy', 'matplotlib') if m in sys.modules]"
    assert run(f"import sys, skspec; print({heavy})") == "[]"


def test_transformers_and_readers_do_not_pull_in_torch():
    names = "FluxNormalizer, LineIndices, LogWaveResampler, Spectra, make_spectra, read_spectra"
    assert (
        run(
            f"import sys; from skspec import {names}; print([m for m in ('torch', 'skorch') if m in sys.modules])"
        )
        == "[]"
    )


@pytest.mark.parametrize("name", skspec.__all__)
def test_public_names_load_and_are_documented(name):
    value = getattr(skspec, name)
    assert name in dir(skspec)
    if name != "__version__":
        assert value.__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Conv1dClassifier'"):
        _ = skspec.Conv1dClassifier
