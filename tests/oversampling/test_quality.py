"""The quality report against closed forms and small cases counted by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from skspec.oversampling import _distances, quality_report
from skspec.oversampling._spectral_features import compare_features, measure


def test_frechet_distance_of_gaussians():
    mean, other = np.array([1.0, -2.0, 0.0]), np.array([0.0, 0.5, 2.0])
    a, b = np.array([1.0, 4.0, 9.0]), np.array([4.0, 4.0, 1.0])
    expected = np.sum((mean - other) ** 2) + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)  # they commute
    assert _distances.gaussian_frechet(mean, np.diag(a), other, np.diag(b)) == pytest.approx(expected)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = [turn @ np.diag(v) @ turn.T for v in (a, b)]
    assert _distances.gaussian_frechet(turn @ mean, turned[0], turn @ other, turned[1]) == pytest.approx(
        expected
    )
    assert _distances.gaussian_frechet(mean, turned[0], mean, turned[0]) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_of_samples():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40_000, 2)), rng.normal([1.0, 0.0], [2.0, 1.0], size=(40_000, 2))
    assert _distances.frechet_distance(a, b) == pytest.approx(1.0 + (2.0 - 1.0) ** 2, rel=0.03)


def test_energy_distance():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 2000, 1))
    assert abs(_distances.energy_distance(a, b)) < 0.01
    shift = 3.0
    # E|x - y| of N(0, 1) and N(m, 1): the mean of a folded normal distribution of variance 2
    from scipy.stats import foldnorm

    expected = 2 * np.sqrt(2) * (foldnorm.mean(shift / np.sqrt(2)) - foldnorm.mean(0.0))
    assert _distances.energy_distance(a, c + shift) == pytest.approx(expected, rel=0.03)


def test_density_and_coverage_by_hand():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])  # distances to the nearest other: 1, 1, 1, 8
    generated = np.array([[0.5], [0.6], [30.0]])
    # 0.5 and 0.6 lie in the balls around 0 and 1 (and not in that around 2: 1.5, 1.4; nor around 10: 9.5, 9.4)
    assert _distances.density_and_coverage(real, generated, 1) == (4 / 3, 2 / 4)


def test_density_and_coverage_of_one_distribution():
    a, b = np.random.default_rng(0).normal(size=(2, 1500, 3))
    density, coverage = _distances.density_and_coverage(a, b, 5)
    assert density == pytest.approx(1.0, abs=0.05)
    assert coverage == pytest.approx(1.0 - 0.5**5, abs=0.02)  # Naeem et al. 2020, eq. 8


def test_copies_are_found():
    train, held_out, new = np.random.default_rng(0).normal(size=(3, 200, 4))
    probability, pvalue = _distances.copying(train, held_out, new)
    assert abs(probability - 0.5) < 0.1
    assert pvalue > 0.01
    probability, pvalue = _distances.copying(train, held_out, train + 0.01)
    assert probability > 0.99
    assert pvalue < 1e-20
    one = cdist(new, train).min(axis=1)[:, None] < cdist(held_out, train).min(axis=1)
    assert _distances.copying(train, held_out, new)[0] == pytest.approx(one.mean())


def test_auc():
    a, b = np.random.default_rng(0).normal(size=(2, 200, 3))
    assert abs(_distances.two_sample_auc(a, b, 0) - 0.5) < 0.1
    assert _distances.two_sample_auc(a, b + 5.0, 0) == pytest.approx(1.0, abs=0.01)


# Lines and colours ------------------------------------------------------------------------------------------

WAVE = np.arange(4000.0, 9000.0, 1.0)


def spectra(depth, n=20, seed=0):
    rng = np.random.default_rng(seed)
    depths = depth + rng.normal(0.0, 0.02, n)
    absorption = depths[:, None] * (np.abs(WAVE - 6564.6) < 8.0)
    return (1.0 - absorption) * (WAVE / 6500.0) ** rng.normal(-1.0, 0.01, n)[:, None], depths


def test_line_depths_and_colours():
    rows, depths = spectra(0.4)
    found = measure(rows, WAVE)
    np.testing.assert_allclose(found["H alpha"], depths, atol=1e-3)
    np.testing.assert_allclose(found["He II 4687"], 0.0, atol=1e-3)
    assert "Ca II K" not in found
    blue, red = (np.abs(WAVE - centre) <= 100.0 for centre in (5000.0, 6500.0))
    expected = -2.5 * np.log10(rows[:, blue].mean(axis=1) / rows[:, red].mean(axis=1))
    np.testing.assert_allclose(found["colour 5000-6500"], expected)
    assert "colour 4000-5000" not in found


def test_features_are_compared():
    table = compare_features(spectra(0.4)[0], spectra(0.5, seed=1)[0], wave=WAVE)
    table.add_index("feature")
    row = table.loc["H alpha"]
    assert row["real_median"] == pytest.approx(0.4, abs=0.02)
    assert row["generated_median"] == pytest.approx(0.5, abs=0.02)
    assert row["ks_pvalue"] < 1e-3
    assert table.loc["H beta"]["ks_pvalue"] <= 1.0


# The report -------------------------------------------------------------------------------------------------


def test_report():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, len(WAVE)))

    def draw(n):
        return 10.0 + rng.normal(size=(n, 3)) @ basis + rng.normal(0.0, 0.1, (n, len(WAVE)))

    train, held_out, good = draw(80), draw(60), draw(100)
    report = quality_report(train, held_out, good, wave=WAVE)
    assert (report.n_train, report.n_held_out, report.n_generated) == (80, 60, 100)
    assert report.frechet_distance < 0.8
    assert abs(report.auc - 0.5) < 0.15
    assert not report.memorized
    assert "coverage" in str(report)
    assert "H alpha" in str(report)
    bad = quality_report(train, held_out, draw(100) + 5.0 * basis[0])
    assert bad.frechet_distance > 5.0
    assert bad.auc > 0.9
    assert bad.density < 0.3
    assert bad.features is None
    assert quality_report(train, held_out, train + 0.01).memorized
    smooth = quality_report(train, held_out, draw(100) - rng.normal(0.0, 0.1, (100, len(WAVE))))
    assert smooth.auc > 0.9  # the wrong noise is found, too


def test_report_refuses():
    rows = np.random.default_rng(0).normal(size=(10, 20))
    with pytest.raises(ValueError, match="minimum of 5 is required"):
        quality_report(rows, rows[:4], rows)
    with pytest.raises(ValueError, match="same number of columns.*'generated': 19"):
        quality_report(rows, rows, rows[:, 1:])
    with pytest.raises(ValueError, match="NaN"):
        quality_report(np.where(rows > 2, np.nan, rows), rows, np.where(rows > 0, np.nan, rows))
    with pytest.raises(ValueError, match="n_neighbors == 0"):
        quality_report(rows, rows, rows, n_neighbors=0)
