"""Whatever a file says is bad becomes missing: masks, null values, gaps of constant flux."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from skspec import read_spectra
from skspec.io import SpectrumReadError
from tests.io._files import N, flux_ivar, write_image, write_lamost_table, write_sdss_spec

WAVE = 4000.0 + 2.0 * np.arange(N)
FLUX, IVAR = flux_ivar()
BAD = np.arange(N) % 7 == 3
BITS = np.where(BAD, 8, 0)


def valid(path, **options):
    return read_spectra(path, **options).valid[0]


# Null values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "i4", "i8"])
@pytest.mark.parametrize("layout", ["pixel a row", "spectrum a row"])
def test_null_values_of_fits_tables(tmp_path, dtype, layout):
    values = np.arange(1, N + 1).astype(dtype)
    wave, flux, bad = (
        (WAVE, values, BAD) if layout == "pixel a row" else (WAVE[None], values[None], BAD[None])
    )
    table = Table({"wave": wave, "flux": MaskedColumn(flux, mask=bad)})
    table.write(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as hdus:
        assert "TNULL2" in hdus[1].header
    masked = Table.read(tmp_path / "a.fits")["flux"].mask
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.valid, ~np.atleast_2d(masked))
    np.testing.assert_array_equal(spectra.flux[0][~BAD], values[~BAD])


def test_null_values_of_variable_length_columns_and_of_scaled_ones(tmp_path):
    stored = np.where(BAD, -99, np.arange(N)).astype("i2")
    rows = np.empty(2, dtype=object)
    rows[:] = [stored, stored[5:]]
    waves = np.empty(2, dtype=object)
    waves[:] = [WAVE, WAVE[5:]]
    columns = [fits.Column("wave", "PD()", array=waves), fits.Column("flux", "PI()", array=rows, null=-99)]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "ragged.fits")
    ragged = read_spectra(tmp_path / "ragged.fits")
    np.testing.assert_array_equal(ragged.valid[1], ~BAD[5:])

    plain = [fits.Column("wave", "D", array=WAVE), fits.Column("flux", "I", array=stored)]
    table = fits.BinTableHDU.from_columns(plain)
    table.header["TNULL2"], table.header["TSCAL2"], table.header["TZERO2"] = -99, 0.5, 10.0
    table.writeto(tmp_path / "scaled.fits")
    scaled = read_spectra(tmp_path / "scaled.fits")
    np.testing.assert_array_equal(scaled.valid[0], ~BAD)
    np.testing.assert_array_equal(scaled.flux[0][~BAD], 0.5 * np.arange(N)[~BAD] + 10)


def test_blank_pixels_of_images_and_null_values_of_the_catalogue(tmp_path):
    write_image(
        tmp_path / "a.fits", np.where(BAD, -1, np.arange(N)).astype("i4"), CRVAL1=4000.0, CDELT1=1.0, BLANK=-1
    )
    np.testing.assert_array_equal(valid(tmp_path / "a.fits"), ~BAD)
    rows = {"wave": [WAVE] * 2, "flux": [FLUX] * 2, "plate": MaskedColumn([7, 8], mask=[True, False])}
    Table(rows).write(tmp_path / "b.fits")
    assert read_spectra(tmp_path / "b.fits").meta["plate"].tolist() == [None, 8]


def test_masked_values_of_ecsv(tmp_path):
    columns = {"wave": WAVE, "flux": FLUX, "err": MaskedColumn(IVAR**-0.5, mask=BAD)}
    Table(columns).write(tmp_path / "a.ecsv")
    np.testing.assert_array_equal(valid(tmp_path / "a.ecsv"), ~BAD)
    Table({"wave": WAVE, "flux": MaskedColumn(np.arange(N), mask=BAD)}).write(tmp_path / "b.ecsv")
    np.testing.assert_array_equal(valid(tmp_path / "b.ecsv"), ~BAD)


# Masks -------------------------------------------------------------------------------------------------

CERTAIN = {
    "mask": BAD,
    "MASK": BAD.astype("i4"),
    "bad": BAD.astype("u1"),
    "badpix": BAD.astype("i2"),
    "good": ~BAD,
    "goodpix": (~BAD).astype("i4"),
    "flag": BAD,
    "DQ": BAD,
}
UNCERTAIN = {"mask": BITS, "dq": BITS, "quality": BAD, "flags": BAD.astype(int), "or_mask": BITS}


def write_table(path, columns):
    if path.suffix == ".npz":
        np.savez(path, **columns)
    elif path.suffix == ".txt":
        names, values = zip(*columns.items(), strict=True)
        rows = [" ".join(str(value[i].item()) for value in values) for i in range(N)]
        path.write_text("\n".join([" ".join(names), *rows]) + "\n")
    else:
        Table(columns).write(path)
    return path


KINDS = [".fits", ".ecsv", ".npz", ".txt"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CERTAIN)
@pytest.mark.parametrize("with_ivar", [True, False])
def test_masks_whose_meaning_is_certain_are_applied(tmp_path, kind, name, with_ivar):
    if kind == ".txt" and name in ("flag", "DQ"):
        pytest.skip("text has 0 and 1, not booleans")
    columns = {"wave": WAVE, "flux": FLUX} | ({"ivar": IVAR} if with_ivar else {}) | {name: CERTAIN[name]}
    spectra = read_spectra(write_table(tmp_path / f"a{kind}", columns))
    np.testing.assert_array_equal(spectra.valid[0], ~BAD)
    np.testing.assert_array_equal(spectra.flux[0][~BAD], FLUX[~BAD])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNCERTAIN)
def test_other_masks_are_applied_by_their_bits_or_cause_a_warning(tmp_path, kind, name):
    path = write_table(tmp_path / f"a{kind}", {"wave": WAVE, "flux": FLUX, name: UNCERTAIN[name]})
    with pytest.warns(UserWarning, match=f"the mask {name}.*is not applied.*mask_bits"):
        assert valid(path).all()
    bit = int(UNCERTAIN[name].max())
    for mask_bits in (bit, {name: bit}, {name.upper(): bit | 64}):
        np.testing.assert_array_equal(valid(path, mask_bits=mask_bits), ~BAD)
    assert valid(path, mask_bits=0).all()
    with (
        pytest.warns(UserWarning, match="has no mask to which mask_bits applies"),
        pytest.warns(UserWarning, match="is not applied"),
    ):
        valid(path, mask_bits={"another": 1})


def test_a_mask_in_an_image_extension(tmp_path):
    flux, header = fits.PrimaryHDU(FLUX), {"CRVAL1": 4000.0, "CDELT1": 1.0}
    flux.header.update(header)
    for name, values in (("MASK", BAD.astype("u1")), ("DQ", BITS.astype("i4"))):
        path = tmp_path / f"{name}.fits"
        fits.HDUList([flux, fits.ImageHDU(values, name=name)]).writeto(path)
        np.testing.assert_array_equal(valid(path, mask_bits=None if name == "MASK" else 8), ~BAD)
    with pytest.warns(UserWarning, match=r"the mask DQ \(bits set: 8\) is not applied"):
        assert valid(tmp_path / "DQ.fits").all()


def test_a_mask_with_one_value_per_spectrum_is_a_catalogue_value(tmp_path):
    np.savez(tmp_path / "a.npz", wave=WAVE, flux=[FLUX] * 2, quality=[3, 4])
    spectra = read_spectra(tmp_path / "a.npz")
    assert spectra.meta["quality"].tolist() == [3, 4]
    assert np.all(spectra.valid)


def test_a_mask_for_all_spectra_and_one_of_another_shape(tmp_path):
    np.savez(tmp_path / "a.npz", wave=WAVE, flux=[FLUX] * 2, mask=BAD)
    np.testing.assert_array_equal(read_spectra(tmp_path / "a.npz").valid, [~BAD] * 2)
    np.savez(tmp_path / "b.npz", wave=WAVE, flux=[FLUX] * 2, mask=np.zeros((N, 2), dtype=bool))
    with pytest.raises(SpectrumReadError, match=r"mask has shape \(40, 2\), flux \(2, 40\)"):
        read_spectra(tmp_path / "b.npz")


def test_a_mask_that_marks_everything_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", wave=WAVE, flux=FLUX, mask=np.ones(N, dtype=int))
    with pytest.raises(SpectrumReadError, match=r"mask marks every pixel as bad; give mask_bits="):
        read_spectra(tmp_path / "a.npz")
    assert valid(tmp_path / "a.npz", mask_bits=0).all()


@pytest.mark.parametrize("mask_bits", [-1, 1.5, True, "8", {"dq": -1}, 1 << 63])
def test_wrong_mask_bits(tmp_path, mask_bits):
    with pytest.raises(ValueError, match="mask_bits must be a non-negative integer"):
        read_spectra(tmp_path / "a.npz", mask_bits=mask_bits)


def test_masks_of_surveys_are_applied_only_by_their_bits(tmp_path):
    write_sdss_spec(tmp_path / "sdss.fits")  # and_mask is 2**20 everywhere
    assert valid(tmp_path / "sdss.fits").all()
    assert valid(tmp_path / "sdss.fits", mask_bits={"and_mask": 1}).all()
    with pytest.raises(SpectrumReadError, match="no valid pixels"):
        read_spectra(tmp_path / "sdss.fits", mask_bits=1 << 20)

    write_lamost_table(tmp_path / "lamost.fits")
    with fits.open(tmp_path / "lamost.fits", mode="update") as hdus:
        hdus[1].data["ORMASK"][0, 5] = 6
    assert valid(tmp_path / "lamost.fits").all()
    assert np.flatnonzero(~valid(tmp_path / "lamost.fits", mask_bits={"ormask": 2})).tolist() == [5]


# Gaps of constant flux ---------------------------------------------------------------------------------

GAP = (np.arange(200) < 20) | ((np.arange(200) >= 100) & (np.arange(200) < 130))
LONG = np.random.default_rng(0).normal(1, 0.02, 200).astype(np.float32)


@pytest.mark.parametrize("filler", [0.0, -999.0, -1.0, 1e-30, 9999.0, 3.25])
def test_stretches_of_a_constant_are_missing(tmp_path, filler):
    flux = np.where(GAP, np.float32(filler), LONG)
    write_image(tmp_path / "a.fits", flux, CRVAL1=4000.0, CDELT1=1.0)
    with pytest.warns(UserWarning, match="50 pixels in stretches of constant flux"):
        spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.valid[0], ~GAP)
    np.testing.assert_array_equal(spectra.flux[0][~GAP], LONG[~GAP])
    assert spectra.meta["note"].tolist() == ["50 pixels of constant flux are missing"]


def test_the_warning_of_gaps_counts_all_files(tmp_path):
    for name in "abc":
        write_image(tmp_path / f"{name}.fits", np.where(GAP, 0, LONG), CRVAL1=4000.0, CDELT1=1.0)
    with pytest.warns(UserWarning, match=r"a\.fits and 2 other files: 150 pixels") as caught:
        read_spectra(tmp_path)
    assert len(caught) == 1


@pytest.mark.parametrize(
    "flux",
    [
        np.ones(200),
        np.zeros(200),
        np.random.default_rng(0).poisson(0.3, 200),
        np.round(LONG, 1),
        np.where(np.isin(np.arange(200), [3, 50, 51]), 0, LONG),
    ],
    ids=["all equal", "all zero", "low counts", "rounded", "single zeros"],
)
def test_equal_values_that_are_no_gaps(tmp_path, flux):
    write_image(tmp_path / "a.fits", flux.astype(np.float32), CRVAL1=4000.0, CDELT1=1.0)
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_array_equal(spectra.flux[0], flux.astype(np.float32))


def test_a_constant_within_the_range_of_the_flux_is_kept_with_a_warning(tmp_path):
    flux = np.where(GAP, np.median(LONG), LONG)
    write_image(tmp_path / "a.fits", flux, CRVAL1=4000.0, CDELT1=1.0)
    with pytest.warns(UserWarning, match="50 pixels in long stretches of exactly equal flux are kept"):
        assert valid(tmp_path / "a.fits").all()


def test_errors_say_what_is_missing_where_there_are_errors(tmp_path):
    flux = fits.PrimaryHDU(np.where(GAP, 0, LONG))
    flux.header.update(CRVAL1=4000.0, CDELT1=1.0)
    fits.HDUList([flux, fits.ImageHDU(np.ones(200), name="ERR")]).writeto(tmp_path / "a.fits")
    assert valid(tmp_path / "a.fits").all()


# DESI --------------------------------------------------------------------------------------------------

ARMS = {"B": np.arange(0, 30), "R": np.arange(20, 50), "Z": np.arange(45, 80)}


def write_desi(path, arms="BRZ", *, mask=None, columns=("TARGETID", "TARGET_RA", "TARGET_DEC")):
    """Two targets of flux 1 and ivar 4; `mask` is a pair of a pixel in each arm and the mask there."""
    values = {"TARGETID": np.array([1, 2]), "TARGET_RA": [1.0, 2.0], "TARGET_DEC": [3.0, 4.0]}
    table = Table({name: values[name] for name in columns} or {"FIBER": [0, 1]})
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU(table, name="FIBERMAP")]
    for arm in arms:
        flux, bits = np.ones((2, ARMS[arm].size), "f4"), np.zeros((2, ARMS[arm].size), "i4")
        if mask is not None:
            bits[:, mask[0]] = mask[1]
        images = {"WAVELENGTH": 3600 + 0.8 * ARMS[arm], "FLUX": flux, "IVAR": 4 * flux, "MASK": bits}
        hdus += [fits.ImageHDU(image, name=f"{arm}_{name}") for name, image in images.items()]
    fits.HDUList(hdus).writeto(path)


def test_desi_masks(tmp_path):
    path = tmp_path / "targets.fits"
    write_desi(path, mask=(2, 1024))
    spectra = read_spectra(path)
    # Pixel 22 of the grid is masked in R and measured in B; pixel 47 is masked in Z and measured in R.
    np.testing.assert_array_equal(np.flatnonzero(~spectra.valid[0]), [2])
    np.testing.assert_array_equal(spectra.ivar[0][[22, 25]], [4, 8])
    assert np.all(read_spectra(path, mask_bits=1).valid)
    np.testing.assert_array_equal(
        np.flatnonzero(~read_spectra(path, mask_bits={"b_mask": 1024}).valid[0]), [2]
    )


def test_desi_without_an_arm_has_missing_pixels_between_the_others(tmp_path):
    write_desi(tmp_path / "a.fits", arms="BZ")
    spectra = read_spectra(tmp_path / "a.fits")
    np.testing.assert_allclose(spectra.wave, 3600 + 0.8 * np.arange(80), rtol=1e-12)
    np.testing.assert_array_equal(np.flatnonzero(~spectra.valid[0]), np.arange(30, 45))
    write_desi(tmp_path / "b.fits", arms="R")
    assert read_spectra(tmp_path / "b.fits").shape == (2, 30)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("R_FLUX", (2, 29), r"R_FLUX has shape \(2, 29\), R_WAVELENGTH \(30,\)"),
        ("R_IVAR", (2, 31), r"R_IVAR has shape \(2, 31\), R_FLUX \(2, 30\)"),
        ("Z_MASK", (1, 35), r"Z_MASK has shape \(1, 35\), Z_FLUX \(2, 35\)"),
    ],
)
def test_desi_arms_whose_shapes_do_not_agree(tmp_path, name, shape, message):
    write_desi(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as hdus:
        hdus[name].data = np.ones(shape, hdus[name].data.dtype)
        hdus.writeto(tmp_path / "b.fits")
    with pytest.raises(SpectrumReadError, match=message):
        read_spectra(tmp_path / "b.fits")


@pytest.mark.parametrize(
    "name", ["coadd-m-1.fits", "coadd-m-1.fits.gz", "spectra-m-1.fits", "spectra-m-1.fits.gz"]
)
@pytest.mark.parametrize(
    "beside", ["redrock-m-1.fits", "redrock-m-1.fits.gz", "zbest-m-1.fits", "zbest-m-1.fits.gz"]
)
def test_desi_redshifts_beside_in_any_packing(tmp_path, name, beside):
    write_desi(tmp_path / name)  # astropy packs by the suffix
    hdu = fits.BinTableHDU(
        Table({"TARGETID": [2, 1], "Z": [0.2, 0.1], "SPECTYPE": ["QSO", "STAR"]}), name="ZBEST"
    )
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / beside)
    meta = read_spectra(tmp_path / name).meta
    assert meta["class"].tolist() == ["STAR", "QSO"]
    assert meta["z"].tolist() == [0.1, 0.2]


def test_desi_without_redshifts_warns_once(tmp_path):
    for i in range(3):
        write_desi(tmp_path / f"coadd-{i}.fits", columns=("TARGETID",) if i else ())
    with pytest.warns(
        UserWarning, match=r"coadd-1\.fits and 1 other files: class and z are missing"
    ) as caught:
        spectra = read_spectra(tmp_path)
    assert len(caught) == 1
    assert len(spectra) == 6
    assert "ra" not in spectra.meta.colnames


def test_packed_files_have_the_same_gaps(tmp_path):
    write_image(tmp_path / "a.fits", np.where(GAP, 0, LONG), CRVAL1=4000.0, CDELT1=1.0)
    (tmp_path / "b.fits.gz").write_bytes(gzip.compress((tmp_path / "a.fits").read_bytes()))
    with pytest.warns(UserWarning, match="100 pixels in stretches"):
        spectra = read_spectra([tmp_path / "a.fits", tmp_path / "b.fits.gz"])
    np.testing.assert_array_equal(spectra.flux[0], spectra.flux[1])
