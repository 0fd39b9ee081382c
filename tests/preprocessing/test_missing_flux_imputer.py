import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skspec import FluxNormalizer, LogWaveResampler, MissingFluxImputer, Spectra
from tests._data import data_path

RNG = np.random.default_rng(0)
WAVE = np.sort(RNG.uniform(4000.0, 7000.0, 80))
FLUX = RNG.normal(5.0, 1.0, (6, 80))
GAPS = RNG.random(FLUX.shape) < 0.3
GAPS[0] = False
GAPS[1, :10] = GAPS[2, -5:] = True
GAPPY = np.where(GAPS, np.nan, FLUX)
METHODS = ("linear", "nearest", "template", "constant")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.floats(0, 0.9))
def test_along_wavelength_equals_numpy_and_scipy(seed, n_pixels, missing):
    rng = np.random.default_rng(seed)
    wave = np.cumsum(rng.uniform(0.2, 2.0, n_pixels)) + 4000.0
    flux = rng.normal(size=(3, n_pixels))
    flux[rng.random(flux.shape) < missing] = np.nan
    flux[:, rng.integers(n_pixels)] = 1.0
    linear = MissingFluxImputer(min_coverage=0.0, wave=wave).fit_transform(flux)
    nearest = MissingFluxImputer("nearest", min_coverage=0.0, wave=wave).fit_transform(flux)
    for k, row in enumerate(flux):
        good = np.isfinite(row)
        np.testing.assert_allclose(linear[k], np.interp(wave, wave[good], row[good]), atol=1e-10)
        if good.sum() > 1:
            truth = interp1d(wave[good], row[good], "nearest", bounds_error=False, fill_value="extrapolate")
            np.testing.assert_array_equal(nearest[k], truth(wave))
        else:
            np.testing.assert_array_equal(nearest[k], row[good][0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
def test_valid_pixels_are_untouched_and_all_others_filled(method, dtype):
    flux = GAPPY.astype(dtype)
    kept = flux.copy()
    imputer = MissingFluxImputer(method, n_components=2, fill_value=-7.0, random_state=0).fit(flux)
    out = imputer.transform(flux)
    assert out.dtype == dtype
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out[~GAPS], flux[~GAPS])
    np.testing.assert_array_equal(flux, kept)
    if method == "constant":
        assert (out[GAPS] == -7.0).all()
    np.testing.assert_allclose(imputer.transform(flux[3:4])[0], out[3], rtol=1e-5)
    # The same missing by inverse variance, with rubbish there.
    spectra = Spectra(np.where(GAPS, 1e6, flux), wave=WAVE, ivar=1.0 * ~GAPS)
    again = MissingFluxImputer(method, n_components=2, fill_value=-7.0, random_state=0, wave=WAVE)
    np.testing.assert_allclose(
        again.fit(spectra).transform(spectra), again.fit(flux).transform(flux), rtol=1e-5
    )


def low_rank(n_spectra, n_pixels, n_components, seed=0):
    rng = np.random.default_rng(seed)
    scale = np.geomspace(3.0, 1.0, n_components)
    return (
        2.0
        + (scale * rng.normal(size=(n_spectra, n_components)))
        @ rng.normal(size=(n_components, n_pixels))
        / 3.0
    )


def test_template_recovers_what_has_few_components():
    truth = low_rank(200, 150, 4)
    gaps = np.random.default_rng(1).random(truth.shape) < 0.2
    gaps[:, 60:80] = (np.arange(200) % 3 == 0)[:, None]
    flux = np.where(gaps, np.nan, truth)
    imputer = MissingFluxImputer("template", n_components=4, tol=0.0, max_rounds=300, random_state=0).fit(
        flux[:150]
    )
    out = imputer.transform(flux)
    np.testing.assert_allclose(out[150:][gaps[150:]], truth[150:][gaps[150:]], atol=1e-4)
    np.testing.assert_allclose(out[:150], truth[:150], atol=1e-4)
    assert 1 < imputer.n_rounds_ < 300


def test_template_of_complete_spectra_is_the_principal_components():
    flux = low_rank(100, 60, 3) + 0.1 * RNG.normal(size=(100, 60))
    ours = MissingFluxImputer("template", n_components=3, random_state=0).fit(flux)
    theirs = PCA(3).fit(flux)
    assert ours.n_rounds_ == 0
    np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(np.abs(ours.components_ @ theirs.components_.T), np.eye(3), atol=1e-5)
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_ * 0.99, rtol=1e-6)
    np.testing.assert_allclose(ours.noise_variance_, theirs.noise_variance_ * 0.99, rtol=1e-4)


def test_coefficients_are_those_of_ridge_regression_on_the_valid_pixels():
    flux = low_rank(100, 60, 3) + 0.5 * RNG.normal(size=(100, 60))
    imputer = MissingFluxImputer("template", n_components=3, random_state=0).fit(flux)
    row = flux[0].copy()
    row[10:40] = np.nan
    good = np.isfinite(row)
    design = imputer.components_[:, good].T
    prior = np.diag(imputer.noise_variance_ / imputer.explained_variance_)
    weights = np.linalg.inv(design.T @ design + prior) @ design.T @ (row - imputer.mean_)[good]
    np.testing.assert_allclose(
        imputer.transform(row[None])[0, 10:40],
        (imputer.mean_ + weights @ imputer.components_)[10:40],
        rtol=1e-10,
    )


def test_template_that_has_not_settled_says_so():
    flux = np.where(RNG.random((40, 60)) < 0.3, np.nan, low_rank(40, 60, 5))
    imputer = MissingFluxImputer("template", n_components=5, max_rounds=1, tol=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_rounds=1"):
        imputer.fit(flux)


def sparse_spectra():
    ivar = np.ones((4, 80))
    ivar[2, 20:] = 0
    ivar[3] = 0
    return Spectra(FLUX[:4], wave=WAVE, ivar=ivar, meta={"file": ["a", "b", "c.fits", "d"]})


def test_spectra_with_too_little_coverage_raise_or_are_flagged():
    spectra = sparse_spectra()
    imputer = MissingFluxImputer().fit(spectra)
    np.testing.assert_allclose(imputer.coverage(spectra), [1, 1, 0.25, 0])
    with pytest.raises(
        ValueError, match=r"c.fits \(spectrum 2\) has valid flux in 25.0% .* min_coverage=0.5"
    ):
        imputer.transform(spectra)
    with pytest.raises(ValueError, match=r"d \(spectrum 3\) has valid flux in 0.0%"):
        imputer.set_params(min_coverage=0.0).transform(spectra)
    with pytest.raises(ValueError, match="learns the template from the others"):
        MissingFluxImputer("template", n_components=1).fit(spectra)
    for method in METHODS:
        flagged = MissingFluxImputer(
            method, n_components=1, low_coverage="nan", add_indicator=True, random_state=0
        ).fit_transform(spectra)
        np.testing.assert_array_equal(flagged[:2, :80], spectra.flux[:2])
        assert np.isnan(flagged[2:, :80]).all()
        np.testing.assert_array_equal(flagged[:, 80:], spectra.ivar == 0)


def test_indicator_is_a_second_channel_with_names():
    spectra = Spectra(GAPPY, wave=WAVE)
    imputer = MissingFluxImputer(add_indicator=True).fit(spectra)
    out = imputer.transform(spectra)
    np.testing.assert_array_equal(out[:, 80:], GAPS)
    np.testing.assert_array_equal(out[:, :80], MissingFluxImputer().fit_transform(spectra))
    names = imputer.get_feature_names_out()
    np.testing.assert_allclose([float(n.removeprefix("flux_")) for n in names[:80]], WAVE, atol=0.06)
    assert list(names[80:]) == [n.replace("flux_", "missing_") for n in names[:80]]


def test_names_after_the_resampler():
    spectra = Spectra(np.ones((2, 80)), wave=WAVE)
    pipeline = make_pipeline(
        LogWaveResampler(loglam_min=3.6, loglam_max=3.85, n_bins=4, min_coverage=0.99),
        MissingFluxImputer(add_indicator=True, min_coverage=0.1),
    ).set_output(transform="pandas")
    columns = list(pipeline.fit_transform(spectra).columns)
    assert columns[0] == "flux_4278.1"
    assert columns[4] == "missing_4278.1"
    assert list(MissingFluxImputer().fit(GAPPY).get_feature_names_out()[:2]) == ["x0", "x1"]


def test_air_wavelengths_are_the_same_grid():
    spectra = Spectra(GAPPY, wave=WAVE)
    imputer = MissingFluxImputer().fit(spectra)
    np.testing.assert_allclose(imputer.transform(spectra.to_air()), imputer.transform(spectra))


@pytest.mark.parametrize(
    ("parameters", "X", "error", "match"),
    [
        ({"method": "lineer"}, GAPPY, ValueError, "did you mean 'linear'"),
        ({"low_coverage": "flag"}, GAPPY, ValueError, "low_coverage must be one of 'raise', 'nan'"),
        ({"fill_value": "0"}, GAPPY, TypeError, "fill_value must be an instance of"),
        ({"min_coverage": 2}, GAPPY, ValueError, "min_coverage == 2"),
        (
            {"method": "template", "n_components": 7},
            GAPPY,
            ValueError,
            "n_components=7 is more than n_samples = 6",
        ),
        ({"wave": WAVE[1:]}, GAPPY, ValueError, "wave has 79 wavelengths, X has 80 features"),
        (
            {"method": "template", "n_components": 1},
            np.where(np.arange(80) < 3, np.nan, FLUX),
            ValueError,
            "3 pixels, the first with index 0, are missing in all spectra",
        ),
        (
            {},
            Spectra([FLUX[0], FLUX[1, :9]], wave=[WAVE, WAVE[:9]]),
            ValueError,
            "the 2 spectra have different wavelength grids; put LogWaveResampler first",
        ),
    ],
)
def test_bad_input_is_named(parameters, X, error, match):
    with pytest.raises(error, match=match):
        MissingFluxImputer(**parameters).fit(X)


def test_another_grid_is_refused():
    imputer = MissingFluxImputer().fit(Spectra(FLUX, wave=WAVE))
    with pytest.raises(ValueError, match="not the grid of fit"):
        imputer.transform(Spectra(FLUX, wave=WAVE + 1))
    with pytest.raises(ValueError, match="not the grid of fit"):
        imputer.transform(Spectra(FLUX[:, 1:], wave=WAVE[1:]))


def test_mapped_input_is_read_in_blocks(tmp_path):
    flux = np.random.default_rng(0).normal(size=(2500, 4000)).astype(np.float32)
    flux[::3, 100:200] = np.nan
    np.save(tmp_path / "flux.npy", flux)
    mapped = np.load(tmp_path / "flux.npy", mmap_mode="r")
    imputer = MissingFluxImputer().fit(mapped)
    tracemalloc.start()
    out = imputer.transform(mapped)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(out[-20:], imputer.transform(flux[-20:]))
    assert peak < 2 * flux.nbytes  # the result is one of them


def test_template_fills_gaps_in_real_stars_better_than_a_line():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as data:
        spectra = Spectra(data["flux"][:, ::4], wave=data["wave"][::4], medium="air")
    spectra = FluxNormalizer().fit_transform(spectra)
    rng = np.random.default_rng(0)
    gaps = np.zeros(spectra.shape, bool)
    for row in gaps:
        start = rng.integers(0, 1000)
        row[start : start + rng.integers(10, 75)] = True
    gappy = Spectra(spectra.flux, wave=spectra.wave, ivar=1.0 * ~gaps, medium="air")
    error = {}
    for method in ("linear", "template"):
        imputer = MissingFluxImputer(method, random_state=0).fit(gappy[::2])
        error[method] = np.median(np.abs(imputer.transform(gappy[1::2]) - spectra.flux[1::2])[gaps[1::2]])
    assert error["template"] < 0.5 * error["linear"]
