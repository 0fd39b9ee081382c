"""Printed output of the commands: tables that fit a terminal, or unwrapped for a file."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from astropy.table import Table as AstroTable
from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from skspec.cli._process import StandardOutput
from skspec.model_selection import CrossValidation, PreparedSpectra
from skspec.recipes import PublishedSystem, Reproduction, ScoredPredictions, SystemData
from skspec.spectra import Spectra

_WIDE = 100_000  # characters in a line of a file, which is never wrapped
_SHOWN = 20  # skipped files that are listed


def console(*, wide: bool = False) -> Console:
    """Return a console for standard output: plain unwrapped text if it is not a terminal.

    With `wide`, the terminal wraps long lines, so that tables keep their shape.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a path outside the encoding must not stop the run
    stream: Any = StandardOutput()
    terminal = stream.isatty()
    return Console(
        file=stream,
        highlight=False,
        soft_wrap=wide or not terminal,
        width=_WIDE if wide or not terminal else None,
        color_system="auto" if terminal else None,
        force_terminal=terminal,
    )


def progress(out: Console) -> Progress:
    """Return a progress bar on standard error, hidden unless the outputs are terminals."""
    bar = Console(file=sys.stderr)
    # older versions of rich print a blank line after a disabled bar
    bar.quiet = not (bar.is_terminal and out.is_terminal)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=bar,
        transient=True,
        disable=bar.quiet,
    )


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, text: Collection[str] | None = None
) -> Group:
    """Return a titled table; the columns `text` (default: the first) are left-aligned, the others right-aligned."""
    text = columns[:1] if text is None else text
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        grid.add_column(escape(name), justify="left" if name in text else "right", overflow="fold")
    for row in rows:
        grid.add_row(*(escape(_cell(value)) for value in row))
    return Group("", Text(title, style="bold"), grid) if title else Group(grid)


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.3f}"
    return str(value)


def print_read(out: Console, spectra: Spectra) -> None:
    """Print what was read, and which files were skipped."""
    skipped = spectra.meta.meta.get("skipped", [])
    meta = spectra.meta
    surveys = Counter(str(s) or "unknown" for s in meta["survey"]) if "survey" in meta.colnames else {}
    files = len(set(meta["file"])) if "file" in meta.colnames else len(spectra)
    kinds = ", ".join(f"{name} {n}" for name, n in surveys.items())
    out.print(f"Read {len(spectra)} spectra from {files} files" + (f" ({escape(kinds)})." if kinds else "."))
    if match := meta.meta.get("catalogue"):
        n, n_rows = match["n_matched_spectra"], match["n_rows"]
        out.print(
            f"The catalogue has {n} of these spectra. {len(spectra) - n} are not in it, and "
            f"{n_rows - match['n_matched_rows']} of its {n_rows} rows match no spectrum."
        )
    if skipped:
        rows = [(item["file"], item["reason"]) for item in skipped[:_SHOWN]]
        out.print(table(f"Files skipped: {len(skipped)}", ("file", "reason"), rows, text=("file", "reason")))
        if len(skipped) > _SHOWN:
            out.print(f"... and {len(skipped) - _SHOWN} more")


def print_prepared(out: Console, data: PreparedSpectra) -> None:
    """Print classes, dropped spectra, groups and the wavelength grid."""
    rows = []
    for label in np.unique(data.labels):
        inside = data.labels == label
        rows.append((label, int(inside.sum()), len(np.unique(data.groups[inside]))))
    rows.append(("all", len(data.labels), len(np.unique(data.groups))))
    out.print(table("Classes", ("class", "spectra", "objects"), rows))
    if data.dropped:
        dropped = sorted(data.dropped.items(), key=lambda item: -item[1])
        out.print(table(f"Spectra dropped: {sum(data.dropped.values())}", ("reason", "spectra"), dropped))
    out.print("\n" + escape(data.grouping))
    if data.n_dead:
        out.print(
            f"{data.n_dead} spectra have the same flux in all pixels: leave them out if they are dead fibres."
        )
    grid = data.grid
    low, high = 10 ** grid["loglam_min"], 10 ** grid["loglam_max"]
    out.print(f"Wavelength grid: {grid['n_bins']} bins, {low:.0f} to {high:.0f} Å (vacuum).")


def print_scores(out: Console, results: dict[str, CrossValidation], folds: int) -> None:
    """Print accuracy and macro-F1 of each model: mean and standard deviation of folds, and pooled."""
    rows = [
        (
            name,
            f"{np.mean(cv.fold_accuracy):.3f} ± {np.std(cv.fold_accuracy, ddof=1):.3f}",
            f"{cv.accuracy:.3f}",
            f"{np.mean(cv.fold_f1):.3f} ± {np.std(cv.fold_f1, ddof=1):.3f}",
            f"{cv.macro_f1:.3f}",
            f"{cv.seconds:.0f} s",
        )
        for name, cv in results.items()
    ]
    title = f"Grouped {folds}-fold cross-validation (mean ± standard deviation of folds; all folds pooled)"
    out.print(table(title, ("model", "accuracy", "pooled", "macro-F1", "pooled", "time"), rows))


def print_classes(out: Console, results: dict[str, CrossValidation]) -> None:
    """Print the scores by class of the first model, its confusion matrix, and the F1 scores of the others."""
    (name, first), *others = results.items()
    classes = np.unique(first.labels)
    scores = [
        precision_recall_fscore_support(cv.labels, cv.predicted, labels=classes, zero_division=0)
        for cv in results.values()
    ]
    precision, recall, f1, support = scores[0]
    rows = [
        (label, precision[k], recall[k], f1[k], *(score[2][k] for score in scores[1:]), int(support[k]))
        for k, label in enumerate(classes)
    ]
    columns = ("class", "precision", "recall", "F1", *(f"F1 of {other}" for other, _ in others), "spectra")
    out.print(table(f"By class: {name}, held-out spectra", columns, rows))
    matrix = confusion_matrix(first.labels, first.predicted, labels=classes)
    rows = [(label, *row) for label, row in zip(classes, matrix.tolist(), strict=True)]
    out.print(table("Confusion matrix (rows: label, columns: predicted)", ("", *map(str, classes)), rows))


def print_predictions(out: Console, result: AstroTable) -> None:
    """Print a table of predictions."""
    columns = [name for name in result.colnames if name != "reason" or any(result["reason"])]
    text = ("file", "object", "class", "flags", "reason")
    out.print(table("", columns, ([row[name] for name in columns] for row in result), text=text))


def print_prediction_summary(out: Console, result: AstroTable) -> None:
    """Print the number of spectra of each class and flag."""
    counts = Counter(str(label) or "(none)" for label in result["class"])
    out.print(table("Predicted", ("class", "spectra"), sorted(counts.items())))
    flags = Counter(flag for flags in result["flags"] for flag in str(flags).split(",") if flag)
    if flags:
        out.print(table("Flags", ("flag", "spectra"), sorted(flags.items())))


def print_system_data(out: Console, data: SystemData) -> None:
    """Print the classes, the spectra left out, and how objects are identified."""
    rows = [(label, int((data.y == label).sum())) for label in np.unique(data.y)]
    out.print(table("Classes", ("class", "spectra"), [*rows, ("all", len(data.y))]))
    if data.dropped:
        out.print(table("Left out", ("reason", "spectra"), data.dropped.most_common()))
    out.print("\n" + ("Warning: " if data.groups is None else "") + escape(data.grouping))


def print_reproduction(out: Console, result: Reproduction) -> None:
    """Print the published scores of a system and ours, with 95 % intervals."""
    columns = ["score", "published", "ours, tested as published"]
    if result.folds is not None:
        columns.append(f"ours, by object, {result.folds} folds")
    rows = [
        (
            name,
            "" if published is None else published,
            *("" if found is None else str(found) for found in ours),
        )
        for name, published, *ours in result.scores
    ]
    out.print(table(f"{result.title} (95 % intervals)", columns, [row[: len(columns)] for row in rows]))
    out.print(f"\nTested as published: {result.protocol}. Training and testing took {result.seconds:.0f} s.")


def print_scored_predictions(out: Console, system: PublishedSystem, result: ScoredPredictions) -> None:
    """Print the published table of a system, and the same scores computed from its published predictions."""
    columns = ("id", *(f"{score.name}: published, ours" for score in system.scores))
    rows = [
        (network, *(f"{old:.3f}  {new}" for old, new in zip(published, computed, strict=True)))
        for network, published, computed in result.rows
    ]
    title = f"{system.name}, published predictions for {result.n_spectra} spectra (95 % intervals)"
    out.print(table(title, columns, rows))
    out.print(f"\n{result.note}")
