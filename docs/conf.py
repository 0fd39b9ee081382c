"""Sphinx configuration."""

import importlib
import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import skspec

project = "skspec"
author = "the skspec developers"
copyright = "2026, " + author
version = release = skspec.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
default_role = "any"


def documented_properties(module, name):
    """Names of the public properties of a class, for the template of its page."""
    members = inspect.getmembers(
        getattr(importlib.import_module(module), name), lambda value: isinstance(value, property)
    )
    return [name for name, value in members if not name.startswith("_") and value.__doc__]


autosummary_generate = True
autosummary_context = {"documented_properties": documented_properties}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_validation_checks = set()
templates_path = ["_templates"]
suppress_warnings = ["ref.any", "ref.ref", "config.cache"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "skspec"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": []}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__\.py",
    "plot_gallery": True,
    "abort_on_example_error": True,
    "download_all_examples": False,
}
