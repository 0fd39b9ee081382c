"""Displays of joint classes on a grid: the plotted numbers are the counts."""

from collections import Counter
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression

from skspec.mk import mk_coordinates, mk_grid
from skspec.plotting import ClassDistributionDisplay, ErrorMagnitudeDisplay, JointConfusionMatrixDisplay
from tests.plotting._published import numbers, published, simulated

ROMAN = ["I", "II", "III", "IV", "V", "VI"]


def brute_confusion(true, predicted, order):
    count = Counter(zip(true.tolist(), predicted.tolist(), strict=True))
    return [[count[row, column] for column in order] for row in order]


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def frames(ax):
    """Corners (low, high) of the frames on the diagonal."""
    return [(line.get_xdata()[0], line.get_xdata()[1]) for line in ax.lines if len(line.get_xdata()) == 5]


@pytest.mark.parametrize("major", [0, 1])
def test_published_confusion_matrix(major):
    names, coordinates, true, predicted, _ = published()
    display = JointConfusionMatrixDisplay.from_predictions(
        true, predicted, coordinates=coordinates, major=major
    )
    order = mk_grid(order=("temperature", "luminosity")[major]).tolist()
    assert display.display_labels == order
    assert order == sorted(names, key=lambda name: coordinates[name][:: 1 - 2 * major])
    expected = brute_confusion(true, predicted, order)
    assert np.trace(expected) == 984
    assert display.confusion_matrix.tolist() == expected
    drawn = display.image_.get_array()
    assert drawn.filled(0).tolist() == expected
    assert (drawn.mask == (np.array(expected) == 0)).all()  # zeros are blank
    assert numbers(display.text_) == expected
    assert tick_labels(display.ax_.xaxis) == tick_labels(display.ax_.yaxis) == order
    sizes = (6, 6, 6, 6, 5, 5, 5) if major == 0 else (7, 7, 7, 6, 7, 5)
    edges = np.cumsum((0, *sizes)) - 0.5
    assert frames(display.ax_) == list(pairwise(edges))
    display.figure_.canvas.draw()


def test_classes_without_coordinates_are_sorted_and_have_no_blocks():
    true, predicted, _ = simulated()
    display = JointConfusionMatrixDisplay.from_predictions(true, predicted, colorbar=False)
    assert display.display_labels == list("ABCD")
    assert display.confusion_matrix.tolist() == brute_confusion(true, predicted, "ABCD")
    assert display.blocks is None
    assert not frames(display.ax_)


def test_order_and_blocks_are_followed():
    true, predicted = ["GV", "KV", "GIII"], ["GV", "GV", "KIII"]
    order = ("GIII", "GV", "KIII", "KV")
    display = JointConfusionMatrixDisplay.from_predictions(
        true, predicted, order=order, blocks=lambda t: t[0]
    )
    assert display.confusion_matrix.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert display.blocks == ["G", "G", "K", "K"]
    assert frames(display.ax_) == [(-0.5, 1.5), (1.5, 3.5)]
    named = JointConfusionMatrixDisplay.from_predictions(
        true, predicted, order=order, blocks=dict(zip(order, "GGKK", strict=True))
    )
    assert named.blocks == display.blocks


def test_known_classes_are_shown_though_no_spectrum_is_of_them():
    plain = JointConfusionMatrixDisplay.from_predictions(list("GGK"), list("GKK"), order="OBAFGKM")
    assert plain.display_labels == list("OBAFGKM")
    assert plain.confusion_matrix.sum() == 3
    joint = JointConfusionMatrixDisplay.from_predictions(
        ["GV"], ["GV"], order=mk_grid(), coordinates=mk_coordinates
    )
    assert joint.display_labels == mk_grid().tolist()
    assert len(frames(joint.ax_)) == 7


@pytest.mark.parametrize(("normalize", "axis"), [("true", 1), ("pred", 0), ("all", None)])
def test_percent(normalize, axis):
    true, predicted, _ = simulated()
    display = JointConfusionMatrixDisplay.from_predictions(true, predicted, normalize=normalize)
    counts = np.array(brute_confusion(true, predicted, "ABCD"))
    percent = 100.0 * counts / counts.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(display.image_.get_array().filled(0), percent, rtol=1e-12)
    assert display.text_[1, 1].get_text() == f"{percent[1, 1]:.0f}"


def test_less_than_half_a_percent_is_not_written_as_zero():
    true, predicted = ["A"] * 300 + ["B"], ["A"] * 299 + ["B", "B"]
    display = JointConfusionMatrixDisplay.from_predictions(true, predicted, normalize="true")
    assert display.text_[0, 1].get_text() == "<1"


def test_weights_count():
    display = JointConfusionMatrixDisplay.from_predictions(list("AB"), list("AA"), sample_weight=[2.0, 0.5])
    assert display.confusion_matrix.tolist() == [[2.0, 0.0], [0.5, 0.0]]
    assert display.text_[1, 0].get_text() == "0.5"


def test_small_axes_show_fewer_labels_and_no_numbers():
    names, coordinates, true, predicted, _ = published()
    _, axes = plt.subplots(2, 3, figsize=(9, 6), layout="constrained")
    display = JointConfusionMatrixDisplay.from_predictions(
        true, predicted, coordinates=coordinates, ax=axes[1, 2]
    )
    assert display.ax_ is axes[1, 2]
    assert display.text_ is None
    shown = tick_labels(display.ax_.xaxis)
    assert shown == names[:: -(-len(names) // len(shown))]
    assert min(text.get_fontsize() for text in display.ax_.get_xticklabels()) >= 5.0
    forced = display.plot(axes[0, 0], include_values=True)
    assert forced.text_ is not None
    display.figure_.canvas.draw()


def test_numbers_stand_out_from_their_cells():
    display = JointConfusionMatrixDisplay.from_predictions(["A"] * 99 + ["B"], ["A"] * 99 + ["A"])
    assert display.text_[0, 0].get_color() == "white"
    assert display.text_[1, 0].get_color() == "black"


def test_published_errors():
    _, coordinates, true, predicted, _ = published()
    display = ErrorMagnitudeDisplay.from_predictions(true, predicted)
    errors = Counter(
        (coordinates[t][0] - coordinates[p][0], coordinates[t][1] - coordinates[p][1])
        for t, p in zip(true.tolist(), predicted.tolist(), strict=True)
    )
    column, row = display.first
    assert errors[0, 0] == display.counts[-row, -column] == 984
    drawn = {
        (column + j, row + i): value for (i, j), value in np.ndenumerate(numbers(display.text_)) if value
    }
    assert drawn == errors
    for (i, j), text in np.ndenumerate(display.text_):
        if text is not None:
            assert text.get_position() == (column + j, row + i)
    left, right, bottom, top = display.image_.get_extent()
    assert (left, bottom) == (column - 0.5, row - 0.5)
    assert (right - left, top - bottom) == display.counts.shape[::-1]
    assert display.ax_.get_ylim()[0] < display.ax_.get_ylim()[1]
    given = ErrorMagnitudeDisplay.from_predictions(true, predicted, coordinates=coordinates)
    np.testing.assert_array_equal(given.counts, display.counts)
    display.figure_.canvas.draw()


def test_far_errors_are_counted_too():
    # subtypes: tenths of a class
    display = ErrorMagnitudeDisplay.from_predictions([0, 50], [69, 50], coordinates=lambda k: (k, 0))
    assert display.counts.shape == (1, 70)
    assert display.counts[0, 0] == display.counts[0, 69] == 1
    assert tick_labels(display.ax_.xaxis)[-2:] == ["−5", "0"]
    display.figure_.canvas.draw()


def test_errors_without_any_are_one_cell():
    display = ErrorMagnitudeDisplay.from_predictions(["GV"], ["GV"])
    assert display.counts.tolist() == [[1]]
    assert display.first == (0, 0)


def test_published_distribution():
    _, coordinates, true, _, _ = published()
    display = ClassDistributionDisplay.from_labels(true)
    count = Counter(true.tolist())
    expected = [[count[letter + luminosity] for letter in "OBAFGKM"] for luminosity in ROMAN]
    assert numbers(display.text_) == display.counts.tolist() == expected
    assert tick_labels(display.ax_.xaxis) == list("OBAFGKM")
    assert tick_labels(display.ax_.yaxis) == ROMAN
    given = ClassDistributionDisplay.from_labels(true, coordinates=coordinates)
    assert given.counts.tolist() == expected
    assert tick_labels(given.ax_.yaxis) == list("012345")
    display.figure_.canvas.draw()


def test_distribution_between_least_and_greatest():
    display = ClassDistributionDisplay.from_labels([1, 3, 3], coordinates=lambda k: (k, -k), rows=None)
    assert list(display.columns) == ["1", "2", "3"]
    assert list(display.rows) == ["-3", "-2", "-1"]
    assert display.counts.tolist() == [[0, 0, 2], [0, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("display", [JointConfusionMatrixDisplay, ErrorMagnitudeDisplay])
def test_from_estimator_is_from_predictions(display):
    X, y = np.zeros((6, 1)), ["GV", "GV", "GV", "KIII", "KV", "KV"]
    estimator = DummyClassifier(strategy="stratified", random_state=0).fit(X, y)
    ours = display.from_estimator(estimator, X, y, colorbar=False)
    theirs = display.from_predictions(y, estimator.predict(X))
    assert numbers(ours.text_) == numbers(theirs.text_)


def test_distribution_of_an_estimator():
    X, y = np.zeros((3, 1)), ["GV", "GV", "KV"]
    display = ClassDistributionDisplay.from_estimator(DummyClassifier().fit(X, y), X)
    assert display.counts.sum() == display.counts[4, 4] == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JointConfusionMatrixDisplay.from_predictions("AB", "A"), "1d array"),
        (lambda: JointConfusionMatrixDisplay.from_predictions(["A", "B"], ["A"]), "inconsistent"),
        (lambda: JointConfusionMatrixDisplay.from_predictions([], []), "y_true must have at least one label"),
        (lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["B"], order="A"), r"order lacks .*'B'"),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["A"], order="AA"),
            "order has duplicate labels",
        ),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["B"], coordinates={"A": (0, 0)}),
            "coordinates has no entry for the class 'B'",
        ),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["A"], coordinates={"A": 0}, major=1),
            "major must be one of the 1 axes",
        ),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["A"], normalize="rows"),
            "normalize must be one of",
        ),
        (
            lambda: JointConfusionMatrixDisplay(np.eye(3), display_labels="AB").plot(),
            r"\(2, 2\), got \(3, 3\)",
        ),
        (
            lambda: JointConfusionMatrixDisplay(np.eye(2), display_labels="AB", blocks="A").plot(),
            "blocks must have 2 entries, one for each class, got 1",
        ),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(
                ["A"], ["A"], order="A", coordinates={"A": (0, 0)}, major=2
            ),
            "major must be one of the 2 axes",
        ),
        (
            lambda: JointConfusionMatrixDisplay.from_predictions(["A"], ["B"], blocks={"A": 0}),
            r"blocks has no entry for the classes \['B'\]",
        ),
        (
            lambda: ErrorMagnitudeDisplay.from_predictions(["A"], ["A"]),
            "'A' is not a joint MK class .* such as 'GV'; for other labels, pass coordinates",
        ),
        (lambda: ClassDistributionDisplay.from_labels(["A", "F"]), "'A' is not a joint MK class"),
        (
            lambda: ErrorMagnitudeDisplay.from_predictions(["GII"], ["GII"], coordinates=mk_coordinates),
            "coordinates must be integers",
        ),
        (
            lambda: ErrorMagnitudeDisplay.from_predictions(["A"], ["A"], coordinates={"A": 1}),
            "two numbers for each class, got 1",
        ),
        (
            lambda: ClassDistributionDisplay.from_labels(["A"], coordinates={"A": (2, 0)}, columns="OB"),
            "columns has 2 names",
        ),
        (lambda: ClassDistributionDisplay.from_labels([]), "y must have at least one label"),
        (lambda: ClassDistributionDisplay(np.eye(2), columns="AB", rows="A").plot(), r"shape \(1, 2\)"),
        (
            lambda: ErrorMagnitudeDisplay.from_estimator(LinearRegression(), [[0]], ["GV"]),
            "ErrorMagnitudeDisplay.from_estimator needs a classifier, got LinearRegression",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
    assert not plt.get_fignums()
