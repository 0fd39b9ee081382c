"""The training loop against a minimal one, callbacks, devices and Ctrl-C."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, GradientNormClipping
from torch import nn

from skspec import Conv1DClassifier, ConvKANClassifier, ConvTranClassifier, Mask, Noise, Shift, Tilt
from skspec.networks import Conv1D
from skspec.training import Augmentation, SpectrumClassifier
from skspec.training.devices import resolve_device
from skspec.training.losses import CrossEntropy
from skspec.training.randomness import own_generator, seeded
from skspec.training.schedules import cosine, one_cycle


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.arange(65) % 3
    return rng.normal(size=(65, 20)) + y[:, None], y


@pytest.fixture
def model():
    return Conv1DClassifier(filters=(4,), kernel_sizes=(3,), batch_size=16, max_epochs=4, random_state=7)


def test_training_equals_a_minimal_loop(data, model):
    X, y = data
    weight = np.linspace(0.5, 2.0, 65)
    model.set_params(dropout=0.3, weight_decay=0.1).fit(X, y, sample_weight=weight)

    seed = int(np.random.RandomState(7).randint(2**31 - 1))
    order = np.random.default_rng(seed)
    z = X.astype(np.float32)
    z = torch.from_numpy(((z - z.mean(axis=0, dtype=float)) / z.std(axis=0, dtype=float)).astype(np.float32))[
        :, None
    ]
    w, target = torch.from_numpy((weight / weight.mean()).astype(np.float32)), torch.from_numpy(y)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Conv1D(20, 3, filters=(4,), kernel_sizes=(3,), dropout=0.3)
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.1)
        losses, step = [], 0
        for _ in range(4):
            rows = torch.from_numpy(order.permutation(65))
            for batch in (rows[:16], rows[16:32], rows[32:48], rows[48:]):
                optimizer.param_groups[0]["lr"] = model.lr * one_cycle(step / 16)
                loss = torch.nn.functional.cross_entropy(network(z[batch]), target[batch], reduction="none")
                loss = (loss * w[batch]).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                step += 1
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(
            model.net_.module_.network.state_dict()[name], tensor, rtol=1e-4, atol=1e-6
        )
    per_epoch = np.average(np.reshape(losses, (4, 4)), axis=1, weights=[16, 16, 16, 17])
    np.testing.assert_allclose(model.history_["train_loss"], per_epoch, rtol=1e-5)


def test_schedules():
    assert [one_cycle(t) for t in (0.0, 0.15, 0.3, 0.65, 1.0)] == pytest.approx([0.04, 0.52, 1.0, 0.5, 0.0])
    assert [cosine(t) for t in (0.0, 1 / 3, 0.5, 1.0)] == pytest.approx([1.0, 0.75, 0.5, 0.0])


@pytest.mark.parametrize(
    ("schedule", "last"), [("constant", 1.0), ("cosine", cosine(19 / 20)), ("one-cycle", one_cycle(19 / 20))]
)
@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_learns_on_every_schedule(data, model, schedule, last, optimizer):
    X, y = data
    model.set_params(schedule=schedule, optimizer=optimizer, lr=0.02, max_epochs=5).fit(X, y)
    assert model.history_["lr"][-1] == pytest.approx(0.02 * last)  # 5 epochs of 4 batches: the 20th step
    assert model.history_["train_loss"][-1] < model.history_["train_loss"][0]


def test_weights_do_not_change_scale_from_batch_to_batch():
    logits, target = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    each = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    weight = torch.tensor([0.0, 0.0, 0.0, 2.0, 2.0, 2.0])
    assert CrossEntropy()(logits, target).item() == pytest.approx(each.mean().item())
    assert CrossEntropy()(logits, target, weight).item() == pytest.approx(each[3:].mean().item())
    assert CrossEntropy()(logits[:3], target[:3], weight[:3]).item() == 0.0


# Callbacks --------------------------------------------------------------------------------------------


class Recorder(Callback):
    """Record the calls and their arguments."""

    def __init__(self, label="calls"):
        self.label = label

    def initialize(self):
        self.calls_ = []
        return self

    def on_batch_end(self, net, batch=None, training=None, loss=None, y_pred=None, **kwargs):
        X, y = batch
        self.calls_.append((tuple(X.shape), tuple(y.shape), tuple(y_pred.shape), float(loss)))


def test_callbacks_are_cloned_and_called(data, model):
    X, y = data
    given = Recorder("mine")
    model.set_params(callbacks=[given, ("second", Recorder())]).fit(X, y)
    assert not hasattr(given, "calls_")
    found = dict(model.net_.callbacks_)
    assert found["Recorder"].label == "mine"
    shapes = [((16, 20), (16,), (16, 3))] * 3 + [((17, 20), (17,), (17, 3))]
    assert [call[:3] for call in found["second"].calls_] == shapes * 4
    twin = clone(model)
    assert twin.callbacks[0] is not given
    assert twin.fit(X, y).history_["train_loss"].tolist() == model.history_["train_loss"].tolist()


def test_skorch_callbacks_pass_through(data, model):
    X, y = data
    model.set_params(
        max_epochs=30,
        callbacks=[
            EpochScoring("accuracy", name="seen", on_train=True, use_caching=False),
            GradientNormClipping(1e-3),
            EarlyStopping(monitor="train_loss", patience=2, threshold=0.5, sink=lambda _: None),
            EpochScoring("accuracy", name="in_passing", on_train=True),
        ],
    ).fit(X, y)
    assert len(model.history_) < 30
    assert model.history_["seen"][-1] == pytest.approx(model.score(X, y))
    assert 0 < model.history_["in_passing"][-1] <= 1
    assert model.history_.colnames == ["epoch", "dur", "in_passing", "lr", "seen", "train_loss"]
    assert all(p.grad is None for p in model.net_.module_.parameters())  # gradients are freed


class Interrupt(Callback):
    """Simulate Ctrl-C in the middle of an epoch."""

    def on_batch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_ctrl_c_stops_the_program_not_just_the_training(data, model):
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[Interrupt()]).fit(*data)
    assert not hasattr(model, "net_")


def test_verbose(data, model, capsys):
    model.fit(*data)
    assert capsys.readouterr() == ("", "")
    model.set_params(verbose=1).fit(*data)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Conv1DClassifier: 100%" in err
    assert "4/4 [" in err
    assert f"loss={model.history_['train_loss'][-1]:.4f}" in err
    pickle.dumps(model)
    model.set_params(verbose=2).fit(*data)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.split()[:4] == ["epoch", "lr", "train_loss", "dur"]
    assert len(out.splitlines()) == 2 + 4


# Devices ----------------------------------------------------------------------------------------------


def test_pickles_are_on_the_cpu(data, model):
    X, y = data
    model.set_params(device="cpu:0").fit(X, y)  # handled like a GPU
    state = model.net_.__getstate__()
    assert state["device"] == "cpu"
    twin = pickle.loads(pickle.dumps(model))
    assert twin.net_.device == "cpu"
    assert model.net_.device == "cpu:0"
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    owned = {id(p) for p in twin.net_.module_.parameters()}
    assert {id(p) for group in twin.net_.optimizer_.param_groups for p in group["params"]} == owned


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_model_of_a_missing_device_predicts_on_the_cpu(data, model):
    X, y = data
    model.fit(X, y)
    expected = model.predict(X)
    model.set_params(device="cuda")
    with pytest.warns(UserWarning, match="device must be .* got 'cuda'.*; predicting on the CPU"):
        np.testing.assert_array_equal(model.predict(X), expected)
    with pytest.raises(ValueError, match="device must be"):
        model.fit(X, y)
    assert resolve_device("auto") == torch.device("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_agree_and_generators_stay(data, model):
    X, y = data
    before = torch.cuda.get_rng_state()
    model.set_params(device="cuda", dropout=0.1).fit(X, y)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    twin = pickle.loads(pickle.dumps(model)).set_params(device="cpu")
    assert all(t.device.type == "cpu" for t in twin.net_.module_.state_dict().values())
    np.testing.assert_allclose(twin.predict_proba(X), model.predict_proba(X), atol=1e-4)


def test_seeded_generators_are_those_of_the_thread():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    with seeded(5, torch.device("cpu")), ThreadPoolExecutor(1) as pool:
        assert pool.submit(own_generator, "cpu").result() is None
        with seeded(6, torch.device("cpu")):
            torch.rand(3, generator=own_generator("cpu"))
        assert torch.equal(torch.rand(3, generator=own_generator("cpu")), expected)
    assert torch.equal(torch.get_rng_state(), before)
    assert own_generator("cpu") is None


class _ForeignNetwork(nn.Module):
    """A network with dropout as a function, as users write them."""

    def __init__(self, n_pixels, n_outputs, n_channels=1):
        super().__init__()
        self.embedding = nn.Linear(n_channels * n_pixels, 8)
        self.final_layer = nn.Linear(8, n_outputs)

    def features(self, x):
        return nn.functional.dropout(self.embedding(x.flatten(1)), 0.3, self.training)

    def forward(self, x):
        return self.final_layer(self.features(x))


class _ForeignClassifier(SpectrumClassifier):
    _network_class = _ForeignNetwork


class _ForeignScale(Augmentation):
    def __call__(self, x, ivar_channel=None, wave=None):
        return x * torch.rand(len(x), 1, 1)


FITS = {
    "convolutions": Conv1DClassifier(filters=(4,), kernel_sizes=(3,), dropout=0.3),
    "augmentation": Conv1DClassifier(
        filters=(4,),
        kernel_sizes=(3,),
        augment=[Shift(1), Noise((0.0, 0.1)), Mask(0.2), Tilt(0.1)],
        mixup=0.2,
    ),
    "attention": ConvTranClassifier(embed_dim=8, n_heads=2, feedforward_dim=8, dropout=0.2),
    "splines": ConvKANClassifier(filters=(4,), dropout=0.2),
    "foreign network": _ForeignClassifier(),
    "foreign augmentation": Conv1DClassifier(filters=(4,), kernel_sizes=(3,), augment=[_ForeignScale()]),
}


@pytest.mark.parametrize("name", FITS)
def test_fits_in_threads_are_those_alone(name):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 20)), np.arange(60) % 3
    models = [clone(FITS[name]).set_params(max_epochs=3, random_state=seed) for seed in (0, 1)]
    alone = [clone(model).fit(X, y).decision_function(X) for model in models]
    assert not np.array_equal(*alone)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(model.fit, X, y) for model in models]
        while not all(future.done() for future in futures):
            if not name.startswith("foreign"):
                torch.rand(10)
    for future, expected in zip(futures, alone, strict=True):
        np.testing.assert_array_equal(future.result().decision_function(X), expected)


@pytest.mark.parametrize("name", FITS)
def test_global_generators_are_left_alone(name):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 20)), np.arange(60) % 3
    before, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = clone(FITS[name]).set_params(max_epochs=1, random_state=0).fit(X, y)
    model.partial_fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002
    pickle.loads(pickle.dumps(model))
