"""Parsing MK types in the notations of catalogues."""

import numpy as np
import pytest
from astropy.table import MaskedColumn

from skspec.mk import MKType, mk_type, parse_mk, temperature_class


@pytest.mark.parametrize(
    ("text", "star"),
    [
        ("A0mA1Va", MKType("A", 0, "Va", remarks="mA1")),  # Sirius
        ("K1.5IIIFe-0.5", MKType("K", 1.5, "III", remarks="Fe-0.5")),  # Arcturus
        ("K5+III", MKType("K", 5, "III", shade="+")),  # Aldebaran
        (
            "M1-M2Ia-Iab",
            MKType("M", 1, "Ia", end_temperature_class="M", end_subtype=2, end_luminosity_class="Iab"),
        ),
        ("O4I(n)fp", MKType("O", 4, "I", remarks="(n)fp")),  # zeta Puppis
        ("M1Ia-ab", MKType("M", 1, "Ia", end_luminosity_class="Iab")),
        ("G3/5V", MKType("G", 3, "V", end_temperature_class="G", end_subtype=5)),
        ("B9.5/A0 V", MKType("B", 9.5, "V", end_temperature_class="A", end_subtype=0)),
        (
            "K4-5 III-II",
            MKType("K", 4, "III", end_temperature_class="K", end_subtype=5, end_luminosity_class="II"),
        ),
        (
            "G8III/K0IV",
            MKType("G", 8, "III", end_temperature_class="K", end_subtype=0, end_luminosity_class="IV"),
        ),
        ("F5Ib-G1Ib", MKType("F", 5, "Ib", end_temperature_class="G", end_subtype=1)),
        ("M5e-M9e", MKType("M", 5, end_temperature_class="M", end_subtype=9, remarks="e")),
        ("F/G", MKType("F", end_temperature_class="G")),
        ("G8/K0(III)", MKType("G", 8, "III", end_temperature_class="K", end_subtype=0, uncertain=True)),
        ("kA2hA8mF0(III)", MKType("A", 8, "III", uncertain=True, remarks="kA2mF0")),
        ("A1mA5-F2", MKType("A", 1, remarks="mA5-F2")),
        ("ON9.5V", MKType("O", 9.5, "V", remarks="N")),
        ("O7:V:+B1V", MKType("O", 7, "V", uncertain=True, companion="B1V")),
        ("M1Ia+B", MKType("M", 1, "Ia", companion="B")),
        ("B1Ia+", MKType("B", 1, "Ia+")),
        ("A3Ia+...", MKType("A", 3, "Ia+", remarks="...")),
        ("F8 0-Ia", MKType("F", 8, "Ia+")),
        ("G2Ia0e", MKType("G", 2, "Ia+", remarks="e")),
        ("K2IIICN+?", MKType("K", 2, "III", uncertain=True, remarks="CN+?")),
        ("F0V+?", MKType("F", 0, "V", companion="?")),
        ("B9p+", MKType("B", 9, remarks="p", companion="...")),
        ("B3V(e+sh)", MKType("B", 3, "V", remarks="(e+sh)")),
        ("sdB+M5V", MKType("B", prefix="sd", companion="M5V")),
        ("sd:F0", MKType("F", 0, prefix="sd", uncertain=True)),
        ("esdM5", MKType("M", 5, prefix="esd")),
        ("sdO9VII:He40", MKType("O", 9, prefix="sd", remarks="VII:He40")),
        ("gK0", MKType("K", 0, "III", prefix="g")),
        ("07Ia", MKType("O", 7, "Ia")),
        ("g2v", MKType("G", 2, "V")),
        ("dm2.5", MKType("M", 2.5, prefix="d")),
        ("k2 iii", MKType("K", 2, "III")),
        ("g2var", MKType("G", 2, remarks="var")),
        ("G:", MKType("G", uncertain=True)),
        ("M8S", MKType("M", 8, remarks="S")),
        ("Ap SrEuCr", MKType("A", remarks="p SrEuCr")),
        ("G5 IV (SB)", MKType("G", 5, "IV", remarks="(SB)")),
    ],
)
def test_reads(text, star):
    assert mk_type(text) == star


NOT_MK = (
    "DA DA2.9 DZ A0VII WN5h WC8 C-N5 C5,4 CN R3 S5,2 S? SC8 MS L5.5 T6.5 Y0 OB OB- sdOB GB HB AGB Carbon CV GALAXY "
    "QSO STARFORMING Unknown Non VI III 07344 0.5 M31 B57 G10 (F5) EM ? - +"
)


@pytest.mark.parametrize("text", NOT_MK.split())
def test_is_not_a_type(text):
    assert mk_type(text) is None


@pytest.mark.parametrize("text", [None, "", "  ", "M 31"])
def test_is_no_type(text):
    assert mk_type(text) is None


def test_table():
    table = parse_mk(["G8/K0III-IV:", "dM2e + DA", "F5", "DA", None])
    np.testing.assert_array_equal(table["type"], ["G8/K0III-IV:", "dM2e + DA", "F5", "", ""])
    np.testing.assert_array_equal(table["temperature_class"], ["G", "M", "F", "", ""])
    np.testing.assert_array_equal(table["subtype"], [8, 2, 5, np.nan, np.nan])
    np.testing.assert_array_equal(table["luminosity_class"], ["III", "V", "", "", ""])
    np.testing.assert_array_equal(table["code"], [49, 62, 35, np.nan, np.nan])
    np.testing.assert_array_equal(table["luminosity"], [3.5, 5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(table["remarks"], ["", "e", "", "", ""])
    np.testing.assert_array_equal(table["companion"], ["", "DA", "", "", ""])
    flags = {name: table[name].tolist() for name in ("range", "uncertain", "composite", "peculiar")}
    assert flags == {
        "range": [True, False, False, False, False],
        "uncertain": [True, False, False, False, False],
        "composite": [False, True, False, False, False],
        "peculiar": [False, True, False, False, False],
    }


def test_empty_table_has_the_same_columns():
    empty, full = parse_mk([]), parse_mk(["G2V"])
    assert len(empty) == 0
    assert [(c.name, c.dtype.kind) for c in empty.itercols()] == [
        (c.name, c.dtype.kind) for c in full.itercols()
    ]


def test_refuses_what_are_no_strings():
    with pytest.raises(TypeError, match=r"types must be strings such as 'G2V', got 5 \(int\)"):
        mk_type(5)
    with pytest.raises(TypeError, match=r"types must be strings"):
        parse_mk([1.0])
    with pytest.raises(ValueError, match="types must be one-dimensional, got 0 dimensions"):
        parse_mk("G2V")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A7III", "A"),
        ("09.5 Ib", "O"),
        ("G8/K0III", "G"),
        ("G6 IV + M6 V", "G"),
        ("M?", "M"),
        ("GII:wp...", "G"),
        ("F5 (30743)", "F"),
        (" K3 ", "K"),
        ("Mira", ""),
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
