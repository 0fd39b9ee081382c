"""Distances and tests between samples of generated and of real spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict


def gaussian_frechet(
    mean_a: NDArray[np.float64],
    covariance_a: NDArray[np.float64],
    mean_b: NDArray[np.float64],
    covariance_b: NDArray[np.float64],
) -> float:
    """Return the squared Fréchet distance of two Gaussians: |μa - μb|² + tr(Ca + Cb - 2 (Ca Cb)^½)."""
    root = np.real(sqrtm(covariance_a @ covariance_b))
    trace = np.trace(covariance_a) + np.trace(covariance_b) - 2.0 * np.trace(root)
    return float(max(np.sum((mean_a - mean_b) ** 2) + trace, 0.0))


def frechet_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the squared Fréchet distance of Gaussians fitted to two samples (Heusel et al. 2017)."""
    moments = [(x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))) for x in (a, b)]
    return gaussian_frechet(*moments[0], *moments[1])


def energy_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return 2 E|a - b| - E|a - a'| - E|b - b'|, 0 for samples of one distribution (Székely and Rizzo 2013).

    Pairs of a point with itself are excluded, so that the estimate is unbiased, and can be slightly negative.
    """

    def within(x: NDArray[np.float64]) -> float:
        return float(cdist(x, x).sum() / (len(x) * max(len(x) - 1, 1)))

    return 2.0 * float(cdist(a, b).mean()) - within(a) - within(b)


def density_and_coverage(
    real: NDArray[np.float64], generated: NDArray[np.float64], n_neighbors: int
) -> tuple[float, float]:
    """Return density and coverage of Naeem et al. (2020, arXiv:2002.09797).

    Each real spectrum is the centre of a ball that reaches to its k-th neighbour among the real spectra. Density is the
    mean number of balls that contain a generated spectrum, divided by k; its expected value for real spectra is 1.
    Coverage is the fraction of balls that contain at least one generated spectrum.
    """
    k = min(n_neighbors, len(real) - 1)
    radius = np.partition(cdist(real, real), k, axis=1)[:, k]  # the nearest is the point itself
    inside = cdist(real, generated) < radius[:, None]
    return float(inside.sum() / (k * len(generated))), float(inside.any(axis=1).mean())


def copying(
    train: NDArray[np.float64], held_out: NDArray[np.float64], generated: NDArray[np.float64]
) -> tuple[float, float]:
    """Test whether generated spectra are nearer to the training spectra than held-out spectra are.

    This is the data-copying test of Meehan et al. (2020, arXiv:2004.05675) with one cell: the one-sided Mann-Whitney U
    test of the distances to the nearest training spectrum. Returns the probability that a generated spectrum is nearer
    than a held-out one (0.5 for new spectra, 1 for copies), and the p-value.
    """
    distance = [cdist(points, train).min(axis=1) for points in (held_out, generated)]
    test = mannwhitneyu(*distance, alternative="greater")
    return float(test.statistic / (len(held_out) * len(generated))), float(test.pvalue)


def two_sample_auc(real: NDArray[np.float64], generated: NDArray[np.float64], seed: int) -> float:
    """Return the area under the ROC curve of a random forest that separates generated and real spectra.

    From five-fold cross-validation: 0.5 if it cannot separate them, 1 if it always can (Lopez-Paz and Oquab 2017,
    arXiv:1610.06545).
    """
    X = np.concatenate([real, generated])
    is_real = np.repeat([True, False], [len(real), len(generated)])
    folds = StratifiedKFold(min(5, len(real), len(generated)), shuffle=True, random_state=seed)
    forest = RandomForestClassifier(200, class_weight="balanced", random_state=seed)
    scores = cross_val_predict(forest, X, is_real, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(is_real, scores))
