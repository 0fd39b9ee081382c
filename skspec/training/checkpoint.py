"""Training that survives being killed: its state on disk after an epoch, and the way back.

A checkpoint belongs to one fit: its name is a hash of the estimator, its parameters, the data and the versions that
compute with them, so that any number of fits (the folds of a search) can share a directory and none takes up another's
state. It is written to a file of another name that then replaces the last one, and carries a digest of its content:
what was half written is never loaded. Nothing in it is executed when it is loaded.
"""

from __future__ import annotations

import hashlib
import io
import os
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

_DIGEST_SIZE = 32
_SHARE = 0.05  # of the time may go into writing
_PLAIN = (bool, int, float, str, type(None))
_STRANGE = object()


def checkpoint_path(directory: str | os.PathLike[str], identity: Any) -> Path:
    """File of the fit that `identity`, anything that joblib can hash, tells from all others."""
    return Path(directory) / f"{joblib.hash(identity)}.checkpoint"


class Checkpoint(Callback):
    """Writes the state of a training run after its epochs, and takes it up when a run begins.

    It comes after all other callbacks. Of those, the attributes that end in an underscore are kept if they are numbers,
    strings, tensors, or lists and dicts of them.

    Parameters
    ----------
    path : Path
        From `checkpoint_path`.
    state : dict or None
        What `read_checkpoint` found there.
    seed : int
        Of the run: kept, since a run without a ``random_state`` could not know it again.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None, seed: int) -> None:
        self.path = path
        self.state = state
        self.seed = seed

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Go on where a run was interrupted."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.state is not None:
            _restore(net, self.state)
            self.state = None
        self.cost_ = 0.0
        self.written_ = -float("inf")

    def on_epoch_end(
        self, net: Any, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        """Write the state, unless the last was written so shortly ago that writing would slow the training."""
        start = time.monotonic()
        if net.stop_requested:  # the run is complete
            return
        if start - self.written_ < self.cost_ / _SHARE:
            return
        write_checkpoint(self.path, _state(net) | {"seed": self.seed})
        self.written_ = time.monotonic()
        self.cost_ = self.written_ - start

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Leave nothing behind of a run that is complete."""
        self.path.unlink(missing_ok=True)
        _partial(self.path).unlink(missing_ok=True)


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state, all or nothing."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getbuffer()
    partial = _partial(path)
    with open(partial, "wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a state; None if there is none. One that is damaged is reported and left alone."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    if hashlib.sha256(content).digest() != digest:
        warnings.warn(f"{path} is damaged; training starts from the beginning", stacklevel=2)
        return None
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _partial(path: Path) -> Path:
    return path.with_suffix(".part")


def _state(net: Any) -> dict[str, Any]:
    cuda = torch.device(net.device).type == "cuda"
    return {
        "module": net.module_.state_dict(),
        "average": None if net.average_ is None else net.average_.state_dict(),
        "optimizer": net.optimizer_.state_dict(),
        "history": _plain(net.history),
        "callbacks": {name: _learned(callback) for name, callback in net.callbacks_},
        "generator": net.generator.bit_generator.state,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(net.device) if cuda else None,
    }


def _restore(net: Any, state: Mapping[str, Any]) -> None:
    net.module_.load_state_dict(state["module"])
    if net.average_ is not None:
        net.average_.load_state_dict(state["average"])
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history_ = History(state["history"])
    callbacks = dict(net.callbacks_)
    for name, learned in state["callbacks"].items():
        if name in callbacks:
            callbacks[name].__dict__.update(learned)
    net.generator.bit_generator.state = state["generator"]
    torch.set_rng_state(state["torch"])
    if state["cuda"] is not None and torch.device(net.device).type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], net.device)


def _learned(callback: Callback) -> dict[str, Any]:
    return _plain({key: value for key, value in vars(callback).items() if key.endswith("_")})


def _plain(value: Any) -> Any:
    """Copy of dicts and lists with what can be read back safely; the rest is left out."""
    if isinstance(value, Mapping):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item is not _STRANGE}
    if isinstance(value, list | tuple):
        return [item for item in map(_plain, value) if item is not _STRANGE]
    if isinstance(value, np.generic):
        return value.item()
    return value if type(value) in _PLAIN or isinstance(value, torch.Tensor) else _STRANGE
