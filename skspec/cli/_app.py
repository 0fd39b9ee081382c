"""Commands and their options."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from typer import Argument, Option

import skspec
from skspec.cli import _catalogue, _report
from skspec.cli._options import (
    Debug,
    Epochs,
    FileFormat,
    Folds,
    Jobs,
    OnError,
    Overwrite,
    Paths,
    Recursive,
    Seed,
    Unreadable,
    check_output,
    check_paths,
    reporting,
    split_names,
)
from skspec.io import available_formats
from skspec.io.meta import TABLE_FORMATS, read_with_catalogue, write_table
from skspec.model_selection import (
    LABEL_REDUCTIONS,
    CrossValidation,
    PreparedSpectra,
    compare_models,
    fit_in_one_thread,
    prepare_spectra,
)
from skspec.prediction import classify_files
from skspec.recipes import FIT_RECIPES, PUBLISHED_SYSTEMS, make_baseline
from skspec.recipes import reproduce as reproduce_system

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


# mypy cannot infer the members, which are read from the package
Recipe = StrEnum("Recipe", {name: name.replace("_", "-") for name in FIT_RECIPES})  # type: ignore[misc]
System = StrEnum("System", {name: name.replace("_", "-") for name in PUBLISHED_SYSTEMS})  # type: ignore[misc]
Reduction = StrEnum("Reduction", {name: name for name in LABEL_REDUCTIONS})  # type: ignore[misc]
_MAX_BINS = 100_000  # a thousand spectra take 400 MB
_CONV1D = Recipe("conv1d")
_NETWORKS = "; ".join(
    f"{name.replace('_', '-')}: {', '.join(system.networks)}"
    for name, system in PUBLISHED_SYSTEMS.items()
    if system.networks
)


def _version(value: bool) -> None:
    if value:
        print(f"skspec {skspec.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Classify astronomical spectra: from survey files to a cross-validated classifier."""


@app.command()
def demo(
    *,
    n_spectra: Annotated[int, Option(min=50, help="Number of spectra to simulate.")] = 800,
    folds: Folds = 5,
    epochs: Annotated[int, Option(min=1, help="Number of epochs.")] = 20,
    n_jobs: Jobs = None,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Simulate a survey and cross-validate a classifier on it, in about a minute. Nothing is downloaded."""
    with reporting(debug):
        console = _report.console()
        console.print(
            f"Simulating {n_spectra} spectra of a survey: stars of types A to M, galaxies and quasars, with noise, dust, "
            "missing pixels and repeated observations."
        )
        spectra = skspec.make_spectra(
            n_spectra, classes=("A", "F", "G", "K", "M", "GALAXY", "QSO"), random_state=seed
        )
        kind, star = spectra.meta["class"], spectra.meta["spectral_class"]
        spectra.meta["type"] = np.where(kind == "STAR", star, kind)
        data = prepare_spectra(spectra, labels="type", min_class_size=folds)
        _report.print_prepared(console, data)
        console.print(
            "\nTraining Conv1DClassifier (a convolutional network) and, for comparison, a random forest on the same "
            f"{folds} folds. Spectra of the same object are in one fold."
        )
        model = FIT_RECIPES["conv1d"].make(data.grid, epochs=epochs, seed=seed)
        _cross_validate(console, model, data, name="conv1d", folds=folds, seed=seed, n_jobs=n_jobs)
        _next(
            console,
            "skspec formats                                                   # list the file formats",
            "skspec fit 'night1/*.fits' --labels class --out model.skspec     # train on your own files",
            "skspec predict model.skspec 'night2/*.fits' --out classes.ecsv   # classify others",
        )


@app.command()
def fit(
    paths: Annotated[
        list[str] | None,
        Argument(
            help="Files, folders, patterns in quotes, or @list.",
            show_default="those of --catalogue",
            callback=check_paths,
        ),
    ] = None,
    *,
    labels: Annotated[str, Option(help="Column with the classes, of the files or of --catalogue.")] = "class",
    reduce_labels: Annotated[
        Reduction | None,
        Option(help="Reduce types such as dM2 and A7III: mk-class to M and A, mk-joint to MV and AIII."),
    ] = None,
    catalogue: Annotated[
        Path | None, Option(help="Table with labels; its column file or object identifies the spectra.")
    ] = None,
    classes: Annotated[str | None, Option(help="Classes to keep, such as A,F,G.", show_default="all")] = None,
    min_class_size: Annotated[
        int | None,
        Option(min=1, help="Leave out smaller classes.", show_default="number of folds, 10 for recommended"),
    ] = None,
    groups: Annotated[
        str, Option(help="How to identify spectra of the same object: sky (position), a column, or none.")
    ] = "sky",
    folds: Folds = 5,
    recipe: Annotated[Recipe, Option(help="Pipeline to train.")] = _CONV1D,
    rest_frame: Annotated[
        bool, Option("--rest-frame", help="Shift spectra to the rest frame (divide wavelengths by 1 + z).")
    ] = False,
    loglam_min: Annotated[
        float | None, Option(help="Log10 of the blue end of the grid in Å.", show_default="from the data")
    ] = None,
    loglam_max: Annotated[
        float | None, Option(help="Log10 of the red end of the grid in Å.", show_default="from the data")
    ] = None,
    n_bins: Annotated[
        int | None,
        Option(min=1, max=_MAX_BINS, help="Number of wavelength bins.", show_default="from the data"),
    ] = None,
    epochs: Epochs = None,
    format_: FileFormat = None,
    recursive: Recursive = True,
    on_error: Unreadable = OnError.SKIP,
    n_jobs: Jobs = None,
    seed: Seed = 0,
    out: Annotated[Path, Option(help="Model file to write.")] = Path("model.skspec"),
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Train a classifier on survey files: cross-validate it and a random forest, then save it.

    Spectra of the same object are kept in one fold, so that the scores are those for new objects.
    """
    check_output(out, overwrite, (".skspec",), catalogue=catalogue, spectra=paths)
    if not paths and catalogue is None:
        raise typer.BadParameter("PATHS, a --catalogue of files, or both are needed")
    names = None if classes is None else split_names(classes)
    chosen = FIT_RECIPES[recipe.name]
    grid: dict[str, Any] = {"loglam_min": loglam_min, "loglam_max": loglam_max, "n_bins": n_bins}
    if chosen.grid:
        if any(value is not None for value in grid.values()):
            raise typer.BadParameter(f"--loglam-min, --loglam-max, --n-bins: {recipe.value} has its own grid")
        grid = chosen.grid.params
    with reporting(debug):
        console = _report.console()
        spectra = read_with_catalogue(
            paths, catalogue, format=format_, recursive=recursive, on_error=on_error.value, n_jobs=n_jobs
        )
        if not paths:  # those of the catalogue
            check_output(out, overwrite, (".skspec",), spectra=list(spectra.meta["file"]))
        _report.print_read(console, spectra)
        data = prepare_spectra(
            spectra,
            labels=labels,
            reduce_labels=reduce_labels and reduce_labels.value,
            classes=names,
            min_class_size=min_class_size or max(folds, chosen.min_class_size),
            groups=groups,
            rest_frame=rest_frame,
            **grid,
        )
        _report.print_prepared(console, data)
        chosen.check_size(len(data.labels), folds)
        model = chosen.make(data.grid, epochs=epochs, seed=seed)
        results = _cross_validate(
            console, model, data, name=recipe.value, folds=folds, seed=seed, n_jobs=n_jobs
        )
        with console.status(f"Fitting {recipe.value} to all {len(data.labels)} spectra"):
            fit_in_one_thread(model, data.spectra, data.labels)
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
    model: Annotated[Path, Argument(help="Model file saved by skspec fit.", show_default=False)],
    paths: Paths,
    *,
    out: Annotated[
        Path | None, Option(help="Table to write: .ecsv, .csv, .fits or .parquet.", show_default="print")
    ] = None,
    format_: FileFormat = None,
    recursive: Recursive = True,
    on_error: Unreadable = OnError.SKIP,
    n_jobs: Jobs = None,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Classify the spectra in files: print or write a table of classes, probabilities and flags.

    Spectra with the flags unreadable, no_redshift, no_overlap (with the model's wavelengths), no_signal (the same flux in
    all pixels) and failed have no class. The classes of spectra with the flags low_coverage (below 80 % of the
    wavelengths) and low_snr (below 5 per pixel) are less certain.
    """
    check_output(out, overwrite, tuple(TABLE_FORMATS), model=model, spectra=paths)
    with reporting(debug):
        console = _report.console()
        info = skspec.read_info(model)
        if info["wave"] is None:
            raise ValueError(f"{model} has no wavelengths: it was fitted on arrays, without LogWaveResampler")
        classifier = skspec.load(model)
        if not hasattr(classifier, "classes_"):
            raise ValueError(f"{model} is not a classifier")
        result = classify_files(
            classifier,
            paths,
            rest_frame=bool(info["info"].get("rest_frame", False)),
            format=format_,
            recursive=recursive,
            on_error=on_error.value,
            n_jobs=n_jobs,
        )
        if out is None:
            _report.print_predictions(_report.console(wide=True), result)
            return
        write_table(result, out)
        _report.print_prediction_summary(console, result)
        console.print(f"\n{len(result)} rows written to {escape(str(out))}.")


@app.command()
def reproduce(
    context: typer.Context,
    system: Annotated[System, Argument(help="Published system.", show_default=False)],
    *,
    data: Annotated[
        Path, Option(help="Published data file, a folder of spectra, or the folder mk_predictions.")
    ],
    network: Annotated[str | None, Option(help=f"{_NETWORKS}.", show_default="the recipe's")] = None,
    labels: Annotated[
        str | None, Option(help="Column with the classes.", show_default="the file's own")
    ] = None,
    folds: Folds = 5,
    epochs: Epochs = None,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Retrain a published system, and print its published scores and ours.

    The published tests split spectra at random, so that an object can be in both the training and the test set. If
    positions or names identify objects, a cross-validation that keeps the spectra of an object together is printed too.
    """
    with reporting(debug):
        console, published = _report.console(), PUBLISHED_SYSTEMS[system.name]
        if (score_predictions := published.find_predictions(data)) is not None:
            for option in ("network", "labels", "folds", "epochs", "seed"):
                if (source := context.get_parameter_source(option)) and source.name != "DEFAULT":
                    raise typer.BadParameter(f"--{option} is for training, but {data} holds predictions")
            _report.print_scored_predictions(console, published, score_predictions())
            return
        if not data.exists():
            raise FileNotFoundError(f"{data}: no such file or folder")
        tested = published.load(data, labels=labels)
        _report.print_system_data(console, tested)
        with _report.progress(console) as bar:
            task = bar.add_task("Training", total=1 + (folds if tested.groups is not None else 0))
            result = reproduce_system(
                published,
                tested,
                network=network,
                folds=folds,
                epochs=epochs,
                seed=seed,
                on_fit=lambda: bar.advance(task),
            )
        _report.print_reproduction(console, result)


app.command()(_catalogue.catalogue)


@app.command()
def formats(debug: Debug = False) -> None:
    """List the file formats, in the order in which they are tried."""
    with reporting(debug):
        console = _report.console()
        columns = ("format", "description")
        title = "Formats, recognised by content"
        console.print(_report.table(title, columns, available_formats(), text=columns))


def _cross_validate(
    console: Any,
    model: Any,
    data: PreparedSpectra,
    *,
    name: str,
    folds: int,
    seed: int,
    n_jobs: int | None,
) -> dict[str, CrossValidation]:
    """Cross-validate a model and the random forest, and print their scores."""
    models = {name: model, "random forest": make_baseline(data.grid, seed=seed, n_jobs=n_jobs)}
    with _report.progress(console) as bar:
        task = bar.add_task("Cross-validating", total=folds * len(models))
        results = compare_models(
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
