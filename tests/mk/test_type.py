"""MK types: numbers, spelling, and parsing of what was written."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skspec.mk import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES, MKType, mk_type

SYMBOLS = ["Ia+", *(name + part for name in LUMINOSITY_CLASSES for part in ("", "a", "ab", "b"))]
REMARKS = [
    "e",
    "ne",
    "p(EuCrSr)",
    "var",
    "((f))z",
    "CN1Ca0.5",
    "Fe-1",
    "(HB)",
    "mA5",
    "w...",
    "sp?",
    "(30743)",
]
HARD_REMARKS = ["b", "V", "-III", "5", "/K0", "a?", "K0", "(V)", "? 3", "mA5 V", "II: e"]


PIECES = [*"OBAFGKMIVNCab0123456789:?+-/. ();empnwvsdgch", "III", "Ia+", "Ia-0", "Iab", "CN", *HARD_REMARKS]


@st.composite
def mk_types(draw):
    letters, subtypes = st.sampled_from(TEMPERATURE_CLASSES), st.integers(0, 99).map(lambda n: n / 10)
    parts = {
        "temperature_class": draw(letters),
        "subtype": draw(st.none() | subtypes),
        "luminosity_class": draw(st.none() | st.sampled_from(SYMBOLS)),
        "prefix": draw(st.sampled_from(["", "", "", "sd", "esd", "usd", "d", "g", "c"])),
        "uncertain": draw(st.booleans()),
        "remarks": draw(st.sampled_from(["", *REMARKS])),
        "companion": draw(st.sampled_from(["", "", "...", "?", "M6 V", "DA", "sdB"])),
    }
    if draw(st.booleans()):
        parts |= {"end_temperature_class": draw(letters), "end_subtype": draw(st.none() | subtypes)}
    elif parts["subtype"] is not None and parts["luminosity_class"]:
        parts["shade"] = draw(st.sampled_from(["", "+", "-"]))
    if parts["luminosity_class"]:
        parts["end_luminosity_class"] = draw(st.none() | st.sampled_from(SYMBOLS))
    return MKType(**parts)


@settings(max_examples=300, deadline=None)
@given(mk_types())
def test_is_read_back(star):
    assert mk_type(str(star)) == star


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["", "", "sd", "d", "kA2h"]),
    st.sampled_from("OBAFGKMg0"),
    st.lists(
        st.sampled_from(PIECES),
        max_size=7,
    ),
)
def test_whatever_is_read_is_read_back(prefix, letter, rest):
    star = mk_type(prefix + letter + "".join(rest))
    assert star is None or mk_type(str(star)) == star


@pytest.mark.parametrize(
    ("star", "text", "code", "luminosity"),
    [
        (MKType("G", 2, "V"), "G2V", 42, 5),
        (MKType("B", 0.5, "Ia", remarks="e"), "B0.5Iae", 10.5, 0.75),
        (MKType("M", 10, "III"), "M10III", 70, 3),
        (MKType("M", 10, prefix="g", remarks="..."), "gM10...", 70, 3),
        (MKType("G", 8, "III", end_temperature_class="K", end_subtype=0), "G8/K0III", 49, 3),
        (
            MKType("F", 3, "IV", end_temperature_class="F", end_subtype=5, end_luminosity_class="V"),
            "F3-5IV-V",
            34,
            4.5,
        ),
        (MKType("F", end_temperature_class="G"), "F/G", np.nan, np.nan),
        (MKType("K", 5, "III", shade="+"), "K5+III", 55, 3),
        (MKType("K", 0, "IIIb", remarks="CN1"), "K0IIIbCN1", 50, 3.25),
        (MKType("G", 0, "Ia+"), "G0Ia+", 40, 0.55),
        (MKType("G", 0, "Ia+", remarks="e"), "G0Ia-0e", 40, 0.55),
        (MKType("M", 2, prefix="d"), "dM2", 62, 5),
        (MKType("M", 2, "V", prefix="d"), "dM2", 62, 5),
        (MKType("M", 2, "IV", prefix="d"), "dM2IV", 62, 4),
        (MKType("F", 6, prefix="sd", uncertain=True), "sdF6:", 36, 6),
        (MKType("K", 0, prefix="g"), "gK0", 50, 3),
        (MKType("A", 2, prefix="c"), "cA2", 22, 1),
        (MKType("A", 0, remarks="sp?"), "A0sp?", 20, np.nan),
        (MKType("A", 0, remarks="barium"), "A0; barium", 20, np.nan),
        (MKType("G", 6, "IV", companion="M6 V"), "G6IV + M6 V", 46, 4),
    ],
)
def test_spelling_and_numbers(star, text, code, luminosity):
    assert str(star) == text
    assert mk_type(text) == star
    np.testing.assert_equal((star.code, star.luminosity), (code, luminosity))


@pytest.mark.parametrize(
    ("remarks", "peculiar"),
    [
        ("e", True),
        ("nne", True),
        ("((f))z", True),
        ("pvar", True),
        ("p SrEuCr", True),
        ("CN+", True),
        ("Fe-1.3CH-0.9", True),
        ("mA5-F2", True),
        ("S?", True),
        ("CrEuSr", True),
        ("shell", True),
        ("Hδ1", True),
        ("", False),
        ("...", False),
        ("(HB)", False),
        ("(30743)", False),
        ("(K0)", False),
        ("dwarf", False),
        ("SB", False),
    ],
)
def test_peculiarities(remarks, peculiar):
    assert MKType("A", 5, remarks=remarks).is_peculiar is peculiar


def test_flags():
    star = MKType("A", 0, remarks="sp?")
    assert star.uncertain
    assert not star.is_composite
    assert not star.is_range
    assert MKType("A", companion="...").is_composite
    assert MKType("A", 0, "II", end_luminosity_class="III").is_range
    assert MKType("A", end_temperature_class="F").is_range


def test_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MKType("G").subtype = 3
    assert len({MKType("G", 2, "V"), MKType("G", 2.0, "V")}) == 1


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"temperature_class": "L"}, "temperature_class must be one of 'O', .*, got 'L'"),
        (
            {"temperature_class": "G", "subtype": 10},
            "subtype must be from 0 to below 10, or 10 for M, got 10",
        ),
        ({"temperature_class": "G", "subtype": float("nan")}, "subtype must be from 0"),
        (
            {"temperature_class": "G", "luminosity_class": "VII"},
            "luminosity_class must be .*; did you mean 'VI'",
        ),
        ({"temperature_class": "G", "end_subtype": 5}, "end_subtype must .* and needs end_temperature_class"),
        (
            {"temperature_class": "G", "end_luminosity_class": "V"},
            "end_luminosity_class needs luminosity_class",
        ),
        ({"temperature_class": "G", "subtype": 2, "shade": "+"}, "shade needs a subtype"),
        ({"temperature_class": "G", "prefix": "x"}, "prefix must be one of"),
    ],
)
def test_refuses_what_is_not_mk(parts, message):
    with pytest.raises(ValueError, match=message):
        MKType(**parts)
