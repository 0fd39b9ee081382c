"""Speed of the published networks in skspec, compared with plain implementations.

Command: ``python -m benchmarks.networks [--quick] [--only NAME ...] [--threads N]``

The plain networks (`benchmarks._plain_networks`) are channels first, float32 and eager, with explicit attention matrices
and recursive splines. Those of skspec are trained briefly on simulated classes, so that their labels are meaningful, and
both get these weights. A training step (forward, backward, Adam) and a prediction are timed, interleaved, on the CPU and
on a GPU if there is one. Batches are small, so that a step takes a second or two; times are per spectrum.

``of peak`` is the arithmetic of the plain network per time, relative to the fastest matrix product of the same
precision in the table: above 1, arithmetic is saved. The lines below a table give the relative difference of the
logits from those of the plain network (the run stops if float32 differs by more than 1e-4), and the fraction of
labels that bfloat16 changes. On shared CPUs a single thread gives the most stable ratios.
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
from skspec.networks import Conv1D, ConvKAN, ConvTran, ResNet

N_OUTPUTS = 39
V1 = {"filters": (512, 256, 128, 64), "strides": (1, 1, 1, 1), "head": "channel_max", "hidden": (2048, 1024)}
V2 = {
    "filters": (32, 128, 512, 2048, 512, 128, 32),
    "strides": (1, 2, 2, 2, 2, 2, 2),
    "head": "flatten",
    "hidden": (2048,),
}
TRAN = {"embed_dim": 64, "n_heads": 16}
KAN = {"filters": (64, 128, 256, 512), "strides": (1, 2, 2, 1)}


@dataclass(frozen=True)
class Case:
    """A published configuration in both implementations, and batch sizes for (training, prediction)."""

    plain: Callable[[], nn.Module]
    ours: Callable[[], nn.Module]
    n_pixels: int = 2305
    lr: float = 3e-3
    n_steps: int = 20  # with eight spectra, enough to learn the simulated classes
    cpu: tuple[int, int] = (4, 4)
    cuda: tuple[int, int] = (64, 256)


CASES = {
    "Conv1D-v1": Case(
        partial(plain.PlainConv1D, 2305, N_OUTPUTS, **V1),
        partial(Conv1D, n_pixels=2305, n_outputs=N_OUTPUTS, batch_norm=False, dropout=0, **V1),
        lr=3e-4,
        cpu=(4, 8),
    ),
    "Conv1D-v2": Case(
        partial(plain.PlainConv1D, 2305, N_OUTPUTS, **V2),
        partial(Conv1D, n_pixels=2305, n_outputs=N_OUTPUTS, batch_norm=False, dropout=0, **V2),
        lr=3e-4,
        n_steps=80,
        cpu=(8, 16),  # with fewer, reading its 160 MB of weights dominates the time
    ),
    "ResNet50": Case(
        partial(plain.PlainResNet50, N_OUTPUTS),
        partial(ResNet, n_pixels=2305, n_outputs=N_OUTPUTS, depth=50),
        lr=1e-3,
        n_steps=80,
        cpu=(16, 16),  # with fewer, both convolve at half the speed on a single thread
    ),
    "ConvTran": Case(
        partial(plain.PlainConvTran, 2305, N_OUTPUTS, relative=False, **TRAN),
        partial(ConvTran, 2305, N_OUTPUTS, relative_encoding=None, dropout=0, **TRAN),
        n_steps=40,
        cpu=(1, 1),
        cuda=(8, 16),
    ),
    "ConvTran-eRPE": Case(
        partial(plain.PlainConvTran, 2305, N_OUTPUTS, relative=True, **TRAN),
        partial(ConvTran, 2305, N_OUTPUTS, dropout=0, **TRAN),
        n_steps=40,
        cpu=(1, 1),
        cuda=(8, 16),
    ),
    "ConvTran-eRPE-433": Case(
        partial(plain.PlainConvTran, 433, N_OUTPUTS, relative=True, **TRAN),
        partial(ConvTran, 433, N_OUTPUTS, dropout=0, **TRAN),
        n_pixels=433,
        n_steps=80,
        cpu=(8, 8),
    ),
    "ConvKAN": Case(
        partial(plain.PlainConvKAN, N_OUTPUTS, **KAN),
        partial(ConvKAN, 2305, N_OUTPUTS, input_scale=None, dropout=0, **KAN),
        cpu=(4, 8),
        cuda=(32, 128),
    ),
}
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
VARIANTS = {"skspec float32": torch.float32, "skspec bfloat16": torch.bfloat16}


def simulate(n, n_pixels, *, seed, device):
    """Return noisy spectra of four alternating classes, with 2, 8, 32 and 128 absorption lines, and labels."""
    generator = torch.Generator().manual_seed(0)
    pixel = torch.linspace(0, 1, n_pixels)
    templates = []
    for n_lines in (2, 8, 32, 128):
        centre, depth = torch.rand(2, n_lines, 1, generator=generator)
        templates.append(-1.5 * (depth * torch.exp(-(((pixel - centre) / 0.005) ** 2))).sum(0))
    label = torch.arange(n) % 4
    noise = torch.randn(n, n_pixels, generator=generator.manual_seed(seed))
    flux = torch.stack(templates)[label] + 0.3 * noise
    return flux[:, None].to(device), label.to(device)


def autocast(x, dtype):
    return torch.autocast(x.device.type, dtype, enabled=dtype != torch.float32)


@torch.inference_mode()
def predict(network, x, dtype, batch_size):
    with autocast(x, dtype):
        return torch.cat([network(part) for part in x.split(batch_size)]).float()


def adam(network, *, lr=1e-4, fused=True):
    return torch.optim.Adam(network.parameters(), lr=lr, fused=fused)


def train(network, optimizer, x, label, dtype):
    optimizer.zero_grad()
    with autocast(x, dtype):
        loss = functional.cross_entropy(network(x), label)
    loss.backward()
    optimizer.step()


@torch.no_grad()
def copy_weights(source, target):
    """Copy the weights of a skspec network to the plain one, whose splines are ordered channel by channel."""
    for (name, value), parameter in zip(source.named_parameters(), target.parameters(), strict=True):
        if name.endswith("spline.weight"):
            n_channels = source.get_parameter(name.replace("spline", "base")).shape[1]
            parameter.copy_(value.unflatten(1, (-1, n_channels)).transpose(1, 2).flatten(1, 2))
        else:
            parameter.copy_(value)
    normalizations = (
        [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
        for network in (source, target)
    )
    for ours, theirs in zip(*normalizations, strict=True):
        theirs.load_state_dict(ours.state_dict())


def count_flops(function):
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def compare_with_products(contenders, dtypes, *, n, device, title, repeats):
    """Time networks, the plain one first, on batches of n, interleaved with matrix products."""
    size = 2048 if device.type == "cpu" else 8192
    a, b = torch.randn(2, size, size, device=device)
    low_a, low_b = a.bfloat16(), b.bfloat16()
    b_parts = (
        b.unflatten(1, (16, -1)).transpose(0, 1).contiguous()
    )  # with fewer parts, torch does not use its convolution
    products = {
        "matrix product": lambda: a @ b,
        "matrix product as convolution": lambda: functional.conv1d(b_parts, a[:, :, None]),
        "matrix product, bfloat16": lambda: low_a @ low_b,
    }
    dtypes = {**dict.fromkeys(products, torch.float32), "matrix product, bfloat16": torch.bfloat16, **dtypes}
    flops = count_flops(next(iter(contenders.values()))) / n
    work = {**dict.fromkeys(contenders, flops), **dict.fromkeys(products, 2 * size**3)}

    def of_peak(name, timings):
        rates = {other: work[other] / timings[other].median for other in work}
        return f"{rates[name] / max(rates[other] for other in products if dtypes[other] == dtypes[name]):.2f}"

    def waiting(function):
        def call():
            function()
            if device.type == "cuda":
                torch.cuda.synchronize()

        return call

    compare(
        {name: waiting(function) for name, function in {**contenders, **products}.items()},
        items={**dict.fromkeys(contenders, n), **dict.fromkeys(products, 1)},
        columns={"of peak": of_peak},
        title=title,
        repeats=repeats,
    )


def run(name, device, *, quick):
    case = CASES[name]
    n_train, n_predict = getattr(case, device.type)
    n_check, n_steps, repeats = (40, case.n_steps // 4, 3) if quick else (200, case.n_steps, 7)
    dtypes = {"plain": torch.float32, **VARIANTS}
    torch.manual_seed(0)
    ours, reference = case.ours().to(device), case.plain().to(device)
    optimizer = adam(ours, lr=case.lr)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=n_steps)
    for k in range(n_steps):
        train(ours, optimizer, *simulate(8, case.n_pixels, seed=k, device=device), torch.float32)
        decay.step()
    copy_weights(ours, reference)

    batch = simulate(n_train, case.n_pixels, seed=n_steps, device=device)
    network = copy.deepcopy(reference)
    steps = {"plain": partial(train, network, adam(network, fused=False), *batch, torch.float32)}
    for key, dtype in VARIANTS.items():
        network = copy.deepcopy(ours)
        steps[key] = partial(train, network, adam(network), *batch, dtype)
    title = f"{name} on {device.type}, training step with batch size {n_train}: time per spectrum"
    compare_with_products(steps, dtypes, n=n_train, device=device, title=title, repeats=repeats)
    del steps

    ours.eval(), reference.eval()
    x, label = simulate(max(n_check, n_predict), case.n_pixels, seed=n_steps + 1, device=device)
    calls = {"plain": partial(predict, reference, x[:n_predict], torch.float32, n_predict)}
    calls |= {key: partial(predict, ours, x[:n_predict], dtype, n_predict) for key, dtype in VARIANTS.items()}
    title = f"{name} on {device.type}, prediction with batch size {n_predict}: time per spectrum"
    compare_with_products(calls, dtypes, n=n_predict, device=device, title=title, repeats=repeats)

    expected, exact = calls["plain"](), predict(ours, x, torch.float32, n_predict)
    for key, dtype in VARIANTS.items():
        logits = exact if dtype == torch.float32 else predict(ours, x, dtype, n_predict)
        error = float((logits[:n_predict] - expected).norm() / expected.norm())
        changed = float((logits.argmax(1) != exact.argmax(1)).float().mean())
        accuracy = float((logits.argmax(1) == label).float().mean())
        print(
            f"{key}: logits differ from plain by {error:.1e}, {changed:.1%} of {len(x)} labels differ from float32; "
            f"accuracy {accuracy:.1%}"
        )
        if dtype == torch.float32 and error > 1e-4:
            raise SystemExit(f"{name}: {key} differs from the plain network by {error:.1e}, more than 1e-4")


def main(names, *, quick=False):
    print(machine("torch"), f"({torch.get_num_threads()} threads)")
    torch.backends.cudnn.allow_tf32 = False  # float32 without TF32, in both implementations
    for device in ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]:
        for name in names:
            run(name, torch.device(device), quick=quick)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats and spectra")
    parser.add_argument("--threads", type=int, help="number of CPU threads")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="NAME")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    main(arguments.only, quick=arguments.quick)
