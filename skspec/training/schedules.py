"""Learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skorch.callbacks import Callback

_WARM_UP = 0.3  # of a one-cycle run; Smith and Topin recommend 0.2 to 0.45
_START = 0.04  # of the maximum learning rate


def one_cycle(done: float) -> float:
    """Rise along a cosine to 1 at 30 % of the run, and then fall to 0 (Smith and Topin 2017, arXiv:1708.07120)."""
    if done < _WARM_UP:
        return _START + (1.0 - _START) * 0.5 * (1.0 - math.cos(math.pi * done / _WARM_UP))
    return 0.5 * (1.0 + math.cos(math.pi * (done - _WARM_UP) / (1.0 - _WARM_UP)))


def cosine(done: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov and Hutter 2016, arXiv:1608.03983)."""
    return 0.5 * (1.0 + math.cos(math.pi * done))


def constant(done: float) -> float:
    """Stay at 1."""
    return 1.0


SCHEDULES = {"one-cycle": one_cycle, "cosine": cosine, "constant": constant, "plateau": constant}
_PLATEAU = {"factor": 0.3, "patience": 5}  # epochs


class LearningRate(Callback):
    """Set the learning rate before each step, by one of the `SCHEDULES` with the maximum `lr`; record it each epoch."""

    def __init__(self, schedule: str, lr: float) -> None:
        self.schedule = schedule
        self.lr = lr

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Compute the number of steps of the run."""
        self.step_ = 0
        self.n_steps_ = net.max_epochs * len(net.get_iterator(X, training=True))
        self.factor_ = 1.0
        self.best_ = -math.inf
        self.since_ = 0

    def on_batch_begin(self, net: Any, training: bool | None = None, **kwargs: Any) -> None:
        """Set the learning rate of this step."""
        if not training:
            return
        self.lr_ = self.lr * self.factor_ * SCHEDULES[self.schedule](self.step_ / self.n_steps_)
        for group in net.optimizer_.param_groups:
            group["lr"] = self.lr_
        self.step_ += 1

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record the learning rate at the end of the epoch, and reduce it on a plateau."""
        net.history.record("lr", self.lr_)
        if self.schedule != "plateau":
            return
        score = score_of(net.history[-1])
        self.best_, self.since_ = (score, 0) if score > self.best_ else (self.best_, self.since_ + 1)
        if self.since_ == _PLATEAU["patience"]:
            self.factor_, self.since_ = self.factor_ * _PLATEAU["factor"], 0


def score_of(epoch: Mapping[str, Any]) -> float:
    """Return the validation score of an epoch, or else the negative validation or training loss."""
    if "valid_score" in epoch:
        return epoch["valid_score"]
    return -epoch.get("valid_loss", epoch["train_loss"])
