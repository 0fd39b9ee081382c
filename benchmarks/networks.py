"""The published networks as skspec has them, against the same networks as one would first write them.

Command: ``python -m benchmarks.networks [--quick] [--only NAME ...]``

Plain networks (`benchmarks._plain_networks`) are channels first, float32 and eager: attention with its matrix, splines
by recursion. Both get the same weights, and a last layer that is fitted to simulated classes, so that labels mean
something. What is timed in turn, on the processor and on a GPU when there is one: a training step (forward, backward,
Adam) and a prediction. Batches are small, for a step of about a second; times are for one spectrum.

``of peak`` is the arithmetic of the plain network over the time, relative to the best of the matrix products of that
precision in the same table: above 1, work is saved, not only done faster. Printed below: the relative difference of
the logits from those of the plain network (a run stops where float32 differs by more than 1e-4), and how many labels
bfloat16 changes.
"""

import argparse
import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import _plain_networks as plain
from benchmarks._harness import compare, machine
from skspec.networks import Conv1D
from skspec.networks.convkan import ConvKAN
from skspec.networks.convtran import ConvTran

N_CLASSES = 39
V1 = {"filters": (512, 256, 128, 64), "head": "channel_max", "hidden": (2048, 1024)}
V2 = {"filters": (32, 128, 512, 2048, 512, 128, 32), "head": "flatten", "hidden": (2048,)}
TRAN = {"embed_dim": 64, "n_heads": 16}
KAN = {"filters": (64, 128, 256, 512), "strides": (1, 2, 2, 1)}


@dataclass(frozen=True)
class Case:
    """One published configuration, written both ways, and batches (to train on, to predict) of fitting size."""

    plain: Callable[[], nn.Module]
    ours: Callable[[], nn.Module]
    n_pixels: int = 2305
    cpu: tuple[int, int] = (2, 4)
    cuda: tuple[int, int] = (64, 256)


CASES = {
    "Conv1D-v1": Case(
        partial(plain.PlainConv1D, 2305, N_CLASSES, strides=(1,) * 4, **V1),
        partial(Conv1D, 2305, N_CLASSES, batch_norm=False, strides=1, **V1),
    ),
    "Conv1D-v2": Case(
        partial(plain.PlainConv1D, 2305, N_CLASSES, strides=(1,) + (2,) * 6, **V2),
        partial(Conv1D, 2305, N_CLASSES, batch_norm=False, strides=(1,) + (2,) * 6, **V2),
    ),
    "ConvTran": Case(
        partial(plain.PlainConvTran, 2305, N_CLASSES, relative=False, **TRAN),
        partial(ConvTran, 2305, N_CLASSES, relative_encoding=None, dropout=0, **TRAN),
        cpu=(1, 1),
        cuda=(8, 16),
    ),
    "ConvTran-eRPE": Case(
        partial(plain.PlainConvTran, 2305, N_CLASSES, relative=True, **TRAN),
        partial(ConvTran, 2305, N_CLASSES, dropout=0, **TRAN),
        cpu=(1, 1),
        cuda=(8, 16),
    ),
    "ConvTran-eRPE-433": Case(
        partial(plain.PlainConvTran, 433, N_CLASSES, relative=True, **TRAN),
        partial(ConvTran, 433, N_CLASSES, dropout=0, **TRAN),
        n_pixels=433,
        cpu=(8, 8),
        cuda=(64, 256),
    ),
    "ConvKAN": Case(
        partial(plain.PlainConvKAN, N_CLASSES, **KAN),
        partial(ConvKAN, 2305, N_CLASSES, input_scale=None, dropout=0, **KAN),
        cpu=(4, 4),
        cuda=(32, 128),
    ),
}


@dataclass(frozen=True)
class Variant:
    """One way to run one of our networks."""

    dtype: torch.dtype = torch.float32

    def context(self, device):
        return torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32)


VARIANTS = {"skspec float32": Variant(), "skspec bfloat16": Variant(torch.bfloat16)}


def simulate(n, n_pixels, *, seed):
    """Spectra of the classes in turn: lines of their own on a continuum, and noise."""
    generator = torch.Generator().manual_seed(0)
    pixel = torch.linspace(0, 1, n_pixels)
    centre, depth, tilt = (torch.rand(N_CLASSES, k, 1, generator=generator) for k in (12, 12, 1))
    lines = (depth * torch.exp(-(((pixel - centre) / 0.01) ** 2))).sum(1)
    templates = (2 * tilt[:, 0] - 1) * (pixel - 0.5) - lines
    label = torch.arange(n) % N_CLASSES
    noise = torch.randn(n, n_pixels, generator=generator.manual_seed(seed))
    return (templates[label] + 0.3 * noise)[:, None], label


@torch.inference_mode()
def predict(network, x, variant, batch_size):
    with variant.context(x.device):
        return torch.cat([network(part) for part in x.split(batch_size)]).float()


@torch.no_grad()
def fit_final_layer(network, x, label, batch_size):
    """Ridge regression of the classes on the features: labels with margins, as after training."""
    features = torch.cat([network.features(part) for part in x.split(batch_size)]).double()
    centre = features.mean(0)
    features = features - centre
    target = functional.one_hot(label, N_CLASSES).double() - 1 / N_CLASSES
    gram = features @ features.T
    gram.diagonal().add_(1e-3 * gram.diagonal().mean())
    weight = features.T @ torch.linalg.solve(gram, target)
    network.final_layer.weight.copy_(weight.T)
    network.final_layer.bias.copy_(-centre @ weight)


@torch.no_grad()
def copy_weights(source, target):
    """From one of our networks to the plain one, whose splines are ordered channel by channel."""
    for (name, value), parameter in zip(source.named_parameters(), target.parameters(), strict=True):
        if name.endswith("spline.weight"):
            n_channels = source.get_parameter(name.replace("spline", "base")).shape[1]
            parameter.copy_(value.unflatten(1, (-1, n_channels)).transpose(1, 2).flatten(1, 2))
        else:
            parameter.copy_(value)


def training_step(network, x, label, variant, *, fused):
    network = copy.deepcopy(network).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=fused)

    def step():
        optimizer.zero_grad()
        with variant.context(x.device):
            loss = functional.cross_entropy(network(x), label)
        loss.backward()
        optimizer.step()

    return step


def count_flops(function):
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def matrix_products(device):
    """The products that the peak is taken from: name to function and precision, and arithmetic of one."""
    size = 2048 if device.type == "cpu" else 8192
    a, b = torch.randn(2, size, size, device=device)
    low_a, low_b = a.bfloat16(), b.bfloat16()
    products = {
        "matrix product, float32": (lambda: a @ b, torch.float32),
        "the same as a convolution": (lambda: functional.conv1d(b[None], a[:, :, None]), torch.float32),
        "matrix product, bfloat16": (lambda: low_a @ low_b, torch.bfloat16),
    }
    return products, 2 * size**3


def waiting(function, device):
    """Call the function and wait for the device."""

    def call():
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return call


def compare_with_products(contenders, precision, *, n, flops, device, title, repeats):
    """Print times for one spectrum of the batch, and the fraction of the peak that `flops` a batch make."""
    products, product_flops = matrix_products(device)
    functions = {**contenders, **{name: function for name, (function, _) in products.items()}}
    precision = {**precision, **{name: dtype for name, (_, dtype) in products.items()}}

    def speed(name, timings):
        if name in products:
            return product_flops / timings[name].median
        return flops / n / timings[name].median

    def of_peak(name, timings):
        peak = max(speed(other, timings) for other in products if precision[other] == precision[name])
        return f"{speed(name, timings) / peak:.2f}"

    return compare(
        {name: waiting(function, device) for name, function in functions.items()},
        items={name: n if name in contenders else 1 for name in functions},
        columns={"of peak": of_peak},
        title=title,
        repeats=repeats,
    )


def run(name, device, *, quick):
    case = CASES[name]
    n_train, n_predict = getattr(case, device.type)
    torch.manual_seed(0)
    ours, reference = case.ours().to(device).eval(), case.plain().to(device).eval()
    n_check = 39 if quick else 234
    x, label = (tensor.to(device) for tensor in simulate(117, case.n_pixels, seed=1))
    fit_final_layer(ours, x, label, n_predict)
    copy_weights(ours, reference)
    precision = {"plain": torch.float32, **{key: variant.dtype for key, variant in VARIANTS.items()}}
    repeats = 3 if quick else 7

    x, label = (tensor.to(device) for tensor in simulate(n_train, case.n_pixels, seed=2))
    steps = {"plain": training_step(reference, x, label, Variant(), fused=False)}
    for key, variant in VARIANTS.items():
        steps[key] = training_step(ours, x, label, variant, fused=True)
    compare_with_products(
        steps,
        precision,
        n=n_train,
        flops=count_flops(steps["plain"]),
        device=device,
        title=f"{name} on {device.type}: a training step of {n_train}, for one spectrum",
        repeats=repeats,
    )
    del steps

    x, label = (tensor.to(device) for tensor in simulate(max(n_check, n_predict), case.n_pixels, seed=3))
    batch = x[:n_predict]
    calls = {"plain": partial(predict, reference, batch, Variant(), n_predict)}
    for key, variant in VARIANTS.items():
        calls[key] = partial(predict, ours, batch, variant, n_predict)
    compare_with_products(
        calls,
        precision,
        n=n_predict,
        flops=count_flops(calls["plain"]),
        device=device,
        title=f"{name} on {device.type}: prediction of {n_predict}, for one spectrum",
        repeats=repeats,
    )

    expected = calls["plain"]()
    full = predict(ours, x, Variant(), n_predict)
    print(f"accuracy {(full.argmax(1) == label).float().mean():.2f} on {len(x)} simulated spectra")
    for key, variant in VARIANTS.items():
        logits = full if variant.dtype == torch.float32 else predict(ours, x, variant, n_predict)
        error = float((logits[:n_predict] - expected).norm() / expected.norm())
        changed = int((logits.argmax(1) != full.argmax(1)).sum())
        print(f"{key}: logits differ from plain by {error:.1e}, {changed} of {len(x)} labels change")
        if variant.dtype == torch.float32 and error > 1e-4:
            raise SystemExit(f"{name}: {key} differs from the plain network by {error:.1e}, more than 1e-4")


def main(names, *, quick=False):
    print(machine("torch"), f"({torch.get_num_threads()} threads)")
    torch.backends.cudnn.allow_tf32 = False  # float32 is to mean float32, on both sides
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in map(torch.device, devices):
        for name in names:
            run(name, device, quick=quick)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and spectra")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="NAME", help=", ".join(CASES))
    arguments = parser.parse_args()
    main(arguments.only, quick=arguments.quick)
