"""What a classifier has learned, as plain values and arrays: how it is written to a file without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray

from skspec.training.devices import seeded

_PREFIX = "module."


def get_state(estimator: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Take apart a fitted classifier.

    Parameters
    ----------
    estimator : NeuralClassifier
        Fitted.

    Returns
    -------
    state : dict
        What JSON can hold: ``classes`` and ``classes_dtype``, ``n_features_in``, ``feature_names_in`` (or
        None) and ``history`` (columns by name).
    arrays : dict of str to ndarray
        Weights and buffers of the network, each name with ``module.`` before it, and ``wave`` if known.
    """
    names = getattr(estimator, "feature_names_in_", None)
    history = estimator.history_
    state = {
        "classes": estimator.classes_.tolist(),
        "classes_dtype": estimator.classes_.dtype.str,
        "n_features_in": estimator.n_features_in_,
        "feature_names_in": None if names is None else names.tolist(),
        "history": {name: history[name].tolist() for name in history.colnames},
    }
    arrays = {_PREFIX + name: array for name, array in get_weights(estimator.net_).items()}
    if hasattr(estimator, "wave_"):
        arrays["wave"] = estimator.wave_
    return state, arrays


def set_state(estimator: Any, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put a classifier together again.

    Parameters
    ----------
    estimator : NeuralClassifier
        With the parameters that the taken one had.
    state, arrays : mapping
        From `get_state`.

    Raises
    ------
    ValueError
        If the arrays are not those of a network with these parameters.
    """
    for name in ("wave_", "feature_names_in_"):
        estimator.__dict__.pop(name, None)
    estimator.classes_ = np.array(state["classes"], dtype=state["classes_dtype"])
    estimator.n_features_in_ = int(state["n_features_in"])
    if state["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(state["feature_names_in"], dtype=object)
    if "wave" in arrays:
        estimator.wave_ = np.asarray(arrays["wave"])
    estimator.history_ = Table(dict(state["history"]))
    cpu, blank = torch.device("cpu"), np.zeros(estimator.n_features_in_)
    with seeded(0, cpu):
        net = estimator._make_net(blank, blank, device=cpu, seed=0)
    weights = {
        name.removeprefix(_PREFIX): torch.tensor(array)
        for name, array in arrays.items()
        if name.startswith(_PREFIX)
    }
    try:
        net.module_.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"arrays do not fit {type(estimator).__name__} with these parameters: {reason}"
        ) from None
    estimator.net_ = net


def get_weights(net: Any) -> dict[str, NDArray[Any]]:
    """Weights and buffers of the network of a skorch net, by name."""
    return {name: tensor.numpy(force=True) for name, tensor in net.module_.state_dict().items()}


def history_table(history: Any) -> Table:
    """Table of the numbers that a skorch history has for each epoch; NaN where an epoch lacks one."""
    hidden = ("_best", "_batch_count")
    names = {name for epoch in history for name, value in epoch.items() if isinstance(value, Real)}
    order = ["epoch", *sorted(name for name in names - {"epoch"} if not name.endswith(hidden))]
    return Table({name: [epoch.get(name, np.nan) for epoch in history] for name in order})
