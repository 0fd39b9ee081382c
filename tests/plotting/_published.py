"""The published predictions of joint classes, and small ones that do not need files."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from tests._data import data_path


class Predictions(NamedTuple):
    names: list
    coordinates: dict
    true: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray


def published():
    """Ensemble (3, 4) of the published table: 1295 spectra, 39 joint classes."""
    return _published(data_path("mk_predictions/mk_test_predictions.npz"))


@cache
def _published(path):
    with np.load(path) as data:
        names = data["class_names"]
        scores = (data["scores_resnet50_1d"] + data["scores_conv1d_best"]) / 2.0
        places = zip(data["temp_index"].tolist(), data["lum_index"].tolist(), strict=True)
        coordinates = dict(zip(names.tolist(), places, strict=True))
        true = names[data["y_true"]]
    proba = softmax(scores.astype(np.float64), axis=1)
    return Predictions(names.tolist(), coordinates, true, names[scores.argmax(axis=1)], proba)


def simulated(n=400, names=("A", "B", "C", "D"), seed=0):
    """Labels and probabilities, of which about four in five are correct."""
    rng = np.random.default_rng(seed)
    true = rng.integers(len(names), size=n)
    scores = rng.normal(size=(n, len(names)))
    scores[np.arange(n), true] += 2.0
    proba = softmax(scores, axis=1)
    label = np.array(names)
    return label[true], label[proba.argmax(axis=1)], proba


def numbers(texts):
    """Numbers written into cells, 0 for blank."""
    return [[0 if text is None else int(text.get_text()) for text in row] for row in texts]
