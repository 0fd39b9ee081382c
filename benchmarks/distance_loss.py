"""Effect of the distance-aware loss on the classification of real stars into joint MK classes.

Command: ``python -m benchmarks.distance_loss [--quick]``

Data are the stars of the MILES library whose joint class of temperature and luminosity has at least 10 members. The
default `Conv1DClassifier` is evaluated by stratified 5-fold cross-validation with three seeds (--quick: one) and several
values of ``distance_weight`` (alpha); 0 is cross-entropy. Scores are computed from the predictions of all folds and seeds
together. Intervals and paired tests resample stars (1,000 times), so that all seeds of a star are resampled together. All
scores except F1 weight classes equally.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from benchmarks._harness import machine
from benchmarks._real_star_data import miles, onto
from skspec import Conv1DClassifier, LogWaveResampler
from skspec.metrics import bootstrap_difference, bootstrap_interval
from skspec.mk import joint_class, mk_coordinates

ALPHAS = (0.0, 0.5, 0.75)
SCORES = {
    "F1": ("f1_macro", {}),
    "MAE": ("joint_mae", {"class_weight": "balanced"}),
    "QWK (T)": ("joint_kappa", {"class_weight": "balanced"}),
    "QWK (L)": ("joint_kappa", {"class_weight": "balanced", "order": "luminosity"}),
}


def stars():
    """Return spectra on one grid and joint classes."""
    spectra, labels = miles()
    y = joint_class(labels["sptype"], ranges="first")
    names, counts = np.unique(y, return_counts=True)
    known = np.isin(y, names[(counts >= 10) & (names != "")])
    grid = LogWaveResampler(loglam_min=np.log10(3541), loglam_max=np.log10(7409), n_bins=1000)
    return onto(grid, spectra[known]), y[known]


def main(*, n_seeds):
    X, y = stars()
    print(machine("torch", "scikit-learn"))
    print(f"\n{len(y)} stars, {len(set(y))} joint classes, 5 folds, {n_seeds} seeds")
    truth, star = np.tile(y, n_seeds), np.tile(np.arange(len(y)), n_seeds)
    predictions = {}
    print(f"{'alpha':6}" + "".join(f"{name:25}" for name in SCORES) + "time per fit")
    for alpha in ALPHAS:
        model = Conv1DClassifier(loss="distance", class_coordinates=mk_coordinates, distance_weight=alpha)
        start = time.perf_counter()
        predictions[alpha] = np.concatenate(
            [
                cross_val_predict(
                    model.set_params(random_state=seed),
                    X,
                    y,
                    cv=StratifiedKFold(5, shuffle=True, random_state=seed),
                )
                for seed in range(n_seeds)
            ]
        )
        seconds = (time.perf_counter() - start) / 5 / n_seeds
        cells = [
            bootstrap_interval(truth, predictions[alpha], score, groups=star, random_state=0, **params)
            for score, params in SCORES.values()
        ]
        print(f"{alpha:<6}" + "".join(f"{cell!s:25}" for cell in cells) + f"{seconds:.1f} s", flush=True)
    print("\ndifference from alpha = 0, paired")
    for alpha in ALPHAS[1:]:
        for name, (score, params) in SCORES.items():
            result = bootstrap_difference(
                truth, predictions[alpha], predictions[0.0], score, groups=star, random_state=0, **params
            )
            print(f"{alpha:<6}{name:9}{result}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one seed")
    main(n_seeds=1 if parser.parse_args().quick else 3)
