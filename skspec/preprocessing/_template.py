"""Principal components of spectra with missing pixels, and predictions of those pixels.

Expectation maximisation for principal components (Roweis 1998, NIPS 10, 626), with the coefficients of a spectrum
from its valid pixels alone (Connolly and Szalay 1999, AJ 117, 2052), held near zero by the variance of each component
(Tipping and Bishop 1999, J. R. Stat. Soc. B 61, 611). The noise variance of this shrinkage is the mean variance of the
components left out, which for fewer spectra than pixels is far above that of one pixel: with the latter, predictions for
unusual spectra diverge (Josse and Husson 2012, J. SFdS 153, 79).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from skspec.spectra import blocks

_ROUNDING = 1e-14  # of the largest variance
_LEAST_RIDGE = 1e-9  # of a unit vector: keeps coefficients finite that no valid pixel constrains


class Template(NamedTuple):
    """Mean, orthonormal components with their variances, and the mean variance of the components left out."""

    mean: NDArray[Any]
    components: NDArray[Any]
    variance: NDArray[np.float64]
    noise: float

    def predict(self, flux: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
        """Reconstruct rows of shape (n_spectra, n_pixels) from the pixels that are not `missing`."""
        residual = np.where(missing, 0, flux - self.mean)
        return self.mean + self.deviation(residual, missing)

    def deviation(self, residual: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
        """Reconstruct rows minus the mean from their difference from it, which is 0 where missing."""
        k = len(self.components)
        i, j = np.triu_indices(k)
        products = self.components[i] * self.components[j]
        gram = np.empty((len(residual), k, k))
        gram[:, i, j] = gram[:, j, i] = (~missing).astype(residual.dtype) @ products.T
        usable = self.variance > 1e-12 * self.variance.max(initial=0)
        ridge = np.where(usable, self.noise / np.where(usable, self.variance, 1.0), 1.0 / _LEAST_RIDGE)
        gram += np.diag(np.maximum(ridge, _LEAST_RIDGE))
        projected = (residual @ self.components.T).astype(np.float64)
        weights = np.linalg.solve(gram, projected[:, :, None])[:, :, 0]
        return weights.astype(residual.dtype) @ self.components


def learn_template(
    flux: NDArray[Any], n_components: int, *, max_rounds: int, tol: float, random_state: Any
) -> tuple[Template, int, bool]:
    """Learn a template.

    Parameters
    ----------
    flux : ndarray of shape (n_spectra, n_pixels)
        NaN where missing; each pixel valid in one spectrum at least.
    n_components : int
    max_rounds : int
        Maximum number of rounds.
    tol : float
        Converged when the residual variance falls by less than this fraction in a round.
    random_state : int, RandomState or None
        Seed of the initial components.

    Returns
    -------
    template : Template
    n_rounds : int
        Number of rounds; 0 if no pixel is missing.
    converged : bool
    """
    missing = np.isnan(flux)
    mean = np.nanmean(flux, axis=0, dtype=np.float64).astype(flux.dtype)
    centred = np.where(missing, 0, flux - mean)
    _, _, components = randomized_svd(centred, n_components, n_iter=7, random_state=random_state)
    template = Template(mean, *_improve(centred, components))
    if not missing.any():
        return template, 0, True
    for n_rounds in range(1, max_rounds + 1):
        for block in blocks(flux):
            rows = block.rows.start + np.flatnonzero(~block.valid.all(axis=1))
            hole, old = missing[rows], centred[rows]
            centred[rows] = np.where(hole, template.deviation(np.where(hole, 0, old), hole), old)
        shift = centred.mean(axis=0, dtype=np.float64).astype(flux.dtype)
        centred -= shift
        mean = mean + shift
        before, template = template, Template(mean, *_improve(centred, template.components))
        exact = template.noise <= _ROUNDING * template.variance.max()
        if exact or before.noise - template.noise <= tol * template.noise:
            return template, n_rounds, True
    return template, max_rounds, False


def _improve(
    centred: NDArray[Any], components: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.float64], float]:
    """Take one step of orthogonal iteration: components, their variances, and the mean variance of all others."""
    n, p = centred.shape
    basis = np.linalg.qr(centred.T @ (centred @ components.T))[0].T
    within = (centred @ basis.T).astype(np.float64)
    values, turn = np.linalg.eigh(within.T @ within / n)
    values, turn = np.maximum(values[::-1], 0.0), turn[:, ::-1]
    total = float(np.einsum("ij,ij->", centred, centred, dtype=np.float64)) / n
    noise = max(total - float(values.sum()), 0.0) / max(min(n - 1, p) - len(values), 1)
    return turn.T.astype(centred.dtype) @ basis, values, noise
