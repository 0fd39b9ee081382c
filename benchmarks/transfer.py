"""Transfer between instruments without retraining: trained on MILES, tested on LAMOST and on SDSS star templates.

Command: ``python -m benchmarks.transfer [--development] [--only NAME ...]``

Models are trained on the stars of MILES of the tested classes, without those that are among the templates (by their HD
numbers). MILES is matched to a resolving power of 1800 where its own is higher, and all spectra are resampled onto 800
logarithmic bins from 3706 to 7394 Å. "Copies" are trained on eight simulated observations of each star
(`skspec.datasets.observe_spectra`: S/N 5 to 100 per pixel of 1e-4 dex, velocities within 300 km/s, E(B-V) up to 1, 5 %
missing pixels); all others on the library itself. Forests use only lines (the ratio to the running median), the support
vector machine flux and lines.

The ensemble is ``recommended("class", observed="elsewhere")``. Its members were chosen on other transfers, which
``--development`` prints: from MILES to the MK standards of MKCLASS (with and without noise), to the library of Pickles
and to the spectra from which it was made, and from each of these three to MILES. It is the third ensemble that was scored
on LAMOST and the templates. The first was the recipe for surveys, trained on the copies (accuracy 0.68 and 0.82); the
second had members on lines only (0.73 and 0.85).

The tests are 284 LAMOST spectra of A F G K M stars (labels of its pipeline), and the 114 templates of B to M stars of the
SDSS pipeline. Intervals are 95 %, from a bootstrap over stars.
"""

import argparse
import time

from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from benchmarks._harness import machine
from benchmarks._real_star_models import OURS, both, lines
from benchmarks._transfers import COPIES, development, transfers
from skspec.metrics import bootstrap_difference, bootstrap_interval
from skspec.recipes import recommended


def models(n_bins):
    """Return the unfitted models by name."""
    window = n_bins // 10
    return {
        "random forest": make_pipeline(lines(window), RandomForestClassifier(300, random_state=0)),
        "PCA + SVM": make_pipeline(both(window), StandardScaler(), PCA(50, random_state=0), SVC(C=10.0)),
        OURS: recommended("class", observed="elsewhere", n_bins=n_bins, prepared=True, random_state=0),
    }


def compare(transfer, only):
    """Train and test all models, and print their scores."""
    predicted, seconds = {}, {}
    for name, model in models(transfer.X.shape[1]).items():
        for how, (X, y) in transfer.training.items():
            if name + how == OURS + COPIES or (only and name + how not in only):
                continue
            start = time.perf_counter()
            with threadpool_limits(1):
                predicted[name + how] = clone(model).fit(X, y).predict(transfer.X)
            seconds[name + how] = time.perf_counter() - start
    print(f"\n{transfer.title}: {len(transfer.X)} spectra")
    print(f"{'':30} {'accuracy':>22} {'macro-F1':>22} {'ours - this, accuracy':>24} {'fit':>8}")
    options = {"groups": transfer.star, "method": "percentile", "n_resamples": 999, "random_state": 0}
    for name, found in predicted.items():
        scores = [
            bootstrap_interval(transfer.y, found, score, **options) for score in ("accuracy", "f1_macro")
        ]
        less = ""
        if name != OURS and OURS in predicted:
            gap = bootstrap_difference(transfer.y, predicted[OURS], found, "accuracy", **options)
            less = f"{gap.score:+.3f}, p = {gap.pvalue:.3f}"
        print(f"{name:30} {scores[0]!s:>22} {scores[1]!s:>22} {less:>24} {seconds[name]:6.1f} s", flush=True)


def main(*, only=(), chosen_on=False):
    print(machine("torch", "scikit-learn"))
    for transfer in development() if chosen_on else transfers():
        compare(transfer, only)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--development", action="store_true", help="use the transfers on which members were chosen"
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="models")
    arguments = parser.parse_args()
    main(only=arguments.only, chosen_on=arguments.development)
