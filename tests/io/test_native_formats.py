"""Original survey files: wavelengths, fluxes, errors and labels agree with an independent reader."""

import os
import re
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

from skspec import read_spectra
from skspec.spectra import vacuum_to_air
from tests._data import data_path


def native(relative):
    return data_path(f"native_formats/{relative}")


def bitwise(ours, theirs):
    return np.array_equal(ours.view(np.uint32), np.asarray(theirs, dtype=np.float32).view(np.uint32))


def everything():
    """All original files by path; empty if the data are not available."""
    try:
        folder = native("")
    except pytest.skip.Exception:
        return []
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*") if "redrock" not in path.name)


WITH_A_NOTICE = {
    "desi/coadd-1-80693-thru20210204.fits": "class and z are missing, since the file redrock",
    "mkclass_ascii/t190l50p00.rbn": "31 pixels in stretches of constant flux",
}


def read_with_notice(name, **options):
    """The spectra of an original file, which has to cause its notice if there is one."""
    if name not in WITH_A_NOTICE:
        return read_spectra(native(name), **options)
    path = native(name)
    with pytest.warns(UserWarning, match=WITH_A_NOTICE[name]):
        return read_spectra(path, **options)


@pytest.mark.parametrize("name", everything() or ["absent"])
def test_every_original_reads(name):
    spectra = read_with_notice(name)
    assert spectra.medium == "vacuum"
    assert spectra.is_common_grid
    assert (np.diff(spectra.wave) > 0).all()
    assert np.isfinite(np.asarray(spectra)).any(axis=1).all()
    assert spectra.flux.dtype == np.float32
    assert spectra.wave.dtype == np.float64
    assert set(spectra.meta["file"]) == {str(native(name))}
    assert spectra.meta.meta["skipped"] == []


def test_a_whole_tree_reads_at_once():
    paths = sorted(path for path in native("").glob("*/*") if "redrock" not in path.name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        spectra = read_spectra(paths)
    expected = ["files give no errors", *WITH_A_NOTICE.values()]
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == len(expected)
    assert all(any(text in message for message in messages) for text in expected)
    assert len(spectra) == len(paths) + 4 + 2 + 15  # five DESI targets, three 2dF fibres, sixteen SNID epochs
    assert spectra.ivar is None
    assert not spectra.is_common_grid
    surveys = {
        "SDSS",
        "BOSS",
        "eBOSS",
        "LAMOST",
        "DESI",
        "MILES",
        "Indo-US",
        "AAOmega",
        "Pickles",
        "SNID",
        "",
    }
    assert set(spectra.meta["survey"]) == surveys


SDSS = {  # class, subclass, z, plate, mjd, fiber, survey
    "sdss_dr8plus/spec-0266-51602-0013.fits": ("GALAXY", "", 0.12131637, 266, 51602, 13, "SDSS"),
    "sdss_dr8plus/spec-0266-51602-0107.fits": ("GALAXY", "STARFORMING", 0.12314858, 266, 51602, 107, "SDSS"),
    "sdss_dr8plus/spec-0332-52367-0639.fits": ("QSO", "BROADLINE", 0.100609764, 332, 52367, 639, "SDSS"),
    "sdss_dr8plus/spec-0411-51817-0119.fits": ("GALAXY", "STARFORMING", 0.029394457, 411, 51817, 119, "SDSS"),
    "boss_lowercase_v5_10/spec-4238-55455-0037.fits": ("GALAXY", "", 0.60651225, 4238, 55455, 37, "BOSS"),
    "boss_lowercase_v5_10/spec-4500-55543-0331.fits": ("GALAXY", "", 0.22435008, 4500, 55543, 331, "BOSS"),
    "boss_uppercase_v5_13/spec-10656-58163-0366.fits": (
        "QSO",
        "BROADLINE",
        2.2923663,
        10656,
        58163,
        366,
        "eBOSS",
    ),
    "boss_uppercase_v5_13/spec-3655-55240-0002.fits": ("QSO", "BROADLINE", 2.3552384, 3655, 55240, 2, "BOSS"),
    "boss_uppercase_v5_13/spec-3655-55240-0660.fits": (
        "GALAXY",
        "BROADLINE",
        0.051716298,
        3655,
        55240,
        660,
        "BOSS",
    ),
}


@pytest.mark.parametrize("name", SDSS)
def test_sdss_spec(name):
    spectra = read_spectra(native(name))
    with fits.open(native(name)) as hdus:
        header, coadd, row = hdus[0].header, hdus[1].data, hdus[2].data[0]
        assert bitwise(spectra.flux[0], coadd.field(0))
        assert bitwise(spectra.ivar[0], coadd.field(2))
        loglam = coadd.field(1).astype(np.float64)
        # Exactly on the grid of the header, at the pixels in the table.
        pixel = (np.log10(spectra.wave) - header["COEFF0"]) / header["COEFF1"]
        first = round(pixel[0])
        np.testing.assert_array_equal(
            spectra.wave,
            10.0 ** (header["COEFF0"] + header["COEFF1"] * np.arange(first, first + len(loglam))),
        )
        np.testing.assert_allclose(spectra.wave, 10**loglam, rtol=1e-6)
        assert spectra.meta["snr"][0] == row["SN_MEDIAN"][2]
        position = SkyCoord(row["PLUG_RA"], row["PLUG_DEC"], unit="deg")
        assert position.separation(SkyCoord(*spectra.meta["ra", "dec"][0], unit="deg")) < 1e-6 * u.arcsec
    meta = spectra.meta[0]
    kind, subclass, z, plate, mjd, fiber, survey = SDSS[name]
    assert (meta["class"], meta["subclass"], meta["survey"]) == (kind, subclass, survey)
    assert (meta["plate"], meta["mjd"], meta["fiber"], meta["zwarn"]) == (plate, mjd, fiber, 0)
    assert np.float32(meta["z"]) == np.float32(z)
    assert meta["native_medium"] == "vacuum"
    assert re.search(r"(\d+)-(\d+)-(\d+)", name)[0] == f"{plate:04d}-{mjd}-{fiber:04d}"


def test_sdss_header_that_starts_at_a_missing_pixel():
    """COEFF0 of these files is 17, 1, 33 and 18 pixels before the first pixel in the table."""
    names = [name for name in SDSS if name.startswith("sdss_dr8plus")]
    lost = []
    for name in names:
        header = fits.getheader(native(name))
        wave = read_spectra(native(name)).wave
        lost.append(round((np.log10(wave[0]) - header["COEFF0"]) / 1e-4))
    assert lost == [17, 1, 33, 18]


def test_sdss_spspec():
    path = native("sdss_dr7_spSpec/spSpec-51993-0542-631.fit")
    spectra = read_spectra(path)
    image, header = fits.getdata(path), fits.getheader(path)
    assert bitwise(spectra.flux[0], image[0])
    error = image[2].astype(np.float64)
    expected = np.divide(1, error**2, out=np.zeros_like(error), where=error > 0)
    np.testing.assert_array_equal(spectra.ivar[0], expected.astype(np.float32))
    assert (spectra.ivar[0] == 0).sum() == 40
    np.testing.assert_array_equal(spectra.wave, 10.0 ** (3.5796 + 1e-4 * np.arange(3853)))
    meta = spectra.meta[0]
    assert (meta["class"], meta["z"], meta["snr"]) == ("QSO", 2.2319, 26.235)
    assert (meta["ra"], meta["dec"]) == (header["RAOBJ"], header["DECOBJ"]) == (117.99709, 35.560681)
    assert (meta["plate"], meta["mjd"], meta["fiber"]) == (542, 51993, 631)


LAMOST = {
    "lamost_dr1_v264/spec-55862-B6212_sp06-003.fits": ("STAR", "F9", -0.00007138, 99.316263, 27.23237, 99.0),
    "lamost_dr1_v264/spec-55862-B6212_sp06-005.fits": ("STAR", "M0", -0.0002856, 99.499478, 27.152342, 19.68),
    "lamost_dr7_v298/spec-58575-HD103621N361936B01_sp03-002.fits": (
        "STAR",
        "K5",
        -0.00021205,
        158.209454,
        35.693413,
        55.3,
    ),
    "lamost_dr7_v298/spec-58575-HD103621N361936B01_sp03-002.fits.gz": (
        *("STAR", "K5", -0.00021205),
        *(158.209454, 35.693413, 55.3),
    ),
    "lamost_dr7_v298/spec-58575-HD103621N361936B01_sp03-008.fits": (
        "GALAXY",
        "Non",
        0.122579,
        158.546897,
        35.712694,
        3.72,
    ),
}


@pytest.mark.parametrize("name", LAMOST)
def test_lamost(name):
    spectra = read_spectra(native(name))
    image, header = fits.getdata(native(name)), fits.getheader(native(name))
    assert bitwise(spectra.flux[0], image[0])
    assert bitwise(spectra.ivar[0], image[1])
    np.testing.assert_array_equal(
        spectra.wave, 10.0 ** (header["COEFF0"] + header["COEFF1"] * np.arange(image.shape[1]))
    )
    if "dr7" in name:
        np.testing.assert_allclose(spectra.wave, image[2], rtol=1e-6)
    meta = spectra.meta[0]
    found = tuple(meta[column] for column in ("class", "subclass", "z", "ra", "dec", "snr"))
    assert found == LAMOST[name]


def test_lamost_unknown_redshift_is_missing():
    path = native("lamost_dr7_v298/spec-58575-HD103621N361936B01_sp03-045.fits")
    assert fits.getheader(path)["Z"] == -9999
    both = read_spectra([path, path.with_name(path.name.replace("045", "008"))])
    assert both.meta["class"].tolist() == ["Unknown", "GALAXY"]
    assert both.meta["z"].mask.tolist() == [True, False]
    assert both.meta["z"][1] == 0.122579


def test_all_lamost_files_agree_with_the_repacked_archive():
    """298 of 299 files (one has another name there) agree with an independent archive at the pixels of both."""
    spectra = read_spectra(data_path("lamost_lrs/fits"))
    assert len(spectra) == 299
    with np.load(data_path("lamost_lrs/lamost_lrs.npz")) as archive:
        row = {name: i for i, name in enumerate(archive["filename"].tolist())}
        names = [os.path.basename(file) for file in spectra.meta["file"]]
        spectra = spectra[[name in row for name in names]]
        order = [row[name] for name in names if name in row]
        assert len(set(order)) == 298
        n_pixels = archive["loglam"].size
        for name in ("flux", "ivar"):
            ours = np.stack([values[:n_pixels] for values in getattr(spectra, name)])
            np.testing.assert_array_equal(ours, archive[name][order])
        np.testing.assert_allclose(np.log10(spectra.wave[0][:n_pixels]), archive["loglam"], atol=1e-9)
        assert spectra.meta["class"].tolist() == archive["cls"][order].tolist()
        assert spectra.meta["subclass"].tolist() == archive["subclass"][order].tolist()
        np.testing.assert_allclose(spectra.meta["ra"], archive["ra"][order], rtol=1e-12)
        np.testing.assert_allclose(spectra.meta["snr"], archive["sn_r"][order], rtol=1e-6)


@pytest.mark.parametrize("name", ["coadd-1-80693-thru20210204.fits", "coadd-special-dark-27247.fits"])
def test_desi(name):
    spectra = read_with_notice(f"desi/{name}")
    with fits.open(native(f"desi/{name}")) as hdus:
        np.testing.assert_allclose(spectra.wave, 3600 + 0.8 * np.arange(7781), rtol=1e-12)
        arms = {arm: hdus[f"{arm}_WAVELENGTH"].data for arm in "BRZ"}
        own = {"B": (3600, 5760), "R": (5800, 7520), "Z": (7620, 9825)}  # where arms do not overlap
        for arm, wave in arms.items():
            low, high = own[arm]
            ours = (spectra.wave > low + 0.1) & (spectra.wave < high - 0.1)
            theirs = (wave > low + 0.1) & (wave < high - 0.1)
            assert bitwise(spectra.flux[:, ours], hdus[f"{arm}_FLUX"].data[:, theirs])
            assert bitwise(spectra.ivar[:, ours], hdus[f"{arm}_IVAR"].data[:, theirs])
            np.testing.assert_allclose(spectra.wave[ours], wave[theirs], rtol=1e-12)
        for pair, low, high in (("BR", 5760, 5800), ("RZ", 7520, 7620)):
            inside = (spectra.wave > low - 0.1) & (spectra.wave < high + 0.1)
            flux, ivar = 0.0, 0.0
            for arm in pair:
                part = (arms[arm] > low - 0.1) & (arms[arm] < high + 0.1)
                weight = hdus[f"{arm}_IVAR"].data[:, part].astype(np.float64)
                flux, ivar = flux + weight * hdus[f"{arm}_FLUX"].data[:, part], ivar + weight
            assert inside.sum() == {"BR": 51, "RZ": 126}[pair]
            np.testing.assert_allclose(spectra.flux[:, inside], flux / ivar, rtol=1e-6)
            np.testing.assert_allclose(spectra.ivar[:, inside], ivar, rtol=1e-6)
        fibermap = hdus["FIBERMAP"].data
        assert spectra.meta["targetid"].tolist() == fibermap["TARGETID"].tolist()
        np.testing.assert_array_equal(spectra.meta["ra"], fibermap["TARGET_RA"])
        np.testing.assert_array_equal(spectra.meta["dec"], fibermap["TARGET_DEC"])


def test_desi_class_is_from_the_redrock_file_in_the_same_folder():
    spectra = read_spectra(native("desi/coadd-special-dark-27247.fits"))
    with fits.open(native("desi/redrock-special-dark-27247.fits")) as hdus:
        redshift = hdus["REDSHIFTS"].data[0]
    meta = spectra.meta[0]
    assert (meta["class"], meta["subclass"], meta["z"], meta["zwarn"]) == ("GALAXY", "", redshift["Z"], 0)
    assert meta["targetid"] == redshift["TARGETID"] == 39089837499744649
    without = read_with_notice("desi/coadd-1-80693-thru20210204.fits")
    assert "class" not in without.meta.colnames
    with pytest.warns(UserWarning, match=r"coadd-1-80693.*class and z are missing"):
        folder = read_spectra(native("desi"))
    assert len(folder) == 6
    assert folder.meta["class"].tolist() == [""] * 5 + ["GALAXY"]
    assert folder.meta["z"].mask.tolist() == [True] * 5 + [False]
    assert [os.path.basename(item["file"]) for item in folder.meta.meta["skipped"]] == [
        "redrock-special-dark-27247.fits"
    ]


def test_miles_and_indo_us_images():
    miles = read_spectra(native("miles_image1d/MILES_res2.50_star_m0001V.fits"))
    np.testing.assert_allclose(vacuum_to_air(miles.wave), 3540.5 + 0.9 * np.arange(4300), rtol=1e-12)
    assert bitwise(miles.flux[0], fits.getdata(native("miles_image1d/MILES_res2.50_star_m0001V.fits")))
    assert miles.meta["native_medium"].tolist() == ["air"]

    path = native("indo_us/G8V__131156.fits")
    indo_us = read_spectra(path)
    np.testing.assert_allclose(vacuum_to_air(indo_us.wave), 3465 + 0.4 * np.arange(15011), rtol=1e-12)
    assert bitwise(indo_us.flux[0], fits.getdata(path))
    meta = indo_us.meta[0]
    assert (meta["object"], meta["subclass"], meta["teff"], meta["logg"], meta["feh"]) == (
        "HD 131156",
        "G8V",
        5500,
        4.6,
        -0.15,
    )
    star = SkyCoord("14:51:23.38", "+19:06:01.7", unit=("hourangle", "deg"))
    assert star.separation(SkyCoord(meta["ra"], meta["dec"], unit="deg")) < 1e-6 * u.arcsec


def test_miles_file_is_the_first_of_the_repacked_library():
    spectra = read_spectra(native("miles_image1d/MILES_res2.50_star_m0001V.fits"))
    library = read_spectra(data_path("miles_v9.1/miles_v9.1.npz"), medium="air")
    assert len(library) == 984
    np.testing.assert_allclose(library.wave, spectra.wave, rtol=1e-9)
    first = library.meta["miles_id"].tolist().index("0001")
    assert np.corrcoef(library.flux[first], spectra.flux[0])[0, 1] > 0.999


AAOMEGA = {  # file: medium, card DO_HELIO, number of fibres
    "emlLinearSkyAirHelio": ("air", True, 1),
    "emlLinearSkyAirNoHelio": ("air", False, 1),
    "emlLinearVacuumNoHelio": ("vacuum", False, 1),
    "emlLogVacuumHelioCMB": ("vacuum", True, 1),
    "emlLogVacuumHelioMultiple": ("vacuum", True, 3),
    "quasarLinearSkyAirNoHelio": ("air", False, 1),
}


@pytest.mark.parametrize("name", AAOMEGA)
def test_aaomega(name):
    path = native(f"marz_test/{name}.fits")
    spectra = read_spectra(path)
    medium, helio, n = AAOMEGA[name]
    assert len(spectra) == n
    wave = vacuum_to_air(spectra.wave) if medium == "air" else spectra.wave
    with fits.open(path) as hdus:
        header = hdus[0].header
        assert bitwise(spectra.flux, np.atleast_2d(hdus[0].data))
        variance = np.atleast_2d(hdus["VARIANCE"].data).astype(np.float64)
        with np.errstate(divide="ignore"):
            expected = np.where(variance > 0, 1 / variance, 0).astype(np.float32)
        np.testing.assert_array_equal(spectra.ivar, expected)
        linear = header["CRVAL1"] + header["CDELT1"] * (np.arange(1, len(wave) + 1) - header["CRPIX1"])
        # All headers are for air; the vacuum arrays were computed from it with another formula.
        np.testing.assert_allclose(
            vacuum_to_air(spectra.wave), linear, rtol=1e-12 if medium == "air" else 2e-6
        )
        if "WAVELENGTH" in hdus:
            table = np.atleast_2d(hdus["WAVELENGTH"].data)[0]
            np.testing.assert_allclose(wave, 10**table if "Log" in name else table, rtol=1e-12)
        fibres = hdus["FIBRES"].data
        assert spectra.meta["object"].tolist() == [value.strip() for value in fibres["NAME"]]
        np.testing.assert_allclose(spectra.meta["ra"], np.degrees(fibres["RA"]), rtol=1e-12)
        np.testing.assert_allclose(spectra.meta["dec"], np.degrees(fibres["DEC"]), rtol=1e-12)
    assert set(spectra.meta["native_medium"]) == {medium}
    assert set(spectra.meta["frame"]) == {"observatory" if helio else ""}


def test_ondrejov_table():
    path = native("ondrejov_bintable/a201402030013.fits")
    spectra = read_spectra(path)
    table = fits.getdata(path, 1)
    np.testing.assert_allclose(vacuum_to_air(spectra.wave), table["spectral"], rtol=1e-12)
    assert bitwise(spectra.flux[0], table["flux"])
    meta = spectra.meta[0]
    assert (meta["object"], meta["class"], meta["ra"], meta["dec"]) == (
        "HD 34452",
        "star",
        79.75011250224104,
        33.74838889149115,
    )
    assert meta["native_medium"] == "air"


def test_text_with_marked_pixels():
    path = native("kast_text/sdM60_LHS1166_kesseli2019.txt")
    spectra = read_spectra(path)
    table = np.loadtxt(path)
    marked = table[:, 0] < 0
    assert marked.sum() == 56
    np.testing.assert_array_equal(spectra.wave, np.abs(table[:, 0]))
    np.testing.assert_array_equal(np.isnan(spectra.flux[0]), marked)
    np.testing.assert_array_equal(spectra.flux[0][~marked], table[~marked, 1].astype(np.float32))
    np.testing.assert_allclose(spectra.ivar[0], table[:, 2] ** -2.0, rtol=1e-6)
    assert spectra.meta["note"].tolist() == ["56 pixels with a negative wavelength are missing"]


def test_mkclass_text():
    path = native("mkclass_ascii/t190l50p00.rbn")
    table = np.loadtxt(path)
    name = "mkclass_ascii/t190l50p00.rbn"
    as_given, from_air = read_with_notice(name), read_with_notice(name, medium="air")
    np.testing.assert_array_equal(as_given.wave, table[:, 0])
    assert not table[:31, 1].any()  # before the first observed wavelength
    assert np.isnan(as_given.flux[0, :31]).all()
    assert bitwise(as_given.flux[0, 31:], table[31:, 1])
    assert as_given.meta["note"].tolist() == ["31 pixels of constant flux are missing"]
    assert as_given.meta["native_medium"].tolist() == [""]
    np.testing.assert_allclose(vacuum_to_air(from_air.wave), table[:, 0], rtol=1e-12)
    assert from_air.meta["native_medium"].tolist() == ["air"]


@pytest.mark.parametrize("name", ["b0i", "g2v"])
def test_pickles(name):
    path = native(f"pickles_fixed_width/{name}.dat")
    spectra = read_spectra(path)
    columns = np.genfromtxt(path, delimiter=[7, 10, 10])
    np.testing.assert_allclose(vacuum_to_air(spectra.wave), columns[:, 0], rtol=1e-12)
    assert bitwise(spectra.flux[0], columns[:, 1])
    assert spectra.ivar is None
    with np.load(data_path("pickles_uvilib/pickles_uvilib.npz")) as archive:
        row = archive["filename"].tolist().index(f"{name}.dat")
        known = np.isfinite(archive["flux"][row])
        np.testing.assert_array_equal(spectra.flux[0][known], archive["flux"][row][known])
        assert (spectra.flux[0][~known] == 0).all()


def test_snid():
    path = native("snid_lnw/iPTF13bvn.lnw")
    spectra = read_spectra(path)
    table = np.loadtxt(path, skiprows=14)
    assert spectra.flux.shape == (16, 1024)
    np.testing.assert_allclose(spectra.wave, table[:, 0], atol=0.0076)
    np.testing.assert_allclose(np.diff(np.log(spectra.wave)), np.log(4) / 1024, rtol=1e-9)
    for epoch, flux in enumerate(spectra.flux):
        inside = np.isfinite(flux)
        np.testing.assert_array_equal(flux[inside], table[inside, epoch + 1].astype(np.float32))
        assert (table[~inside, epoch + 1] == 0).all()
        assert table[np.flatnonzero(inside)[[0, -1]], epoch + 1].all()
        assert (np.diff(np.flatnonzero(inside)) == 1).all()
    assert spectra.meta["phase"].tolist() == np.loadtxt(path, skiprows=13, max_rows=1)[1:].tolist()
    assert set(spectra.meta["class"]) == {"Ib"}
    assert set(spectra.meta["subclass"]) == {"Ib-norm"}
    assert set(spectra.meta["object"]) == {"iPTF13bvn"}
