"""Options shared by commands, and the reporting of errors."""

from __future__ import annotations

import os
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from skspec.cli._process import check_signals, complain
from skspec.io.writing import is_same_file, reads_file


class OnError(StrEnum):
    """Handling of a file that cannot be read."""

    SKIP = "skip"
    WARN = "warn"
    RAISE = "raise"


def check_paths(values: list[str] | None) -> list[str] | None:
    """Return the paths; BadParameter if one is empty."""
    if values and not all(values):
        raise typer.BadParameter("a path is empty; give files, folders or patterns")
    return values


def _check_jobs(value: int | None) -> int | None:
    if value == 0:
        raise typer.BadParameter("0 jobs do nothing; give a positive number, or -1 for all cores")
    return value


Paths = Annotated[
    list[str],
    Argument(help="Files, folders, patterns in quotes, or @list.", show_default=False, callback=check_paths),
]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
FileFormat = Annotated[
    str | None, Option("--format", help="Format of all files; see skspec formats.", show_default="by content")
]
Jobs = Annotated[int | None, Option(help="Number of parallel jobs; -1 uses all cores.", callback=_check_jobs)]
Seed = Annotated[int, Option(min=0, max=2**32 - 1, help="Seed of the random number generators.")]
Folds = Annotated[int, Option(min=2, help="Number of folds of the cross-validation.")]
Epochs = Annotated[int | None, Option(min=1, help="Number of epochs.", show_default="the recipe's")]
Unreadable = Annotated[
    OnError, Option(help="What to do with a file that cannot be read: skip it, warn, or stop.")
]
Recursive = Annotated[bool, Option("--recursive/--no-recursive", help="Search the folders inside folders.")]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace the output if it exists.")]


_PARTICULARS = re.compile(r"'[^']*'|\S*[\d/]\S*|\S+\.\S+")  # names, paths and numbers
_SHOWN = 3  # warnings of a kind


@contextmanager
def reporting(debug: bool) -> Iterator[None]:
    """Print errors, with a traceback if `debug`, and warnings on standard error; exit with code 1 after an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        printed = _Warnings()
        warnings.showwarning = lambda message, *_: printed.show(str(message))
        try:
            yield
            printed.finish()
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(130) from None
        except Exception as error:
            check_signals()
            if debug:
                traceback.print_exc()
            complain(f"error: {_sentence(error)}")
            raise typer.Exit(1) from None


class _Warnings:
    """Warnings, of which those that differ in names and numbers only are printed a few times, and then counted."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def show(self, text: str) -> None:
        """Print a warning, or count it."""
        kind = _PARTICULARS.sub("…", text)
        self._counts[kind] += 1
        if self._counts[kind] <= _SHOWN:
            complain(f"warning: {text}")

    def finish(self) -> None:
        """Print how many warnings were only counted."""
        for kind, n in self._counts.items():
            if n > _SHOWN:
                complain(f"warning: {n - _SHOWN} more like this: {kind}")


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    known = isinstance(error, ValueError | TypeError | OSError | ImportError)
    return str(error) if known else f"{type(error).__name__}: {error} (--debug shows the traceback)"


def check_output(
    path: Path | None, overwrite: bool, suffixes: tuple[str, ...], **inputs: Path | list[str] | None
) -> None:
    """Raise an error for an output that cannot be written or is an input, before any work is done.

    `inputs` are files by what they are, and the sources of spectra as ``spectra``.
    """
    if path is None:
        return
    if path.suffix not in suffixes:
        raise typer.BadParameter(f"--out must end in {' or '.join(suffixes)}, got {path.name}")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise typer.BadParameter(f"--out: the folder {path.parent} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"--out: the folder {folder} is not writable")
    if path.is_dir():
        raise typer.BadParameter(f"--out must be a file, but {path} is a folder")
    for name, source in inputs.items():
        if isinstance(source, Path) and is_same_file(path, source):
            raise typer.BadParameter(f"--out must not be the {name} itself, got {path}")
        if isinstance(source, list) and reads_file(path, source):
            raise typer.BadParameter(f"--out must not be one of the {name} to read, got {path}")
    if path.exists() and not overwrite:
        raise typer.BadParameter(f"{path} exists; use --overwrite to replace it")


def split_names(classes: str) -> list[str]:
    """Return the names of classes, which are separated by commas."""
    names = [name.strip() for name in classes.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter(f"--classes must name one class or more, got {classes}")
    return names
