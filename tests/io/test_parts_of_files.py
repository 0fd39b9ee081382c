"""Errors, units, further spectra and cards of a file are used, or a warning says that they are not."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skspec import read_spectra
from skspec.io import SpectrumReadError
from skspec.spectra import air_to_vacuum, vacuum_to_air
from tests.io._files import N, flux_ivar, write_image

WAVE = 4000.0 + 2.0 * np.arange(N)
FLUX, IVAR = flux_ivar()
GRID = {"CRVAL1": 4000.0, "CDELT1": 2.0}
VALUES = {"error": IVAR.astype(float) ** -0.5, "variance": 1 / IVAR.astype(float), "ivar": IVAR}


def write_images(path, images, flux=FLUX, **cards):
    """A flux image with a wavelength scale, and others by name in extensions."""
    primary = fits.PrimaryHDU(flux)
    primary.header.update(GRID | cards)
    fits.HDUList([primary, *(fits.ImageHDU(image, name=name) for name, image in images.items())]).writeto(
        path
    )
    return path


# Errors ------------------------------------------------------------------------------------------------

EXTENSIONS = {
    "error": "ERR ERRS ERROR ERRORS SIGMA STDDEV UNCERT UNCERTAINTY NOISE RMS FLUX_ERR ERR_FLUX ERR1 SPECTRUM_ERR",
    "variance": "VAR VARIANCE STAT",
    "ivar": "IVAR INVVAR INVERSE_VARIANCE",
}


@pytest.mark.parametrize("shape", [(N,), (3, N)])
@pytest.mark.parametrize(
    ("kind", "name"), [(k, name) for k, names in EXTENSIONS.items() for name in names.split()]
)
def test_errors_in_an_image_extension(tmp_path, kind, name, shape):
    flux, errors = np.broadcast_to(FLUX, shape), np.broadcast_to(VALUES[kind], shape)
    spectra = read_spectra(write_images(tmp_path / "a.fits", {name: errors}, flux))
    assert "survey" not in spectra.meta.colnames
    np.testing.assert_array_equal(spectra.flux, np.atleast_2d(flux))
    np.testing.assert_allclose(spectra.ivar, np.broadcast_to(IVAR, spectra.flux.shape), rtol=1e-6)


COLUMNS = {
    "error": "err errors e_flux flux_err fluxerr flux_error sigma sig std stddev noise uncertainty unc dflux sigma_flux",
    "variance": "var variance flux_var",
    "ivar": "ivar invvar flux_ivar inverse_variance",
}


@pytest.mark.parametrize("kind_of_file", ["fits", "ecsv", "npz", "txt"])
@pytest.mark.parametrize(
    ("kind", "name"), [(k, name) for k, names in COLUMNS.items() for name in names.split()]
)
def test_errors_in_a_column(tmp_path, kind, name, kind_of_file):
    path, columns = (
        tmp_path / f"a.{kind_of_file}",
        {"wave": WAVE, "flux": FLUX.astype(float), name: VALUES[kind]},
    )
    if kind_of_file == "npz":
        np.savez(path, **columns)
    elif kind_of_file == "txt":
        np.savetxt(path, np.column_stack(list(columns.values())), fmt="%.17g", header=f"wave flux {name}")
    else:
        Table(columns).write(path)
    np.testing.assert_allclose(read_spectra(path).ivar[0], IVAR, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "wave", "unit"),
    [("WAVELENGTH", WAVE + 7, None), ("WAVE", (WAVE + 7) / 10, "nm"), ("LOGLAM", np.log10(WAVE + 7), None)],
)
@pytest.mark.parametrize("rows", [None, "equal", "own"])
def test_wavelengths_in_an_image_extension(tmp_path, name, wave, unit, rows):
    shape = (N,) if rows is None else (3, N)
    waves = np.broadcast_to(wave, shape) * (1 if rows != "own" else np.array([[1], [1.0001], [1.0002]]))
    path = write_images(
        tmp_path / "a.fits", {name: waves, "VAR": np.ones(shape)}, np.broadcast_to(FLUX, shape)
    )
    if unit:
        fits.setval(path, "BUNIT", value=unit, extname=name)
    spectra = read_spectra(path, medium="vacuum")
    expected = 10.0**waves if name == "LOGLAM" else waves * (10 if unit else 1)
    for i in range(len(spectra)):
        grid = spectra.wave if spectra.is_common_grid else spectra.wave[i]
        np.testing.assert_allclose(grid, np.atleast_2d(expected)[i], rtol=1e-12)
    assert len(spectra) == np.atleast_2d(expected).shape[0]


def test_what_looks_like_errors_and_is_not_used_causes_a_warning(tmp_path):
    for name in ("WEIGHT", "MY_ERR_2020"):
        write_images(tmp_path / f"{name}.fits", {name: np.ones(N)})
        with pytest.warns(
            UserWarning, match=f"{name} may hold errors of the flux, but is not used"
        ) as caught:
            assert read_spectra(tmp_path / f"{name}.fits").ivar is None
        assert len(caught) == 1
    with pytest.warns(UserWarning, match=r"ERR is not used, since it has shape \(39,\) and the flux \(40,\)"):
        read_spectra(write_images(tmp_path / "b.fits", {"ERR": np.ones(N - 1)}))
    np.savez(tmp_path / "a.npz", wave=WAVE, flux=FLUX, flux_weight=FLUX)
    with pytest.warns(UserWarning, match="flux_weight may hold errors"):
        read_spectra(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", wave=WAVE, flux=FLUX, ivar=IVAR, sky_err=FLUX, wave_err=WAVE)
    assert read_spectra(tmp_path / "b.npz").ivar is not None


@pytest.mark.parametrize("unit", ["Jy", "mJy", "erg/s/cm2/Hz", "ABmag"])
def test_flux_units_of_images(tmp_path, unit):
    with pytest.raises(
        SpectrumReadError, match=f"flux is in '{unit}'; convert it to flux per unit wavelength"
    ):
        read_spectra(write_images(tmp_path / "a.fits", {}, BUNIT=unit))
    good = read_spectra(write_images(tmp_path / "b.fits", {}, BUNIT="erg/s/cm2/Angstrom"))
    assert good.meta["flux_unit"].tolist() == ["erg/s/cm2/Angstrom"]


@pytest.mark.parametrize("ctype", ["FREQ", "VELO-LSR", "ENER", "WAVN"])
def test_axes_that_are_no_wavelengths(tmp_path, ctype):
    with pytest.raises(SpectrumReadError, match=f"CTYPE1 is {ctype}, which is not a wavelength"):
        read_spectra(write_images(tmp_path / "a.fits", {}, CTYPE1=ctype))


# Several spectra in a file -----------------------------------------------------------------------------


def table(n_rows, value, n_pixels=N, **columns):
    wave = np.tile(4000 + 2.0 * np.arange(n_pixels), (n_rows, 1))
    arrays = {
        "wavelength": wave,
        "flux": np.full((n_rows, n_pixels), value),
        "ivar": np.ones((n_rows, n_pixels)),
    }
    return fits.BinTableHDU.from_columns(
        [fits.Column(name, f"{n_pixels}E", array=array) for name, array in (arrays | columns).items()]
    )


def test_spectra_in_several_tables_of_which_some_are_empty(tmp_path):
    tables = [table(0, 0.0), table(2, 1.0), table(0, 0.0), table(1, 2.0, N + 1)]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    assert [flux[0] for flux in spectra.flux] == [1, 1, 2]
    assert [flux.size for flux in spectra.flux] == [N, N, N + 1]


def test_tables_that_are_left_out_cause_a_warning(tmp_path):
    lines = Table({"wave": [4861.3, 6562.8], "flux": [1.0, 2.0]})
    pixels = Table({"wave": WAVE, "flux": FLUX})
    falling = Table({"wave": np.where(WAVE > 4040, 4000, WAVE), "flux": FLUX})
    hdus = [
        fits.BinTableHDU(t, name=name) for t, name in ((pixels, "SPEC"), (lines, "LINES"), (falling, "ODD"))
    ]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "a.fits")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        spectra = read_spectra(tmp_path / "a.fits")
    messages = [str(warning.message) for warning in caught]
    assert len(spectra) == 1
    assert len(messages) == 2
    assert "HDU 2 (LINES) was not read, since its 2 pixels are too few" in messages[0]
    assert "HDU 3 (ODD) was not read: wave must increase strictly" in messages[1]


@pytest.mark.parametrize(
    "columns",
    [{"wave": np.zeros(0), "flux": np.zeros(0)}, {"wave": np.zeros((0, N)), "flux": np.zeros((0, N))}],
)
def test_tables_without_rows(tmp_path, columns):
    Table(columns).write(tmp_path / "a.fits")
    np.savez(tmp_path / "a.npz", **columns)
    for name in ("a.fits", "a.npz"):
        with pytest.raises(SpectrumReadError, match=rf"{name}: .*no rows"):
            read_spectra(tmp_path / name)


def test_images_on_other_wavelengths_are_further_spectra(tmp_path):
    hdus = [fits.PrimaryHDU()]
    for order in range(3):
        hdu = fits.ImageHDU(FLUX + order, name=f"ORDER{order}")
        hdu.header.update(CRVAL1=4000.0 + 100 * order, CDELT1=2.0)
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    assert len(spectra) == 3
    np.testing.assert_array_equal(spectra.flux[2], FLUX + 2)
    np.testing.assert_allclose(vacuum_to_air(spectra.wave[2])[0], 4200, rtol=1e-12)


def test_an_image_of_unknown_meaning_causes_a_warning(tmp_path):
    write_images(tmp_path / "a.fits", {"SKY": FLUX, "OTHER": FLUX})
    with pytest.warns(UserWarning, match=r"the image HDU 2 \(OTHER\) was not read"):
        assert len(read_spectra(tmp_path / "a.fits")) == 1


# What a file is ----------------------------------------------------------------------------------------


def test_columns_of_sdss_alone_do_not_make_a_file_one_of_sdss(tmp_path):
    cards = {"OBJECT": "HD 1", "CLASS": "STAR", "RA": "10:00:00", "DEC": -30.5, "VACUUM": False}
    Table({"loglam": np.log10(WAVE), "flux": FLUX, "ivar": IVAR}, meta=cards).write(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_allclose(spectra.wave, air_to_vacuum(WAVE), rtol=1e-9)
    meta = spectra.meta[0]
    assert (meta["object"], meta["class"], meta["ra"], meta["dec"]) == ("HD 1", "STAR", 150.0, -30.5)
    assert "survey" not in spectra.meta.colnames


def test_spectra_of_sdss_v(tmp_path):
    columns = {"FLUX": FLUX, "LOGLAM": np.log10(WAVE).astype("f4"), "IVAR": IVAR}
    row = {
        "FIELD": [15170],
        "CATALOGID": [27021597917837494],
        "MJD": [59187],
        "CLASS": ["STAR"],
        "ZWARNING": [0],
    }
    row |= {"RACAT": [10.5], "DECCAT": [-2.0], "SN_MEDIAN_ALL": [12.5], "SURVEY": ["mwm-bhm"], "Z": [1e-4]}
    hdus = [fits.BinTableHDU(Table(columns), name="COADD"), fits.BinTableHDU(Table(row), name="SPALL")]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "a.fits")
    meta = read_spectra(tmp_path / "a.fits").meta[0]
    assert (meta["survey"], meta["class"], meta["plate"]) == ("SDSS-V", "STAR", 15170)
    assert (meta["ra"], meta["dec"], meta["snr"], meta["z"]) == (10.5, -2.0, 12.5, 1e-4)


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"SPECTYPE": "QSO"}, {"class": "QSO"}),
        ({"SPECTYPE": "G2V", "OBJTYPE": "STAR"}, {"class": "STAR", "subclass": "G2V"}),
        ({"RA": (10.5, "[hours] right ascension"), "DEC": 1.0}, {"ra": 157.5, "dec": 1.0}),
        ({"RA": ("10.5", "hours"), "DEC": "-1.5"}, {"ra": 157.5, "dec": -1.5}),
        ({"RA": ("10:30:00", "hours"), "DEC": "-01:30:00"}, {"ra": 157.5, "dec": -1.5}),
        ({"OBJCTRA": "10 30 00", "OBJCTDEC": "-01 30 00"}, {"ra": 157.5, "dec": -1.5}),
        ({"RA": (10.5, "degrees"), "DEC": 1.0}, {"ra": 10.5}),
    ],
)
def test_cards_of_class_and_position(tmp_path, cards, expected):
    write_image(tmp_path / "a.fits", FLUX, **GRID)
    fits.setval(tmp_path / "a.fits", "OBSERVER", value="x")
    with fits.open(tmp_path / "a.fits", mode="update") as hdus:
        hdus[0].header.update(cards)
    meta = read_spectra(tmp_path / "a.fits").meta[0]
    assert {name: meta[name] for name in expected} == expected


# Shapes and kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flux", "what"),
    [
        (FLUX + 1j, r"complex numbers of shape \(40,\)"),
        (FLUX > 0, "booleans"),
        (np.full(N, "x"), "text"),
    ],
)
def test_flux_that_is_not_a_real_number(tmp_path, flux, what):
    Table({"wave": WAVE, "flux": flux}).write(tmp_path / "a.fits")
    with pytest.raises(SpectrumReadError, match=f"flux has {what}"):
        read_spectra(tmp_path / "a.fits")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"flux": [FLUX] * 3, "ivar": np.ones(N - 1)}, r"ivar has shape \(39,\), flux \(3, 40\)"),
        ({"flux": [FLUX] * 3, "ivar": np.ones((1, 3, N))}, r"ivar has shape \(1, 3, 40\), flux \(3, 40\)"),
        ({"flux": [FLUX] * 3, "wave": [[WAVE] * 3]}, r"wave has shape \(1, 3, 40\), flux \(3, 40\)"),
        ({"flux": np.full(N, "2020-01-01", "M8[D]")}, "flux has dates"),
    ],
)
def test_arrays_whose_shapes_do_not_agree(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **({"wave": WAVE} | arrays))
    with pytest.raises(SpectrumReadError, match=message):
        read_spectra(tmp_path / "a.npz")


def test_errors_for_all_spectra(tmp_path):
    np.savez(tmp_path / "a.npz", wave=WAVE, flux=[FLUX] * 3, ivar=IVAR)
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.npz").ivar, [IVAR] * 3)


@pytest.mark.parametrize(
    ("prefix", "kind"), [("err", "error"), ("sigma", "error"), ("var", "variance"), ("ivar", "ivar")]
)
def test_errors_and_masks_in_columns_named_by_wavelengths(tmp_path, prefix, kind):
    columns = {f"flux_{w}": [f] for w, f in zip(WAVE, FLUX, strict=True)}
    columns |= {f"{prefix}_{w}": [v] for w, v in zip(WAVE, VALUES[kind], strict=True)}
    columns |= {f"mask_{w}": [int(w > 4060)] for w in WAVE}
    Table(columns | {"class": ["A"]}).write(tmp_path / "a.csv")
    spectra = read_spectra(tmp_path / "a.csv")
    np.testing.assert_allclose(spectra.ivar[0], np.where(WAVE > 4060, 0, IVAR), rtol=1e-6)
    assert {"class"} <= set(spectra.meta.colnames) <= {"class", "file", "native_medium"}
