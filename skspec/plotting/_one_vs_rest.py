"""Curves of many classes, each against the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.plotting._class_scores import Labels, check_scores, response_of
from skspec.plotting._figure import DASHES, GREY
from skspec.spectra.figure import COLORS, get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
_N_WORST = 5


class Curve(NamedTuple):
    """A curve and the area under it."""

    x: Array
    y: Array
    area: float


class OneVsRestDisplay(ABC):
    """What ROC and precision-recall curves of many classes share."""

    _area_name: str
    _axis_names: tuple[str, str]
    _drawstyle: str
    _figsize: tuple[float, float]
    _legend: Mapping[str, Any]
    _guess: tuple[Sequence[float], Sequence[float]] | None = None

    def __init__(self, curves: Mapping[Any, Curve], *, micro: Curve, macro: Curve) -> None:
        self.curves = curves
        self.micro = micro
        self.macro = macro

    @staticmethod
    @abstractmethod
    def _curve(is_class: NDArray[np.bool_], score: Array) -> Curve:
        """Curve of a class against the rest."""

    @staticmethod
    @abstractmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        """Mean of curves at each x."""

    def plot(self, ax: Axes | None = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones.
        highlight : sequence, default=None
            Classes drawn in colour and named in the legend; the others are thin and grey. None takes all classes up
            to six, and of more the five with the least area.

        Returns
        -------
        Display
            Itself.

        Raises
        ------
        ValueError
            If there is no curve for a class of `highlight`.
        ImportError
            If matplotlib is not installed.
        """
        drawn = {label: curve for label, curve in self.curves.items() if np.isfinite(curve.area)}
        if highlight is None:
            worst = sorted(drawn, key=lambda label: drawn[label].area)
            named = list(drawn) if len(drawn) <= len(COLORS) else worst[:_N_WORST]
        else:
            named = list(highlight)
            strange = [label for label in named if label not in drawn]
            if strange:
                raise ValueError(f"highlight has classes for which there is no curve: {strange}")
        self.ax_ = ax = get_axes(ax, self._figsize)
        self.figure_ = ax.figure
        self.lines_ = {}
        others = [label for label in drawn if label not in named]
        rest = f"the other {len(others)} classes" if named else f"{len(others)} classes"
        for label in others:
            self.lines_[label] = self._draw(drawn[label], color="0.7", lw=0.6, label=rest)
        for k, label in enumerate(named):
            style = {"color": COLORS[k % len(COLORS)], "ls": DASHES[k % len(DASHES)], "lw": 1.3}
            text = f"{label} ({drawn[label].area:.3f})"
            self.lines_[label] = self._draw(drawn[label], label=text, **style)
        of = f" of {len(drawn)} classes" if len(drawn) < len(self.curves) else ""
        self.micro_line_ = self._draw(
            self.micro, color=GREY, lw=2.2, label=f"micro average ({self.micro.area:.3f})"
        )
        self.macro_line_ = self._draw(
            self.macro, color="black", lw=2.2, label=f"macro average{of} ({self.macro.area:.3f})"
        )
        if self._guess is not None:
            ax.plot(*self._guess, color="0.6", lw=0.8, ls=":", zorder=1)
        ax.set(
            xlabel=self._axis_names[0],
            ylabel=self._axis_names[1],
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            aspect="equal",
        )
        ax.legend(
            handles=[
                self.macro_line_,
                self.micro_line_,
                *(self.lines_[label] for label in [*named, *others[:1]]),
            ],
            title=self._area_name,
            **self._legend,
            fontsize="small",
            title_fontsize="small",
        )
        return self

    def _draw(self, curve: Curve, **style: Any) -> Any:
        return self.ax_.plot(curve.x, curve.y, drawstyle=self._drawstyle, **style)[0]

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        labels: Labels | None = None,
        highlight: Sequence[Any] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the curves of scores.

        Parameters
        ----------
        y_true : array-like of shape (n_spectra,)
            True labels.
        y_score : array-like of shape (n_spectra, n_classes)
            Probabilities, logits or other scores that rise with the confidence in a class.
        labels : sequence of length n_classes, default=None
            Class of each column; None takes the classes of `y_true`, sorted.
        highlight, ax
            See `plot`.

        Returns
        -------
        Display

        Raises
        ------
        ValueError
            If the columns of `y_score` are not those of the classes, or `y_true` has a single class.
        """
        true, scores, classes = check_scores("y_score", y_true, y_score, labels)
        is_class = true[:, None] == np.arange(len(classes))
        present = is_class.any(axis=0)
        if present.sum() < 2:
            raise ValueError("y_true has a single class; two are needed to tell one from the rest")
        nothing = Curve(np.empty(0), np.empty(0), np.nan)
        curves = [
            cls._curve(is_class[:, k], scores[:, k]) if present[k] else nothing for k in range(len(classes))
        ]
        micro = cls._curve(is_class.ravel(), scores.ravel())
        macro = cls._mean([curve for curve, here in zip(curves, present, strict=True) if here])
        display = cls(dict(zip(classes, curves, strict=True)), micro=micro, macro=macro)
        return display.plot(ax, highlight=highlight)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, response_method: str = "auto", **params: Any
    ) -> Self:
        """Draw the curves of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : Spectra or array-like
            What it classifies.
        y : array-like of shape (n_spectra,)
            True labels.
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Whose scores are taken; "auto" prefers probabilities.
        **params
            `highlight` and `ax`, see `plot`.

        Returns
        -------
        Display

        Raises
        ------
        ValueError
            If `estimator` is no classifier or lacks the method.
        """
        scores, classes = response_of(cls, estimator, X, response_method)
        return cls.from_predictions(y, scores, labels=classes, **params)
