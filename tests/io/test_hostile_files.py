"""Files that claim, hide or refer to what they should not: refused at once, in little memory, in one sentence."""

import gzip
import io
import os
import socket
import stat
import struct
import zipfile

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skspec import read_spectra
from skspec.io import SpectrumReadError, sample_catalogue
from tests.io._files import N, flux_ivar, write_image, write_sdss_spec

WAVE = np.linspace(4000.0, 4100.0, N)
PRIMARY = {"SIMPLE": "T", "BITPIX": 8, "NAXIS": 0}
IMAGE = {
    "XTENSION": "'IMAGE   '",
    "BITPIX": 8,
    "NAXIS": 2,
    "NAXIS1": 80,
    "NAXIS2": 36,
    "PCOUNT": 0,
    "GCOUNT": 1,
}
TABLE = IMAGE | {"XTENSION": "'BINTABLE'", "NAXIS1": 8, "NAXIS2": 360, "TFIELDS": 1, "TFORM1": "'D'"}
PACKED = TABLE | {
    "TFORM1": "'1PB(9)'",
    "ZIMAGE": "T",
    "ZBITPIX": -32,
    "ZNAXIS": 1,
    "ZNAXIS1": 40,
    "ZCMPTYPE": "'GZIP_1'",
}


def header(cards):
    text = "".join(f"{key:8}= {value:>20}".ljust(80) for key, value in cards.items()) + "END".ljust(80)
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def refused(path, message, **options):
    """Assert that the file is refused, and passed over beside a whole one."""
    with pytest.raises(SpectrumReadError, match=message) as caught:
        read_spectra(path, **options)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()
    good = path.parent / "good"
    if not good.exists():
        write_sdss_spec(good)
    spectra = read_spectra([good, path], on_error="skip")
    assert len(spectra) == 1
    assert [item["file"] for item in spectra.meta.meta["skipped"]] == [str(path)]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("start", "cards", "message"),
    [
        (IMAGE, {"GCOUNT": -1}, "HDU 1 is damaged: GCOUNT is -1, an integer not below 1"),
        (IMAGE, {"GCOUNT": -2, "PCOUNT": -3}, "GCOUNT is -2"),
        (IMAGE, {"PCOUNT": -2880}, "PCOUNT is -2880"),
        (IMAGE, {"NAXIS1": -2880}, "NAXIS1 is -2880"),
        (IMAGE, {"NAXIS1": -80, "NAXIS2": -36}, "NAXIS2 is -36"),
        (IMAGE, {"NAXIS": 1000}, "NAXIS is 1000, an integer from 0 to 999"),
        (IMAGE, {"NAXIS": -1}, "NAXIS is -1"),
        (IMAGE, {"NAXIS": "'two'"}, "NAXIS is two"),
        (IMAGE, {"NAXIS1": "1.5"}, "NAXIS1 is 1.5"),
        (IMAGE, {"NAXIS1": 10**12, "NAXIS2": 10**12}, "more than 2.*63 bytes"),
        (IMAGE, {"NAXIS1": 10**12}, r"truncated: HDU 1 needs \d+ bytes, the file has 8640"),
        (IMAGE, {"BITPIX": 12}, "BITPIX is 12, one of 8, 16"),
        (TABLE, {"TFIELDS": 1000}, "TFIELDS is 1000"),
        (TABLE, {"TFIELDS": -1}, "TFIELDS is -1"),
        (TABLE, {"GCOUNT": 2}, "GCOUNT is 2 in a table"),
        (TABLE, {"TFORM1": "'2D'"}, "8 bytes by NAXIS1 and 16 by the formats"),
        (TABLE, {"TFORM1": "'99999999999999999999D'"}, "format '9+D' is not known"),
        (PACKED, {"ZNAXIS": 1000}, "ZNAXIS is 1000"),
        (PACKED, {"ZNAXIS1": -40}, "ZNAXIS1 is -40"),
        (PACKED, {"ZNAXIS1": 10**11}, "the compressed image unpacks to 400,000,000,000 bytes"),
        (PACKED, {"ZTILE1": 0}, "ZTILE1 is 0"),
    ],
)  # fmt: skip
def test_impossible_cards(tmp_path, start, cards, message):
    path = tmp_path / "bad"
    path.write_bytes(header(PRIMARY) + header(start | cards) + bytes(2880))
    refused(path, message)
    with pytest.raises((ValueError, OSError)):
        sample_catalogue(path, n_per_class=1)


def test_a_header_without_end_is_not_read_for_ever(tmp_path):
    with open(tmp_path / "bad", "wb") as file:
        file.write(header(PRIMARY)[:240].ljust(1 << 25))
    refused(tmp_path / "bad", "no END card in its first [0-9,]+ bytes")


@pytest.mark.parametrize("missing", [1, 80, 2880])
@pytest.mark.parametrize("what", ["lost", "inserted"])
@pytest.mark.parametrize("hdu", [1, 2, 3])
def test_bytes_lost_or_inserted(tmp_path, missing, what, hdu):
    write_sdss_spec(tmp_path / "whole", exposures=2, n=2000)
    content = (tmp_path / "whole").read_bytes()
    with fits.open(tmp_path / "whole") as hdus:
        at = hdus[hdu].fileinfo()["datLoc"] + 40
    damaged = content[:at] + (content[at + missing :] if what == "lost" else b"x" * missing + content[at:])
    (tmp_path / "bad").write_bytes(damaged)
    if hdu < 3:
        refused(
            tmp_path / "bad", "no HDU begins after HDU 2|has no END card|HDU 2 is missing|no HDU begins|must"
        )
    elif missing == 2880:  # only what is not used is damaged
        assert len(read_spectra(tmp_path / "bad")) == 1
    else:
        with pytest.warns(UserWarning, match="size is not a multiple of 2880 bytes"):
            read_spectra(tmp_path / "bad")


def test_padding_after_the_last_hdu(tmp_path):
    flux, _ = flux_ivar()
    write_image(tmp_path / "a", flux, CRVAL1=4000.0, CDELT1=1.0)
    content = (tmp_path / "a").read_bytes()
    for n_blocks in (1, 1500):
        (tmp_path / "a").write_bytes(content + bytes(2880 * n_blocks))
        np.testing.assert_array_equal(read_spectra(tmp_path / "a").flux[0], flux)
    (tmp_path / "a").write_bytes(content + bytes(5000) + b"more" + bytes(756))
    refused(tmp_path / "a", "no HDU begins after HDU 0 at byte 5760, where other data are")


def test_sums(tmp_path):
    flux, _ = flux_ivar(n=2000)
    table = Table({"wave": 4000.0 + np.arange(2000), "flux": flux})
    hdu = fits.BinTableHDU(table)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "whole", checksum=True)
    np.testing.assert_array_equal(read_spectra(tmp_path / "whole", verify=True).flux[0], flux)
    content = bytearray((tmp_path / "whole").read_bytes())
    content[-2900] ^= 1
    (tmp_path / "bit").write_bytes(content)
    assert len(read_spectra(tmp_path / "bit")) == 1
    with pytest.raises(SpectrumReadError, match="the bytes of HDU 1 do not match its card DATASUM"):
        read_spectra(tmp_path / "bit", verify=True)
    (tmp_path / "comment").write_bytes(
        (tmp_path / "whole").read_bytes().replace(b"extension", b"extensiom", 1)
    )
    with pytest.raises(SpectrumReadError, match="card CHECKSUM"):
        read_spectra(tmp_path / "comment", verify=True)


def test_an_odd_size_is_compared_with_the_sums(tmp_path):
    flux, _ = flux_ivar(n=2000)
    for checksum in (False, True):
        path = tmp_path / f"{checksum}"
        fits.PrimaryHDU(flux, fits.Header({"CRVAL1": 4000.0, "CDELT1": 1.0})).writeto(path, checksum=checksum)
        content = path.read_bytes()
        path.write_bytes(content[:4000] + content[4001:])  # within the data
        if checksum:
            refused(path, "HDU 0 do not match its card DATASUM")
        else:
            with pytest.warns(
                UserWarning, match="not a multiple of 2880 bytes as that of every whole FITS file"
            ):
                read_spectra(path)
        path.write_bytes(content[:-7])  # within the padding
        if checksum:
            np.testing.assert_array_equal(read_spectra(path).flux[0], flux)


def test_arrays_of_variable_length(tmp_path):
    flux, _ = flux_ivar()
    rows = [
        fits.Column(name, "PD()", array=np.array([v, v], dtype=object))
        for name, v in (("wave", WAVE), ("flux", flux))
    ]
    fits.BinTableHDU.from_columns(rows).writeto(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    at = content.index(struct.pack(">ii", N, 0))
    for name, cell, message in (
        ("long", (1 << 28, 0), "has arrays outside the table of HDU 1"),
        ("far", (N, 1 << 30), "has arrays outside the table of HDU 1"),
        ("negative", (-N, 0), "has arrays outside the table of HDU 1"),
    ):
        (tmp_path / name).write_bytes(content[:at] + struct.pack(">ii", *cell) + content[at + 8 :])
        refused(tmp_path / name, message)


@pytest.mark.parametrize("method", ["GZIP_1", "GZIP_2", "RICE_1"])
def test_compressed_tiles(tmp_path, method):
    flux, _ = flux_ivar(n=400)
    cards = fits.Header({"CRVAL1": 4000.0, "CDELT1": 1.0})
    packed = fits.CompImageHDU(
        flux, cards, compression_type=method, quantize_level=0 if "GZIP" in method else 16
    )
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / "whole")
    with fits.open(tmp_path / "whole") as hdus:
        np.testing.assert_array_equal(read_spectra(tmp_path / "whole").flux[0], hdus[1].data.astype("f4"))
    content = (tmp_path / "whole").read_bytes()
    with fits.open(tmp_path / "whole", disable_image_compression=True) as hdus:
        at = hdus[1].fileinfo()["datLoc"]
        row, n = hdus[1].header["NAXIS1"], hdus[1].header["PCOUNT"]
    cells = np.frombuffer(content[at : at + row], ">i4").copy()
    if "GZIP" in method:
        bomb = gzip.compress(bytes(1 << 22))
        cells[:2] = len(bomb), n
        table = content[:at].replace(f"PCOUNT  = {n:>20}".encode(), f"PCOUNT  = {n + len(bomb):>20}".encode())
        data = cells.tobytes() + content[at + row : at + row + n] + bomb
        (tmp_path / "bomb").write_bytes(table + data + bytes(-len(data) % 2880))
        refused(tmp_path / "bomb", "a tile of the compressed image in HDU 1 is damaged")
    cells[0] = 1 << 20
    (tmp_path / "far").write_bytes(content[:at] + cells.tobytes() + content[at + row :])
    refused(tmp_path / "far", "has arrays outside the table of HDU 1")


# Packed files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [1, 200])
def test_gzip_bomb(tmp_path, members):
    size = 1 << 30
    with open(tmp_path / "bomb", "wb") as file:
        file.write(gzip.compress(bytes(size // members)) * members)
    refused(tmp_path / "bomb", r"unpacks to [0-9,]+ bytes or more from [0-9,]+.*SKSPEC_MAX_UNPACKED")


def test_gzip_of_several_members_and_padding(tmp_path, monkeypatch):
    write_sdss_spec(tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    packed = gzip.compress(content[:5000]) + gzip.compress(content[5000:])
    for end in (b"", bytes(1000)):
        (tmp_path / "b").write_bytes(packed + end)
        np.testing.assert_array_equal(read_spectra(tmp_path / "b").flux, read_spectra(tmp_path / "a").flux)
    monkeypatch.setenv("SKSPEC_MAX_UNPACKED", "5000")
    with pytest.raises(SpectrumReadError, match="unpacks to"):
        read_spectra(tmp_path / "b")
    monkeypatch.setenv("SKSPEC_MAX_UNPACKED", "much")
    with pytest.raises(ValueError, match="SKSPEC_MAX_UNPACKED must be a number of bytes, it is 'much'"):
        read_spectra(tmp_path / "b")


def npz(path, *, compression=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            if not isinstance(content, bytes):
                file = io.BytesIO()
                np.save(file, content)
                archive.writestr(f"{name}.npy", file.getvalue())
            else:
                archive.writestr(f"{name}.npy", content)


def claiming(shape, descr="<f4"):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"flux": claiming((10**12, N))}, "0 bytes, which are not those of float32 values"),
        ({"flux": claiming((2, N)) + bytes(3)}, "3 bytes, which are not those of float32"),
        ({"flux": claiming((10**12,), "<U0")}, "'flux.npy' has 0 bytes"),
        ({"flux": claiming((-1, N))}, "'flux.npy' has 0 bytes"),
        (
            {"flux": np.zeros((1 << 16, N))[:, :] * np.ones((1, N)), "more": bytes(1 << 28)},
            "the archive unpacks to",
        ),
    ],
)
def test_npz_that_claims(tmp_path, members, message):
    npz(tmp_path / "bad", wave=WAVE, **members)
    refused(tmp_path / "bad", message)


def test_npz_packed_as_numpy_never_does(tmp_path):
    npz(tmp_path / "bad", compression=zipfile.ZIP_BZIP2, wave=WAVE, flux=np.ones((1, N)))
    refused(tmp_path / "bad", "compressed in a way that NumPy does not write")


def test_parquet_that_unpacks_to_much(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"flux": np.zeros(1 << 25, dtype="f4")}), tmp_path / "bad")
    assert (tmp_path / "bad").stat().st_size < 1 << 20
    refused(tmp_path / "bad", "unpacks to")


def test_deep_yaml(tmp_path):
    Table({"wave": WAVE, "flux": WAVE}, meta={"a": 1}).write(tmp_path / "bad", format="ascii.ecsv")
    text = (tmp_path / "bad").read_text()
    (tmp_path / "bad").write_text(text.replace("{a: 1}", "[" * 5000 + "]" * 5000))
    refused(tmp_path / "bad", "nested deeper than 50 levels|unable to parse yaml")


def test_hdf5_never_opens_another_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    values = np.ones((2, 433), dtype="f4")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["fluxes"] = values
    (tmp_path / "private").write_bytes(values.tobytes())
    layout = h5py.VirtualLayout((2, 433), "f4")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "fluxes", (2, 433))
    elsewhere = [(str(tmp_path / "private"), 0, values.nbytes)]
    cases = {
        "external": (
            lambda f: f.create_dataset("fluxes", (2, 433), "f4", external=elsewhere),
            "in another file",
        ),
        "virtual": (lambda f: f.create_virtual_dataset("fluxes", layout), "in another file"),
        "link": (lambda f: f.__setitem__("fluxes", h5py.ExternalLink("other.h5", "fluxes")), "needed"),
        "loop": (lambda f: f.__setitem__("fluxes", h5py.SoftLink("/fluxes")), "needed"),
        "group": (lambda f: f.create_group("fluxes"), "fluxes is not an array of numbers"),
        "empty": (lambda f: f.create_dataset("fluxes", (2, 433), "f4"), "its values were never written"),
        "text": (lambda f: f.create_dataset("fluxes", data=[[b"a"] * 433] * 2), "fluxes is not an array of numbers"),
        "claim": (
            lambda f: f.create_dataset("fluxes", (10**9, 433), "f4", chunks=(2, 433)).__setitem__(slice(0, 2), values),
            "fluxes unpacks to",
        ),
    }  # fmt: skip
    for name, (write, message) in cases.items():
        with h5py.File(tmp_path / name, "w") as file:
            file["classes"] = np.eye(2, 13, dtype="f4")
            write(file)
        refused(tmp_path / name, message)


# What is not a file -------------------------------------------------------------------------------------------


def test_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    (tmp_path / "folder.fits").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)
        server.bind("socket.fits")
    for name, message in (("pipe.fits", "is a pipe, not a file"), ("socket.fits", "is a socket, not a file")):
        refused(tmp_path / name, message)
    with pytest.raises(SpectrumReadError, match="is a device, not a file"):
        read_spectra("/dev/zero")
    with pytest.raises(SpectrumReadError, match="embedded null"):
        read_spectra("a\0b")
    with pytest.raises(SpectrumReadError, match="file name too long"):
        read_spectra("a" * 5000)
    spectra = read_spectra(tmp_path)  # strays do not stop it
    assert len(spectra) == 1
    assert [stat.S_ISREG(os.stat(item["file"]).st_mode) for item in spectra.meta.meta["skipped"]] == [
        False
    ] * 2


def test_a_sparse_file(tmp_path):
    write_sdss_spec(tmp_path / "bad")
    os.truncate(tmp_path / "bad", 1 << 40)
    refused(tmp_path / "bad", "the sparse file unpacks to")


def test_text_with_zero_bytes_or_one_long_line(tmp_path):
    (tmp_path / "a").write_bytes(b"4000 1\n4001 2\n" * 400 + bytes(3) + b"\n")
    refused(tmp_path / "a", "is not text, byte 5600 is zero")
    (tmp_path / "b").write_bytes(b"4000 1\n4001 2\n" + b"1" * 20_000_000)
    refused(tmp_path / "b", "the format is not recognised")


def test_control_characters_do_not_reach_the_terminal(tmp_path):
    (tmp_path / "a").write_bytes(b"# wave flux\n4000 1\n4001 2\n4002 \x1b[31mred\n")
    with pytest.raises(SpectrumReadError) as caught:
        read_spectra(tmp_path / "a")
    assert "\x1b" not in str(caught.value)
