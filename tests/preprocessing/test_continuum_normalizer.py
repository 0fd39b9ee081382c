import tracemalloc

import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.interpolate import LSQUnivariateSpline
from scipy.sparse.linalg import spsolve
from sklearn.pipeline import make_pipeline

from skspec import ContinuumNormalizer, FluxNormalizer, Spectra
from tests._data import data_path

RNG = np.random.default_rng(0)
N = 600
WAVE = np.sort(RNG.uniform(4000.0, 7000.0, N))
X = np.linspace(-1.0, 1.0, N)
FLUX = 2.0 + X - 0.5 * X**2 + 0.05 * RNG.normal(size=(6, N))
FLUX[:, 100:110] -= 1.0
FLUX[2:, 300:303] += 2.0
GAPPY = np.where(RNG.random(FLUX.shape) < 0.1, np.nan, FLUX)
GAPPY[1, :20] = np.nan
GAPPY[2, -7:] = np.nan
METHODS = ("median", "quantile", "polynomial", "spline", "als")


def clipped(fit, flux, low, high):
    """Fit, leave out, fit again, six times; `fit` gives a function of the wavelength."""
    used = np.isfinite(flux)
    for _ in range(6):
        residual = flux - fit(WAVE[used], flux[used])(WAVE)
        sigma = np.sqrt(np.mean(residual[used] ** 2))
        keep = used & (residual >= -low * sigma) & (residual <= high * sigma)
        if keep.sum() == used.sum():
            break
        used = keep
    return fit(WAVE[used], flux[used])(WAVE)


@pytest.mark.parametrize("limits", [(1.5, 3.0), (np.inf, 2.0), (np.inf, np.inf)])
@pytest.mark.parametrize("flux", [FLUX, GAPPY], ids=["complete", "gaps"])
def test_polynomial_equals_numpy_fits(flux, limits):
    def fit(wave, row):
        return np.polynomial.Legendre.fit(wave, row, 4)

    low, high = limits
    normalizer = ContinuumNormalizer(
        "polynomial", degree=4, sigma_low=low, sigma_high=high, max_rounds=6, wave=WAVE
    ).fit(flux)
    for row, ours in zip(flux, normalizer.continuum(flux), strict=True):
        truth = clipped(fit, row, low, high)
        seen = np.isfinite(ours)
        np.testing.assert_allclose(ours[seen], truth[seen], rtol=1e-10)


@pytest.mark.parametrize("limits", [(1.5, 3.0), (np.inf, np.inf)])
def test_spline_equals_scipy_fits(limits):
    knots = np.linspace(WAVE[0], WAVE[-1], 10)[1:-1]
    low, high = limits
    normalizer = ContinuumNormalizer(
        "spline", n_knots=8, sigma_low=low, sigma_high=high, max_rounds=6, wave=WAVE
    ).fit(FLUX)
    for row, ours in zip(FLUX, normalizer.continuum(FLUX), strict=True):
        truth = clipped(
            lambda w, f: LSQUnivariateSpline(w, f, knots, bbox=(WAVE[0], WAVE[-1])), row, low, high
        )
        np.testing.assert_allclose(ours, truth, rtol=1e-5)


@pytest.mark.parametrize("method", ["polynomial", "spline"])
def test_an_outlier_on_a_grid_of_its_own_leaves_nothing_behind(method):
    waves = [WAVE, 1.01 * WAVE[:-5], 1.02 * WAVE]
    clean = Spectra([FLUX[k, : len(wave)] for k, wave in enumerate(waves)], wave=waves)
    without, with_outlier = [row.copy() for row in clean.flux], [row.copy() for row in clean.flux]
    for row, other in zip(without, with_outlier, strict=True):
        row[70], other[70] = np.nan, 1e20
    normalizer = ContinuumNormalizer(method, sigma_low=5.0, sigma_high=5.0, max_rounds=30).fit(clean)
    for ours, truth in zip(
        normalizer.continuum(clean.replace(flux=with_outlier)).flux,
        normalizer.continuum(clean.replace(flux=without)).flux,
        strict=True,
    ):
        np.testing.assert_allclose(ours, truth, rtol=1e-6)


def test_spline_crosses_a_gap_without_pixels():
    flux = 1e-3 * WAVE[None].repeat(2, 0)
    flux[0, 200:400] = np.nan
    ours = ContinuumNormalizer("spline", n_knots=20, wave=WAVE).fit(flux).continuum(flux)
    np.testing.assert_allclose(ours[0], 1e-3 * WAVE, rtol=1e-6)  # a straight line stays one


def test_asymmetric_least_squares_equals_its_formula():
    smoothness, asymmetry = 1e4, 0.9
    ours = ContinuumNormalizer("als", smoothness=smoothness, asymmetry=asymmetry, max_rounds=50)
    second = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(N - 2, N))
    for row, got in zip(GAPPY[[0, 3]], ours.fit(GAPPY).continuum(GAPPY[[0, 3]]), strict=True):
        y, weight = np.nan_to_num(row), np.isfinite(row).astype(float)
        for _ in range(50):
            matrix = sparse.diags(weight) + smoothness * second.T @ second
            curve = spsolve(matrix.tocsc(), weight * y)
            weight = np.where(y > curve, asymmetry, 1 - asymmetry) * np.isfinite(row)
        seen = np.isfinite(got)
        np.testing.assert_allclose(got[seen], curve[seen], rtol=1e-8)


def test_published_preparation():
    flux = RNG.normal(10.0, 1.0, (4, 500))
    subtracted = make_pipeline(
        FluxNormalizer("minmax", quantile=0.9), ContinuumNormalizer(mode="subtract")
    ).fit_transform(flux)
    low, high = flux.min(axis=1, keepdims=True), np.quantile(flux, 0.9, axis=1, keepdims=True)
    scaled = (flux - low) / (high - low)
    truth = scaled - ndimage.median_filter(scaled, size=(1, 100), mode="nearest")
    np.testing.assert_allclose(subtracted, truth, atol=1e-12)
    stored = ContinuumNormalizer().fit_transform(flux)
    np.testing.assert_array_equal(stored, flux / ndimage.median_filter(flux, size=(1, 100), mode="nearest"))


# How far from the true continuum, in percent, a spectrum of 2 % noise with 15 lines may bring each method: a running
# quantile and asymmetric least squares rest on the upper part of the noise.
CLOSE = {"median": 2.5, "quantile": 4.0, "polynomial": 1.3, "spline": 1.5, "als": 2.5}


@pytest.mark.parametrize("method", METHODS)
def test_continuum_is_recovered_under_noise_and_lines(method):
    wave = np.linspace(4000.0, 7000.0, 3000)
    truth = 1.0 + 0.5 * np.sin((wave - 4000.0) / 1500.0)
    rng = np.random.default_rng(1)
    lines = np.ones_like(wave)
    for centre in rng.uniform(4050.0, 6950.0, 15):
        lines -= rng.uniform(0.2, 0.5) * np.exp(-0.5 * ((wave - centre) / 4.0) ** 2)
    flux = truth * (lines + 0.02 * rng.normal(size=(5, 3000)))
    ours = ContinuumNormalizer(method, window=151, quantile=0.75, wave=wave).fit(flux).continuum(flux)
    assert 100 * np.quantile(np.abs(ours / truth - 1), 0.95) < CLOSE[method]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", ["divide", "subtract"])
@pytest.mark.parametrize("method", METHODS)
def test_missing_pixels_stay_missing_and_do_not_matter(method, mode, dtype):
    flux = GAPPY.astype(dtype)
    normalizer = ContinuumNormalizer(method, mode=mode, wave=WAVE).fit(flux)
    out = normalizer.transform(flux)
    assert out.dtype == dtype
    np.testing.assert_array_equal(np.isnan(out), np.isnan(flux))
    continuum = normalizer.continuum(flux)
    assert continuum.dtype == dtype
    good = np.isfinite(flux)
    np.testing.assert_allclose(
        out[good], (flux / continuum if mode == "divide" else flux - continuum)[good], rtol=1e-6
    )
    # Missing by ivar alone: whatever stands there has no part in the continuum.
    ivar = good.astype(float)
    rubbish = Spectra(np.where(good, flux, 1e6), wave=WAVE, ivar=ivar)
    spectra = normalizer.transform(rubbish)
    np.testing.assert_allclose(np.asarray(spectra), out, rtol=2e-5, atol=2e-5)
    assert ((spectra.ivar == 0) == ~good).all()


@pytest.mark.parametrize("edge", ["nearest", "reflect", "mirror", "shrink"])
@pytest.mark.parametrize("method", METHODS)
def test_own_grids_missing_ends_and_one_grid_agree(method, edge):
    """A spectrum is treated alike whether it lacks its ends or they are marked missing."""
    unit = {"window": 150.0, "window_unit": "angstrom"} if method == "quantile" else {}
    normalizer = ContinuumNormalizer(method, edge=edge, **unit)
    starts, stops = (0, 30, 0), (N, N, N - 11)
    ivar = np.zeros((3, N))
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        ivar[k, start:stop] = 4.0
    ivar[:, 250:260] = 0
    common = Spectra(FLUX[:3], wave=WAVE, ivar=ivar, meta={"object": list("abc")})
    cut = [slice(*ends) for ends in zip(starts, stops, strict=True)]
    own = Spectra(
        [FLUX[k, c] for k, c in enumerate(cut)],
        wave=[WAVE[c] for c in cut],
        ivar=[ivar[k, c] for k, c in enumerate(cut)],
        meta={"object": list("abc")},
    )
    together, apart = normalizer.fit(common).transform(common), normalizer.transform(own)
    assert not apart.is_common_grid
    assert apart.meta["object"].tolist() == list("abc")
    for k, c in enumerate(cut):
        np.testing.assert_allclose(apart.flux[k], together.flux[k, c], rtol=2e-6)
        np.testing.assert_allclose(apart.ivar[k], together.ivar[k, c], rtol=2e-6)
        np.testing.assert_allclose(
            normalizer.continuum(own).flux[k], normalizer.continuum(common).flux[k, c], rtol=2e-6
        )
    assert normalizer.continuum(own).ivar is None


def test_inverse_variance_is_divided_along_and_kept_when_subtracting():
    ivar = RNG.uniform(0.5, 2.0, FLUX.shape)
    spectra = Spectra(FLUX, wave=WAVE, ivar=ivar)
    divided = ContinuumNormalizer().fit_transform(spectra)
    np.testing.assert_allclose(divided.snr, spectra.snr, rtol=1e-5)
    np.testing.assert_allclose(
        divided.ivar, ivar * ContinuumNormalizer().fit(spectra).continuum(spectra).flux ** 2, rtol=1e-5
    )
    subtracted = ContinuumNormalizer(mode="subtract").fit_transform(spectra)
    np.testing.assert_array_equal(subtracted.ivar, spectra.ivar)


def test_units_leave_with_the_continuum():
    from astropy import units as u

    spectra = Spectra(FLUX * u.Unit("erg s-1 cm-2 AA-1"), wave=WAVE)
    assert ContinuumNormalizer().fit_transform(spectra).flux_unit is None
    assert ContinuumNormalizer(mode="subtract").fit_transform(spectra).flux_unit == spectra.flux_unit


@pytest.mark.parametrize("as_spectra", [False, True])
def test_continuum_that_cannot_be_divided_by(as_spectra):
    flux = np.ones((2, 300))
    flux[1, 100:] = -1.0
    flux[1, 250:] = 0.0
    data = Spectra(flux, wave=WAVE[:300], ivar=np.ones((2, 300)), meta={"file": ["a", "b.fits"]})
    normalizer = ContinuumNormalizer(window=3)
    out = normalizer.fit_transform(data if as_spectra else flux)
    assert (np.isnan(np.asarray(out)) == (flux <= 0)).all()
    if as_spectra:
        np.testing.assert_array_equal(out.ivar, flux > 0)
    name = r"b.fits \(spectrum 1\)" if as_spectra else "spectrum 1"
    with pytest.raises(ValueError, match=f"{name} has a continuum of -1 at pixel 100"):
        normalizer.set_params(non_positive="raise").fit_transform(data if as_spectra else flux)
    tiny = np.full((1, 300), 1e-30, np.float32)
    tiny[0, 50] = 1e30
    out = ContinuumNormalizer(window=3).fit_transform(tiny)
    assert np.isnan(out[0, 50])  # beyond float32, which is missing too
    np.testing.assert_array_equal(np.delete(out[0], 50), 1.0)


@pytest.mark.parametrize("as_spectra", [False, True])
def test_pixels_far_from_the_continuum_are_missing(as_spectra):
    flux = np.full((2, 300), 2.0)
    flux[0, [50, 120, 200]] = 10.0, -10.0, 10.1  # 5, -5 and 5.05 times the continuum
    flux[1, 7] = -10.1
    data = Spectra(flux, wave=WAVE[:300], ivar=np.ones((2, 300))) if as_spectra else flux
    every = ContinuumNormalizer(window=5).fit_transform(data)
    kept = ContinuumNormalizer(window=5, max_ratio=5.0).fit_transform(data)
    far = np.abs(flux) > 10.0
    assert far.sum() == 2
    np.testing.assert_array_equal(np.isnan(np.asarray(kept)), far)
    np.testing.assert_array_equal(np.asarray(kept)[~far], np.asarray(every)[~far])
    if as_spectra:
        np.testing.assert_array_equal(kept.ivar, np.where(far, 0, 4))
    subtract = ContinuumNormalizer(window=5, mode="subtract", max_ratio=5.0).fit_transform(data)
    np.testing.assert_allclose(np.asarray(subtract), flux - 2.0, rtol=1e-6)


def test_rows_do_not_depend_on_their_neighbours_or_scale():
    for method in METHODS:
        normalizer = ContinuumNormalizer(method, wave=WAVE).fit(GAPPY)
        together = normalizer.transform(GAPPY)
        np.testing.assert_allclose(normalizer.transform(1e-3 * GAPPY[3:4])[0], together[3], rtol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "X", "error", "match"),
    [
        ({"method": "polinomial"}, FLUX, ValueError, "did you mean 'polynomial'"),
        ({"mode": "ratio"}, FLUX, ValueError, "mode must be one of 'divide', 'subtract'"),
        ({"edge": "nearst"}, FLUX, ValueError, "did you mean 'nearest'"),
        ({"window": 0}, FLUX, ValueError, "window == 0"),
        ({"window": 10.5}, FLUX, TypeError, "window must be an instance of int"),
        ({"window_unit": "angstrom"}, FLUX, ValueError, "wavelengths are unknown"),
        ({"quantile": 1.1}, FLUX, ValueError, "quantile == 1.1"),
        ({"asymmetry": 1.0}, FLUX, ValueError, "asymmetry == 1.0"),
        ({"sigma_low": 0}, FLUX, ValueError, "sigma_low == 0"),
        ({"max_ratio": 0}, FLUX, ValueError, "max_ratio == 0"),
        ({"max_ratio": "5"}, FLUX, TypeError, "max_ratio must be an instance of float"),
        ({"degree": -1}, FLUX, ValueError, "degree == -1"),
        ({"wave": WAVE[:9]}, FLUX, ValueError, "wave has 9 wavelengths, X has 600 features"),
        ({"method": "polynomial"}, FLUX[:, :5], ValueError, "needs at least 6 pixels, X has n_features = 5"),
    ],
)
def test_bad_input_is_named(parameters, X, error, match):
    with pytest.raises(error, match=match):
        ContinuumNormalizer(**parameters).fit(X)


def test_spectrum_with_too_few_pixels_is_named():
    flux = FLUX.copy()
    flux[4, 3:] = np.nan
    with pytest.raises(ValueError, match=r"spectrum 4 has 3 valid pixels, .* 'polynomial' needs at least 6"):
        ContinuumNormalizer("polynomial").fit_transform(flux)
    own = Spectra([FLUX[0], np.full(50, np.nan)], wave=[WAVE, WAVE[:50]], meta={"file": ["a", "b.fits"]})
    with pytest.raises(ValueError, match=r"b.fits \(spectrum 1\) has no valid pixels"):
        ContinuumNormalizer().fit_transform(own)


def test_mapped_input_is_read_in_blocks(tmp_path):
    flux = np.random.default_rng(0).normal(10.0, 1.0, (2500, 4000)).astype(np.float32)
    np.save(tmp_path / "flux.npy", flux)
    mapped = np.load(tmp_path / "flux.npy", mmap_mode="r")
    for method in ("median", "polynomial"):
        normalizer = ContinuumNormalizer(method, max_rounds=1).fit(mapped)
        tracemalloc.start()
        out = normalizer.transform(mapped)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        np.testing.assert_allclose(out[-20:], normalizer.transform(flux[-20:]), rtol=1e-6)
        assert peak < 2 * flux.nbytes  # the result is one of them


def test_feature_names_go_through():
    import pandas as pd

    frame = pd.DataFrame(FLUX[:, :20], columns=[f"flux_{w:.1f}" for w in WAVE[:20]])
    out = ContinuumNormalizer(window=5).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == list(frame.columns)


def test_real_spectra_come_out_flat():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as data:
        early = np.isin(data["spectral_class"], ["A", "F", "G"])
        spectra = Spectra(data["flux"][early][::10], wave=data["wave"], medium="air")
    red = spectra.wave > 4500
    for method in METHODS:
        out = np.asarray(ContinuumNormalizer(method).fit_transform(spectra))[:, red]
        assert np.isfinite(out).all()
        upper = np.quantile(out, 0.8, axis=1)
        np.testing.assert_allclose(upper, 1.0, atol=0.06)
        # No slope is left: both halves of a spectrum stand at the same level.
        halves = np.median(out[:, : red.sum() // 2], axis=1) / np.median(out[:, red.sum() // 2 :], axis=1)
        np.testing.assert_allclose(halves, 1.0, atol=0.07)


def test_polynomial_on_clustered_pixels():
    wave = np.concatenate([4000.0 + 1e-7 * np.arange(40), [9000.0]])
    flux = np.full((2, 41), 3.0)
    out = ContinuumNormalizer("polynomial", degree=3).fit_transform(Spectra(flux, wave=wave))
    np.testing.assert_allclose(out.flux, 1.0, rtol=1e-5)
