"""Whether probabilities are what they say."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.plotting._class_scores import Labels, check_scores, response_of
from skspec.plotting._figure import GREY, stack_panels
from skspec.spectra.figure import COLORS, get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


class ReliabilityDisplay:
    """Reliability diagram: how often a classifier is right, against how sure it is; below, how many spectra.

    Points of calibrated probabilities lie on the diagonal, those of overconfident ones below it.

    Parameters
    ----------
    confidence : ndarray of shape (n_bins,)
        Mean probability of the spectra of each bin. Bins without spectra are left out.
    frequency : ndarray of shape (n_bins,)
        Fraction of them that are right, or of the class.
    counts : ndarray of shape (n_bins,)
        Number of spectra in each bin.
    edges : ndarray of shape (n_bins, 2)
        Lower and upper edge of each bin.
    label : default=None
        The class whose probability this is; None is for the most probable class, whichever that is.
    confidence_level : float, default=0.95
        Of the error bars.

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
    ax_ : matplotlib.axes.Axes
        Axes that hold the panels.
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Two classes, without counts and error bars.

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

    def __init__(
        self,
        confidence: ArrayLike,
        frequency: ArrayLike,
        *,
        counts: ArrayLike,
        edges: ArrayLike,
        label: Any = None,
        confidence_level: float = 0.95,
    ) -> None:
        self.confidence = confidence
        self.frequency = frequency
        self.counts = counts
        self.edges = edges
        self.label = label
        self.confidence_level = confidence_level

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes whose place the two panels take; None makes new ones.

        Returns
        -------
        ReliabilityDisplay
            Itself.

        Raises
        ------
        ValueError
            If `confidence`, `frequency`, `counts` and `edges` do not have the same number of bins.
        ImportError
            If matplotlib is not installed.
        """
        confidence, frequency = np.asarray(self.confidence), np.asarray(self.frequency)
        counts, edges = np.asarray(self.counts), np.asarray(self.edges)
        if not len(confidence) == len(frequency) == len(counts) == len(edges):
            raise ValueError(
                f"confidence, frequency, counts and edges have {len(confidence)}, {len(frequency)}, {len(counts)} and "
                f"{len(edges)} bins; the same number is needed"
            )
        self.interval_ = _wilson(frequency, counts, self.confidence_level)
        self.expected_calibration_error_ = float(np.average(np.abs(frequency - confidence), weights=counts))
        self.ax_ = get_axes(ax, (4.6, 5.4))
        self.figure_ = self.ax_.figure
        upper, lower = stack_panels(self.ax_, (3.0, 1.0))
        self.axes_ = {"reliability": upper, "counts": lower}
        upper.plot([0, 1], [0, 1], color="0.6", lw=0.8, ls=":")
        error = np.abs(self.interval_.T - frequency)
        upper.errorbar(
            confidence, frequency, error, fmt="none", ecolor=COLORS[0], elinewidth=1.0, capsize=2.0
        )
        (self.line_,) = upper.plot(confidence, frequency, "o-", color=COLORS[0], ms=5.0, lw=1.2)
        upper.text(
            0.03,
            0.97,
            f"expected calibration error {self.expected_calibration_error_:.3f}",
            transform=upper.transAxes,
            va="top",
            fontsize="small",
        )
        self.bars_ = lower.bar(
            edges[:, 0],
            counts,
            np.diff(edges, axis=1)[:, 0],
            align="edge",
            color=GREY,
            edgecolor="white",
            lw=0.5,
        )
        lower.set_yscale("log")
        lower.set_ylim(bottom=0.7)
        lower.yaxis.set_major_formatter("{x:g}")
        lower.minorticks_off()
        one = self.label is None
        upper.set(
            xlim=(-0.01, 1.01),
            ylim=(-0.02, 1.02),
            ylabel="Fraction right" if one else f"Fraction that is {self.label}",
        )
        lower.set(
            xlabel="Probability of the predicted class" if one else f"Probability of {self.label}",
            ylabel="Spectra",
        )
        return self

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        labels: Labels | None = None,
        label: Any = None,
        n_bins: int = 10,
        strategy: str = "uniform",
        confidence_level: float = 0.95,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the diagram of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_spectra,)
            True labels.
        y_proba : array-like of shape (n_spectra, n_classes)
            Probabilities.
        labels : sequence of length n_classes, default=None
            Class of each column; None takes the classes of `y_true`, sorted.
        label : default=None
            A class: its probability is held against how many spectra are of it. None holds the probability of the
            most probable class against how many spectra are right.
        n_bins : int, default=10
            Number of bins between 0 and 1.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of the same width, or with the same number of spectra.
        confidence_level : float, default=0.95
            Of the error bars.
        ax : matplotlib.axes.Axes, default=None
            See `plot`.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            If the columns of `y_proba` are not those of the classes, or its rows are no probabilities.
        """
        check_scalar(n_bins, "n_bins", Integral, min_val=1)
        check_choice("strategy", strategy, ("uniform", "quantile"))
        check_scalar(
            confidence_level,
            "confidence_level",
            Real,
            min_val=0.0,
            max_val=1.0,
            include_boundaries="neither",
        )
        true, proba, classes = check_scores("y_proba", y_true, y_proba, labels)
        wrong = (proba < 0.0).any(axis=1) | (np.abs(proba.sum(axis=1) - 1.0) > 1e-3)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"y_proba must have rows of probabilities that add up to 1, got {proba[row].tolist()} in row {row}"
            )
        if label is None:
            sure, right = proba.max(axis=1), proba.argmax(axis=1) == true
        else:
            check_choice("label", label, classes)
            k = classes.index(label)
            sure, right = proba[:, k], true == k
        edges = np.linspace(0.0, 1.0, n_bins + 1)
        if strategy == "quantile":
            edges = np.quantile(sure, edges)
        index = np.searchsorted(edges[1:-1], sure)
        counts = np.bincount(index, minlength=n_bins)
        filled = counts > 0
        confidence = np.bincount(index, sure, n_bins)[filled] / counts[filled]
        frequency = np.bincount(index, right, n_bins)[filled] / counts[filled]
        display = cls(
            confidence,
            frequency,
            counts=counts[filled],
            edges=np.column_stack([edges[:-1], edges[1:]])[filled],
            label=label,
            confidence_level=confidence_level,
        )
        return display.plot(ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **params: Any) -> Self:
        """Draw the diagram of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with `predict_proba`.
        X : Spectra or array-like
            What it classifies.
        y : array-like of shape (n_spectra,)
            True labels.
        **params
            Those of `from_predictions`, save `labels`.

        Returns
        -------
        ReliabilityDisplay
        """
        proba, classes = response_of(cls, estimator, X, "predict_proba")
        return cls.from_predictions(y, proba, labels=classes, **params)


def _wilson(fraction: Array, counts: Array, level: float) -> Array:
    """Wilson's confidence interval of fractions, shape (n, 2)."""
    z2 = norm.ppf(0.5 + 0.5 * level) ** 2
    middle = (fraction + z2 / (2.0 * counts)) / (1.0 + z2 / counts)
    half = np.sqrt(z2 * (fraction * (1.0 - fraction) / counts + z2 / (4.0 * counts**2))) / (1.0 + z2 / counts)
    return np.column_stack([middle - half, middle + half])
