"""PlainCNN compared with the published sizes and with a plain numpy implementation of its layer table."""

import json
import warnings
from itertools import product

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from skspec.networks import PlainCNN
from tests._data import data_path

BOSS = {
    "n_pixels": 433,
    "n_outputs": 13,
    "filters": (100, 100, 100, 100),
    "kernel_sizes": (14, 12, 10, 8),
    "strides": 2,
    "padding": "valid",
    "pooling": 1,
    "hidden": (),
    "dropout": 0.5,
}
LAMOST = {
    "n_pixels": 3500,
    "n_outputs": 7,
    "filters": (10, 20, 40, 50),
    "kernel_sizes": 3,
    "hidden": (11500,),
}
GALAXY10 = {
    "image_shape": (3, 69, 69),
    "n_outputs": 10,
    "filters": (6, 16),
    "padding": "valid",
    "hidden": (512, 84),
}
PUBLISHED = {
    "mqc_model10v2": (BOSS, 327_813, 2000),
    "lamost_cnn_if_channels_fixed": (LAMOST, 126_026_157, 50 * 219),
    "galaxy_cnn": (GALAXY10, 1_652_958, 3136),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    config, n_parameters, flattened = PUBLISHED[name]
    with torch.device("meta"):  # sizes without the 500 MB of weights
        network = PlainCNN(**config)
        size = config.get("image_shape") or (1, config["n_pixels"])
        assert network(torch.empty(2, *size)).shape == (2, config["n_outputs"])
    assert sum(p.numel() for p in network.parameters()) == n_parameters
    first_linear = network.hidden[0] if config["hidden"] else network.final_layer
    assert first_linear.in_features == flattened
    others = json.loads(data_path("mk_predictions/arch_parity.json").read_text())["others"]
    expected = others[name]["params"] if name == "mqc_model10v2" else others[name]
    assert n_parameters == expected


def plain_cnn(network, x, *, strides, padding, pooling):
    """Implement the layer table in float64; the pixels are on the last axes of `x`."""
    weights = [w.detach().double().numpy() for w in network.parameters()]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    pixels = tuple(range(2, x.ndim))
    ones = (1,) * len(pixels)
    z = x.double().numpy()
    for kernel, bias in (pair for pair in pairs if pair[0].ndim > 2):
        for axis in pixels:
            length, size = z.shape[axis], kernel.shape[axis]
            n_windows = -(-length // strides) if padding == "same" else max(length - size, 0) // strides + 1
            short = max((n_windows - 1) * strides + size - length, 0)
            margins = [(0, 0)] * z.ndim
            margins[axis] = (short // 2, short - short // 2)
            z = np.pad(z, margins)
        windows = sliding_window_view(z, kernel.shape[2:], axis=pixels)
        windows = windows[(slice(None), slice(None), *(slice(None, None, strides) for _ in pixels))]
        inside = tuple(axis + len(pixels) for axis in pixels)
        z = np.moveaxis(np.tensordot(windows, kernel, axes=((1, *inside), (1, *pixels))), -1, 1)
        z = np.maximum(z + bias.reshape(-1, *ones), 0)
        for axis in pixels:
            length = z.shape[axis]
            size = min(pooling, length)
            whole = length if padding == "same" else length // size * size
            z = np.maximum.reduceat(z.take(np.arange(whole), axis), np.arange(0, whole, size), axis)
    z = z.reshape(len(z), -1)
    *hidden, (weight, bias) = (pair for pair in pairs if pair[0].ndim == 2)
    for w, b in hidden:
        z = np.maximum(z @ w.T + b, 0)
    return z, z @ weight.T + bias


@pytest.mark.parametrize(
    "shape", [{"n_pixels": 47, "n_channels": 2}, {"image_shape": (3, 13, 22)}], ids=["1d", "2d"]
)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel_size", "strides", "pooling"), list(product((1, 4, 5), (1, 2), (1, 2, 3))))
def test_forward_is_the_layer_table(shape, padding, kernel_size, strides, pooling):
    config = {"strides": strides, "padding": padding, "pooling": pooling}
    torch.manual_seed(0)
    network = PlainCNN(
        n_outputs=3, filters=(4, 5), kernel_sizes=kernel_size, hidden=(7, 6), dropout=0.3, **config, **shape
    ).eval()
    x = torch.randn(6, *(shape.get("image_shape") or (2, 47)))
    features, logits = plain_cnn(network, x, **config)
    with torch.inference_mode():
        np.testing.assert_allclose(network.features(x), features, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(network(x), logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel_size", [1, 2, 5, 8])
def test_same_is_that_of_torch(kernel_size):
    network = PlainCNN(
        n_pixels=20, n_outputs=2, filters=(3,), kernel_sizes=kernel_size, pooling=1, hidden=()
    ).eval()
    weight, bias = list(network.parameters())[:2]
    x = torch.randn(4, 1, 20)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about copies for even kernels
        expected = torch.relu(torch.conv1d(x, weight, bias, padding="same")).flatten(1)
        torch.testing.assert_close(network.features(x), expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("n_pixels", range(1, 21))
def test_any_number_of_pixels(n_pixels, padding):
    config = {
        "n_outputs": 3,
        "filters": (4, 4, 4),
        "kernel_sizes": (1, 7, 31),
        "strides": 2,
        "padding": padding,
    }
    logits = PlainCNN(n_pixels=n_pixels, **config)(torch.randn(2, 1, n_pixels))
    assert logits.shape == (2, 3)
    assert logits.isfinite().all()
    logits = PlainCNN(image_shape=(2, n_pixels, 3), **config)(torch.randn(2, 2, n_pixels, 3))
    assert logits.shape == (2, 3)
    assert logits.isfinite().all()


def test_lamost_stack_sees_neighbouring_pixels():
    """In the published code the pixels were channels, and no convolution along wavelength took place."""
    network = PlainCNN(**LAMOST | {"hidden": ()}).eval()
    x = torch.randn(1, 1, 3500, requires_grad=True)
    maps = network.features(x).unflatten(1, (50, 219))
    (gradient,) = torch.autograd.grad(maps[0, :, 100].sum(), x)
    seen = gradient[0, 0].nonzero().flatten()
    # a pixel after four convolutions of kernel 3 and poolings of 2 sees up to 46 pixels
    assert 2 < len(seen) <= 46
    assert seen.min() >= 1600 - 15
    assert seen.max() < 1600 + 31


def test_dropout_only_while_training():
    network = PlainCNN(n_pixels=30, n_outputs=3, dropout=0.5)
    x = torch.randn(4, 1, 30)
    torch.manual_seed(0)
    with torch.no_grad():
        assert not torch.equal(network(x), network(x))
        network.eval()
        assert torch.equal(network(x), network(x))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_pixels": 9, "padding": "full"}, "padding must be one of valid, same, got 'full'"),
        ({"n_pixels": 9, "strides": (1, 2)}, "strides must have one value for each of the 3 filters, got 2"),
        (
            {"n_pixels": 9, "kernel_sizes": (3,)},
            "kernel_sizes must have one value for each of the 3 filters, got 1",
        ),
        (
            {"n_pixels": 9, "pooling": (2, 2, 2, 2)},
            "pooling must have one value for each of the 3 filters, got 4",
        ),
        ({}, "give either n_pixels .* or image_shape"),
    ],
)
def test_refused(config, message):
    with pytest.raises(ValueError, match=message):
        PlainCNN(n_outputs=2, **config)
