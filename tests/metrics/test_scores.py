"""Scores against scikit-learn, plain loops, and the published table."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, cohen_kappa_score, f1_score
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from skspec import Conv1DClassifier
from skspec.metrics import (
    accuracy,
    axis_kappa,
    f1_macro,
    get_scorer,
    joint_kappa,
    joint_mae,
    published_scores,
)
from skspec.mk import mk_grid
from tests._data import data_path

MODELS = (
    "convkan",
    "convtran",
    "conv1d_old",
    "resnet50_1d",
    "conv1d_best",
    "conv1d_half_ord",
    "conv1d_no_ord",
)
ENSEMBLES = {"1_3": (1, 3), "3_4_6": (3, 4, 6), "3_4": (3, 4)}
labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=40).filter(
    lambda pairs: len({pair[0] for pair in pairs}) > 1
)


@pytest.fixture(scope="module")
def published():
    with np.load(data_path("mk_predictions/mk_test_predictions.npz")) as file:
        data = {name: file[name] for name in file.files}
    expected = json.loads(data_path("mk_predictions/expected_metrics.json").read_text())["metrics"]
    t, lum = data["temp_index"], data["lum_index"]
    data["coordinates"] = {k: (int(t[k]), int(lum[k])) for k in range(39)}
    data["temperature_major"] = list(range(39))
    data["luminosity_major"] = sorted(range(39), key=lambda k: (lum[k], t[k]))
    return data, expected


def predictions(data):
    for k, model in enumerate(MODELS):
        yield f"{k}_{model}", data[f"preds_{model}"]
    for name, members in ENSEMBLES.items():
        logits = np.mean([data[f"scores_{MODELS[k]}"] for k in members], axis=0)
        yield f"ensemble_logitmean_{name}", logits.argmax(axis=1)


def test_the_published_table(published):
    data, expected = published
    y = data["y_true"]
    in_subset = {k: 1.0 / n for k, n in enumerate(data["class_counts_subset"].tolist())}
    n_cells = 0
    for model, y_pred in predictions(data):
        truth = expected[model]
        assert accuracy(y, y_pred) == pytest.approx(truth["accuracy"], abs=1e-12)
        assert f1_macro(y, y_pred) == pytest.approx(truth["f1_macro"], abs=1e-12)
        for weighting, class_weight in {
            "readme_definition_w_inv_test_freq": "balanced",
            "w_inv_subset_freq": in_subset,
            "unweighted": None,
        }.items():
            of = {"class_weight": class_weight}
            found = {
                "mae": joint_mae(y, y_pred, coordinates=data["coordinates"], **of),
                "mae_T": joint_mae(y, y_pred, coordinates=lambda k: data["temp_index"][k], **of),
                "mae_L": joint_mae(y, y_pred, coordinates=lambda k: data["lum_index"][k], **of),
                "qwk_T_joint_rank": joint_kappa(y, y_pred, order=data["temperature_major"], **of),
                "qwk_L_joint_rank": joint_kappa(y, y_pred, order=data["luminosity_major"], **of),
                "qwk_T_marginal": axis_kappa(y, y_pred, coordinates=data["coordinates"], **of),
                "qwk_L_marginal": axis_kappa(y, y_pred, coordinates=data["coordinates"], axis=1, **of),
            }
            for name, value in found.items():
                assert value == pytest.approx(truth[weighting][name], abs=1e-10), (model, weighting, name)
        n_cells += 4
    assert n_cells == 40


def test_the_older_definitions_of_the_published_notebook(published):
    """Unweighted error; weights by the predicted class's count; luminosity order by the reversed digits of the class."""
    data, _ = published
    y, y_pred = data["y_true"], data["preds_conv1d_best"]
    by_prediction = 1.0 / data["class_counts_subset"][y_pred]
    reversed_digits = sorted(range(39), key=lambda k: (k % 10, k // 10))
    found = [
        joint_mae(y, y_pred, coordinates=data["coordinates"]),
        joint_kappa(y, y_pred, order=data["temperature_major"], sample_weight=by_prediction),
        joint_kappa(y, y_pred, order=reversed_digits, sample_weight=by_prediction),
    ]
    np.testing.assert_allclose(found, [0.1942, 0.9730, 0.6028], atol=5e-5)


@given(labels)
def test_scores_are_those_of_scikit_learn(pairs):
    y_true, y_pred = np.array(pairs).T
    every = sorted(set(y_true) | set(y_pred))
    assert accuracy(y_true, y_pred) == pytest.approx(accuracy_score(y_true, y_pred))
    assert f1_macro(y_true, y_pred) == pytest.approx(f1_score(y_true, y_pred, average="macro"))
    assert f1_macro(y_true, y_pred, labels=range(5)) == pytest.approx(
        f1_score(y_true, y_pred, average="macro", labels=range(5), zero_division=0)
    )
    kappa = joint_kappa(y_true, y_pred, order=every)
    assert kappa == pytest.approx(cohen_kappa_score(y_true, y_pred, labels=every, weights="quadratic"))
    assert -1 <= kappa <= 1
    assert kappa == pytest.approx(joint_kappa(y_pred, y_true, order=every))
    assert kappa == pytest.approx(joint_kappa(y_true, y_pred, order=every[::-1]))
    weight = np.arange(1, 1 + len(y_true))
    assert joint_kappa(y_true, y_pred, order=every, sample_weight=weight) == pytest.approx(
        cohen_kappa_score(y_true, y_pred, labels=every, weights="quadratic", sample_weight=weight)
    )


@given(labels)
def test_balanced_weights_make_classes_count_the_same(pairs):
    y_true, y_pred = np.array(pairs).T
    if set(y_pred) <= set(y_true):
        assert accuracy(y_true, y_pred, class_weight="balanced") == pytest.approx(
            balanced_accuracy_score(y_true, y_pred)
        )
    by_class = [np.abs(y_pred - y_true)[y_true == k].mean() for k in set(y_true)]
    assert joint_mae(y_true, y_pred, coordinates=float, class_weight="balanced") == pytest.approx(
        np.mean(by_class)
    )


def test_mean_absolute_error_by_hand():
    coordinates = {"G V": (4, 4), "K III": (5, 2), "M I": (6, 0)}
    y_true, y_pred = ["G V", "K III", "M I", "M I"], ["G V", "G V", "K III", "M I"]
    assert joint_mae(y_true, y_pred, coordinates=coordinates) == pytest.approx(
        (0 + (1 + 2) / 2 + (1 + 2) / 2 + 0) / 4
    )
    weighted = {"G V": 0.0, "K III": 2.0, "M I": 1.0}
    found = joint_mae(y_true, y_pred, coordinates=coordinates, class_weight=weighted)
    assert found == pytest.approx((2 * 1.5 + 1.5 + 0) / 4)


def test_joint_mk_classes_need_no_coordinates(published):
    data, expected = published
    y, y_pred = mk_grid()[data["y_true"]], mk_grid()[data["preds_conv1d_best"]]
    truth = expected["4_conv1d_best"]["readme_definition_w_inv_test_freq"]
    scores = published_scores(y, y_pred)
    assert scores["joint_mae"] == pytest.approx(truth["mae"])
    assert scores["joint_kappa"] == pytest.approx(truth["qwk_T_joint_rank"])
    assert scores["joint_kappa_luminosity"] == pytest.approx(truth["qwk_L_joint_rank"])
    assert scores["f1_macro"] == pytest.approx(expected["4_conv1d_best"]["f1_macro"])
    assert axis_kappa(y, y_pred, axis=1, class_weight="balanced") == pytest.approx(truth["qwk_L_marginal"])
    every = list(mk_grid(full=True))
    assert joint_kappa([*y, "GVI"], [*y_pred, "GV"]) == pytest.approx(
        joint_kappa([*y, "GVI"], [*y_pred, "GV"], order=every)
    )


SCORER_NAMES = (
    "joint_kappa",
    "joint_kappa_luminosity",
    "neg_joint_mae",
    "temperature_kappa",
    "luminosity_kappa",
)


@pytest.mark.parametrize("suffix", ["", "_balanced"])
def test_scorers(suffix):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 4)), np.array(["GV", "KIII", "MI"])[np.arange(90) % 3]
    model = DecisionTreeClassifier(max_depth=1).fit(X, y)
    weight = "balanced" if suffix else None
    predicted = model.predict(X)
    truth = (
        joint_kappa(y, predicted, class_weight=weight),
        joint_kappa(y, predicted, order="luminosity", class_weight=weight),
        -joint_mae(y, predicted, class_weight=weight),
        axis_kappa(y, predicted, class_weight=weight),
        axis_kappa(y, predicted, axis=1, class_weight=weight),
    )
    for name, value in zip(SCORER_NAMES, truth, strict=True):
        assert get_scorer(name + suffix)(model, X, y) == pytest.approx(value)
    assert get_scorer("accuracy")(model, X, y) == model.score(X, y)


def test_scorers_in_cross_validation_and_by_name_in_training():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 4)), np.array(["GV", "KIII", "MI"])[np.arange(90) % 3]
    scores = cross_val_score(DecisionTreeClassifier(random_state=0), X, y, scoring=get_scorer("joint_kappa"))
    assert np.isfinite(scores).all()
    model = Conv1DClassifier(
        validation_fraction=0.2, scoring="joint_kappa", max_epochs=2, random_state=0
    ).fit(X, y)
    assert len(model.history_["valid_score"]) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: joint_kappa(["A", "B"], ["A", "C"], order=["A", "B"]), r"order lacks labels .*: \['C'\]"),
        (lambda: joint_kappa(["A", "B"], ["A", "B"], order=["A", "B", "A"]), "order has duplicate labels"),
        (lambda: f1_macro([1, 2], [1, 3], labels=[1, 2]), r"labels lacks labels .*: \[3\]"),
        (lambda: joint_mae(["A"], ["B"]), "'A' is not a joint MK class"),
        (lambda: joint_mae(["A"], ["B"], coordinates={"A": 1}), "coordinates has no entry for the class 'B'"),
        (
            lambda: accuracy([1, 2], [1, 2], class_weight="equal"),
            "class_weight must be 'balanced', .* got 'equal'",
        ),
        (lambda: accuracy([1, 2], [1, 2, 3]), "inconsistent numbers of samples"),
        (lambda: accuracy([1, 2], [1, 2], sample_weight=[1.0]), r"sample_weight has shape \(1,\); \(2,\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
