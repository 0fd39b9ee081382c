"""Write files completely or not at all, and never over an input."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skspec.io._paths import find_files
from skspec.io._read import read_spectra

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_WORKSPACE = re.compile(r"\.skspec-[0-9a-f]{8}\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file to write, which replaces `path` at the end of the block.

    The temporary file is in a hidden folder beside `path`, and is deleted if the block raises an error. If the process
    is killed, the next call for a file in the same folder deletes it.

    Parameters
    ----------
    path : Path
        File to write; it may exist.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full; the error names `path`.
    """
    try:
        _remove_abandoned(path.parent)
        with _workspace(path.parent) as folder:
            temporary = folder / path.name
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
            with contextlib.suppress(OSError):  # not all file systems can
                _sync(path.parent)
    except OSError as error:  # of libraries that do not name the file, or of the temporary one
        reason = error.strerror or f"cannot be written, the disk may be full ({' '.join(str(error).split())})"
        raise OSError(error.errno, reason, str(path)) from error


def reads_file(path: Path, source: Any) -> bool:
    """Return whether `path` exists and is one of the spectra that ``read_spectra(source)`` reads, by any name.

    A file that is found in a directory or by a pattern counts only if there are spectra in it.
    """
    if not path.exists():
        return False
    named = [source] if isinstance(source, str | os.PathLike) else list(source)
    if any(is_same_file(path, str(item).removeprefix("@")) for item in named):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files given twice, of which the reader warns
            found = find_files(source)
    except (OSError, ValueError):  # which the reader reports
        return False
    if not any(is_same_file(path, file) for file, _ in found):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_spectra(str(path))
    except (OSError, ValueError, ImportError, MemoryError):
        return False
    return True


def is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Return whether two names are of one existing file, through links too."""
    try:
        return os.path.samefile(os.path.expanduser(one), os.path.expanduser(other))
    except (OSError, ValueError):
        return False


@contextmanager
def _workspace(parent: Path) -> Iterator[Path]:
    """Make a hidden folder that is locked while this process uses it, and deleted at the end."""
    while True:
        folder = parent / f".skspec-{secrets.token_hex(4)}.tmp"
        folder.mkdir()
        try:
            with _locked(folder) as lock:
                # another process may have taken the folder for abandoned before it was locked
                if folder.exists() and lock is not False:
                    yield folder
                    return
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Delete the folders of processes that were killed; those in use are locked."""
    with os.scandir(parent) as entries:
        found = [entry.path for entry in entries if _WORKSPACE.fullmatch(entry.name)]
    for folder in found:
        with contextlib.suppress(OSError), _locked(Path(folder)) as lock:
            if lock:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool | None]:
    """Lock a folder, and yield whether this succeeded; None where folders cannot be locked."""
    if fcntl is None:
        yield None
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        lock: bool | None = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock = False
        except OSError:  # a file system without locks
            lock = None
        yield lock
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
