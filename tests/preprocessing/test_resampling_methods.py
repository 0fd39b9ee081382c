"""The methods of LogWaveResampler other than its default, two channels, and the way back."""

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.signal import resample

from skspec import LogWaveResampler, Spectra

METHODS = ("flux_conserving", "linear", "cubic", "fft", "ivar_weighted")
LOG = 10 ** (3.55 + 1e-4 * np.arange(4700))  # wider than the default grid
LINEAR = np.linspace(3500.0, 10300.0, 3001)


def draw(wave, seed=0, n=3):
    rng = np.random.default_rng(seed)
    return rng.uniform(1, 2, (n, len(wave))), rng.uniform(0.5, 2, (n, len(wave)))


def with_gaps(flux, ivar):
    flux, ivar = flux.copy(), ivar.copy()
    flux[0, [700, 1200, 1201]] = np.nan
    ivar[1, 900:950] = 0
    return flux, ivar


def methods(**parameters):
    return {method: LogWaveResampler(method, **parameters) for method in METHODS}


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("wave", [LOG, LINEAR], ids=["log", "linear"])
def test_interpolation_is_that_of_scipy(wave, gaps):
    flux, ivar = with_gaps(*draw(wave)) if gaps else draw(wave)
    spectra = Spectra(flux, wave=wave, ivar=ivar)
    linear, cubic = (LogWaveResampler(m, min_coverage=1e-3).fit(spectra) for m in ("linear", "cubic"))
    out = linear.resample(spectra)
    smooth = cubic.resample(spectra)
    assert smooth.ivar is None
    for k in range(3):
        good = np.isfinite(flux[k]) & (ivar[k] > 0)
        known = np.isfinite(out.flux[k])
        truth = interp1d(wave[good], flux[k, good])(linear.wave_)
        np.testing.assert_allclose(out.flux[k, known], truth[known], rtol=1e-6)
        spline = interp1d(np.log10(wave[good]), flux[k, good], kind="cubic")(np.log10(cubic.wave_))
        np.testing.assert_allclose(smooth.flux[k, known], spline[known], rtol=1e-5)
        # The weights of a sample are what it becomes when one pixel is one and the others zero.
        right = np.searchsorted(wave[good], linear.wave_)
        part = (linear.wave_ - wave[good][right - 1]) / (wave[good][right] - wave[good][right - 1])
        variance = (1 - part) ** 2 / ivar[k, good][right - 1] + part**2 / ivar[k, good][right]
        np.testing.assert_allclose(out.ivar[k, known], 1 / variance[known], rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(smooth.flux), np.isfinite(out.flux))


@pytest.mark.parametrize("wave", [LOG, 10 ** (3.6 + 1e-4 * np.arange(3600))], ids=["covering", "inside"])
@pytest.mark.parametrize("n_bins", [433, 432, 6000])
def test_fft_is_the_published_way(wave, n_bins):
    flux, _ = draw(wave)
    n = len(wave)
    native = interp1d(np.log10(wave), flux, kind="cubic", bounds_error=False, fill_value=0.0)(
        np.linspace(3.56, 4.01, n)
    )
    truth = resample(native, n_bins, axis=1)
    resampler = LogWaveResampler("fft", wave=wave, n_bins=n_bins, missing="zero")
    np.testing.assert_allclose(resampler.fit_transform(flux), truth, rtol=1e-9, atol=1e-9)
    nan = LogWaveResampler("fft", wave=wave, n_bins=n_bins).fit_transform(flux)
    known = np.isfinite(nan)
    np.testing.assert_allclose(nan[known], truth[known], rtol=1e-9, atol=1e-9)
    covered = resampler.coverage(flux)
    np.testing.assert_allclose(known.mean(axis=1), covered)
    # Samples lie at the lower edges, up to one native step from the last to the first.
    step = 0.45 * n / (n - 1) / n_bins
    at = 3.56 + step * np.arange(n_bins)
    assert np.abs(np.log10(resampler.wave_) - at).max() < 0.45 / (n - 1)


@pytest.mark.parametrize("with_ivar", [False, True])
def test_weighted_bins_are_those_of_a_loop(with_ivar):
    grid = {"loglam_min": np.log10(3600.0), "loglam_max": np.log10(3600.0) + 0.443, "n_bins": 443}
    flux, ivar = with_gaps(*draw(LOG))
    if not with_ivar:
        ivar[:] = 1
    resampler = LogWaveResampler("ivar_weighted", **grid, min_coverage=1e-3)
    spectra = Spectra(flux, wave=LOG, ivar=ivar if with_ivar else None)
    out = resampler.fit(spectra).resample(spectra)
    place = np.floor((np.log10(LOG) - grid["loglam_min"]) / 1e-3).astype(int)
    for k in range(3):
        for b in range(443):
            pixels = np.flatnonzero((place == b) & np.isfinite(flux[k]) & (ivar[k] > 0))
            if len(pixels):
                total = ivar[k, pixels].sum()
                assert out.flux[k, b] == pytest.approx(ivar[k, pixels] @ flux[k, pixels] / total, rel=1e-6)
                if with_ivar:
                    assert out.ivar[k, b] == pytest.approx(total, rel=1e-6)
            else:
                assert np.isnan(out.flux[k, b])


def test_a_bin_without_a_pixel_centre_is_missing_in_weighted_means():
    wave = np.linspace(4000.0, 8000.0, 101)  # pixels of 40 Å, bins of 20
    bounds = {"loglam_min": np.log10(5000.0), "loglam_max": np.log10(5200.0), "n_bins": 10}
    out = LogWaveResampler("ivar_weighted", wave=wave, **bounds).fit_transform(np.ones((1, 101)))
    assert np.isfinite(out).sum() == 5
    assert np.isfinite(LogWaveResampler(wave=wave, **bounds).fit_transform(np.ones((1, 101)))).all()


def test_what_each_method_reproduces_exactly():
    x = np.log10(LINEAR)
    line = (2 + 1e-3 * LINEAR)[None]
    cubic = (1 + (x - 3.8) - 3 * (x - 3.8) ** 2 + 5 * (x - 3.8) ** 3)[None]
    fitted = {m: r.fit(line) for m, r in methods(wave=LINEAR, min_coverage=0.9).items()}
    w = fitted["linear"].wave_
    np.testing.assert_allclose(fitted["linear"].transform(line)[0], 2 + 1e-3 * w, rtol=1e-12)
    edges = fitted["linear"].edges_
    np.testing.assert_allclose(
        fitted["flux_conserving"].transform(line)[0], 2 + 5e-4 * (edges[1:] + edges[:-1]), rtol=1e-5
    )
    t = np.log10(w) - 3.8
    np.testing.assert_allclose(fitted["cubic"].transform(cubic)[0], 1 + t - 3 * t**2 + 5 * t**3, rtol=1e-12)
    for method, resampler in fitted.items():
        np.testing.assert_allclose(resampler.transform(np.ones((1, 3001))), 1.0, rtol=1e-12, err_msg=method)
    # A wave of the period that the transform supposes the grid to have.
    period = 0.45 * 3001 / 3000
    wave = np.cos(2 * np.pi * 7 * (x - 3.56) / period)[None]
    np.testing.assert_allclose(
        fitted["fft"].transform(wave)[0], np.cos(2 * np.pi * 7 * np.arange(433) / 433), atol=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_spectra_on_one_grid_on_own_grids_and_as_arrays_agree(method):
    flux, ivar = with_gaps(*draw(LINEAR))
    common = Spectra(flux, wave=LINEAR, ivar=ivar)
    other = Spectra(np.ones((1, 2000)), wave=np.linspace(3300, 11000, 2000), ivar=np.ones((1, 2000)))
    own = Spectra.concatenate([common, other])
    resampler = LogWaveResampler(method, wave=LINEAR).fit(flux)
    together = resampler.resample(common)
    apart = resampler.resample(own)
    np.testing.assert_allclose(apart.flux[:3], together.flux, rtol=2e-6)
    if together.ivar is not None:
        np.testing.assert_allclose(apart.ivar[:3], together.ivar, rtol=1e-5)
    array = resampler.transform(common)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, together.flux)
    np.testing.assert_allclose(apart.flux[3], 1, rtol=1e-6)
    complete = flux.copy()
    complete[0, [700, 1200, 1201]] = 1
    np.testing.assert_allclose(
        resampler.transform(complete), resampler.transform(Spectra(complete, wave=LINEAR)), rtol=3e-6
    )


@pytest.mark.parametrize("method", ["linear", "ivar_weighted"])
def test_variance_is_that_of_noise_draws(method):
    rng = np.random.default_rng(0)
    wave = 10 ** (3.6 + 1e-4 * np.arange(400))
    sigma = rng.uniform(0.5, 2.0, 400)
    spectra = Spectra(
        rng.normal(0, sigma, (10_000, 400)), wave=wave, ivar=np.broadcast_to(sigma**-2, (10_000, 400))
    )
    resampler = LogWaveResampler(method, loglam_min=3.601, loglam_max=3.638, n_bins=40).fit(spectra)
    out = resampler.resample(spectra)
    np.testing.assert_allclose(out.flux.var(axis=0) * out.ivar[0], 1.0, rtol=0.06)  # 4 sigma of a variance


@pytest.mark.parametrize("method", METHODS)
def test_hardly_a_pixel(method):
    wave = np.linspace(3500.0, 10300.0, 301)
    flux = np.full((3, 301), np.nan)
    flux[0] = 1
    flux[1, 150] = 2
    spectra = Spectra(flux, wave=wave)
    resampler = LogWaveResampler(method).fit(spectra)
    out = resampler.transform(spectra[:2])
    assert (out[1, np.isfinite(out[1])] == 2).all() or method == "fft"  # a pixel is held over its width
    assert resampler.coverage(spectra)[1] > 0
    assert resampler.coverage(spectra)[2] == 0
    with pytest.raises(ValueError, match="spectrum 2 has no valid pixels on the grid 3631–10233 Å"):
        resampler.transform(spectra)


@pytest.mark.parametrize("method", ["flux_conserving", "linear", "ivar_weighted"])
@pytest.mark.parametrize("missing", ["nan", "interpolate", "zero"])
def test_flux_and_ivar_side_by_side(method, missing):
    flux, ivar = with_gaps(*draw(LINEAR))
    spectra = Spectra(flux, wave=LINEAR, ivar=ivar)
    resampler = LogWaveResampler(method, output="flux_ivar", missing=missing).fit(spectra)
    both = resampler.transform(spectra)
    assert both.shape == (3, 866)
    assert both.dtype == np.float32
    alone = LogWaveResampler(method, missing=missing).fit(spectra)
    np.testing.assert_array_equal(both[:, :433], alone.transform(spectra))
    np.testing.assert_array_equal(both[:, 433:], alone.resample(spectra).ivar)
    assert (both[:, 433:] == 0).any()
    names = resampler.get_feature_names_out()
    assert len(set(names)) == 866
    assert (names[0], names[433]) == ("flux_3635.1", "ivar_3635.1")
    np.testing.assert_array_equal(resampler.inverse_transform(both), alone.inverse_transform(both[:, :433]))


@pytest.mark.parametrize("medium", ["vacuum", "air"])
def test_there_and_back(medium):
    fine = np.linspace(3500.0, 10300.0, 30_001)
    x = np.log(fine)
    flux = np.vstack([1 + 0.3 * np.sin(5 * x), 0.5 + x**2 / 100])
    spectra = Spectra(flux, wave=fine, medium=medium)
    resampler = LogWaveResampler().fit(spectra)
    wave = spectra.to_vacuum().wave
    np.testing.assert_array_equal(resampler.input_wave_, wave)
    back = resampler.inverse_transform(resampler.transform(spectra))
    inside = (wave >= resampler.edges_[0]) & (wave <= resampler.edges_[-1])
    assert np.isnan(back[:, ~inside]).all()
    held = (wave >= resampler.wave_[0]) & (wave <= resampler.wave_[-1])
    d = np.log(10) * 0.45 / 433
    bound = d**2 * (1.5 / 12 + 7.5 / 6)  # |f'| <= 1.5, |f''| <= 7.5
    assert np.abs(back[0] - flux[0])[held].max() < bound + 5e-7
    assert np.nanmax(np.abs(back - flux)) < d * 1.5


def test_way_back_of_arrays_marks_what_is_missing():
    flux, _ = draw(LINEAR)
    resampler = LogWaveResampler(wave=LINEAR).fit(flux)
    out = resampler.transform(flux)
    out[0, 100:110] = np.nan
    back = resampler.inverse_transform(out)
    assert back.dtype == np.float64
    at = np.interp(np.log(LINEAR), np.log(resampler.wave_), np.arange(433))
    assert np.isnan(back[0, (at > 99) & (at < 110)]).all()
    inside = np.isfinite(back[1])
    truth = np.interp(np.log(LINEAR), np.log(resampler.wave_), out[1])
    np.testing.assert_allclose(back[1, inside], truth[inside], rtol=1e-12)
    single = LogWaveResampler(wave=LINEAR, n_bins=1).fit(flux)
    assert np.nanstd(single.inverse_transform(single.transform(flux)), axis=1).max() < 1e-12
    with pytest.raises(ValueError, match="X has 5 features, transform gives 433"):
        resampler.inverse_transform(np.ones((1, 5)))
    own = Spectra([flux[0], flux[1, :-1]], wave=[LINEAR, LINEAR[:-1]])
    with pytest.raises(ValueError, match="fit was given spectra on different grids"):
        LogWaveResampler().fit(own).inverse_transform(out)


@pytest.mark.parametrize(
    ("parameters", "with_ivar", "match"),
    [
        ({"method": "spline"}, True, "method must be one of"),
        ({"output": "ivar"}, True, "output must be one of"),
        ({"output": "flux_ivar"}, False, "output='flux_ivar' needs Spectra with ivar; X has none"),
        ({"output": "flux_ivar", "method": "cubic"}, True, "which method='cubic' does not propagate"),
        ({"output": "flux_ivar", "method": "fft"}, True, "which method='fft' does not propagate"),
    ],
)
def test_bad_parameters_are_named(parameters, with_ivar, match):
    flux, ivar = draw(LINEAR)
    with pytest.raises(ValueError, match=match):
        LogWaveResampler(**parameters).fit(Spectra(flux, wave=LINEAR, ivar=ivar if with_ivar else None))


def test_interpolation_throws_pixels_away():
    noise = Spectra(np.random.default_rng(0).normal(1, 0.1, (20, len(LOG))), wave=LOG)
    spread = {
        m: LogWaveResampler(m).fit_transform(noise).std() for m in ("flux_conserving", "linear", "cubic")
    }
    pixels = 0.45 / 433 / 1e-4  # in a bin
    assert spread["flux_conserving"] == pytest.approx(0.1 / np.sqrt(pixels), rel=0.03)
    # Linear interpolation at random places keeps 2/3 of the variance of a pixel.
    assert spread["linear"] == pytest.approx(0.1 * np.sqrt(2 / 3), rel=0.03)
    assert spread["cubic"] > 0.09
