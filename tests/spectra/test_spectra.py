import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from skspec import FluxNormalizer, LogWaveResampler, Spectra

WAVE = np.linspace(4000.0, 7000.0, 31)


def make(n=6, *, ivar=True, **meta):
    rng = np.random.default_rng(0)
    flux = rng.normal(10.0, 1.0, (n, 31))
    meta = meta or {"class": list("ABABAB")[:n], "ra": np.arange(n) * 1.0, "dec": np.zeros(n)}
    return Spectra(flux, wave=WAVE, ivar=np.ones((n, 31)) if ivar else None, meta=meta)


def own_grids(lengths=(31, 20, 25)):
    waves = [4000.0 + 100.0 * k + np.arange(p) * 50.0 for k, p in enumerate(lengths)]
    return Spectra(
        [np.full(p, k + 1.0) for k, p in enumerate(lengths)], wave=waves, meta={"object": list("abc")}
    )


def test_common_grid_layout_and_types():
    spectra = make()
    assert len(spectra) == 6
    assert spectra.shape == (6, 31)
    assert spectra.is_common_grid
    assert spectra.flux.dtype == np.float32
    assert spectra.flux.dtype.isnative
    assert spectra.wave.dtype == np.float64
    assert (
        repr(spectra)
        == "<Spectra: 6 spectra × 31 pixels, 4000.0–7000.0 Å (vacuum), ivar; meta: class, ra, dec>"
    )


def test_big_endian_input_becomes_native_with_equal_values():
    flux = np.arange(62, dtype=">f4").reshape(2, 31)
    spectra = Spectra(flux, wave=WAVE.astype(">f8"))
    assert spectra.flux.dtype.isnative
    np.testing.assert_array_equal(spectra.flux, flux)


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (2, [2]),
        (-1, [5]),
        (slice(1, 4), [1, 2, 3]),
        (slice(None, None, -2), [5, 3, 1]),
        ([4, 0, 0], [4, 0, 0]),
        (np.array([True, False, False, True, False, False]), [0, 3]),
        ([], []),
        ((np.array([1, 2]), Ellipsis), [1, 2]),
    ],
)
def test_indexing_keeps_flux_ivar_and_meta_together(key, rows):
    spectra = make()
    part = spectra[key]
    np.testing.assert_array_equal(part.flux, spectra.flux[rows])
    np.testing.assert_array_equal(part.ivar, spectra.ivar[rows])
    assert part.meta["ra"].tolist() == rows
    np.testing.assert_array_equal(part.wave, WAVE)


def test_own_grids_as_one_array():
    flux, waves = np.arange(93.0).reshape(3, 31), WAVE * np.array([[1.0], [1.001], [1.0]])
    spectra = Spectra(flux, wave=waves, ivar=np.ones((3, 31)))
    assert not spectra.is_common_grid
    for k in range(3):
        np.testing.assert_array_equal(spectra.wave[k], waves[k])
        np.testing.assert_array_equal(spectra.flux[k], flux[k])
    assert Spectra(flux[[0, 2]], wave=waves[[0, 2]]).is_common_grid


def test_indexing_own_grids():
    spectra = own_grids()
    assert not spectra.is_common_grid
    assert spectra.shape == (3, 31)
    part = spectra[[2, 0]]
    assert [len(f) for f in part.flux] == [25, 31]
    assert [w[0] for w in part.wave] == [4200.0, 4000.0]
    assert part.meta["object"].tolist() == ["c", "a"]


@pytest.mark.parametrize(
    ("key", "error", "match"),
    [
        ((slice(None), 3), IndexError, "by rows only"),
        ("class", TypeError, "spectra.meta"),
        (np.array([True]), IndexError, "the mask has shape"),
        ([0.5], IndexError, "must be integers"),
        (6, IndexError, "row 6 is out of range"),
    ],
)
def test_wrong_index_is_refused(key, error, match):
    with pytest.raises(error, match=match):
        make()[key]


def test_iteration_ends():
    assert [len(one) for one in make()] == [1] * 6


def test_scikit_learn_takes_spectra_as_x():
    spectra = make()
    y = spectra.meta["class"]
    train, test = train_test_split(spectra, test_size=2, random_state=0)
    assert isinstance(train, Spectra)
    assert (len(train), len(test)) == (4, 2)
    model = make_pipeline(
        FluxNormalizer(), LogWaveResampler(loglam_min=3.61, loglam_max=3.84, n_bins=8), DummyClassifier()
    )
    scores = cross_val_score(model, spectra, y, groups=spectra.sky_groups(), cv=StratifiedGroupKFold(3))
    assert scores.shape == (3,)
    search = GridSearchCV(model, {"logwaveresampler__n_bins": [4, 8]}, cv=2).fit(spectra, y)
    assert search.best_params_["logwaveresampler__n_bins"] == 4
    assert search.predict(spectra).shape == (6,)


def test_asarray_marks_missing_pixels():
    spectra = make(2)
    spectra.ivar[0, 3] = 0
    array = np.asarray(spectra)
    assert np.isnan(array[0, 3])
    assert np.count_nonzero(np.isnan(array)) == 1
    assert np.isfinite(spectra.flux).all()


def test_asarray_of_own_grids_is_refused():
    with pytest.raises(ValueError, match="resample them with LogWaveResampler first"):
        np.asarray(own_grids())


def test_masked_pixels_become_missing():
    flux = np.ma.masked_array(np.ones((1, 31)), mask=np.arange(31)[None] == 5)
    assert np.flatnonzero(~Spectra(flux, wave=WAVE).valid[0]).tolist() == [5]
    ivar = np.ma.masked_array(np.ones((1, 31)), mask=np.arange(31)[None] == 7)
    assert np.flatnonzero(~Spectra(np.ones((1, 31)), wave=WAVE, ivar=ivar.filled(0)).valid[0]).tolist() == [7]


def test_invalid_ivar_becomes_zero():
    ivar = np.ones((1, 31))
    ivar[0, :3] = [-1.0, np.nan, np.inf]
    spectra = Spectra(np.ones((1, 31)), wave=WAVE, ivar=ivar)
    assert spectra.ivar[0, :4].tolist() == [0, 0, 0, 1]
    assert spectra.coverage[0] == pytest.approx(28 / 31)


def test_units_are_converted_or_kept():
    unit = u.Unit("1e-17 erg s-1 cm-2 AA-1")
    spectra = Spectra(np.ones((1, 31)) * unit, wave=(WAVE * 0.1) * u.nm, ivar=np.ones((1, 31)) * unit**-2)
    np.testing.assert_allclose(spectra.wave, WAVE, rtol=1e-15)
    assert spectra.flux_unit == unit
    table = Table({"w": WAVE / 10}, units={"w": "nm"})
    np.testing.assert_allclose(Spectra(np.ones((1, 31)), wave=table["w"]).wave, WAVE, rtol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"flux": np.ones(31)}, ValueError, r"flux has shape \(31,\).*give \[flux\]"),
        ({"flux": np.ones((2, 1, 31))}, ValueError, "one row per spectrum"),
        ({"flux": np.ones((2, 30))}, ValueError, "flux of spectrum 0 has 30 pixels, its wave 31"),
        ({"flux": np.ones((2, 31)) * 1j}, TypeError, "complex"),
        ({"flux": np.full((2, 31), 1e300)}, ValueError, "outside the range of float32"),
        ({"flux": np.ones((2, 31)) * u.Jy}, TypeError, "per unit frequency"),
        ({"wave": WAVE[::-1]}, ValueError, "must increase strictly"),
        ({"wave": np.where(np.arange(31) == 3, np.nan, WAVE)}, ValueError, "1 values that are not finite"),
        ({"wave": WAVE - 4000.0}, ValueError, "must be positive"),
        ({"wave": WAVE * u.s}, TypeError, "wave is in s"),
        ({"ivar": np.ones((1, 31))}, ValueError, "ivar has 1 rows for 2 spectra"),
        ({"ivar": np.ones((2, 31)) * u.m}, TypeError, "ivar needs flux_unit"),
        ({"meta": {"class": ["A"]}}, ValueError, "meta has 1 rows for 2 spectra"),
        ({"medium": "vacum"}, ValueError, "did you mean 'vacuum'"),
    ],
)
def test_bad_input_is_named(arguments, error, match):
    with pytest.raises(error, match=match):
        Spectra(**({"flux": np.ones((2, 31)), "wave": WAVE} | arguments))


def test_concatenate_one_grid_stays_one_and_meta_is_stacked():
    a, b = make(2), make(3, object=list("xyz"))
    both = Spectra.concatenate([a, b])
    assert both.is_common_grid
    assert both.shape == (5, 31)
    np.testing.assert_array_equal(both.flux, np.vstack([a.flux, b.flux]))
    assert both.meta["class"].mask.tolist() == [False, False, True, True, True]
    assert both.meta["object"][2:].tolist() == ["x", "y", "z"]


def test_concatenate_different_grids_media_and_refusals():
    other = Spectra(np.ones((1, 5)), wave=np.arange(5) + 5000.0, medium="air")
    both = Spectra.concatenate([make(2, ivar=False), other])
    assert not both.is_common_grid
    assert both.medium == "vacuum"
    assert both.wave[2][0] == pytest.approx(5001.3945, abs=1e-3)
    assert len(both.meta) == 3
    with pytest.raises(ValueError, match="1 of 2 parts have ivar"):
        Spectra.concatenate([make(1), other])
    with pytest.raises(ValueError, match="empty"):
        Spectra.concatenate([])


def test_air_and_vacuum_are_inverse():
    spectra = make()
    air = spectra.to_air()
    assert air.medium == "air"
    np.testing.assert_allclose(air.to_vacuum().wave, spectra.wave, rtol=1e-14)
    assert spectra.to_vacuum() is spectra
    assert air.to_air() is air


def test_rest_frame_moves_lines_and_conserves_flux():
    z = np.array([0.1, 0.5, 1.0, 2.0, 0.0, 3.0])
    spectra = make()
    rest = spectra.to_rest_frame(z)
    for k in range(6):
        np.testing.assert_allclose(rest.wave[k], WAVE / (1 + z[k]), rtol=1e-15)
        np.testing.assert_allclose(
            (rest.flux[k] * np.gradient(rest.wave[k])).sum(),
            (spectra.flux[k] * np.gradient(WAVE)).sum(),
            rtol=1e-6,
        )
    np.testing.assert_allclose(rest.snr, spectra.snr, rtol=1e-6)
    assert spectra.to_rest_frame(0.5).is_common_grid


@pytest.mark.parametrize(
    ("z", "match"),
    [
        (None, "no column 'z'"),
        ([0.1], r"shape \(1,\)"),
        (-1.0, "above -1"),
        ([0, 0, np.nan, 0, 0, 0], "spectrum 2"),
    ],
)
def test_rest_frame_refuses_bad_redshift(z, match):
    with pytest.raises(ValueError, match=match):
        make().to_rest_frame(z)


def test_masked_redshift_in_meta_is_refused():
    spectra = make(2, z=MaskedColumn([0.1, 0.2], mask=[False, True]))
    with pytest.raises(ValueError, match="spectrum 1"):
        spectra.to_rest_frame()


def test_snr_from_ivar_and_from_the_flux_itself():
    rng = np.random.default_rng(1)
    wave = np.linspace(4000, 9000, 5001)
    flux = 100.0 + rng.normal(0, 5.0, (3, 5001))
    known = Spectra(flux, wave=wave, ivar=np.full((3, 5001), 1 / 25.0))
    np.testing.assert_allclose(known.snr, 20.0, rtol=0.01)
    np.testing.assert_allclose(Spectra(flux, wave=wave).snr, 20.0, rtol=0.05)
    empty = Spectra(np.full((1, 5001), np.nan), wave=wave)
    assert np.isnan(empty.snr[0])


def test_sky_groups_need_positions():
    with pytest.raises(ValueError, match="no column 'ra' or 'dec'"):
        make(2, object=["a", "b"]).sky_groups()


def test_replace_shares_other_attributes():
    spectra = make()
    doubled = spectra.replace(flux=2 * spectra.flux)
    assert doubled.ivar is spectra.ivar
    assert doubled.meta is spectra.meta
    np.testing.assert_array_equal(doubled.flux, 2 * spectra.flux)
    assert spectra.replace() is not spectra
    short = own_grids().replace(meta=Table())
    assert short.meta.colnames == []


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"fluxx": 1}, TypeError, "no argument 'fluxx'; it takes flux, flux_unit, ivar"),
        ({"flux": np.ones((5, 31))}, ValueError, "ivar has 6 rows for 5 spectra"),
        ({"ivar": np.ones((7, 31))}, ValueError, "ivar has 7 rows for 6 spectra"),
        ({"meta": Table({"a": [1]})}, ValueError, "meta has 1 rows for 6 spectra"),
        ({"wave": [WAVE]}, ValueError, "wave has 1 rows for 6 spectra"),
    ],
)
def test_replace_checks_names_and_numbers_of_rows(changes, error, match):
    with pytest.raises(error, match=match):
        make().replace(**changes)


def test_shared_wavelengths_are_checked_once_with_the_right_row_in_errors():
    good, bad = WAVE.copy(), WAVE[::-1].copy()
    with pytest.raises(ValueError, match="pixel 0 of spectrum 2 at 7000 is followed by 6900"):
        Spectra(np.ones((4, 31)), wave=[good, good, bad, good])
    spectra = Spectra(np.ones((3, 31)), wave=[good, good, good + 1])
    assert spectra.wave[0] is spectra.wave[1]


QUANTITY = u.Unit("erg / (s cm2 AA)")


@pytest.mark.parametrize(
    ("wave", "match"),
    [
        (
            np.linspace(0.45, 2.45, 5),
            r"cannot be Å of a spectrograph; it may be in micron .* wave \* u.micron",
        ),
        (np.linspace(3.5, 4.0, 5), r"log10\(Angstrom\)"),
        ([np.linspace(4000, 5000, 5), np.linspace(0.4, 0.5, 5)], "wave 0.4 to 0.5 has no unit"),
        (np.arange(1.0, 6.0), "looks like pixel numbers"),
        (np.arange(5), "must be positive.*pixel numbers"),
        (np.linspace(4e14, 7e14, 5), "convert frequencies"),
    ],
)
def test_numbers_that_cannot_be_angstrom_are_refused(wave, match):
    with pytest.raises(ValueError, match=match):
        Spectra(np.ones((2, 5)), wave=wave)


@pytest.mark.parametrize("wave", [np.linspace(380.0, 900.0, 5), np.linspace(350.0, 2500.0, 5)])
def test_wavelengths_that_may_be_nanometres_warn(wave):
    with pytest.warns(UserWarning, match=r"may be in nm; give its unit as wave \* u.nm"):
        spectra = Spectra(np.ones((2, 5)), wave=wave)
    np.testing.assert_array_equal(spectra.wave, wave)


@pytest.mark.parametrize(
    "wave",
    [
        np.linspace(5.0, 25.0, 5) * u.AA,
        np.linspace(300.0, 700.0, 5) * u.AA,
        np.linspace(0.4, 2.4, 5) * u.um,
        np.linspace(905.0, 1187.0, 5),
        np.linspace(1150.0, 3200.0, 5),
        np.linspace(5e4, 3e6, 5),
    ],
)
def test_wavelengths_with_a_unit_or_of_a_spectrograph_are_taken(wave):
    spectra = Spectra(np.ones((2, 5)), wave=wave)
    np.testing.assert_allclose(spectra.wave, u.Quantity(wave, u.AA).value)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"wave": WAVE[:5] + 1j}, TypeError, "wave has dtype complex128; real numbers"),
        ({"wave": WAVE[:5].astype(str)}, TypeError, "wave has dtype <U32"),
        ({"wave": WAVE[:5].astype("M8[s]")}, TypeError, "wave has dtype datetime64"),
        ({"wave": WAVE[:5] > 0}, TypeError, "wave has dtype bool"),
        ({"wave": 5000.0}, ValueError, r"wave has shape \(\)"),
        ({"wave": None}, ValueError, r"wave has shape \(\)"),
        ({"wave": np.ones((2, 5, 1))}, ValueError, r"wave has shape \(2, 5, 1\)"),
        ({"wave": np.linspace(1, 2, 5) * u.keV}, TypeError, r"wave.to\(u.AA, u.spectral\(\)\)"),
        ({"flux": [np.ones(5), 7.0]}, ValueError, r"row 1 has shape \(\)"),
        ({"flux": [[None] * 5] * 2}, TypeError, "real numbers are needed, NaN where missing"),
        ({"flux": np.ones((2, 5)) * u.mag}, TypeError, "convert magnitudes"),
        ({"flux": np.ones((5, 2))}, ValueError, "rows are spectra, columns their pixels"),
        ({"meta": "stars"}, ValueError, "meta is a str that is not a table"),
        ({"meta": {"a": [1, 2], "b": [1]}}, ValueError, "one value per spectrum"),
    ],
)
def test_what_is_no_spectrum_is_named(arguments, error, match):
    with pytest.raises(error, match=match) as info:
        Spectra(**({"flux": np.ones((2, 5)), "wave": WAVE[:5]} | arguments))
    assert len(str(info.value)) < 400


@pytest.mark.parametrize(("scale", "noise"), [(1e-17, 1e-20), (1e-50, 1e-52), (1e40, 1e38), (1e25, 1e25)])
def test_flux_beyond_float32_keeps_its_unit(scale, noise):
    flux, error = scale * np.linspace(2.0, 3.0, 10).reshape(2, 5), np.full((2, 5), noise)
    spectra = Spectra(flux * QUANTITY, wave=WAVE[:5], ivar=error**-2 / QUANTITY**2)
    np.testing.assert_allclose(
        (spectra.flux.astype(float) * spectra.flux_unit).to_value(QUANTITY), flux, rtol=1e-6
    )
    np.testing.assert_allclose(spectra.snr, np.median(flux / noise, axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("flux", "ivar", "match"),
    [
        (1e40, 1.0, "flux has 10 values outside"),
        (1e-50, 1.0, "flux of a spectrum is below"),
        (1e30, 1e-58, "ivar of a"),
    ],
)
def test_flux_beyond_float32_without_unit_is_refused(flux, ivar, match):
    with pytest.raises(ValueError, match=match):
        Spectra(np.full((2, 5), flux), wave=WAVE[:5], ivar=np.full((2, 5), ivar))


def test_wings_of_lines_may_vanish():
    flux = np.exp(-0.5 * np.linspace(-40, 40, 62).reshape(2, 31) ** 2)
    np.testing.assert_allclose(Spectra(flux, wave=WAVE).flux, flux, rtol=1e-6, atol=1e-38)
