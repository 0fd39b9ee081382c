"""Reading pretrained weights from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the state_dict of a network, on the CPU, from a file of safetensors or ``torch.save``.

    The format is detected from the content; no code in the file is executed.

    Raises
    ------
    ValueError
        If the file is damaged, in another format, or contains anything but named tensors.
    ImportError
        If it is a safetensors file and that package is not installed.
    """
    with open(path, "rb") as file:
        safe = file.read(9)[8:] == b"{"  # the length of the JSON header comes before it
    load = _safetensors().load_file if safe else partial(torch.load, map_location="cpu", weights_only=True)
    try:
        weights = load(path)
    except Exception as error:  # a bad file can raise anything
        raise ValueError(
            f"{path} is damaged, or not a state_dict of tensors written by torch.save or safetensors"
        ) from error
    if not isinstance(weights, Mapping):
        raise ValueError(f"{path} must contain a state_dict of tensors, got a {type(weights).__name__}")
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"{path} must contain only tensors, got a {type(value).__name__} under {name!r}")
    return dict(weights)


def _safetensors() -> Any:
    """Return the module safetensors.torch, or raise ImportError with the command that installs it."""
    try:
        import safetensors.torch  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("reading this file needs safetensors: pip install 'skspec[save]'") from error
    return safetensors.torch
