"""Fitted state of an estimator as plain values and arrays, for files without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray

from skspec.training.net import get_weights
from skspec.training.randomness import seeded
from skspec.training.run import make_net

_PREFIX = "module."


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

    ValueError if the arrays are not those of a network with these parameters.
    """
    for name in ("wave_", "feature_names_in_", "best_epoch_"):
        estimator.__dict__.pop(name, None)
    if "best_epoch" in state:
        estimator.best_epoch_ = int(state["best_epoch"])
    estimator._set_output_state(state)
    estimator.n_features_in_ = int(state["n_features_in"])
    if state["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(state["feature_names_in"], dtype=object)
    if "wave" in arrays:
        estimator.wave_ = np.asarray(arrays["wave"])
    estimator.history_ = Table(dict(state["history"]))
    weights = {
        name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)
    }
    _check_weights(estimator, weights)
    cpu = torch.device("cpu")
    with seeded(0, cpu):
        net = make_net(estimator, weights["center"], weights["scale"], device=cpu, seed=0)
    net.module_.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    estimator.net_ = net


def _check_weights(estimator: Any, weights: Mapping[str, NDArray[Any]]) -> None:
    """Compare names and shapes with those of the network, without allocating it, since it might be huge."""
    shape = estimator._input_shape(estimator.n_features_in_)
    with torch.device("meta"):
        network = estimator._build_network(shape.channels, estimator._n_outputs)
    needed = {f"network.{name}": tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    needed |= dict.fromkeys(("center", "scale"), (estimator.n_features_in_,))
    found = {name: array.shape for name, array in weights.items()}
    for name in sorted(needed.keys() | found.keys()):
        if needed.get(name) != found.get(name):
            raise ValueError(
                f"arrays do not fit {type(estimator).__name__} with these parameters: {name} is of shape "
                f"{found.get(name, 'none')}, not {needed.get(name, 'none')}"
            )
