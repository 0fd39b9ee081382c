"""How far generated spectra are from real ones: numbers for two samples of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skspec.oversampling._components import principal_components

Array = NDArray[np.float64]


class Projection:
    """Principal components of real spectra, each scaled to variance 1, and how much of a spectrum they leave over.

    Parameters
    ----------
    rows : ndarray of shape (n_spectra, n_features)
        Real spectra.
    n_components : int
        At most so many: see `principal_components`.
    """

    def __init__(self, rows: NDArray[np.floating], n_components: int) -> None:
        self.components = principal_components(rows, n_components)
        self.floor = 1e-12 * float(np.mean(self.components.deviation**2)) + 1e-300

    def __call__(self, rows: NDArray[np.floating], *, left_over: bool = False) -> Array:
        """Coordinates, shape (n, n_components), and with `left_over` the logarithm of what remains as the last."""
        rows = np.asarray(rows, dtype=np.float64)
        coordinates = self.components.coordinates(rows)
        if not left_over:
            return coordinates
        square = (self.components.rest(rows, coordinates) ** 2).mean(axis=1)
        return np.column_stack([coordinates, 0.5 * np.log(square + self.floor)])


def gaussian_frechet(mean_a: Array, covariance_a: Array, mean_b: Array, covariance_b: Array) -> float:
    """Squared Fréchet distance of two Gaussians: |μa - μb|² + tr(Ca + Cb - 2 (Ca Cb)^½)."""
    root = np.real(sqrtm(covariance_a @ covariance_b))
    trace = np.trace(covariance_a) + np.trace(covariance_b) - 2.0 * np.trace(root)
    return float(max(np.sum((mean_a - mean_b) ** 2) + trace, 0.0))


def frechet_distance(a: Array, b: Array) -> float:
    """Squared Fréchet distance of the Gaussians with mean and covariance of two samples (Heusel et al. 2017)."""
    moments = [(x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))) for x in (a, b)]
    return gaussian_frechet(*moments[0], *moments[1])


def energy_distance(a: Array, b: Array) -> float:
    """2 E|a - b| - E|a - a'| - E|b - b'|, 0 for samples of one distribution (Székely and Rizzo 2013).

    Pairs of a point with itself are left out, so that it is unbiased, and can be a little below 0.
    """

    def within(x: Array) -> float:
        return float(cdist(x, x).sum() / (len(x) * max(len(x) - 1, 1)))

    return 2.0 * float(cdist(a, b).mean()) - within(a) - within(b)


def density_and_coverage(real: Array, generated: Array, n_neighbors: int) -> tuple[float, float]:
    """Density and coverage of Naeem et al. (2020, arXiv:2002.09797).

    Around each real spectrum lies a ball that reaches to its k-th neighbour among the real ones. Density is in how many
    balls a generated spectrum lies on average, over k: 1 is what real ones would reach. Coverage is the fraction of
    balls with at least one generated spectrum in them.
    """
    k = min(n_neighbors, len(real) - 1)
    radius = np.partition(cdist(real, real), k, axis=1)[:, k]  # the nearest is itself
    inside = cdist(real, generated) < radius[:, None]
    return float(inside.sum() / (k * len(generated))), float(inside.any(axis=1).mean())


def copying(train: Array, held_out: Array, generated: Array) -> tuple[float, float]:
    """Whether generated spectra are nearer to those learned from than other real spectra are.

    The data-copying test of Meehan et al. (2020, arXiv:2004.05675), with one cell: Mann and Whitney's U of distances to
    the nearest training spectrum.

    Returns
    -------
    probability : float
        That a generated spectrum is nearer than a held-out one: 0.5 if it is as new as those, 1 for copies.
    pvalue : float
        One-sided.
    """
    distance = [cdist(points, train).min(axis=1) for points in (held_out, generated)]
    test = mannwhitneyu(*distance, alternative="greater")
    return float(test.statistic / (len(held_out) * len(generated))), float(test.pvalue)


def two_sample_auc(real: Array, generated: Array, seed: int) -> float:
    """Area under the ROC curve of a random forest that tells generated from real spectra, in five-fold cross-validation.

    0.5 if it cannot, 1 if it always can (Lopez-Paz and Oquab 2017, arXiv:1610.06545).
    """
    X = np.concatenate([real, generated])
    is_real = np.repeat([True, False], [len(real), len(generated)])
    folds = StratifiedKFold(min(5, len(real), len(generated)), shuffle=True, random_state=seed)
    forest = RandomForestClassifier(200, class_weight="balanced", random_state=seed)
    scores = cross_val_predict(forest, X, is_real, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(is_real, scores))
