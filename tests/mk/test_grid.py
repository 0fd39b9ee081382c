"""Joint classes against the published ones."""

import json

import numpy as np
import pytest

from skspec.mk import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES, joint_class, mk_coordinates, mk_grid
from tests._data import data_path

INDEX = {"I": 0, "II": 1, "III": 2, "IV": 3, "V": 4, "VI": 5}


def test_published_grid():
    published = np.load(data_path("mk_predictions/mk_test_predictions.npz"))
    np.testing.assert_array_equal(mk_grid(), published["class_names"])
    indices = np.array([mk_coordinates(name, luminosity_scale=1) for name in mk_grid()])
    np.testing.assert_array_equal(indices[:, 0], published["temp_index"])
    np.testing.assert_array_equal(indices[:, 1], published["lum_index"])
    by_luminosity = np.argsort(10 * published["lum_index"] + published["temp_index"])
    np.testing.assert_array_equal(mk_grid(order="luminosity"), published["class_names"][by_luminosity])


def test_full_grid():
    full = mk_grid(full=True)
    assert full.tolist() == [letter + name for letter in TEMPERATURE_CLASSES for name in LUMINOSITY_CLASSES]
    assert sorted(set(full) - set(mk_grid())) == ["GVI", "KVI", "MIV"]
    luminosity_first = mk_grid(order="luminosity", full=True).reshape(6, 7)
    np.testing.assert_array_equal(luminosity_first, full.reshape(7, 6).T)
    with pytest.raises(ValueError, match="order must be one of 'temperature', 'luminosity', got 'T'"):
        mk_grid(order="T")


def test_coordinates():
    for name in mk_grid(full=True):
        letter, luminosity = name[0], name[1:]
        expected = ("OBAFGKM".index(letter), 1.5 * INDEX[luminosity])
        assert mk_coordinates(name) == expected
    assert mk_coordinates("MVI", temperature_scale=0.5, luminosity_scale=2.0) == (3.0, 10.0)
    assert mk_coordinates(mk_grid()[0]) == (0.0, 0.0)
    for wrong in ("G2V", "G", "gv", "GIb", "", 3):
        with pytest.raises(ValueError, match=f"label must be a joint class such as 'GV', got {wrong!r}"):
            mk_coordinates(wrong)


@pytest.mark.parametrize(("target", "distance"), [(0, 10.310651), (19, 2.089497), (38, 12.820266)])
def test_published_distances(target, distance):
    """Published loss of uniform probabilities, with a distance weight of 1."""
    published = json.loads(data_path("mk_predictions/arch_parity.json").read_text())["ordinal_loss"]
    assert published["uniform_logits"][f"target_{target}"][-1] == distance
    coordinates = np.array([mk_coordinates(name) for name in mk_grid()])
    found = np.mean((coordinates.mean(axis=0) - coordinates[target]) ** 2)
    assert found == pytest.approx(distance, abs=1e-6)


def test_classifier_takes_the_coordinates():
    from skspec import Conv1DClassifier

    X, y = np.random.default_rng(0).normal(size=(12, 40)), np.repeat(["GV", "KIII", "MV"], 4)
    options = {"filters": (2,), "kernel_sizes": (3,), "max_epochs": 1, "random_state": 0, "loss": "distance"}
    by_function = Conv1DClassifier(**options, class_coordinates=mk_coordinates).fit(X, y)
    mapping = {"GV": (4.0, 6.0), "KIII": (5.0, 3.0), "MV": (6.0, 6.0)}
    by_mapping = Conv1DClassifier(**options, class_coordinates=mapping).fit(X, y)
    np.testing.assert_array_equal(by_function.predict_proba(X), by_mapping.predict_proba(X))


@pytest.mark.parametrize(
    ("text", "mean", "first"),
    [
        ("G2V", "GV", "GV"),
        ("M2Iab", "MI", "MI"),
        ("B8Ia", "BI", "BI"),
        ("B8Ia-0", "BI", "BI"),
        ("G0Ib-II", "GII", "GI"),  # mean 1.625
        ("B5II-III", "BII", "BII"),  # 2.5, half to even
        ("B5III-IV", "BIV", "BIII"),  # 3.5, half to even
        ("F6IV-V", "FIV", "FIV"),  # 4.5, half to even
        ("F6V-VI", "FVI", "FV"),  # 5.5, half to even
        ("K0IIIb", "KIII", "KIII"),
        ("K0III-IIIb", "KIII", "KIII"),
        ("G8/K0III", "GIII", "GIII"),  # G9
        ("F8/G2V", "GV", "FV"),  # G0
        ("M10III", "MIII", "MIII"),
        ("GV", "GV", "GV"),
        ("dM4", "MV", "MV"),
        ("sdF6", "FVI", "FVI"),
        ("sdM1", "MVI", "MVI"),
        ("G5", "", ""),
        ("DA", "", ""),
    ],
)
def test_joint_class(text, mean, first):
    assert joint_class(text) == mean
    assert joint_class(text, ranges="first") == first


def test_joint_class_of_tables():
    assert joint_class([["G2V", None], ["K0III", "S"]]).tolist() == [["GV", ""], ["KIII", ""]]
    with pytest.raises(ValueError, match="ranges must be one of 'mean', 'first', got 'last'"):
        joint_class(["G2V"], ranges="last")


def test_grid_is_its_own_joint_class():
    np.testing.assert_array_equal(joint_class(mk_grid(full=True)), mk_grid(full=True))


def test_joint_classes_of_miles():
    data = np.load(data_path("miles_v9.1/miles_v9.1.npz"))
    found = joint_class(data["sptype"], ranges="first")
    both = (data["spectral_class"] != "") & (data["lum_class"] != "")
    expected = np.char.add(data["spectral_class"], data["lum_class"])
    np.testing.assert_array_equal(found, np.where(both, expected, ""))
    assert both.sum() == 732
    assert len(set(found) - {""}) == 32
