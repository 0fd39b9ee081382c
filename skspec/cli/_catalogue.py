"""``skspec catalogue``: choose spectra of each class to download from a large catalogue."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from skspec.cli import _report
from skspec.cli._options import Debug, Overwrite, Seed, check_output, reporting, split_names
from skspec.io import sample_catalogue
from skspec.io.meta import TABLE_FORMATS, write_table


class CatalogueReduction(StrEnum):
    """Reductions of spectral types in `sample_catalogue`."""

    MK_CLASS = "mk-class"


def catalogue(
    path: Annotated[
        Path,
        Argument(
            help="Catalogue: FITS, or text separated by |, commas or tabs; also .gz.", show_default=False
        ),
    ],
    *,
    per_class: Annotated[
        int, Option(min=1, help="Number of rows to draw of each class.", show_default=False)
    ],
    labels: Annotated[str, Option(help="Column with the classes.")] = "subclass",
    reduce_labels: Annotated[
        CatalogueReduction | None,
        Option(help="mk-class reduces types such as dM2 and A7III to O, B, A, F, G, K, M."),
    ] = None,
    classes: Annotated[str | None, Option(help="Classes to draw, such as O,B,A.", show_default="all")] = None,
    where: Annotated[
        list[str] | None,
        Option(help="Required value of a column, such as class=STAR; repeatable.", show_default=False),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        Option(help="Table to write: .ecsv, .csv, .fits or .parquet.", show_default="none; only count"),
    ] = None,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Draw random rows of each class from a large catalogue, such as the LAMOST general catalogue.

    The output identifies the spectra to download.
    """
    check_output(out, overwrite, tuple(TABLE_FORMATS), catalogue=path)
    filters = _filters(where or [])
    names = None if classes is None else split_names(classes)
    if reduce_labels and labels.lower() != "subclass":
        raise typer.BadParameter("--reduce-labels reduces the column subclass; omit --labels")
    with reporting(debug):
        console = _report.console()
        with console.status(f"Reading {escape(str(path))}"):
            drawn = sample_catalogue(
                path,
                n_per_class=per_class,
                by=reduce_labels.value if reduce_labels else labels,
                classes=names,
                where=filters,
                random_state=seed,
            )
        found = drawn.meta["n_found"]
        rows = [(name, n, min(n, per_class)) for name, n in found.items()]
        total = ("all", sum(found.values()), len(drawn))
        title = f"{drawn.meta['n_rows']} rows by class"
        console.print(_report.table(title, ("class", "found", "drawn"), [*rows, total]))
        if out is None:
            console.print("\nNothing is written; use --out table.ecsv to write these rows.")
            return
        if out.suffix == ".fits":
            drawn.meta.clear()  # FITS headers cannot store it
        write_table(drawn, out)
        console.print(f"\n{len(drawn)} rows written to {escape(str(out))}.")


def _filters(texts: list[str]) -> dict[str, str]:
    """Return the required values by column; columns are case-insensitive, as in `sample_catalogue`."""
    filters: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            raise typer.BadParameter(f"--where must be COLUMN=VALUE, got {text}")
        if name.lower() in map(str.lower, filters):
            raise typer.BadParameter(f"--where names the column {name} twice; each column can have one value")
        filters[name] = value
    return filters
