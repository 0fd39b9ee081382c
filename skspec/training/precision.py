"""Precision of matrix products in training and prediction."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

PRECISIONS = ("auto", "float32", "bfloat16")
_LARGE = 1_000_000  # weights; in smaller networks, conversion takes more time than bfloat16 products save


def resolve_precision(precision: str, device: torch.device, n_weights: int) -> torch.dtype:
    """Return the type of matrix products on a device for the parameter ``precision``.

    "auto" is bfloat16 if the device supports it in hardware (GPUs from compute capability 8; processors with AMX or
    AVX512-BF16) and the network has at least a million weights, and float32 otherwise.
    """
    if precision == "float32" or (precision == "auto" and n_weights < _LARGE):
        return torch.float32
    return torch.bfloat16 if precision == "bfloat16" or _multiplies_bfloat16(device) else torch.float32


def autocast(device: torch.device | str, dtype: torch.dtype) -> AbstractContextManager[None]:
    """Return a context with matrix products in `dtype`; weights and sums stay in float32."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    found = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("amx_tile", "avx512_bf16"))
    return any(is_supported is not None and is_supported() for is_supported in found)
