"""The fast FITS reader agrees with astropy bit for bit, and reports the cause if a file is damaged."""

import io
import warnings

import numpy as np
import pytest
from astropy.io import fits

from skspec.io import Source, SpectrumReadError
from tests._data import data_path

ORIGINALS = [
    "sdss_dr7_spSpec/spSpec-51993-0542-631.fit",
    "sdss_dr8plus/spec-0332-52367-0639.fits",
    "boss_lowercase_v5_10/spec-4238-55455-0037.fits",
    "boss_uppercase_v5_13/spec-10656-58163-0366.fits",
    "lamost_dr1_v264/spec-55862-B6212_sp06-003.fits",
    "lamost_dr7_v298/spec-58575-HD103621N361936B01_sp03-002.fits.gz",
    "desi/coadd-1-80693-thru20210204.fits",
    "desi/redrock-special-dark-27247.fits",
    "indo_us/G8V__131156.fits",
    "ondrejov_bintable/a201402030013.fits",
    "marz_test/emlLogVacuumHelioMultiple.fits",
]


def same(ours, theirs):
    theirs = np.asarray(theirs)
    if theirs.dtype.kind in "SU":
        return (np.char.strip(ours) == np.char.strip(theirs.astype(str))).all()
    return (
        ours.dtype == theirs.dtype.newbyteorder("=") and ours.tobytes() == theirs.astype(ours.dtype).tobytes()
    )


def compare_with_astropy(path):
    """Compare every card, image, column and cell of a file with astropy's; return the number of columns."""
    n_columns = 0
    with fits.open(path) as hdus, Source(path) as source:
        assert len(list(source.fits)) == len(hdus)
        for i, theirs in enumerate(hdus):
            ours = source.fits[i]
            assert ours.name == theirs.name.upper()
            compressed = isinstance(
                theirs, fits.CompImageHDU
            )  # astropy returns the header of the compressed image
            for keyword in () if compressed else dict.fromkeys(theirs.header):
                if keyword not in ("", "COMMENT", "HISTORY"):
                    expected = theirs.header[keyword]
                    expected = expected.strip() if isinstance(expected, str) else expected
                    assert ours.header.get(keyword) == expected, keyword
            if theirs.is_image:
                assert ours.kind == "image"
                if theirs.data is not None:
                    assert ours.shape == theirs.data.shape
                    assert same(ours.image(), theirs.data)
                continue
            assert (ours.kind, ours.shape) == ("table", (len(theirs.data),))
            for name in theirs.columns.names:
                n_columns += 1
                assert same(ours.column(name), theirs.data[name]), name
                if len(theirs.data):
                    first = theirs.data[name][0]
                    cell = ours.cell(name.lower())
                    assert np.array_equal(cell, first.strip() if isinstance(first, str) else first), name
    return n_columns


@pytest.mark.parametrize("name", ORIGINALS)
def test_every_value_of_real_files(name):
    compare_with_astropy(data_path(f"native_formats/{name}"))


@pytest.fixture
def everything(tmp_path):
    """A file with all kinds of HDUs and columns, plain and unusual."""
    rng = np.random.default_rng(0)
    header = fits.Header(
        {"OBJECT": "it's", "LONG": "x" * 150, "UNSET": None, "FLAG": True, "RATE": 1.5e-3, "N": -7}
    )
    columns = [
        fits.Column("A8", "8A", array=["one", "two  ", " three"]),
        fits.Column("L", "L", array=[True, False, True]),
        fits.Column("B", "B", array=[0, 200, 255]),
        fits.Column("I", "I", array=[-5, 6, 7]),
        fits.Column("J", "J", array=[-5, 2**30, 7]),
        fits.Column("K", "K", array=[-5, 2**60, 7]),
        fits.Column("E", "E", array=rng.normal(size=3)),
        fits.Column("D", "D", array=rng.normal(size=3)),
        fits.Column("E5", "5E", array=rng.normal(size=(3, 5))),
        fits.Column("IMAGE", "6J", dim="(3,2)", array=np.arange(18).reshape(3, 2, 3)),
        fits.Column("U", "J", bzero=2**31, array=np.array([1, 2**31, 2**32 - 1], dtype=np.uint32)),
        fits.Column("SCALED", "E", bscale=0.5, bzero=10.0, array=np.array([10.0, 10.5, 11.0])),
        fits.Column("BITS", "11X", array=rng.random((3, 11)) > 0.5),
        fits.Column("C", "C", array=rng.normal(size=3) + 1j),
        fits.Column("LAST", "D", array=rng.normal(size=3)),
    ]
    scaled = fits.ImageHDU(np.arange(12, dtype=np.uint16).reshape(3, 4) + 40000, name="unsigned")
    hdus = [
        fits.PrimaryHDU(rng.normal(size=(3, 7)).astype(np.float32), header),
        fits.ImageHDU(rng.normal(size=5), name="double"),
        fits.ImageHDU(np.arange(5, dtype=np.int64), name="int64"),
        fits.ImageHDU(np.arange(5, dtype=np.uint8), name="bytes"),
        scaled,
        fits.ImageHDU(None, name="void"),
        fits.BinTableHDU.from_columns(columns, name="mixed"),
        fits.CompImageHDU(np.arange(600, dtype=np.int32).reshape(20, 30), name="packed"),
    ]
    path = tmp_path / "everything.fits"
    fits.HDUList(hdus).writeto(path)
    return path


def test_plain_and_unusual_data(everything):
    assert compare_with_astropy(everything) == 15


def test_rows_of_an_image_and_continued_strings(everything):
    with Source(everything) as source:
        whole = source.fits[0].image()
        assert np.array_equal(source.fits[0].image(n_rows=2), whole[:2])
        assert source.fits.header.get("LONG") == "x" * 150
        assert source.fits.header.get("OBJECT") == "it's"
        assert source.fits["unsigned"].image(n_rows=1).max() == 40003
        assert source.fits.get("nothing") is None
        assert source.fits[6].cell("nothing") is None
        assert source.fits[6].cell("J", row=9) is None


def test_astropy_is_not_imported_for_plain_files(everything, monkeypatch):
    monkeypatch.setattr(fits, "open", lambda *args, **kwargs: pytest.fail("astropy was asked"))
    with Source(everything) as source:
        source.fits[0].image()
        source.fits["mixed"].column("E5")
        source.fits["mixed"].cell("A8")


def test_first_of_repeated_cards_counts():
    raw = b"".join(
        line.ljust(80)
        for line in (b"SIMPLE  = T", b"NAXIS   = 0", b"Z       = 1.5D0 / first", b"Z       = 2")
    )
    from skspec.io._fits_header import Header

    header = Header(raw)
    assert header.get("Z") == 1.5
    assert header.comment("Z") == "first"
    assert "Z" in header
    assert "ZZ" not in header
    assert header.get("ZZ", 3) == 3


def test_variable_length_column_is_read_by_astropy(tmp_path):
    rows = np.empty(2, dtype=object)
    rows[:] = [np.arange(3.0), np.arange(5.0)]
    path = tmp_path / "vla.fits"
    fits.BinTableHDU.from_columns([fits.Column("flux", "PD()", array=rows)]).writeto(path)
    with Source(path) as source:
        column = source.fits[1].column("flux")
        assert [row.tolist() for row in column] == [list(range(3)), list(range(5))]


@pytest.mark.parametrize("hdu", [0, 3, 4, 6, 7])
def test_truncated_data_is_an_error(everything, hdu):
    with fits.open(everything) as hdus:
        end = hdus[hdu]._data_offset + 4  # fileinfo() has none for a compressed HDU in astropy 7
    everything.write_bytes(everything.read_bytes()[:end])
    with (
        Source(everything) as source,
        pytest.raises(SpectrumReadError, match=rf"everything.fits: truncated: HDU {hdu}"),
    ):
        source.fits[hdu].image() if hdu != 6 else source.fits[hdu].column("J")


def test_truncated_header_is_an_error(everything):
    with fits.open(everything) as hdus:
        end = hdus[6].fileinfo()["hdrLoc"] + 800
    everything.write_bytes(everything.read_bytes()[:end])
    with Source(everything) as source, pytest.raises(SpectrumReadError, match="HDU 6 has no END"):
        list(source.fits)


def test_missing_padding_at_the_end_is_accepted(tmp_path):
    flux = np.arange(10, dtype=np.float32)
    buffer = io.BytesIO()
    fits.PrimaryHDU(flux).writeto(buffer)
    path = tmp_path / "short.fits"
    path.write_bytes(buffer.getvalue()[: 2880 + 40])
    with Source(path) as source:
        assert np.array_equal(source.fits[0].image(), flux)


def test_files_larger_than_the_head_are_read_in_parts(tmp_path):
    first, second = np.arange(100_000, dtype=np.float64), np.arange(7, dtype=np.int16)
    table = fits.BinTableHDU.from_columns([fits.Column(f"c{i}", "E", array=[i]) for i in range(400)])
    path = tmp_path / "large.fits"
    fits.HDUList([fits.PrimaryHDU(first), fits.ImageHDU(second), table]).writeto(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Source(path) as source:
            assert source.fits[2].cell("c399") == 399.0
            assert np.array_equal(source.fits[1].image(), second)
            assert np.array_equal(source.fits[0].image(), first)
