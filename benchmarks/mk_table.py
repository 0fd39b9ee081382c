"""The published table of joint MK classification, computed anew and with error bars.

Command: ``python -m benchmarks.mk_table``

Seven networks and three ensembles of volgasezen/StellarClassification on 1,295 test spectra of 39 joint classes, from
their published logits. Each cell: the published figure, ours, and the 95 % interval of 1,000 stratified resamples (BCa).
F1 is the macro average; MAE the mean error of temperature and luminosity class; QWK the quadratic kappa of the joint
class in temperature-major and luminosity-major order; in all but F1 every class counts the same. The run ends where
ours differs from the published figure by more than its rounding (or truncation), or from the reference values by more
than 1e-6.

Spectra of one star stand on both sides of the published split. Of the ELODIE spectra, where positions tell, the accuracy
of the best ensemble comes last: for stars that were trained on, and for others.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks._harness import machine
from skspec.metrics import accuracy, bootstrap_difference, bootstrap_interval, published_scores
from skspec.mk import mk_coordinates, mk_grid

FOLDER = Path(os.environ.get("SKSPEC_DATA", "../shared/data")) / "mk_predictions"
MODELS = {
    "ConvKAN": ("convkan", ".522 .405 .964 .725"),
    "ConvTran": ("convtran", ".567 .269 .980 .861"),
    "Conv1D-v1": ("conv1d_old", ".597 .236 .980 .903"),
    "ResNet50": ("resnet50_1d", ".585 .322 .982 .798"),
    "Conv1D-v2, alpha .75": ("conv1d_best", ".628 .269 .979 .865"),
    "Conv1D-v2, alpha .5": ("conv1d_half_ord", ".609 .254 .983 .875"),
    "Conv1D-v2, alpha 0": ("conv1d_no_ord", ".615 .258 .983 .877"),
}
ENSEMBLES = {
    "(1,3)": (("convtran", "resnet50_1d"), ".652 .230 .987 .880"),
    "(3,4,6)": (("resnet50_1d", "conv1d_best", "conv1d_no_ord"), ".677 .231 .985 .883"),
    "(3,4)": (("resnet50_1d", "conv1d_best"), ".676 .232 .983 .884"),
}
CLASSES = list(mk_grid())
COORDINATES = {k: mk_coordinates(name, luminosity_scale=1.0) for k, name in enumerate(CLASSES)}
SCORES = {  # of class indices, whose order the published resamples follow
    "f1_macro": ("F1", {}),
    "joint_mae": ("MAE", {"class_weight": "balanced", "coordinates": COORDINATES}),
    "joint_kappa": ("QWK (T)", {"class_weight": "balanced", "order": range(39)}),
    "joint_kappa_luminosity": (
        "QWK (L)",
        {"class_weight": "balanced", "order": [CLASSES.index(name) for name in mk_grid(order="luminosity")]},
    ),
}
REFERENCE = ("f1_macro", "mae", "qwk_T_joint_rank", "qwk_L_joint_rank")


def references():
    """Read the 40 reference values, in the order of the table."""
    metrics = json.loads((FOLDER / "expected_metrics.json").read_text())["metrics"]
    for values in metrics.values():
        flat = {**values, **values["readme_definition_w_inv_test_freq"]}
        yield [flat[name] for name in REFERENCE]


def main():
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is needed; set SKSPEC_DATA to the folder that holds mk_predictions")
    with np.load(FOLDER / "mk_test_predictions.npz") as file:
        data = {name: file[name] for name in file.files}
    y = data["y_true"]
    logits = {name: data[f"scores_{key}"] for name, (key, _) in MODELS.items()}
    logits |= {
        name: np.mean([data[f"scores_{key}"] for key in keys], axis=0)
        for name, (keys, _) in ENSEMBLES.items()
    }
    published = {name: text for name, (_, text) in {**MODELS, **ENSEMBLES}.items()}
    print(machine("scikit-learn"))
    print(
        f"\n{'':21}" + "".join(f"{heading + ' published, ours, 95 %':29}" for heading, _ in SCORES.values())
    )
    n_cells, start = 0, time.perf_counter()
    predictions = {name: values.argmax(axis=1) for name, values in logits.items()}
    for (name, y_pred), reference in zip(predictions.items(), references(), strict=True):
        ours = published_scores(mk_grid()[y], mk_grid()[y_pred])
        cells = []
        for (score, (_, params)), text, true in zip(
            SCORES.items(), published[name].split(), reference, strict=True
        ):
            value = ours[score]
            if abs(value - true) > 1e-6 or not -5e-4 <= value - float(text) < 1e-3:
                sys.exit(f"{name}: {score} is {value:.6f}; published {text}, reference {true:.6f}")
            of = score.removesuffix("_luminosity")
            interval = bootstrap_interval(y, y_pred, of, random_state=1337, **params)
            cells.append(f"{text} {value:.3f} [{interval.low:.3f}, {interval.high:.3f}]")
            n_cells += 1
        print(f"{name:21}" + "".join(f"{cell:29}" for cell in cells))
    print(
        f"\nall {n_cells} cells equal; {4 * 10} intervals of 1,000 resamples in {time.perf_counter() - start:.0f} s"
    )

    print("\ndifferences in F1, paired")
    for one, other in [
        ("Conv1D-v2, alpha .75", "ResNet50"),
        ("Conv1D-v2, alpha .75", "Conv1D-v2, alpha 0"),
        ("(3,4)", "Conv1D-v2, alpha .75"),
        ("Conv1D-v2, alpha .75", "Conv1D-v1"),
    ]:
        result = bootstrap_difference(y, predictions[one], predictions[other], "f1_macro", random_state=1337)
        print(f"{one + ' - ' + other:42} {result}")

    print("\naccuracy of (3,4) on ELODIE")
    for known, text in ((1, "star also in training"), (0, "star not in training")):
        rows = data["elodie_star_also_in_train"] == known
        print(f"{text:22} {accuracy(y[rows], predictions['(3,4)'][rows]):.3f} of {rows.sum()} spectra")


if __name__ == "__main__":
    main()
