"""Reliability diagrams: against scikit-learn's curve, brute force, and scipy's intervals."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skspec.plotting import ReliabilityDisplay
from tests.plotting._published import published, simulated


def brute_bins(sure, right, edges):
    """Rows (mean probability, fraction correct, count) of filled bins, which include their upper edges."""
    rows = []
    for k in range(len(edges) - 1):
        inside = [
            j
            for j, p in enumerate(sure)
            if (edges[k] < p or k == 0) and (p <= edges[k + 1] or k == len(edges) - 2)
        ]
        if inside:
            rows.append((np.mean(sure[inside]), np.mean(right[inside]), len(inside)))
    return np.array(rows)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("label", [None, "KIII"])
def test_published_probabilities(strategy, label):
    names, _, true, predicted, proba = published()
    display = ReliabilityDisplay.from_predictions(
        true, proba, labels=names, label=label, n_bins=8, strategy=strategy
    )
    if label is None:
        sure, right = proba.max(axis=1), predicted == true
    else:
        sure, right = proba[:, names.index(label)], true == label
    frequency, confidence = calibration_curve(right, sure, n_bins=8, strategy=strategy)
    np.testing.assert_allclose(display.frequency, frequency, rtol=1e-12)
    np.testing.assert_allclose(display.confidence, confidence, rtol=1e-12)
    edges = np.linspace(0, 1, 9) if strategy == "uniform" else np.quantile(sure, np.linspace(0, 1, 9))
    rows = brute_bins(sure, right, edges)
    np.testing.assert_array_equal(display.counts, rows[:, 2])
    assert display.counts.sum() == 1295
    ece = sum(n * abs(f - c) for c, f, n in rows) / 1295
    assert display.expected_calibration_error_ == pytest.approx(ece, rel=1e-12)
    np.testing.assert_allclose(display.line_.get_xydata(), rows[:, :2], rtol=1e-12)
    assert [bar.get_height() for bar in display.bars_] == rows[:, 2].tolist()
    assert f"{ece:.3f}" in display.axes_["reliability"].texts[0].get_text()
    display.figure_.canvas.draw()


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_error_bars_are_wilsons(level):
    true, _, proba = simulated(60)
    display = ReliabilityDisplay.from_predictions(true, proba, confidence_level=level)
    assert {0.0, 1.0} & set(display.frequency.tolist())  # where simpler intervals have zero width
    for n, frequency, interval in zip(display.counts, display.frequency, display.interval_, strict=True):
        expected = binomtest(round(n * frequency), n).proportion_ci(level, method="wilson")
        np.testing.assert_allclose(interval, expected, rtol=1e-9, atol=1e-12)


def test_perfect_probabilities_have_no_error():
    true = ["A"] * 3 + ["B"] + ["A", "B"]
    proba = [[0.75, 0.25]] * 4 + [[0.5, 0.5]] * 2
    display = ReliabilityDisplay.from_predictions(true, proba, label="A")
    assert display.expected_calibration_error_ == 0.0
    assert display.counts.tolist() == [2, 4]
    assert display.edges.tolist() == [[0.4, 0.5], [pytest.approx(0.7), pytest.approx(0.8)]]


def test_from_estimator_is_from_predictions():
    X, y = make_classification(n_informative=5, n_classes=3, random_state=0)
    estimator = LogisticRegression().fit(X, y)
    _, axes = plt.subplots(1, 2, layout="constrained")
    ours = ReliabilityDisplay.from_estimator(estimator, X, y, label=2, n_bins=5, ax=axes[1])
    assert ours.ax_ is axes[1]
    assert all(panel.figure is axes[1].figure for panel in ours.axes_.values())
    theirs = ReliabilityDisplay.from_predictions(y, estimator.predict_proba(X), label=2, n_bins=5)
    np.testing.assert_array_equal(ours.line_.get_xydata(), theirs.line_.get_xydata())
    ours.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"label": "E"}, "label must be one of 'A', 'B', 'C', 'D', got 'E'"),
        ({"n_bins": 0}, "n_bins == 0, must be >= 1"),
        ({"strategy": "quantiles"}, "did you mean 'quantile'"),
        ({"confidence_level": 1.0}, "confidence_level == 1.0"),
        ({"labels": list("ABC")}, "y_proba has 4 columns, but labels has 3 classes"),
    ],
)
def test_bad_parameters(params, message):
    true, _, proba = simulated()
    with pytest.raises(ValueError, match=message):
        ReliabilityDisplay.from_predictions(true, proba, **params)
    assert not plt.get_fignums()


def test_what_is_no_probability_is_refused():
    true, _, proba = simulated()
    with pytest.raises(ValueError, match=r"with sum 1, got .* in row 0"):
        ReliabilityDisplay.from_predictions(true, 2.0 * proba)
    proba[7] = [1.5, -0.5, 0.0, 0.0]
    with pytest.raises(ValueError, match="in row 7"):
        ReliabilityDisplay.from_predictions(true, proba)
    with pytest.raises(ValueError, match="same length, got 1, 1, 2 and 1"):
        ReliabilityDisplay([0.5], [0.5], counts=[1, 2], edges=[[0, 1]]).plot()
