"""Fits that are refused, interrupted or diverge leave the estimator as it was before."""

import numpy as np
import pytest
from sklearn.base import clone
from skorch.callbacks import Callback

from skspec import Conv1DClassifier, Conv1DRegressor

RNG = np.random.default_rng(5)
X = RNG.normal(1.0, 0.2, (48, 24))
Y = np.repeat(["dwarf", "giant", "quasar"], 16)
SMALL = {"filters": (4,), "kernel_sizes": (3,), "max_epochs": 2, "random_state": 0}


class Interrupt(Callback):
    """Raise an exception in the middle of the second epoch."""

    def __init__(self, error=KeyboardInterrupt):
        self.error = error

    def on_batch_end(self, net, training=None, **kwargs):
        if training and len(net.history) > 1:
            raise self.error


def attributes(model):
    """Return the fitted attributes, and copies of the weights."""
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    state = model.net_.module_.state_dict() if hasattr(model, "net_") else {}
    return fitted, {name: tensor.clone() for name, tensor in state.items()}


def assert_unchanged(model, before):
    fitted, weights = attributes(model)
    assert fitted.keys() == before[0].keys()
    assert all(fitted[name] is before[0][name] for name in fitted)
    assert all((weights[name] == before[1][name]).all() for name in before[1])


REFUSED = {
    "other classes": {"y": np.where(Y == "giant", "Giant", Y)},
    "fewer columns": {"X": X[:, 1:]},
    "infinite flux": {"X": np.where(X > 1.5, np.inf, X)},
    "missing weight": {"sample_weight": np.full(48, np.nan)},
    "short groups": {"groups": [1, 2]},
}


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_fit_changes_nothing(warm_start, refused):
    model = Conv1DClassifier(**SMALL, warm_start=warm_start).fit(X, Y)
    before, expected = attributes(model), model.predict_proba(X)
    if refused == "other classes" and not warm_start:
        REFUSED[refused]["y"] = np.full(48, "dwarf")
    if refused == "fewer columns" and not warm_start:
        model.set_params(n_channels=7)
    with pytest.raises(ValueError, match=r"\w"):
        model.fit(**{"X": X, "y": Y} | REFUSED[refused])
    assert_unchanged(model, before)
    np.testing.assert_array_equal(model.set_params(n_channels=1).predict_proba(X), expected)


def test_a_refused_first_fit_leaves_no_attributes():
    model = Conv1DClassifier(**SMALL)
    for wrong in ({"y": np.full(48, "dwarf")}, {"groups": [1]}, {"sample_weight": -np.ones(48)}):
        with pytest.raises(ValueError, match=r"\w"):
            model.fit(**{"X": X, "y": Y} | wrong)
        assert attributes(model) == ({}, {})


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize(
    "options", [{}, {"warm_start": True}, {"ema_decay": 0.9, "validation_fraction": 0.25}]
)
def test_an_interrupted_fit_leaves_the_earlier_model(error, options):
    model = Conv1DClassifier(**SMALL).set_params(**options, callbacks=[Interrupt(error)])
    with pytest.raises(error):
        model.fit(X, Y)
    assert attributes(model) == ({}, {})
    model.set_params(callbacks=None).fit(X, Y)
    before = attributes(model)
    with pytest.raises(error):
        model.set_params(callbacks=[Interrupt(error)]).fit(X + 1.0, Y)
    assert_unchanged(model, before)


def test_ctrl_c_while_the_epoch_is_scored_is_not_taken_for_early_stopping():
    def scorer(estimator, X, y):
        raise KeyboardInterrupt

    model = Conv1DClassifier(**SMALL, validation_fraction=0.25, scoring=scorer)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert attributes(model) == ({}, {})


def test_an_interrupted_partial_fit_continues_as_if_it_had_not_been():
    model = Conv1DClassifier(**SMALL, callbacks=[Interrupt()])
    twin = clone(model).set_params(callbacks=None)
    for estimator in (model, twin):
        estimator.partial_fit(X, Y, classes=np.unique(Y))
    before = attributes(model)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, Y)
    assert_unchanged(model, before)
    assert len(model.history_) == len(model.net_.history) == 1
    model.net_.callbacks_ = [(name, c) for name, c in model.net_.callbacks_ if not isinstance(c, Interrupt)]
    for estimator in (model, twin):
        estimator.partial_fit(X, Y)
    np.testing.assert_array_equal(model.decision_function(X), twin.decision_function(X))


def test_a_refused_partial_fit_changes_nothing():
    model = Conv1DClassifier(**SMALL)
    with pytest.raises(ValueError, match="labels that are not in classes"):
        model.partial_fit(X, Y, classes=["dwarf", "giant"])
    assert attributes(model) == ({}, {})


# Divergence -------------------------------------------------------------------------------------------

STEEP = {"lr": 1e9, "max_epochs": 4, "schedule": "constant"}


@pytest.mark.parametrize(
    "options",
    [
        STEEP,
        STEEP | {"optimizer": "sgd", "batch_norm": False},
        STEEP | {"ema_decay": 0.9},
        STEEP | {"validation_fraction": 0.25, "optimizer": "sgd"},
        STEEP | {"precision": "bfloat16"},
    ],
)
@pytest.mark.parametrize("regressor", [False, True])
def test_diverging_training_is_an_error(options, regressor):
    if regressor:
        model, y = Conv1DRegressor(**SMALL).set_params(loss="squared_error"), RNG.normal(size=48)
    else:
        model, y = Conv1DClassifier(**SMALL), Y
    model.fit(X, y)
    before = attributes(model)
    message = (
        r"training diverged in epoch \d: .* NaN or infinite; a smaller lr than 1e.*, max_grad_norm=1, or"
    )
    with pytest.raises(FloatingPointError, match=message):
        model.set_params(**options).fit(X, y)
    assert_unchanged(model, before)


def test_one_bad_step_is_an_error():
    class Spoil(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            if len(net.history) == 2 and len(net.history[-1]["batches"]) == 2:
                named_parameters[-1][1].grad[0] = np.nan

    model = Conv1DClassifier(**SMALL, batch_size=24, callbacks=[Spoil()])  # the last step of the last epoch
    with pytest.raises(FloatingPointError, match="training diverged in epoch 2: weights are NaN"):
        model.fit(X, Y)
    assert attributes(model) == ({}, {})


def test_a_diverged_fit_leaves_no_checkpoint(tmp_path):
    class Spoil(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            if len(net.history) == 2:
                named_parameters[-1][1].grad[0] = np.nan

    model = Conv1DClassifier(**SMALL, checkpoint_dir=tmp_path, callbacks=[Spoil()])
    with pytest.raises(FloatingPointError):
        model.fit(X, Y)
    assert list(tmp_path.iterdir()) == []


def test_logits_that_are_nan_are_not_the_first_class():
    model = Conv1DClassifier(**SMALL).fit(X, Y)
    model.net_.module_.network.final_layer.weight.data[:] = np.nan
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(FloatingPointError, match="returns NaN or infinity for spectrum 0 and 47 others"):
            getattr(model, method)(X)


# Values of unusual size -------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-17, 1e-30, 1e30])
def test_flux_in_physical_units(unit):
    rows = X.copy()
    rows[:, 3] = 1.0  # a constant column
    expected = Conv1DClassifier(**SMALL).fit(rows, Y).predict_proba(rows)
    model = Conv1DClassifier(**SMALL).fit(rows * unit, Y)
    np.testing.assert_allclose(model.predict_proba(rows * unit), expected, atol=1e-4)
    rows[:, 3] = 1.1
    assert np.isfinite(model.predict_proba(rows * unit)).all()


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_targets_of_unusual_size(unit):
    y = X[:, 0] + X[:, 1]
    plain = Conv1DRegressor(**SMALL).fit(X, y).predict(X)
    np.testing.assert_allclose(Conv1DRegressor(**SMALL).fit(X, y * unit).predict(X) / unit, plain, rtol=1e-4)
