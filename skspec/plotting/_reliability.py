"""Display of the calibration of predicted probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.utils import check_scalar

from skspec.checks import Interval, check_choice
from skspec.plotting._display import PanelDisplay, PredictionMixin
from skspec.plotting._figure import GREY, stack_panels
from skspec.plotting._labels import check_scores, get_scores
from skspec.spectra.figure import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(repr=False, eq=False)
class ReliabilityDisplay(PredictionMixin, PanelDisplay):
    """Reliability diagram: fraction of correct predictions against predicted probability, above a histogram.

    Calibrated probabilities are on the diagonal, overconfident ones below it. `from_estimator` needs a classifier with
    `predict_proba`, and uses its classes as `labels`.

    Parameters
    ----------
    confidence : ndarray of shape (n_bins,)
        Mean probability of the spectra in each bin. Bins without spectra are left out.
    frequency : ndarray of shape (n_bins,)
        Fraction of these spectra that are classified correctly; with `label`, that belong to this class.
    counts : ndarray of shape (n_bins,)
        Number of spectra in each bin.
    edges : ndarray of shape (n_bins, 2)
        Lower and upper edge of each bin.
    label : default=None
        Class of the probabilities; None means the most probable class of each spectrum.
    confidence_level : float, default=0.95
        Confidence level of the error bars.

    Attributes
    ----------
    interval_ : ndarray of shape (n_bins, 2)
        Lower and upper ends of the error bars: Wilson's interval for a fraction (Wilson 1927, J. Am. Stat. Assoc.
        22, 209).
    expected_calibration_error_ : float
        Mean distance of the points from the diagonal, weighted by counts (Guo et al. 2017, PMLR 70, 1321).
    line_ : matplotlib.lines.Line2D
        Points.
    bars_ : matplotlib.container.BarContainer
        Counts.
    axes_ : dict of str to matplotlib.axes.Axes
        The panels ``"reliability"`` and ``"counts"``.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Axes that hold the panels, and their figure.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Diagram of two classes, without counts and error bars.

    Examples
    --------
    >>> from skspec.plotting import ReliabilityDisplay
    >>> proba = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]]
    >>> display = ReliabilityDisplay.from_predictions(["A", "F", "F", "F"], proba, n_bins=2)
    >>> display.confidence, display.frequency, display.counts
    (array([0.7375]), array([0.75]), array([4]))
    >>> display.expected_calibration_error_
    0.0125
    """

    confidence: ArrayLike
    frequency: ArrayLike
    _: KW_ONLY
    counts: ArrayLike
    edges: ArrayLike
    label: Any = None
    confidence_level: float = 0.95

    def _summary(self) -> str:
        of = "" if self.label is None else f" of {self.label}"
        return f"probabilities{of}, {np.sum(self.counts)} spectra in {np.size(self.counts)} bins"

    def _draw(self, ax: Axes | None) -> None:
        confidence, frequency = np.asarray(self.confidence), np.asarray(self.frequency)
        counts, edges = np.asarray(self.counts), np.asarray(self.edges)
        if not len(confidence) == len(frequency) == len(counts) == len(edges):
            lengths = f"{len(confidence)}, {len(frequency)}, {len(counts)} and {len(edges)}"
            raise ValueError(
                f"confidence, frequency, counts and edges must have the same length, got {lengths}"
            )
        self.interval_ = _wilson(frequency, counts, self.confidence_level)
        self.expected_calibration_error_ = float(np.average(np.abs(frequency - confidence), weights=counts))
        upper, lower = stack_panels(self._set_axes(ax, (4.6, 5.4)), (3.0, 1.0))
        self.axes_ = {"reliability": upper, "counts": lower}
        upper.plot([0, 1], [0, 1], color="0.6", lw=0.8, ls=":")
        error = np.abs(self.interval_.T - frequency)
        upper.errorbar(
            confidence, frequency, error, fmt="none", ecolor=COLORS[0], elinewidth=1.0, capsize=2.0
        )
        (self.line_,) = upper.plot(confidence, frequency, "o-", color=COLORS[0], ms=5.0, lw=1.2)
        text = f"expected calibration error {self.expected_calibration_error_:.3f}"
        upper.text(0.03, 0.97, text, transform=upper.transAxes, va="top", fontsize="small")
        widths = np.diff(edges, axis=1)[:, 0]
        self.bars_ = lower.bar(
            edges[:, 0], counts, widths, align="edge", color=GREY, edgecolor="white", lw=0.5
        )
        lower.set_yscale("log")
        lower.set_ylim(bottom=0.7)
        lower.yaxis.set_major_formatter("{x:g}")
        lower.minorticks_off()
        fraction, probability = "Fraction correct", "Probability of the predicted class"
        if self.label is not None:
            fraction, probability = f"Fraction that is {self.label}", f"Probability of {self.label}"
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02), ylabel=fraction)
        lower.set(xlabel=probability, ylabel="Spectra")

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        labels: Sequence[Any] | None = None,
        label: Any = None,
        n_bins: int = 10,
        strategy: str = "uniform",
        confidence_level: float = 0.95,
        ax: Axes | None = None,
    ) -> Self:
        """Plot the diagram of predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_spectra,)
            True labels.
        y_proba : array-like of shape (n_spectra, n_classes)
            Probabilities.
        labels : sequence of length n_classes, default=None
            Class of each column; None means the sorted classes of `y_true`.
        label : default=None
            Class whose probability is compared with the fraction of spectra that belong to it. None compares the
            probability of the most probable class with the fraction of correct predictions.
        n_bins : int, default=10
            Number of bins between 0 and 1.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of the same width, or with the same number of spectra.
        confidence_level : float, default=0.95
            Confidence level of the error bars.
        ax
            Parameter of `plot`.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            If the columns of `y_proba` do not match the classes, or its rows are not probabilities.
        """
        check_scalar(n_bins, "n_bins", Integral, min_val=1)
        check_choice("strategy", strategy, ("uniform", "quantile"))
        Interval(Real, 0, 1, "neither").check("confidence_level", confidence_level)
        true, proba, classes = check_scores("y_proba", y_true, y_proba, labels)
        wrong = (proba < 0.0).any(axis=1) | (np.abs(proba.sum(axis=1) - 1.0) > 1e-3)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"rows of y_proba must be probabilities with sum 1, got {proba[row].tolist()} in row {row}"
            )
        if label is None:
            probability, correct = proba.max(axis=1), proba.argmax(axis=1) == true
        else:
            check_choice("label", label, classes)
            k = classes.index(label)
            probability, correct = proba[:, k], true == k
        edges = np.linspace(0.0, 1.0, n_bins + 1)
        if strategy == "quantile":
            edges = np.quantile(probability, edges)
        index = np.searchsorted(edges[1:-1], probability)
        counts = np.bincount(index, minlength=n_bins)
        filled = counts > 0
        confidence = np.bincount(index, probability, n_bins)[filled] / counts[filled]
        frequency = np.bincount(index, correct, n_bins)[filled] / counts[filled]
        bins = {"counts": counts[filled], "edges": np.column_stack([edges[:-1], edges[1:]])[filled]}
        return cls(confidence, frequency, **bins, label=label, confidence_level=confidence_level).plot(ax)

    @classmethod
    def _predict(cls, estimator: Any, X: Any) -> tuple[Any, dict[str, Any]]:
        proba, classes = get_scores(cls, estimator, X, "predict_proba")
        return proba, {"labels": classes}


def _wilson(fraction: NDArray[Any], counts: NDArray[Any], level: float) -> NDArray[np.float64]:
    """Return Wilson's confidence interval of fractions, shape (n, 2)."""
    z2 = norm.ppf(0.5 + 0.5 * level) ** 2
    middle = (fraction + z2 / (2.0 * counts)) / (1.0 + z2 / counts)
    half = np.sqrt(z2 * (fraction * (1.0 - fraction) / counts + z2 / (4.0 * counts**2))) / (1.0 + z2 / counts)
    return np.column_stack([middle - half, middle + half])
