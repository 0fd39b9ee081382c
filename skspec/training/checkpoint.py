"""Checkpoints: the state of training on disk, from which an interrupted fit is resumed.

A checkpoint belongs to one fit: its name is a hash of the estimator, its parameters, the data and the versions of the
software. Any number of fits, such as the folds of a search, can therefore share a directory, and any number of processes
can run the same fit. A checkpoint is written to a temporary file of the process that then replaces the previous one, and
contains a digest of its content, so a partly written file is never loaded. Loading executes no code from the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from skspec.training.randomness import get_generator_state, set_generator_state

_DIGEST_SIZE = 32
_SHARE = 0.05  # maximum fraction of the time spent on writing
_PLAIN = (bool, int, float, str, type(None))
_UNSAFE = object()
_PARTIAL = ".part"


def checkpoint_path(directory: str | os.PathLike[str], identity: Any) -> Path:
    """Return the path of the checkpoint of a fit; `identity`, which joblib must be able to hash, identifies the fit."""
    return Path(directory) / f"{joblib.hash(identity)}.checkpoint"


class Checkpoint(Callback):
    """Write the state of training to `path` after epochs, and restore a `state` that was read when training begins.

    This must be the last callback. Attributes of the others that end in an underscore are saved if they are numbers,
    strings, tensors, or lists and dicts of these. The seed is saved because without a ``random_state`` it is drawn anew.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None, seed: int) -> None:
        self.path = path
        self.state = state
        self.seed = seed

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Resume an interrupted run."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.state is not None:
            try:
                set_training_state(net, self.state)
            except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{self.path} is not a checkpoint of this {type(net.module_.network).__name__}; delete it"
                ) from error
            self.state = None
        self.cost_ = 0.0
        self.written_ = -float("inf")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Write the state, unless the previous write was so recent that training would slow down."""
        start = time.monotonic()
        if net.stop_requested:  # the run is complete
            return
        if start - self.written_ < self.cost_ / _SHARE:
            return
        write_checkpoint(self.path, get_training_state(net) | {"seed": self.seed})
        self.written_ = time.monotonic()
        self.cost_ = self.written_ - start

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Delete the files of a complete run."""
        delete_checkpoint(self.path)


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state, completely or not at all; if this fails, because the disk is full for example, only warn."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getbuffer()
    partial = path.with_name(f"{path.stem}.{os.getpid()}-{threading.get_ident()}{_PARTIAL}")
    try:
        with open(partial, "wb") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):  # another process has completed this fit, and tidied up
            os.replace(partial, path)
    except OSError as error:
        warnings.warn(
            f"the checkpoint {path} cannot be written ({error.strerror or error}); training continues, but an "
            "interrupted fit will not resume from here: free space, or choose another checkpoint_dir",
            RuntimeWarning,
            stacklevel=2,
        )
    finally:
        partial.unlink(missing_ok=True)


def delete_checkpoint(path: Path) -> None:
    """Delete a checkpoint and what killed processes left of it."""
    for file in (path, *path.parent.glob(f"{path.stem}*{_PARTIAL}")):
        with contextlib.suppress(PermissionError):  # on Windows, another process is reading or writing it
            file.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Return the state in a checkpoint; None if there is no file, or, with a warning, if it is damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    if hashlib.sha256(content).digest() != digest:
        warnings.warn(f"{path} is damaged; training starts from the beginning", stacklevel=2)
        return None
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def get_training_state(net: Any) -> dict[str, Any]:
    """Return the state of a net in training, in plain values and tensors, which are not copied."""
    return {
        "module": net.module_.state_dict(),
        "average": None if net.average_ is None else net.average_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "history": _plain(net.history),
        "callbacks": {name: _fitted_attributes(callback) for name, callback in net.callbacks_},
        "generator": net.generator.bit_generator.state,
    } | get_generator_state(net.device)


def set_training_state(net: Any, state: Mapping[str, Any]) -> None:
    """Restore a state from `get_training_state`."""
    net.module_.load_state_dict(state["module"])
    if net.average_ is not None:
        net.average_.load_state_dict(state["average"])
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history_ = History(state["history"])
    callbacks = dict(net.callbacks_)
    for name, attributes in state["callbacks"].items():
        if name in callbacks:
            callbacks[name].__dict__.update(attributes)
    net.generator.bit_generator.state = state["generator"]
    set_generator_state(net.device, state)


def _fitted_attributes(callback: Callback) -> dict[str, Any]:
    return _plain({key: value for key, value in vars(callback).items() if key.endswith("_")})


def _plain(value: Any) -> Any:
    """Copy dicts and lists, leaving out values that cannot be loaded safely."""
    if isinstance(value, Mapping):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item is not _UNSAFE}
    if isinstance(value, list | tuple):
        return [item for item in map(_plain, value) if item is not _UNSAFE]
    if isinstance(value, np.generic):
        return value.item()
    return value if type(value) in _PLAIN or isinstance(value, torch.Tensor) else _UNSAFE
