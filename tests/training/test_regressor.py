"""Regression: standardised, multiple and unknown targets, standard deviations, and the shared engine."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from astropy import units as u
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from skspec import Conv1DRegressor
from skspec.training.losses import ValueLoss


def spectra(n=200, n_pixels=30, seed=0):
    """Return spectra with slopes and line depths, which have very different scales."""
    rng = np.random.default_rng(seed)
    slope, depth = rng.uniform(-1, 1, n), rng.uniform(0.2, 1, n)
    X = 1 + 0.5 * slope[:, None] * np.linspace(-1, 1, n_pixels) + 0.02 * rng.normal(size=(n, n_pixels))
    X[:, 14:17] -= depth[:, None]
    return X, np.column_stack([5000 + 1000 * slope, 1e-3 * depth])


@pytest.fixture
def model():
    return Conv1DRegressor(
        filters=(8,), kernel_sizes=(3,), strides=1, dropout=0.0, lr=1e-2, max_epochs=40, random_state=0
    )


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "gaussian"])
def test_predictions_are_in_original_units(model, loss):
    X, y = spectra()
    model.set_params(loss=loss).fit(X, y)
    np.testing.assert_allclose(model.target_mean_, y.mean(axis=0))
    np.testing.assert_allclose(model.target_scale_, y.std(axis=0))
    X_test, y_test = spectra(seed=1)
    predicted = model.predict(X_test)
    assert predicted.shape == (200, 2)
    assert predicted.dtype == np.float64
    assert (np.std(predicted - y_test, axis=0) < 0.25 * y.std(axis=0)).all()
    assert model.score(X_test, y_test) > 0.9


def test_one_value_has_no_second_axis(model):
    X, y = spectra()
    flat = model.fit(X, y[:, 0]).predict(X)
    assert flat.shape == (200,)
    column = clone(model).fit(X, y[:, :1]).predict(X)
    assert column.shape == (200, 1)
    np.testing.assert_array_equal(column[:, 0], flat)


def test_losses_against_closed_forms():
    generator = torch.Generator().manual_seed(0)
    outputs, target = torch.randn(2, 6, 3, generator=generator)
    weight = torch.linspace(0.5, 1.5, 6)
    assert ValueLoss("squared_error")(outputs, target).item() == pytest.approx(
        functional.mse_loss(outputs, target).item()
    )
    assert ValueLoss("absolute_error")(outputs, target).item() == pytest.approx(
        functional.l1_loss(outputs, target).item()
    )
    each = ((outputs - target) ** 2).mean(dim=1)
    assert ValueLoss("squared_error")(outputs, target, weight).item() == pytest.approx(
        (weight * each).mean().item()
    )
    both = torch.cat([outputs, torch.randn(6, 3, generator=generator)], dim=1)
    density = stats.norm.logpdf(target, outputs, np.exp(0.5 * both[:, 3:].numpy()))
    expected = -density.mean() - 0.5 * np.log(2 * np.pi)
    assert ValueLoss("gaussian")(both, target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["squared_error", "absolute_error", "gaussian"])
def test_unknown_values_have_no_gradient(kind):
    outputs = torch.randn(4, 4, requires_grad=True)
    target = torch.zeros(4, 2)
    target[1, 0] = target[2, 1] = torch.nan
    ValueLoss(kind)(outputs, target).backward()
    assert torch.isfinite(outputs.grad).all()
    assert outputs.grad[1, 0] == outputs.grad[2, 1] == 0
    assert (outputs.grad[0, :2] != 0).all()


def test_unknown_values_do_not_affect_known_ones(model):
    X, y = spectra(n=400)
    some = y.copy()
    some[::2, 1] = np.nan
    some[1::4, 0] = np.nan
    model.fit(X, some)
    np.testing.assert_allclose(model.target_mean_, np.nanmean(some, axis=0))
    X_test, y_test = spectra(seed=1)
    assert model.score(X_test, y_test) > 0.9
    masked = np.ma.masked_invalid(some)
    np.testing.assert_array_equal(clone(model).fit(X, masked).predict(X_test), model.predict(X_test))
    model.set_params(validation_fraction=0.2, scoring="r2", mixup=0.2, max_epochs=10).fit(X, some)
    assert np.isfinite(model.history_["valid_score"]).all()


def test_standard_deviations_are_those_of_the_data(model):
    """Noise that increases with the slope is recovered, and standardised residuals have unit variance."""
    rng = np.random.default_rng(0)
    X, y = spectra(n=1500)
    sigma = np.where(y[:, 0] > 5000, 400.0, 50.0)
    noisy = y[:, 0] + sigma * rng.normal(size=1500)
    model.set_params(loss="gaussian", max_epochs=60, batch_size=64).fit(X[:1000], noisy[:1000])
    value, std = model.predict(X[1000:], return_std=True)
    assert value.shape == std.shape == (500,)
    far = abs(y[1000:, 0] - 5000) > 200
    np.testing.assert_allclose(np.median(std[far & (sigma[1000:] == 400)]), 400, rtol=0.25)
    np.testing.assert_allclose(np.median(std[far & (sigma[1000:] == 50)]), 50, rtol=0.6)
    assert np.std((noisy[1000:] - value) / std) == pytest.approx(1.0, abs=0.25)


def test_works_with_scikit_learn(model):
    X, y = spectra()
    y = y[:, 0]
    name = "conv1dregressor"
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model), {f"{name}__lr": [1e-6, 1e-2]}, cv=2, n_jobs=2
    )
    assert search.fit(X, y).best_params_ == {f"{name}__lr": 1e-2}
    assert VotingRegressor([("net", model), ("ridge", Ridge())]).fit(X, y).score(X, y) > 0.9
    assert cross_val_score(model, X, y, cv=3, scoring="neg_mean_absolute_error").mean() > -200


def test_copies_and_persistence(model):
    X, y = spectra()
    model.set_params(loss="gaussian").fit(X, y)
    expected = model.predict(X, return_std=True)
    state, arrays = model.__skspec_get_state__()
    for twin in (
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
        clone(model).__skspec_set_state__(json.loads(json.dumps(state)), arrays),
    ):
        np.testing.assert_array_equal(twin.predict(X, return_std=True), expected)
    assert model.embed(X).shape[0] == 200


def test_early_stopping_keeps_the_best_epoch(model):
    X, y = spectra()
    model.set_params(
        validation_fraction=0.25, scoring="neg_mean_absolute_error", n_iter_no_change=5, max_epochs=100
    )
    model.fit(X, y, groups=np.arange(200) // 4)
    scores = model.history_["valid_score"]
    assert model.best_epoch_ == 1 + int(np.argmax(scores))
    assert len(scores) <= model.best_epoch_ + 5


def test_each_target_is_scored_where_it_is_known(model):
    X, y = spectra()
    first = np.arange(200) % 2 == 0
    partly = np.column_stack([np.where(first, y[:, 0], np.nan), np.where(first, np.nan, y[:, 1])])
    seen = []

    def scorer(estimator, X, y):
        seen.append((len(X), y))
        return r2_score(y, estimator.predict(X))

    model.set_params(validation_fraction=0.25, scoring=scorer, max_epochs=2).fit(X, partly)
    assert sum(n for n, _ in seen[:2]) == 50
    assert all(np.isfinite(true).all() for _, true in seen)
    recorded = model.history_["valid_score"][model.best_epoch_ - 1]
    model.set_params(scoring="r2").fit(X, partly)
    assert model.history_["valid_score"][model.best_epoch_ - 1] == pytest.approx(recorded)


def test_warm_start_keeps_scale_and_weights(model):
    X, y = spectra()
    model.set_params(warm_start=True).fit(X, y)
    mean = model.target_mean_
    before = model.predict(X)
    model.set_params(lr=1e-12).fit(X, y + np.array([100.0, 0.0]))
    np.testing.assert_array_equal(model.target_mean_, mean)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-3)
    with pytest.raises(ValueError, match="warm_start needs the 2 targets of the last fit, got 1"):
        model.fit(X, y[:, 0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (X, y * u.K), TypeError, "y is an astropy Quantity in K"),
        (
            lambda X, y: (X, np.where(np.arange(200)[:, None] == 7, np.nan, y)),
            ValueError,
            "row 7 of y has no known value",
        ),
        (lambda X, y: (X, y * [1.0, np.nan]), ValueError, "column 1 of y has no known value"),
        (lambda X, y: (X, y * np.inf), ValueError, "y contains infinity"),
        (lambda X, y: (X, y[:-1]), ValueError, "inconsistent numbers of samples"),
        (lambda X, y: (X, None), ValueError, "requires y to be passed, but the target y is None"),
    ],
)
def test_bad_targets(model, change, error, message):
    with pytest.raises(error, match=message):
        model.fit(*change(*spectra()))


def test_errors_need_the_gaussian_loss(model):
    X, y = spectra()
    with pytest.raises(
        ValueError, match="return_std needs loss='gaussian', this model has loss='squared_error'"
    ):
        model.fit(X, y).predict(X, return_std=True)
    with pytest.raises(ValueError, match="loss must be one of 'squared_error', 'absolute_error', 'gaussian'"):
        model.set_params(loss="mse").fit(X, y)
