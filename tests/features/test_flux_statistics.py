"""Statistics against numpy and scipy.stats, spectrum by spectrum, on the valid pixels."""

import numpy as np
import pytest
from scipy import stats

from skspec import FluxStatistics, Spectra

ALL = ["mean", "std", "skewness", "kurtosis", "quantiles", "slopes", "snr"]
BANDS = [(4000.0, 4500.0), (4500.0, 5990.0)]
QUANTILES = (0.0, 0.05, 0.5, 0.975, 1.0)
NAMES = [
    *("flux_mean", "flux_std", "flux_skewness", "flux_kurtosis"),
    *("flux_q00", "flux_q05", "flux_q50", "flux_q97.5", "flux_q100"),
    *("flux_slope_4000_4500", "flux_slope_4500_5990", "snr"),
]
WAVE = np.linspace(3900.0, 6000.0, 400)


def draw(n=5, gaps=True, seed=0):
    rng = np.random.default_rng(seed)
    flux = rng.gamma(2.0, 1.0, (n, len(WAVE))) + WAVE / 5000.0
    ivar = rng.uniform(0.5, 2.0, flux.shape)
    if gaps:
        flux[rng.random(flux.shape) < 0.1] = np.nan
        ivar[:, 40:50] = 0
    return flux.astype(np.float32), ivar.astype(np.float32)


def truth(flux, wave, ivar=None):
    good = np.isfinite(flux) if ivar is None else np.isfinite(flux) & (ivar > 0)
    f, w = flux[good].astype(float), wave[good]
    slopes = []
    for low, high in BANDS:
        inside = (w >= low) & (w < high)
        slopes.append(stats.linregress(np.log(w[inside]), f[inside]).slope)
    if ivar is not None:
        snr = np.median(f * np.sqrt(ivar[good].astype(float)))
    else:  # DER_SNR as published
        snr = np.median(f) / (1.482602 / np.sqrt(6) * np.median(np.abs(2 * f[2:-2] - f[:-4] - f[4:])))
    return [f.mean(), f.std(), stats.skew(f), stats.kurtosis(f), *np.quantile(f, QUANTILES), *slopes, snr]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("errors", [False, True])
def test_equals_numpy_and_scipy(gaps, errors):
    flux, ivar = draw(gaps=gaps)
    transformer = FluxStatistics(ALL, quantiles=QUANTILES, slope_bands=BANDS)
    got = transformer.fit_transform(Spectra(flux, wave=WAVE, ivar=ivar if errors else None))
    true = [truth(f, WAVE, i if errors else None) for f, i in zip(flux, ivar, strict=True)]
    np.testing.assert_allclose(got, true, rtol=1e-6)
    assert transformer.get_feature_names_out().tolist() == NAMES


def test_own_grids():
    rng = np.random.default_rng(3)
    waves = [np.sort(rng.uniform(3900.0, 6000.0, n)) for n in (150, 400, 90)]
    flux = [rng.gamma(2.0, 1.0, len(w)).astype(np.float32) for w in waves]
    ivar = [rng.uniform(0.5, 2.0, len(w)).astype(np.float32) for w in waves]
    ivar[0][20:30] = 0
    transformer = FluxStatistics(ALL, quantiles=QUANTILES, slope_bands=BANDS)
    for errors in (False, True):
        got = transformer.fit_transform(Spectra(flux, wave=waves, ivar=ivar if errors else None))
        true = [truth(f, w, i if errors else None) for f, w, i in zip(flux, waves, ivar, strict=True)]
        np.testing.assert_allclose(got, true, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_need_wavelengths_for_slopes_only(dtype):
    flux = draw()[0].astype(dtype)
    spectra = FluxStatistics().fit_transform(Spectra(flux, wave=WAVE))
    np.testing.assert_allclose(FluxStatistics().fit_transform(flux), spectra, rtol=1e-12)
    with pytest.raises(ValueError, match="wavelengths are unknown"):
        FluxStatistics(["slopes"]).fit(flux)
    whole = FluxStatistics(["slopes"], wave=WAVE).fit_transform(flux)
    good = np.isfinite(flux[0])
    slope = stats.linregress(np.log(WAVE[good]), flux[0][good].astype(float)).slope
    np.testing.assert_allclose(whole[0], [slope], rtol=1e-9)


def test_snr_is_that_of_spectra():
    flux, ivar = draw()
    for spectra in (Spectra(flux, wave=WAVE), Spectra(flux, wave=WAVE, ivar=ivar)):
        np.testing.assert_allclose(FluxStatistics(["snr"]).fit_transform(spectra)[:, 0], spectra.snr)


def test_what_is_not_defined_is_nan():
    flux = np.full((3, 20), np.nan)
    flux[1] = 1.1  # not a binary fraction: its mean rounds
    flux[2, 3] = 5.0
    transformer = FluxStatistics(ALL, quantiles=[0.5], wave=(4000.0, 5000.0))
    mean, std, skewness, kurtosis, median, slope, snr = transformer.fit_transform(flux).T
    np.testing.assert_allclose(mean, [np.nan, 1.1, 5.0])
    np.testing.assert_allclose(std, [np.nan, 0.0, 0.0], atol=1e-12)
    assert np.isnan([skewness, kurtosis]).all()
    np.testing.assert_allclose(median, [np.nan, 1.1, 5.0])
    np.testing.assert_allclose(slope, [np.nan, 0.0, np.nan], atol=1e-12)
    np.testing.assert_array_equal(snr, [np.nan, np.nan, np.nan])


def test_names_in_pandas():
    frame = FluxStatistics().set_output(transform="pandas").fit_transform(draw()[0])
    assert list(frame.columns)[-3:] == ["flux_q75", "flux_q95", "snr"]
    assert FluxStatistics(["slopes"]).get_feature_names_out().tolist() == ["flux_slope"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"statistics": ["median"]}, "statistics must be one of"),
        ({"statistics": "mean"}, "statistics must be a sequence of names"),
        ({"quantiles": [1.5]}, "quantiles == 1.5"),
        ({"quantiles": [0.5, 0.5]}, "columns of distinct names"),
        ({"statistics": ["quantiles"], "quantiles": []}, "columns of distinct names"),
        ({"slope_bands": [(5000.0, 4000.0)]}, "slope_bands must be pairs of increasing wavelengths"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        FluxStatistics(**params).fit(np.ones((2, 20)))
