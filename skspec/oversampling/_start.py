"""Initial state of generators: a smoothed bootstrap in principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.covariance import ledoit_wolf

from skspec.oversampling._components import principal_components

_WIDTHS = np.geomspace(0.01, 1.0, 25)  # of kernels, relative to the longest axis of a class


class SmoothedBootstrap(NamedTuple):
    """Spectra as sums of templates plus noise: the arguments of `networks.SpectrumGenerator.start_from`."""

    templates: NDArray[np.float64]
    mean: NDArray[np.float64]
    anchors: NDArray[np.float64]
    counts: NDArray[np.intp]
    scale: NDArray[np.float64]
    noise: NDArray[np.float64]
    spread: float


def smoothed_bootstrap(
    rows: NDArray[np.floating], target: NDArray[np.intp], max_components: int
) -> SmoothedBootstrap:
    """Return principal components of all spectra, the density of each class in them, and the white noise of residuals.

    `rows` are standardised spectra, shape (n_spectra, n_features), and `target` their class indices. The templates are
    scaled so that their weights in `rows` have variance 1. The weights of a class, the last of which is the noise level,
    follow the kernel density of Silverman (1986, Density Estimation, section 6.4.1): spectra shrunk towards the mean plus
    a Gaussian, which preserves mean and covariance. The covariance is estimated as by Ledoit and Wolf (2004, J. Multivar.
    Anal. 88, 365), since classes are small; the kernel width maximises the leave-one-out likelihood.
    """
    smallest = int(np.bincount(target).min())
    components = principal_components(rows, min(max_components, smallest))
    weights = components.coordinates(rows)
    white = _second_differences(components.residuals(rows, weights))
    level = 0.5 * np.log((white**2).mean(axis=1) + 1e-12)
    spread = max(float(level.std()), 1e-6)
    white *= np.exp(level.mean() - level)[:, None]
    noise = np.sqrt((white**2).sum(axis=0) / max(len(rows) - weights.shape[1] - 1, 1))
    points = np.column_stack([weights, (level - level.mean()) / spread])
    deviation = np.append(components.deviation, components.deviation[-1])
    parts = [_kernels(points[target == number], deviation) for number in range(target.max() + 1)]
    return SmoothedBootstrap(
        templates=components.vectors * components.deviation[:, None],
        mean=components.mean,
        anchors=np.concatenate([anchors for anchors, _ in parts]),
        counts=np.bincount(target),
        scale=np.array([scale for _, scale in parts]),
        noise=noise,
        spread=spread,
    )


def _second_differences(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return second differences of pixels, scaled to the variance of white noise; smooth residuals vanish."""
    if residuals.shape[1] < 3:
        return residuals.copy()
    return np.pad(np.diff(residuals, 2, axis=1), ((0, 0), (1, 1)), mode="edge") / np.sqrt(6.0)


def _kernels(
    points: NDArray[np.float64], deviation: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the anchors of a class, and the matrix that turns independent normal variates into its kernel.

    Kernels are round in the unscaled components, but not wider than the class along any axis.
    """
    mean, true = points.mean(axis=0), (points - points.mean(axis=0)) * deviation
    variance, axes = np.linalg.eigh(ledoit_wolf(points)[0] * np.outer(deviation, deviation))
    length = np.sqrt(np.maximum(variance, 1e-12 * max(variance.max(), 1e-30)))
    white = true @ axes / length
    width = max(
        (np.minimum(1.0, length.max() * w / length) for w in _WIDTHS), key=lambda w: _likelihood(white, w)
    )
    anchors = mean + (np.sqrt(1.0 - width**2) * white * length) @ axes.T / deviation
    return anchors, axes * (width * length) / deviation[:, None]


def _likelihood(white: NDArray[np.float64], width: NDArray[np.float64]) -> float:
    """Return the mean log-likelihood of points under the kernels of all others, up to a constant.

    The least likely fifth is excluded: kernels that reach outliers would be too wide for the other points.
    """
    square = cdist(white / width, np.sqrt(1.0 - width**2) * white / width, "sqeuclidean")
    np.fill_diagonal(square, np.inf)
    each = np.sort(logsumexp(-0.5 * square, axis=1))[len(white) // 5 :]
    return float(each.mean() - np.log(width).sum())
