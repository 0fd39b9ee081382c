"""Spectral codes and regression targets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skspec.mk import (
    TEMPERATURE_CLASSES,
    joint_from_targets,
    joint_targets,
    mk_grid,
    spectral_code,
    type_from_code,
)

NAMES = ["I", "II", "III", "IV", "V", "VI"]


def test_codes():
    types = ["O5", "A0V", "G2V", "M9", "B0.5III", "G8/K0", "A4-7IV", "dM2.5", "G", "DA", "M10III"]
    codes = [5, 20, 42, 69, 10.5, 49, 25.5, 62.5, np.nan, np.nan, 70]
    np.testing.assert_array_equal(spectral_code(types), codes)
    assert spectral_code("O5").shape == ()
    assert spectral_code([["O5", None]]).shape == (1, 2)
    assert spectral_code([]).dtype == np.float64


def test_every_code_has_a_type_and_back():
    codes = np.arange(0, 700).reshape(70, 10) / 10
    types = type_from_code(codes)
    assert types.shape == codes.shape
    np.testing.assert_array_equal(types[::10, 0], [f"{letter}0" for letter in TEMPERATURE_CLASSES])
    np.testing.assert_allclose(spectral_code(types), codes, rtol=0, atol=1e-12)


def test_type_from_code():
    found = type_from_code([5, 39.97, 69.96, 70, 42.34, np.nan])
    assert found.tolist() == ["O5", "G0", "M10", "M10", "G2.3", ""]
    assert type_from_code(42.346, decimals=2) == "G2.35"
    assert type_from_code([42.6], decimals=0).tolist() == ["G3"]
    assert type_from_code([]).dtype.kind == "U"
    for wrong in (-1, 70.5, np.inf):
        with pytest.raises(ValueError, match=rf"codes must be from 0 \(O0\) to 70 \(M10\), got {wrong:g}"):
            type_from_code([5, wrong])


def test_targets():
    found = joint_targets(["G2V", "G8/K0III-IV", "M2Ia", "B5IIIb", "G0Ia+", "sdF6", "dM2", "GV", "F5", "DA"])
    nan = np.nan
    expected = [
        [4.2, 5],
        [4.9, 3.5],
        [6.2, 0.75],
        [1.5, 3.25],
        [4.0, 0.55],
        [3.6, 6],
        [6.2, 5],
        [nan, 5],
        [3.5, nan],
        [nan, nan],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    with pytest.raises(ValueError, match="types must be one-dimensional, got 2"):
        joint_targets([["G2V"]])


def published_rule(temperature, luminosity):
    """The published conversion as described, spectrum by spectrum."""
    temperature, luminosity = min(temperature, 6), min(luminosity, 6)
    letter = max(int(np.floor(temperature)), 0)
    if letter in (4, 5) and luminosity > 5:
        luminosity = 5
    if letter == 6 and 3.5 <= luminosity < 4:
        luminosity = 3
    elif letter == 6 and 4 <= luminosity < 5:
        luminosity = 5
    return "OBAFGKM"[letter] + NAMES[max(round(luminosity), 1) - 1]  # round() is half to even


def test_published_rounding_and_clamps():
    targets = np.array([(t, lum) for t in np.arange(-1, 8, 0.125) for lum in np.arange(-1, 8, 0.125)])
    found = joint_from_targets(targets)
    np.testing.assert_array_equal(found, [published_rule(*row) for row in targets.tolist()])
    assert set(found) == set(mk_grid())


@pytest.mark.parametrize(
    ("temperature", "luminosity", "name", "full_name"),
    [
        (4.99, 5.9, "GV", "GVI"),
        (5.0, 6.0, "KV", "KVI"),
        (6.3, 3.49, "MIII", "MIII"),
        (6.3, 3.5, "MIII", "MIV"),
        (6.3, 3.99, "MIII", "MIV"),
        (6.3, 4.0, "MV", "MIV"),
        (6.3, 5.6, "MVI", "MVI"),
        (1.0, 2.5, "BII", "BII"),
        (1.0, 3.5, "BIV", "BIV"),
        (9.0, 9.0, "MVI", "MVI"),
        (-3.0, -2.0, "OI", "OI"),
        (np.inf, -np.inf, "MI", "MI"),
    ],
)
def test_from_targets(temperature, luminosity, name, full_name):
    assert joint_from_targets([[temperature, luminosity]]).tolist() == [name]
    assert joint_from_targets([[temperature, luminosity]], full=True).tolist() == [full_name]


def test_unknown_targets_have_no_class():
    assert joint_from_targets([[np.nan, 5], [4.2, np.nan], [4.2, 5]]).tolist() == ["", "", "GV"]
    assert joint_from_targets(np.empty((0, 2))).shape == (0,)
    with pytest.raises(ValueError, match=r"targets must have shape \(n, 2\), .*, got \(2,\)"):
        joint_from_targets([4.2, 5])


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(mk_grid(full=True).tolist()), st.integers(0, 99))
def test_targets_of_a_type_give_its_class(name, tenths):
    text = f"{name[0]}{tenths / 10:g}{name[1:]}"
    assert joint_from_targets(joint_targets([text]), full=True).tolist() == [name]
