"""All network families on the 906 stars of types B to M in the MILES library, compared with standard classifiers.

Command: ``python -m benchmarks.miles [--only NAME ...] [--folds N] [--rocket PYTHON]``

All models use the same stars (one spectrum each) and stratified folds, on vacuum wavelengths and 1,000 logarithmic bins
from 3541 to 7409 Å, divided by the median. The networks have the defaults of skspec; a few of these (see
docs/benchmarks.md) were chosen on one of the folds. Scores are computed from the predictions of all test folds together;
the error of the accuracy is binomial. MiniRocket is from the package aeon, which requires a separate environment:
``--rocket`` is its Python executable.
"""

import argparse

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import _rockets
from benchmarks._harness import machine
from benchmarks._real_star_data import library
from benchmarks._real_star_models import cross_validate
from skspec import (
    Conv1DClassifier,
    ConvKANClassifier,
    ConvTranClassifier,
    PlainCNNClassifier,
    ResNet1DClassifier,
)

MODELS = {
    "1-nearest neighbour": KNeighborsClassifier(1),
    "PCA + logistic regression": make_pipeline(
        StandardScaler(), PCA(30, random_state=0), LogisticRegression(max_iter=5000)
    ),
    "random forest": RandomForestClassifier(500, n_jobs=-1, random_state=0),
    "Conv1DClassifier": Conv1DClassifier(random_state=0),
    "PlainCNNClassifier": PlainCNNClassifier(random_state=0),
    "ResNet1DClassifier": ResNet1DClassifier(random_state=0),
    "ConvTranClassifier": ConvTranClassifier(random_state=0),
    "ConvKANClassifier": ConvKANClassifier(random_state=0),
}
ROCKET = "MiniRocket + ridge (aeon)"


def main(names, *, n_folds=5, rocket_python=None):
    task = library("class")
    X, y, fold = task.X, task.y, task.fold(0, n_folds)
    print(machine("torch", "scikit-learn"))
    print(f"\n{len(y)} stars, {X.shape[1]} bins, classes B A F G K M, {n_folds} folds")
    print(f"{'':26} {'accuracy':>13} {'macro-F1':>9} {'time per fit':>14}")
    for name in names:
        if name != ROCKET:
            predicted, seconds = cross_validate(MODELS[name], X, y, fold)
        elif rocket_python is not None:
            predicted, seconds = _rockets.cross_validate(
                rocket_python, "MiniRocketClassifier", X[:, None], y, fold
            )
        else:
            continue
        accuracy = accuracy_score(y, predicted)
        error = np.sqrt(accuracy * (1 - accuracy) / len(y))
        f1 = f1_score(y, predicted, average="macro")
        print(f"{name:26} {accuracy:7.3f} ±{error:.3f} {f1:9.3f} {np.median(seconds):12.1f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--only", nargs="+", choices=[*MODELS, ROCKET], default=[*MODELS, ROCKET], metavar="NAME"
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--rocket", metavar="PYTHON", help="Python executable of an environment with aeon")
    arguments = parser.parse_args()
    main(arguments.only, n_folds=arguments.folds, rocket_python=arguments.rocket)
