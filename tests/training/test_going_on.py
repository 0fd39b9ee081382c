"""Continued fits and options of the training loop: averages, clipping, precision, compilation."""

import copy
import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from skspec import Conv1DClassifier
from skspec.networks import Conv1D
from skspec.training.batching import Batches, Rows, balanced
from skspec.training.precision import resolve_precision


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    return rng.normal(size=(120, 20)) + 0.4 * y[:, None], np.array(["A", "F", "G"])[y]


@pytest.fixture
def model():
    return Conv1DClassifier(filters=(8,), kernel_sizes=(3,), max_epochs=5, lr=1e-2, random_state=0)


def weights(model):
    return {name: t.clone() for name, t in model.net_.module_.state_dict().items()}


class Watch(Callback):
    """Record the state of the loop after each step."""

    def on_train_begin(self, net, **kwargs):
        self.norms_, self.weights_, self.targets_, self.lr_ = [], [], [], []

    def on_grad_computed(self, net, named_parameters, batch=None, **kwargs):
        squares = [(p.grad**2).sum() for _, p in named_parameters]
        self.norms_.append(float(torch.stack(squares).sum().sqrt()))
        self.targets_.append(batch.y)

    def on_batch_end(self, net, training=None, **kwargs):
        if training:
            self.weights_.append({k: v.clone() for k, v in net.module_.state_dict().items()})


def watch(model):
    return dict(model.net_.callbacks_)["Watch"]


# warm_start and partial_fit ---------------------------------------------------------------------------


def test_warm_start_continues_from_the_last_weights(model, data):
    X, y = data
    model.set_params(warm_start=True, schedule="constant").fit(X, y)
    first = model.history_["train_loss"][-1]
    before, center = weights(model), model.net_.module_.center.clone()
    model.set_params(lr=1e-12).fit(X + 0.5, y)
    after = weights(model)
    for name in ("network.final_layer.weight", "network.branches.0.0.weight"):
        torch.testing.assert_close(after[name], before[name], atol=1e-6, rtol=0)
    assert torch.equal(model.net_.module_.center, center)  # columns are standardised as before
    model.set_params(lr=1e-2).fit(X, y)
    assert model.history_["train_loss"][-1] < first
    cold = clone(model).set_params(warm_start=False)
    twice = cold.fit(X, y).decision_function(X)
    np.testing.assert_array_equal(cold.fit(X, y).decision_function(X), twice)


def test_warm_start_needs_the_same_classes_and_columns(model, data):
    X, y = data
    model.set_params(warm_start=True).fit(X, y)
    with pytest.raises(
        ValueError, match=r"warm_start needs the classes of the last fit, \['A', 'F', 'G'\], got"
    ):
        model.fit(X[y != "F"], y[y != "F"])
    model.fit(X, y)
    with pytest.raises(ValueError, match="19 features, but .* is expecting 20"):
        model.fit(X[:, 1:], y)


def test_partial_fit_learns_in_portions(model, data):
    X, y = data
    for _ in range(30):
        for part in np.array_split(np.arange(120), 3):
            model.partial_fit(X[part], y[part], classes=["G", "A", "F"])
    assert model.score(X, y) > 0.8
    assert len(model.history_) == 90
    assert set(model.history_["lr"]) == {1e-2}
    assert model.classes_.tolist() == ["A", "F", "G"]


def test_partial_fit_is_seeded_and_continues_after_pickle(model, data):
    X, y = data
    twin = clone(model)
    for k in range(4):
        model.partial_fit(X, y, classes=np.unique(y))
        twin = copy.deepcopy(twin).partial_fit(X, y, classes=np.unique(y) if k == 0 else None)
    np.testing.assert_array_equal(model.decision_function(X), twin.decision_function(X))


def test_partial_fit_is_a_pass_of_the_optimiser(model, data):
    """Each call is an epoch at a constant rate, and keeps the moments of the optimiser."""
    X, y = data
    model.partial_fit(X, y, classes=np.unique(y))
    once = clone(model).set_params(max_epochs=1, schedule="constant", random_state=0)
    steps = model.net_.optimizer_.state_dict()["state"][0]["step"]
    assert steps == 4
    model.partial_fit(X, y)
    assert model.net_.optimizer_.state_dict()["state"][0]["step"] == 8
    once.fit(X, y).partial_fit(X, y)
    assert once.net_.optimizer_.state_dict()["state"][0]["step"] == 8
    assert len(once.history_) == 2


def test_partial_fit_needs_classes(model, data):
    X, y = data
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match="classes has only one class, 'A'"):
        model.partial_fit(X, y, classes=["A"])
    with pytest.raises(ValueError, match=r"y has labels that are not in classes: \['G'\]"):
        model.partial_fit(X, y, classes=["A", "F"])
    model.partial_fit(X, y, classes=["A", "F", "G", "K"])
    assert model.predict_proba(X).shape == (120, 4)
    with pytest.raises(ValueError, match=r"classes must stay \['A', 'F', 'G', 'K'\], got \['A', 'F', 'G'\]"):
        model.partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="class_weight='balanced' needs all labels"):
        model.set_params(class_weight="balanced").partial_fit(X, y)


# Averages, clipping, plateaus, balance ----------------------------------------------------------------


def test_average_of_the_weights(model, data):
    X, y = data
    model.set_params(ema_decay=0.6, callbacks=[Watch()]).fit(X, y)
    steps = watch(model).weights_
    with torch.random.fork_rng():
        torch.manual_seed(int(np.random.RandomState(0).randint(2**31 - 1)))
        average = {
            f"network.{k}": v for k, v in Conv1D(20, 3, filters=(8,), kernel_sizes=(3,)).state_dict().items()
        }
    for k, step in enumerate(steps):
        decay = min(0.6, (1 + k) / (10 + k))
        average = {name: decay * value + (1 - decay) * step[name] for name, value in average.items()}
    final = weights(model)
    for name, value in average.items():
        if value.is_floating_point() and "num_batches" not in name:
            torch.testing.assert_close(final[name], value, rtol=1e-4, atol=1e-6)
    assert not torch.equal(final["network.final_layer.weight"], steps[-1]["network.final_layer.weight"])


def test_gradients_are_clipped(model, data):
    model.set_params(callbacks=[Watch()]).fit(*data)
    free = watch(model).norms_
    model.set_params(max_grad_norm=0.2).fit(*data)
    assert max(free) > 0.3
    assert max(watch(model).norms_) <= 0.2 * (1 + 1e-5)
    assert watch(model).norms_[0] == pytest.approx(min(free[0], 0.2), rel=1e-4)


def test_plateau_reduces_the_rate_after_five_epochs_without_improvement(model, data):
    X, y = data
    model.set_params(schedule="plateau", max_epochs=200, lr=0.02).fit(X, y)
    history = model.history_
    best, since, lr = np.inf, 0, 0.02
    for loss, recorded in zip(history["train_loss"], history["lr"], strict=True):
        assert recorded == pytest.approx(lr)
        best, since = (loss, 0) if loss < best else (best, since + 1)
        if since == 5:
            lr, since = 0.3 * lr, 0
    assert lr < 0.02


def test_balanced_batches_draw_classes_equally_often(model):
    target = np.repeat([0, 1, 2], [900, 90, 10])
    generator = np.random.default_rng(0)
    batches = Batches(
        Rows(np.arange(1000.0)[:, None], target), 100, generator=generator, probability=balanced(target)
    )
    passes = [torch.cat([batch.y for batch in batches]) for _ in range(30)]
    counts = np.bincount(torch.cat(passes), minlength=3)
    np.testing.assert_allclose(counts, 10_000, atol=4 * np.sqrt(1e4))
    assert len(passes[0]) == 1000
    rows = np.random.default_rng(1).normal(size=(1000, 20))
    model.set_params(balanced_batches=True, max_epochs=2, callbacks=[Watch()]).fit(rows, target)
    share = np.bincount(torch.cat(watch(model).targets_), minlength=3) / 2000
    np.testing.assert_allclose(share, 1 / 3, atol=0.05)


# Precision and compilation ----------------------------------------------------------------------------


def test_precision_auto_depends_on_device_and_size(monkeypatch):
    cpu = torch.device("cpu")
    for available in (True, False):
        monkeypatch.setattr("skspec.training.precision._multiplies_bfloat16", lambda _, x=available: x)
        assert resolve_precision("float32", cpu, 10**8) == torch.float32
        assert resolve_precision("bfloat16", cpu, 10) == torch.bfloat16
        assert resolve_precision("auto", cpu, 10) == torch.float32
        expected = torch.bfloat16 if available else torch.float32
        assert resolve_precision("auto", cpu, 10**8) == expected


def test_bfloat16_trains_and_predicts_nearly_the_same(model, data):
    X, y = data
    model.set_params(max_epochs=15).fit(X, y)
    exact = model.predict_proba(X)
    rounded = clone(model).set_params(precision="bfloat16").fit(X, y)
    assert rounded.decision_function(X).dtype == np.float32
    assert all(t.dtype != torch.bfloat16 for t in rounded.net_.module_.state_dict().values())
    assert 0 < abs(rounded.predict_proba(X) - exact).max() < 0.1
    assert abs(rounded.score(X, y) - model.score(X, y)) < 0.03
    model.set_params(precision="bfloat16")
    assert 0 < abs(model.predict_proba(X) - exact).max() < 0.02


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="needs a C++ compiler")
def test_compiled_training_is_the_same(model, data):
    X, y = data
    model.set_params(dropout=0.0)  # compiled dropout draws other random numbers
    expected = model.fit(X, y).decision_function(X)
    compiled = clone(model).set_params(compile=True).fit(X, y)
    np.testing.assert_allclose(compiled.decision_function(X), expected, rtol=1e-3, atol=1e-4)
    twin = copy.deepcopy(compiled)
    np.testing.assert_allclose(twin.decision_function(X), expected, rtol=1e-3, atol=1e-4)
    assert weights(twin).keys() == weights(model).keys()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"precision": "float16"}, "precision must be one of 'auto', 'float32', 'bfloat16', got 'float16'"),
        ({"max_grad_norm": 0.0}, "max_grad_norm == 0.0, must be > 0"),
        ({"ema_decay": 1.0}, "ema_decay == 1.0, must be < 1"),
        ({"validation_fraction": 1.0}, "validation_fraction == 1.0, must be < 1"),
        ({"n_iter_no_change": 0}, "n_iter_no_change == 0, must be >= 1"),
        ({"schedule": "onecycle"}, "did you mean 'one-cycle'"),
        ({"warm_start": "yes"}, "warm_start must be one of True, False, got 'yes'"),
    ],
)
def test_invalid_parameters(model, data, params, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(**params).fit(*data)
