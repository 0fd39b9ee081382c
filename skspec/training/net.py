"""The skorch nets of the estimators: training loop and transfer between devices."""

from __future__ import annotations

import contextlib
import copy
import traceback
from numbers import Real
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import EpochTimer, PassthroughScoring
from torch import nn

from skspec.training.augmentation import RowAugmenter
from skspec.training.averaging import WeightAverage
from skspec.training.batching import Batch, Batches, Rows, balanced
from skspec.training.precision import autocast
from skspec.training.randomness import own_training
from skspec.training.targets import SoftTargets
from skspec.training.validation import ClassOutputs, ValueOutputs


class Net(NeuralNet):
    """A skorch net with fast batches, whose losses are read from the device once per epoch.

    Parameters
    ----------
    module : torch.nn.Module
        Network from rows of X to logits.
    generator : numpy.random.Generator
        Shuffles the training rows.
    augment : RowAugmenter or None, default=None
        Augments the rows of a training batch.
    soften : SoftTargets or None, default=None
        Smooths or mixes the rows and targets of a training batch.
    outputs : ClassOutputs or ValueOutputs
        Meaning of the outputs.
    balance : bool, default=False
        Whether rows are drawn with replacement, all classes equally often, instead of shuffled.
    dtype : torch.dtype, default=torch.float32
        Precision of matrix products.
    max_grad_norm, ema_decay
        As in `NeuralEstimator`.
    **kwargs
        As in `skorch.NeuralNet`.
    """

    device: str
    average_: WeightAverage | None = None  # during training, if there is one

    def __init__(
        self,
        module: Any,
        *,
        generator: np.random.Generator,
        augment: RowAugmenter | None = None,
        soften: SoftTargets | None = None,
        outputs: ClassOutputs | ValueOutputs,
        balance: bool = False,
        max_grad_norm: float | None = None,
        ema_decay: float | None = None,
        dtype: torch.dtype = torch.float32,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, train_split=None, **kwargs)
        self.generator = generator
        self.augment = augment
        self.soften = soften
        self.outputs = outputs
        self.balance = balance
        self.max_grad_norm = max_grad_norm
        self.ema_decay = ema_decay
        self.dtype = dtype

    # Data ---------------------------------------------------------------------------------------------

    def get_dataset(self, X: Any, y: Any = None) -> Rows:
        """Return `X` and `y` as `Rows`."""
        return X if isinstance(X, Rows) else Rows(X, y)

    def get_iterator(self, dataset: Rows, training: bool = False) -> Batches:
        """Return the batches of a dataset, shuffled or drawn for training."""
        if not training:
            return Batches(dataset, self.batch_size, device=self.device)
        return Batches(
            dataset,
            self.batch_size,
            device=self.device,
            generator=self.generator,
            probability=balanced(dataset.y) if self.balance else None,
        )

    def get_default_callbacks(self) -> list[tuple[str, Any]]:
        """Return callbacks that record the time and losses of each epoch, without skorch's printing."""
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
        ]

    # Training loop ------------------------------------------------------------------------------------

    def train(self, rows: Rows, validation: Rows | None = None, *, n_epochs: int | None = None) -> Net:
        """Train the initialised net, for `n_epochs` or, with None, until it has ``max_epochs``.

        Unlike in skorch, Ctrl-C raises KeyboardInterrupt. FloatingPointError if the loss or a weight is not finite.
        """
        try:
            return self._train(rows, validation, n_epochs)
        finally:
            self.train_split: Any = None
            self.average_ = None
            self.__dict__.pop("_named_parameters", None)

    def _train(self, rows: Rows, validation: Rows | None, n_epochs: int | None) -> Net:
        self.stop_requested = False  # callbacks set it; the others are still notified of the end of the epoch
        self.train_split = None if validation is None else lambda _: (rows, validation)
        self.average_ = None if self.ema_decay is None else WeightAverage(self.module_, self.ema_decay)
        self._named_parameters = list(self.get_all_learnable_params())
        self.notify("on_train_begin", X=rows, y=None)
        augmentations = () if self.augment is None else self.augment.augmentations
        with contextlib.suppress(_StopTraining), own_training(self.module_, augmentations):
            self.fit_loop(rows, epochs=self.max_epochs - len(self.history) if n_epochs is None else n_epochs)
        if self.average_ is not None:
            self.module_.load_state_dict(self.average_.module.state_dict())
        self._check_weights()
        self.notify("on_train_end", X=rows, y=None)
        self.optimizer_.zero_grad()  # frees the gradients
        return self

    def _check_weights(self) -> None:
        tensors = self.module_.network.state_dict().values()
        if not all(tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point()):
            raise self._diverged("weights are")

    def _diverged(self, what: str) -> FloatingPointError:
        return FloatingPointError(
            f"training diverged in epoch {len(self.history)}: {what} NaN or infinite; a smaller lr than {self.lr:g}, "
            "max_grad_norm=1, or a normalised flux (FluxNormalizer) may help"
        )

    @property
    def validated_module(self) -> nn.Module:
        """The network that is validated and kept, which has the averaged weights if there is an average."""
        return self.module_ if self.average_ is None else self.average_.module

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks; a KeyboardInterrupt of one of skorch at the end of an epoch stops training early."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as error:
            if method_name == "on_epoch_end" and not _is_in_skspec(error):
                raise _StopTraining from None
            raise
        if method_name == "on_epoch_end" and self.stop_requested:
            raise _StopTraining

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Iterate once over all batches. Losses are read at the end, so no step waits for the device."""
        if iterator is None:
            return
        records = []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            records.append(self.history[-1]["batches"][-1])
            records[-1].update({f"{prefix}_loss": step["loss"], f"{prefix}_batch_size": len(batch)})
            self.notify("on_batch_end", batch=batch, training=training, **step)
        losses = torch.stack([record[f"{prefix}_loss"] for record in records])
        if not losses.isfinite().all():
            raise self._diverged("the loss is" if training else "the validation loss is")
        for record, loss in zip(records, losses.tolist(), strict=True):
            record[f"{prefix}_loss"] = loss
        self.history.record(f"{prefix}_batch_count", len(records))

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Take one step of the optimiser."""
        if not self.module_.training:
            self.module_.train()
        self.optimizer_.zero_grad()
        X = batch.X if self.augment is None else self.augment(batch.X)
        target: Any = batch.y
        weight = batch.weight
        if self.soften is not None:
            X, target, weight = self.soften(X, target, weight)
        with autocast(self.device, self.dtype):
            logits = self.module_(X)
        logits = logits.float()
        loss = self.criterion_(logits, target, weight)
        loss.backward()
        if self.max_grad_norm is not None:
            nn.utils.clip_grad_norm_([p for _, p in self._named_parameters], self.max_grad_norm)
        self.notify("on_grad_computed", named_parameters=self._named_parameters, batch=batch, training=True)
        self.optimizer_.step()
        if self.average_ is not None:
            self.average_.update(self.module_)
        return {"loss": loss.detach(), "y_pred": logits.detach()}

    def validation_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Return the loss and logits of a validation batch."""
        with torch.no_grad(), autocast(self.device, self.dtype):
            logits = self.validated_module.eval()(batch.X).float()
            loss = self.criterion_(logits, batch.y, batch.weight)
        return {"loss": loss, "y_pred": logits}

    # Devices ------------------------------------------------------------------------------------------

    def to(self, device: torch.device) -> Net:
        """Move the network to a device."""
        if str(device) != self.device:
            self.module_.to(device)
            self.device = str(device)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with everything on the CPU, so a net trained on a GPU can be loaded anywhere."""
        if self.device == "cpu":
            return super().__getstate__()
        twin = object.__new__(type(self))
        module, criterion, optimizer = copy.deepcopy((self.module_, self.criterion_, self.optimizer_))
        for state in optimizer.state.values():
            state.update(
                {key: value.cpu() for key, value in state.items() if isinstance(value, torch.Tensor)}
            )
        on_cpu = {
            "device": "cpu",
            "module_": module.cpu(),
            "criterion_": criterion.cpu(),
            "optimizer_": optimizer,
        }
        twin.__dict__.update(self.__dict__ | on_cpu)
        return twin.__getstate__()


class ClassifierNet(Net, NeuralNetClassifier):
    """A net for class indices."""


class RegressorNet(Net, NeuralNetRegressor):
    """A net for values."""


class _StopTraining(Exception):  # noqa: N818
    """A callback has stopped the training."""


def _is_in_skspec(error: BaseException) -> bool:
    """Return whether an exception was raised in another module of skspec, such as Ctrl-C in a checkpoint."""
    modules = {frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)}
    return any(name.startswith("skspec.") for name in modules - {__name__})


def get_weights(net: Any) -> dict[str, NDArray[Any]]:
    """Return the weights and buffers of the network of a skorch net, by name."""
    return {name: tensor.numpy(force=True) for name, tensor in net.module_.state_dict().items()}


def history_table(history: Any) -> Table:
    """Return a table of the numbers that a skorch history has for each epoch; NaN where an epoch lacks one."""
    hidden = ("_best", "_batch_count")
    names = {name for epoch in history for name, value in epoch.items() if isinstance(value, Real)}
    order = ["epoch", *sorted(name for name in names - {"epoch"} if not name.endswith(hidden))]
    return Table({name: [epoch.get(name, np.nan) for epoch in history] for name in order})
