"""Sphinx configuration."""

import importlib
import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docutils import nodes

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


EXTERNAL = {
    "astropy": "https://docs.astropy.org/en/stable/api/{}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{}.html",
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{}.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{}.html",
}


def link_to_other_package(app, env, node, contnode):
    """Link to a class or function of another package, without the network that intersphinx needs."""
    target = node["reftarget"].lstrip("~")
    package, *names = target.split(".")
    if package not in EXTERNAL or not names or names[-1] in ("ndimage", "stats"):  # modules
        return None
    text = names[-1] if node["reftarget"].startswith("~") else target
    uri = EXTERNAL[package].format(target)
    return nodes.reference("", "", nodes.literal("", text), internal=False, refuri=uri)


def add_anchors(app, doctree):
    """Give each documented parameter and attribute an anchor, such as ``#skspec.Conv1DClassifier.lr``."""
    for field in doctree.findall(nodes.field):
        signature = field.parent.parent.parent[0]
        if field[0].astext() not in ("Parameters", "Other Parameters", "Attributes") or not signature["ids"]:
            continue
        for term in field.findall(nodes.term):
            names = [name for name in term.astext().split(", ") if name.isidentifier()]
            anchors = [f"{signature['ids'][0]}.{name}" for name in names]
            new = [anchor for anchor in anchors if anchor not in doctree.ids]
            if new:
                term["ids"] += new
                doctree.ids.update(dict.fromkeys(new, term))
                link = nodes.reference("", "#", internal=True, refid=new[0], classes=["headerlink"])
                term.parent[[type(node) for node in term.parent].index(nodes.definition) - 1].append(link)


def setup(app):
    app.connect("missing-reference", link_to_other_package)
    app.connect("doctree-read", add_anchors)


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
html_static_path = ["_static"]
html_css_files = ["skspec.css"]
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
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
}
