"""``skspec catalogue``: choose spectra to download, a given number of each class, from a catalogue of millions."""

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
    """Reduction of types that `sample_catalogue` does."""

    MK_CLASS = "mk-class"


def catalogue(
    path: Annotated[
        Path,
        Argument(
            help="Catalogue: text separated by |, commas or tabs, or FITS; also .gz.", show_default=False
        ),
    ],
    *,
    per_class: Annotated[
        int, Option(min=1, help="Number of rows to draw of each class.", show_default=False)
    ],
    labels: Annotated[str, Option(help="Column with the classes.")] = "subclass",
    reduce_labels: Annotated[
        CatalogueReduction | None, Option(help="mk-class: reduce types like dM2, A7III to O B A F G K M.")
    ] = None,
    classes: Annotated[str | None, Option(help="Classes to draw: O,B,A.", show_default="all")] = None,
    where: Annotated[
        list[str] | None, Option(help="Value of another column: class=STAR.", show_default=False)
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        Option(help="Table to write: .ecsv, .csv, .fits or .parquet.", show_default="none; only count"),
    ] = None,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Draw rows of each class from a large catalogue, at random, in one pass.

    It is made for the general catalogue of LAMOST; the output has the identifiers of the spectra to download.
    """
    check_output(out, overwrite, tuple(TABLE_FORMATS))
    source = path.expanduser()
    if out is not None and out.exists() and source.exists() and out.samefile(source):
        raise typer.BadParameter(f"--out must not be the catalogue itself, got {out}")
    filters = _filters(where or [])
    names = None if classes is None else split_names(classes)
    if names == []:
        raise typer.BadParameter(f"--classes must name one class or more, got {classes}")
    if reduce_labels and labels.lower() != "subclass":
        raise typer.BadParameter("--reduce-labels reduces the column subclass; leave --labels out")
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
        console.print(
            _report.table(
                f"{drawn.meta['n_rows']} rows by class", ("class", "found", "drawn"), [*rows, total]
            )
        )
        if out is None:
            console.print("\nNothing is written; --out table.ecsv writes the rows drawn.")
            return
        if out.suffix == ".fits":
            drawn.meta.clear()  # a FITS header cannot hold it
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
            raise typer.BadParameter(f"--where names the column {name} twice; a column can have one value")
        filters[name] = value
    return filters
