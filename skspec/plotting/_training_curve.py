"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from skspec.plotting._figure import GREY, stack_panels
from skspec.spectra.figure import COLORS, get_axes

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes


class TrainingCurveDisplay:
    """Losses, validation score and learning rate of each epoch, one panel each, with the epoch that was kept.

    Parameters
    ----------
    history : astropy.table.Table or mapping of columns
        A row for each epoch: ``epoch`` and ``train_loss``; ``valid_loss``, ``valid_score`` and ``lr`` are shown if
        they are there. It is the attribute `history_` of the neural classifiers.
    best_epoch : int, default=None
        The epoch whose weights were kept.

    Attributes
    ----------
    axes_ : dict of str to matplotlib.axes.Axes
        The panels: ``"loss"`` and, where there is something to show, ``"score"`` and ``"lr"``.
    ax_ : matplotlib.axes.Axes
        Axes that hold the panels.
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from skspec.plotting import TrainingCurveDisplay
    >>> history = {"epoch": [1, 2, 3], "train_loss": [0.9, 0.5, 0.3], "valid_loss": [1.0, 0.7, 0.8]}
    >>> TrainingCurveDisplay(history, best_epoch=2).plot()
    <skspec.plotting._training_curve.TrainingCurveDisplay object at ...>
    """

    def __init__(self, history: Table | Mapping[str, Any], *, best_epoch: int | None = None) -> None:
        self.history = history
        self.best_epoch = best_epoch

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes whose place the panels take; None makes new ones.

        Returns
        -------
        TrainingCurveDisplay
            Itself.

        Raises
        ------
        ValueError
            If the history has no epochs, or lacks ``epoch`` or ``train_loss``.
        ImportError
            If matplotlib is not installed.
        """
        from matplotlib.ticker import MaxNLocator, NullFormatter  # noqa: PLC0415

        columns = {name: np.asarray(self.history[name], dtype=np.float64) for name in self.history.keys()}  # noqa: SIM118
        missing = [name for name in ("epoch", "train_loss") if name not in columns]
        if missing:
            raise ValueError(
                f"history lacks {' and '.join(missing)}; it has {', '.join(columns) or 'nothing'}"
            )
        epoch = columns["epoch"]
        if not len(epoch):
            raise ValueError("history has no epochs")
        shown = ["loss", *(name for name in ("score", "lr") if _COLUMN[name] in columns)]
        self.ax_ = get_axes(ax, (6.0, 2.6 + 1.1 * len(shown[1:])))
        self.figure_ = self.ax_.figure
        self.axes_ = dict(zip(shown, stack_panels(self.ax_, [_HEIGHT[name] for name in shown]), strict=True))
        for name, color, dashes, text in _LOSSES:
            if name in columns:
                self._draw("loss", epoch, columns[name], color=color, ls=dashes, label=text)
        self.axes_["loss"].set_ylabel("Loss")
        if "score" in shown:
            self._draw("score", epoch, columns["valid_score"], color=COLORS[1], ls="--")
            self.axes_["score"].set_ylabel("Validation\nscore")
        if "lr" in shown:
            self._draw("lr", epoch, columns["lr"], color=GREY, drawstyle="steps-mid")
            self.axes_["lr"].set_ylabel("Learning\nrate")
            if columns["lr"].min() > 0 and columns["lr"].max() > 100.0 * columns["lr"].min():
                self.axes_["lr"].set_yscale("log")
                self.axes_["lr"].yaxis.set_minor_formatter(NullFormatter())
        self._mark_best()
        self.axes_["loss"].legend(fontsize="small")
        last = self.axes_[shown[-1]]
        last.set(xlabel="Epoch", xlim=(epoch[0] - 0.5, epoch[-1] + 0.5))
        last.xaxis.set_major_locator(MaxNLocator(integer=True))
        return self

    def _draw(self, panel: str, epoch: Any, values: Any, **style: Any) -> None:
        marker = "o" if len(epoch) == 1 else None  # a line needs two
        self.axes_[panel].plot(epoch, values, lw=1.4, marker=marker, **style)

    def _mark_best(self) -> None:
        if self.best_epoch is None:
            return
        for name, panel in self.axes_.items():
            text = f"best epoch: {self.best_epoch}" if name == "loss" else None
            panel.axvline(self.best_epoch, color="black", lw=0.9, ls=":", label=text)

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw the history of a neural classifier.

        Parameters
        ----------
        estimator : NeuralEstimator or Pipeline
            Fitted; the last step of a pipeline counts.
        ax : matplotlib.axes.Axes, default=None
            See `plot`.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        ValueError
            If it has no `history_`.
        """
        last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        if not hasattr(last, "history_"):
            raise ValueError(
                f"estimator must be a fitted neural estimator, which has a history_; got {type(last).__name__} without"
            )
        return cls(last.history_, best_epoch=getattr(last, "best_epoch_", None)).plot(ax)


_LOSSES = (
    ("train_loss", COLORS[0], "-", "training"),
    ("valid_loss", COLORS[1], "--", "validation"),
)
_COLUMN = {"score": "valid_score", "lr": "lr"}
_HEIGHT = {"loss": 2.2, "score": 1.4, "lr": 1.0}
