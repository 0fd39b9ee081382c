"""The command line as a process: signals, and a standard output that is closed or full."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from skspec.cli import _options, _process
from tests._data import ROOT

pytest.importorskip("typer")
pytest.importorskip("rich")

import typer

PROGRAM = [sys.executable, "-c", "from skspec.cli import main; main()"]
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


def start(*args, before="", **options):
    command = [sys.executable, "-c", f"{before}\nfrom skspec.cli import main; main()", *map(str, args)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT} | options
    hear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background jobs ignore it
    return subprocess.Popen(command, start_new_session=True, preexec_fn=hear, **options)  # noqa: PLW1509


def stop(process, number, after):
    """Send a signal to the process and all it started, and return its exit code and what it printed."""
    time.sleep(after)
    os.killpg(process.pid, number)
    printed = process.communicate(timeout=60)
    return process.returncode, *printed


@pytest.mark.parametrize("number", WORDS)
@pytest.mark.parametrize("after", [0.0, 0.3, 0.7, 1.1, 1.5, 6.0])
def test_a_signal_is_one_line(number, after):
    """During the imports, and later in training with two jobs."""
    mark = "import skspec.cli._process as p; run = p.run; p.run = lambda f: run(lambda: (print(flush=True), f()))"
    process = start("demo", "--n-spectra", 400, "--n-jobs", 2, before=mark)
    process.stdout.readline()  # the handlers are there
    code, _, told = stop(process, number, after)
    assert code == 128 + number
    assert told == f"skspec: {WORDS[number]}\n"


def test_a_signal_while_writing_leaves_nothing(tmp_path):
    """The signal comes when the temporary file is there, but not yet on the disk."""
    catalogue = tmp_path / "stars.csv"
    catalogue.write_text("obsid,subclass\n" + "".join(f"{i},A5\n" for i in range(10)))
    out = tmp_path / "out.csv"
    slow = """
import os, time
def sync(handle):
    print("there", flush=True)
    time.sleep(60)
os.fsync = sync
"""
    process = start("catalogue", catalogue, "--per-class", 5, "--out", out, before=slow)
    while process.stdout.readline() not in ("there\n", ""):
        pass
    assert len(list(tmp_path.iterdir())) == 2
    code, _, told = stop(process, signal.SIGINT, 0.0)
    assert (code, told) == (130, "skspec: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == [catalogue.name]


def test_a_signal_that_an_import_turns_into_another_error():
    lost = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == "skspec.cli._app":
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except BaseException as error:
                raise ImportError("failed to import") from error
sys.meta_path.insert(0, Finder())
"""
    process = start("formats", before=lost)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "skspec: interrupted\n")


def test_an_ignored_signal_stays_ignored():
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    process = start("formats", before=ignore + "; print('ready', flush=True)")
    process.stdout.readline()
    code, _, told = stop(process, signal.SIGINT, 0.5)
    assert (code, told) == (0, "")


def test_keyboard_interrupt_within_a_command(capsys):
    with pytest.raises(typer.Exit) as caught, _options.reporting(debug=True):
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert capsys.readouterr().err == "skspec: interrupted\n"


def test_handlers_are_restored():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        _process.run(lambda: sys.exit(3))
    assert caught.value.code == 3
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def shell(command):
    command = command.replace("skspec", f"{sys.executable} -c 'from skspec.cli import main; main()'")
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", ["formats", "--version", "catalogue --help"])
def test_a_full_disk_is_one_line(arguments):
    done = shell(f"skspec {arguments} > /dev/full")
    assert (done.returncode, done.stderr) == (1, "skspec: error: standard output: no space left on device\n")


def test_a_closed_standard_output():
    done = shell("skspec formats >&-")
    assert (done.returncode, done.stderr) == (1, "skspec: error: standard output: is closed\n")
    done = shell("skspec formats | true; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stderr) == (1, "")
    assert shell("skspec formats 2>&-").returncode == 0


def test_warnings_of_a_kind_are_counted(tmp_path, survey, capsys):
    import warnings

    with _options.reporting(debug=False):
        for k in range(40):
            warnings.warn(f"skipped night{k}/file.fits: the file is empty", stacklevel=2)
            warnings.warn(f"skipped night{k}.fits: it has {k} rows", stacklevel=2)
        warnings.warn("something else", stacklevel=2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 + 3 + 1 + 2
    assert lines[0] == "skspec: warning: skipped night0/file.fits: the file is empty"
    assert lines[-2] == "skspec: warning: 37 more like this: skipped … the file is empty"
    assert "something else" in lines[-3]
