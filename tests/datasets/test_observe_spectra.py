"""`observe_spectra`, compared with closed forms: dust, velocity, resolution, noise, catalogue and errors."""

import re

import numpy as np
import pytest
from astropy.table import Table

from skspec import Spectra, make_spectra
from skspec.datasets import observe_spectra
from skspec.datasets._extinction import extinction_law

LIGHT_SPEED = 299792.458  # km/s
FWHM = np.sqrt(8 * np.log(2))  # of a Gaussian with unit standard deviation
WAVE = np.arange(4000.0, 7000.0, 0.5)
NOISELESS = {"snr": 1e5, "velocity": 0.0, "ebv": 0.0, "missing": 0.0, "random_state": 0}


def gaussian(wave, centre, fwhm):
    return np.exp(-0.5 * ((wave - centre) / (fwhm / FWHM)) ** 2)


def library(n=1, *, line=5500.0, fwhm=4.0, medium="vacuum", **meta):
    """Return flat spectra with an emission line and increasing brightness."""
    flux = np.arange(1.0, n + 1)[:, None] * (1.0 + 5.0 * gaussian(WAVE, line, fwhm))
    return Spectra(flux, wave=WAVE, medium=medium, meta=meta or None)


def moments(spectra, centre):
    """Return centroid and variance of the line near a wavelength."""
    near = np.abs(spectra.wave - centre) < 40.0
    wave, flux = spectra.wave[near], spectra.flux[:, near].astype(float)
    light = flux / np.median(spectra.flux, axis=1)[:, None] - 1.0
    total = np.trapezoid(light, wave, axis=1)
    centroid = np.trapezoid(light * wave, wave, axis=1) / total
    return centroid, np.trapezoid(light * (wave - centroid[:, None]) ** 2, wave, axis=1) / total


def test_without_noise_dust_and_velocity_only_the_pixels_change():
    flux = 2.0 + np.sin(WAVE / 300.0) + (WAVE / 6000.0) ** 3
    night = observe_spectra(Spectra(flux[None], wave=WAVE), **NOISELESS, magnitude=17.0)
    truth = np.interp(night.wave, WAVE, flux)
    scale = night.flux[0].mean() / truth.mean()
    np.testing.assert_allclose(night.flux[0], scale * truth, rtol=2e-4)
    # STMAG is -2.5 log10(f) - 21.10 of flux in erg s-1 cm-2 Å-1
    assert -2.5 * np.log10(1e-17 * night.flux[0].mean()) - 21.10 == pytest.approx(17.0, abs=2e-3)


def test_dust_dims_by_the_extinction_law():
    flat = Spectra(np.ones((1, len(WAVE))), wave=WAVE)
    options = NOISELESS | {"n_copies": 3}
    clear, dusty = (observe_spectra(flat, **options | {"ebv": ebv}) for ebv in (0.0, (0.4, 1.0)))
    assert len(set(dusty.meta["ebv"])) == 3
    magnitudes = -2.5 * np.log10((dusty.flux / clear.flux).astype(float))
    law = 3.1 * np.asarray(dusty.meta["ebv"])[:, None] * extinction_law(dusty.wave)
    np.testing.assert_allclose(magnitudes - magnitudes[:, :1], law - law[:, :1], atol=2e-3)
    blue, visual = (np.argmin(np.abs(dusty.wave - w)) for w in (4405.0, 5495.0))
    np.testing.assert_allclose(magnitudes[:, blue] - magnitudes[:, visual], dusty.meta["ebv"], rtol=0.03)


@pytest.mark.parametrize("velocity", [-250.0, 150.0, (-300.0, 300.0)])
def test_velocity_moves_lines(velocity):
    night = observe_spectra(library(), **NOISELESS | {"velocity": velocity, "n_copies": 4})
    z = np.asarray(night.meta["z"])
    if isinstance(velocity, float):
        np.testing.assert_allclose(z * LIGHT_SPEED, velocity, rtol=1e-12)
    else:
        assert len(set(z)) == 4
        assert (np.abs(z * LIGHT_SPEED) <= 300).all()
    np.testing.assert_allclose(moments(night, 5500.0)[0], 5500.0 * (1 + z), atol=0.01)


def test_widths_of_lines_add_in_quadrature():
    instrument, own = 2.5, 4.0  # Å, of the library and of the star
    stars = library(fwhm=np.hypot(instrument, own))
    pixel = (5500.0 * 1e-4 * np.log(10.0)) ** 2 / 12.0  # variance of a bin
    kept = observe_spectra(stars, **NOISELESS)
    np.testing.assert_allclose(
        moments(kept, 5500.0)[1], (instrument**2 + own**2) / FWHM**2 + pixel, rtol=0.01
    )
    blurred = observe_spectra(stars, resolution=1000, library_resolution=instrument, **NOISELESS)
    np.testing.assert_allclose(moments(blurred, 5500.0)[1], (5.5**2 + own**2) / FWHM**2 + pixel, rtol=0.01)
    coarse = observe_spectra(
        stars, resolution=1000, library_resolution=9.0, **NOISELESS
    )  # coarser than the survey
    np.testing.assert_allclose(moments(coarse, 5500.0)[1], moments(kept, 5500.0)[1], rtol=0.01)


def test_noise_is_gaussian_with_the_stated_variance_and_ratio():
    stars = make_spectra(8, classes="BAGM", snr=1e4, ebv=0.0, missing=0.0, repeats=0.0, random_state=0)
    options = {"n_copies": 5, "missing": 0.0, "random_state": 1}
    night = observe_spectra(stars, snr=(3.0, 20.0), **options)
    truth = observe_spectra(stars, snr=1e5, **options)
    for name in ("z", "ebv"):
        np.testing.assert_array_equal(night.meta[name], truth.meta[name])
    pull = ((night.flux - truth.flux) * np.sqrt(night.ivar)).ravel().astype(float)
    n = len(pull)
    assert n > 1e5
    assert abs(pull.mean()) < 4 / np.sqrt(n)
    assert np.mean(pull**2) == pytest.approx(1.0, abs=4 * np.sqrt(2 / n))
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.6827, abs=4 * 0.47 / np.sqrt(n))
    reached = np.median(truth.flux * np.sqrt(night.ivar), axis=1)
    np.testing.assert_allclose(reached, night.meta["snr"], rtol=0.05)
    ratio = np.log(np.asarray(night.meta["snr"]))
    assert ((ratio >= np.log(3.0)) & (ratio <= np.log(20.0))).all()
    assert ratio.mean() == pytest.approx(np.log(np.sqrt(60.0)), abs=4 * np.log(20 / 3) / np.sqrt(12 * 40))


def test_sky_matters_for_faint_stars():
    def excess(magnitude):
        """Return the noise in [O I] of the night sky, 5578.9 Å in vacuum, relative to neighbouring pixels."""
        night = observe_spectra(library(line=5000.0), **NOISELESS | {"snr": 5.0, "magnitude": magnitude})
        sigma, line = 1 / np.sqrt(night.ivar[0]), np.abs(night.wave - 5578.9) < 1
        beside = np.abs(night.wave - 5555.0) < 10
        return sigma[line].max() / np.median(sigma[beside])

    assert excess(12.0) == pytest.approx(1.0, abs=0.05)
    assert excess(21.0) > 2


@pytest.mark.parametrize("missing", [0.0, 0.05, 0.3])
def test_missing_pixels(missing):
    night = observe_spectra(library(40), n_copies=5, missing=missing, random_state=0)
    lost = night.ivar == 0
    np.testing.assert_array_equal(lost, ~np.isfinite(night.flux))
    assert lost.mean() == pytest.approx(missing, rel=0.2)


def test_pixels_of_the_survey():
    night = observe_spectra(library(), random_state=0)
    np.testing.assert_allclose(np.log10(night.wave[1:] / night.wave[:-1]), 1e-4, rtol=1e-6)
    np.testing.assert_allclose(1e4 * np.log10(night.wave), np.rint(1e4 * np.log10(night.wave)), atol=1e-6)
    pixel = 7000.0 * 1e-4 * np.log(10.0)
    low, high = 4000.0 * (1 + 300 / LIGHT_SPEED), WAVE[-1] * (1 - 300 / LIGHT_SPEED)
    assert low < night.wave[0] < low + 2 * pixel
    assert high - 2 * pixel < night.wave[-1] < high
    own = np.geomspace(4100.0, 6900.0, 300)
    np.testing.assert_array_equal(observe_spectra(library(), wave=own, random_state=0).wave, own)
    wide = Spectra(np.ones((1, 2000)), wave=np.geomspace(1500.0, 25000.0, 2000))
    assert observe_spectra(wide, random_state=0).wave[[0, -1]] == pytest.approx([3000.0, 11000.0], rel=5e-4)


@pytest.mark.parametrize(("velocity", "reach"), [(0.0, (0, 0)), ((-300.0, 200.0), (200, -300))])
@pytest.mark.parametrize("n_pixels", [5, 100, 20000])
def test_library_must_cover_whole_pixels(velocity, reach, n_pixels):
    options = NOISELESS | {"velocity": velocity}
    blue, red = (1 + v / LIGHT_SPEED for v in reach)
    edges = np.geomspace((WAVE[0] - 0.25) * blue, (WAVE[-1] + 0.25) * red, n_pixels + 1)
    centres = np.sqrt(edges[1:] * edges[:-1])
    night = observe_spectra(library(), wave=centres, **options)
    np.testing.assert_allclose(night.wave, centres, rtol=1e-12)
    assert np.isfinite(night.flux).all()
    for beyond in (-1, 1):
        with pytest.raises(ValueError, match="wave must be between .* whole pixels") as caught:
            observe_spectra(library(), wave=centres * (edges[1] / edges[0]) ** (0.05 * beyond), **options)
        low, high = map(float, re.search(r"between (\S+) and (\S+) Å", str(caught.value)).groups())
        assert (low, high) == pytest.approx((centres[0], centres[-1]), abs=0.011)
        again = observe_spectra(library(), wave=np.geomspace(low, high, n_pixels), **options)
        assert np.isfinite(again.flux).all()


def test_a_grid_from_end_to_end_of_the_library_is_refused_for_its_outer_pixels():
    wave = np.arange(3800.0, 7200.0, 0.05)
    fine = Spectra(np.ones((2, len(wave))), wave=wave)
    own = np.geomspace(wave[0], wave[-1], 100)
    half = np.sqrt(own[1] / own[0])
    message = rf"wave must be between {3799.975 * half:.2f} and {7199.975 / half:.2f} Å, got .*pixels \(0.0028 dex\)"
    with pytest.raises(ValueError, match=message):
        observe_spectra(fine, wave=own, velocity=0.0)
    assert np.isfinite(observe_spectra(fine, wave=own[1:-1], **NOISELESS).flux).all()


def test_the_pixels_of_the_library_are_accepted():
    stars = make_spectra(2, classes="A", snr=300, ebv=0.0, missing=0.0, random_state=0)
    night = observe_spectra(stars, wave=stars.wave, **NOISELESS)
    np.testing.assert_array_equal(night.wave, stars.wave)
    ratio = night.flux / stars.flux
    np.testing.assert_allclose(
        ratio, np.median(ratio, axis=1, keepdims=True) * np.ones_like(ratio), rtol=0.01
    )


@pytest.mark.parametrize("rounded", ["loglam", "both"])
def test_single_precision_pixels_become_exact(rounded):
    exact = 3.65 + 1e-4 * np.arange(1500)
    loglam = exact.astype(np.float32)
    wave = 10.0 ** (loglam if rounded == "both" else loglam.astype(float))
    night = observe_spectra(library(), wave=wave, random_state=0)
    np.testing.assert_allclose(np.log10(night.wave), exact, atol=0.003e-4)
    steps = np.diff(np.log10(night.wave))
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-9)
    bent = exact + 0.02e-4 * np.sin(exact * 100)
    with pytest.raises(ValueError, match="wave must be equally spaced in its logarithm"):
        observe_spectra(library(), wave=10.0**bent, random_state=0)


def test_library_in_air_is_converted_to_vacuum():
    night = observe_spectra(library(line=6562.80, medium="air"), **NOISELESS)
    assert night.medium == "vacuum"
    assert moments(night, 6564.61)[0] == pytest.approx([6564.61], abs=0.02)  # H alpha


def test_rows_and_catalogue():
    meta = {"object": ["a", "b", "c"], "class": ["A", "F", "G"], "snr": [99.0] * 3, "z": [0.0] * 3}
    stars = library(3, **meta)
    night = observe_spectra(stars, n_copies=2, random_state=0)
    assert len(night) == 6
    assert night.meta["library_row"].tolist() == [0, 0, 1, 1, 2, 2]
    assert night.meta["object"].tolist() == list("aabbcc")
    assert night.meta["class"].tolist() == list("AAFFGG")
    assert night.meta.colnames == ["object", "class", "snr", "z", "library_row", "ebv"]
    assert night.meta["snr"].max() <= 20
    assert {name: list(stars.meta[name]) for name in meta} == meta
    first, second = night.flux[::2], night.flux[1::2]
    assert not np.isclose(first, second, rtol=1e-3).all(axis=1).any()
    assert all(len(set(night.meta[name])) == 6 for name in ("snr", "z", "ebv"))


def same(a, b):
    np.testing.assert_array_equal(a.flux, b.flux)
    np.testing.assert_array_equal(a.ivar, b.ivar)
    for name in ("z", "ebv", "snr"):
        np.testing.assert_array_equal(a.meta[name], b.meta[name])


def test_seeds_make_results_reproducible_and_global_generators_are_not_used():
    stars = library(2)
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = observe_spectra(stars, random_state=4)
    same(first, observe_spectra(stars, random_state=4))
    same(first, observe_spectra(stars, random_state=np.random.RandomState(4)))
    assert not np.array_equal(first.flux, observe_spectra(stars, random_state=5).flux, equal_nan=True)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_many_copies_are_made_in_blocks():
    night = observe_spectra(library(3), n_copies=100, **NOISELESS, wave=np.geomspace(5000.0, 6000.0, 200))
    np.testing.assert_allclose(moments(night, 5500.0)[0], 5500.0, atol=0.05)
    assert np.bincount(night.meta["library_row"]).tolist() == [100, 100, 100]


DARK = np.where(WAVE < 5000.0, 10.0, -1.0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"library": np.ones((2, 3))}, TypeError, "library must be Spectra, got ndarray"),
        ({"library": library()[[]]}, ValueError, "library must have at least one spectrum"),
        (
            {"library": Spectra([np.ones(3)] * 2, wave=[[4001.0, 4002, 4003], [4002.0, 4003, 4005]])},
            ValueError,
            "library have different grids",
        ),
        (
            {"library": Spectra(np.full((1, 3), np.nan), wave=[4001.0, 4002, 4003])},
            ValueError,
            "library has missing pixels",
        ),
        (
            {"library": Spectra([[1.0, 1, 1], [1, -2, 1]], wave=[4001.0, 4002, 4003])},
            ValueError,
            "the mean flux of spectrum 1 of library must be positive",
        ),
        (
            {"library": Spectra(DARK[None], wave=WAVE), "wave": np.geomspace(5500.0, 6000.0, 9), "ebv": 0.0},
            ValueError,
            "the mean flux of spectrum 0 of library must be positive, but .* it is -1",
        ),
        (
            {"library": Spectra(np.ones((1, 3)), wave=[5000.0, 5000.5, 5001.0])},
            ValueError,
            "library covers 5000 to 5001 Å; .* fewer than two pixels",
        ),
        ({"n_copies": 0}, ValueError, "n_copies must be at least 1, got 0"),
        ({"n_copies": 2.0}, TypeError, "n_copies must be an integer, got float"),
        ({"n_copies": True}, TypeError, "n_copies must be an integer, got bool"),
        ({"snr": 0}, ValueError, "snr must be between 0.01 and 100000, got 0"),
        ({"snr": (20, 3)}, ValueError, "snr must be given as .lowest, highest., got .20, 3."),
        ({"snr": "high"}, TypeError, "snr must be a number, got str"),
        ({"velocity": (-1, 0, 1)}, ValueError, "velocity must be one number or .lowest, highest., got 3"),
        ({"velocity": 3e5}, ValueError, "velocity must be between -3000 and 3000"),
        ({"ebv": -0.1}, ValueError, "ebv must be between 0 and 10, got -0.1"),
        ({"magnitude": np.nan}, ValueError, "magnitude must be between 0 and 30, got nan"),
        ({"missing": 0.6}, ValueError, "missing must be between 0 and 0.5, got 0.6"),
        ({"resolution": 20}, ValueError, "resolution must be between 50 and 100000, got 20"),
        ({"resolution": 2000}, ValueError, "resolution requires library_resolution"),
        ({"library_resolution": 2.5}, ValueError, "library_resolution requires resolution"),
        (
            {"resolution": 2000, "library_resolution": -1},
            ValueError,
            "library_resolution must be between 0 and 1000, got -1",
        ),
        ({"wave": [5000.0, 4000.0]}, ValueError, "wave must increase strictly"),
        ({"wave": [5000.0]}, ValueError, "wave must be a 1-D array of at least two pixels"),
        ({"wave": np.geomspace(5000.0, 6000.0, 8).reshape(2, 4)}, ValueError, "wave must be a 1-D array"),
        (
            {"wave": np.linspace(4100.0, 6900.0, 50)},
            ValueError,
            "wave must be equally spaced in its logarithm",
        ),
        (
            {"library": Spectra(np.ones((1, 1)), wave=[5000.0]), "wave": [5000.0, 5001.0]},
            ValueError,
            "the spectra of library must have at least two pixels",
        ),
        (
            {
                "library": Spectra(np.ones((1, 2)), wave=[2000.0, 9000.0]),
                "wave": np.geomspace(2900, 6000, 300),
            },
            ValueError,
            r"between 3000\.00 and .* Å, got .*: centres must be between 3000 and 11000 Å",
        ),
        ({"random_state": "seed"}, ValueError, "cannot be used to seed"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        observe_spectra(**{"library": library()} | options)


def test_catalogue_of_any_table_is_kept():
    stars = Spectra(np.ones((2, 6000)), wave=WAVE, meta=Table({"teff": np.ma.array([1.0, 2.0], mask=[0, 1])}))
    night = observe_spectra(stars, n_copies=2, random_state=0)
    assert np.ma.getmaskarray(np.ma.asarray(night.meta["teff"])).tolist() == [False, False, True, True]


@pytest.mark.parametrize("scale", [2.0**-120, 2.0**110])
def test_brightness_of_the_library_does_not_matter(scale):
    flux = np.linspace(1.0, 2.0, 6000, dtype=np.float32)[None]
    wave = np.linspace(3000.0, 10500.0, 6000)
    one, other = (
        observe_spectra(Spectra(np.float32(factor) * flux, wave=wave), ebv=10.0, random_state=0)
        for factor in (1.0, scale)
    )
    np.testing.assert_allclose(other.flux, one.flux, rtol=1e-5)
    np.testing.assert_allclose(other.ivar, one.ivar, rtol=1e-5)
