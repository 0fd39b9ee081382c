"""Line indices against analytic lines, a slow integral and noise."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf, voigt_profile

from skspec import LineIndices, Spectra
from skspec.features._lick import LICK
from skspec.spectra import air_to_vacuum, pixel_edges

BANDS = {
    "line": ((4985.0, 5015.0), (4940.0, 4970.0), (5030.0, 5060.0), "ew"),
    "band": ((4985.0, 5015.0), (4940.0, 4970.0), (5030.0, 5060.0), "mag"),
}
WAVE = np.arange(4900.0, 5100.0, 0.9)


def slowly(definition, flux, wave, n=100_000):
    """Index of flux that is constant within a pixel, by sums over a grid much finer than the pixels."""
    band, blue, red, kind = definition
    edges = pixel_edges(wave)

    def at(low, high):
        points = low + (high - low) * (np.arange(n) + 0.5) / n
        return points, flux[np.searchsorted(edges, points) - 1]

    f_blue, f_red = at(*blue)[1].mean(), at(*red)[1].mean()
    points, f = at(*band)
    x_blue, x_red = np.mean(blue), np.mean(red)
    ratio = f / (f_blue + (f_red - f_blue) * (points - x_blue) / (x_red - x_blue))
    return (band[1] - band[0]) * (1 - ratio.mean()) if kind == "ew" else -2.5 * np.log10(ratio.mean())


GRIDS = {
    "0.9 Å": np.arange(3950.0, 6500.0, 0.9),
    "log": 10 ** (3.59 + 1e-4 * np.arange(2300)),
    "coarse": np.arange(3900.0, 6600.0, 2.7),
    "irregular": np.sort(np.random.default_rng(4).uniform(3950.0, 6500.0, 3000)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_all_lick_indices_equal_the_slow_integral(grid):
    wave = GRIDS[grid]
    flux = (
        1 + 0.3 * np.sin(wave / 7.0) + wave / 8000.0 + np.random.default_rng(0).normal(0, 0.1, (1, len(wave)))
    )
    got = LineIndices(wave=wave).fit_transform(flux)
    true = [[slowly(definition, f, wave) for definition in LICK.values()] for f in flux]
    np.testing.assert_allclose(got, true, rtol=2e-4, atol=5e-4)  # what 100,000 points are good to


def line_and_truth(profile, depth):
    """Flux integrated over pixels, and equivalent width in the band, of a line on a sloping continuum."""

    def continuum(x):
        return 2.0 + 0.004 * (x - 5000.0)

    def flux(x):
        return continuum(x) * (1 - depth * profile(x))

    edges = pixel_edges(WAVE)
    pixels = np.array([quad(flux, a, b, epsrel=1e-11)[0] for a, b in pairwise(edges)])
    low, high = BANDS["line"][0]
    width = depth * quad(profile, low, high, points=[5000.3], epsrel=1e-11, limit=200)[0]
    return pixels / np.diff(edges), width


def test_gaussian_line():
    sigma, depth = 3.0, 0.6
    flux, width = line_and_truth(lambda x: np.exp(-0.5 * ((x - 5000.3) / sigma) ** 2), depth)
    closed = (
        depth * sigma * np.sqrt(np.pi / 2) * (erf(14.7 / sigma / np.sqrt(2)) + erf(15.3 / sigma / np.sqrt(2)))
    )
    assert width == pytest.approx(closed, rel=1e-9)
    ew, mag = LineIndices(BANDS, wave=WAVE).fit_transform(flux[None])[0]
    # The continuum changes within a pixel by 0.1 per cent on which flux was averaged.
    assert ew == pytest.approx(width, rel=2e-5)
    assert mag == pytest.approx(-2.5 * np.log10(1 - width / 30.0), rel=2e-5)


@pytest.mark.parametrize("depth", [0.5, -0.5], ids=["absorption", "emission"])
def test_voigt_line_whose_wings_reach_into_the_continuum(depth):
    peak = voigt_profile(0.0, 1.0, 0.5)

    def profile(x):
        return voigt_profile(x - 5000.3, 1.0, 0.5) / peak

    flux, width = line_and_truth(profile, depth)
    ew = LineIndices({"line": BANDS["line"]}, wave=WAVE).fit_transform(flux[None])[0, 0]
    # Wings lower the continuum by their mean in the side bands, and so the width, of 30 Å of continuum.
    wings = np.mean([quad(profile, *BANDS["line"][k], epsrel=1e-10)[0] / 30.0 for k in (1, 2)])
    assert ew == pytest.approx((width - 30.0 * depth * wings) / (1 - depth * wings), rel=1e-3)
    assert np.sign(ew) == np.sign(depth)


def test_part_of_a_pixel_counts_as_much_as_lies_in_the_band():
    wave = np.arange(100.0, 200.0)
    flux = np.ones((1, 100))
    flux[0, 50] = 0.0  # from 149.5 to 150.5
    bands = {
        f"{low}": ((low, 160.0), (110.0, 120.0), (170.0, 180.0), "ew")
        for low in (149.0, 149.5, 149.75, 150.5)
    }
    np.testing.assert_allclose(
        LineIndices(bands, wave=wave).fit_transform(flux)[0], [1, 1, 0.75, 0], atol=1e-12
    )


@pytest.mark.parametrize("index", ["Mgb", "Hbeta", "Mg2", "CN1", "Hdelta_A"])
def test_errors_are_the_scatter_of_noise(index):
    wave = np.arange(4000.0, 5500.0, 1.1)  # side bands of Mgb and CN1 share pixels with the index band
    rng = np.random.default_rng(1)
    smooth = 2.0 + 0.3 * np.sin(wave / 9.0)
    sigma = rng.uniform(0.01, 0.05, len(wave))
    flux = smooth + sigma * rng.normal(size=(10_000, len(wave)))
    spectra = Spectra(flux, wave=wave, ivar=np.broadcast_to(sigma**-2, flux.shape))
    value, error = LineIndices([index], errors=True).fit_transform(spectra).T
    assert value.std() == pytest.approx(np.median(error), rel=0.025)  # 10,000 draws: 0.7 per cent
    noiseless = LineIndices([index], wave=wave).fit_transform(smooth[None])[0, 0]
    assert value.mean() == pytest.approx(noiseless, abs=5 * value.std() / 100 + 1e-3)


def test_errors_are_the_gradient():
    rng = np.random.default_rng(2)
    flux, ivar = rng.uniform(1, 2, len(WAVE)), rng.uniform(10, 1000, len(WAVE))
    transformer = LineIndices(BANDS, wave=WAVE)
    steps = 1e-5 * np.eye(len(WAVE))
    up, down = transformer.fit_transform(flux + steps), transformer.fit_transform(flux - steps)
    true = np.sqrt((((up - down) / 2e-5) ** 2 / ivar[:, None]).sum(axis=0))
    got = LineIndices(BANDS, errors=True).fit_transform(Spectra(flux[None], wave=WAVE, ivar=ivar[None]))
    np.testing.assert_allclose(got[0, 2:], true, rtol=1e-5)


def test_own_grids_equal_common_ones():
    rng = np.random.default_rng(0)
    lattice = 10 ** (3.59 + 1e-4 * np.arange(2400))
    waves = [lattice[3:2100], lattice[200:], np.sort(rng.uniform(4800.0, 6500.0, 900)), lattice[600:605]]
    waves += [np.array([4861.0])]
    flux = [rng.uniform(1, 2, len(w)) for w in waves]
    ivar = [rng.uniform(0.1, 2, len(w)) for w in waves]
    ivar[0][40:60] = 0
    spectra = Spectra(flux, wave=waves, ivar=ivar)
    transformer = LineIndices(errors=True)
    got = transformer.fit_transform(spectra)
    alone = np.concatenate([transformer.fit_transform(spectra[k]) for k in range(4)])
    np.testing.assert_allclose(got[:4], alone, rtol=1e-9, atol=1e-9)
    assert np.isnan(got[3:]).all()
    assert 0 < np.isnan(got[0]).sum() < 50


def test_air_wavelengths_and_arrays():
    wave = np.arange(4000.0, 6500.0, 0.9)
    flux = 1 + 0.3 * np.sin(wave / 7.0)[None]
    air = LineIndices().fit_transform(Spectra(flux, wave=wave, medium="air"))
    vacuum = LineIndices(wave=air_to_vacuum(wave)).fit_transform(flux)
    np.testing.assert_allclose(air, vacuum, rtol=1e-5, atol=1e-6)
    assert LICK["Hbeta"].band == pytest.approx((4849.229, 4877.987), abs=2e-3)  # 4847.875 and 4876.625 in air


def test_missing_pixels_and_ends():
    flux = np.ones((5, len(WAVE)))
    flux[1, np.searchsorted(WAVE, 4950.0)] = np.nan  # in the blue band
    flux[2, np.searchsorted(WAVE, 4977.0)] = np.nan  # between the bands
    flux[3, np.searchsorted(WAVE, 5000.0)] = np.nan
    flux[4] = 0.0
    ew = LineIndices({"line": BANDS["line"]}, wave=WAVE)
    np.testing.assert_allclose(ew.fit_transform(flux)[:, 0], [0, np.nan, 0, np.nan, np.nan], atol=1e-12)
    for wave in (WAVE + 41.0, WAVE - 40.5):  # a band reaches one pixel beyond the grid
        short = LineIndices({"line": BANDS["line"]}, wave=wave)
        assert np.isnan(short.fit_transform(flux[:1])).all()
    with pytest.raises(ValueError, match="spectrum 1 does not cover the bands of line, or misses pixels"):
        LineIndices({"line": BANDS["line"]}, wave=WAVE, missing="raise").fit_transform(flux)
    named = Spectra(flux[3:4], wave=WAVE, meta={"file": ["star.fits"]})
    with pytest.raises(ValueError, match=re.escape("star.fits (spectrum 0) does not cover")):
        LineIndices({"line": BANDS["line"]}, missing="raise").fit_transform(named)


def test_magnitudes_of_no_light_are_nan():
    flux = np.where(np.abs(WAVE - 5000.0) < 16.0, -1.0, 1.0)[None]
    ew, mag = LineIndices(BANDS, wave=WAVE).fit_transform(flux)[0]
    assert ew == pytest.approx(60.0)
    assert np.isnan(mag)


def test_names_in_pandas():
    spectra = Spectra(np.ones((2, len(WAVE))), wave=WAVE, ivar=np.ones((2, len(WAVE))))
    frame = (
        LineIndices(["Hdelta_A", "Mgb"], errors=True).set_output(transform="pandas").fit_transform(spectra)
    )
    assert list(frame.columns) == ["Hdelta_A", "Mgb", "Hdelta_A_error", "Mgb_error"]
    assert len(LineIndices().get_feature_names_out()) == 25


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"indices": ["Hdelta"]}, "did you mean 'Hdelta_"),
        ({"indices": []}, "indices must be a sequence of names"),
        ({"indices": {}}, "indices is empty"),
        ({"indices": {"x": ((1, 2), (3, 4), "ew")}}, r"indices\['x'\] must be \(index band, blue band"),
        ({"indices": {"x": ((2, 1), (3, 4), (5, 6), "ew")}}, r"indices\['x'\] must be"),
        ({"indices": {"x": ((2, 3), (5, 6), (3, 4), "ew")}}, "not bluewards of its red band"),
        ({"indices": {"x": ((2, 3), (1, 2), (3, 4), "EW")}}, "must be one of 'ew', 'mag'"),
        ({"missing": "drop"}, "missing must be one of"),
        ({"errors": True}, "errors=True needs Spectra with ivar"),
        ({"wave": None}, "wavelengths are unknown"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        LineIndices(**{"wave": WAVE} | params).fit(np.ones((2, len(WAVE))))


def test_one_pixel_has_no_width():
    with pytest.raises(ValueError, match="wave has 1 pixel"):
        LineIndices().fit(Spectra([[1.0]], wave=[5000.0]))
