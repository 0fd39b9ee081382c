from contextlib import nullcontext

import numpy as np
import pytest
from astropy import units as u
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline, make_union

from skspec import ContinuumNormalizer, FluxNormalizer, LogWaveResampler, Spectra

WAVE = np.linspace(4000.0, 5000.0, 50)
RNG = np.random.default_rng(0)
FLUX = RNG.normal(5.0, 2.0, (4, 50))
GAPPY = np.where(RNG.random((4, 50)) < 0.2, np.nan, FLUX)

# Each method on one row without gaps, written out.
TRUTH = {
    "max": lambda f: f / abs(f.max()),
    "mean": lambda f: f / abs(f.mean()),
    "median": lambda f: f / abs(np.median(f)),
    "auto": lambda f: f / abs(np.median(f)),
    "l2": lambda f: f / np.sqrt((f**2).sum()),
    "minmax": lambda f: (f - f.min()) / (np.quantile(f, 0.9) - f.min()),
    "quantile": lambda f: f / abs(np.quantile(f, 0.9)),
    "snv": lambda f: (f - f.mean()) / f.std(),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("X", [FLUX, GAPPY, -FLUX], ids=["complete", "gaps", "negative"])
@pytest.mark.parametrize("method", TRUTH)
def test_equals_the_formula_over_valid_pixels(method, X, dtype):
    X = X.astype(dtype)
    near_zero = method == "max" and X[0, 0] < 0  # the largest of negative numbers
    with pytest.warns(UserWarning, match="near zero") if near_zero else nullcontext():
        out = FluxNormalizer(method).fit_transform(X)
    assert out.dtype == dtype
    for row, got in zip(X.astype(float), out, strict=True):
        good = np.isfinite(row)
        np.testing.assert_allclose(
            got[good], TRUTH[method](row[good]), rtol=2e-5 if dtype == np.float32 else 1e-12, atol=1e-6
        )
        assert np.isnan(got[~good]).all()


def test_l2_equals_scikit_learn():
    from sklearn.preprocessing import normalize

    np.testing.assert_allclose(FluxNormalizer("l2").fit_transform(FLUX), normalize(FLUX), rtol=1e-12)


@pytest.mark.parametrize("method", TRUTH)
def test_spectra_keep_signal_to_noise_and_agree_with_arrays(method):
    ivar = RNG.uniform(0.5, 2.0, FLUX.shape)
    ivar[np.isnan(GAPPY)] = 0
    spectra = Spectra(FLUX, wave=WAVE, ivar=ivar, meta={"object": list("abcd")})
    out = FluxNormalizer(method).fit_transform(spectra)
    assert isinstance(out, Spectra)
    np.testing.assert_allclose(
        np.asarray(out), FluxNormalizer(method).fit_transform(np.asarray(spectra)), rtol=1e-5
    )
    if method not in ("snv", "minmax"):  # those move the zero point
        np.testing.assert_allclose(out.snr, spectra.snr, rtol=1e-5)
    assert out.meta["object"].tolist() == list("abcd")


def test_own_grids_row_by_row():
    waves = [WAVE, WAVE[:30]]
    spectra = Spectra([FLUX[0], FLUX[1, :30]], wave=waves, ivar=[np.ones(50), np.ones(30)])
    out = FluxNormalizer("mean").fit_transform(spectra)
    np.testing.assert_allclose(out.flux[1], FLUX[1, :30] / FLUX[1, :30].mean(), rtol=1e-6)
    np.testing.assert_allclose(out.ivar[1], FLUX[1, :30].mean() ** 2, rtol=1e-6)


@pytest.mark.parametrize("method", ["mean", "snv"])
def test_inverse_variance_weights(method):
    ivar = RNG.uniform(0.1, 5.0, FLUX.shape).astype(np.float32)
    ivar[:, :5] = 0
    out = FluxNormalizer(method, ivar_weighted=True).fit_transform(Spectra(FLUX, wave=WAVE, ivar=ivar))
    mean = np.average(FLUX, axis=1, weights=ivar)[:, None]
    spread = np.sqrt(np.average((FLUX - mean) ** 2, axis=1, weights=ivar))[:, None]
    truth = FLUX / mean if method == "mean" else (FLUX - mean) / spread
    np.testing.assert_allclose(np.asarray(out)[:, 5:], truth[:, 5:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", TRUTH)
def test_flat_and_empty_scales_leave_finite_values(method):
    out = FluxNormalizer(method).fit_transform(np.vstack([np.zeros(50), np.full(50, 0.1)]))
    assert np.isfinite(out).all()
    assert (out[0] == 0).all()
    if method in ("snv", "minmax"):
        np.testing.assert_allclose(out[1], 0.0, atol=1e-15)


@pytest.mark.parametrize(
    ("parameters", "X", "error", "match"),
    [
        ({"method": "medain"}, FLUX, ValueError, "did you mean 'median'"),
        ({"quantile": 0.0}, FLUX, ValueError, "quantile == 0.0"),
        ({"ivar_weighted": True}, FLUX, ValueError, "works with method mean, snv, got 'median'"),
        ({"method": "mean", "ivar_weighted": True}, FLUX, ValueError, "X has none"),
        ({"method": "mean", "ivar_weighted": True}, Spectra(FLUX, wave=WAVE), ValueError, "X has none"),
        ({}, FLUX * u.Jy, TypeError, "Quantity in Jy"),
        ({}, np.where(np.eye(4, 50, dtype=bool), np.inf, FLUX), ValueError, "infinity"),
    ],
)
def test_bad_input_is_named(parameters, X, error, match):
    with pytest.raises(error, match=match):
        FluxNormalizer(**parameters).fit(X)


def test_spectrum_without_valid_pixel_is_named():
    X = FLUX.copy()
    X[2] = np.nan
    with pytest.raises(ValueError, match="spectrum 2 has no valid pixel"):
        FluxNormalizer().fit_transform(X)
    spectra = Spectra(X, wave=WAVE, meta={"file": ["a", "b", "c.fits", "d"]})
    with pytest.raises(ValueError, match=r"c.fits \(spectrum 2\)"):
        FluxNormalizer().fit_transform(spectra)


def test_names_go_through():
    import pandas as pd

    frame = pd.DataFrame(FLUX, columns=[f"flux_{w:.1f}" for w in WAVE])
    out = FluxNormalizer().set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == list(frame.columns)


def subtracted(n_pixels=401):
    """Spectra whose continuum was subtracted: one line in noise about zero."""
    line = -8 * np.exp(-0.5 * ((np.arange(n_pixels) - 200) / 5.0) ** 2)
    return line + np.random.default_rng(3).normal(0.0, 1.0, (20, n_pixels))


@pytest.mark.parametrize("method", ["mean", "median"])
def test_scale_near_zero_warns(method):
    X = subtracted()
    X -= getattr(np, method)(X, axis=1, keepdims=True) * 0.99
    X[:3] += 10.0
    with pytest.warns(
        UserWarning, match=rf"'{method}' scale of 17 of 20 spectra, .* spectrum 3, .*'snv' or 'auto'"
    ):
        FluxNormalizer(method).fit_transform(X)


@pytest.mark.parametrize("method", ["max", "mean", "median", "quantile"])
def test_scale_of_zero_warns_if_flux_is_not_zero(method):
    X = np.zeros((2, 11))
    X[1, 8:10] = 1.0, -1.0
    if method in ("max", "quantile"):
        X = np.minimum(X, 0.0)
    with pytest.warns(UserWarning, match=f"'{method}' scale of 1 of 2 spectra, the first of them spectrum 1"):
        out = FluxNormalizer(method).fit_transform(X)
    np.testing.assert_array_equal(out, X)


def test_minmax_without_range_warns():
    with pytest.warns(UserWarning, match="choose method='snv'"):
        FluxNormalizer("minmax").fit_transform(np.eye(1, 30))


@pytest.mark.parametrize("kind", ["array", "spectra", "own grids"])
def test_auto_takes_the_root_mean_square_where_the_median_is_near_zero(kind):
    X = subtracted()
    X[:5] += 10.0
    X[5] = 0.0
    X[6, :300] = 0.0
    if kind != "array":
        wave = 4000.0 + np.arange(401.0)
        waves = wave if kind == "spectra" else wave * (1 + 1e-3 * np.arange(20.0)[:, None] ** 1.5)
        X = Spectra(X, wave=waves, ivar=np.ones((20, 401)))
    out = FluxNormalizer("auto").fit_transform(X)
    flux = np.asarray(X if kind == "array" else X.flux, dtype=float)
    scale = np.sqrt(np.mean(flux**2, axis=1))
    scale[:5] = np.median(flux[:5], axis=1)
    scale[5] = 1.0
    np.testing.assert_allclose(
        np.asarray(out if kind == "array" else out.flux), flux / scale[:, None], rtol=1e-5
    )
    if kind != "array":
        np.testing.assert_allclose(np.asarray(out.ivar)[:, 0], scale**2, rtol=1e-5)


def test_noisy_and_rising_spectra_do_not_warn():
    rng = np.random.default_rng(0)
    faint = 0.5 + rng.normal(0.0, 1.0, (20, 1000))
    rising = np.linspace(0.0, 1.0, 1000) ** 6 + rng.normal(0.0, 1e-3, (5, 1000))
    for X in (faint, rising, np.abs(subtracted())):
        np.testing.assert_array_equal(
            FluxNormalizer("auto").fit_transform(X), FluxNormalizer("median").fit_transform(X)
        )


@pytest.mark.parametrize("scale", [1e-30, 1e-25, 1e18])
def test_inverse_variance_of_faint_and_bright_flux(scale):
    flux = np.float32(scale) * FLUX.astype(np.float32)
    ivar = np.full(FLUX.shape, min(max(scale**-2, 1e-37), 1e38), np.float32)
    spectra = Spectra(flux, wave=WAVE, ivar=ivar)
    out = FluxNormalizer().fit_transform(spectra)
    expected = ivar.astype(float) * np.median(flux.astype(float), axis=1, keepdims=True) ** 2
    np.testing.assert_allclose(out.ivar, expected, rtol=1e-5)


@pytest.mark.parametrize("transformer", [FluxNormalizer(), ContinuumNormalizer(window=5)])
def test_spectra_stay_spectra_under_set_output(transformer):
    import pandas as pd

    spectra = Spectra(FLUX, wave=WAVE)
    plain = transformer.fit_transform(spectra)
    with config_context(transform_output="pandas"):
        out = transformer.fit_transform(spectra)
        again = make_pipeline(transformer, FluxNormalizer("mean")).fit_transform(spectra)
        union = make_union(transformer, LogWaveResampler(loglam_min=3.61, loglam_max=3.69, n_bins=5))
        together = union.fit_transform(spectra)
        frame = transformer.fit_transform(pd.DataFrame(FLUX))
        columns = ColumnTransformer([("flux", transformer, [0, 1, 2])], remainder="passthrough")
        both = columns.fit_transform(pd.DataFrame(FLUX, columns=[f"f{k}" for k in range(50)]))
        passed = make_union("passthrough", transformer).fit_transform(spectra)
    assert isinstance(out, Spectra)
    assert isinstance(again, Spectra)
    np.testing.assert_array_equal(out.flux, plain.flux)
    assert isinstance(frame, pd.DataFrame)
    assert together.shape == (4, 55)
    assert both.columns[0] == "flux__f0"
    np.testing.assert_array_equal(np.asarray(passed)[:, :50], spectra.flux)
    with pytest.raises(NotFittedError, match="does not provide get_feature_names_out"):
        transformer.__class__().fit(spectra).get_feature_names_out()
