"""MK types."""

import numpy as np
import pytest
from astropy.table import MaskedColumn

from skspec.mk import temperature_class
from tests._data import data_path


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A7III", "A"),
        ("F9", "F"),
        ("G", "G"),
        ("dM2", "M"),
        ("gM0", "M"),
        ("sdB", "B"),
        ("sdO", "O"),
        ("sd:F", "F"),
        ("esdK7", "K"),
        ("usdM1.5", "M"),
        ("07Ia", "O"),
        ("09.5 Ib", "O"),
        ("G8/K0III", "G"),
        ("G6 IV + M6 V", "G"),
        ("Am", "A"),
        ("Fp", "F"),
        ("Be", "B"),
        ("M?", "M"),
        ("GII:wp...", "G"),
        ("F5 (30743)", "F"),
        ("g2v", "G"),
        (" K3 ", "K"),
        ("", ""),
        ("Non", ""),
        ("Unknown", ""),
        ("DA", ""),
        ("DB4", ""),
        ("WD", ""),
        ("WDMagnetic", ""),
        ("CV", ""),
        ("Carbon", ""),
        ("C-N5", ""),
        ("L5.5", ""),
        ("T2", ""),
        ("OB", ""),
        ("GB", ""),
        ("AGB", ""),
        ("HB", ""),
        ("III", ""),
        ("S?", ""),
        ("AGN", ""),
        ("BROADLINE", ""),
        ("GALAXY", ""),
        ("STARBURST", ""),
        ("Mira", ""),
        ("0", ""),
        ("0.5", ""),
        ("07344", ""),
        ("m", ""),
    ],
)
def test_letter(text, letter):
    assert temperature_class(text) == letter


def test_keeps_shape_and_reads_what_tables_hold():
    assert temperature_class([["A", "dA"], ["DA", None]]).tolist() == [["A", "A"], ["", ""]]
    assert temperature_class("G2V").shape == ()
    assert temperature_class([]).shape == (0,)
    assert temperature_class(np.array([b"F5 ", b"DA"])).tolist() == ["F", ""]
    assert temperature_class(MaskedColumn(["G2", "K1"], mask=[False, True])).tolist() == ["G", ""]
    assert temperature_class(["G2"]).dtype == "<U1"
    with pytest.raises(TypeError, match=r"types must be strings such as 'G2V', got 5 \(int\)"):
        temperature_class([5])


# The classes beside these types were parsed by others; they agree in every one.


def test_agrees_with_lamost():
    data = np.load(data_path("lamost_lrs/lamost_lrs.npz"))
    found = temperature_class(data["subclass"])
    np.testing.assert_array_equal(found, data["spectral_class"])
    assert {c: int((found == c).sum()) for c in "OBAFGKM"} == {
        "O": 0,
        "B": 2,
        "A": 55,
        "F": 60,
        "G": 65,
        "K": 72,
        "M": 32,
    }


def test_agrees_with_miles():
    data = np.load(data_path("miles_v9.1/miles_v9.1.npz"))
    np.testing.assert_array_equal(temperature_class(data["sptype"]), data["spectral_class"])


@pytest.mark.parametrize("prefix", ["", "comp_"])
def test_agrees_with_pickles(prefix):
    data = np.load(data_path("pickles_uvilib/pickles_uvilib.npz"))
    np.testing.assert_array_equal(temperature_class(data[prefix + "sptype"]), data[prefix + "spectral_class"])
