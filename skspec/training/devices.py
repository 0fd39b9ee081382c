"""Where networks run, and the random numbers of that place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_ONE_AT_A_TIME = threading.RLock()


def resolve_device(device: str | torch.device) -> torch.device:
    """Device by name; ``"auto"`` is the first CUDA GPU, or else the CPU.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (AssertionError, RuntimeError, NotImplementedError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device must be 'auto' or one that torch can use, got {device!r}: {reason}"
        ) from None
    return found


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators for a while and put them back as they were.

    Initialisation and dropout know no others. Fits in several threads wait for each other here, since they
    would draw from one generator in an order that nobody knows.
    """
    gpus = [device] if device.type == "cuda" else []
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
