"""Principal components of a few spectra, and the initial density of generators."""

import numpy as np
import pytest

from skspec.oversampling._components import principal_components
from skspec.oversampling._start import smoothed_bootstrap


def low_rank(n, *, sigma, n_pixels=200, seed=0):
    """Spectra with three components of standard deviation 8, 4 and 2, and white noise."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(np.random.default_rng(99).normal(size=(n_pixels, 3)))[0].T
    weights = rng.normal(size=(n, 3)) * [8.0, 4.0, 2.0]
    return weights @ vectors + rng.normal(0.0, sigma, (n, n_pixels)), vectors


def test_components_are_those_of_an_eigenvalue_decomposition():
    rows, _ = low_rank(60, sigma=0.01)
    found = principal_components(rows, 3)
    values, vectors = np.linalg.eigh(np.cov(rows, rowvar=False))
    np.testing.assert_allclose(found.deviation**2, values[::-1][:3])
    np.testing.assert_allclose(np.abs(found.vectors @ vectors[:, ::-1][:, :3]), np.eye(3), atol=1e-6)
    coordinates = found.coordinates(rows)
    np.testing.assert_allclose(np.cov(coordinates, rowvar=False), np.eye(3), atol=1e-8)
    expected = rows - rows.mean(axis=0)
    np.testing.assert_allclose(
        found.residuals(rows, coordinates), expected - expected @ found.vectors.T @ found.vectors
    )


def test_noise_makes_no_components():
    rows, vectors = low_rank(100, sigma=0.3)
    found = principal_components(rows, 20)
    assert found.vectors.shape == (3, 200)
    assert np.linalg.svd(found.vectors @ vectors.T)[1].min() > 0.9
    assert len(principal_components(np.random.default_rng(0).normal(size=(100, 200)), 20).vectors) == 1


@pytest.mark.parametrize(("n", "n_components"), [(5, 1), (9, 2), (100, 8)])
def test_few_spectra_have_few_components(n, n_components):
    rows = np.cumsum(np.random.default_rng(0).normal(size=(n, 30)), axis=1) + np.arange(30.0)
    assert 1 <= len(principal_components(rows, 8).vectors) <= n_components


def test_mean_and_covariance_of_a_class_stay():
    rows, vectors = low_rank(400, sigma=0.05)
    target = np.repeat([0, 1], [300, 100])
    rows[target == 1] += 10.0 * vectors[0]
    start = smoothed_bootstrap(rows, target, 10)
    assert start.templates.shape == (3, 200)
    np.testing.assert_array_equal(start.counts, [300, 100])
    parts = np.split(start.anchors, [300])
    for number, anchors in enumerate(parts):
        own = rows[target == number] @ vectors.T
        scale = start.scale[number]
        to_weights = start.templates @ vectors.T
        mean = start.mean @ vectors.T + anchors[:, :3].mean(axis=0) @ to_weights
        np.testing.assert_allclose(mean, own.mean(axis=0), atol=0.02)
        kernel = (scale @ scale.T)[:3, :3]
        covariance = to_weights.T @ (np.cov(anchors[:, :3], rowvar=False) + kernel) @ to_weights
        np.testing.assert_allclose(covariance, np.cov(own, rowvar=False), atol=0.1 * own[:, 0].var())
    np.testing.assert_allclose(start.noise, 0.05, rtol=0.25)
    assert start.spread < 0.1


def test_kernels_follow_a_curve():
    angle = np.random.default_rng(0).uniform(0.0, 2 * np.pi, 200)
    vectors = np.linalg.qr(np.random.default_rng(99).normal(size=(500, 2)))[0].T
    rows = 10.0 * np.column_stack([np.cos(angle), np.sin(angle)]) @ vectors
    rows += np.random.default_rng(1).normal(0.0, 0.01, rows.shape)
    start = smoothed_bootstrap(rows, np.zeros(200, dtype=int), 2)
    rng = np.random.default_rng(2)
    weights = start.anchors[rng.integers(200, size=2000)] + rng.normal(size=(2000, 3)) @ start.scale[0].T
    radius = np.linalg.norm((weights[:, :2] @ start.templates + start.mean) @ vectors.T, axis=1)
    assert radius.std() < 1.5  # that of the Gaussian with this covariance is 4.6
    assert np.median(radius) == pytest.approx(10.0, abs=0.5)


def test_noise_levels_are_kept():
    rows, _ = low_rank(100, sigma=0.0)
    rng = np.random.default_rng(0)
    level = rng.normal(-1.0, 0.5, 100)
    rows += np.exp(level)[:, None] * rng.normal(size=rows.shape)
    start = smoothed_bootstrap(rows, np.zeros(100, dtype=int), 10)
    assert start.spread == pytest.approx(level.std(), rel=0.1)
    assert np.exp(np.log(start.noise).mean()) == pytest.approx(np.exp(level.mean()), rel=0.1)
