"""Conv1D compared with the published sizes and with a plain numpy implementation of its layer table."""

import json

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from skspec.networks import Conv1D
from skspec.networks._layers import Dropout
from tests._data import data_path

PUBLISHED = {
    "conv1d_v1": {
        "filters": (512, 256, 128, 64),
        "strides": 1,
        "head": "channel_max",
        "hidden": (2048, 1024),
    },
    "conv1d_v2": {
        "filters": (32, 128, 512, 2048, 512, 128, 32),
        "strides": (1, 2, 2, 2, 2, 2, 2),
        "head": "flatten",
        "hidden": (2048,),
    },
    "conv1d_v2_small": {
        "filters": (8, 16, 32, 16, 8),
        "strides": (1, 2, 2, 2, 2),
        "head": "flatten",
        "hidden": (64,),
    },
}
UNUSED = {"conv1d_v1": [[1, 64, 1, 1], [1]]}  # a layer of the released model that is never called


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    expected = json.loads(data_path("mk_predictions/arch_parity.json").read_text())[name]
    shapes = expected["param_shapes_in_definition_order"]
    for shape in UNUSED.get(name, []):
        shapes.remove(shape)
    with torch.device("meta"):  # sizes without the 160 MB of weights
        network = Conv1D(2305, 39, batch_norm=False, **PUBLISHED[name])
        output = network(torch.empty(2, 1, 2305))
    assert [list(p.shape) for p in network.parameters()] == shapes
    unused = sum(int(np.prod(shape)) for shape in UNUSED.get(name, []))
    assert sum(p.numel() for p in network.parameters()) == expected["params"] - unused
    assert list(output.shape) == expected["output_shape"]


def plain_conv1d(weights, x, *, kernel_sizes, strides, head, batch_norm):
    """Implement the layer table in float64; `weights` are in the order of definition."""
    weights = iter(weights)
    joined = []
    for kernel in kernel_sizes:
        z = x
        for stride in strides:
            short = max(kernel - z.shape[2], 0)
            z = np.pad(z, ((0, 0), (0, 0), (short // 2, short - short // 2)))
            w = next(weights)
            z = np.einsum("nclk,fck->nfl", sliding_window_view(z, kernel, axis=2)[:, :, ::stride], w)
            if batch_norm:
                gain, offset, mean, var = (next(weights)[:, None] for _ in range(4))
                z = (z - mean) / np.sqrt(var + 1e-5) * gain + offset
            else:
                z = z + next(weights)[:, None]
            z = np.maximum(z, 0)
        joined.append({"pool": z.mean(2), "flatten": z.reshape(len(z), -1), "channel_max": z.max(1)}[head])
    z = np.concatenate(joined, axis=1)
    linear = list(weights)
    for w, b in zip(linear[:-2:2], linear[1:-2:2], strict=True):
        z = np.maximum(z @ w.T + b, 0)
    return z, z @ linear[-2].T + linear[-1]


@pytest.mark.parametrize("n_pixels", [1, 5, 101])
@pytest.mark.parametrize("hidden", [(), (7, 5)])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("head", ["pool", "flatten", "channel_max"])
def test_forward_is_the_layer_table(n_pixels, hidden, batch_norm, head):
    config = {"kernel_sizes": (3, 6), "strides": (1, 3, 2), "head": head, "batch_norm": batch_norm}
    torch.manual_seed(0)
    network = Conv1D(
        n_pixels, 4, n_channels=2, filters=(3, 6, 5), hidden=hidden, dropout=0.3, **config
    ).eval()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(
                    torch.rand_like(tensor) + 0.1 if (tensor.ndim == 1) else torch.randn_like(tensor) / 3
                )
    weights = [t.double().numpy() for t in network.state_dict().values() if t.is_floating_point()]
    x = torch.randn(6, 2, n_pixels)
    features, logits = plain_conv1d(weights, x.double().numpy(), **config)
    with torch.inference_mode():
        np.testing.assert_allclose(network(x), logits, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(network.features(x), features, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(network.final_layer(network.features(x)), network(x))


@pytest.mark.parametrize("head", ["pool", "flatten", "channel_max"])
@pytest.mark.parametrize("n_pixels", range(1, 21))
def test_any_number_of_pixels(n_pixels, head):
    network = Conv1D(n_pixels, 3, filters=(4, 4, 4), kernel_sizes=(1, 7, 31), head=head)
    logits = network(torch.randn(5, 1, n_pixels))
    logits.sum().backward()
    assert logits.shape == (5, 3)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize(
    ("n_pixels", "filters", "stride"),
    [(5, 3, 1), (50, 3, 1), (433, 3, 2), (1000, 3, 3), (4300, 3, 4), (4300, 2, 9)],
)
def test_strides_that_leave_about_fifty_pixels(n_pixels, filters, stride):
    with torch.device("meta"):
        network = Conv1D(n_pixels, 3, filters=(4,) * filters, kernel_sizes=(3,))
    assert [m.stride for m in network.modules() if isinstance(m, torch.nn.Conv2d)] == [(1, stride)] * filters


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    network = Conv1D(50, 3, dropout=0.5, hidden=(16,))
    x = torch.randn(4, 1, 50)
    network.eval()
    torch.testing.assert_close(network(x), network(x), rtol=0, atol=0)
    network.train()
    assert not torch.equal(network(x), network(x))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("width", [8, 512])
def test_gradients(width, training):
    """Both layouts, compared with plain torch."""
    torch.manual_seed(0)
    config = {"kernel_sizes": (5,), "strides": (1, 3), "batch_norm": False, "dropout": 0}
    network = Conv1D(90, 3, filters=(width, 6), **config).train(training)
    x = torch.randn(2, 1, 90, requires_grad=True)
    label = torch.tensor([2, 0])
    torch.nn.functional.cross_entropy(network(x), label).backward()
    parameters = list(network.parameters())
    given = [x.grad, *(p.grad for p in parameters)]
    first, first_bias, second, second_bias, linear, linear_bias = parameters
    maps = torch.relu(torch.conv1d(x, first, first_bias))
    maps = torch.relu(torch.conv1d(maps, second, second_bias, stride=3))
    logits = torch.nn.functional.linear(maps.flatten(1), linear, linear_bias)
    loss = torch.nn.functional.cross_entropy(logits, label)
    for ours, expected in zip(given, torch.autograd.grad(loss, [x, *parameters]), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_fraction_that_dropout_leaves():
    torch.manual_seed(0)
    x = torch.full((200, 500), 3.0, requires_grad=True)
    layer = Dropout(0.2)
    y = layer(x)
    y.sum().backward()
    kept = y != 0
    assert float(kept.float().mean()) == pytest.approx(0.8, abs=0.01)  # eight standard deviations
    torch.testing.assert_close(y[kept], torch.full((int(kept.sum()),), 3 / 0.8))
    torch.testing.assert_close(x.grad, y.detach() / 3)
    assert layer.eval()(x) is x
    assert not Dropout(1.0)(x).any()


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="strides must have one value for each of the 3 filters, got 2"):
        Conv1D(50, 3, strides=(1, 2))
    with pytest.raises(ValueError, match="head must be one of flatten, channel_max, pool, got 'avg'"):
        Conv1D(50, 3, head="avg")
