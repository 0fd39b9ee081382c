"""Options shared by commands, and the reporting of errors."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option


class OnError(StrEnum):
    """Handling of a file that cannot be read."""

    SKIP = "skip"
    WARN = "warn"
    RAISE = "raise"


Paths = Annotated[list[str], Argument(help="Files, folders, or patterns in quotes.", show_default=False)]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
FileFormat = Annotated[
    str | None, Option("--format", help="Format of all files; see skspec formats.", show_default="by content")
]
Jobs = Annotated[int | None, Option(help="Number of parallel jobs; -1 uses all cores.")]
Seed = Annotated[int, Option(min=0, help="Seed of the random number generators.")]
Folds = Annotated[int, Option(min=2, help="Number of folds of the cross-validation.")]
Epochs = Annotated[int | None, Option(min=1, help="Number of epochs.", show_default="the recipe's")]
Unreadable = Annotated[
    OnError, Option(help="What to do with a file that cannot be read: skip it, warn, or stop.")
]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace the output if it exists.")]


@contextmanager
def reporting(debug: bool) -> Iterator[None]:
    """Print errors, with a traceback if `debug`, and warnings on standard error; exit with code 1 after an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = lambda message, *_: complain("warning", str(message))
        try:
            yield
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:  # closed by the reader, for example head
            sys.stderr.close()
            raise typer.Exit(1) from None
        except Exception as error:
            if debug:
                traceback.print_exc()
            complain("error", _sentence(error))
            raise typer.Exit(1) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    known = isinstance(error, ValueError | TypeError | OSError | ImportError)
    return str(error) if known else f"{type(error).__name__}: {error} (--debug shows the traceback)"


def complain(kind: str, text: str) -> None:
    """Print a line on standard error."""
    print(f"skspec: {kind}: {' '.join(text.split())}", file=sys.stderr)


def check_output(path: Path | None, overwrite: bool, suffixes: tuple[str, ...]) -> None:
    """Raise an error for an output that cannot be written, before any work is done."""
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
    if path.exists() and not overwrite:
        raise typer.BadParameter(f"{path} exists; use --overwrite to replace it")


def split_names(text: str) -> list[str]:
    """Return names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
