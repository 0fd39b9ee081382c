"""Classification of real stars: published networks, trees, kernels and rockets compared with the recipe of skspec.

Command: ``python -m benchmarks.real_stars [--tasks NAME ...] [--only NAME ...] [--repeats N] [--rocket PYTHON]
[--keep FOLDER] [--csv FILE]``

=============  ======================================================================================================
task           data and labels
=============  ======================================================================================================
class          906 stars of MILES: spectral class, B to M
luminosity     722 stars: luminosity class I (with II), III, IV, V
joint          658 stars: both together, the 18 joint classes with 10 stars or more
spectral-code  the number of the spectral type (10 for a class, 1 for a subtype): mean absolute error
observed       simulated survey observations, eight of each of the 906 stars (`skspec.datasets.observe_spectra`): median
               S/N 3 to 20 per pixel of 1e-4 dex, velocities within 300 km/s, E(B-V) up to 1, R = 1800, 5 % missing pixels
lamost         284 LAMOST spectra of A F G K M stars; stars observed twice stay together
=============  ======================================================================================================

All models use the same spectra (log-linear bins, divided by their median), the same observations, and the same five
folds, repeated with another seed; all spectra of a star are in one fold. Further preprocessing is part of a model:
"lines" is the ratio to the running median; "PCA" is 50 components of flux and lines; rockets use flux and lines as
two channels; the published networks use their published preprocessing, with fewer channels and epochs than published,
so that they can be trained on two cores: see `benchmarks._real_star_models` for their sizes. MiniRocket and Hydra are
from the package aeon, which requires a separate environment: ``--rocket`` is its Python executable. The slowest,
Hydra, ConvTran and ConvKAN, are not repeated.

The members of `skspec.recipes.recommended` were chosen for each task by cross-validation within the training stars of
the first fold of the first repeat, and not changed after test stars had been scored. "Held out" are the scores on the
test stars of that fold, which were not used for these choices (`benchmarks.miles` had scored single networks with
their defaults on all stars before). On LAMOST the recipe had been scored once with its 15 epochs, which are too few
for 227 spectra; 120 were then chosen on an equal number of training stars of observed MILES. Nothing else was chosen
on LAMOST.

Scores are computed from the predictions of all folds and repeats together. Intervals, and p-values of the difference
between skspec and another model, are from a bootstrap over stars, with all repeats and observations of a star together.
Times are the median of a fit on one thread. ``--keep`` stores predictions in a folder, so that an interrupted run can be
continued.
"""

import argparse
import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from benchmarks._harness import machine
from benchmarks._real_star_data import TASKS
from benchmarks._real_star_models import OURS, ROCKETS, contenders, cross_validate, rocket
from skspec.metrics import bootstrap_difference, bootstrap_interval

N_RESAMPLES = 999
ONCE = ("Hydra (aeon)", "ConvTran, scaled", "ConvKAN, scaled")
FAINT = 6.0  # S/N below which scores are printed separately


@dataclass
class Result:
    """Predictions of a model in all repeats, and the times of its fits in seconds."""

    predicted: list[np.ndarray]
    held_out: np.ndarray  # mask of the test rows of the first fold of the first repeat
    seconds: list[float]


def run(name, model, task, repeat, rocket_python):
    """Return out-of-fold predictions for all spectra, the folds, and the times of the fits."""
    fold = task.fold(repeat)
    if name in ROCKETS:
        predicted, seconds = rocket(rocket_python, name, task, fold)
    else:
        predicted, seconds = cross_validate(model, task.X, task.y, fold, n_threads=1)
    return predicted, fold, seconds


def results(key, task, *, names, repeats, rocket_python, folder):
    found = {}
    for name, model in contenders(task).items():
        if (names and name not in names) or (name in ROCKETS and rocket_python is None):
            continue
        result = Result([], np.zeros(0), [])
        for repeat in range(1 if name in ONCE else repeats):
            kept = folder / f"{key}-{repeat}-{name.replace(' ', '_')}.npz"
            if not kept.exists():
                predicted, fold, seconds = run(name, model, task, repeat, rocket_python)
                np.savez(kept, predicted=predicted, fold=fold, seconds=seconds)
            with np.load(kept) as file:
                result.predicted.append(file["predicted"])
                result.seconds.extend(file["seconds"])
                if repeat == 0:
                    result.held_out = file["fold"] == 0
        found[name] = result
    return found


def compare(task, found):
    """Print the table of a task, and return its rows."""
    n_stars = len(np.unique(task.star))
    print(f"\n{task.title}: {n_stars} stars, {len(task.y)} spectra, {task.X.shape[1]} bins")
    return (compare_codes if task.is_regression else compare_classes)(task, found)


def compare_classes(task, found):
    faint = None if task.snr is None else task.snr < FAINT
    extra = "" if faint is None else f" {f'S/N < {FAINT:g}':>8}"
    print(
        f"{'':26} {'accuracy':>20} {'macro-F1':>20} {'ours - this, accuracy':>22} {'ours - this, macro-F1':>22}{extra} "
        f"{'held out':>11} {'fit':>8}"
    )
    rows = []
    for name, result in found.items():
        n = len(result.predicted)
        y, star, predicted = np.tile(task.y, n), np.tile(task.star, n), np.concatenate(result.predicted)
        line, row = f"{name:26}", [task.title, name]
        for score in ("accuracy", "f1_macro"):
            interval = bootstrap_interval(
                y, predicted, score, groups=star, method="percentile", n_resamples=N_RESAMPLES, random_state=0
            )
            line += f" {interval!s:>20}"
            row.append(round(interval.score, 4))
        for score in ("accuracy", "f1_macro"):
            line += f" {difference_from_ours(task, found, name, score):>22}"
        if faint is not None:
            line += f" {accuracy_score(y[np.tile(faint, n)], predicted[np.tile(faint, n)]):8.3f}"
        truth, guess = task.y[result.held_out], result.predicted[0][result.held_out]
        line += f"  {accuracy_score(truth, guess):.3f}/{f1_score(truth, guess, average='macro'):.3f}"
        seconds = float(np.median(result.seconds))
        print(f"{line} {seconds:6.1f} s", flush=True)
        rows.append([*row, round(seconds, 2)])
    return rows


def difference_from_ours(task, found, name, score):
    """Format the difference between the scores of skspec and another model, and its p-value."""
    if name == OURS or OURS not in found:
        return ""
    n = min(len(found[name].predicted), len(found[OURS].predicted))
    ours, other = (np.concatenate(found[which].predicted[:n]) for which in (OURS, name))
    y, star = np.tile(task.y, n), np.tile(task.star, n)
    difference = bootstrap_difference(
        y, ours, other, score, groups=star, method="percentile", n_resamples=N_RESAMPLES,
        random_state=0,
    )  # fmt: skip
    return f"{difference.score:+.3f}, p = {difference.pvalue:.3f}"


def compare_codes(task, found):
    """Print mean absolute errors in subtypes, with a bootstrap over stars."""
    print(f"{'':26} {'mean error':>20} {'median':>7} {'ours - this':>24} {'held out':>8} {'fit':>8}")
    rows = []
    errors = {
        name: np.mean([abs(one - task.y) for one in result.predicted], axis=0)
        for name, result in found.items()
    }
    draws = np.random.default_rng(0).integers(len(task.y), size=(N_RESAMPLES, len(task.y)))
    for name, result in found.items():
        low, high = np.quantile(errors[name][draws].mean(axis=1), [0.025, 0.975])
        less = ""
        if name != OURS and OURS in errors:
            gap = errors[OURS] - errors[name]
            spread = gap[draws].mean(axis=1) - gap.mean()
            p = (1 + np.count_nonzero(abs(spread) >= abs(gap.mean()))) / (N_RESAMPLES + 1)
            less = f"{gap.mean():+.3f}, p = {p:.3f}"
        held_out = abs(result.predicted[0] - task.y)[result.held_out].mean()
        seconds = float(np.median(result.seconds))
        print(
            f"{name:26} {f'{errors[name].mean():.3f} [{low:.3f}, {high:.3f}]':>20} {np.median(errors[name]):7.2f} "
            f"{less:>24} {held_out:8.3f} {seconds:6.1f} s",
            flush=True,
        )
        rows.append([task.title, name, round(float(errors[name].mean()), 4), "", round(seconds, 2)])
    return rows


def main(keys, *, only=(), repeats=2, rocket_python=None, keep=None, table=None):
    print(machine("torch", "scikit-learn"))
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for key in keys:
            task = TASKS[key]()
            found = results(
                key, task, names=only, repeats=repeats, rocket_python=rocket_python, folder=folder
            )
            rows += compare(task, found)
    if table is not None:
        with open(table, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["task", "contender", "accuracy", "macro_f1", "seconds"])
            writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="models")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument(
        "--rocket", metavar="PYTHON", help="Python executable of an environment with aeon and torch"
    )
    parser.add_argument("--keep", metavar="FOLDER", help="store predictions there, and use those that exist")
    parser.add_argument("--csv", metavar="FILE", help="write scores and times there")
    arguments = parser.parse_args()
    main(
        arguments.tasks,
        only=arguments.only,
        repeats=arguments.repeats,
        rocket_python=arguments.rocket,
        keep=arguments.keep,
        table=arguments.csv,
    )
