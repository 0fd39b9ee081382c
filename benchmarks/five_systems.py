"""The five published systems, each from raw data to scores, on data of its kind.

Command: ``python -m benchmarks.five_systems [--quick] [--only NAME ...] [--folds N] [--full]``

Each recipe of `skspec.recipes` is trained and tested in a stratified cross-validation that keeps all spectra of an
object in one fold. Scores are computed from the predictions of all folds together, with 95 % intervals by the bootstrap
over objects; the seconds are the median over folds of a fit, samplers included. Nothing is tuned on the scores.

==================  =================================================================================================
system              data
==================  =================================================================================================
mk_joint            MILES, the joint classes with 10 stars or more; each star is one spectrum
lamost_rare_o       LAMOST spectra of types A to M, from their FITS files; there are no O stars among them, so that M, the
                    smallest class, is oversampled
galaxy10            Galaxy Zoo cutouts of 64 pixels, "spirals" and others, with unreliable labels
star_galaxy_qso     simulated survey on the grid of the contest; a fifth are repeated observations
boss_quasars        simulated BOSS survey of quasars, galaxies and stars from O to M; a fifth are repeated
==================  =================================================================================================

The published networks are for GPUs and tens of thousands of spectra. Here they are scaled to about two minutes of one
CPU core for each system, before any score was seen (`SCALED` below; the rest is the recipe). mk_joint has fewer
channels and hidden units and 40 epochs; lamost_rare_o 64 hidden units, 30 epochs and 300 steps of the generator;
galaxy10 takes the smallest network for 5 epochs; star_galaxy_qso a quarter of the channels; boss_quasars has 25 epochs
and is otherwise as published. All but star_galaxy_qso have batches of 32 and a higher, decreasing learning rate, since
there are too few steps with so few spectra. ``--full`` uses the recipes unchanged.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from benchmarks._harness import machine
from skspec import Spectra, make_spectra, read_spectra, recipes
from skspec.metrics import bootstrap_interval
from skspec.mk import joint_class, temperature_class

DATA = Path(os.environ.get("SKSPEC_DATA", "../shared/data"))
FEWEST = 10  # stars of a joint class
ANNEALED = {"schedule": "one-cycle", "batch_size": 32}
SCALED = {
    "mk_joint": (
        {"max_epochs": 40},
        {"filters": (8, 8, 16, 32, 16, 8, 8), "hidden": (128,), "lr": 1e-3, **ANNEALED},
    ),
    "lamost_rare_o": ({"max_epochs": 30, "max_steps": 300}, {"hidden": (64,), **ANNEALED}),
    "galaxy10": ({"network": "cnn", "max_epochs": 5}, {"lr": 1e-2, **ANNEALED}),
    "star_galaxy_qso": ({}, {"width": 16}),
    "boss_quasars": ({"max_epochs": 25}, {"lr": 2e-3, **ANNEALED}),
}


def needed(path):
    if not path.exists():
        sys.exit(
            f"{path} is needed; set SKSPEC_DATA to the folder that holds {path.relative_to(DATA).parts[0]}"
        )
    return path


def miles():
    with np.load(needed(DATA / "miles_v9.1" / "miles_v9.1.npz")) as file:
        y = joint_class(file["sptype"], ranges="first")
        spectra = Spectra(file["flux"], wave=file["wave"], medium="air", meta={"name": file["name"]})
    classes, counts = np.unique(y, return_counts=True)
    keep = np.isin(y, classes[(counts >= FEWEST) & (classes != "")])
    return spectra[keep], y[keep], np.asarray(spectra.meta["name"][keep])


def lamost():
    spectra = read_spectra(needed(DATA / "lamost_lrs" / "fits"))
    y = temperature_class(np.asarray(spectra.meta["subclass"]).astype(str))
    keep = np.isin(y, list("AFGKM")) & (np.asarray(spectra.meta["class"]).astype(str) == "STAR")
    return spectra[keep], y[keep], spectra[keep].sky_groups()


def galaxies():
    with np.load(needed(DATA / "galaxy_zoo2_spiral" / "galaxy_zoo2_spiral.npz")) as file:
        images, y, groups = file["image"], file["label"], file["galaxy_id"]
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1), y, groups


def contest(n=600):
    spectra = make_spectra(n, wave=np.linspace(3800.0, 8998.0, 2600), resolution=1800.0, random_state=0)
    return spectra, np.asarray(spectra.meta["class"]).astype(str), np.asarray(spectra.meta["object"])


def boss(n=1200):
    kinds = ("QSO", "GALAXY", *"OBAFGKM")
    spectra = make_spectra(n, classes=kinds, weights=[4, 2, 1, 1, 1, 2, 2, 2, 1], random_state=0)
    kind, star = np.asarray(spectra.meta["class"]), np.asarray(spectra.meta["spectral_class"])
    return spectra, np.where(kind == "STAR", star, kind).astype(str), np.asarray(spectra.meta["object"])


LOADERS = {
    "mk_joint": miles,
    "lamost_rare_o": lamost,
    "galaxy10": galaxies,
    "star_galaxy_qso": contest,
    "boss_quasars": boss,
}


def make(name, *, full=False, quick=False):
    """Return the pipeline of a system: as published, scaled, or minimal (`quick`)."""
    params, of_classifier = ({}, {}) if full else SCALED[name]
    params = {"random_state": 0, **params, **({"max_epochs": 1} if quick else {})}
    if name == "star_galaxy_qso":
        params["prepared"] = True
    if quick and "max_steps" in params:
        params["max_steps"] = 5
    model = getattr(recipes, name)(**params)
    model[-1].set_params(**of_classifier)
    return model


def few(y, groups, n_per_class):
    """Rows of some objects of the larger classes."""
    classes, counts = np.unique(y, return_counts=True)
    rows = []
    for label in classes[np.argsort(-counts)][:3]:
        own = np.flatnonzero(y == label)
        rows.append(own[np.isin(groups[own], np.unique(groups[own])[:n_per_class])])
    return np.sort(np.concatenate(rows))


def cross_validate(model, X, y, groups, n_folds):
    predicted, seconds = np.empty_like(y), []
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    for train, test in folds.split(np.empty(len(y)), y, groups):
        start = time.perf_counter()
        fitted = clone(model).fit(X[train], y[train])
        seconds.append(time.perf_counter() - start)
        predicted[test] = fitted.predict(X[test])
    return predicted, np.median(seconds)


def main(names, *, n_folds=3, quick=False, full=False):
    print(machine("torch", "scikit-learn"))
    print(f"\n{n_folds} folds, grouped by object{', one epoch on a few spectra' if quick else ''}\n")
    print(
        f"{'':16} {'spectra':>7} {'objects':>7} {'classes':>7} {'accuracy':>22} {'macro-F1':>22} {'fit, s':>7}"
    )
    for name in names:
        X, y, groups = LOADERS[name]()
        if quick:
            rows = few(y, groups, 12)
            X, y, groups = X[rows], y[rows], groups[rows]
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            predicted, seconds = cross_validate(make(name, full=full, quick=quick), X, y, groups, n_folds)
        scores = [
            str(bootstrap_interval(y, predicted, score, groups=groups, random_state=0))
            for score in ("accuracy", "f1_macro")
        ]
        sizes = f"{len(y):7} {len(np.unique(groups)):7} {len(np.unique(y)):7}"
        print(f"{name:16} {sizes} {scores[0]:>22} {scores[1]:>22} {seconds:7.1f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(LOADERS), default=list(LOADERS), metavar="NAME")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one epoch on a few spectra")
    parser.add_argument("--full", action="store_true", help="the recipes as published")
    arguments = parser.parse_args()
    main(arguments.only, n_folds=arguments.folds, quick=arguments.quick, full=arguments.full)
