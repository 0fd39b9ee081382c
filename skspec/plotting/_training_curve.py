"""Display of losses and scores during training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from skspec.plotting._display import PanelDisplay
from skspec.plotting._figure import GREY, stack_panels
from skspec.spectra.figure import COLORS

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes


_LOSSES = (
    ("train_loss", COLORS[0], "-", "training"),
    ("valid_loss", COLORS[1], "--", "validation"),
)
_COLUMN = {"score": "valid_score", "lr": "lr"}
_HEIGHT = {"loss": 2.2, "score": 1.4, "lr": 1.0}


@dataclass(repr=False, eq=False)
class TrainingCurveDisplay(PanelDisplay):
    """Losses, validation score and learning rate of each epoch, in one panel each, with the best epoch marked.

    Parameters
    ----------
    history : astropy.table.Table or mapping of columns
        One row for each epoch, such as the attribute `history_` of neural estimators: columns ``epoch`` and
        ``train_loss`` and, optionally, ``valid_loss``, ``valid_score`` and ``lr``.
    best_epoch : int, default=None
        Epoch whose weights were kept.

    Attributes
    ----------
    axes_ : dict of str to matplotlib.axes.Axes
        The panels ``"loss"`` and, if `history` has these columns, ``"score"`` and ``"lr"``.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Axes that hold the panels, and their figure.

    Examples
    --------
    >>> from skspec.plotting import TrainingCurveDisplay
    >>> history = {"epoch": [1, 2, 3], "train_loss": [0.9, 0.5, 0.3], "valid_loss": [1.0, 0.7, 0.8]}
    >>> TrainingCurveDisplay(history, best_epoch=2).plot()
    <TrainingCurveDisplay: 3 epochs>
    """

    history: Table | Mapping[str, Any]
    _: KW_ONLY
    best_epoch: int | None = None

    def _summary(self) -> str:
        return f"{len(self.history['epoch'])} epochs"

    def _draw(self, ax: Axes | None) -> None:
        from matplotlib.ticker import MaxNLocator, NullFormatter  # noqa: PLC0415

        columns = {name: np.asarray(self.history[name], dtype=np.float64) for name in self.history.keys()}  # noqa: SIM118
        missing = [name for name in ("epoch", "train_loss") if name not in columns]
        if missing:
            found = ", ".join(columns) or "nothing"
            raise ValueError(f"history must have columns {' and '.join(missing)}, got {found}")
        epoch = columns["epoch"]
        if not len(epoch):
            raise ValueError("history must have at least one epoch, got none")
        shown = ["loss", *(name for name in ("score", "lr") if _COLUMN[name] in columns)]
        ax = self._set_axes(ax, (6.0, 2.6 + 1.1 * len(shown[1:])))
        self.axes_ = dict(zip(shown, stack_panels(ax, [_HEIGHT[name] for name in shown]), strict=True))
        for name, color, dashes, text in _LOSSES:
            if name in columns:
                self._draw_line("loss", epoch, columns[name], color=color, ls=dashes, label=text)
        self.axes_["loss"].set_ylabel("Loss")
        if "score" in shown:
            self._draw_line("score", epoch, columns["valid_score"], color=COLORS[1], ls="--")
            self.axes_["score"].set_ylabel("Validation\nscore")
        if "lr" in shown:
            self._draw_line("lr", epoch, columns["lr"], color=GREY, drawstyle="steps-mid")
            self.axes_["lr"].set_ylabel("Learning\nrate")
            if columns["lr"].min() > 0 and columns["lr"].max() > 100.0 * columns["lr"].min():
                self.axes_["lr"].set_yscale("log")
                self.axes_["lr"].yaxis.set_minor_formatter(NullFormatter())
        if self.best_epoch is not None:
            for name, panel in self.axes_.items():
                best = f"best epoch: {self.best_epoch}" if name == "loss" else None
                panel.axvline(self.best_epoch, color="black", lw=0.9, ls=":", label=best)
        self.axes_["loss"].legend(fontsize="small")
        last = self.axes_[shown[-1]]
        last.set(xlabel="Epoch", xlim=(epoch[0] - 0.5, epoch[-1] + 0.5))
        last.xaxis.set_major_locator(MaxNLocator(integer=True))

    def _draw_line(self, panel: str, epoch: Any, values: Any, **style: Any) -> None:
        marker = "o" if len(epoch) == 1 else None  # a line needs two points
        self.axes_[panel].plot(epoch, values, lw=1.4, marker=marker, **style)

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Plot the training history of a neural estimator.

        Parameters
        ----------
        estimator : NeuralEstimator or Pipeline
            Fitted neural estimator, or a pipeline that ends in one.
        ax
            Parameter of `plot`.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        ValueError
            If the estimator has no `history_`.
        """
        last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        if not hasattr(last, "history_"):
            raise ValueError(f"estimator must be a fitted neural estimator, got {type(last).__name__}")
        return cls(last.history_, best_epoch=getattr(last, "best_epoch_", None)).plot(ax)
