"""How far, and in which direction, joint classes are missed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skspec.metrics._scores import Coordinates
from skspec.plotting._heat_map import add_colorbar, draw_counts
from skspec.plotting._labels import check_classifier, check_pair, grid_coordinates
from skspec.spectra.figure import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_TICKS = 16


class ErrorMagnitudeDisplay:
    """Numbers of spectra by their errors, true minus predicted, along the two axes of joint classes.

    The right ones are at (0, 0), which is outlined. Empty cells are blank, colours logarithmic.

    Parameters
    ----------
    counts : ndarray of shape (n_errors_1, n_errors_0)
        Numbers of spectra: rows are errors of the second coordinate, columns of the first.
    first : pair of int
        Errors that the first column and the first row stand for; the next are at +1.
    axis_names : pair of str, default=("temperature class", "luminosity class")
        What the coordinates are.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The matrix.
    text_ : ndarray of shape (n_errors_1, n_errors_0) or None
        Numbers in the cells (`matplotlib.text.Text`; None in blank cells); None if they were not written.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    JointConfusionMatrixDisplay : Which classes are confused.
    skspec.metrics.joint_mae : The mean magnitude of these errors.

    Examples
    --------
    >>> from skspec.plotting import ErrorMagnitudeDisplay
    >>> display = ErrorMagnitudeDisplay.from_predictions(
    ...     ["GV", "GV", "KV", "GIII"], ["GV", "KV", "KV", "GV"]
    ... )
    >>> display.counts.tolist(), display.first
    ([[0, 1], [0, 0], [1, 2]], (-1, -2))
    """

    def __init__(
        self,
        counts: ArrayLike,
        *,
        first: tuple[int, int],
        axis_names: tuple[str, str] = ("temperature class", "luminosity class"),
    ) -> None:
        self.counts = counts
        self.first = first
        self.axis_names = axis_names

    def plot(
        self,
        ax: Axes | None = None,
        *,
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
    ) -> Self:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones.
        include_values : bool, default=None
            Whether numbers are written into the cells; None writes them if they fit.
        cmap : str or matplotlib.colors.Colormap, default="cividis_r"
            Colours.
        colorbar : bool, default=True
            Whether a colour bar is added.

        Returns
        -------
        ErrorMagnitudeDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        counts = np.asarray(self.counts)
        n_rows, n_columns = counts.shape
        size = np.clip((1.9 + 0.42 * n_columns, 1.1 + 0.42 * n_rows), (4.0, 3.2), 10.0).tolist()
        self.ax_ = ax = get_axes(ax, (size[0], size[1]), layout="compressed")
        self.figure_ = ax.figure
        self.image_, self.text_ = draw_counts(
            ax,
            counts,
            write="{:g}".format,
            cmap=cmap,
            first=self.first,
            upwards=True,
            include_values=include_values,
        )
        if colorbar:
            add_colorbar(ax, self.image_, "Number of spectra")
        ax.plot([-0.5, 0.5, 0.5, -0.5, -0.5], [-0.5, -0.5, 0.5, 0.5, -0.5], color="black", lw=1.5)
        for axis, start, n in ((ax.xaxis, self.first[0], n_columns), (ax.yaxis, self.first[1], n_rows)):
            step = math.ceil(n / _MOST_TICKS)
            errors = [error for error in range(start, start + n) if error % step == 0]
            axis.set_ticks(errors, [f"{error:+d}".replace("-", "−") if error else "0" for error in errors])
        ax.tick_params(length=0)
        first, second = self.axis_names
        ax.set(xlabel=f"Error of {first} (true − predicted)", ylabel=f"Error of {second}\n(true − predicted)")
        return self

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        coordinates: Coordinates | None = None,
        axis_names: tuple[str, str] = ("temperature class", "luminosity class"),
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the errors of labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_spectra,)
            True and predicted labels.
        coordinates : mapping or callable, default=None
            Two whole numbers for each class. None takes the temperature class, from O = 0 to M = 6, and the luminosity
            class, from I = 0 to VI = 5, of joint MK classes such as ``"GV"``.
        axis_names : pair of str, default=("temperature class", "luminosity class")
            What the coordinates are.
        include_values, cmap, colorbar, ax
            See `plot`.

        Returns
        -------
        ErrorMagnitudeDisplay

        Raises
        ------
        ValueError
            If a label has no such coordinates, or lengths differ.
        """
        true, predicted = check_pair(y_true, y_pred)
        error = grid_coordinates(true, coordinates) - grid_coordinates(predicted, coordinates)
        low, high = np.minimum(error.min(axis=0), 0), np.maximum(error.max(axis=0), 0)
        counts = np.zeros((high - low + 1)[::-1], dtype=np.int64)
        np.add.at(counts, (error[:, 1] - low[1], error[:, 0] - low[0]), 1)
        display = cls(counts, first=(int(low[0]), int(low[1])), axis_names=axis_names)
        return display.plot(ax, include_values=include_values, cmap=cmap, colorbar=colorbar)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **params: Any) -> Self:
        """Draw the errors of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : Spectra or array-like
            What it classifies.
        y : array-like of shape (n_spectra,)
            True labels.
        **params
            Those of `from_predictions`.

        Returns
        -------
        ErrorMagnitudeDisplay
        """
        check_classifier(cls, estimator)
        return cls.from_predictions(y, estimator.predict(X), **params)
