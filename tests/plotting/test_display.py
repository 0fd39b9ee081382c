"""The repr of every Display."""

import numpy as np
import pytest

from skspec import Spectra, plotting
from skspec.oversampling import quality_report

LETTERS, JOINT = ["A", "F", "G", "G"], ["GV", "GV", "KIII"]
PERFECT = np.eye(3)[[0, 1, 2, 2]]
WAVE = np.linspace(4000.0, 5000.0, 8)
SETS = np.random.default_rng(0).normal(size=(3, 20, 8))


@pytest.mark.parametrize(
    ("name", "make", "summary"),
    [
        (
            "ClassDistributionDisplay",
            lambda display: display.from_labels(JOINT),
            "3 spectra on a grid of 7 x 6 classes",
        ),
        (
            "ErrorMagnitudeDisplay",
            lambda display: display.from_predictions(JOINT, JOINT),
            "errors of 3 spectra",
        ),
        (
            "GenerationQualityDisplay",
            lambda display: display(quality_report(*SETS), SETS[1], SETS[2][:15]),
            "20 real and 15 generated spectra",
        ),
        (
            "JointConfusionMatrixDisplay",
            lambda display: display.from_predictions(LETTERS, LETTERS),
            "3 classes, number of spectra",
        ),
        (
            "MulticlassPrecisionRecallDisplay",
            lambda display: display.from_predictions(LETTERS, PERFECT),
            "3 classes, average precision 1.000 (macro average)",
        ),
        (
            "MulticlassRocDisplay",
            lambda display: display.from_predictions(LETTERS, PERFECT),
            "3 classes, area 1.000 (macro average)",
        ),
        (
            "ReliabilityDisplay",
            lambda display: display.from_predictions(LETTERS, PERFECT, label="G"),
            "probabilities of G, 4 spectra in 2 bins",
        ),
        ("SpectraDisplay", lambda display: display(Spectra(SETS[0], wave=WAVE)), "20 spectra"),
        (
            "TrainingCurveDisplay",
            lambda display: display({"epoch": [1, 2], "train_loss": [0.9, 0.5]}),
            "2 epochs",
        ),
    ],
)
def test_repr_says_what_is_displayed(name, make, summary):
    assert repr(make(getattr(plotting, name))) == f"<{name}: {summary}>"


def test_every_display_has_a_tested_repr():
    (mark,) = test_repr_says_what_is_displayed.pytestmark
    names = [name for name in plotting.__all__ if name.endswith("Display")]
    assert [name for name, _, _ in mark.args[1]] == names
