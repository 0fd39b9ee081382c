"""Where the real spectra are, and a clear skip where they are not."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def data_path(relative: str = "") -> Path:
    """Path of a file or folder of the real data; skips the test when it is absent."""
    base = Path(os.environ.get("SKSPEC_DATA", ROOT.parent / "shared" / "data"))
    path = base / relative
    if not path.exists():
        pytest.skip(f"real data not found: {path} (set SKSPEC_DATA to the folder that holds it)")
    return path
