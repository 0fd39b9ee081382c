"""The code of the user guide runs, page by page, in an empty folder."""

import re
from importlib.util import find_spec

import pytest

from tests._data import ROOT

PAGES = (
    "classification",
    "ensembles",
    "evaluation",
    "from_raw_to_features",
    "mk_types",
    "oversampling",
    "recipes",
    "saving",
    "training",
    "tuning",
)


@pytest.mark.parametrize("page", PAGES)
def test_code_of_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "guide" / f"{page}.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    namespace = {}
    for block in blocks:
        if "import optuna" in block and find_spec("optuna") is None:  # a recipe for those who have it
            continue
        exec(compile(block, f"{page}.md", "exec"), namespace)
