"""Tables and text with one pixel or one spectrum per row."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pyarrow
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table
from pyarrow import parquet

from skspec import read_spectra
from skspec.io import SpectrumReadError
from skspec.spectra import air_to_vacuum, vacuum_to_air
from tests._data import data_path
from tests.io._files import N, flux_ivar

WAVE = 4000.0 + 2.0 * np.arange(N)
FLUX, IVAR = flux_ivar()


# FITS tables -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "medium"),
    [
        ({"WAVE": (WAVE, "Angstrom"), "FLUX": (FLUX, None), "IVAR": (IVAR, None)}, ""),
        ({"lambda": (WAVE / 10, "nm"), "flux": (FLUX, None), "err": (IVAR**-0.5, None)}, ""),
        (
            {"wavelength_air": (WAVE / 1e4, "micron"), "Flam": (FLUX, None), "variance": (1 / IVAR, None)},
            "air",
        ),
        ({"loglam": (np.log10(WAVE), None), "flux": (FLUX, None), "ivar": (IVAR, None)}, ""),
        ({"WAVE": (WAVE * 1e-10, "m"), "FLUX": (FLUX, "erg/s/cm2/AA"), "IVAR": (IVAR, None)}, ""),
        ({"flux": (FLUX, None), "ivar": (IVAR, None), "Wave(nm)": (WAVE / 10, None)}, ""),
    ],
)
def test_fits_table_columns_and_units(tmp_path, columns, medium):
    made = [fits.Column(name, "D", unit=unit, array=values) for name, (values, unit) in columns.items()]
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 3))), fits.BinTableHDU.from_columns(made)]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    expected = air_to_vacuum(WAVE) if medium == "air" else WAVE
    np.testing.assert_allclose(spectra.wave, expected, rtol=1e-12)
    np.testing.assert_array_equal(spectra.flux[0], FLUX)
    np.testing.assert_allclose(spectra.ivar[0], IVAR, rtol=1e-6)
    assert spectra.meta["native_medium"].tolist() == [medium]


def test_fits_table_with_a_spectrum_a_row(tmp_path):
    columns = [
        fits.Column("WAVE", f"{N}D", unit="Angstrom", array=[WAVE, WAVE]),
        fits.Column("FLUX", f"{N}E", array=[FLUX, 2 * FLUX]),
        fits.Column("ERR", f"{N}E", array=[IVAR**-0.5, IVAR**-0.5]),
        fits.Column("Class", "4A", array=["STAR", "QSO"]),
        fits.Column("Teff", "E", array=[5000, np.nan]),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header["TUCD1"] = "em.wl;obs.atmos"  # air, as in ESO's data products
    fits.HDUList([fits.PrimaryHDU(header=fits.Header({"OBJECT": "X"})), table]).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.flux, [FLUX, 2 * FLUX])
    np.testing.assert_allclose(spectra.ivar[1], IVAR, rtol=1e-6)
    np.testing.assert_allclose(vacuum_to_air(spectra.wave), WAVE, rtol=1e-12)
    assert spectra.meta["class"].tolist() == ["STAR", "QSO"]
    assert spectra.meta["Teff"].tolist() == [5000.0, None]
    assert spectra.meta["object"].tolist() == ["X", "X"]


def test_one_sigma_per_spectrum_is_not_the_error_of_the_flux(tmp_path):
    columns = [
        fits.Column("WAVE", f"{N}D", array=[WAVE, WAVE]),
        fits.Column("FLUX", f"{N}E", array=[FLUX, FLUX]),
        fits.Column("SIGMA", "E", array=[100.0, 200.0]),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    assert spectra.ivar is None
    assert spectra.meta["SIGMA"].tolist() == [100.0, 200.0]


def test_variable_length_rows(tmp_path):
    waves, fluxes = np.empty(2, dtype=object), np.empty(2, dtype=object)
    waves[:], fluxes[:] = [WAVE, WAVE[5:] + 1], [FLUX.astype(float), FLUX[5:].astype(float)]
    columns = [fits.Column("wave", "PD()", array=waves), fits.Column("flux", "PD()", array=fluxes)]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    assert not spectra.is_common_grid
    np.testing.assert_array_equal(spectra.wave[1], WAVE[5:] + 1)
    np.testing.assert_array_equal(spectra.flux[1], FLUX[5:])


@pytest.mark.parametrize(
    ("wave_unit", "flux_unit", "message"),
    [
        ("Hz", None, "wavelengths are in 'Hz', which is not a length"),
        ("furlong", None, "wavelengths are in 'furlong'"),
        ("Angstrom", "Jy", "flux is in 'Jy'; convert it to flux per unit wavelength"),
    ],
)
def test_wrong_units_are_refused(tmp_path, wave_unit, flux_unit, message):
    columns = [
        fits.Column("wave", "D", unit=wave_unit, array=WAVE),
        fits.Column("flux", "D", unit=flux_unit, array=FLUX),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a.fits")
    with pytest.raises(SpectrumReadError, match=rf"a\.fits: {message}"):
        read_spectra(tmp_path / "a.fits")


# Text --------------------------------------------------------------------------------------------------

TEXTS = {
    "two columns": ("{w} {f}", "", 0),
    "three columns": ("{w} {f} {e}", "", 1),
    "commas": ("{w},{f},{e}", "wavelength,flux,error\n", 1),
    "tabs": ("{w}\t{f}\t{e}", "# any words\n#\n", 1),
    "named ivar": ("{f}  {w}  {i}", "# made by hand, version 2\nflux wave ivar\n", 1),
    "nm": ("{n} {f}", "# Wavelength (nm)   Flux [counts]\n", 0),
    "more columns": ("{w} 1 2 3 {f} {e}", "wave a b c flux unc\n", 1),
    "brackets and commas": ("{n}, {f}, {e}", "wave [nm], flux, sigma\n", 1),
    "loglam": ("{l} {f} {i}", "loglam flux ivar\n", 1),
}


@pytest.mark.parametrize("case", TEXTS)
def test_text(tmp_path, case):
    row, header, with_errors = TEXTS[case]
    lines = [
        row.format(
            w=repr(w), n=repr(w / 10), l=repr(np.log10(w).item()), f=repr(f), i=repr(i), e=repr(i**-0.5)
        )
        for w, f, i in zip(WAVE.tolist(), FLUX.tolist(), IVAR.tolist(), strict=True)
    ]
    (tmp_path / "a.dat").write_text(header + "\n".join(lines) + "\n")
    spectra = read_spectra(tmp_path / "a.dat")
    np.testing.assert_allclose(spectra.wave, WAVE, rtol=1e-12)
    np.testing.assert_array_equal(spectra.flux[0], FLUX)
    if with_errors:
        np.testing.assert_allclose(spectra.ivar[0], IVAR, rtol=1e-6)
    else:
        assert spectra.ivar is None


def test_text_that_states_the_medium(tmp_path):
    (tmp_path / "a.txt").write_text("# wave_air flux\n" + "".join(f"{w} 1\n" for w in WAVE))
    np.testing.assert_allclose(read_spectra(tmp_path / "a.txt").wave, air_to_vacuum(WAVE), rtol=1e-12)
    np.testing.assert_allclose(read_spectra(tmp_path / "a.txt", medium="vacuum").wave, WAVE, rtol=1e-12)


@pytest.mark.parametrize(
    ("wave", "unit", "guess"), [(WAVE / 10, "nm", "nm, or"), (WAVE / 1e4, "um", "micron, or log10")]
)
def test_wavelengths_that_may_not_be_angstrom_need_a_unit(tmp_path, wave, unit, guess):
    np.savetxt(tmp_path / "a.txt", np.column_stack([wave, FLUX]))
    with pytest.raises(SpectrumReadError, match=f"have no unit and may not be in Angstrom.*{guess}"):
        read_spectra(tmp_path / "a.txt")
    np.testing.assert_allclose(read_spectra(tmp_path / "a.txt", wave_unit=unit).wave, WAVE, rtol=1e-12)


# One spectrum per row -------------------------------------------------------------------------------------

CLASSES = ["A", "F", ""]


def frame():
    flux = np.stack([FLUX, 2 * FLUX, 3 * FLUX])
    columns = {f"flux_{w}": flux[:, i] for i, w in enumerate(WAVE)}
    columns |= {f"ivar_{w}": np.full(3, IVAR[i]) for i, w in enumerate(WAVE)}
    return pd.DataFrame({"name": ["x", "y", "z"], **columns, "class": CLASSES, "z": [0.5, np.nan, 1.5]})


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "ecsv"])
def test_wide_tables(tmp_path, kind):
    path = tmp_path / "rows.dat"
    if kind == "parquet":
        frame().to_parquet(path)
    elif kind == "ecsv":
        Table.from_pandas(frame()).write(path, format="ascii.ecsv")
    else:
        frame().to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    spectra = read_spectra(path)
    np.testing.assert_array_equal(spectra.wave, WAVE)
    np.testing.assert_array_equal(spectra.flux, [FLUX, 2 * FLUX, 3 * FLUX])
    np.testing.assert_array_equal(spectra.ivar, [IVAR] * 3)
    assert spectra.meta["class"].tolist() == CLASSES
    assert spectra.meta["object"].tolist() == ["x", "y", "z"]
    assert spectra.meta["z"].tolist() == [0.5, None, 1.5]


def test_wide_csv_with_bare_wavelengths_and_gaps(tmp_path):
    header = ",".join([*(f"{w:g}" for w in WAVE), "label"])
    rows = [
        ",".join([*map(str, FLUX.tolist()), "a"]),
        ",".join([*[""] * 5, *map(str, FLUX.tolist()[5:]), "b"]),
    ]
    (tmp_path / "a.csv").write_text("\n".join([header, *rows]) + "\n")
    spectra = read_spectra(tmp_path / "a.csv")
    assert np.isnan(spectra.flux[1, :5]).all()
    np.testing.assert_array_equal(spectra.flux[1, 5:], FLUX[5:])
    assert spectra.meta["label"].tolist() == ["a", "b"]
    (tmp_path / "b.csv").write_text("\n".join([header, rows[0], "1,2"]) + "\n")
    with pytest.raises(SpectrumReadError, match="row 3 has 2 cells for 41 columns"):
        read_spectra(tmp_path / "b.csv")


def test_parquet_with_lists(tmp_path):
    rows = {
        "wave": [WAVE, WAVE[3:]],
        "flux": [FLUX, FLUX[3:]],
        "ivar": [IVAR, IVAR[3:]],
        "subclass": ["G2", "K"],
    }
    pd.DataFrame(rows).to_parquet(tmp_path / "ragged.parquet")
    ragged = read_spectra(tmp_path / "ragged.parquet")
    np.testing.assert_array_equal(ragged.wave[1], WAVE[3:])
    np.testing.assert_array_equal(ragged.ivar[1], IVAR[3:])
    assert ragged.meta["subclass"].tolist() == ["G2", "K"]
    rows = {"loglam": [np.log10(WAVE)] * 2, "flux": [FLUX, 2 * FLUX]}
    pd.DataFrame(rows).to_parquet(tmp_path / "even.parquet")
    even = read_spectra(tmp_path / "even.parquet")
    np.testing.assert_array_equal(even.flux, [FLUX, 2 * FLUX])
    np.testing.assert_allclose(even.wave, WAVE, rtol=1e-12)


def test_parquet_that_states_the_medium(tmp_path):
    table = pyarrow.Table.from_pandas(frame()).replace_schema_metadata({"medium": "air"})
    parquet.write_table(table, tmp_path / "a.parquet")
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.parquet").wave, air_to_vacuum(WAVE))


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    frame().to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'skspec\[scale\]'"):
        read_spectra(tmp_path / "a.parquet", on_error="skip")


def test_ecsv_of_one_spectrum_with_units(tmp_path):
    table = QTable(
        {"wavelength": (WAVE / 10) * u.nm, "flux": FLUX, "error": IVAR**-0.5}, meta={"medium": "air"}
    )
    table.write(tmp_path / "a.ecsv")
    spectra = read_spectra(tmp_path / "a.ecsv")
    np.testing.assert_allclose(vacuum_to_air(spectra.wave), WAVE, rtol=1e-12)
    np.testing.assert_array_equal(spectra.flux[0], FLUX)
    np.testing.assert_allclose(spectra.ivar[0], IVAR, rtol=1e-6)


def test_npz(tmp_path):
    ids, masks = np.array([7, 8]), np.zeros((2, N), dtype=int)
    arrays = {"wave": WAVE, "flux": np.stack([FLUX, 2 * FLUX]), "ivar": np.stack([IVAR, IVAR])}
    np.savez(tmp_path / "a.npz", **arrays, cls=["A", "B"], ids=ids, masks=masks, medium="air")
    spectra = read_spectra(tmp_path / "a.npz")
    np.testing.assert_array_equal(spectra.flux, arrays["flux"])
    np.testing.assert_array_equal(spectra.ivar, arrays["ivar"])
    np.testing.assert_array_equal(spectra.wave, air_to_vacuum(WAVE))
    assert spectra.meta["class"].tolist() == ["A", "B"]
    assert spectra.meta["ids"].tolist() == [7, 8]
    assert "masks" not in spectra.meta.colnames
    np.savez_compressed(
        tmp_path / "b.npz", wave=np.stack([WAVE, WAVE + 1]), flux=arrays["flux"], error=arrays["ivar"] ** -0.5
    )
    own = read_spectra(tmp_path / "b.npz")
    np.testing.assert_array_equal(own.wave[1], WAVE + 1)
    np.testing.assert_allclose(own.ivar[1], IVAR, rtol=1e-6)
    np.savez(tmp_path / "c.npz", loglam=np.log10(WAVE), flux=FLUX)
    assert read_spectra(tmp_path / "c.npz").shape == (1, N)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"spam": WAVE}, "no columns of wavelength and flux among spam"),
        ({"wave": WAVE, "flux": np.array([{}], dtype=object)}, "'flux.npy' holds Python objects"),
        ({"wave": WAVE, "flux": FLUX[None], "medium": "water"}, "medium is 'water'"),
        ({"wave": [WAVE] * 5, "flux": [FLUX] * 3}, r"wave has shape \(5, 40\), flux \(3, 40\)"),
        (
            {"wave": WAVE, "flux": [FLUX] * 3, "ivar": np.ones((N, 3))},
            r"ivar has shape \(40, 3\), flux \(3, 40\)",
        ),
        ({"wave": WAVE[:-1], "flux": FLUX[None]}, r"flux has shape \(1, 40\) for 39 wavelengths"),
    ],
)
def test_npz_errors(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SpectrumReadError, match=message):
        read_spectra(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "shape", "columns"),
    [
        ("miles_v9.1/miles_v9.1.npz", (984, 4300), {"object", "subclass", "teff", "spectral_class"}),
        ("lamost_lrs/lamost_lrs.npz", (299, 3890), {"class", "subclass", "z", "ra", "dec", "filename"}),
        ("sdss_boss_star_templates/spEigenStar-55734.npz", (123, 5933), {"object", "spectral_class"}),
        ("cool_star_standards/cool_star_standards.npz", (164, 4464), {"label", "spectral_class"}),
        ("pickles_uvilib/pickles_uvilib.npz", (106, 1895), {"subclass", "filename"}),
    ],
)
def test_real_archives(name, shape, columns):
    path = data_path(name)
    scatter = "pickles" in name  # between the components of each spectrum
    with pytest.warns(UserWarning, match="flux_std may hold errors") if scatter else nullcontext():
        spectra = read_spectra(path)
    with np.load(path) as archive:
        assert spectra.shape == shape
        np.testing.assert_array_equal(spectra.flux, archive["flux"])
        assert (spectra.ivar is not None) == ("ivar" in archive)
        grid = archive["wave"] if "wave" in archive else 10 ** archive["loglam"]
        np.testing.assert_allclose(spectra.wave, grid, rtol=1e-12)
    assert columns <= set(spectra.meta.colnames)
