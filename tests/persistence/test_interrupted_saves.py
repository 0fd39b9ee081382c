"""Saving that is killed: the old file stays intact, and the next save removes what is left."""

import fcntl
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skspec import load, save

pytest.importorskip("skops")

# Forks children that save different models over the same file again and again, and kills each at a random moment.
KILLER = """
import os, random, signal, sys, time
import numpy as np
from sklearn.linear_model import LogisticRegression
from skspec import load, save

folder = sys.argv[1]
path = os.path.join(folder, "model.skspec")
random.seed(0)
X = np.random.default_rng(0).normal(size=(8, 20_000))
models = [LogisticRegression(max_iter=1).fit(X + i, list("ABABABAB")) for i in range(2)]
save(models[0], path)
left = 0
for _ in range(20):
    child = os.fork()
    if not child:
        while True:
            for model in models:
                save(model, path)
    time.sleep(random.uniform(0.002, 0.08))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    names = set(os.listdir(folder))
    assert "model.skspec" in names and all(name.endswith(".tmp") for name in names - {"model.skspec"}), names
    assert any(np.array_equal(load(path).coef_, model.coef_) for model in models)
    left += len(names) > 1
save(models[0], path)
assert os.listdir(folder) == ["model.skspec"], os.listdir(folder)
print(left)
"""


def test_killed_at_random_moments(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0  # some were killed while they wrote


@pytest.fixture
def model():
    return LogisticRegression().fit([[0.0], [1.0]], ["A", "B"])


def test_files_of_a_running_save_stay(model, tmp_path):
    running, killed = tmp_path / ".other.skspec.0123abcd.tmp", tmp_path / ".other.skspec.4567abcd.tmp"
    killed.write_bytes(b"half")
    with open(running, "xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        save(model, tmp_path / "model.skspec")
        assert sorted(os.listdir(tmp_path)) == [running.name, "model.skspec"]
    save(model, tmp_path / "model.skspec")
    assert os.listdir(tmp_path) == ["model.skspec"]


def test_other_files_stay(model, tmp_path):
    others = [
        ".notes.tmp",
        ".model.skspec.0123abcd",
        "model.skspec.0123abcd.tmp",
        ".model.skspec.0123ABCD.tmp",
    ]
    for name in others:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".folder.skspec.0123abcd.tmp").mkdir()
    (tmp_path / ".link.skspec.0123abcd.tmp").symlink_to(tmp_path / ".notes.tmp")
    before = sorted(os.listdir(tmp_path))
    save(model, tmp_path / "model.skspec")
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "model.skspec"])


def test_save_replaces_a_file_and_keeps_it_if_it_fails(model, tmp_path):
    path = tmp_path / "model.skspec"
    save(model, path)
    other = LogisticRegression().fit([[0.0], [1.0]], ["C", "D"])
    save(other, path)
    assert load(path).classes_.tolist() == ["C", "D"]
    with pytest.raises(
        ValueError, match="take 9 MiB as JSON, more than the 8 MiB that a model file may have"
    ):
        save(model, path, info={"notes": "x" * (9 * 2**20)})
    assert os.listdir(tmp_path) == ["model.skspec"]
    np.testing.assert_array_equal(load(path).predict([[0.0], [1.0]]), ["C", "D"])
