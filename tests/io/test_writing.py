"""Files are written completely or not at all, and never over an input."""

import errno
import os
import random
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.table import Table

from skspec.io.meta import TABLE_FORMATS, write_table
from skspec.io.writing import reads_file, replacing
from tests._data import ROOT
from tests._processes import forkserver

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from astropy.table import Table
from skspec.io.meta import write_table
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
write_table(Table({"value": np.random.default_rng(0).normal(size=20_000)}), Path(sys.argv[1]))
"""


def numbers():
    return Table({"row": np.arange(3000), "value": np.random.default_rng(0).normal(size=3000)})


def write_again_and_again(path, started):
    started.set()
    while True:
        write_table(numbers(), path)


def test_a_killed_writer_leaves_nothing_half_written(tmp_path):
    """SIGKILL at 20 random moments of writing a table again and again: the file is always whole."""
    out = tmp_path / "table.ecsv"
    write_table(numbers(), out)
    whole = out.read_bytes()
    generator, context = random.Random(0), forkserver()
    left = 0
    for _ in range(20):
        started = context.Event()
        writer = context.Process(target=write_again_and_again, args=(out, started))
        writer.start()
        started.wait()
        time.sleep(0.2 * generator.random())
        writer.kill()
        writer.join()
        assert out.read_bytes() == whole
        left += len(list(tmp_path.iterdir())) - 1
        write_table(numbers(), out)
        assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert left  # at least one was killed while it wrote


def test_a_running_writer_is_left_alone(tmp_path):
    with replacing(tmp_path / "a.csv") as first:
        first.write_text("first")
        with replacing(tmp_path / "b.csv") as second:
            second.write_text("second")
        assert first.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]
    assert (tmp_path / "a.csv").read_text() == "first"


def test_folders_of_others_are_left_alone(tmp_path):
    names = [".skspec-12345678.tmp.bak", ".skspec-1234567.tmp", "skspec-12345678.tmp"]
    for name in names:
        (tmp_path / name).mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / ".skspec-00000000.tmp").symlink_to(elsewhere)
    with replacing(tmp_path / "a.csv") as temporary:
        temporary.touch()
    assert {*names, "elsewhere"} < {path.name for path in tmp_path.iterdir()}
    assert (elsewhere / "kept").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_write_changes_nothing(tmp_path, error):
    out = tmp_path / "a.csv"
    out.write_text("old")

    def interrupted():
        with replacing(out) as temporary:
            temporary.write_text("new")
            raise error

    with pytest.raises(error):
        interrupted()
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), OSError("Not enough space on disk")]
)
def test_a_full_disk_is_an_error_with_the_name_of_the_file(tmp_path, error):
    with pytest.raises(OSError, match=r"space.*a\.csv") as caught, replacing(tmp_path / "a.csv"):
        raise error
    assert caught.value.errno == error.errno
    assert caught.value.filename == str(tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process are set as in Unix")
@pytest.mark.parametrize("suffix", TABLE_FORMATS)
def test_a_table_that_does_not_fit(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"table{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(out)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert str(out) in done.stderr.splitlines()[-1]
    assert re.search("too large|disk may be full", done.stderr.splitlines()[-1])
    assert not list(tmp_path.iterdir())


def test_which_files_are_read(tmp_path):
    night = tmp_path / "night"
    night.mkdir()
    spectrum, table = night / "a.csv", night / "table.csv"
    spectrum.write_text("wave,flux\n" + "\n".join(f"{4000 + k},{k % 7}" for k in range(50)) + "\n")
    table.write_text("file,class\na.csv,A\n")
    (tmp_path / "soft.csv").symlink_to(spectrum)
    (tmp_path / "hard.csv").hardlink_to(spectrum)
    for source in ([str(spectrum)], [str(night)], [str(night / "*.csv")], [str(tmp_path / "soft.csv")]):
        for path in (
            spectrum,
            tmp_path / "soft.csv",
            tmp_path / "hard.csv",
            night / ".." / "night" / "a.csv",
        ):
            assert reads_file(path, source)
    assert reads_file(table, [str(night), str(table)])
    assert not reads_file(table, [str(night)])  # it has no spectra
    assert not reads_file(night / "none.csv", [str(night)])
    assert not reads_file(tmp_path / "soft.csv", [str(tmp_path / "nothing" / "*.csv"), str(table)])
