"""Bootstrap intervals and tests against published ones, loops over resamples, and simulated coverage."""

import json
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from skspec.metrics import bootstrap_difference, bootstrap_interval
from skspec.mk import mk_grid
from tests._data import data_path


@pytest.fixture(scope="module")
def published():
    with np.load(data_path("mk_predictions/mk_test_predictions.npz")) as file:
        data = {name: file[name] for name in file.files}
    data["ensemble_logitmean_3_4"] = (data["scores_resnet50_1d"] + data["scores_conv1d_best"]).argmax(axis=1)
    return data, json.loads(data_path("mk_predictions/expected_metrics.json").read_text())["bootstrap"]


def prediction(data, name):
    return data[name] if name.startswith("ensemble") else data[f"preds_{name.split('_', 1)[1]}"]


def test_the_published_intervals(published):
    data, expected = published
    for name, interval in expected["f1_macro_BCa95"].items():
        result = bootstrap_interval(data["y_true"], prediction(data, name), "f1_macro", random_state=1337)
        np.testing.assert_allclose([result.low, result.high], interval, atol=5.1e-5, err_msg=name)


def test_the_published_differences(published):
    data, expected = published
    of = {"3": "resnet50_1d", "4": "conv1d_best", "6": "conv1d_no_ord", "2": "conv1d_old"}
    predictions = {key: data[f"preds_{model}"] for key, model in of.items()}
    predictions["ens34"] = data["ensemble_logitmean_3_4"]
    for pair, truth in expected["paired_f1_gap"].items():
        one, other = (predictions[key] for key in pair.split("-"))
        result = bootstrap_difference(data["y_true"], one, other, "f1_macro", random_state=1337)
        assert result.score == pytest.approx(truth["gap"], abs=5.1e-5)
        np.testing.assert_allclose([result.low, result.high], truth["ci"], atol=5.1e-5, err_msg=pair)
        assert result.pvalue == pytest.approx(truth["p"], abs=1e-12)


def test_joint_mk_classes_need_no_order(published):
    data, _ = published
    y, y_pred = mk_grid()[data["y_true"]], mk_grid()[data["preds_conv1d_best"]]
    by_name = bootstrap_interval(y, y_pred, "joint_kappa", n_resamples=20, random_state=0)
    by_order = bootstrap_interval(y, y_pred, "joint_kappa", order=mk_grid(), n_resamples=20, random_state=0)
    np.testing.assert_array_equal(by_name.resamples, by_order.resamples)


def test_a_thousand_resamples_take_less_than_two_seconds(published):
    data, _ = published
    start = time.process_time()
    bootstrap_interval(data["y_true"], data["preds_conv1d_best"], "f1_macro", random_state=0)
    assert time.process_time() - start < 2.0


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    y_true = np.repeat([0, 1, 2], [60, 30, 10])
    return y_true, np.where(rng.random(100) < 0.7, y_true, rng.integers(0, 3, 100))


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("groups", [None, np.arange(100) // 3], ids=["spectra", "groups"])
def test_scores_by_name_are_those_of_the_callable(labels, method, groups):
    y_true, y_pred = labels
    options = {"groups": groups, "method": method, "n_resamples": 200, "random_state": 5}
    by_name = bootstrap_interval(y_true, y_pred, "f1_macro", **options)
    by_call = bootstrap_interval(y_true, y_pred, lambda a, b: f1_score(a, b, average="macro"), **options)
    np.testing.assert_allclose(by_name.resamples, by_call.resamples, rtol=1e-12)
    assert (by_name.low, by_name.high) == pytest.approx((by_call.low, by_call.high))
    again = bootstrap_interval(y_true, y_pred, "f1_macro", **options)
    np.testing.assert_array_equal(again.resamples, by_name.resamples)


def test_bca_is_that_of_scipy_without_strata(labels):
    y_true, y_pred = labels
    correct = (y_true == y_pred).astype(float)
    ours = bootstrap_interval(y_true, y_pred, "accuracy", stratify=False, n_resamples=20_000, random_state=0)
    theirs = stats.bootstrap(
        (correct,), np.mean, n_resamples=20_000, method="BCa", vectorized=True
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.011)  # a step of 1/100


def test_strata_keep_the_number_of_each_class(labels):
    y_true, y_pred = labels
    seen = []
    score = lambda a, b: seen.append(np.bincount(a, minlength=3).tolist()) or accuracy_score(a, b)  # noqa: E731
    bootstrap_interval(y_true, y_pred, score, method="percentile", n_resamples=50, random_state=0)
    assert seen == [[60, 30, 10]] * 51
    seen.clear()
    bootstrap_interval(
        y_true, y_pred, score, stratify=False, method="percentile", n_resamples=50, random_state=0
    )
    assert len({tuple(counts) for counts in seen}) > 20


def test_groups_are_drawn_whole(labels):
    y_true, y_pred = labels
    groups = np.arange(100) // 5
    seen = []
    score = lambda a, b: seen.append(a) or float(np.mean(a == b))  # noqa: E731
    bootstrap_interval(
        np.arange(100),
        np.arange(100),
        score,
        groups=groups,
        stratify=False,
        method="percentile",
        n_resamples=20,
    )
    for rows in seen:
        counts = np.bincount(rows, minlength=100).reshape(20, 5)
        assert (counts == counts[:, :1]).all()
    wide = bootstrap_interval(
        np.repeat(y_true, 5),
        np.repeat(y_pred, 5),
        "accuracy",
        groups=np.repeat(np.arange(100), 5),
        random_state=0,
    )
    alone = bootstrap_interval(y_true, y_pred, "accuracy", random_state=0)
    assert (wide.low, wide.high) == pytest.approx((alone.low, alone.high))  # copies of a star teach nothing


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_coverage_is_nearly_nominal(method):
    rng = np.random.default_rng(1)
    y_true = np.repeat([0, 1], [100, 50])
    truth = (100 * 0.9 + 50 * 0.7) / 150
    inside = 0
    for _ in range(400):
        correct = rng.random(150) < np.where(y_true == 0, 0.9, 0.7)
        result = bootstrap_interval(
            y_true,
            np.where(correct, y_true, 1 - y_true),
            "accuracy",
            method=method,
            n_resamples=300,
            random_state=rng,
        )
        inside += result.low <= truth <= result.high
    assert inside / 400 == pytest.approx(0.95, abs=0.035)


def test_test_of_a_difference_rejects_as_often_as_it_says():
    rng = np.random.default_rng(2)
    y_true = np.repeat([0, 1], 60)
    rejected = {"same": 0, "better": 0}
    for _ in range(150):
        one, same = (np.where(rng.random(120) < 0.75, y_true, 1 - y_true) for _ in range(2))
        better = np.where(rng.random(120) < 0.95, y_true, 1 - y_true)
        for name, other in {"same": same, "better": better}.items():
            result = bootstrap_difference(y_true, other, one, "accuracy", n_resamples=200, random_state=rng)
            rejected[name] += result.pvalue < 0.05
    assert rejected["same"] / 150 < 0.11
    assert rejected["better"] / 150 > 0.9


def test_perfect_predictions_have_no_error_bar():
    result = bootstrap_interval(["A", "B"] * 10, ["A", "B"] * 10, "f1_macro", random_state=0)
    assert (result.score, result.low, result.high) == (1.0, 1.0, 1.0)
    assert str(result) == "1.000 [1.000, 1.000]"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"score": "f1"}, "score must be one of accuracy, f1_macro, .* got 'f1'"),
        ({"method": "basic"}, "method must be one of 'bca', 'percentile', got 'basic'"),
        ({"confidence_level": 1.0}, "confidence_level == 1.0, must be < 1"),
        ({"n_resamples": 1}, "n_resamples == 1, must be >= 2"),
        ({"groups": [1, 2]}, "inconsistent numbers of samples"),
        ({"score": accuracy_score, "sample_weight": np.ones(4)}, "need a score given by name"),
    ],
)
def test_bad_input(kwargs, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval([0, 1, 0, 1], [0, 1, 1, 1], **({"score": "accuracy"} | kwargs))
