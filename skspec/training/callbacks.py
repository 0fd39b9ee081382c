"""The progress bar of a fit."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from tqdm import tqdm


class ProgressBar(Callback):
    """Progress bar over the epochs with losses, score and remaining time, on standard error, after a label."""

    def __init__(self, label: str) -> None:
        self.label = label

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Show the bar."""
        self.bar_ = tqdm(total=net.max_epochs, desc=self.label, unit="epoch", initial=len(net.history))

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Advance the bar by an epoch."""
        epoch = net.history[-1]
        shown = {"loss": "train_loss", "valid_loss": "valid_loss", "score": "valid_score"}
        values = {name: f"{epoch[key]:.4f}" for name, key in shown.items() if key in epoch}
        self.bar_.set_postfix(values, refresh=False)
        self.bar_.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar and delete it, since it cannot be pickled."""
        self.bar_.close()
        del self.bar_
