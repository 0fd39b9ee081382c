"""`NoiseOversampler`: noise amplitude and bookkeeping of copies."""

import numpy as np
import pytest

from skspec import NoiseOversampler
from tests.oversampling._rare import rare


def resample(X, **params):
    y = np.repeat(["G", "O"], [len(X) - 5, 5])
    sampler = NoiseOversampler(sampling_strategy={"O": 2000}, random_state=0, **params)
    X_new, _ = sampler.fit_resample(X, y)
    return X_new, sampler


def test_noise_is_scaled_by_the_spectrum():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 50)) * rng.uniform(0.5, 5.0, (20, 1)) + 10.0
    X_new, sampler = resample(X, amplitude=0.2)
    made = sampler.sample_indices_ == -1
    source = sampler.source_indices_[made]
    difference = X_new[made] - X[source]
    for row in range(15, 20):
        assert (source == row).sum() in (399, 400)  # all are copied equally often
        assert difference[source == row].std() == pytest.approx(0.2 * X[row].std(), rel=0.03)
        assert abs(difference[source == row].mean()) < 0.01 * X[row].std()
    np.testing.assert_array_equal(sampler.source_indices_[:20], np.arange(20))


@pytest.mark.parametrize("unit", [2.0**-80, 2.0**100])
def test_noise_of_very_small_and_large_float32_flux(unit):
    X = np.random.default_rng(0).normal(10.0, 1.0, (20, 50)).astype(np.float32)
    expected, _ = resample(X)
    np.testing.assert_array_equal(resample(X * np.float32(unit))[0] / np.float32(unit), expected)


def test_noise_by_ivar_makes_ivar_smaller():
    rng = np.random.default_rng(0)
    flux, ivar = rng.normal(size=(20, 30)), rng.uniform(1.0, 9.0, (20, 30))
    ivar[:, 4] = 0.0
    X_new, sampler = resample(
        np.hstack([flux, ivar]), noise="ivar", amplitude=2.0, n_channels=2, ivar_channel=1
    )
    made = sampler.sample_indices_ == -1
    source = sampler.source_indices_[made]
    np.testing.assert_allclose(X_new[made, 30:], ivar[source] / (1.0 + 2.0**2))
    difference = X_new[made, :30] - flux[source]
    np.testing.assert_array_equal(difference[:, 4], 0.0)
    for row in range(15, 20):
        good = np.arange(30) != 4
        scaled = difference[source == row][:, good] * np.sqrt(ivar[row, good]) / 2.0
        np.testing.assert_allclose(scaled.std(axis=0), 1.0, atol=0.2)
        assert scaled.std() == pytest.approx(1.0, abs=0.03)


def test_noise_by_spectrum_with_ivar():
    flux, ivar = np.tile([1.0, -1.0], (20, 10)), np.full((20, 20), 4.0)
    X_new, _ = resample(np.hstack([flux, ivar]), amplitude=0.5, n_channels=2, ivar_channel=1)
    np.testing.assert_allclose(X_new[20:, 20:], 1.0 / (1 / 4 + 0.5**2))


def test_missing_pixels_stay_missing():
    X = np.random.default_rng(0).normal(size=(20, 30))
    X[16, 3:8] = np.nan
    X_new, sampler = resample(X)
    missing = np.isnan(X_new)
    np.testing.assert_array_equal(missing, np.isnan(X)[sampler.source_indices_])
    made = (sampler.sample_indices_ == -1) & (sampler.source_indices_ == 16)
    assert np.nanstd(X_new[made] - X[16]) == pytest.approx(0.1 * np.nanstd(X[16]), rel=0.05)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"noise": "ivra"}, "noise must be one of 'spectrum', 'ivar'.*did you mean 'ivar'"),
        ({"noise": "ivar"}, "noise='ivar' needs ivar_channel"),
        ({"amplitude": -1.0}, "amplitude == -1.0"),
        ({"n_channels": 7}, "n_channels must divide the 60 features"),
        ({"n_channels": 2, "ivar_channel": 2}, "ivar_channel == 2"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        NoiseOversampler(**params).fit_resample(*rare())


def test_negative_ivar():
    X, y = rare()
    with pytest.raises(ValueError, match="channel 1 is the inverse variance and must not be negative"):
        NoiseOversampler(n_channels=2, ivar_channel=1).fit_resample(X - 2.0, y)
