"""Devices on which networks run, and torch's random generators there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

_ONE_AT_A_TIME = threading.RLock()


def resolve_device(device: str | torch.device) -> torch.device:
    """Return a device by name; "auto" is a CUDA GPU if there is one, else the CPU. ValueError if it does not exist."""
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
    """Seed torch's global generators within the context, and restore them afterwards.

    Initialisation, dropout and augmentation draw from these generators. Fits in several threads run one after the other,
    because they would otherwise draw from one generator in an undefined order.
    """
    gpus = [device] if device.type == "cuda" else []
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield


def get_generator_state(device: torch.device | str) -> dict[str, Any]:
    """Return the state of torch's global generators, of the CPU and of `device`, for a checkpoint."""
    cuda = torch.device(device).type == "cuda"
    return {"torch": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state(device) if cuda else None}


def set_generator_state(device: torch.device | str, state: Mapping[str, Any]) -> None:
    """Restore the state of torch's global generators from `get_generator_state`."""
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.device(device).type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
