"""Labels, groups, wavelength grids and folds."""

from typing import ClassVar

import numpy as np
import pytest
from astropy.table import MaskedColumn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, f1_score

from skspec import Spectra, read_spectra
from skspec.model_selection import (
    choose_grid,
    compare_models,
    group_spectra,
    prepare_spectra,
    select_labels,
)
from tests._data import data_path

WAVE = np.linspace(4000.0, 7000.0, 50)


def spectra_of(n, **columns):
    return Spectra(np.ones((n, 50)), wave=WAVE, meta={"row": np.arange(n)} | columns)


# Labels --------------------------------------------------------------------------------------------------


def test_labels_are_cleaned_and_counted():
    labels, keep, dropped = select_labels(
        ["A7III", "dM2", "", "Non", "Non", "B2", "gM0 ", "F", "A0", "DA"],
        reduce_labels="mk-class",
        classes=["A", "M", "F"],
        min_class_size=2,
    )
    assert labels[keep].tolist() == ["A", "M", "M", "A"]
    assert dict(dropped) == {
        "no label": 1,
        "no label: Non": 2,
        "not an MK class: DA": 1,
        "not among the requested classes": 1,
        "class F has fewer than 2 spectra": 1,
    }


@pytest.mark.parametrize(
    ("column", "kept", "kind"),
    [
        (MaskedColumn(["a", "b", "c"], mask=[0, 1, 0]), ["a", "c"], "U"),
        (MaskedColumn([3, 4, 5], mask=[0, 1, 0]), [3, 5], "i"),
        (np.array([b"x", b"", b"y"]), ["x", "y"], "U"),
        (np.array(["x", None, "y"], dtype=object), ["x", "y"], "U"),
        (np.array([1.0, np.nan, 2.0]), [1, 2], "i"),
        (np.array([True, False, True]), [True, False, True], "b"),
        (np.array(["A", np.nan, "B", None], dtype=object), ["A", "B"], "U"),
        (["x", "NaN", "nan", "Nancy"], ["x", "Nancy"], "U"),
    ],
)
def test_labels_of_any_column(column, kept, kind):
    labels, keep, dropped = select_labels(column)
    assert labels[keep].tolist() == kept
    assert labels.dtype.kind == kind
    assert sum(dropped.values()) == len(column) - len(kept)


def test_words_for_nothing_are_no_labels():
    column = [
        "A",
        "None",
        "Non",
        "N/A",
        "null",
        "--",
        "-",
        "unknown",
        "UNKNOWN",
        "nan",
        "Nancy",
        None,
        np.nan,
    ]
    labels, keep, dropped = select_labels(column)
    assert labels[keep].tolist() == ["A", "Nancy"]
    words = ["Non", "N/A", "null", "--", "-", "unknown", "UNKNOWN"]
    assert dropped == {"no label": 4} | {f"no label: {word}": 1 for word in words}
    labels, keep, dropped = select_labels(
        column, classes=["A", "unknown"]
    )  # asked for: a class like any other
    assert labels[keep].tolist() == ["A", "unknown"]


def test_labels_of_pandas():
    pandas = pytest.importorskip("pandas")
    for dtype in ("object", "str", "string", "category"):
        labels, keep, dropped = select_labels(pandas.Series(["A", None, "B"], dtype=dtype))
        assert labels[keep].tolist() == ["A", "B"]
        assert dropped == {"no label": 1}
    labels, keep, _ = select_labels(pandas.Series([1, None, 2], dtype="Int64"))
    assert labels[keep].tolist() == [1, 2]


def test_labels_that_cannot_be():
    with pytest.raises(ValueError, match="continuous, not classes"):
        select_labels([0.1, 0.2])
    with pytest.raises(ValueError, match="no spectrum has the class 'Q' of classes=A,Q"):
        select_labels(["A", "B"], classes=["A", "Q"])


# Groups --------------------------------------------------------------------------------------------------


def test_groups_by_position():
    ra, dec = np.array([10.0, 20.0, 10.0003, np.nan, 30.0]), np.array([0.0, 1.0, 0.0, 0.0, 2.0])
    groups, said = group_spectra(spectra_of(5, ra=ra, dec=dec), "sky")
    assert groups[0] == groups[2]
    assert len(set(groups)) == 4
    assert "5 spectra of 4 objects; 2 (40%) share their object with another" in said
    assert "1 without position are grouped by object name, or are their own groups" in said


def test_groups_by_name_without_positions():
    nan = np.nan
    spectra = spectra_of(
        6, ra=[1.0, 1.0, nan, nan, nan, nan], dec=[2.0] * 6, object=["a", "b", "c", "c", "", ""]
    )
    groups, said = group_spectra(spectra, "sky")
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups)) == 4
    assert "6 spectra of 4 objects; 4 (67%)" in said
    groups, said = group_spectra(spectra_of(3, object=["x", "y", "x"]), "sky")
    assert groups.tolist() == [0, 1, 0]
    assert said.startswith("Grouped by object name: 3 spectra of 2 objects")


def test_groups_without_position_are_said():
    groups, said = group_spectra(spectra_of(3), "sky")
    assert groups.tolist() == [0, 1, 2]
    assert "neither positions (ra, dec) nor object names, so every spectrum is its own group" in said
    nowhere = MaskedColumn([1.0, 2.0, 3.0], mask=True)
    assert "neither positions" in group_spectra(spectra_of(3, ra=nowhere, dec=nowhere), "sky")[1]


def test_objects_without_a_name_are_not_one_object():
    for name in ("", "unknown", "N/A", "None", "--"):
        groups, said = group_spectra(spectra_of(4, object=["x", name, name, "x"]), "sky")
        assert groups[0] == groups[3]
        assert len(set(groups)) == 3
        groups, said = group_spectra(spectra_of(4, plate=["x", name, name, "x"]), "plate")
        assert len(set(groups)) == 3
        assert "2 without a value are their own groups" in said


def test_cross_validation_refuses_missing_groups():
    with pytest.raises(ValueError, match="groups has 2 missing values"):
        compare_models({}, spectra_of(4), np.array(["a", "b"] * 2), np.array([1.0, 2.0, np.nan, np.nan]))


def test_groups_by_column_or_none():
    spectra = spectra_of(4, plate=["p", "q", "p", "r"])
    groups, said = group_spectra(spectra, "plate")
    assert groups.tolist() == [0, 1, 0, 2]
    assert said.startswith("Grouped by the column plate: 4 spectra of 3 objects; 2 (50%)")
    assert group_spectra(spectra, "none")[0].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"groups must be one of .*did you mean 'plate'"):
        group_spectra(spectra, "plat")


@pytest.mark.parametrize(
    "plate",
    [
        MaskedColumn(["p", "q", "p", "r", "r"], mask=[0, 0, 0, 1, 1]),
        MaskedColumn([1, 2, 1, 3, 3], mask=[0, 0, 0, 1, 1]),
        ["p", "q", "p", "", " "],
        [0.5, 1.5, 0.5, np.nan, np.nan],
        np.array(["p", "q", "p", None, np.nan], dtype=object),
    ],
)
def test_groups_without_a_value_are_alone(plate):
    groups, said = group_spectra(spectra_of(5, plate=plate), "plate")
    assert groups[0] == groups[2]
    assert len(set(groups)) == 4
    assert "5 spectra of 4 objects; 2 (40%)" in said
    assert said.endswith(" 2 without a value are their own groups.")


# Grid ----------------------------------------------------------------------------------------------------


def test_grid_is_covered_by_four_in_five_spectra():
    starts, ends = np.linspace(3600, 4600, 11), np.linspace(8000, 9000, 11)
    waves = [np.arange(a, b, 2.0) for a, b in zip(starts, ends, strict=True)]
    spectra = Spectra([np.ones(len(w)) for w in waves], wave=waves)
    grid = choose_grid(spectra)
    assert grid["loglam_min"] == pytest.approx(np.log10(4400.0), abs=1e-3)
    assert grid["loglam_max"] == pytest.approx(np.log10(8200.0), abs=1e-3)
    span = grid["loglam_max"] - grid["loglam_min"]
    assert grid["n_bins"] == round(span / min(1e-3, span / 400)) == 400
    inside = [w[0] <= 10 ** grid["loglam_min"] and w[-1] >= 10 ** grid["loglam_max"] for w in waves]
    assert sum(inside) >= 6


def test_grid_ignores_missing_ends_and_is_not_finer_than_pixels():
    wave = np.linspace(5000.0, 6000.0, 101)
    flux = np.ones((3, 101))
    flux[:, :20] = np.nan
    grid = choose_grid(Spectra(flux, wave=wave))
    assert grid["loglam_min"] == pytest.approx(np.log10(5200.0), abs=1e-3)
    assert grid["n_bins"] == pytest.approx(80, abs=3)


def test_grid_without_common_range():
    waves = [np.linspace(4000, 5000, 50), np.linspace(6000, 7000, 50)]
    with pytest.raises(ValueError, match="no common wavelength range; give loglam_min and loglam_max"):
        choose_grid(Spectra([np.ones(50)] * 2, wave=waves))
    with pytest.raises(ValueError, match="no spectrum has valid pixels"):
        choose_grid(Spectra(np.full((2, 50), np.nan), wave=WAVE))


# Training set --------------------------------------------------------------------------------------------


def test_prepare_drops_with_reasons():
    waves = [WAVE] * 11 + [WAVE / 3]
    meta = {
        "kind": ["a", "b"] * 5 + ["", "a"],
        "z": MaskedColumn([0.0] * 12, mask=[True] + [False] * 11),
    }
    spectra = Spectra([np.ones(50)] * 12, wave=waves, meta=meta)
    data = prepare_spectra(spectra, labels="kind", rest_frame=True, min_class_size=2)
    assert dict(data.dropped) == {
        "no label": 1,
        "no redshift for the rest frame": 1,
        "no overlap with the wavelength grid": 1,
    }
    assert data.labels.tolist() == ["b", "a"] * 4 + ["b"]
    assert len(data.spectra) == len(data.groups) == 9


def test_prepare_wants_two_classes():
    with pytest.raises(
        ValueError, match=r"two classes are needed, only 'a' is left after dropping: no label \(1\)"
    ):
        prepare_spectra(spectra_of(3, kind=["a", "a", ""]), labels="kind", min_class_size=1)
    with pytest.raises(ValueError, match="two classes are needed, none is left"):
        prepare_spectra(spectra_of(2, kind=["", ""]), labels="kind")
    with pytest.raises(
        ValueError, match="labels must be one of 'row', 'kind', got 'kin'; did you mean 'kind'"
    ):
        prepare_spectra(spectra_of(2, kind=["a", "b"]), labels="kin")
    with pytest.raises(ValueError, match="have no column z"):
        prepare_spectra(spectra_of(2, kind=["a", "b"]), labels="kind", rest_frame=True)


def test_lamost_labels_and_grid():
    spectra = read_spectra(data_path("lamost_lrs/fits"))
    data = prepare_spectra(spectra, labels="subclass", reduce_labels="mk-class")
    assert dict(zip(*np.unique(data.labels, return_counts=True), strict=True)) == {
        "A": 55, "F": 60, "G": 65, "K": 72, "M": 32,
    }  # fmt: skip
    assert data.dropped == {"no label: Non": 13, "class B has fewer than 5 spectra": 2}
    assert len(np.unique(data.groups)) == 284
    assert 3700 < 10 ** data.grid["loglam_min"] < 4000
    assert 9000 < 10 ** data.grid["loglam_max"] < 9100


# Cross-validation ----------------------------------------------------------------------------------------


class Witness(ClassifierMixin, BaseEstimator):
    """Predict the first training label, and record the rows."""

    seen: ClassVar[list] = []

    def fit(self, X, y):
        self.classes_, self.rows_ = np.unique(y), X.meta["row"].tolist()
        self.first_ = y[0]
        return self

    def predict(self, X):
        self.seen.append((self.rows_, X.meta["row"].tolist()))
        return np.full(len(X), self.first_)


def test_cross_validation_keeps_groups_together_and_scores_right():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 15, 60)
    labels = np.array(["a", "b"])[groups % 2]
    ticks = []
    Witness.seen.clear()
    results = compare_models(
        {"one": Witness(), "two": Witness()},
        spectra_of(60),
        labels,
        groups,
        folds=3,
        on_fit=lambda: ticks.append(1),
    )
    assert len(ticks) == len(Witness.seen) == 6
    tested = []
    for (train, test), (train2, test2) in zip(Witness.seen[::2], Witness.seen[1::2], strict=True):
        assert not set(groups[train]) & set(groups[test])
        assert (train, test) == (train2, test2)
        tested += test
    assert sorted(tested) == list(range(60))
    one = results["one"]
    assert one.accuracy == accuracy_score(labels, one.predicted)
    assert one.macro_f1 == f1_score(labels, one.predicted, average="macro", zero_division=0)
    sizes = [len(test) for _, test in Witness.seen[::2]]
    assert np.average(one.fold_accuracy, weights=sizes) == pytest.approx(one.accuracy)


def test_cross_validation_needs_objects_of_each_class():
    with pytest.raises(ValueError, match="class b has 1 objects, fewer than the 3 folds"):
        compare_models(
            {}, spectra_of(8), np.array(list("aaaabbbb")), np.array([0, 1, 2, 3, 4, 4, 4, 4]), folds=3
        )
