"""Display of the size and direction of errors in joint classes."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.metrics.classes import Coordinates
from skspec.plotting._display import PredictionMixin
from skspec.plotting._heat_map import HeatMapDisplay
from skspec.plotting._labels import check_pair, grid_coordinates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_TICKS = 16


@dataclass(repr=False, eq=False)
class ErrorMagnitudeDisplay(PredictionMixin, HeatMapDisplay):
    """Number of spectra by error, true minus predicted, along the two axes of joint classes.

    Correct predictions are at (0, 0), which is outlined. Empty cells are blank; colours are logarithmic.

    Parameters
    ----------
    counts : ndarray of shape (n_errors_1, n_errors_0)
        Number of spectra: rows are errors of the second coordinate, columns of the first.
    first : pair of int
        Errors of the first column and of the first row; they increase by one from cell to cell.
    axis_names : pair of str, default=("temperature class", "luminosity class")
        Names of the coordinates.

    Attributes
    ----------
    image_, text_, ax_, figure_
        See `JointConfusionMatrixDisplay`.

    See Also
    --------
    JointConfusionMatrixDisplay : Which classes are confused.
    skspec.metrics.joint_mae : The mean size of these errors.

    Examples
    --------
    >>> from skspec.plotting import ErrorMagnitudeDisplay
    >>> display = ErrorMagnitudeDisplay.from_predictions(
    ...     ["GV", "GV", "KV", "GIII"], ["GV", "KV", "KV", "GV"]
    ... )
    >>> display.counts.tolist(), display.first
    ([[0, 1], [0, 0], [1, 2]], (-1, -2))
    """

    counts: ArrayLike
    _: KW_ONLY
    first: tuple[int, int]
    axis_names: tuple[str, str] = ("temperature class", "luminosity class")

    _cell = 0.42
    _margins = (1.9, 1.1)
    _smallest = (4.0, 3.2)
    _upwards = True

    def _summary(self) -> str:
        return f"errors of {np.sum(self.counts)} spectra"

    def _values(self) -> NDArray[Any]:
        return np.asarray(self.counts)

    def _first(self) -> tuple[int, int]:
        return self.first

    def _annotate(self, ax: Axes, shape: tuple[int, ...]) -> None:
        ax.plot([-0.5, 0.5, 0.5, -0.5, -0.5], [-0.5, -0.5, 0.5, 0.5, -0.5], color="black", lw=1.5)
        for axis, start, n in zip((ax.xaxis, ax.yaxis), self.first, shape[::-1], strict=True):
            step = math.ceil(n / _MOST_TICKS)
            errors = [error for error in range(start, start + n) if error % step == 0]
            axis.set_ticks(errors, [f"{error:+d}".replace("-", "−") if error else "0" for error in errors])
        ax.tick_params(length=0)
        first, second = self.axis_names
        ax.set(xlabel=f"Error of {first} (true − predicted)", ylabel=f"Error of {second}\n(true − predicted)")

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        coordinates: Coordinates | None = None,
        axis_names: tuple[str, str] = ("temperature class", "luminosity class"),
        ax: Axes | None = None,
        **plot_params: Any,
    ) -> Self:
        """Plot the errors of predicted labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_spectra,)
            True and predicted labels.
        coordinates : mapping or callable, default=None
            Two integers for each class. None means the temperature class, from O = 0 to M = 6, and the luminosity
            class, from I = 0 to VI = 5, of joint MK classes such as ``"GV"``.
        axis_names : pair of str, default=("temperature class", "luminosity class")
            Names of the coordinates.
        ax, **plot_params
            Parameters of `plot`.

        Returns
        -------
        ErrorMagnitudeDisplay

        Raises
        ------
        ValueError
            If a label does not have two integer coordinates, or lengths differ.
        """
        true, predicted = check_pair(y_true, y_pred)
        error = grid_coordinates(true, coordinates) - grid_coordinates(predicted, coordinates)
        low, high = np.minimum(error.min(axis=0), 0), np.maximum(error.max(axis=0), 0)
        counts = np.zeros((high - low + 1)[::-1], dtype=np.int64)
        np.add.at(counts, (error[:, 1] - low[1], error[:, 0] - low[0]), 1)
        display = cls(counts, first=(int(low[0]), int(low[1])), axis_names=axis_names)
        return display.plot(ax, **plot_params)
