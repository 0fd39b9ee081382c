"""A training run of an estimator: data, seed, callbacks, checkpoint, and the net that is trained."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from skorch.callbacks import PrintLog

from skspec import __version__
from skspec.checks import draw_seed
from skspec.metrics import get_scorer
from skspec.training.augmentation import RowAugmenter
from skspec.training.batching import Rows
from skspec.training.callbacks import ProgressBar
from skspec.training.checkpoint import (
    Checkpoint,
    checkpoint_path,
    delete_checkpoint,
    get_training_state,
    read_checkpoint,
    set_training_state,
)
from skspec.training.net import Net, get_weights, history_table
from skspec.training.network import RowNetwork, column_statistics
from skspec.training.optimizers import OPTIMIZERS
from skspec.training.randomness import own_random_numbers, seeded
from skspec.training.schedules import LearningRate
from skspec.training.validation import Validation, hold_out

_NOT_IDENTITY = ("augment", "callbacks", "checkpoint_dir", "device", "random_state", "verbose")


def train(
    estimator: Any,
    rows: NDArray[np.float32],
    target: NDArray[Any],
    weight: NDArray[np.floating] | None,
    *,
    groups: NDArray[Any] | None,
    device: torch.device,
    start: Net | None,
    identity: Any,
) -> None:
    """Train a new network, from the weights of the net `start` if there is one.

    `identity` identifies this fit, together with its data and parameters: see `training.checkpoint`.
    """
    seed = draw_seed(estimator.random_state)
    checkpoint = early_stopping = None
    if estimator.checkpoint_dir is not None:
        weights = None if start is None else get_weights(start)
        path = checkpoint_path(
            estimator.checkpoint_dir,
            [_identity(estimator, seed), identity, rows, target, weight, groups, weights],
        )
        state = read_checkpoint(path)
        seed = seed if state is None else state["seed"]
        checkpoint = Checkpoint(path, state, seed)
    data, validation = Rows(rows, target, weight), None
    if estimator.validation_fraction is not None:
        strata = target if target.ndim == 1 else np.zeros(len(target), dtype=np.intp)
        learn, validate = hold_out(strata, groups, estimator.validation_fraction, seed)
        data, validation = data.part(learn), data.part(validate)
    if start is None:
        statistics = column_statistics(data.X, estimator._input_shape(rows.shape[1]))
    else:
        module = start.module_
        statistics = module.center.numpy(force=True), module.scale.numpy(force=True)
    if validation is not None:
        scorer = None if estimator.scoring is None else get_scorer(estimator.scoring)
        early_stopping = Validation(scorer, estimator.n_iter_no_change)
    with seeded(seed, device):
        net = make_net(
            estimator, *statistics, device=device, seed=seed, validation=early_stopping, checkpoint=checkpoint
        )
        if start is None:
            estimator._load_pretrained(net.module_.network)
        else:
            net.module_.load_state_dict(start.module_.state_dict())
        try:
            estimator.net_ = net.train(data, validation)
        except FloatingPointError:
            if checkpoint is not None:  # the run would diverge again
                delete_checkpoint(checkpoint.path)
            raise
    estimator.history_ = history_table(estimator.net_.history)
    estimator.__dict__.pop("best_epoch_", None)
    if validation is not None:
        estimator.best_epoch_ = dict(net.callbacks_)["validation"].best_epoch_


def train_more(
    estimator: Any,
    rows: NDArray[np.float32],
    target: NDArray[Any],
    weight: NDArray[np.floating] | None,
    device: torch.device,
) -> None:
    """Train for one epoch at a constant learning rate; a net that exists is unchanged if this fails."""
    seed = draw_seed(estimator.random_state) if not hasattr(estimator, "net_") else None
    data = Rows(rows, target, weight)
    if seed is not None:
        statistics = column_statistics(rows, estimator._input_shape(rows.shape[1]))
        with seeded(seed, device):
            estimator.net_ = make_net(estimator, *statistics, device=device, seed=seed)
            estimator._load_pretrained(estimator.net_.module_.network)
    net = estimator.net_.to(device)
    with _unchanged_on_error(net):
        dict(net.callbacks_)["learning_rate"].schedule = "constant"
        with seeded(int(net.generator.integers(2**31 - 1)), device):
            net.train(data, n_epochs=1)
    estimator.history_ = history_table(net.history)


@contextmanager
def _unchanged_on_error(net: Net) -> Iterator[None]:
    """Restore the state of a net if the block is left by an exception."""
    callbacks = [(callback, copy.copy(vars(callback))) for _, callback in net.callbacks_]
    state = copy.deepcopy(get_training_state(net))
    try:
        yield
    except BaseException:
        set_training_state(net, state)
        for callback, attributes in callbacks:
            callback.__dict__ = attributes
        raise


def make_net(
    estimator: Any,
    center: NDArray[np.floating],
    scale: NDArray[np.floating],
    *,
    device: torch.device,
    seed: int,
    validation: Validation | None = None,
    checkpoint: Checkpoint | None = None,
) -> Net:
    """Return an untrained net, with weights drawn from the generator of `seeded`."""
    shape = estimator._input_shape(len(center))
    with own_random_numbers():
        network = estimator._build_network(shape.channels, estimator._n_outputs)
    module = RowNetwork(network, center, scale, shape)
    if estimator.compile:
        module.compile()
    optimizer, options = OPTIMIZERS[estimator.optimizer]
    generator = np.random.default_rng(seed)
    augment = None
    if estimator.augment:
        augment = RowAugmenter(shape, estimator.augment, getattr(estimator, "wave_", None))
    net = estimator._net_class(
        module,
        generator=generator,
        augment=augment,
        max_grad_norm=estimator.max_grad_norm,
        ema_decay=estimator.ema_decay,
        dtype=estimator._dtype(device, module),
        optimizer=optimizer,
        optimizer__weight_decay=estimator.weight_decay,
        **{f"optimizer__{name}": value for name, value in options.items()},
        **estimator._net_options(generator),
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        callbacks=_make_callbacks(estimator, validation, checkpoint),
        device=str(device),
        verbose=estimator.verbose > 1,
    )
    return net.initialize()


def _make_callbacks(
    estimator: Any, validation: Validation | None, checkpoint: Checkpoint | None
) -> list[Any]:
    """Return the callbacks in the order of their calls: records, progress, those of the user, checkpoints."""
    callbacks: list[Any] = [] if validation is None else [("validation", validation)]
    callbacks.append(("learning_rate", LearningRate(estimator.schedule, estimator.lr)))
    if estimator.verbose == 1:
        callbacks.append(ProgressBar(type(estimator).__name__))
    elif estimator.verbose > 1:
        callbacks.append(PrintLog())
    callbacks += list(clone(estimator.callbacks, safe=False) or ())
    return callbacks if checkpoint is None else [*callbacks, ("checkpoint", checkpoint)]


def _identity(estimator: Any, seed: int) -> list[Any]:
    """Return the values that identify a fit, besides its data."""
    params = {k: v for k, v in estimator.get_params(deep=False).items() if k not in _NOT_IDENTITY}
    named = {key: _qualified_name(value) if callable(value) else value for key, value in params.items()}
    augment = [(_qualified_name(type(step)), step.get_params()) for step in estimator.augment or ()]
    known_seed = None if estimator.random_state is None else seed
    return [type(estimator).__name__, named, augment, known_seed, __version__, torch.__version__]


def _qualified_name(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"
