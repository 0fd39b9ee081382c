"""Classifiers of the package aeon, run as a subprocess in a separate environment."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

_PROGRAM = """
import sys, time
import numpy as np
import aeon.classification.convolution_based as rockets
data = np.load(sys.argv[1])
X, y, fold = data["X"], data["y"], data["fold"]
predicted, seconds = y.copy(), []
for k in np.unique(fold):
    start = time.perf_counter()
    model = getattr(rockets, sys.argv[3])(random_state=0, n_jobs=1).fit(X[fold != k], y[fold != k])
    seconds.append(time.perf_counter() - start)
    predicted[fold == k] = model.predict(X[fold == k])
np.savez(sys.argv[2], predicted=predicted, seconds=seconds)
"""


def cross_validate(python, classifier, X, y, fold):
    """Return out-of-fold predictions for all spectra, and the time of each fit in seconds.

    Parameters
    ----------
    python : str
        Python executable of an environment with aeon (and torch, for Hydra).
    classifier : str
        Class name.
    X : ndarray of shape (n_spectra, n_channels, n_pixels)
    y, fold : ndarray of shape (n_spectra,)
    """
    with tempfile.TemporaryDirectory() as folder:
        data, result = Path(folder) / "data.npz", Path(folder) / "result.npz"
        np.savez(data, X=np.asarray(X, dtype=np.float32), y=y, fold=fold)
        subprocess.run([python, "-c", _PROGRAM, str(data), str(result), classifier], check=True)
        with np.load(result) as file:
            return file["predicted"], file["seconds"]
