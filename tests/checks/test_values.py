"""Missing values of all kinds in labels, groups and weights."""

import numpy as np
import pytest
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked

from skspec.checks import check_groups, check_label_pair, check_labels, check_weight, find_missing


def half_missing():
    """Columns of four values of which the second and the fourth are missing."""
    lost = [False, True, False, True]
    yield [1.0, np.nan, 2.0, np.nan]
    yield ["a", None, "b", None]
    yield ["a", np.nan, "b", float("nan")]
    yield ["a", np.ma.masked, "b", np.ma.masked]
    yield (1, None, 2, None)
    yield np.array(["2020-01-01", "NaT", "2021-01-01", "NaT"], dtype="datetime64[D]")
    yield np.ma.array(["a", "b", "c", "d"], mask=lost)
    yield np.ma.array([1.0, np.nan, 3.0, 4.0], mask=[False, False, False, True])
    yield MaskedColumn([1, 2, 3, 4], mask=lost)
    yield Masked(np.arange(4.0), mask=lost)
    pandas = pytest.importorskip("pandas")
    for dtype in ("object", "str", "string", "category"):
        yield pandas.Series(["a", None, "b", None], dtype=dtype)
    yield pandas.Series([1, None, 2, None], dtype="Int64")
    yield pandas.Series([1, None, 2, None])


def test_what_is_missing_is_found_and_refused():
    for column in half_missing():
        assert find_missing(column).tolist() == [False, True, False, True], column
        with pytest.raises(ValueError, match="y_true has 2 masked or missing labels; leave out"):
            check_labels("y_true", column)
        with pytest.raises(ValueError, match="groups has 2 missing values; .* a group of its own"):
            check_groups(column, 4)


def test_a_weight_that_is_masked_is_missing():
    for weight in (np.ma.array([1.0, 2.0], mask=[False, True]), [1.0, None], [1.0, np.nan]):
        with pytest.raises(ValueError, match=r"sample_weight contains NaN or masked values \(1\)"):
            check_weight(weight, 2)


@pytest.mark.parametrize(
    "groups", [["a", "", "b", " "], ["nan", "a", "NaN", "b"], [b"", b"x", b"y", b"None"]]
)
def test_words_for_missing_groups(groups):
    with pytest.raises(ValueError, match="groups has 2 missing values"):
        check_groups(groups, 4)


def test_groups_of_any_other_kind():
    for groups in ([3, 1, 3, 1], np.array(["x", "y", "x", "y"], dtype=object), [True, False, True, False]):
        np.testing.assert_array_equal(check_groups(groups, 4), groups)
    with pytest.raises(ValueError, match="groups mixes strings, such as 'a', and int, such as 1"):
        check_groups(["a", 1, "b", 2], 4)


def test_labels_of_any_other_kind():
    for labels in ([3, 1], ["", "A"], [True, False], [1.0, 2.0], np.array(["A", "B"], dtype=object)):
        assert check_labels("y", labels).tolist() == list(labels)
    assert check_labels("y", [["A"], ["B"]]).tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "y must have at least one label, got none"),
        ("AB", r"y must be one-dimensional, .* got shape \(\)"),
        ([["A", "B"], ["A", "B"]], r"got shape \(2, 2\)"),
        ([b"A", b"B"], "y has labels that are bytes, .* decode them"),
        (["A", 1], "y mixes strings, such as 'A', and int, such as 1"),
        ([np.inf, 1.0], "y has infinite labels"),
    ],
)
def test_labels_that_cannot_be(labels, message):
    with pytest.raises(ValueError, match=message):
        check_labels("y", labels)


def test_a_pair_of_labels():
    with pytest.raises(ValueError, match="a and b have inconsistent numbers of samples, 2 and 1"):
        check_label_pair(("a", "b"), ["A", "B"], ["A"])
    with pytest.raises(ValueError, match="a has strings, such as A, and b has numbers, such as 1"):
        check_label_pair(("a", "b"), ["A", "B"], [1, 2])
    with pytest.raises(ValueError, match="b has 1 masked or missing labels"):
        check_label_pair(("a", "b"), ["A", "B"], ["A", None])
