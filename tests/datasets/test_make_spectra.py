"""`make_spectra`: numbers of spectra, catalogue, reproducibility, noise, and errors."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from skspec import Spectra
from skspec.datasets import make_spectra

COARSE = np.arange(3800.0, 9200.0, 5.0)


def counts(values):
    return dict(zip(*np.unique(np.asarray(values), return_counts=True), strict=True))


def test_default_is_a_survey_on_the_boss_grid():
    spectra = make_spectra(30, random_state=0)
    assert isinstance(spectra, Spectra)
    assert spectra.shape == (30, 4438)
    assert spectra.medium == "vacuum"
    assert spectra.wave[[0, -1]] == pytest.approx([3600.0, 10000.0], abs=0.5)
    np.testing.assert_allclose(np.diff(np.log10(spectra.wave)), 1e-4, rtol=1e-6)
    assert spectra.flux.dtype == spectra.ivar.dtype == np.float32
    assert counts(spectra.meta["class"]) == {"GALAXY": 10, "QSO": 10, "STAR": 10}
    assert spectra.meta.colnames == [
        "object", "class", "subclass", "spectral_class", "lum_class", "teff", "logg", "feh", "z", "ra", "dec",
        "ebv", "snr", "survey",
    ]  # fmt: skip
    assert set(spectra.meta["survey"]) == {"simulated"}


def test_class_numbers_are_exact():
    stars = make_spectra(100, classes="OBAFGKM", weights=[1, 2, 3, 4, 5, 6, 79], wave=COARSE, random_state=0)
    assert counts(stars.meta["spectral_class"]) == {"O": 1, "B": 2, "A": 3, "F": 4, "G": 5, "K": 6, "M": 79}
    assert set(stars.meta["class"]) == {"STAR"}
    three = make_spectra(11, wave=COARSE, random_state=0)
    assert sorted(counts(three.meta["class"]).values()) == [3, 4, 4]
    rare = make_spectra(5, classes=["QSO", "K"], weights=[0, 1], wave=COARSE, random_state=0)
    assert counts(rare.meta["spectral_class"]) == {"K": 5}


@pytest.mark.parametrize(
    ("classes", "expected"),
    [("STAR", {"STAR"}), ("QSO", {"QSO"}), (("GALAXY", "M"), {"GALAXY", "STAR"}), ("FG", {"STAR"})],
)
def test_ways_to_name_classes(classes, expected):
    assert set(make_spectra(8, classes=classes, wave=COARSE, random_state=0).meta["class"]) == expected


def test_catalogue_of_stars():
    stars = make_spectra(400, classes="OBAFGKM", repeats=0.0, wave=COARSE, random_state=3).meta
    letters, subclass = np.asarray(stars["spectral_class"]), np.asarray(stars["subclass"])
    assert (np.char.add([s[:2] for s in subclass], stars["lum_class"]) == subclass).all()
    assert (subclass.astype("U1") == letters).all()
    assert set(stars["lum_class"]) == {"I", "II", "III", "IV", "V"}
    teff = [np.median(stars["teff"][letters == letter]) for letter in "OBAFGKM"]
    assert teff == sorted(teff, reverse=True)
    assert np.median(stars["teff"][letters == "A"]) == pytest.approx(8500, abs=500)
    cool = np.isin(letters, ["G", "K"])
    logg = [np.median(stars["logg"][cool & (stars["lum_class"] == name)]) for name in ("I", "III", "V")]
    assert logg == sorted(logg)
    assert np.abs(stars["z"]).max() < 0.003  # 900 km/s
    assert (stars["feh"].min(), stars["feh"].max()) >= (-2.0, -2.0)
    assert stars["feh"].max() <= 0.4


def test_catalogue_of_galaxies_and_quasars():
    meta = make_spectra(60, classes=["GALAXY", "QSO"], wave=COARSE, random_state=0).meta
    galaxy = meta["class"] == "GALAXY"
    assert np.isnan(meta["teff"]).all()
    assert set(meta["lum_class"]) == {""}
    assert ((meta["z"][galaxy] > 0) & (meta["z"][galaxy] < 0.7)).all()
    assert ((meta["z"][~galaxy] > 0.2) & (meta["z"][~galaxy] < 4)).all()
    assert set(meta["subclass"][galaxy]) <= {"", "STARFORMING", "STARBURST", "AGN"}


def test_repeats_are_observations_of_the_same_object():
    options = {"repeats": 0.4, "wave": COARSE, "random_state": 5}
    spectra, truth = make_spectra(60, **options), make_spectra(60, noise=False, **options)
    names = np.asarray(spectra.meta["object"])
    assert len(set(names)) == 36
    sky = SkyCoord(spectra.meta["ra"], spectra.meta["dec"], unit="deg")
    for name in set(names):
        rows = np.flatnonzero(names == name)
        assert sky[rows].separation(sky[rows[0]]).max() < 1 * units.arcsec
        for column in ("class", "subclass", "z", "ebv"):
            assert len(set(spectra.meta[column][rows])) == 1
        np.testing.assert_allclose(
            truth.flux[rows], truth.flux[rows[:1]].repeat(len(rows), axis=0), rtol=1e-5
        )
        if len(rows) > 1:
            assert not np.array_equal(spectra.flux[rows[0]], spectra.flux[rows[1]], equal_nan=True)
            assert spectra.meta["snr"][rows[0]] != spectra.meta["snr"][rows[1]]
    assert len(set(spectra.sky_groups())) == 36


def test_positions_fill_the_sphere():
    meta = make_spectra(2000, classes="G", repeats=0.0, wave=COARSE[::50], random_state=0).meta
    assert (meta["ra"] >= 0).all()
    assert (meta["ra"] < 360).all()
    np.testing.assert_allclose(np.histogram(np.sin(np.radians(meta["dec"])), 4, (-1, 1))[0], 500, atol=100)


def same(a, b):
    np.testing.assert_array_equal(a.flux, b.flux)
    np.testing.assert_array_equal(a.ivar, b.ivar)
    assert all(
        (np.asarray(a.meta[name]).astype(str) == np.asarray(b.meta[name]).astype(str)).all()
        for name in a.meta.colnames
    )


def test_same_seed_same_spectra_bit_for_bit():
    options = {"n_spectra": 80, "wave": COARSE}
    first = make_spectra(**options, random_state=42)
    same(first, make_spectra(**options, random_state=42))
    same(first, make_spectra(**options, random_state=np.random.RandomState(42)))
    assert not np.array_equal(first.flux, make_spectra(**options, random_state=43).flux, equal_nan=True)
    assert not np.array_equal(make_spectra(**options).flux, make_spectra(**options).flux, equal_nan=True)


def test_global_generators_are_not_used():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_spectra(10, wave=COARSE, random_state=0)
    make_spectra(10, wave=COARSE, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_noise_is_gaussian_with_the_stated_variance():
    options = {"n_spectra": 60, "random_state": 1, "snr": (2.0, 50.0)}
    noisy, truth = make_spectra(**options), make_spectra(**options, noise=False)
    assert truth.ivar is None
    assert np.isfinite(truth.flux).all()
    good = noisy.ivar > 0
    pull = ((noisy.flux - truth.flux) * np.sqrt(noisy.ivar))[good].astype(float)
    n = len(pull)
    assert abs(pull.mean()) < 4 / np.sqrt(n)
    assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * n))
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.6827, abs=4 * 0.47 / np.sqrt(n))
    assert np.mean(np.abs(pull) < 3) == pytest.approx(0.9973, abs=4 * 0.052 / np.sqrt(n))
    # neighbouring pixels are independent
    rows = (noisy.flux - truth.flux) * np.sqrt(noisy.ivar)
    pairs = good[:, 1:] & good[:, :-1]
    assert abs(np.mean((rows[:, 1:] * rows[:, :-1])[pairs])) < 5 / np.sqrt(pairs.sum())
    signal_to_noise = np.array(
        [np.median((t * np.sqrt(i))[g]) for t, i, g in zip(truth.flux, noisy.ivar, good, strict=True)]
    )
    np.testing.assert_allclose(signal_to_noise, noisy.meta["snr"], rtol=0.05)


def test_noise_grows_towards_the_ends_and_in_sky_lines():
    spectra = make_spectra(40, classes="F", snr=5.0, ebv=0.0, missing=0.0, random_state=0)
    sigma, flux = np.median(1.0 / np.sqrt(spectra.ivar), axis=0), np.median(spectra.flux, axis=0)

    def noise(low, high):
        return np.median((sigma / flux)[(low < spectra.wave) & (spectra.wave < high)])

    assert noise(3600, 3700) > 3 * noise(6500, 6600)
    assert noise(9800, 9950) > 2 * noise(6500, 6600)
    assert noise(5577, 5581) > 1.5 * noise(5540, 5565)  # [O I] of the night sky, 5578.9 Å in vacuum


def test_signal_to_noise_ratio_stays_in_its_range():
    meta = make_spectra(300, snr=(4.0, 20.0), wave=COARSE, random_state=0).meta
    assert meta["snr"].min() >= 4
    assert meta["snr"].max() <= 20
    assert np.median(meta["snr"]) == pytest.approx(np.sqrt(80.0), rel=0.15)
    assert set(make_spectra(5, snr=7.0, wave=COARSE, random_state=0).meta["snr"]) == {7.0}


@pytest.mark.parametrize("missing", [0.0, 0.01, 0.2])
def test_missing_pixels(missing):
    spectra = make_spectra(300, classes="G", missing=missing, wave=COARSE, random_state=2)
    lost = spectra.ivar == 0
    np.testing.assert_array_equal(lost, ~np.isfinite(spectra.flux))
    assert lost.mean() == pytest.approx(missing, rel=0.25)
    assert (lost.mean(axis=1) < 0.9).all()


def test_dust_reddens():
    options = {"n_spectra": 20, "classes": "A", "repeats": 0.0, "noise": False, "random_state": 0}
    clear, dusty = make_spectra(**options, ebv=0.0), make_spectra(**options, ebv=0.5)
    ratio = (dusty.flux / clear.flux).astype(float)
    blue, red = (np.argmin(np.abs(clear.wave - w)) for w in (4405.0, 5495.0))
    magnitudes = -2.5 * np.log10(ratio[:, blue] / ratio[:, red])
    np.testing.assert_allclose(magnitudes, 0.5, rtol=0.03)


def test_resolution_blurs():
    options = {"n_spectra": 10, "classes": "G", "repeats": 0.0, "noise": False, "random_state": 0}
    roughness = [
        np.abs(np.diff(make_spectra(**options, resolution=r).flux)).mean() for r in (200, 1000, 5000)
    ]
    assert roughness == sorted(roughness)


@pytest.mark.parametrize(
    "wave",
    [
        np.linspace(3540.0, 7410.0, 777),
        np.geomspace(3000.0, 11000.0, 1000),
        np.array([4000.0, 5000.0, 9000.0]),
    ],
)
def test_any_grid(wave):
    spectra = make_spectra(9, wave=wave, random_state=0)
    np.testing.assert_array_equal(spectra.wave, wave)
    assert spectra.shape == (9, len(wave))


def test_grids_agree_on_the_flux():
    options = {"n_spectra": 12, "noise": False, "repeats": 0.0, "random_state": 0, "resolution": 1500}
    fine = make_spectra(**options)
    for wave, tolerance in ((fine.wave[100:4000:7], 1e-4), (np.linspace(4000.0, 9000.0, 500), 0.05)):
        other = make_spectra(**options, wave=wave)
        expected = np.array([np.interp(wave, fine.wave, row) for row in fine.flux])
        scale = (other.flux / expected).mean(axis=1, keepdims=True)  # brightness is a mean over the grid
        np.testing.assert_allclose(other.flux, expected * scale, rtol=tolerance)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_spectra": 0}, ValueError, "n_spectra must be at least 1, got 0"),
        ({"n_spectra": 10.0}, TypeError, "n_spectra must be an integer, got float"),
        ({"classes": 3}, TypeError, "classes must be a string or a sequence of strings, got int"),
        ({"classes": ()}, ValueError, "classes must not be empty"),
        ({"classes": ("STAR", "Galaxy")}, ValueError, "classes must be one of .*, got 'Galaxy'"),
        ({"classes": "QSOS"}, ValueError, "classes must be one of .*, got 'Q'"),
        ({"classes": "GG"}, ValueError, "classes has duplicates: G, G"),
        ({"weights": [1, 2]}, ValueError, r"weights must have shape \(3,\), one for each class, got \(2,\)"),
        ({"weights": [1, -2, 1]}, ValueError, "weights must be finite, non-negative and not all zero"),
        ({"weights": [0, 0, 0]}, ValueError, "weights must be finite, non-negative and not all zero"),
        ({"repeats": 1.0}, ValueError, "repeats must be at least 0 and below 1, got 1"),
        ({"repeats": "many"}, TypeError, "repeats must be a number, got str"),
        ({"resolution": 20000}, ValueError, "resolution must be between 50 and 5000, got 20000"),
        ({"missing": -0.1}, ValueError, "missing must be between 0 and 0.5, got -0.1"),
        ({"snr": (30, 5)}, ValueError, "snr must be given as .lowest, highest., got .30, 5."),
        ({"snr": (1, 2, 3)}, ValueError, "snr must be one number or .lowest, highest., got 3 values"),
        ({"snr": 0}, ValueError, "snr must be between 0.01 and 100000, got 0"),
        ({"snr": "high"}, TypeError, "snr must be a number"),
        ({"ebv": -1.0}, ValueError, "ebv must be between 0 and 10, got -1"),
        ({"ebv": np.nan}, ValueError, "ebv must be between 0 and 10, got nan"),
        ({"wave": [5000.0, 4000.0]}, ValueError, "wave must increase strictly"),
        ({"wave": [2000.0, 4000.0]}, ValueError, "wave must be between 3000 and 11000 Å, got 2000 to 4000"),
        ({"wave": np.ones((2, 3))}, ValueError, "wave"),
        ({"random_state": "seed"}, ValueError, "cannot be used to seed"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        make_spectra(**options)
