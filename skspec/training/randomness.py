"""Random numbers of a fit, from generators of its own: other threads do not affect it, and it does not affect them.

Layers of `skspec.networks` that draw random numbers have an attribute ``generator``. While they are built, and for
augmentation, the generator is that of the thread. Networks and augmentations from elsewhere, and compiled networks, can
draw only from torch's global generators: these are then seeded, one fit at a time, and restored afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_ONE_AT_A_TIME = threading.RLock()
_thread = threading.local()

# Functions that have a parameter ``generator``.
_DRAWING: frozenset[Callable[..., Any]] = frozenset(
    getattr(owner, name)
    for owner, names in {
        torch: ("bernoulli", "multinomial", "normal", "rand", "randint", "randn", "randperm"),
        torch.Tensor: (
            "bernoulli",
            "bernoulli_",
            "cauchy_",
            "exponential_",
            "geometric_",
            "log_normal_",
            "multinomial",
            "normal_",
            "random_",
            "uniform_",
        ),
        nn.init: ("kaiming_uniform_", "normal_", "uniform_"),
    }.items()
    for name in names
)
_DRAWING_LAYERS = (
    nn.modules.dropout._DropoutNd,
    nn.FractionalMaxPool2d,
    nn.FractionalMaxPool3d,
    nn.MultiheadAttention,
    nn.RNNBase,
    nn.RReLU,
    nn.TransformerDecoderLayer,
    nn.TransformerEncoderLayer,
)


class _Generators:
    """Generators of one fit, of the CPU and, on a GPU, of that; or the global ones, while `is_global`."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.by_type = {"cpu": torch.Generator().manual_seed(seed)}
        if device.type == "cuda":
            self.by_type["cuda"] = torch.Generator(device).manual_seed(seed)
        self.is_global = False


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Give this thread generators with a seed within the context, of the CPU and of `device`."""
    before = getattr(_thread, "generators", None)
    _thread.generators = _Generators(seed, device)
    try:
        yield
    finally:
        _thread.generators = before


def own_generator(device: torch.device | str) -> torch.Generator | None:
    """Return the generator of this thread for a device; None, torch's global one, outside of `seeded`."""
    generators = getattr(_thread, "generators", None)
    if generators is None or generators.is_global:
        return None
    return generators.by_type.get(torch.device(device).type)


def own_random_numbers() -> TorchFunctionMode:
    """Return a context in which torch's functions draw from the generators of this thread, to build a network."""
    return _OwnRandomNumbers()


class _OwnRandomNumbers(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if func in _DRAWING and given.get("generator") is None:
            tensor = given.get("tensor", args[0] if args else None)
            if isinstance(tensor, torch.Tensor):
                device = tensor.device
            else:
                device = given.get("device") or torch.get_default_device()
            given["generator"] = own_generator(device)
        return func(*args, **given)


@contextmanager
def own_layers(*networks: nn.Module) -> Iterator[None]:
    """Let the layers of `skspec.networks` draw from the generators of this thread within the context."""
    layers: list[Any] = [m for network in networks for m in network.modules() if hasattr(m, "generator")]
    for layer in layers:
        layer.generator = own_generator(next((p.device for p in networks[0].parameters()), "cpu"))
    try:
        yield
    finally:
        for layer in layers:
            del layer.generator  # the class has None


@contextmanager
def own_training(network: nn.Module, augmentations: Sequence[Any]) -> Iterator[None]:
    """Let training draw from the generators of this thread; see the beginning of this module."""
    if getattr(_thread, "generators", None) is None:
        yield
    elif any(map(_is_foreign, augmentations)) or any(map(_draws_globally, network.modules())):
        with _seeded_globally(_thread.generators):
            yield
    else:
        with own_layers(network):
            yield


def _is_foreign(value: Any) -> bool:
    return not type(value).__module__.startswith("skspec.")


def _draws_globally(layer: nn.Module) -> bool:
    if layer._compiled_call_impl is not None:
        return True
    is_of_torch = type(layer).__module__.startswith("torch.nn.")
    return isinstance(layer, _DRAWING_LAYERS) if is_of_torch else _is_foreign(layer)


@contextmanager
def _seeded_globally(generators: _Generators) -> Iterator[None]:
    gpu = generators.by_type.get("cuda")
    gpus = [] if gpu is None else [gpu.device]
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=gpus):
        torch.set_rng_state(generators.by_type["cpu"].get_state())
        if gpu is not None:
            torch.cuda.set_rng_state(gpu.get_state(), gpu.device)
        generators.is_global = True
        try:
            yield
        finally:
            generators.is_global = False


def get_generator_state(device: torch.device | str) -> dict[str, Any]:
    """Return the state of the generators of this thread, of the CPU and of `device`, for a checkpoint."""
    cuda = torch.device(device).type == "cuda"
    own, own_gpu = own_generator("cpu"), own_generator("cuda")
    gpu_state = None
    if cuda:
        gpu_state = torch.cuda.get_rng_state(device) if own_gpu is None else own_gpu.get_state()
    return {"torch": torch.get_rng_state() if own is None else own.get_state(), "cuda": gpu_state}


def set_generator_state(device: torch.device | str, state: Mapping[str, Any]) -> None:
    """Restore the state of the generators of this thread from `get_generator_state`."""
    own, own_gpu = own_generator("cpu"), own_generator("cuda")
    if own is None:
        torch.set_rng_state(state["torch"])
    else:
        own.set_state(state["torch"])
    if state["cuda"] is None or torch.device(device).type != "cuda":
        return
    if own_gpu is None:
        torch.cuda.set_rng_state(state["cuda"], device)
    else:
        own_gpu.set_state(state["cuda"])
