"""Classes with names of any kind, and labels that are missing."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skspec import make_spectra
from skspec.plotting import (
    ClassDistributionDisplay,
    ErrorMagnitudeDisplay,
    JointConfusionMatrixDisplay,
    MulticlassPrecisionRecallDisplay,
    MulticlassRocDisplay,
    ReliabilityDisplay,
    SpectraDisplay,
)

NAMES = [
    ["", "A", "B"],
    ["x" * 300, "y" * 200, "z"],
    [1, 2, 3],
    [1.0, 2.0, 3.0],
    ["a$b$", r"$\frac{", "$x"],
    ["_a", "_b", "c"],
    ["a\nb", "c\td", "e"],
]
MASKED = np.ma.array(["GV", "GV", "KV", "MV"], mask=[0, 0, 0, 1])
WHOLE = ["GV", "KV", "KV", "GV"]


def all_displays(names):
    rng = np.random.default_rng(0)
    y, predicted = (np.array(names)[rng.integers(0, 3, 60)] for _ in range(2))
    proba, coordinates = rng.dirichlet(np.ones(3), 60), {name: (k, k) for k, name in enumerate(names)}
    yield JointConfusionMatrixDisplay.from_predictions(y, predicted)
    yield MulticlassRocDisplay.from_predictions(y, proba)
    yield MulticlassPrecisionRecallDisplay.from_predictions(y, proba)
    yield ReliabilityDisplay.from_predictions(y, proba, label=sorted(names)[0])
    yield ErrorMagnitudeDisplay.from_predictions(y, predicted, coordinates=coordinates)
    axes = {"columns": [str(name) for name in names], "rows": [str(name) for name in names]}
    yield ClassDistributionDisplay.from_labels(y, coordinates=coordinates, **axes)
    yield SpectraDisplay.from_predictions(make_spectra(3, random_state=0), y[:3], predicted[:3])


@pytest.mark.parametrize("names", NAMES, ids=repr)
def test_any_name_is_drawn(names, tmp_path):
    for display in all_displays(names):
        display.figure_.savefig(tmp_path / "picture.png")
        plt.close(display.figure_)


def test_names_are_shortened_quoted_and_never_mathematics():
    display = JointConfusionMatrixDisplay.from_predictions(["", "$a$", "x" * 99], ["", "$a$", "x" * 99])
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == ["''", r"\$a\$", "x" * 19 + "…"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: JointConfusionMatrixDisplay.from_predictions(MASKED, WHOLE),
        lambda: JointConfusionMatrixDisplay.from_predictions(WHOLE, MASKED),
        lambda: ErrorMagnitudeDisplay.from_predictions(MASKED, WHOLE),
        lambda: ClassDistributionDisplay.from_labels(MASKED),
        lambda: MulticlassRocDisplay.from_predictions(MASKED, np.eye(4)[:, :3]),
        lambda: ReliabilityDisplay.from_predictions(MASKED, np.eye(4)[:, :3]),
        lambda: SpectraDisplay.from_predictions(make_spectra(4, random_state=0), MASKED, WHOLE),
    ],
)
def test_missing_labels_are_not_drawn(make):
    with pytest.raises(ValueError, match=r"y(_true|_pred)? has 1 masked or missing labels"):
        make()
    assert not plt.get_fignums()


def test_weights_of_a_confusion_matrix_are_checked():
    with pytest.raises(ValueError, match="sample_weight must not be negative"):
        JointConfusionMatrixDisplay.from_predictions(WHOLE, WHOLE, sample_weight=[1, 1, 1, -1])


@pytest.mark.parametrize("model", [LogisticRegression(), make_pipeline(LogisticRegression())], ids=repr)
def test_a_classifier_that_is_not_fitted(model):
    displays = (JointConfusionMatrixDisplay, MulticlassRocDisplay, ReliabilityDisplay, SpectraDisplay)
    for display in displays:
        with pytest.raises(NotFittedError):
            display.from_estimator(model, np.ones((4, 2)), WHOLE)
    with pytest.raises(NotFittedError):
        ClassDistributionDisplay.from_estimator(model, np.ones((4, 2)))


def test_a_confusion_matrix_of_a_thousand_classes(tmp_path):
    y = np.arange(1500) % 1000
    display = JointConfusionMatrixDisplay.from_predictions(y, np.random.default_rng(0).permutation(y))
    display.figure_.savefig(tmp_path / "picture.png", dpi=40)
    assert display.text_ is None
