"""Variants of the survey formats without an original file in the real data."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from skspec import read_spectra
from skspec.io import SpectrumReadError
from skspec.spectra import vacuum_to_air
from tests.io._files import N, flux_ivar, lamost_header, write_image, write_lamost_table, write_sdss_spec


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upper": True, "row": ""},
        {"row": "SPALL", "exposures": 5, "survey": "boss"},
        {"shift": 12},
        {"survey": "eboss", "upper": True},
    ],
)
def test_sdss_spec(tmp_path, options):
    flux, ivar, _ = write_sdss_spec(tmp_path / "a.fits", **options)
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.flux[0], flux)
    np.testing.assert_array_equal(spectra.ivar[0], ivar)
    shift = options.get("shift", 0)
    np.testing.assert_array_equal(spectra.wave, 10.0 ** (3.6 + 1e-4 * np.arange(shift, shift + N)))
    meta = spectra.meta[0]
    assert (meta["class"], meta["subclass"], meta["z"], meta["zwarn"]) == (
        "STAR",
        "F5 (12345)",
        np.float32(1e-4),
        4,
    )
    assert (meta["plate"], meta["mjd"], meta["fiber"], meta["snr"]) == (7, 55555, 3, 3.5)
    assert meta["survey"] == {"boss": "BOSS", "eboss": "eBOSS"}.get(options.get("survey"), "SDSS")


def test_sdss_spec_without_catalogue_row(tmp_path):
    write_sdss_spec(tmp_path / "a.fits", row=None)
    meta = read_spectra(tmp_path / "a.fits").meta
    assert "class" not in meta.colnames
    assert (meta["ra"][0], meta["dec"][0], meta["plate"][0]) == (150.25, -1.5, 7)


def test_sdss_spec_whose_header_contradicts_its_table(tmp_path):
    _, _, loglam = write_sdss_spec(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits", mode="update") as hdus:
        hdus[0].header["COEFF1"] = 2e-4
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.fits").wave, 10.0 ** loglam.astype(np.float64))


def test_sdss_spec_with_scaled_flux_goes_through_astropy(tmp_path):
    flux = np.arange(N) / 8
    columns = [
        fits.Column("flux", "E", bscale=0.125, bzero=1.0, array=flux),
        fits.Column("loglam", "E", array=3.6 + 1e-4 * np.arange(N)),
        fits.Column("ivar", "E", array=np.ones(N)),
    ]
    path = tmp_path / "scaled.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    with fits.open(path) as hdus:
        assert "TSCAL1" in hdus[1].header
        np.testing.assert_array_equal(read_spectra(path).flux[0], hdus[1].data["flux"].astype(np.float32))


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_lamost_table(tmp_path, grid, packed):
    flux, ivar, wave = write_lamost_table(tmp_path / "a.fits", grid=grid)
    path = tmp_path / "a.fits"
    if packed:
        path = tmp_path / "b.gz"
        path.write_bytes(gzip.compress((tmp_path / "a.fits").read_bytes()))
    spectra = read_spectra(path)
    np.testing.assert_array_equal(spectra.flux[0], flux)
    np.testing.assert_array_equal(spectra.ivar[0], ivar)
    expected = 10.0 ** (3.5682 + 1e-4 * np.arange(N)) if grid else wave.astype(np.float64)
    np.testing.assert_array_equal(spectra.wave, expected)
    meta = spectra.meta[0]
    assert (meta["survey"], meta["class"], meta["subclass"], meta["z"]) == ("LAMOST", "STAR", "G5", 2e-4)
    assert (meta["ra"], meta["dec"], meta["snr"], meta["object"]) == (10.5, 41.0, 55.5, "LAMOST J0042")


def test_lamost_medium_resolution_is_refused(tmp_path):
    write_lamost_table(tmp_path / "a.fits", extname="COADD_B")
    with pytest.raises(
        SpectrumReadError, match=r"a.fits: HDU COADD_B is one arm of a medium-resolution spectrum"
    ):
        read_spectra(tmp_path / "a.fits")


def test_lamost_third_row_is_used_only_if_named(tmp_path):
    """Row 2 has wavelengths in one release and a flux in another."""
    flux, ivar = flux_ivar()
    rows = np.stack([flux, ivar, np.linspace(4000, 5000, N), flux, flux]).astype(np.float32)
    for name, exten in (
        ("old", "Flux Inverse Subcontinuum Andmask Ormask"),
        ("new", "Flux, Inverse, Wavelength, Andmask, Ormask"),
    ):
        fits.PrimaryHDU(rows, lamost_header(EXTEN0=exten)).writeto(tmp_path / name)
    np.testing.assert_allclose(
        read_spectra(tmp_path / "old").wave, 10 ** (3.5682 + 1e-4 * np.arange(N)), rtol=1e-12
    )
    np.testing.assert_array_equal(read_spectra(tmp_path / "new").wave, rows[2])  # it contradicts COEFF0 here


GRIDS = {
    "linear": ({"CRVAL1": 4000.0, "CDELT1": 2.0}, 4000 + 2.0 * np.arange(N), "air"),
    "CD1_1 alone": ({"CRVAL1": 4000.0, "CD1_1": 2.0}, 4000 + 2.0 * np.arange(N), "air"),
    "reference pixel": ({"CRVAL1": 4000.0, "CDELT1": 2.0, "CRPIX1": 11}, 3980 + 2.0 * np.arange(N), "air"),
    "log10": ({"CRVAL1": 3.6, "CDELT1": 1e-4, "DC_FLAG": 1}, 10 ** (3.6 + 1e-4 * np.arange(N)), "air"),
    "COEFF0": ({"COEFF0": 3.6, "COEFF1": 1e-4, "VACUUM": True}, 10 ** (3.6 + 1e-4 * np.arange(N)), "vacuum"),
    "FITS log": (
        {"CRVAL1": 4000.0, "CDELT1": 2.0, "CTYPE1": "WAVE-LOG"},
        4000 * np.exp(2.0 * np.arange(N) / 4000),
        "vacuum",
    ),
    "vacuum": ({"CRVAL1": 4000.0, "CDELT1": 2.0, "CTYPE1": "WAVE"}, 4000 + 2.0 * np.arange(N), "vacuum"),
    "air": ({"CRVAL1": 4000.0, "CDELT1": 2.0, "CTYPE1": "AWAV"}, 4000 + 2.0 * np.arange(N), "air"),
    "nm": ({"CRVAL1": 400.0, "CDELT1": 0.2, "CUNIT1": "nm"}, 4000 + 2.0 * np.arange(N), "air"),
    "micron": ({"CRVAL1": 0.4, "CDELT1": 2e-4, "CUNIT1": "um"}, 4000 + 2.0 * np.arange(N), "air"),
    "IRAF units": (
        {"CRVAL1": 400.0, "CDELT1": 0.2, "WAT1_001": "wtype=linear label=Wavelength units=nm"},
        4000 + 2.0 * np.arange(N),
        "air",
    ),
}


@pytest.mark.parametrize("case", GRIDS)
def test_image_grids(tmp_path, case):
    cards, wave, medium = GRIDS[case]
    flux, _ = flux_ivar()
    write_image(tmp_path / "a.fits", flux, **cards)
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_allclose(
        vacuum_to_air(spectra.wave) if medium == "air" else spectra.wave, wave, rtol=1e-12
    )
    np.testing.assert_array_equal(spectra.flux[0], flux)
    assert spectra.meta["native_medium"].tolist() == [medium]


def test_image_with_more_axes_or_in_an_extension(tmp_path):
    flux, _ = flux_ivar()
    write_image(tmp_path / "deep.fits", flux[None, None], CRVAL1=4000.0, CDELT1=1.0)
    header = fits.Header(
        {"CRVAL1": 4000.0, "CDELT1": 1.0, "RA": "10:00:00", "DEC": "-30:30:00", "OBJECT": "HD 1"}
    )
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(flux, header)]).writeto(tmp_path / "second.fits")
    both = read_spectra([tmp_path / "deep.fits", tmp_path / "second.fits"])
    np.testing.assert_array_equal(both.flux, [flux, flux])
    assert (both.meta["ra"][1], both.meta["dec"][1], both.meta["object"][1]) == (150.0, -30.5, "HD 1")
    assert both.meta["ra"].mask.tolist() == [True, False]


def test_scaled_image_goes_through_astropy(tmp_path):
    counts = np.arange(N, dtype=np.uint16) + 40_000
    write_image(tmp_path / "a.fits", counts, CRVAL1=4000.0, CDELT1=1.0)
    assert fits.getheader(tmp_path / "a.fits")["BZERO"] == 32768
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.fits").flux[0], counts)


def test_indo_us_gaps_are_missing(tmp_path):
    flux, _ = flux_ivar()
    flux[7] = 0.0
    cards = {"CRVAL1": 4000.0, "CDELT1": 1.0, "COVERAGE": "4000.0-4009.0,4020.0-4039.0", "HDNAME": "HD 5"}
    write_image(tmp_path / "a.fits", flux, **cards)
    missing = np.isnan(read_spectra(tmp_path / "a.fits").flux[0])
    assert np.flatnonzero(missing).tolist() == [7, *range(10, 20)]


def test_desi_arm_that_is_missing_somewhere_leaves_the_other_as_it_is(tmp_path):
    rng = np.random.default_rng(0)
    hdus = [fits.PrimaryHDU()]
    targets = np.array([11, 22, 33])
    columns = [fits.Column("TARGETID", "K", array=targets), fits.Column("TARGET_RA", "D", array=[1, 2, 3.0])]
    columns.append(fits.Column("TARGET_DEC", "D", array=[4, 5, 6.0]))
    hdus.append(fits.BinTableHDU.from_columns(columns, name="FIBERMAP"))
    arms = {"B": np.arange(0, 30), "R": np.arange(20, 50)}
    data = {}
    for arm in arms:
        flux, ivar = rng.normal(size=(2, 3, 30)).astype(np.float32)
        data[arm] = flux, np.abs(ivar)
    data["B"][1][0] = 0.0
    data["R"][0][1], data["R"][1][1] = np.nan, 0.0
    for arm, pixels in arms.items():
        for name, values in (
            ("WAVELENGTH", 3600 + 0.8 * pixels),
            ("FLUX", data[arm][0]),
            ("IVAR", data[arm][1]),
        ):
            hdus.append(fits.ImageHDU(values, name=f"{arm}_{name}"))
    fits.HDUList(hdus).writeto(tmp_path / "coadd-x.fits")
    redshifts = [
        fits.Column("TARGETID", "K", array=[33, 11]),
        fits.Column("SPECTYPE", "6A", array=["QSO", "STAR"]),
        fits.Column("SUBTYPE", "20A", array=["", "M"]),
        fits.Column("Z", "D", array=[1.5, 1e-3]),
        fits.Column("ZWARN", "K", array=[0, 4]),
    ]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(redshifts, name="REDSHIFTS")]).writeto(
        tmp_path / "redrock-x.fits"
    )
    with pytest.warns(UserWarning, match="1 targets are not in their file of redshifts"):
        spectra = read_spectra(tmp_path / "coadd-x.fits")
    assert spectra.flux.shape == (3, 50)
    np.testing.assert_array_equal(spectra.flux[0, 20:30], data["R"][0][0, :10])
    np.testing.assert_array_equal(spectra.ivar[0, 20:30], data["R"][1][0, :10])
    np.testing.assert_array_equal(spectra.flux[1, 20:30], data["B"][0][1, 20:])
    weight, other = data["B"][1][2, 20:].astype(float), data["R"][1][2, :10].astype(float)
    mean = (weight * data["B"][0][2, 20:] + other * data["R"][0][2, :10]) / (weight + other)
    np.testing.assert_allclose(spectra.flux[2, 20:30], mean, rtol=1e-6)
    assert spectra.meta["class"].tolist() == ["STAR", "", "QSO"]
    assert spectra.meta["subclass"].tolist() == ["M", "", ""]
    assert spectra.meta["z"].tolist() == [1e-3, None, 1.5]


def test_aaomega_reads_targets_only(tmp_path):
    flux = np.arange(5 * N, dtype=np.float32).reshape(5, N)
    columns = [
        fits.Column("NAME", "8A", array=["a", "sky", "b", "guide", "parked"]),
        fits.Column("TYPE", "1A", array=["P", "S", "P", "F", "U"]),
        *(fits.Column(name, "D", array=np.arange(5) / 10) for name in ("RA", "DEC", "MAGNITUDE")),
    ]
    header = fits.Header({"CRVAL1": 5000.0, "CDELT1": 1.0, "CRPIX1": 20.0, "CUNIT1": "Angstroms"})
    hdus = [
        fits.PrimaryHDU(flux, header),
        fits.ImageHDU(np.full((5, N), 4.0), name="VARIANCE"),
        fits.BinTableHDU.from_columns(columns, name="FIBRES"),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "a.fits")
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.flux, flux[[0, 2]])
    assert (spectra.ivar == 0.25).all()
    assert spectra.meta["object"].tolist() == ["a", "b"]
    assert spectra.meta["fiber"].tolist() == [1, 3]
    np.testing.assert_allclose(vacuum_to_air(spectra.wave), 5000 + np.arange(N) - 19, rtol=1e-12)


@pytest.mark.parametrize(
    ("code", "kind", "subclass"),
    [(1, "STAR", ""), (2, "GALAXY", ""), (4, "QSO", "HIZ_QSO"), (6, "STAR", "STAR_LATE")],
)
def test_spspec_classes(tmp_path, code, kind, subclass):
    rows = np.ones((5, N), dtype=np.float32)
    header = fits.Header({"COEFF0": 3.58, "COEFF1": 1e-4, "SPEC_CLN": code, "Z": 0.1})
    fits.PrimaryHDU(rows, header).writeto(tmp_path / "a.fit")
    meta = read_spectra(tmp_path / "a.fit").meta[0]
    assert meta["class"] == kind
    assert (meta["subclass"] if "subclass" in meta.colnames else "") == subclass
