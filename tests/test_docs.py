"""The API page of the documentation lists every public name."""

import importlib
import re

import pytest

import skspec
from tests._data import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
LISTED = re.findall(r"^   ([\w.]+)$", PAGE, re.MULTILINE)
ROOMS = (
    "datasets",
    "ensemble",
    "features",
    "io",
    "metrics",
    "mk",
    "model_selection",
    "networks",
    "oversampling",
    "persistence",
    "plotting",
    "preprocessing",
    "recipes",
    "training",
)


def find(name):
    room, _, short = name.rpartition(".")
    return getattr(importlib.import_module(f"skspec.{room}".rstrip(".")), short)


def test_every_public_name_of_the_package_is_listed():
    assert set(skspec.__all__) - {"__version__"} <= set(LISTED)


@pytest.mark.parametrize("room", ROOMS)
def test_every_class_and_function_of_a_room_is_listed(room):
    module = importlib.import_module(f"skspec.{room}")
    public = [getattr(module, name) for name in module.__all__]
    listed = [find(name) for name in LISTED]
    assert not [value for value in public if callable(value) and value not in listed]


def test_every_listed_name_exists_once_and_has_a_docstring():
    assert len(LISTED) == len(set(LISTED))
    for name in LISTED:
        assert find(name).__doc__, name
