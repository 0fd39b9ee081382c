"""ResNet compared with the published sizes, torchvision's names and a plain implementation of its layer table."""

import copy
import json
import pickle

import pytest
import torch
from torch.nn import functional

from skspec.networks import ResNet
from skspec.networks._layers import Convolution
from skspec.networks.resnet import ResidualBlock
from tests._data import data_path

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
SPECTRA = {"n_pixels": 61, "n_channels": 2}
IMAGES = {"image_shape": (3, 11, 18)}
CHANNELS_LAST = torch.channels_last


def torchvision_shapes(depth, n_dims=2, n_channels=3, n_outputs=1000):
    """Return names and shapes in the state_dict of torchvision's ResNets."""
    shapes = {}

    def conv(name, n_out, n_in, kernel_size):
        shapes[f"{name}.weight"] = (n_out, n_in) + (kernel_size,) * n_dims

    def norm(name, n):
        shapes.update({f"{name}.{key}": (n,) for key in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{name}.num_batches_tracked"] = ()

    conv("conv1", 64, n_channels, 7)
    norm("bn1", 64)
    n_in = 64
    for stage, n_blocks in enumerate(BLOCKS[depth], 1):
        width = 64 * 2 ** (stage - 1)
        n_out = width if depth < 50 else 4 * width
        for i in range(n_blocks):
            block = f"layer{stage}.{i}"
            if depth < 50:
                kernels = ((n_in, width, 3), (width, width, 3))
            else:
                kernels = ((n_in, width, 1), (width, width, 3), (width, n_out, 1))
            for j, (before, after, kernel_size) in enumerate(kernels, 1):
                conv(f"{block}.conv{j}", after, before, kernel_size)
                norm(f"{block}.bn{j}", after)
            if i == 0 and (stage > 1 or n_in != n_out):
                conv(f"{block}.downsample.0", n_out, n_in, 1)
                norm(f"{block}.downsample.1", n_out)
            n_in = n_out
    shapes["fc.weight"], shapes["fc.bias"] = (n_outputs, n_in), (n_outputs,)
    return shapes


def random_weights(shapes, seed=0):
    """Return weights that keep activations near 1, so all layers contribute."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        if not shape:
            weights[name] = torch.tensor(5)
        elif len(shape) > 1:
            fan_in = torch.tensor(shape[1:]).prod()
            weights[name] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            weights[name] = torch.rand(shape, generator=generator) + 0.2
    return weights


def randomized(network):
    shapes = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    network.load_state_dict(random_weights(shapes))
    return network


def plain_resnet(w, x, *, depth, stem, training, scalars=None):
    """Implement the layer table; `w` is a state_dict, `x` has one or two dimensions of pixels."""
    conv, pool = (
        (functional.conv1d, functional.max_pool1d)
        if x.ndim == 3
        else (functional.conv2d, functional.max_pool2d)
    )
    pixels = tuple(range(2, x.ndim))

    def normalized(z, name):
        mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        if training:
            var, mean = torch.var_mean(z, (0, *pixels), correction=0)
        gain = w[f"{name}.weight"] / torch.sqrt(var + 1e-5)
        return ((z.movedim(1, -1) - mean) * gain + w[f"{name}.bias"]).movedim(-1, 1)

    def block(z, name, stride):
        n_conv = 2 if depth < 50 else 3
        out = z
        for j in range(1, n_conv + 1):
            kernel = w[f"{name}.conv{j}.weight"]
            strided = j == (1 if depth < 50 else 2)
            out = conv(out, kernel, stride=stride if strided else 1, padding=kernel.shape[-1] // 2)
            out = normalized(out, f"{name}.bn{j}")
            if j < n_conv:
                out = torch.relu(out)
        if f"{name}.downsample.0.weight" in w:
            z = normalized(conv(z, w[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
        return torch.relu(out + z)

    if stem == "standard":
        z = conv(x, w["conv1.weight"], stride=2, padding=3)
        z = pool(torch.relu(normalized(z, "bn1")), 3, 2, 1)
    else:
        z = torch.relu(normalized(conv(x, w["conv1.weight"], padding=1), "bn1"))
    for stage, n_blocks in enumerate(BLOCKS[depth], 1):
        for i in range(n_blocks):
            z = block(z, f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1)
    z = z.mean(pixels)
    if "fc.weight" in w:
        z = torch.relu(functional.linear(z, w["fc.weight"], w["fc.bias"]))
    if scalars is not None:
        z = torch.cat([z, scalars], 1)
    return z, functional.linear(z, w["final_layer.weight"], w["final_layer.bias"])


def doubled(network):
    return {name: t.detach().clone().double() for name, t in network.state_dict().items()}


def assert_agree(own, expected, tolerance=1e-5):
    assert own.shape == expected.shape
    assert (own - expected).abs().max() <= tolerance * expected.abs().max()


def inputs(shape):
    size = shape.get("image_shape") or (shape["n_channels"], shape["n_pixels"])
    return torch.randn(4, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("training", [False, True], ids=["predict", "train"])
@pytest.mark.parametrize("stem", ["standard", "small"])
@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("shape", [SPECTRA, IMAGES], ids=["spectra", "images"])
def test_forward_is_the_layer_table(shape, depth, stem, training):
    network = randomized(ResNet(n_outputs=5, depth=depth, stem=stem, **shape)).train(training)
    x = inputs(shape)
    weights = doubled(network)  # training changes the running statistics
    with torch.no_grad():
        own_features, own_logits = network.features(x), network(x)
        features, logits = plain_resnet(weights, x.double(), depth=depth, stem=stem, training=training)
    tolerance = 1e-4 if training else 1e-5  # rounding is divided by small variances of the batch
    assert_agree(own_features, features, tolerance)
    assert_agree(own_logits, logits, tolerance)


@pytest.mark.parametrize("shape", [SPECTRA, IMAGES], ids=["spectra", "images"])
@pytest.mark.parametrize("training", [False, True], ids=["predict", "train"])
def test_gradients_are_those_of_the_layer_table(shape, training):
    network = randomized(ResNet(n_outputs=5, **shape)).double().train(training)
    x = inputs(shape).double()
    weights = {name: t.clone() for name, t in network.state_dict().items()} | dict(network.named_parameters())
    plain = plain_resnet(weights, x, depth=18, stem="standard", training=training)[1].square().sum()
    own = network(x).square().sum()
    expected = torch.autograd.grad(plain, list(network.parameters()))
    torch.testing.assert_close(
        torch.autograd.grad(own, list(network.parameters())), expected, rtol=1e-6, atol=1e-6
    )


def test_published_shapes():
    expected = json.loads(data_path("mk_predictions/arch_parity.json").read_text())["resnet50_1d"]
    with torch.device("meta"):
        network = ResNet(n_pixels=2305, n_outputs=39, depth=50)
        output = network(torch.empty(2, 1, 2305))
    assert [list(p.shape) for p in network.parameters()] == expected["param_shapes_in_definition_order"]
    assert sum(p.numel() for p in network.parameters()) == expected["params"]
    assert list(output.shape) == expected["output_shape"]


@pytest.mark.parametrize(
    ("n_parameters", "config"),
    [
        (16_034_151, {"n_pixels": 2305, "n_outputs": 39, "depth": 50}),
        (3_845_443, {"n_pixels": 2600, "n_outputs": 3}),
        (11_699_522, {"image_shape": (3, 224, 224), "n_outputs": 10, "n_hidden": 1000}),
        (25_567_042, {"image_shape": (3, 224, 224), "n_outputs": 10, "n_hidden": 1000, "depth": 50}),
        # torchvision's documentation of its weights for ImageNet
        (11_689_512, {"image_shape": (3, 224, 224), "n_outputs": 1000, "depth": 18}),
        (21_797_672, {"image_shape": (3, 224, 224), "n_outputs": 1000, "depth": 34}),
        (25_557_032, {"image_shape": (3, 224, 224), "n_outputs": 1000, "depth": 50}),
        (44_549_160, {"image_shape": (3, 224, 224), "n_outputs": 1000, "depth": 101}),
    ],
)
def test_parameter_counts(n_parameters, config):
    with torch.device("meta"):
        network = ResNet(**config)
    assert sum(p.numel() for p in network.parameters()) == n_parameters


@pytest.mark.parametrize("stem", ["standard", "small"])
def test_any_number_of_pixels(stem):
    network = ResNet(n_pixels=1, n_outputs=3, stem=stem)
    image_network = ResNet(image_shape=(1, 1, 1), n_outputs=3, stem=stem)
    for n_pixels in range(1, 21):
        logits = network.train()(torch.randn(2, 1, n_pixels))
        assert logits.shape == (2, 3)
        assert logits.isfinite().all()
        with torch.no_grad():
            assert network.eval()(torch.randn(1, 1, n_pixels)).shape == (1, 3)
            assert image_network.eval()(torch.randn(1, 1, n_pixels, 3)).shape == (1, 3)


@pytest.mark.parametrize(("stem", "too_few"), [("standard", 32), ("small", 8)])
def test_one_spectrum_cannot_be_trained_on_when_one_pixel_is_left(stem, too_few):
    network = ResNet(n_pixels=too_few, n_outputs=3, stem=stem)
    assert network(torch.randn(1, 1, too_few + 1)).shape == (1, 3)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        network(torch.randn(1, 1, too_few))


@pytest.mark.parametrize("shape", [SPECTRA, IMAGES], ids=["spectra", "images"])
def test_layout_is_kept_both_ways(shape):
    """In other layouts, gradients are copied, and training is slower than with channels first."""
    network = ResNet(n_outputs=5, depth=50, **shape)
    kept = []

    def look(block, args, output):
        kept.append(output.is_contiguous(memory_format=CHANNELS_LAST))
        output.register_hook(
            lambda gradient: kept.append(gradient.is_contiguous(memory_format=CHANNELS_LAST))
        )

    blocks = [module for module in network.modules() if isinstance(module, ResidualBlock)]
    for block in blocks[:-1]:  # the gradient of a mean is constant and has no layout
        block.register_forward_hook(look)
    network(inputs(shape)).sum().backward()
    assert kept == [True] * 2 * (len(blocks) - 1)


def test_scalars_join_before_the_last_layer():
    network = randomized(ResNet(n_outputs=5, n_scalars=2, **SPECTRA)).eval()
    x, scalars = inputs(SPECTRA), torch.randn(4, 2)
    features, logits = plain_resnet(
        doubled(network), x.double(), depth=18, stem="standard", training=False, scalars=scalars.double()
    )
    with torch.inference_mode():
        torch.testing.assert_close(network.features(x, scalars)[:, -2:], scalars)
        assert_agree(network.features(x, scalars), features)
        assert_agree(network(x, scalars), logits)


@pytest.mark.parametrize(("made_for", "columns"), [(2, None), (2, 3), (0, 1)])
def test_wrong_scalars(made_for, columns):
    network = ResNet(n_outputs=5, n_scalars=made_for, **SPECTRA)
    scalars = None if columns is None else torch.zeros(4, columns)
    with pytest.raises(ValueError, match=f"scalars must have {made_for} columns, got {columns or 0}"):
        network(inputs(SPECTRA), scalars)


def test_head_of_imagenet_is_kept():
    network = randomized(ResNet(n_outputs=10, n_hidden=1000, **IMAGES)).eval()
    features, logits = plain_resnet(
        doubled(network), inputs(IMAGES).double(), depth=18, stem="standard", training=False
    )
    with torch.inference_mode():
        assert network.features(inputs(IMAGES)).shape == (4, 1000)
        assert_agree(network.features(inputs(IMAGES)), features)
        assert_agree(network(inputs(IMAGES)), logits)


@pytest.mark.parametrize("n_dims", [1, 2])
@pytest.mark.parametrize("depth", BLOCKS)
def test_names_and_shapes_are_those_of_torchvision(depth, n_dims):
    shape = {"n_pixels": 64, "n_channels": 3} if n_dims == 1 else {"image_shape": (3, 64, 64)}
    with torch.device("meta"):
        network = ResNet(n_outputs=2, depth=depth, n_hidden=1000, **shape)
    own = {
        name: tuple(t.shape) for name, t in network.state_dict().items() if not name.startswith("final_layer")
    }
    expected = torchvision_shapes(depth, n_dims)
    assert own == expected
    assert list(own) == list(expected)


@pytest.fixture(scope="module")
def imagenet():
    return random_weights(torchvision_shapes(18))


@pytest.mark.parametrize("n_hidden", [0, 1000])
@pytest.mark.parametrize("counted", [True, False], ids=["new file", "file from before 2018"])
def test_pretrained_weights_are_loaded(imagenet, n_hidden, counted):
    given = {name: t for name, t in imagenet.items() if counted or not name.endswith("num_batches_tracked")}
    network = ResNet(n_outputs=10, n_hidden=n_hidden, **IMAGES).eval()
    last = network.final_layer.weight.clone()
    network.load_pretrained(given)
    torch.testing.assert_close(network.final_layer.weight, last)
    w = {name: t.double() for name, t in imagenet.items() if n_hidden or not name.startswith("fc.")}
    w |= {f"final_layer.{name}": t.double() for name, t in network.final_layer.state_dict().items()}
    with torch.inference_mode():
        expected, _ = plain_resnet(w, inputs(IMAGES).double(), depth=18, stem="standard", training=False)
        assert_agree(network.features(inputs(IMAGES)), expected)


def test_pretrained_on_other_classes():
    trained = randomized(ResNet(n_outputs=7, **SPECTRA))
    network = ResNet(n_outputs=3, **SPECTRA)
    network.load_pretrained(trained.state_dict())
    torch.testing.assert_close(
        network.eval().features(inputs(SPECTRA)), trained.eval().features(inputs(SPECTRA))
    )


@pytest.mark.parametrize(
    ("change", "config", "message"),
    [
        (["conv1.weight"], {}, r"lack conv1\.weight of this ResNet18"),
        (["fc.weight", "fc.bias"], {"n_hidden": 1000}, r"lack fc\.weight and 1 more of this"),
        ([], {"depth": 34}, r"lack layer1\.2\.conv1\.weight and 79 more of this ResNet34"),
        (
            {"layer1.2.conv1.weight": torch.zeros(64, 64, 3, 3)},
            {},
            r"have layer1\.2\.conv1\.weight, which this",
        ),
        (
            [],
            {"n_hidden": 100},
            r"have fc\.weight of shape \(100, 512\) for this ResNet18, got \(1000, 512\)",
        ),
        (
            [],
            {"image_shape": (1, 8, 8)},
            r"conv1\.weight of shape \(64, 1, 7, 7\) for this ResNet18, got \(64, 3, 7, 7\)",
        ),
        (
            [],
            {"image_shape": None, "n_pixels": 8, "n_channels": 3},
            r"of shape \(64, 3, 7\) .*, got \(64, 3, 7, 7\)",
        ),
        (
            [],
            {"stem": "small"},
            r"conv1\.weight of shape \(64, 3, 3, 3\) for this ResNet18, got \(64, 3, 7, 7\)",
        ),
    ],
)
def test_pretrained_weights_that_do_not_fit(imagenet, change, config, message):
    given = {name: t for name, t in imagenet.items() if name not in change}
    if isinstance(change, dict):
        given |= change
    network = ResNet(n_outputs=10, **(IMAGES | config))
    before = network.conv1.weight.clone()
    with pytest.raises(ValueError, match=f"^pretrained weights .*{message}"):
        network.load_pretrained(given)
    assert torch.equal(network.conv1.weight, before)


def test_deepcopy_pickle_and_determinism():
    network = randomized(ResNet(n_outputs=5, **SPECTRA)).eval()
    x = inputs(SPECTRA)
    with torch.inference_mode():
        expected = network(x)
        assert torch.equal(network(x), expected)
        assert torch.equal(copy.deepcopy(network)(x), expected)
        assert torch.equal(pickle.loads(pickle.dumps(network))(x), expected)
        torch.testing.assert_close(
            network(x[1:2]), expected[1:2]
        )  # predictions do not depend on other spectra


def test_bfloat16_changes_little():
    network = randomized(ResNet(n_outputs=5, n_scalars=1, **SPECTRA)).eval()
    x, scalars = inputs(SPECTRA), torch.randn(4, 1)
    expected = network(x, scalars)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(x, scalars)
        network.train()(x, scalars).float().sum().backward()
    assert (logits - expected).norm() < 0.03 * expected.norm()
    assert all(p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_pixels": 9, "depth": 20}, "depth must be one of 18, 34, 50, 101, got 20"),
        ({"n_pixels": 9, "stem": "tiny"}, "stem must be one of standard, small, got 'tiny'"),
        ({}, "give either n_pixels .* or image_shape .*, got n_pixels=None and image_shape=None"),
        ({"n_pixels": 9, "image_shape": (3, 9, 9)}, r"got n_pixels=9 and image_shape=\(3, 9, 9\)"),
        ({"image_shape": (9, 9)}, r"image_shape must be \(channels, height, width\), got \(9, 9\)"),
    ],
)
def test_refused(config, message):
    with pytest.raises(ValueError, match=message):
        ResNet(n_outputs=2, **config)


@pytest.mark.parametrize(("size", "stride"), [((1, 1), 2), ((1, 1), 1), ((1, 2), 2), ((2, 2), 2)])
def test_weights_that_meet_padding_alone_have_gradient_zero(size, stride):
    layer = Convolution(64, 128, 3, n_dims=2, stride=stride, padding=1, bias=False)
    x = torch.randn(8, 64, *size)
    weight = layer.weight.detach().double().requires_grad_()
    exact = functional.conv2d(functional.pad(x.double(), (1, 1, 1, 1)), weight, stride=stride)
    exact.square().sum().backward()
    for _ in range(20):
        junk = [torch.full((128, 64, 3, 3), torch.nan) for _ in range(8)]  # what freed memory may hold
        del junk
        layer.weight.grad = None
        out = layer(x)
        out.square().sum().backward()
        torch.testing.assert_close(out.double(), exact, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(layer.weight.grad.double(), weight.grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2)])
def test_small_images_are_padded_before_the_convolution(size, monkeypatch):
    seen = []
    convolve = functional.conv2d

    def watched(x, weight, bias, stride, padding):
        seen.append((tuple(x.shape[2:]), padding))
        return convolve(x, weight, bias, stride, padding)

    monkeypatch.setattr(functional, "conv2d", watched)
    layer = Convolution(3, 4, 3, n_dims=2, stride=2, padding=1)
    layer(torch.randn(2, 3, *size))
    layer(torch.randn(2, 3, 3, 3))
    assert seen == [((size[0] + 2, size[1] + 2), 0), ((3, 3), (1, 1))]
