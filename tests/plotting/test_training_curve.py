"""`TrainingCurveDisplay`: each number of the history at its epoch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import Table
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspec import Conv1DClassifier
from skspec.plotting import TrainingCurveDisplay

HISTORY = {
    "epoch": [1, 2, 3, 4],
    "train_loss": [1.0, 0.6, 0.4, 0.3],
    "valid_loss": [1.1, 0.8, 0.7, 0.75],
    "valid_score": [0.5, 0.7, 0.8, 0.78],
    "lr": [1e-2, 1e-3, 1e-3, 5e-5],
    "dur": [0.1, 0.1, 0.1, 0.1],
}


@pytest.mark.parametrize("container", [dict, Table])
def test_panels_show_the_history(container):
    display = TrainingCurveDisplay(container(HISTORY), best_epoch=3).plot()
    assert list(display.axes_) == ["loss", "score", "lr"]
    train, valid, best = display.axes_["loss"].lines
    score, best_score = display.axes_["score"].lines
    rate, best_rate = display.axes_["lr"].lines
    for line, name in [
        (train, "train_loss"),
        (valid, "valid_loss"),
        (score, "valid_score"),
        (rate, "lr"),
    ]:
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([HISTORY["epoch"], HISTORY[name]]))
    assert all(line.get_xdata()[0] == 3 for line in (best, best_score, best_rate))
    texts = [text.get_text() for text in display.axes_["loss"].get_legend().get_texts()]
    assert texts == ["training", "validation", "best epoch: 3"]
    assert display.axes_["lr"].get_yscale() == "log"
    display.figure_.canvas.draw()


def test_without_validation_there_is_no_score():
    display = TrainingCurveDisplay({name: HISTORY[name][:1] for name in ("epoch", "train_loss", "lr")}).plot()
    assert list(display.axes_) == ["loss", "lr"]
    (line,) = display.axes_["loss"].lines
    assert line.get_marker() == "o"  # a single epoch is no line
    assert display.axes_["lr"].get_yscale() == "linear"
    display.figure_.canvas.draw()


def test_from_estimator():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 12)), np.arange(40) % 2
    model = Conv1DClassifier(max_epochs=3, validation_fraction=0.25, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    fig, axes = plt.subplots(1, 2, layout="constrained")
    display = TrainingCurveDisplay.from_estimator(pipeline, ax=axes[0])
    assert display.ax_ is axes[0]
    assert display.figure_ is fig
    assert display.best_epoch == pipeline[-1].best_epoch_
    train = display.axes_["loss"].lines[0]
    np.testing.assert_array_equal(train.get_ydata(), pipeline[-1].history_["train_loss"])
    fig.canvas.draw()


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"epoch": [1], "loss": [1.0]}, "history must have columns train_loss, got epoch, loss"),
        ({}, "history must have columns epoch and train_loss, got nothing"),
        ({"epoch": [], "train_loss": []}, "history must have at least one epoch"),
    ],
)
def test_bad_history(history, message):
    with pytest.raises(ValueError, match=message):
        TrainingCurveDisplay(history).plot()
    assert not plt.get_fignums()


def test_other_estimators_have_no_history():
    with pytest.raises(ValueError, match="must be a fitted neural estimator, got DummyClassifier"):
        TrainingCurveDisplay.from_estimator(DummyClassifier())
