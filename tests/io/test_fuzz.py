"""Thousands of damaged files of every format: each is read rightly or refused in one sentence, soon and in little memory.

``SKSPEC_FUZZ=100000`` reads so many, in some minutes; without it as many as fit in half a minute, in the same order.
"""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("h5py")
pytest.importorskip("pyarrow")

COUNT = int(os.environ.get("SKSPEC_FUZZ", "3000"))
SECONDS = 30 if "SKSPEC_FUZZ" not in os.environ else 60 + COUNT / 20


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.skipif(sys.platform != "linux", reason="bounds of memory are those of Linux")
def test_damaged_files(tmp_path):
    state = tmp_path / "state"
    command = [sys.executable, "-m", "tests.io._fuzz", "0", str(COUNT), str(SECONDS)]
    done = subprocess.run(
        command,
        env=os.environ | {"FUZZ_STATE": str(state)},
        capture_output=True,
        text=True,
        timeout=SECONDS + 60,
        check=False,
    )
    number = state.read_text() if state.exists() else "none"
    assert done.returncode == 0, f"the process ended at file {number}: {done.stderr[-2000:]}"
    *wrong, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert not wrong, "\n".join(map(str, wrong[:20]))
    assert summary["files"] >= 50
    assert 0 < summary["read"] < summary["files"]
