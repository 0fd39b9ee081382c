"""The skorch net inside our classifiers: its loop, and how it travels."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochTimer, PassthroughScoring

from skspec.training.batching import Batch, Batches, Rows


class Net(NeuralNetClassifier):
    """A skorch net over class indices whose batches are taken whole, and whose losses are read once an epoch.

    Parameters
    ----------
    module : torch.nn.Module
        Takes rows of X and gives logits.
    generator : numpy.random.Generator
        Shuffles the training rows.
    **kwargs
        As in `skorch.NeuralNetClassifier`.
    """

    device: str

    def __init__(self, module: Any, *, generator: np.random.Generator, **kwargs: Any) -> None:
        super().__init__(module, train_split=None, **kwargs)
        self.generator = generator

    # What skorch asks for data ------------------------------------------------------------------------

    def get_dataset(self, X: Any, y: Any = None) -> Rows:
        """Return `X` and `y` as `Rows`."""
        return X if isinstance(X, Rows) else Rows(X, y)

    def get_iterator(self, dataset: Rows, training: bool = False) -> Batches:
        """Return the batches of a dataset, shuffled for training."""
        generator = self.generator if training else None
        return Batches(dataset, self.batch_size, device=self.device, generator=generator)

    def get_default_callbacks(self) -> list[tuple[str, Any]]:
        """Return what records time and losses of each epoch; skorch's would print as well."""
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
        ]

    # The loop -----------------------------------------------------------------------------------------

    def train(self, rows: Rows) -> Net:
        """Train the initialised net. Unlike in skorch, a user's Ctrl-C is not taken for the end."""
        self.notify("on_train_begin", X=rows, y=None)
        with contextlib.suppress(_StopTraining):
            self.fit_loop(rows)
        self.notify("on_train_end", X=rows, y=None)
        self.optimizer_.zero_grad()  # lets go of the gradients
        return self

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Tell the callbacks; at the end of an epoch theirs is the KeyboardInterrupt that stops early."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt:
            if method_name == "on_epoch_end":
                raise _StopTraining from None
            raise

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Pass once over all batches. Losses become numbers at the end: no step waits for the device."""
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
        for record, loss in zip(records, losses.tolist(), strict=True):
            record[f"{prefix}_loss"] = loss
        self.history.record(f"{prefix}_batch_count", len(records))

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Any]:
        """Take one step of the optimiser."""
        if not self.module_.training:
            self.module_.train()
        self.optimizer_.zero_grad()
        logits = self.module_(batch.X)
        loss = self.criterion_(logits, batch.y, batch.weight)
        loss.backward()
        parameters = list(self.get_all_learnable_params())
        self.notify("on_grad_computed", named_parameters=parameters, batch=batch, training=True)
        self.optimizer_.step()
        return {"loss": loss.detach(), "y_pred": logits.detach()}

    # Devices ------------------------------------------------------------------------------------------

    def to(self, device: torch.device) -> Net:
        """Move to a device what predictions need."""
        if str(device) != self.device:
            self.module_.to(device)
            self.device = str(device)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """State with everything on the CPU, so that what was trained on a GPU can be read anywhere."""
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


class _StopTraining(Exception):  # noqa: N818
    """A callback has ended the training."""
