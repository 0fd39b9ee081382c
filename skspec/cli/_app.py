"""The commands: what can be typed, and how errors are told."""

from __future__ import annotations

import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from astropy.table import Table
from rich.markup import escape

import skspec
from skspec.cli import _models, _prediction, _report, _training
from skspec.spectra import Spectra

app = typer.Typer(
    help="Classify astronomical spectra: from survey files to a cross-validated classifier.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class OnError(StrEnum):
    """What to do about a file that cannot be read."""

    SKIP = "skip"
    WARN = "warn"
    RAISE = "raise"


class Recipe(StrEnum):
    """Pipelines that ``fit`` can train."""

    CONV1D = "conv1d"


class Reduction(StrEnum):
    """What labels can be reduced to."""

    MK_CLASS = "mk-class"


Paths = Annotated[
    list[str], typer.Argument(help="Files, folders, or patterns in quotes.", show_default=False)
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Format = Annotated[
    str | None,
    typer.Option("--format", help="Format of all files; see skspec formats.", show_default="by content"),
]
Jobs = Annotated[int | None, typer.Option("--n-jobs", help="Parallel jobs; -1 takes all cores.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-validation.")]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", min=1, help="Passes over the training spectra.", show_default="the recipe's"),
]
Unreadable = Annotated[
    OnError, typer.Option("--on-error", help="A file that cannot be read: skip, warn or stop.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]


@contextmanager
def _reporting(debug: bool) -> Iterator[None]:
    """Tell errors and warnings in one line on standard error; exit code 1."""
    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning)
        warnings.showwarning = lambda message, *_: _complain("warning", str(message))
        try:
            yield
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:  # the reader, head for example, has seen enough
            sys.stderr.close()
            raise typer.Exit(1) from None
        except Exception as error:
            if debug:
                traceback.print_exc()
            known = isinstance(error, ValueError | TypeError | OSError | ImportError)
            text = str(error) if known else f"{type(error).__name__}: {error} (--debug shows where)"
            _complain("error", text)
            raise typer.Exit(1) from None


def _complain(kind: str, text: str) -> None:
    print(f"skspec: {kind}: {' '.join(text.split())}", file=sys.stderr)


def _output(path: Path | None, overwrite: bool, suffixes: tuple[str, ...]) -> None:
    """Refuse an output that cannot be written, before any work is done."""
    if path is None:
        return
    if path.suffix not in suffixes:
        raise typer.BadParameter(f"--out must end in {' or '.join(suffixes)}, got {path.name}")
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"--out: there is no folder {path.parent}")
    if path.exists() and not overwrite:
        raise typer.BadParameter(f"{path} exists; --overwrite replaces it")


def _version(value: bool) -> None:
    if value:
        print(f"skspec {skspec.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Classify astronomical spectra: from survey files to a cross-validated classifier."""


@app.command()
def demo(
    *,
    n_spectra: Annotated[int, typer.Option("--n-spectra", min=50, help="Spectra to simulate.")] = 800,
    folds: Folds = 5,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the training spectra.")] = 20,
    n_jobs: Jobs = None,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Simulate a survey and cross-validate a classifier on it: nothing to download, about a minute."""
    with _reporting(debug):
        console = _report.console()
        console.print(
            f"Simulating {n_spectra} spectra as a survey takes them: stars of types A to M, galaxies and quasars, "
            "with noise, dust, missing pixels and repeated observations."
        )
        spectra = skspec.make_spectra(
            n_spectra, classes=("A", "F", "G", "K", "M", "GALAXY", "QSO"), random_state=seed
        )
        kind, star = spectra.meta["class"], spectra.meta["spectral_class"]
        spectra.meta["type"] = np.where(kind == "STAR", star, kind)
        data = _training.prepare(spectra, labels="type", min_class_size=folds)
        _report.print_training_set(console, data)
        console.print(
            "\nTraining Conv1DClassifier (a convolutional network) and, beside it, a random forest on the same "
            f"{folds} folds. Spectra of one object are in one fold."
        )
        model = _models.make_model("conv1d", data.grid, epochs=epochs, seed=seed)
        _cross_validate(console, model, data, name="conv1d", folds=folds, seed=seed, n_jobs=n_jobs)
        _next(
            console,
            "skspec formats                                                   # what it reads",
            "skspec fit 'night1/*.fits' --labels class --out model.skspec     # train on your own files",
            "skspec predict model.skspec 'night2/*.fits' --out classes.ecsv   # classify others",
        )


@app.command()
def fit(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, or patterns in quotes; none: those of --catalogue.", show_default=False
        ),
    ] = None,
    *,
    labels: Annotated[
        str, typer.Option("--labels", help="Column with the classes: of the files or of --catalogue.")
    ] = "class",
    reduce_labels: Annotated[
        Reduction | None,
        typer.Option("--reduce-labels", help="mk-class: O B A F G K M of types like dM2, A7III."),
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option("--catalogue", help="Table with labels, joined by its column file or object."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", help="Classes to keep: A,F,G.", show_default="all")
    ] = None,
    min_class_size: Annotated[
        int | None,
        typer.Option("--min-class-size", min=1, help="Drop smaller classes.", show_default="number of folds"),
    ] = None,
    groups: Annotated[
        str, typer.Option("--groups", help="What is one object: sky (position), a column, or none.")
    ] = "sky",
    folds: Folds = 5,
    recipe: Annotated[Recipe, typer.Option("--recipe", help="Pipeline to train.")] = Recipe.CONV1D,
    rest_frame: Annotated[
        bool, typer.Option("--rest-frame", help="Divide wavelengths by 1 + z first.")
    ] = False,
    loglam_min: Annotated[
        float | None,
        typer.Option("--loglam-min", help="Log10 of the bluest edge in Å.", show_default="from the data"),
    ] = None,
    loglam_max: Annotated[
        float | None,
        typer.Option("--loglam-max", help="Log10 of the reddest edge in Å.", show_default="from the data"),
    ] = None,
    n_bins: Annotated[
        int | None, typer.Option("--n-bins", min=1, help="Wavelength bins.", show_default="from the data")
    ] = None,
    epochs: Epochs = None,
    format_: Format = None,
    on_error: Unreadable = OnError.SKIP,
    n_jobs: Jobs = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option("--out", help="Where the model goes.")] = Path("model.skspec"),
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Train a classifier on survey files: cross-validate it beside a random forest, then save it.

    Spectra of the same object stay together in one fold, so that the scores hold for objects not seen before.
    """
    _output(out, overwrite, (".skspec",))
    if not paths and catalogue is None:
        raise typer.BadParameter("give PATHS, a --catalogue of files, or both")
    with _reporting(debug):
        console = _report.console()
        spectra = _read(paths, catalogue, format=format_, on_error=on_error.value, n_jobs=n_jobs)
        _report.print_read(console, spectra)
        data = _training.prepare(
            spectra,
            labels=labels,
            reduce_labels=reduce_labels and reduce_labels.value,
            classes=classes and [name.strip() for name in classes.split(",")],
            min_class_size=folds if min_class_size is None else min_class_size,
            groups=groups,
            rest_frame=rest_frame,
            loglam_min=loglam_min,
            loglam_max=loglam_max,
            n_bins=n_bins,
        )
        _report.print_training_set(console, data)
        model = _models.make_model(recipe.value, data.grid, epochs=epochs, seed=seed)
        results = _cross_validate(
            console, model, data, name=recipe.value, folds=folds, seed=seed, n_jobs=n_jobs
        )
        with console.status(f"Fitting {recipe.value} to all {len(data.labels)} spectra"):
            _models.fit_in_one_thread(model, data.spectra, data.labels)
        info = {
            "recipe": recipe.value,
            "labels": labels,
            "reduce_labels": reduce_labels and reduce_labels.value,
            "rest_frame": rest_frame,
            "n_spectra": len(data.labels),
            "grouping": data.grouping,
            "seed": seed,
            "cross_validation": {name: result.summary() for name, result in results.items()},
        }
        skspec.save(model, out, info=info)
        console.print(f"\nFitted to all {len(data.labels)} spectra and saved as {escape(str(out))}.")
        _next(console, f"skspec predict {shlex.quote(str(out))} PATHS... --out classes.ecsv")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model that skspec fit has saved.", show_default=False)],
    paths: Paths,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Table to write: .ecsv, .csv, .fits or .parquet.", show_default="print"),
    ] = None,
    format_: Format = None,
    on_error: Unreadable = OnError.SKIP,
    n_jobs: Jobs = None,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Classify files: a table with class, probabilities and flags, one row a spectrum.

    Flags: unreadable, no_redshift, no_overlap (with the model's wavelengths) and failed leave the class empty;
    low_coverage (under 80 % of the wavelengths) and low_snr (under 5 per pixel) say to be careful.
    """
    _output(out, overwrite, tuple(_prediction.TABLE_FORMATS))
    with _reporting(debug):
        console = _report.console()
        info = skspec.read_info(model)
        if info["wave"] is None:
            raise ValueError(
                f"{model} does not know its wavelengths: it has no LogWaveResampler and was fitted on arrays"
            )
        classifier = skspec.load(model)
        if not hasattr(classifier, "classes_"):
            raise ValueError(f"{model} is no classifier")
        spectra = skspec.read_spectra(paths, format=format_, on_error=on_error.value, n_jobs=n_jobs)
        result = _prediction.classify(
            classifier,
            spectra,
            rest_frame=bool(info["info"].get("rest_frame", False)),
            skipped=spectra.meta.meta.get("skipped", []),
        )
        if out is None:
            _report.print_predictions(_report.console(wide=True), result)
            return
        _prediction.write_table(result, out)
        _report.print_prediction_summary(console, result)
        console.print(f"\n{len(result)} rows written to {escape(str(out))}.")


@app.command()
def formats(debug: Debug = False) -> None:
    """List the file formats, in the order in which they are tried."""
    with _reporting(debug):
        from skspec.io import available_formats  # noqa: PLC0415

        console = _report.console()
        console.print(
            _report.table(
                "Formats, recognised by content",
                ("format", "what it is"),
                available_formats(),
                text=("format", "what it is"),
            )
        )


def _read(paths: list[str] | None, catalogue: Path | None, **options: Any) -> Spectra:
    """Read the spectra, with the columns of the catalogue."""
    if catalogue is None:
        return skspec.read_spectra(paths, **options)
    table = _read_table(catalogue)
    if not paths:
        column = next((name for name in ("file", "path", "filename") if name in table.colnames), None)
        if column is None:
            raise ValueError(f"{catalogue} has no column file, path or filename; give PATHS too")
        paths = [str(catalogue.parent / str(name)) for name in table[column]]
    spectra = skspec.read_spectra(paths, **options)
    return _training.join_catalogue(spectra, table)


def _read_table(path: Path) -> Table:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return Table.read(path, format=_prediction.TABLE_FORMATS.get(path.suffix, "ascii"))
    except Exception as error:  # each of astropy's readers fails in its own way
        raise ValueError(f"{path} cannot be read as a table: {error}") from error


def _cross_validate(
    console: Any,
    model: Any,
    data: _training.TrainingSet,
    *,
    name: str,
    folds: int,
    seed: int,
    n_jobs: int | None,
) -> dict[str, _models.CrossValidation]:
    """Cross-validate a model beside the random forest, and print the outcome."""
    models = {name: model, "random forest": _models.make_baseline(data.grid, seed=seed, n_jobs=n_jobs)}
    with _report.progress(console) as bar:
        task = bar.add_task("Cross-validating", total=folds * len(models))
        results = _models.cross_validate(
            models,
            data.spectra,
            data.labels,
            data.groups,
            folds=folds,
            seed=seed,
            on_fit=lambda: bar.advance(task),
        )
    _report.print_scores(console, results, folds)
    _report.print_classes(console, results)
    return results


def _next(console: Any, *commands: str) -> None:
    console.print("\nNext:")
    for command in commands:
        console.print(f"  {escape(command)}")
