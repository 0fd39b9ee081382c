"""Methods for rare classes: a simulated survey and MILES with one class reduced to a few spectra.

Command: ``python -m benchmarks.oversampling [--quick] [--data survey miles] [--rare 20 50 120] [--only NAME ...]``

The survey has 1200 spectra of stars of types O to M with S/N 5 to 30, mostly F and G, a fifth of them repeat
observations; its rare class is O. In MILES (906 stars, B to M) it is K, which is large enough to be reduced to 120.
Spectra are on 400 logarithmic bins, divided by their median. Folds are stratified and grouped by star, and repeated
with other seeds. In the training set of each fold, and only there, the rare class is reduced to the given number of
spectra; samplers are fitted to that set, and resample the class to the size of the largest. All contenders have the
same folds, spectra and classifier (`Conv1DClassifier` with its defaults). Nothing is tuned on these
scores; the defaults of the GAN were chosen by the quality of generated spectra, K stars of MILES among them.

Scores are computed from the predictions of all test folds together, with 95 % intervals by the bootstrap over stars:
recall and F1 of the rare class, macro-F1. The calibration error is that of the most probable class (10 bins of equal
size). The time is the median of a whole fit, classifier included. The published dense GAN is trained on as many spectra
as published (800 steps of 32 for 8000 of 3), with both its bugs fixed. "GAN, untrained" is `GANOversampler` after one
step: the smoothed bootstrap in principal components with which it starts.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks._harness import machine
from benchmarks._real_star_data import library
from skspec import (
    Conv1DClassifier,
    FluxNormalizer,
    GANOversampler,
    LogWaveResampler,
    NoiseOversampler,
    make_spectra,
)
from skspec.metrics import bootstrap_difference, bootstrap_interval

N_BINS = 400
N_RESAMPLES = 400
OURS, WEIGHTS, START = "GAN", "class weights", "GAN, untrained"


def survey(n=1200):
    spectra = make_spectra(n, classes="OBAFGKM", weights=[165, 60, 150, 250, 250, 200, 125], random_state=0)
    X = make_pipeline(LogWaveResampler(n_bins=N_BINS, missing="interpolate"), FluxNormalizer()).fit_transform(
        spectra
    )
    return X, np.asarray(spectra.meta["spectral_class"]), np.asarray(spectra.meta["object"]), "O"


def miles():
    task = library("class", n_bins=N_BINS)
    return task.X, task.y, task.star, "K"


class UpToLargest:
    """Sampling strategy: the rare class is resampled to the size of the largest, the others are unchanged."""

    def __init__(self, rare):
        self.rare = rare

    def __call__(self, y):
        return {self.rare: int(np.unique(y, return_counts=True)[1].max())}


def contenders(rare) -> dict[str, Callable[[int], Any]]:
    up = {"sampling_strategy": UpToLargest(rare)}

    def after(sampler, **params):
        return lambda seed: make_pipeline(sampler(random_state=seed, **up, **params), classifier(seed))

    def classifier(seed, **params):
        return Conv1DClassifier(random_state=seed, **params)

    published = {"network": "dense", "latent_dim": 900, "loss": "logistic", "lr": 1e-4, "max_steps": 800}
    return {
        "no treatment": classifier,
        WEIGHTS: lambda seed: classifier(seed, class_weight="balanced"),
        "random oversampling": after(RandomOverSampler),
        "SMOTE": after(SMOTE),
        "noise": after(NoiseOversampler),
        "published dense GAN": after(GANOversampler, n_iter_no_change=None, **published),
        START: after(GANOversampler, max_steps=1),
        OURS: after(GANOversampler),
    }


def cut(train, y, rare, n, seed):
    """Return rows of a training set with at most `n` of the rare class."""
    own = train[y[train] == rare]
    kept = np.random.default_rng(seed).permutation(own)[:n]
    return np.sort(np.concatenate([train[y[train] != rare], kept]))


def calibration_error(y, classes, proba, n_bins=10):
    """Return the mean absolute difference of confidence and accuracy over bins of equal size."""
    confidence, right = proba.max(axis=1), classes[proba.argmax(axis=1)] == y
    bins = np.array_split(np.argsort(confidence), n_bins)
    return sum(len(b) * abs(confidence[b].mean() - right[b].mean()) for b in bins) / len(y)


def compare(name, load, n_rare, *, n_folds, n_repeats, only):
    X, y, groups, rare = load()
    folds = [
        (repeat, train, test)
        for repeat in range(n_repeats)
        for train, test in StratifiedGroupKFold(n_folds, shuffle=True, random_state=repeat).split(
            X, y, groups
        )
    ]
    print(f"\n{name}: {rare} reduced to {n_rare} spectra in training, {(y == rare).sum()} in test; ", end="")
    print(f"{n_folds} folds, {n_repeats} times")
    print(
        f"{'':20} {'recall of ' + rare:>22} {'F1 of ' + rare:>22} {'macro-F1':>22} {'cal. error':>10} {'fit':>8}"
    )
    truth = np.concatenate([y[test] for _, _, test in folds])
    star = np.concatenate([groups[test] for _, _, test in folds])
    found = {}
    scores = {
        "recall": lambda a, b: recall_score(a, b, labels=[rare], average="macro", zero_division=0),
        "F1": lambda a, b: f1_score(a, b, labels=[rare], average="macro", zero_division=0),
        "macro-F1": "f1_macro",
    }
    for contender, make in contenders(rare).items():
        if contender not in only:
            continue
        proba, seconds = [], []
        for seed, (_, train, test) in enumerate(folds):
            rows = cut(train, y, rare, n_rare, seed)
            start = time.perf_counter()
            model = make(seed).fit(X[rows], y[rows])
            seconds.append(time.perf_counter() - start)
            proba.append(model.predict_proba(X[test]))
        probabilities = np.concatenate(proba)
        found[contender] = model.classes_[probabilities.argmax(axis=1)]
        results = [
            bootstrap_interval(
                truth,
                found[contender],
                score,
                groups=star,
                method="percentile",
                n_resamples=N_RESAMPLES,
                random_state=0,
            )
            for score in scores.values()
        ]
        error = calibration_error(truth, model.classes_, probabilities)
        texts = " ".join(f"{result!s:>22}" for result in results)
        print(f"{contender:20} {texts} {error:10.3f} {np.median(seconds):6.1f} s", flush=True)
    for other in (WEIGHTS, START):
        for score in ("F1", "macro-F1") if {OURS, other} <= found.keys() else ():
            difference = bootstrap_difference(
                truth, found[OURS], found[other], scores[score], groups=star, method="percentile",
                n_resamples=N_RESAMPLES, random_state=0,
            )  # fmt: skip
            print(f"{OURS} minus {other}, {score}: {difference}")


def main(data, rare, *, n_folds=4, n_repeats=2, only=()):
    print(machine("torch", "scikit-learn", "imbalanced-learn"))
    for name in data:
        for n_rare in rare:
            compare(name, LOADERS[name], n_rare, n_folds=n_folds, n_repeats=n_repeats, only=only)


LOADERS = {"survey": survey, "miles": miles}
NAMES = list(contenders("O"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the survey, 20 spectra, two folds, once")
    parser.add_argument("--data", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--rare", nargs="+", type=int, default=[20, 50, 120])
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    arguments = parser.parse_args()
    if arguments.quick:
        main(["survey"], [20], n_folds=2, n_repeats=1, only=arguments.only)
    else:
        main(
            arguments.data,
            arguments.rare,
            n_folds=arguments.folds,
            n_repeats=arguments.repeats,
            only=arguments.only,
        )
