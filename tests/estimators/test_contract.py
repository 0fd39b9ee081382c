"""Contract of all neural classifiers, beyond scikit-learn's checks."""

import copy
import json
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspec.training import NeuralClassifier
from tests._estimators import CASES, names

N_PIXELS = 24
ONE_OF_EACH_SHAPE = (
    "Conv1DClassifier",
    "PlainCNNClassifier, images",
)  # for tests of the shared engine


def spectra(n=60, n_pixels=N_PIXELS, n_classes=3, seed=0):
    """Return noisy flat spectra with a line whose position, sign and width depend on the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    X = 1.0 + 0.1 * rng.normal(size=(n, n_pixels))
    for k in range(n_classes):
        first, width = 2 + k * (n_pixels // n_classes), 2 + 2 * (k // 2)
        X[y == k, first : first + width] += (-1.0) ** k
    return X, y


def quick(model):
    """Return a copy with short training, for tests that do not depend on its result."""
    return clone(model).set_params(max_epochs=2)


def patient(model):
    """Return a copy with enough steps to learn from few spectra."""
    return clone(model).set_params(batch_size=16, max_epochs=2 * model.max_epochs)


def weights(model):
    return {name: t.clone() for name, t in model.net_.module_.state_dict().items()}


def of_images(model):
    return getattr(model, "image_shape", None) is not None


def assert_same_weights(a, b):
    torch.testing.assert_close(weights(a), weights(b), rtol=0, atol=0)


@pytest.fixture(params=names(NeuralClassifier))
def model(request):
    return CASES[request.param].make().set_params(random_state=0)


@pytest.fixture
def fitted(model):
    return quick(model).fit(*spectra())


@pytest.mark.parametrize(
    "labels",
    [
        ["K giant", "A", "white dwarf"],
        np.array(["b", "a", "c"], dtype=object),
        [7, -3, 100],
        [5.0, 2.0, -1.0],
        [2, 0, 4],
    ],
    ids=["str", "object", "gapped", "float", "even"],
)
def test_predicted_labels_have_the_original_type(model, labels):
    X, index = spectra()
    y = np.asarray(labels)[index]
    fitted = quick(model).fit(X, y)
    np.testing.assert_array_equal(fitted.classes_, np.unique(y))
    assert fitted.predict(X).dtype == y.dtype
    order = fitted.classes_[fitted.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(fitted.predict(X), order)
    assert_same_weights(fitted, quick(model).fit(X, np.searchsorted(np.unique(y), y)))


def test_learns(model):
    X, y = spectra()
    model = patient(model)
    assert model.fit(X, y).score(X, y) > 0.9
    assert model.score(*spectra(seed=1)) > 0.7


def test_two_classes_of_any_kind(model):
    X, index = spectra(n_classes=2)
    for y in (index == 0, np.where(index, "star", "galaxy")):
        fitted = quick(model).fit(X, y)
        decision = fitted.decision_function(X)
        assert decision.shape == (60,)
        np.testing.assert_array_equal(fitted.classes_[(decision > 0).astype(int)], fitted.predict(X))
        np.testing.assert_allclose(
            fitted.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decision.astype(float))), rtol=1e-5
        )


def test_probabilities_and_logits_agree(fitted):
    X, _ = spectra(seed=1)
    proba, logits = fitted.predict_proba(X), fitted.decision_function(X).astype(float)
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=0, atol=1e-14)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, expected, rtol=1e-12)


def test_embedding_is_the_input_of_the_last_layer(fitted):
    X, _ = spectra(seed=1)
    last = fitted.net_.module_.network.final_layer
    with torch.inference_mode():
        logits = last(torch.from_numpy(fitted.embed(X)))
    np.testing.assert_allclose(logits, fitted.decision_function(X), rtol=1e-5, atol=1e-5)


def test_same_seed_same_weights(model):
    model = quick(model)
    X, y = spectra()
    a, b = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same_weights(a, b)
    assert_same_weights(a, a.fit(X, y))
    assert_same_weights(a, clone(model).set_params(random_state=np.random.RandomState(0)).fit(X, y))
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(a.decision_function(X), other.decision_function(X))


def test_same_seed_same_weights_in_threads(model):
    model = quick(model)
    X, y = spectra()
    alone = clone(model).fit(X, y)
    with joblib.parallel_config("threading", n_jobs=2):
        together = joblib.Parallel()(joblib.delayed(clone(model).fit)(X, y) for _ in range(2))
    for fitted in together:
        assert_same_weights(fitted, alone)


def test_no_seed_differs_and_global_generators_are_untouched(model):
    X, y = spectra()
    model = quick(model).set_params(random_state=None)
    np.random.seed(3)  # noqa: NPY002 - the generator that must not change
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    a, b = clone(model).fit(X, y), clone(model).fit(X, y)
    a.predict(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])
    assert not np.array_equal(a.decision_function(X), b.decision_function(X))


@pytest.mark.parametrize(
    "copy_of", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_copies_predict_bit_for_bit(fitted, copy_of):
    X, _ = spectra(seed=1)
    twin = copy_of(fitted)
    np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
    assert_same_weights(twin.fit(*spectra()), fitted)


def test_joblib_file(fitted, tmp_path):
    X, _ = spectra(seed=1)
    joblib.dump(fitted, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict_proba(X), fitted.predict_proba(X))


def test_fitted_state_without_pickle(fitted):
    X, _ = spectra(seed=1)
    state, arrays = fitted.__skspec_get_state__()
    twin = clone(fitted).__skspec_set_state__(json.loads(json.dumps(state)), arrays)
    np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert vars(twin).keys() == vars(fitted).keys()
    assert twin.history_.colnames == fitted.history_.colnames
    assert_same_weights(twin.fit(*spectra()), fitted)
    arrays.pop(next(name for name in arrays if name.endswith("final_layer.bias")))
    with pytest.raises(ValueError, match="arrays do not fit .*final_layer.bias"):
        clone(fitted).__skspec_set_state__(state, arrays)


def test_clone_and_set_params_do_not_change_parameters_or_fit(fitted):
    X, y = spectra()
    twin = clone(fitted)
    assert not hasattr(twin, "net_")
    assert twin.get_params() == fitted.get_params()
    before = fitted.decision_function(X)
    fitted.set_params(max_epochs=1)
    np.testing.assert_array_equal(fitted.decision_function(X), before)
    assert len(fitted.fit(X, y).history_) == 1


def test_refit_with_other_sizes(fitted):
    X, y = spectra(n=64, n_pixels=31, n_classes=4)
    fitted.fit(X, y)
    assert fitted.n_features_in_ == 31
    assert fitted.predict_proba(X).shape == (64, 4)
    assert_same_weights(fitted, clone(fitted).fit(X, y))
    with pytest.raises(ValueError, match="24 features, but .* is expecting 31 features"):
        fitted.predict(spectra()[0])


def test_predictions_do_not_depend_on_the_batch(fitted):
    X, _ = spectra(n=300, seed=1)
    one_by_one = np.concatenate([fitted.decision_function(row[None]) for row in X[:20]])
    np.testing.assert_allclose(one_by_one, fitted.decision_function(X)[:20], rtol=1e-4, atol=1e-5)


def test_pandas_in_and_feature_names(model):
    X, y = spectra()
    frame = pd.DataFrame(X, columns=[f"flux_{4000 + k}.0" for k in range(N_PIXELS)])
    model = quick(model).fit(frame, pd.Series(y, name="class"))
    assert list(model.feature_names_in_) == list(frame.columns)
    assert_same_weights(model, clone(model).fit(X, y))
    np.testing.assert_array_equal(model.predict(frame), clone(model).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"flux_4000.0": "flux_3999.0"}))


@pytest.mark.parametrize("n", [33, 65])
def test_last_batch_of_one(model, n):
    X, y = spectra(n=n)
    assert clone(model).set_params(batch_size=32, max_epochs=2).fit(X, y).predict(X).shape == (n,)


def test_channels_side_by_side(model):
    X, y = spectra()
    noise = np.random.default_rng(2).normal(size=X.shape)
    both = np.hstack([noise, X])
    if of_images(model):
        model.set_params(image_shape=(2, 1, -1))
    else:
        model.set_params(n_channels=2)
        with pytest.raises(ValueError, match=r"n_channels must divide the 24 features of X, got 5"):
            clone(model).set_params(n_channels=5).fit(X, y)
    assert patient(model).fit(both, y).score(both, y) > 0.8
    advice = "image .* image_shape=" if of_images(model) else "spectrum .* n_channels"
    with pytest.raises(ValueError, match=rf"shape \(60, 2, 24\), but one row per {advice}"):
        model.fit(np.stack([noise, X], axis=1), y)


@pytest.mark.parametrize("model", ONE_OF_EACH_SHAPE, indirect=True)
def test_class_weight_moves_the_boundary(model):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90, 30])
    y_test = np.repeat([0, 1], 200)
    X, X_test = (rng.normal(size=(len(label), 6)) + 0.7 * label[:, None] for label in (y, y_test))
    model.set_params(max_epochs=5)
    recall = {}
    for name, kwargs in {
        "none": {},
        "balanced": {"class_weight": "balanced"},
        "mapping": {"class_weight": {0: 1.0, 1: 100.0}},
    }.items():
        recall[name] = clone(model).set_params(**kwargs).fit(X, y).predict(X_test)[y_test == 1].mean()
    assert recall["none"] < recall["balanced"] < recall["mapping"]
    assert recall["mapping"] > 0.9
    by_sample = quick(model).fit(X, y, sample_weight=np.where(y, 100.0, 1.0))
    by_class = quick(model).set_params(class_weight={0: 1.0, 1: 100.0}).fit(X, y)
    assert_same_weights(by_sample, by_class)


@pytest.mark.parametrize("model", ONE_OF_EACH_SHAPE, indirect=True)
def test_sample_weight_decides_between_contradictory_labels(model):
    X, y = spectra(n=120, n_classes=2)
    model = patient(model)
    wrong = np.arange(120) < 70
    lie = np.where(wrong, 1 - y, y)
    trusting = clone(model).fit(X, lie).score(X[wrong], y[wrong])
    doubting = clone(model).fit(X, lie, sample_weight=np.where(wrong, 0.0, 1.0)).score(X[wrong], y[wrong])
    assert doubting > 0.8
    assert trusting < 0.5
    left_out = quick(model).fit(X[~wrong], y[~wrong])
    assert_same_weights(quick(model).fit(X, lie, sample_weight=np.where(wrong, 0.0, 3.0)), left_out)


@pytest.mark.parametrize("model", ONE_OF_EACH_SHAPE, indirect=True)
def test_grid_search_in_a_pipeline_in_processes(model):
    X, y = spectra(n=90, n_classes=2)
    model = patient(model)
    name = type(model).__name__.lower()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model), {f"{name}__lr": [1e-7, model.lr]}, cv=2, n_jobs=2, refit=False
    ).fit(X, np.array(["A", "F"])[y])
    assert search.best_params_ == {f"{name}__lr": model.lr}
    assert search.best_score_ > 0.7


def test_inside_ensembles_and_calibration(model):
    X, index = spectra()
    y = np.array(["A", "F", "G"])[index]
    other, few = ("lr", LogisticRegression()), quick(model)
    vote = VotingClassifier([("net", few), other], voting="soft").fit(X, y)
    alone = quick(model).fit(X, index), LogisticRegression().fit(X, y)
    np.testing.assert_allclose(
        vote.predict_proba(X), np.mean([m.predict_proba(X) for m in alone], axis=0), rtol=1e-12
    )
    stack = StackingClassifier([("net", few), other], cv=2).fit(X, y)
    assert stack.transform(X).shape == (60, 6)
    assert stack.score(X, y) > 0.9
    calibrated = CalibratedClassifierCV(few, cv=2).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1.0, atol=1e-12)
    assert set(cross_val_predict(few, X, y, cv=2)) <= set(y)


def test_importance_is_where_the_line_is(model):
    X, y = spectra(n_classes=2)
    X = X[:, [20, 2, 21, 22]]
    model = patient(model).fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=3, random_state=0)["importances_mean"]
    assert importance[1] > 0.2
    assert np.abs(importance[[0, 2, 3]]).max() < 0.5 * importance[1]


@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_few_columns(model, n_features):
    X, y = spectra(n_classes=2)
    best = X[:, [2, 14, 3][:n_features]]
    fitted = quick(model).fit(best, y)
    assert fitted.predict_proba(best).shape == (60, 2)
    assert np.isfinite(fitted.embed(best)).all()


def test_selects_columns(model):
    X, y = spectra(n=20, n_classes=2)
    model = quick(model).set_params(max_epochs=1)
    search = SequentialFeatureSelector(model, n_features_to_select=2, cv=2).fit(X[:, [2, 3, 14]], y)
    assert search.get_support().sum() == 2


def test_history_is_a_table(model):
    history = model.set_params(max_epochs=5).fit(*spectra()).history_
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert {"train_loss", "lr", "dur"} <= set(history.colnames)
    assert history["train_loss"][-1] < history["train_loss"][0]
