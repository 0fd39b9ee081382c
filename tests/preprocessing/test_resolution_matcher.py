import numpy as np
import pytest
from astropy import units as u
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq
from scipy.stats import norm

from skspec import ResolutionMatcher, Spectra
from skspec.preprocessing._line_spread import line_spread
from skspec.spectra import pixel_edges
from tests._data import data_path

FWHM = np.sqrt(8 * np.log(2))
LIGHT = 299792.458

GRIDS = {
    "linear": np.linspace(4000.0, 6000.0, 4001),
    "log": 10 ** np.linspace(np.log10(4000.0), np.log10(6000.0), 4001),
    "arbitrary": 4000.0 + 1200.0 * np.linspace(0, 1, 4001) + 800.0 * np.linspace(0, 1, 4001) ** 3,
}
CENTRES = np.array([4300.0, 4861.3, 5500.0])


def lines(wave, fwhm):
    """Spectra of one Gaussian line each, of unit area, with widths for each of CENTRES."""
    return norm.pdf(wave, CENTRES[:, None], np.broadcast_to(fwhm, 3)[:, None] / FWHM)


def widths(wave, flux):
    """Full widths of lines from their second moments, which add when lines are smoothed."""
    weight = flux * np.diff(pixel_edges(wave))
    mean = (weight @ wave) / weight.sum(axis=1)
    square = (weight * (wave - mean[:, None]) ** 2).sum(axis=1)
    return FWHM * np.sqrt(square / weight.sum(axis=1))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("ratio", [1.0, 1.02, 1.2, 2.0, 4.0])
def test_widths_add_in_quadrature(grid, ratio):
    wave = GRIDS[grid]
    out = ResolutionMatcher(2.5, 2.5 * ratio, wave=wave).fit_transform(lines(wave, 2.5))
    np.testing.assert_allclose(widths(wave, out), 2.5 * ratio, rtol=2e-4)
    truth = lines(wave, 2.5 * ratio)
    np.testing.assert_allclose(out, truth, atol=2e-3 * truth.max())


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("unit", ["km/s", "R"])
def test_constant_velocity_width(grid, unit):
    wave = GRIDS[grid]
    source, target = 120.0, 250.0
    given = (source, target) if unit == "km/s" else (LIGHT / source, LIGHT / target)
    out = ResolutionMatcher(*given, source_unit=unit, target_unit=unit, wave=wave).fit_transform(
        lines(wave, CENTRES * source / LIGHT)
    )
    np.testing.assert_allclose(widths(wave, out), CENTRES * target / LIGHT, rtol=3e-4)
    truth = lines(wave, CENTRES * target / LIGHT)
    np.testing.assert_allclose(out, truth, atol=2e-3 * truth.max())


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("form", ["table", "callable"])
def test_width_that_changes_along_the_spectrum(grid, form):
    wave = GRIDS[grid]
    nodes = np.array([3900.0, 5000.0, 6100.0])
    source = np.column_stack([nodes, [2.2, 2.5, 2.4]])
    target = np.column_stack([nodes, [3.0, 5.0, 4.5]])
    at = lambda table: lambda w: np.interp(w, *table.T)  # noqa: E731
    given = (source, target) if form == "table" else (at(source), at(target))
    matcher = ResolutionMatcher(*given, wave=wave)
    out = matcher.fit_transform(lines(wave, at(source)(CENTRES)))
    np.testing.assert_allclose(widths(wave, out), at(target)(CENTRES), rtol=2e-3)
    np.testing.assert_allclose(
        matcher.transform(np.ones((1, 4001))), 1.0, rtol=1e-12
    )  # weights add up to one at every width


def test_equals_scipy_on_a_log_grid():
    wave = 10 ** (3.6 + 1e-4 * np.arange(3000))
    step = LIGHT * np.log(10) * 1e-4
    flux = np.random.default_rng(0).normal(1, 0.1, (3, 3000))
    for sigma in (1.5, 3.0, 8.0):
        ours = ResolutionMatcher(0.0, sigma * step * FWHM, target_unit="km/s", wave=wave).fit_transform(flux)
        theirs = gaussian_filter1d(flux, sigma, axis=1, truncate=6)
        inner = slice(60, -60)
        # White noise has power where sampling and integrating a Gaussian differ: at 1.5 pixels by 2e-4 of it.
        np.testing.assert_allclose(ours[:, inner], theirs[:, inner], atol=1e-4)


def test_kernel_far_below_a_pixel():
    wave = np.arange(5000.0, 5100.0)
    flux = norm.pdf(wave, 5050.3, 1.2)[None]  # sigma in pixels
    for sigma in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0):
        target = FWHM * np.hypot(1.2, sigma)
        out = ResolutionMatcher(FWHM * 1.2, target, wave=wave).fit_transform(flux)
        assert widths(wave, out)[0] == pytest.approx(target, rel=1e-5)
        np.testing.assert_allclose(out[0], norm.pdf(wave, 5050.3, target / FWHM), atol=3e-3)


@pytest.mark.parametrize(
    ("step", "pixels"), [(0.4, 1.508), (0.0500009, 12.526), (0.01, 62.666), (0.205795, 3.015)]
)
def test_widths_that_the_published_matching_meant(step, pixels):
    # Steps in Å of CFLIB, ELODIE, SOPHIE and XSL, all taken to that of SDSS; the code divided by 1.4757 too much.
    wave = 5000 + step * np.arange(801)
    impulse = np.zeros((1, 801))
    impulse[0, 400] = 1
    out = ResolutionMatcher(step, 1.4757, wave=wave).fit_transform(impulse)
    assert np.sqrt(out[0] @ (np.arange(801) - 400.0) ** 2) == pytest.approx(pixels, abs=2e-3)


def brute_force(flux, ivar, wave, sigma, min_coverage):
    """Pixel by pixel: the Gaussian's integrals over pixels, its width found by a root finder."""
    edges = pixel_edges(wave)
    steps = np.arange(-40, 41)

    def integrals(scale):
        return norm.cdf((steps + 0.5) / scale) - norm.cdf((steps - 0.5) / scale)

    good = np.isfinite(flux) & (ivar > 0)
    out_flux, out_ivar = np.full(len(wave), np.nan), np.zeros(len(wave))
    for k in range(len(wave)):
        width = edges[k + 1] - edges[k]
        wanted = (sigma[k] / width) ** 2
        scale = width * brentq(lambda s, v=wanted: integrals(s) @ steps**2 - v, 0.05, 8)
        weights = np.diff(norm.cdf(edges, wave[k], scale)) * good
        covered = weights.sum()
        if covered >= min_coverage:
            out_flux[k] = weights[good] @ flux[good] / covered
            out_ivar[k] = covered**2 / (weights[good] ** 2 / ivar[good]).sum()
    return out_flux, out_ivar


@pytest.mark.parametrize("min_coverage", [0.3, 0.5, 0.95])
@pytest.mark.parametrize("gaps", [False, True])
def test_equals_brute_force(gaps, min_coverage):
    rng = np.random.default_rng(1)
    wave = np.cumsum(rng.uniform(0.8, 1.2, 200)) + 5000
    flux, ivar = rng.uniform(1, 2, (3, 200)), rng.uniform(1, 2, (3, 200))
    if gaps:
        flux[0, [20, 50, 51]] = np.nan
        ivar[1, 60:80] = 0
        flux[2] = np.nan
    fwhm = np.linspace(1.5, 4.0, 200)
    spectra = Spectra(flux, wave=wave, ivar=ivar)
    table = np.column_stack([wave, fwhm])
    out = ResolutionMatcher(0.0, table, min_coverage=min_coverage).fit_transform(spectra)
    for k in range(3):
        truth = brute_force(flux[k], ivar[k], wave, fwhm / FWHM, min_coverage)
        assert (np.isnan(out.flux[k]) == (out.ivar[k] == 0)).all()
        np.testing.assert_allclose(out.flux[k], truth[0], rtol=1e-4)
        np.testing.assert_allclose(out.ivar[k], truth[1], rtol=3e-4)


def test_variance_is_that_of_noise_draws():
    rng = np.random.default_rng(0)
    wave = np.arange(5000.0, 5120.0)
    sigma = rng.uniform(0.5, 2.0, 120)
    ivar = np.broadcast_to(sigma**-2, (10_000, 120)).copy()
    ivar[:, 40:43] = 0
    spectra = Spectra(rng.normal(0, sigma, (10_000, 120)), wave=wave, ivar=ivar)
    out = ResolutionMatcher(2.0, 6.0).fit_transform(spectra)
    np.testing.assert_allclose(out.flux.var(axis=0) * out.ivar[0], 1.0, rtol=0.06)  # 4 sigma of a variance


def test_ends_are_one_sided_means_or_missing():
    wave = np.arange(5000.0, 5200.0)
    flux = np.ones((1, 200))
    np.testing.assert_allclose(ResolutionMatcher(2.0, 8.0, wave=wave).fit_transform(flux), 1.0)
    strict = ResolutionMatcher(2.0, 8.0, wave=wave, min_coverage=0.99).fit_transform(flux)
    sigma = np.sqrt(60.0) / FWHM
    lost = int(np.ceil(norm.ppf(0.99) * sigma - 0.5))  # pixels nearer to the edge than that many sigma
    assert np.isnan(strict[0]).sum() == 2 * lost
    assert np.isfinite(strict[0, lost:-lost]).all()


def test_full_coverage_is_reached():
    wave = np.arange(5000.0, 5200.0)
    ivar = np.ones((2, 200))
    ivar[1, 100] = 0
    out = ResolutionMatcher(2.0, 4.0, min_coverage=1.0).fit_transform(
        Spectra(np.ones((2, 200)), wave=wave, ivar=ivar)
    )
    assert np.isfinite(out.flux[0, 15:-15]).all()
    assert np.isnan(out.flux[1, 95:106]).all()
    assert np.isfinite(out.flux[1, 15:80]).all()


def test_an_error_without_bound_stays_where_it_is():
    ivar = np.ones((1, 200))
    ivar[0, 100] = 1e-42  # its variance is beyond float32
    out = ResolutionMatcher(2.0, 4.0).fit_transform(
        Spectra(np.ones((1, 200)), wave=np.arange(5000.0, 5200.0), ivar=ivar)
    )
    assert np.isfinite(out.flux).all()
    assert (out.ivar[0, :85] > 1).all()
    assert (out.ivar[0, 116:] > 1).all()
    assert (out.ivar[0, 98:103] < 1e-30).all()


def test_a_line_keeps_its_flux():
    wave = GRIDS["log"]
    out = ResolutionMatcher(2.5, 6.0, wave=wave).fit_transform(lines(wave, 2.5))
    np.testing.assert_allclose(out @ np.diff(pixel_edges(wave)), 1.0, rtol=1e-5)


def test_spectra_on_a_grid_a_lattice_and_grids_of_their_own_agree():
    rng = np.random.default_rng(0)
    lattice = 10 ** (3.6 + 1e-4 * np.arange(1200))
    cuts = [slice(0, 1000), slice(100, 1150), slice(37, 1200)]
    waves = [lattice[cut] for cut in cuts]
    flux = [rng.normal(1, 0.1, len(w)) for w in waves]
    ivar = [rng.uniform(1, 2, len(w)) for w in waves]
    ivar[1][200:240] = 0
    matcher = ResolutionMatcher(2000.0, 900.0, source_unit="R", target_unit="R")
    own = matcher.fit_transform(Spectra(flux, wave=waves, ivar=ivar, meta={"z": [0.0, 0.1, 0.2]}))
    rest = own.to_rest_frame()
    moved = matcher.transform(
        Spectra(flux, wave=waves, ivar=ivar, meta={"z": [0.0, 0.1, 0.2]}).to_rest_frame()
    )
    assert own.meta["z"].tolist() == [0.0, 0.1, 0.2]
    for k in range(3):
        alone = matcher.transform(Spectra(flux[k][None], wave=waves[k], ivar=ivar[k][None]))
        np.testing.assert_allclose(own.flux[k], alone.flux[0], rtol=2e-6)
        np.testing.assert_allclose(own.ivar[k], alone.ivar[0], rtol=2e-5)
        # Velocity widths do not care about the frame.
        np.testing.assert_allclose(moved.flux[k], rest.flux[k], rtol=2e-6)
        np.testing.assert_allclose(moved.ivar[k], rest.ivar[k], rtol=2e-5)


def test_rows_that_share_a_grid_among_others():
    rng = np.random.default_rng(0)
    fine, coarse = np.arange(4000.0, 4400.0), np.arange(4000.0, 4400.0, 2.0)
    parts = [
        Spectra(rng.normal(1, 0.1, (n, len(w))), wave=w) for n, w in ((70, fine), (3, coarse), (2, fine))
    ]
    spectra = Spectra.concatenate(parts)
    matcher = ResolutionMatcher(3.0, 6.0).fit(spectra)
    together = matcher.transform(spectra)
    apart = [row for part in parts for row in matcher.transform(part).flux]
    assert [len(row) for row in together.flux] == [400] * 70 + [200] * 3 + [400] * 2
    for ours, alone in zip(together.flux, apart, strict=True):
        np.testing.assert_allclose(ours, alone, rtol=2e-6)
    with pytest.raises(ValueError, match="target is None"):
        ResolutionMatcher(3.0).fit(spectra)


def test_arrays_keep_their_type_and_mark_missing_pixels():
    wave = np.linspace(4000.0, 5000.0, 1000)
    X = np.ones((2, 1000), np.float32)
    X[0, 400:500] = np.nan
    out = ResolutionMatcher(2.0, 4.0, wave=wave).fit_transform(X)
    assert out.dtype == np.float32
    # Half a kernel reaches into the gap from each side: pixels at its edge hold half the weight, and a bit.
    assert np.isnan(out[0]).sum() == 100
    assert np.isnan(X).sum() == 100
    assert ResolutionMatcher(2.0, 4.0, wave=wave).fit_transform(X.astype(float)).dtype == np.float64


def test_air_wavelengths_stay_in_air():
    wave = np.linspace(4000.0, 5000.0, 500)
    out = ResolutionMatcher(3.0, 4.0).fit_transform(Spectra(np.ones((1, 500)), wave=wave, medium="air"))
    assert out.medium == "air"
    np.testing.assert_array_equal(out.wave, wave)


def test_operator_is_built_once():
    wave, sigma = np.arange(4000.0, 4100.0), np.ones(100)
    assert line_spread(wave, sigma) is line_spread(wave.copy(), sigma.copy())


def test_source_coarser_than_target():
    wave = np.linspace(4000.0, 5000.0, 1001)
    X = np.random.default_rng(0).normal(1, 0.1, (1, 1001))
    table = [[4000.0, 2.0], [5000.0, 4.0]]
    with pytest.raises(ValueError, match=r"source is coarser than target at 50% .*: 4 and 3 Å at 5000.0 Å"):
        ResolutionMatcher(table, 3.0, wave=wave).fit(X)
    out = ResolutionMatcher(table, 3.0, wave=wave, coarser="keep").fit_transform(X)
    np.testing.assert_array_equal(out[0, 501:], X[0, 501:])
    assert (out[0, 2:450] != X[0, 2:450]).all()


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"source": None}, ValueError, "source is None; give the full width"),
        ({"target": None}, ValueError, "target is None"),
        ({"source": -1.0}, ValueError, "source must be finite and not negative, got -1"),
        ({"source": 0.0, "source_unit": "R"}, ValueError, "source must be positive, got 0"),
        (
            {"target": [5.0] * 30},
            ValueError,
            r"target has shape \(30,\); a number, rows of wavelength and width",
        ),
        ({"target": lambda w: [1.0, 2.0]}, ValueError, r"target has shape \(2,\)"),
        ({"target": [[4100.0, 3.0], [5000.0, 3.0]]}, ValueError, "target is known from 4100.0 to 5000.0 Å"),
        ({"target": 3 * u.AA}, TypeError, "target is an astropy Quantity in Angstrom"),
        ({"target_unit": "kms"}, ValueError, "target_unit must be one of .* did you mean 'km/s'"),
        ({"coarser": "ignore"}, ValueError, "coarser must be one of"),
        ({"min_coverage": 0.0}, ValueError, "min_coverage == 0.0, must be > 0"),
        ({"wave": None}, ValueError, "wavelengths are unknown"),
    ],
)
def test_bad_input_is_named(parameters, error, match):
    matcher = ResolutionMatcher(**({"source": 2.0, "target": 3.0, "wave": (4000.0, 4100.0)} | parameters))
    with pytest.raises(error, match=match):
        matcher.fit(np.ones((2, 30)))


def test_a_single_pixel_has_no_width():
    spectra = Spectra([[1.0, 2.0], [1.0]], wave=[[4000.0, 4001.0], [4000.0]], meta={"file": ["a", "b"]})
    with pytest.raises(ValueError, match=r"b \(spectrum 1\) has 1 pixel"):
        ResolutionMatcher(1.0, 2.0).fit(spectra)


def test_real_stars_get_shallower_lines_by_the_ratio_of_widths():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as data:
        stars = Spectra(data["flux"][:50], wave=data["wave"], medium="air")
    fine = ResolutionMatcher(2.5, 5.0).fit_transform(stars)
    coarse = ResolutionMatcher(2.5, 10.0).fit_transform(stars)
    again = ResolutionMatcher(5.0, 10.0).fit_transform(fine)
    inner = slice(20, -20)
    np.testing.assert_allclose(again.flux[:, inner], coarse.flux[:, inner], rtol=2e-4)
    assert (np.diff(coarse.flux).std(axis=1) < np.diff(stars.flux).std(axis=1)).all()
