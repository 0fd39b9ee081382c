"""Principal components of a few spectra, without those that describe noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA

_SPECTRA_PER_COMPONENT = 4
_FOLDS = 5
_MIN_SHARE = 0.5  # of the variance of a component, in held-out spectra


class Components(NamedTuple):
    """Mean of spectra, shape (n_features,), components, shape (k, n_features), and their standard deviations."""

    mean: NDArray[np.float64]
    vectors: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def coordinates(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return coordinates of spectra, shape (n, k), each of variance 1 for the training spectra."""
        return ((np.asarray(rows, dtype=np.float64) - self.mean) @ self.vectors.T) / self.deviation

    def residuals(self, rows: NDArray[np.floating], coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the residuals of spectra, shape (n, n_features)."""
        return rows - self.mean - (coordinates * self.deviation) @ self.vectors

    def with_residual(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return coordinates of spectra, and the logarithm of their rms residual, shape (n, k + 1)."""
        coordinates = self.coordinates(rows)
        square = (self.residuals(rows, coordinates) ** 2).mean(axis=1)
        floor = 1e-12 * float(np.mean(self.deviation**2)) + 1e-300
        return np.column_stack([coordinates, 0.5 * np.log(square + floor)])


def principal_components(rows: NDArray[np.floating], max_components: int) -> Components:
    """Return at least one and at most `max_components` principal components, and at most one per four spectra.

    The later components of a few noisy spectra describe their noise, and other spectra hardly vary along them. Therefore
    the first component with less than half of its variance in the held-out folds of a five-fold cross-validation, and all
    components after it, are dropped.
    """
    rows = np.asarray(rows, dtype=np.float64)
    k = max(1, min(max_components, len(rows) // _SPECTRA_PER_COMPONENT, rows.shape[1]))
    pca = _fit(rows, k)
    if k > 1:
        inside, outside = np.zeros(k), np.zeros(k)
        for fold in range(_FOLDS):
            others = np.arange(len(rows)) % _FOLDS != fold
            part = _fit(rows[others], k)
            inside += part.explained_variance_
            outside += (part.transform(rows[~others]) ** 2).mean(axis=0)
        share = median_filter(outside / np.maximum(inside, 1e-30), 3, mode="nearest")
        k = max(1, int(np.argmin(np.append(share > _MIN_SHARE, False))))
    deviation = np.sqrt(np.maximum(pca.explained_variance_[:k], 1e-30))
    return Components(pca.mean_, pca.components_[:k], deviation)


def _fit(rows: NDArray[np.floating], k: int) -> PCA:
    return PCA(k, svd_solver="randomized", random_state=0).fit(rows)
