"""All types of MILES, Pickles, SDSS, LAMOST and MKCLASS, against the classes in these catalogues."""

import numpy as np
import pytest

from skspec.mk import mk_type, parse_mk, temperature_class
from tests._data import data_path

SURE = {"O", "B", "A", "F", "G", "K", "M"}


def coarse(table):
    """Luminosity classes without subdivisions."""
    return [name.rstrip("ab+") for name in table["luminosity_class"]]


def check(types, letters, luminosities, *, subtypes=None, table_subtypes="subtype"):
    table = parse_mk(types)
    np.testing.assert_array_equal(table["temperature_class"], letters)
    np.testing.assert_array_equal(coarse(table), luminosities)
    if subtypes is not None:
        found = table["subtype"] if table_subtypes == "subtype" else table["code"] % 10
        np.testing.assert_allclose(found, subtypes, rtol=1e-6)
    for text in set(types.tolist()):
        star = mk_type(text)
        assert star is None or mk_type(str(star)) == star
    return table


def test_miles():
    data = np.load(data_path("miles_v9.1/miles_v9.1.npz"))
    table = check(data["sptype"], data["spectral_class"], data["lum_class"], subtypes=data["subtype"])
    assert (table["temperature_class"] != "").sum() == 984 - 75
    not_mk = set(data["sptype"][table["temperature_class"] == ""].tolist())
    assert not_mk == {"", "GB", "HB", "AGB", "S?", "R...", "III"}


def test_what_follows_the_type_in_miles():
    types = np.load(data_path("miles_v9.1/miles_v9.1.npz"))["sptype"]
    table = parse_mk(types)
    of = dict(zip(types.tolist(), table, strict=True))
    assert {text for text, row in of.items() if row["composite"]} == {
        "B9p+...",
        "F0V+?",
        "F6V+?",
        "F7 V+?",
        "G0III+...",
        "G5IV+...",
        "G6 IV + M6 V",
        "G8/K0w+...",
        "K2II+...",
        "K3Ib-II+?",
    }
    assert {text for text, row in of.items() if row["uncertain"]} == {
        text for text in of if row_is_marked(text) and mk_type(text)
    }
    assert {row["remarks"] for row in of.values() if row["remarks"] and not row["peculiar"]} == {
        "...",
        "(HB)",
        "sb",
    }


def row_is_marked(text):
    return ":" in text or text.removesuffix("+?").endswith("?") or text == "K2IIICN+?"


@pytest.mark.parametrize("prefix", ["", "comp_"])
def test_pickles(prefix):
    # The catalogue has the mean subtype of a range, 5.5 for A4-7, like `code`; `subtype` is the first of the range.
    data = np.load(data_path("pickles_uvilib/pickles_uvilib.npz"))
    table = check(
        data[f"{prefix}sptype"],
        data[f"{prefix}spectral_class"],
        data[f"{prefix}lum_class"],
        subtypes=data[f"{prefix}subtype"],
        table_subtypes="code",
    )
    assert set(table["temperature_class"]) == SURE


def test_sdss_templates():
    data = np.load(data_path("sdss_boss_star_templates/spEigenStar-55734.npz"))
    table = check(data["name"], data["spectral_class"], data["lum_class"], subtypes=data["subtype"])
    special = {"CalciumWD", "Carbon", "Ldwarf", "WDcooler", "WDhotter", "WDmagnetic"}
    assert set(data["name"][table["temperature_class"] == ""].tolist()) == special


def test_sdss_classes():
    fits = pytest.importorskip("astropy.io.fits")
    header = fits.getheader(data_path("sdss_boss_star_templates/spEigenStar-53724.fits"))
    names = [header[card] for card in header if card.startswith("NAME")]
    found = dict(zip(names, temperature_class(names).tolist(), strict=True))
    not_mk = {"Carbon", "Carbon_lines", "CarbonWD", "WD", "WDmagnetic", "OB"}
    not_mk |= {"L0", "L1", "L2", "L3", "L4", "L5", "L5.5", "L9", "T2"}
    assert {name for name, letter in found.items() if not letter} == not_mk
    assert all(letter == name[0] for name, letter in found.items() if letter)


def test_lamost():
    data = np.load(data_path("lamost_lrs/lamost_lrs.npz"))
    table = check(data["subclass"], data["spectral_class"], data["lum_class"])
    assert {c: int((table["temperature_class"] == c).sum()) for c in "OBAFGKM"} == {
        "O": 0,
        "B": 2,
        "A": 55,
        "F": 60,
        "G": 65,
        "K": 72,
        "M": 32,
    }


@pytest.mark.parametrize("library", ["libnor36", "libr36", "libr18"])
def test_mkclass(library):
    # Three differences of notation: hypergiants are "0" there and Ia+ here; ranges are one class there; and some
    # stars without a temperature, and therefore without a type, have a luminosity class there.
    data = np.load(data_path("mkclass_standards/mkclass_standards.npz"))
    types, luminosities = data[f"{library}_sptype"], data[f"{library}_lum_class"]
    table = parse_mk(types)
    np.testing.assert_array_equal(table["temperature_class"], data[f"{library}_spectral_class"])
    for row, text, name in zip(table, types, luminosities, strict=True):
        if not text:
            expected = ""
        elif name == "0":
            expected = "Ia+"
            assert row["luminosity"] == 0.55
        else:
            expected = name.split("-")[0]
            assert row["range"] == ("-" in name)
        assert row["luminosity_class"] == expected


def test_cool_stars():
    # L and T are not MK classes. Labels are file names; types are composed from the columns.
    data = np.load(data_path("cool_star_standards/cool_star_standards.npz"))
    known = np.isfinite(data["subtype"])
    types = np.array(
        [
            f"{d}{c}{s:g}"
            for d, c, s in zip(data["subdwarf_class"], data["spectral_class"], data["subtype"], strict=True)
        ]
    )[known]
    table, letters = parse_mk(types), data["spectral_class"][known]
    mk = np.isin(letters, list(SURE))
    np.testing.assert_array_equal(table["temperature_class"], np.where(mk, letters, ""))
    np.testing.assert_allclose(table["subtype"][mk], data["subtype"][known][mk], rtol=1e-6)
    subdwarf = data["subdwarf_class"][known][mk] != ""
    assert set(table["luminosity_class"][mk][subdwarf]) == {"VI"}
