"""Damaged files: a one-sentence error with file and cause, and the other files are still read."""

import pickle

import numpy as np
import pytest
from astropy.io import fits

from skspec import read_spectra
from skspec.io import SpectrumReadError
from tests._data import data_path
from tests.io._files import N, write_image, write_sdss_spec

WAVE = 4000.0 + np.arange(N)


def text(wave, flux):
    return "".join(f"{w} {f}\n" for w, f in zip(wave, flux, strict=True)).encode()


def image(path, flux, **cards):
    write_image(path, np.asarray(flux, dtype=np.float32), CRVAL1=4000.0, CDELT1=1.0, **cards)


BAD = {
    "empty": (b"", "the file is empty"),
    "prose": (
        b"<html>\nNot found.\n</html>\n",
        r"the format is not recognised \(text starting with '<html>",
    ),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0", r"the format is not recognised \(bytes starting with b'.x89PNG"),
    "no end": (b"SIMPLE  =                    T".ljust(80) * 36, "the FITS header of HDU 0 has no END card"),
    "decreasing": (
        text(WAVE[::-1], WAVE),
        r"wave must increase strictly, but pixel 0 at 4039 is followed by 4038",
    ),
    "repeated": (text(np.r_[WAVE[:5], WAVE[4:]], np.ones(N + 1)), "but pixel 4 at 4004 is followed by 4004"),
    "negative": (text(-WAVE, WAVE), "wave must be positive"),
    "all nan": (text(WAVE, WAVE * np.nan), "there are no valid pixels: no flux value is finite"),
    "infinite wave": (text(np.r_[WAVE, np.inf], np.ones(N + 1)), "wave has 1 values that are not finite"),
    "ragged": (
        text(WAVE, WAVE) + b"4050\n",
        r"line 41 has 1 columns, the lines before it have 2 \(read as text\)",
    ),
    "no errors": (b"wave flux err\n" + b"4000 1 0\n4001 1 0\n", "the inverse variance is zero everywhere"),
    "huge": (
        text(WAVE, WAVE * 1e40),
        r"flux has 40 values outside the range of float32 \(largest 4.04e\+43\); scale the flux",
    ),
    "tiny errors": (
        b"wave flux err\n4000 1e-20 1e-22\n4001 1e-20 1e-22\n",
        r"ivar has 2 values outside the range of float32 \(largest 1e\+44\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_bytes(tmp_path, case):
    content, message = BAD[case]
    path = tmp_path / "bad.fits"
    path.write_bytes(content)
    with pytest.raises(SpectrumReadError, match=message) as caught:
        read_spectra(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    write_sdss_spec(tmp_path / "good.fits")
    spectra = read_spectra([tmp_path / "good.fits", path], on_error="skip")
    assert len(spectra) == 1
    assert [item["file"] for item in spectra.meta.meta["skipped"]] == [str(path)]


def test_an_image_without_wavelengths(tmp_path):
    fits.PrimaryHDU(np.ones((5, 5))).writeto(tmp_path / "a.fits")
    with pytest.raises(
        SpectrumReadError, match=r"not recognised \(FITS with HDUs PRIMARY \(image \(5, 5\)\)\)"
    ):
        read_spectra(tmp_path / "a.fits")


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CRVAL1": 5000.0, "CDELT1": -1.0}, "must increase strictly"),
        ({"CRVAL1": 5000.0}, "no CRVAL1 with CDELT1 or CD1_1"),
        ({"CRVAL1": 5e14, "CDELT1": 1e10, "CUNIT1": "Hz"}, "wavelengths are in 'Hz'"),
        ({"CRVAL1": 1.0, "CDELT1": 1.0, "CTYPE1": "MULTISPE"}, "CTYPE1 is MULTISPE; linearise"),
    ],
)
def test_bad_image_scales(tmp_path, cards, message):
    write_image(tmp_path / "a.fits", np.ones(N, dtype=np.float32), **cards)
    with pytest.raises(SpectrumReadError, match=rf"a\.fits: .*{message}"):
        read_spectra(tmp_path / "a.fits")


def test_spectrum_of_nan_in_fits(tmp_path):
    image(tmp_path / "a.fits", np.full(N, np.nan))
    with pytest.raises(SpectrumReadError, match=r"a.fits: there are no valid pixels.*\(read as iraf\)"):
        read_spectra(tmp_path / "a.fits")


@pytest.mark.parametrize(
    "name",
    [
        "sdss_dr7_spSpec/spSpec-51993-0542-631.fit",
        "sdss_dr8plus/spec-0266-51602-0013.fits",
        "lamost_dr1_v264/spec-55862-B6212_sp06-003.fits",
        "desi/coadd-special-dark-27247.fits",
        "indo_us/G8V__131156.fits",
        "ondrejov_bintable/a201402030013.fits",
        "marz_test/emlLogVacuumHelioMultiple.fits",
        "snid_lnw/iPTF13bvn.lnw",
    ],
)
@pytest.mark.parametrize("part", [0.02, 0.1, 0.3])
def test_truncated_originals(tmp_path, name, part):
    content = data_path(f"native_formats/{name}").read_bytes()
    path = tmp_path / "cut.fits"
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(SpectrumReadError) as caught:
        read_spectra(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(SpectrumReadError("a.fits", "is broken")))
    assert (str(error), error.path, error.cause) == ("a.fits: is broken", "a.fits", "is broken")
    assert isinstance(error, OSError)
    assert isinstance(error, ValueError)
