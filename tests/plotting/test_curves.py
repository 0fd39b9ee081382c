"""ROC and precision-recall curves of many classes, against scikit-learn, and the areas under them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve
from sklearn.svm import LinearSVC

from skspec.plotting import MulticlassPrecisionRecallDisplay, MulticlassRocDisplay
from tests.plotting._published import published, simulated

BOTH = [MulticlassRocDisplay, MulticlassPrecisionRecallDisplay]
SCORE = {MulticlassRocDisplay: roc_auc_score, MulticlassPrecisionRecallDisplay: average_precision_score}


def one_hot(true, names):
    return np.array([[label == name for name in names] for label in true.tolist()])


def step_area(x, y):
    """Area under a decreasing step curve."""
    return sum((x[k] - x[k + 1]) * y[k] for k in range(len(x) - 1))


@pytest.mark.parametrize("display", BOTH)
def test_published_areas_are_those_of_sklearn(display):
    names, _, true, _, proba = published()
    drawn = display.from_predictions(true, proba, labels=names)
    hot = one_hot(true, names)
    for k, name in enumerate(names):
        assert drawn.curves[name].area == pytest.approx(SCORE[display](hot[:, k], proba[:, k]), abs=1e-12)
    assert drawn.macro.area == pytest.approx(SCORE[display](hot, proba, average="macro"), abs=1e-12)
    assert drawn.micro.area == pytest.approx(SCORE[display](hot, proba, average="micro"), abs=1e-12)
    if display is MulticlassRocDisplay:
        index = [names.index(label) for label in true]
        expected = roc_auc_score(index, proba, multi_class="ovr", average="macro")
        assert drawn.macro.area == pytest.approx(expected, abs=1e-12)
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize("display", BOTH)
def test_the_mean_curve_has_the_mean_area(display):
    true, _, proba = simulated()
    drawn = display.from_predictions(true, proba.round(1))  # many ties
    for curve in (drawn.macro, drawn.micro, *drawn.curves.values()):
        roc = display is MulticlassRocDisplay
        area = np.trapezoid(curve.y, curve.x) if roc else step_area(curve.x, curve.y)
        assert area == pytest.approx(curve.area, abs=1e-12)


def test_lines_are_the_curves_of_sklearn():
    true, _, proba = simulated()
    roc = MulticlassRocDisplay.from_predictions(true, proba)
    recall = MulticlassPrecisionRecallDisplay.from_predictions(true, proba)
    for k, name in enumerate("ABCD"):
        x, y, _ = roc_curve(true == name, proba[:, k])
        np.testing.assert_array_equal(roc.lines_[name].get_xydata(), np.column_stack([x, y]))
        y, x, _ = precision_recall_curve(true == name, proba[:, k], drop_intermediate=True)
        np.testing.assert_array_equal(recall.lines_[name].get_xydata(), np.column_stack([x, y]))
        assert recall.lines_[name].get_drawstyle() == "steps-post"


def test_the_mean_roc_curve_lies_between_its_limits():
    # one class goes straight up at 0, the other at 0.5: their mean goes up by a half at each
    true = np.array(["A", "A", "B", "B"])
    display = MulticlassRocDisplay.from_predictions(true, [[0.9, 0.0], [0.8, 0.5], [0.1, 0.5], [0.2, 0.5]])
    np.testing.assert_array_equal(display.macro.x, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(display.macro.y, [0.0, 0.5, 1.0, 1.0, 1.0, 1.0])


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize("display", BOTH)
def test_of_many_classes_the_worst_are_named(display):
    names, _, true, _, proba = published()
    drawn = display.from_predictions(true, proba, labels=names)
    worst = sorted(names, key=lambda name: drawn.curves[name].area)[:5]
    texts = legend(drawn)
    assert [text.split(" ")[0] for text in texts[2:7]] == worst
    assert texts[0] == f"macro average ({drawn.macro.area:.3f})"
    assert texts[1] == f"micro average ({drawn.micro.area:.3f})"
    assert texts[7:] == ["34 other classes"]
    assert len(drawn.lines_) == 39
    colors = {drawn.lines_[name].get_color() for name in worst}
    dashes = {str(drawn.lines_[name]._unscaled_dash_pattern) for name in worst}
    assert len(colors) == len(dashes) == 5  # distinguishable in greyscale
    chosen = display.from_predictions(true, proba, labels=names, highlight=["MV"])
    assert len(legend(chosen)) == 4
    nothing = display.from_predictions(true, proba, labels=names, highlight=[])
    assert legend(nothing)[2:] == ["39 classes"]


@pytest.mark.parametrize("display", BOTH)
def test_a_class_without_spectra_has_no_curve(display):
    true, _, proba = simulated()
    wider = np.column_stack([proba, np.full(len(proba), 0.01)])
    drawn = display.from_predictions(true, wider, labels=list("ABCDE"))
    assert np.isnan(drawn.curves["E"].area)
    assert "E" not in drawn.lines_
    alone = display.from_predictions(true, proba)
    assert drawn.macro.area == alone.macro.area
    assert legend(drawn)[0].startswith("macro average of 4 classes")


@pytest.mark.parametrize("display", BOTH)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_from_estimator_is_from_predictions(display, n_classes):
    X, y = make_classification(n_informative=5, n_classes=n_classes, random_state=0)
    estimator = LogisticRegression().fit(X, y)
    _, ax = plt.subplots()
    ours = display.from_estimator(estimator, X, y, ax=ax)
    assert ours.ax_ is ax
    assert ours.figure_ is ax.figure
    theirs = display.from_predictions(y, estimator.predict_proba(X))
    for label in range(n_classes):
        np.testing.assert_array_equal(ours.lines_[label].get_xydata(), theirs.lines_[label].get_xydata())
    machine = LinearSVC().fit(X, y)
    scores = machine.decision_function(X)
    scores = np.column_stack([-scores, scores]) if n_classes == 2 else scores
    margin = display.from_estimator(machine, X, y)
    assert margin.micro.area == display.from_predictions(y, scores).micro.area


@pytest.mark.parametrize("display", BOTH)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["A", "B"], [0.1, 0.9]), "2D array"),
        ((["A", "B"], [[0.1], [0.9]]), "y_score has 1 columns, but y_true has 2 classes; pass labels"),
        ((["A", "B"], [[0.1, np.nan], [0.9, 0.1]]), "y_score contains NaN"),
        ((["A", "B", "A"], [[0.1, 0.9], [0.9, 0.1]]), "inconsistent"),
        ((["A", "A"], [[0.1], [0.9]]), "y_score must have two or more columns, one for each class, got 1"),
    ],
)
def test_bad_input(display, arguments, message):
    with pytest.raises(ValueError, match=message):
        display.from_predictions(*arguments)
    assert not plt.get_fignums()


@pytest.mark.parametrize("display", BOTH)
def test_bad_choices(display):
    true, _, proba = simulated()
    with pytest.raises(ValueError, match="labels lacks labels found in y_true"):
        display.from_predictions(true, proba, labels=list("ABCE"))
    with pytest.raises(ValueError, match="labels has duplicate labels"):
        display.from_predictions(true, proba, labels=list("ABCC"))
    with pytest.raises(ValueError, match="classes without a curve"):
        display.from_predictions(true, proba, highlight=["E"])
    with pytest.raises(ValueError, match="y_true must have two or more classes, got 1"):
        display.from_predictions(["A"] * len(true), proba, labels=list("ABCD"))
    X, y = make_classification(random_state=0)
    machine = LinearSVC().fit(X, y)
    with pytest.raises(ValueError, match="needs predict_proba, which LinearSVC does not have"):
        display.from_estimator(machine, X, y, response_method="predict_proba")
    with pytest.raises(ValueError, match="response_method must be one of"):
        display.from_estimator(machine, X, y, response_method="proba")
