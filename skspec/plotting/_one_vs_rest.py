"""Base class of Displays of one-vs-rest curves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.plotting._display import Display
from skspec.plotting._figure import DASHES, GREY
from skspec.plotting._labels import check_scores, get_scores
from skspec.spectra.figure import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_WORST = 5


class Curve(NamedTuple):
    """A curve and the area under it."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float


@dataclass(repr=False, eq=False)
class OneVsRestDisplay(Display):
    """Base class of Displays of one-vs-rest curves of many classes."""

    curves: Mapping[Any, Curve]
    _: KW_ONLY
    micro: Curve
    macro: Curve

    _area_name = "area"
    _axis_names = ("", "")
    _drawstyle = "default"
    _figsize = (5.4, 5.0)
    _legend: ClassVar[dict[str, Any]] = {"loc": "lower right"}
    _draws_chance = False

    def _summary(self) -> str:
        return f"{len(self.curves)} classes, {self._area_name} {self.macro.area:.3f} (macro average)"

    @staticmethod
    @abstractmethod
    def _curve(is_class: NDArray[np.bool_], score: NDArray[np.float64]) -> Curve:
        """Return the curve of one class against the rest."""

    @staticmethod
    @abstractmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        """Return the mean of curves at each x."""

    def plot(self, ax: Axes | None = None, *, highlight: Sequence[Any] | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None creates a new figure.
        highlight : sequence, default=None
            Classes drawn in colour and named in the legend; the others are thin and grey. None means all classes if
            there are at most six, or else the five with the smallest area.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a class of `highlight` has no curve.
        """
        drawn = {label: curve for label, curve in self.curves.items() if np.isfinite(curve.area)}
        if highlight is None:
            worst = sorted(drawn, key=lambda label: drawn[label].area)
            named = list(drawn) if len(drawn) <= len(COLORS) else worst[:_N_WORST]
        else:
            named = list(highlight)
            missing = [label for label in named if label not in drawn]
            if missing:
                raise ValueError(f"highlight has classes without a curve: {missing}")
        ax = self._set_axes(ax, self._figsize)
        self.lines_ = {}
        others = [label for label in drawn if label not in named]
        rest = f"{len(others)} other classes" if named else f"{len(others)} classes"
        for label in others:
            self.lines_[label] = self._draw(drawn[label], color="0.7", lw=0.6, label=rest)
        for k, label in enumerate(named):
            style = {"color": COLORS[k % len(COLORS)], "ls": DASHES[k % len(DASHES)], "lw": 1.3}
            text = f"{label} ({drawn[label].area:.3f})"
            self.lines_[label] = self._draw(drawn[label], label=text, **style)
        of = f" of {len(drawn)} classes" if len(drawn) < len(self.curves) else ""
        text = f"micro average ({self.micro.area:.3f})"
        self.micro_line_ = self._draw(self.micro, color=GREY, lw=2.2, label=text)
        text = f"macro average{of} ({self.macro.area:.3f})"
        self.macro_line_ = self._draw(self.macro, color="black", lw=2.2, label=text)
        if self._draws_chance:
            ax.plot([0, 1], [0, 1], color="0.6", lw=0.8, ls=":", zorder=1)
        x, y = self._axis_names
        ax.set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        classes = [self.lines_[label] for label in [*named, *others[:1]]]
        ax.legend(
            handles=[self.macro_line_, self.micro_line_, *classes],
            title=self._area_name,
            fontsize="small",
            title_fontsize="small",
            **self._legend,
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
        labels: Sequence[Any] | None = None,
        highlight: Sequence[Any] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Plot the curves of scores.

        Parameters
        ----------
        y_true : array-like of shape (n_spectra,)
            True labels.
        y_score : array-like of shape (n_spectra, n_classes)
            Probabilities, logits or other scores that increase with the confidence in a class.
        labels : sequence of length n_classes, default=None
            Class of each column; None means the sorted classes of `y_true`.
        highlight, ax
            Parameters of `plot`.

        Returns
        -------
        Display

        Raises
        ------
        ValueError
            If the columns of `y_score` do not match the classes, or `y_true` has only one class.
        """
        true, scores, classes = check_scores("y_score", y_true, y_score, labels)
        is_class = true[:, None] == np.arange(len(classes))
        present = is_class.any(axis=0)
        if present.sum() < 2:
            raise ValueError("y_true must have two or more classes, got 1")
        curves = dict.fromkeys(classes, Curve(np.empty(0), np.empty(0), np.nan))
        drawn = {classes[k]: cls._curve(is_class[:, k], scores[:, k]) for k in np.flatnonzero(present)}
        micro = cls._curve(is_class.ravel(), scores.ravel())
        display = cls(curves | drawn, micro=micro, macro=cls._mean(list(drawn.values())))
        return display.plot(ax, highlight=highlight)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, response_method: str = "auto", **params: Any
    ) -> Self:
        """Plot the curves of a classifier.

        Parameters
        ----------
        estimator, X, y
            Fitted classifier, or a pipeline that ends in one, its input, and true labels of shape (n_spectra,).
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Method for the scores; "auto" uses `predict_proba` if it exists.
        **params
            Parameters `highlight` and `ax` of `plot`.

        Returns
        -------
        Display

        Raises
        ------
        ValueError
            If `estimator` is not a classifier or lacks the method.
        """
        scores, classes = get_scores(cls, estimator, X, response_method)
        return cls.from_predictions(y, scores, labels=classes, **params)
