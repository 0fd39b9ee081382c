"""Wien fits against scipy.optimize, spectrum by spectrum."""

import numpy as np
import pytest
from scipy import constants
from scipy.optimize import curve_fit, minimize_scalar

from skspec import Spectra, WienFitFeatures
from skspec.spectra import vacuum_to_air

B = constants.h * constants.c / constants.k * 1e10
WAVE = 10 ** (3.57 + 3e-4 * np.arange(1200))
FIT = ["wien_temperature", "wien_amplitude", "wien_offset", "wien_chi2"]


def model(wave, temperature, amplitude, offset=0.0):
    """Wien's law, the amplitude in units of its value at 5500 Å and 6000 K."""
    exponent = B / 5500.0 / 6000.0 - B / wave / temperature
    return amplitude * (5500.0 / wave) ** 5 * np.exp(exponent) + offset


AMPLITUDE = 5500.0**5 * np.exp(B / 5500.0 / 6000.0)


def draw(n, *, offset=0.0, wave=WAVE, noise=0.02, seed=0):
    """Spectra of 2,500 to 25,000 K, each about one."""
    rng = np.random.default_rng(seed)
    flux = np.array([model(wave, t, 1.0) for t in np.geomspace(2500.0, 25000.0, n)])
    flux /= flux.mean(axis=1, keepdims=True)
    ivar = rng.uniform(0.2, 2.0, flux.shape) / noise**2
    flux += offset + rng.normal(size=flux.shape) / np.sqrt(ivar)
    return flux.astype(np.float32), ivar.astype(np.float32)


def by_curve_fit(flux, wave, ivar, *, offset):
    good = np.isfinite(flux) & (ivar > 0)
    f, w, sigma = flux[good].astype(float), wave[good], ivar[good].astype(float) ** -0.5
    start = [6000.0, float(np.mean(f))] + [0.0] * offset
    best, _ = curve_fit(model, w, f, p0=start, sigma=sigma, xtol=1e-14, ftol=1e-14, gtol=1e-14, maxfev=5000)
    chi2 = np.sum(((f - model(w, *best)) / sigma) ** 2) / (len(f) - len(best))
    return best[0], best[1] * AMPLITUDE, best[2] if offset else 0.0, chi2


def by_search(flux, wave, ivar, *, offset, bounds=(1000.0, 100000.0)):
    """Temperature and χ² where least squares are least, of all temperatures with light rather than dips."""
    good = np.isfinite(flux) & (ivar > 0)
    f, w, root = flux[good].astype(float), wave[good], np.sqrt(ivar[good].astype(float))

    def fit(log_t):
        shape = (w[-1] / w) ** 5 * np.exp((B / w[-1] - B / w) * np.exp(-log_t))
        matrix = np.stack([shape, np.ones_like(w)][: 1 + offset], axis=1) * root[:, None]
        best, *_ = np.linalg.lstsq(matrix, f * root, rcond=None)
        return np.sum((f * root - matrix @ best) ** 2), best[0]

    grid = np.linspace(*np.log(bounds), 400)
    chi2, amplitude = np.array([fit(t) for t in grid]).T
    if (amplitude > 0).any():
        chi2[amplitude <= 0] = np.inf
    k = int(np.argmin(chi2))
    near = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    found = minimize_scalar(lambda t: fit(t)[0], bounds=near, method="bounded", options={"xatol": 1e-12})
    return np.exp(found.x), min(found.fun, chi2[k])


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("errors", [False, True], ids=["no errors", "errors and gaps"])
def test_is_the_optimum_of_curve_fit(offset, errors):
    flux, ivar = draw(12, offset=0.3 * offset)
    if errors:
        ivar[:, 300:340] = 0
        ivar[np.random.default_rng(1).random(ivar.shape) < 0.05] = 0
    spectra = Spectra(flux, wave=WAVE, ivar=ivar if errors else None)
    got = WienFitFeatures(offset=offset).fit_transform(spectra)
    weights = ivar if errors else np.ones_like(ivar)
    truth = [by_curve_fit(f, WAVE, i, offset=offset) for f, i in zip(flux, weights, strict=True)]
    for column, true in zip(got.T, np.transpose(truth), strict=True):
        np.testing.assert_allclose(column, true, rtol=1e-6, atol=1e-7)  # the offset may be nearly zero


def test_recovers_what_was_simulated():
    flux, ivar = draw(8, noise=1e-3)
    got = WienFitFeatures().fit_transform(Spectra(flux, wave=WAVE, ivar=ivar))
    np.testing.assert_allclose(got[:, 0], np.geomspace(2500.0, 25000.0, 8), rtol=2e-3)
    np.testing.assert_allclose(got[:, 3], 1.0, atol=0.15)  # reduced χ² of 1,198 degrees of freedom


LAYOUTS = {
    "one lattice": lambda rng: WAVE[rng.integers(0, 200) :][: rng.integers(800, 1000)],
    "rest frame": lambda rng: WAVE[rng.integers(0, 200) :][: rng.integers(800, 1000)] / (1 + rng.random()),
    "linear": lambda rng: np.linspace(3700.0 + 50 * rng.random(), 9000.0, rng.integers(300, 400)),
    "irregular": lambda rng: np.sort(rng.uniform(3500.0, 10000.0, rng.integers(300, 400))),
}


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_own_grids_equal_common_ones(layout, errors, offset):
    rng = np.random.default_rng(5)
    waves = [LAYOUTS[layout](rng) for _ in range(6)]
    rows = [[row[k] for row in draw(6, wave=w, seed=k)] for k, w in enumerate(waves)]
    for flux, _ in rows:
        flux[rng.integers(0, len(flux), 4)] = np.nan
    ivar = [i for _, i in rows] if errors else None
    spectra = Spectra([f for f, _ in rows], wave=waves, ivar=ivar)
    assert not spectra.is_common_grid
    features = [*FIT, "wien_at_bound", "flux_mean", "flux_std"]
    for method in ("least_squares",) if offset else ("least_squares", "log"):
        transformer = WienFitFeatures(offset=offset, method=method, features=features)
        got = transformer.fit_transform(spectra)
        alone = np.concatenate([transformer.fit_transform(spectra[k]) for k in range(6)])
        np.testing.assert_allclose(got, alone, rtol=1e-7, atol=1e-9)


def test_arrays_and_air_wavelengths():
    flux, _ = draw(5)
    truth = WienFitFeatures().fit_transform(Spectra(flux, wave=WAVE))
    np.testing.assert_allclose(WienFitFeatures(wave=WAVE).fit_transform(flux), truth, rtol=1e-12)
    air = Spectra(flux, wave=vacuum_to_air(WAVE), medium="air")
    np.testing.assert_allclose(WienFitFeatures().fit_transform(air), truth, rtol=1e-9)
    linear = WienFitFeatures(wave=(4000.0, 7000.0)).fit_transform(flux[:, :300])
    explicit = WienFitFeatures(wave=np.linspace(4000.0, 7000.0, 300)).fit_transform(flux[:, :300])
    np.testing.assert_array_equal(linear, explicit)


def strange():
    """Spectra that no thermal source has."""
    rng = np.random.default_rng(2)
    flux, ivar = draw(12)
    flux[0] += 30 * np.exp(-0.5 * ((WAVE - 6564.6) / 8) ** 2)  # emission line
    flux[1] = -flux[1]
    flux[2] -= 2.0
    flux[3] = 1.0 + 0.01 * rng.normal(size=len(WAVE))
    flux[4] = (WAVE / 5500.0) ** 25  # redder than 1000 K
    flux[5] = (WAVE / 5500.0) ** -9  # bluer than any temperature
    flux[6] = rng.normal(size=len(WAVE))
    flux[7, 100:] = np.nan
    flux[8, :-50] = np.nan
    flux[9] = np.sin(WAVE / 300.0)
    flux[10] *= 1e-17
    flux[11] = rng.standard_cauchy(len(WAVE))
    return flux.astype(np.float32), ivar


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("errors", [False, True])
def test_best_of_all_temperatures_for_any_spectrum(offset, errors):
    flux, ivar = strange()
    ivar[10] *= 1e34
    weights = ivar if errors else np.ones_like(ivar)
    spectra = Spectra(flux, wave=WAVE, ivar=weights if errors else None)
    features = [*FIT, "wien_at_bound"]
    t, a, c, chi2, at_bound = WienFitFeatures(offset=offset, features=features).fit_transform(spectra).T
    assert np.isfinite([t, a, c, chi2]).all()
    for k in range(len(flux)):
        true_t, true_chi2 = by_search(flux[k], WAVE, weights[k], offset=offset)
        n_valid = np.count_nonzero(np.isfinite(flux[k]))
        np.testing.assert_allclose(chi2[k] * (n_valid - 2 - offset), true_chi2, rtol=1e-9)
        np.testing.assert_allclose(t[k], true_t, rtol=1e-5)
        assert at_bound[k] == (t[k] in (1000.0, 100000.0))
    if not offset:
        assert (at_bound[4], at_bound[5]) == (1, 1)
        assert a[1] < 0 < a[0]


@pytest.mark.parametrize("temperature", [1100.0, 1500.0, 60000.0])
@pytest.mark.parametrize("keep", [slice(0, 300), slice(900, None)], ids=["blue", "red"])
def test_sums_at_nodes_are_sharp_where_most_pixels_are_missing(temperature, keep):
    flux = model(WAVE, temperature, 1.0)
    flux = flux / flux[keep].mean() * (1 + 1e-3 * np.random.default_rng(0).normal(size=len(WAVE)))
    gappy = np.full((1, len(WAVE)), np.nan)
    gappy[0, keep] = flux[keep]
    got = WienFitFeatures(wave=WAVE).fit_transform(gappy)[0, 0]
    alone = WienFitFeatures(wave=WAVE[keep]).fit_transform(flux[None, keep])[0, 0]
    np.testing.assert_allclose(got, alone, rtol=1e-7)


def test_nothing_to_fit_and_too_few_pixels():
    flux = np.array([np.zeros(50), np.full(50, 3.0), np.full(50, np.nan), np.full(50, np.nan)])
    flux[3, 7:9] = 1.0
    wave = np.linspace(4000.0, 6000.0, 50)
    features = [*FIT, "flux_mean", "flux_std"]
    out = WienFitFeatures(wave=wave, offset=True, features=features).fit_transform(flux)
    np.testing.assert_array_equal(out[0], [100000.0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(out[1], [100000.0, 0, 3, 0, 3, 0], atol=1e-12)
    assert np.isnan(out[2]).all()
    assert np.isnan(out[3, :4]).all()
    np.testing.assert_array_equal(out[3, 4:], [1, 0])
    two = WienFitFeatures(wave=wave).fit_transform(flux[3:])
    assert np.isfinite(two[0, :3]).all()  # as many pixels as parameters
    assert np.isnan(two[0, 3])


@pytest.mark.parametrize("errors", [False, True])
def test_closed_form_is_a_straight_line_in_the_logarithm(errors):
    flux, ivar = draw(8)
    flux[:, 5:20] *= -1
    ivar[:, 50:60] = 0
    spectra = Spectra(flux, wave=WAVE, ivar=ivar if errors else None)
    t, a, c, chi2, _ = (
        WienFitFeatures(method="log", features=[*FIT, "wien_at_bound"]).fit_transform(spectra).T
    )
    weights = ivar if errors else np.ones_like(ivar)
    for k, f in enumerate(flux.astype(float)):
        good = (f > 0) & (weights[k] > 0)
        slope, constant = np.polyfit(
            B / WAVE[good], np.log(f[good] * WAVE[good] ** 5), 1, w=f[good] * np.sqrt(weights[k][good])
        )
        np.testing.assert_allclose([t[k], a[k]], [-1 / slope, np.exp(constant)], rtol=1e-7)
        residual = f - a[k] * WAVE**-5 * np.exp(-B / WAVE / t[k])
        n = np.count_nonzero(weights[k] > 0)
        np.testing.assert_allclose(chi2[k], np.sum(weights[k] * residual**2) / (n - 2), rtol=1e-6)
    assert (c == 0).all()


def test_closed_form_keeps_to_the_bounds_and_needs_positive_flux():
    flux = np.array([(WAVE / 5e3) ** 25, (WAVE / 5e3) ** -9, -WAVE])
    out = WienFitFeatures(wave=WAVE, method="log", features=["wien_temperature"]).fit_transform(flux)
    np.testing.assert_array_equal(out[:2, 0], [1000.0, 100000.0])
    assert np.isnan(out[2, 0])


def test_bounds_are_the_users():
    flux, _ = draw(3)
    out = WienFitFeatures(
        wave=WAVE, temperature_bounds=(5000, 9000), features=["wien_temperature", "wien_at_bound"]
    ).fit_transform(flux)
    np.testing.assert_allclose(out, [[5000.0, 1], [out[1, 0], 0], [9000.0, 1]])


def test_names_in_pandas():
    flux, _ = draw(3)
    frame = WienFitFeatures(wave=WAVE).set_output(transform="pandas").fit_transform(flux)
    assert list(frame.columns) == FIT


def test_mean_and_standard_deviation():
    flux, ivar = draw(4)
    ivar[:, ::7] = 0
    spectra = Spectra(flux, wave=WAVE, ivar=ivar)
    out = WienFitFeatures(features=["flux_std", "flux_mean"]).fit_transform(spectra)
    known = np.asarray(spectra).astype(float)
    np.testing.assert_allclose(out, np.stack([np.nanstd(known, axis=1), np.nanmean(known, axis=1)], axis=1))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"wave": None}, "wavelengths are unknown"),
        ({"method": "logs"}, "did you mean 'log'"),
        ({"method": "log", "offset": True}, "offset=True needs method='least_squares'"),
        ({"temperature_bounds": (5000.0, 1000.0)}, "temperature_bounds must be two increasing"),
        ({"temperature_bounds": (0.0, 1000.0)}, "temperature_bounds must be two increasing"),
        ({"features": ["wien_temp"]}, "did you mean 'wien_temperature'"),
        ({"features": []}, "features must be a sequence of names"),
        ({"features": "wien_chi2"}, "features must be a sequence of names"),
        ({"features": ["flux_mean", "flux_mean"]}, "features has a name twice"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        WienFitFeatures(**{"wave": WAVE} | params).fit(np.ones((2, len(WAVE))))
