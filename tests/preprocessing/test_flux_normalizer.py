import numpy as np
import pytest
from astropy import units as u

from skspec import FluxNormalizer, Spectra

WAVE = np.linspace(4000.0, 5000.0, 50)
RNG = np.random.default_rng(0)
FLUX = RNG.normal(5.0, 2.0, (4, 50))
GAPPY = np.where(RNG.random((4, 50)) < 0.2, np.nan, FLUX)

# Each method on one row without gaps, written out.
TRUTH = {
    "max": lambda f: f / abs(f.max()),
    "mean": lambda f: f / abs(f.mean()),
    "median": lambda f: f / abs(np.median(f)),
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
