"""Fitted state of an estimator as plain values and arrays, for files without pickle."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray
from torch.nn.modules import module as torch_module

from skspec.training.net import get_weights
from skspec.training.randomness import seeded
from skspec.training.run import make_net

_PREFIX = "module."
_MAX_HISTORY_COLUMNS = 1000


def get_state(estimator: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the fitted state of an estimator.

    Returns
    -------
    state : dict
        Values for JSON: the meaning of the outputs (``classes`` and ``classes_dtype``, or ``target_mean``,
        ``target_scale`` and ``is_flat``), ``n_features_in``, ``feature_names_in`` (or None), ``history`` (columns by
        name) and ``best_epoch`` (if there is one).
    arrays : dict of str to ndarray
        Weights and buffers of the network, with the prefix ``module.``, and ``wave`` if known.
    """
    names = getattr(estimator, "feature_names_in_", None)
    history = estimator.history_
    state = estimator._get_output_state() | {
        "n_features_in": estimator.n_features_in_,
        "feature_names_in": None if names is None else names.tolist(),
        "history": {name: history[name].tolist() for name in history.colnames},
    }
    if hasattr(estimator, "best_epoch_"):
        state["best_epoch"] = estimator.best_epoch_
    arrays = {_PREFIX + name: array for name, array in get_weights(estimator.net_).items()}
    if hasattr(estimator, "wave_"):
        arrays["wave"] = estimator.wave_
    return state, arrays


def set_state(estimator: Any, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Restore the fitted state in an estimator with the same parameters.

    ValueError if the arrays are not those of a network with these parameters, or values do not belong together.
    """
    for name in ("wave_", "feature_names_in_", "best_epoch_"):
        estimator.__dict__.pop(name, None)
    if "best_epoch" in state:
        estimator.best_epoch_ = int(state["best_epoch"])
    estimator._set_output_state(state)
    estimator.n_features_in_ = _count(state["n_features_in"])
    if state["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(state["feature_names_in"], dtype=object)
        if estimator.feature_names_in_.shape != (estimator.n_features_in_,):
            raise ValueError(f"there are not {estimator.n_features_in_} feature names")
    if "wave" in arrays:
        estimator.wave_ = np.asarray(arrays["wave"])
        _check_wave(estimator)
    estimator.history_ = _history(state["history"])
    weights = {
        name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)
    }
    _check_weights(estimator, weights)
    cpu = torch.device("cpu")
    with seeded(0, cpu):
        net = make_net(estimator, weights["center"], weights["scale"], device=cpu, seed=0)
    net.module_.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    estimator.net_ = net


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"a positive number of features is needed, got {value!r}")
    return value


def _check_wave(estimator: Any) -> None:
    wave, shape = estimator.wave_, estimator._input_shape(estimator.n_features_in_).channels
    if (
        wave.shape != shape[1:]
        or wave.dtype.kind != "f"
        or not np.isfinite(wave).all()
        or (np.diff(wave) <= 0).any()
    ):
        raise ValueError(f"wave must have {shape[-1]} finite, increasing wavelengths")


def _history(columns: Any) -> Table:
    """Return the table of a history, whose columns must be lists of plain values of one length."""
    columns = dict(columns)
    if len(columns) > _MAX_HISTORY_COLUMNS:
        raise ValueError(f"a history has at most {_MAX_HISTORY_COLUMNS} columns, got {len(columns)}")
    for name, column in columns.items():
        if not isinstance(column, list) or not all(isinstance(v, int | float | str | None) for v in column):
            raise ValueError(f"column {name!r} of the history is not a list of numbers")
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("the columns of the history have different lengths")
    return Table(columns)


def _check_weights(estimator: Any, weights: Mapping[str, NDArray[Any]]) -> None:
    """Compare names and shapes with those of the network, without allocating it, since it might be huge."""
    shape = estimator._input_shape(estimator.n_features_in_)
    with torch.device("meta"), _at_most(len(weights)):
        network = estimator._build_network(shape.channels, estimator._n_outputs)
    needed = {
        f"network.{name}": (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in network.state_dict().items()
    }
    needed |= dict.fromkeys(("center", "scale"), ((estimator.n_features_in_,), "float32"))
    found = {name: (array.shape, array.dtype.name) for name, array in weights.items()}
    for name in sorted(needed.keys() | found.keys()):
        if needed.get(name) != found.get(name):
            raise ValueError(
                f"arrays do not fit {type(estimator).__name__} with these parameters: {name} is "
                f"{_described(found.get(name))}, not {_described(needed.get(name))}"
            )


def _described(array: tuple[tuple[int, ...], str] | None) -> str:
    return "absent" if array is None else f"{array[1]} of shape {array[0]}"


@contextmanager
def _at_most(n_arrays: int) -> Iterator[None]:
    """Stop with ValueError as soon as the networks built in this thread have more weights than there are arrays.

    A parameter of a few bytes can ask for any number of layers; building them takes long even if they are not allocated.
    """
    thread = threading.get_ident()
    weights: set[tuple[int, str]] = set()
    modules: list[Any] = []  # kept alive, because numbers of freed objects are used again

    def count(module: Any, name: str, _: Any) -> None:
        if threading.get_ident() != thread:
            return
        modules.append(module)
        weights.add((id(module), name))
        if len(weights) > n_arrays or len(modules) > 100 + 20 * n_arrays:
            raise ValueError(
                f"the parameters ask for a network of more than the {n_arrays} arrays that there are"
            )

    handles = [
        torch_module.register_module_parameter_registration_hook(count),
        torch_module.register_module_buffer_registration_hook(count),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
