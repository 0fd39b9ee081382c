"""ConvKAN compared with the published sizes, scipy's B-splines, and a plain implementation of its layer table."""

import json
import pickle

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev
from scipy.interpolate import BSpline as ScipyBSpline
from torch.nn import functional

from skspec.networks._bases import BASES, BSpline, Chebyshev, Expansion, Radial
from skspec.networks.convkan import ConvKAN
from tests._data import data_path

PUBLISHED = {
    "convkan": {"n_pixels": 2305, "filters": (64, 128, 256, 512)},
    "convkan_small": {"n_pixels": 256, "filters": (4, 8, 8, 8)},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    expected = json.loads(data_path("mk_predictions/arch_parity.json").read_text())[name]
    network = ConvKAN(n_outputs=39, strides=(1, 2, 2, 1), input_scale=None, **PUBLISHED[name])
    shapes = [list(p.shape) for p in network.parameters()]
    assert shapes == expected["param_shapes_in_definition_order"]
    assert sum(p.numel() for p in network.parameters()) == expected["params"]
    n, n_pixels = expected["input_shape"]
    with torch.inference_mode():
        output = network(torch.randn(n, 1, n_pixels))
    assert list(output.shape) == expected["output_shape"]


def evaluate(functions):
    return np.stack([f.numpy().copy() for f in functions])


@pytest.mark.parametrize("n_bases", [4, 5, 8, 13])
def test_bsplines_are_those_of_scipy(n_bases):
    basis = BSpline(n_bases).double()
    spacing = 2 / (n_bases - 3)
    knots = -1 - 3 * spacing + spacing * np.arange(n_bases + 4)
    np.testing.assert_allclose(basis.knots, knots, rtol=1e-6)
    basis.knots = torch.from_numpy(knots)
    x = np.concatenate([np.linspace(1.3 * knots[0], 1.3 * knots[-1], 501), knots])
    values = evaluate(basis.values(torch.from_numpy(x)))
    slopes = evaluate(basis.slopes(torch.from_numpy(x)))
    for i in range(n_bases):
        spline = ScipyBSpline.basis_element(knots[i : i + 5], extrapolate=False)
        np.testing.assert_allclose(values[i], np.nan_to_num(spline(x)), atol=1e-14)
        np.testing.assert_allclose(slopes[i], np.nan_to_num(spline.derivative()(x)), atol=1e-12)
    inside = np.sort(x[np.abs(x) <= 1])
    inner = ScipyBSpline.design_matrix(np.clip(inside, knots[3], knots[-4]), knots, 3).toarray()
    np.testing.assert_allclose(evaluate(basis.values(torch.from_numpy(inside))).T, inner, atol=1e-14)
    assert np.abs(values[:, np.abs(x) >= knots[-1]]).max() < 1e-40
    assert (np.count_nonzero(np.abs(values[:, np.abs(x) < 1]) > 1e-12, axis=0) <= 4).all()


def test_chebyshev_polynomials_are_those_of_numpy():
    basis, x = Chebyshev(7), np.linspace(-3, 3, 101)
    values = evaluate(basis.values(torch.from_numpy(x)))
    slopes = evaluate(basis.slopes(torch.from_numpy(x)))
    for value, slope, coefficients in zip(values, slopes, np.eye(7), strict=True):
        np.testing.assert_allclose(value, chebyshev.chebval(np.tanh(x), coefficients), atol=1e-13)
        outer = chebyshev.chebval(np.tanh(x), chebyshev.chebder(coefficients))
        np.testing.assert_allclose(slope, outer / np.cosh(x) ** 2, atol=1e-12)


def test_radial_functions_are_gaussians():
    basis, x = Radial(5).double(), np.linspace(-4, 4, 101)
    distance = x - np.linspace(-2, 2, 5)[:, None]
    gaussians = np.exp(-(distance**2))
    values = evaluate(basis.values(torch.from_numpy(x)))
    slopes = evaluate(basis.slopes(torch.from_numpy(x)))
    np.testing.assert_allclose(values, gaussians, rtol=1e-13)
    np.testing.assert_allclose(slopes, -2 * distance * gaussians, rtol=1e-13)


@pytest.mark.parametrize("name", BASES)
def test_gradient_of_expansion(name):
    basis = BASES[name](6).double()
    x = (2 * torch.randn(3, 2, 1, 11, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: Expansion.apply(x, basis), x)


@pytest.mark.parametrize("name", BASES)
def test_expansion_in_bfloat16_is_that_in_float32_rounded(name):
    basis = BASES[name](8)
    x = torch.randn(3, 4, 1, 50, requires_grad=True)
    exact = Expansion.apply(x, basis)
    with torch.autocast("cpu", torch.bfloat16):
        low = Expansion.apply(x, basis)
    torch.testing.assert_close(low, exact.bfloat16(), rtol=0, atol=0)
    assert exact.is_contiguous()
    assert low.is_contiguous(memory_format=torch.channels_last)
    cotangent = torch.randn_like(low)
    gradients = (torch.autograd.grad(out, x, cotangent.to(out.dtype))[0] for out in (low, exact))
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def test_expansion_of_many_rows_in_chunks():
    basis = BSpline(8)
    x = torch.randn(70, 3, 1, 2000, requires_grad=True)  # several times the size that is evaluated at once
    whole = Expansion.apply(x, basis)
    rows = torch.cat([Expansion.apply(row, basis) for row in x.split(1)])
    torch.testing.assert_close(whole, rows, rtol=0, atol=0)
    cotangent = torch.randn_like(whole)
    gradients = (torch.autograd.grad(out, x, cotangent)[0] for out in (whole, rows))
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def cox_de_boor(x, knots, order=3):
    """Return B-splines by recursion, with an additional last axis."""
    x = x[..., None]
    bases = ((knots[:-1] <= x) & (x < knots[1:])).to(x.dtype)
    for k in range(1, order + 1):
        rising = (x - knots[: -k - 1]) / (knots[k:-1] - knots[: -k - 1])
        falling = (knots[k + 1 :] - x) / (knots[k + 1 :] - knots[1:-k])
        bases = rising * bases[..., :-1] + falling * bases[..., 1:]
    return bases


def plain_convkan(weights, x, *, strides, input_scale):
    """Implement the layer table, with a convolution for the splines and one for GELU."""
    w = weights
    x = x if input_scale is None else torch.tanh(input_scale * x)
    for i, stride in enumerate(strides):
        base, spline = w[f"layers.{i}.base.weight"], w[f"layers.{i}.spline.weight"]
        padding = base.shape[2] // 2
        bases = cox_de_boor(x, w[f"layers.{i}.basis.knots"]).movedim(3, 1).flatten(1, 2)
        x = functional.conv1d(functional.gelu(x), base, stride=stride, padding=padding)
        x = x + functional.conv1d(bases, spline, stride=stride, padding=padding)
        if x.shape[2] >= 8:
            x = functional.instance_norm(x)
        x = torch.where(x >= 0, x, w[f"layers.{i}.activation.weight"] * x)
    features = x.mean(2)
    return features, features @ w["final_layer.weight"].T + w["final_layer.bias"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("input_scale", [None, 0.7])
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 6, 5), (1, 9, 3), (3, 64, 4), (1, 150, 3)])
def test_forward_and_gradients_are_those_of_the_layer_table(shape, input_scale, dtype):
    n_channels, n_pixels, kernel_size = shape
    # knots in float32 are not exactly uniform, as the closed form assumes
    tolerance = {torch.float32: 1e-5, torch.float64: 2e-6}[dtype]
    torch.manual_seed(0)
    config = {"strides": (1, 2, 3), "input_scale": input_scale, "kernel_size": kernel_size}
    network = ConvKAN(n_pixels, 5, n_channels=n_channels, filters=(4, 6, 8), **config).eval().to(dtype)
    for layer in network.layers:
        torch.nn.init.uniform_(layer.activation.weight, -0.5, 1.5)
    x = torch.randn(6, n_channels, n_pixels, dtype=dtype, requires_grad=True)
    weights = network.state_dict(keep_vars=True)
    expected = plain_convkan(weights, x, strides=config["strides"], input_scale=input_scale)
    torch.testing.assert_close(network.features(x), expected[0], rtol=tolerance, atol=tolerance)
    logits = network(x)
    torch.testing.assert_close(logits, expected[1], rtol=tolerance, atol=tolerance)
    leaves = [x, *network.parameters()]
    cotangent = torch.randn_like(logits)
    ours, theirs = (torch.autograd.grad(out, leaves, cotangent) for out in (logits, expected[1]))
    scale = max(g.abs().max() for g in theirs)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, rtol=tolerance, atol=float(tolerance * scale))


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("n_pixels", range(1, 21))
def test_any_number_of_pixels(n_pixels, basis):
    network = ConvKAN(n_pixels, 3, filters=(4, 4, 4, 4), basis=basis)
    logits = network(torch.randn(5, 1, n_pixels))
    logits.sum().backward()
    assert logits.shape == (5, 3)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("basis", BASES)
def test_bfloat16_autocast_is_close(basis):
    torch.manual_seed(0)
    network = ConvKAN(200, 5, basis=basis).eval()
    x = torch.randn(8, 1, 200)
    with torch.inference_mode():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            low = network(x)
    assert (low.float() - exact).norm() <= 0.02 * exact.norm()


def test_knots_are_buffers():
    buffers = dict(ConvKAN(50, 3, filters=(4,)).named_buffers())
    np.testing.assert_allclose(buffers["layers.0.basis.knots"], np.linspace(-2.2, 2.2, 12), rtol=1e-6)


def test_dropout_acts_in_training_only():
    network = ConvKAN(50, 3, dropout=0.5).eval()
    x = torch.randn(4, 1, 50)
    torch.testing.assert_close(network(x), network(x), rtol=0, atol=0)
    network.train()
    assert not torch.equal(network(x), network(x))


def test_sizes_without_memory():
    with torch.device("meta"):
        assert ConvKAN(30, 3)(torch.empty(2, 1, 30)).shape == (2, 3)


def test_pickle_keeps_logits():
    network = ConvKAN(30, 3).eval()
    x = torch.randn(2, 1, 30)
    torch.testing.assert_close(pickle.loads(pickle.dumps(network))(x), network(x), rtol=0, atol=0)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="strides must have one value for each of the 3 filters, got 2"):
        ConvKAN(50, 3, strides=(1, 2))
    with pytest.raises(ValueError, match="basis must be one of bspline, chebyshev, radial, got 'fourier'"):
        ConvKAN(50, 3, basis="fourier")
    with pytest.raises(ValueError, match="n_bases must be at least 4 for this basis, got 3"):
        ConvKAN(50, 3, n_bases=3)
