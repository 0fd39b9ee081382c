"""ConvTran compared with the published sizes and with a plain implementation of its layer table."""

import json
import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from skspec.networks.convtran import ConvTran, toeplitz_product
from tests._data import data_path

PUBLISHED = {
    "convtran": {"n_pixels": 2305, "embed_dim": 64, "n_heads": 16, "relative_encoding": None},
    "convtran_eRPE": {"n_pixels": 2305, "embed_dim": 64, "n_heads": 16},
    "convtran_small_eRPE": {"n_pixels": 128},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    expected = json.loads(data_path("mk_predictions/arch_parity.json").read_text())[name]
    network = ConvTran(n_outputs=39, **PUBLISHED[name])
    assert sum(p.numel() for p in network.parameters()) == expected["params"]
    if "input_shape" in expected:
        shapes = [list(p.shape) for p in network.parameters()]
        assert shapes == expected["param_shapes_in_definition_order"]
        with torch.inference_mode():
            output = network(torch.randn(expected["input_shape"]))
        assert list(output.shape) == expected["output_shape"]


def plain_convtran(weights, x, *, n_heads, training):
    """Implement the layer table: convolutions, an attention matrix, a gathered table of relative positions."""
    w = weights

    def batch_norm(z, name):
        mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        if training:
            var, mean = torch.var_mean(z, (0, 2, 3), correction=0)
        z = (z - mean[:, None, None]) / torch.sqrt(var[:, None, None] + 1e-5)
        return z * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]

    def layer_norm(z, name):
        z = (z - z.mean(2, keepdim=True)) / torch.sqrt(z.var(2, correction=0, keepdim=True) + 1e-5)
        return z * w[f"{name}.weight"] + w[f"{name}.bias"]

    z = functional.pad(x[:, None], (3, 4))
    z = functional.conv2d(z, w["embedding.spectral.weight"], w["embedding.spectral.bias"])
    z = functional.gelu(batch_norm(z, "embedding.spectral_norm"))
    z = functional.conv2d(z, w["embedding.mixing.weight"], w["embedding.mixing.bias"])
    x = functional.gelu(batch_norm(z, "embedding.mixing_norm")).squeeze(2).transpose(1, 2)

    n, length, width = x.shape
    encoding = np.empty((length, width))
    for i in range(width):
        angle = np.arange(length) * 10000 ** (-(i - i % 2) / width) * width / length
        encoding[:, i] = np.cos(angle) if i % 2 else np.sin(angle)
    z = x + torch.from_numpy(encoding).float()

    query, key, value = (
        (z @ w[f"attention.{name}.weight"].T).view(n, length, n_heads, -1).permute(0, 2, 1, 3)
        for name in ("query", "key", "value")
    )
    matrix = torch.softmax(query @ key.transpose(2, 3) / width**0.5, dim=3)
    if "attention.relative_table" in w:
        distance = torch.arange(length)[:, None] - torch.arange(length)
        matrix = matrix + w["attention.relative_table"][distance + length - 1].permute(2, 0, 1)
    z = (matrix @ value).transpose(1, 2).reshape(n, length, width)
    z = layer_norm(x + layer_norm(z, "attention.norm"), "attention_norm")
    hidden = torch.relu(z @ w["feedforward.0.weight"].T + w["feedforward.0.bias"])
    z = layer_norm(z + hidden @ w["feedforward.3.weight"].T + w["feedforward.3.bias"], "feedforward_norm")
    features = z.mean(1)
    return features, features @ w["final_layer.weight"].T + w["final_layer.bias"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("relative_encoding", ["eRPE", None])
@pytest.mark.parametrize("shape", [(1, 1, 4, 2), (2, 5, 6, 2), (1, 97, 64, 16), (3, 64, 40, 2)])
def test_forward_and_gradients_are_those_of_the_layer_table(shape, relative_encoding, training, dtype):
    n_channels, n_pixels, embed_dim, n_heads = shape
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-10}[dtype]
    torch.manual_seed(0)
    config = {"relative_encoding": relative_encoding, "feedforward_dim": 12, "dropout": 0}
    network = ConvTran(n_pixels, 5, n_channels=n_channels, embed_dim=embed_dim, n_heads=n_heads, **config)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point() and "encoding" not in name:
                tensor.add_(torch.randn_like(tensor) / 5)
    network.to(dtype).train(training)
    x = torch.randn(6, n_channels, n_pixels, dtype=dtype, requires_grad=True)
    # computed first, because training changes the running means
    weights = network.state_dict(keep_vars=True)
    expected = plain_convtran(weights, x, n_heads=n_heads, training=training)
    features = network.features(x)
    logits = network.final_layer(features)
    torch.testing.assert_close(features, expected[0], rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(logits, expected[1], rtol=tolerance, atol=tolerance)
    leaves = [x, *network.parameters()]
    cotangent = torch.randn_like(logits)
    ours, theirs = (torch.autograd.grad(out, leaves, cotangent) for out in (logits, expected[1]))
    scale = max(g.abs().max() for g in theirs)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, rtol=tolerance, atol=float(tolerance * scale))


@pytest.mark.parametrize("n_pixels", [1, 2, 3, 7, 16, 33, 100])
def test_toeplitz_product_is_a_matrix_product(n_pixels):
    rng = np.random.default_rng(n_pixels)
    table, value = rng.normal(size=(2 * n_pixels - 1, 3)), rng.normal(size=(2, 3, n_pixels, 4))
    expected = np.zeros_like(value)
    for i in range(n_pixels):
        for j in range(n_pixels):
            expected[:, :, i] += table[i - j + n_pixels - 1][:, None] * value[:, :, j]
    product = toeplitz_product(torch.from_numpy(table), torch.from_numpy(value))
    np.testing.assert_allclose(product, expected, rtol=1e-12, atol=1e-12)


def test_gradient_of_toeplitz_product():
    table = torch.randn(9, 2, dtype=torch.float64, requires_grad=True)
    value = torch.randn(2, 2, 5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(toeplitz_product, (table, value))


class LargestTensor(TorchDispatchMode):
    """Record the size of the largest tensor returned by an operation, and the names of the operations."""

    def __init__(self):
        super().__init__()
        self.numel, self.names = 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        self.names.add(func.overloadpacket.__name__)
        return out


@pytest.mark.parametrize("relative_encoding", ["eRPE", None])
def test_memory_grows_linearly_with_length(relative_encoding):
    n_pixels = 4096
    network = ConvTran(n_pixels, 3, embed_dim=16, n_heads=4, relative_encoding=relative_encoding)
    with LargestTensor() as seen:
        network(torch.randn(1, 1, n_pixels)).sum().backward()
    assert any("scaled_dot_product" in name and "backward" in name for name in seen.names)
    assert not any("softmax" in name for name in seen.names)
    assert seen.numel <= 256 * n_pixels  # the hidden layer of the perceptron; a matrix would be 16 times that


@pytest.mark.parametrize("relative_encoding", ["eRPE", None])
@pytest.mark.parametrize("n_pixels", range(1, 21))
def test_any_number_of_pixels(n_pixels, relative_encoding):
    network = ConvTran(n_pixels, 3, relative_encoding=relative_encoding)
    logits = network(torch.randn(5, 1, n_pixels))
    logits.sum().backward()
    assert logits.shape == (5, 3)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_bfloat16_autocast_is_close():
    torch.manual_seed(0)
    network = ConvTran(100, 5, embed_dim=32, n_heads=4).eval()
    torch.nn.init.normal_(network.attention.relative_table, std=0.1)
    x = torch.randn(8, 1, 100)
    with torch.inference_mode():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            low = network(x)
    assert (low.float() - exact).norm() <= 0.02 * exact.norm()


def test_dropout_acts_in_training_only():
    network = ConvTran(50, 3, dropout=0.5).eval()
    x = torch.randn(4, 1, 50)
    torch.testing.assert_close(network(x), network(x), rtol=0, atol=0)
    network.train()
    assert not torch.equal(network(x), network(x))


def test_weights_in_bfloat16():
    network = ConvTran(30, 3).eval().bfloat16()
    logits = network(torch.randn(2, 1, 30, dtype=torch.bfloat16))
    assert logits.dtype == torch.bfloat16
    assert torch.isfinite(logits).all()


def test_sizes_without_memory():
    with torch.device("meta"):
        assert ConvTran(30, 3)(torch.empty(2, 1, 30)).shape == (2, 3)


def test_pickle_keeps_logits():
    network = ConvTran(30, 3).eval()
    x = torch.randn(2, 1, 30)
    torch.testing.assert_close(pickle.loads(pickle.dumps(network))(x), network(x), rtol=0, atol=0)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="relative_encoding must be 'eRPE' or None, got 'RPE'"):
        ConvTran(50, 3, relative_encoding="RPE")
    with pytest.raises(ValueError, match="embed_dim must be a multiple of n_heads, got 10 for 4 heads"):
        ConvTran(50, 3, embed_dim=10, n_heads=4)
