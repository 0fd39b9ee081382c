"""Principal components of few spectra: those that are more than noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from sklearn.decomposition import PCA

Array = NDArray[np.float64]
_SPECTRA_PER_COMPONENT = 4
_FOLDS = 5
_REAL = 0.5  # of the variance must be found in other spectra


class Components(NamedTuple):
    """Mean of spectra, shape (n_features,), components, shape (k, n_features), and their standard deviations."""

    mean: Array
    vectors: Array
    deviation: Array

    def coordinates(self, rows: NDArray[np.floating]) -> Array:
        """Coordinates of spectra, shape (n, k), each of variance 1 for those that were learned from."""
        return ((rows - self.mean) @ self.vectors.T) / self.deviation

    def rest(self, rows: NDArray[np.floating], coordinates: Array) -> Array:
        """Return what the components leave of spectra, shape (n, n_features)."""
        return rows - self.mean - (coordinates * self.deviation) @ self.vectors


def principal_components(rows: NDArray[np.floating], max_components: int) -> Components:
    """Components of spectra that other spectra of the kind have, too.

    Parameters
    ----------
    rows : ndarray of shape (n_spectra, n_features)
    max_components : int
        At most so many, and at most one for four spectra; at least one.

    Notes
    -----
    The components of a few noisy spectra are soon those of the noise that they happen to have, in which other spectra
    hardly vary. In five-fold cross-validation, the first component that has less than half of its
    variance in the other fold, and all after it, are left out.
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
        k = max(1, int(np.argmin(np.append(share > _REAL, False))))
    deviation = np.sqrt(np.maximum(pca.explained_variance_[:k], 1e-30))
    return Components(pca.mean_, pca.components_[:k], deviation)


def _fit(rows: NDArray[np.floating], k: int) -> PCA:
    return PCA(k, svd_solver="randomized", random_state=0).fit(rows)
