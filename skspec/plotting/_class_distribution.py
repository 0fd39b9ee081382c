"""How many spectra of each joint class there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d

from skspec.metrics._scores import Coordinates
from skspec.mk import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES
from skspec.plotting._heat_map import add_colorbar, draw_counts, name_cells
from skspec.plotting._labels import check_classifier, grid_coordinates
from skspec.spectra.figure import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ClassDistributionDisplay:
    """Numbers of spectra on the grid of joint classes, temperature from left to right, luminosity downwards.

    Empty cells are blank, colours logarithmic.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_columns)
        Numbers of spectra: rows are values of the second coordinate, columns of the first.
    columns, rows : sequence of str
        Names of the values of the first and the second coordinate.
    axis_names : pair of str, default=("Temperature class", "Luminosity class")
        What the coordinates are.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The matrix.
    text_ : ndarray of shape (n_rows, n_columns) or None
        Numbers in the cells (`matplotlib.text.Text`; None in blank cells); None if they were not written.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from skspec.plotting import ClassDistributionDisplay
    >>> display = ClassDistributionDisplay.from_labels(["GV", "GV", "KIII"])
    >>> display.counts[2].tolist(), display.counts[4].tolist()  # luminosity classes III and V, from O to M
    ([0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 2, 0, 0])
    """

    def __init__(
        self,
        counts: ArrayLike,
        *,
        columns: Sequence[str],
        rows: Sequence[str],
        axis_names: tuple[str, str] = ("Temperature class", "Luminosity class"),
    ) -> None:
        self.counts = counts
        self.columns = columns
        self.rows = rows
        self.axis_names = axis_names

    def plot(
        self,
        ax: Axes | None = None,
        *,
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
    ) -> Self:
        """Draw the grid.

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
        ClassDistributionDisplay
            Itself.

        Raises
        ------
        ValueError
            If `counts` does not have a row for each of `rows` and a column for each of `columns`.
        ImportError
            If matplotlib is not installed.
        """
        counts, shape = np.asarray(self.counts), (len(self.rows), len(self.columns))
        if counts.shape != shape:
            raise ValueError(f"counts has shape {counts.shape}; {shape} is needed for these rows and columns")
        size = np.clip((1.9 + 0.6 * shape[1], 0.9 + 0.6 * shape[0]), (4.0, 2.8), 10.0).tolist()
        self.ax_ = ax = get_axes(ax, (size[0], size[1]), layout="compressed")
        self.figure_ = ax.figure
        self.image_, self.text_ = draw_counts(
            ax, counts, write="{:g}".format, cmap=cmap, include_values=include_values
        )
        if colorbar:
            add_colorbar(ax, self.image_, "Number of spectra")
        name_cells(ax, self.columns, self.rows)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        return self

    @classmethod
    def from_labels(
        cls,
        y: ArrayLike,
        *,
        coordinates: Coordinates | None = None,
        columns: Sequence[str] | None = None,
        rows: Sequence[str] | None = None,
        axis_names: tuple[str, str] = ("Temperature class", "Luminosity class"),
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the distribution of labels.

        Parameters
        ----------
        y : array-like of shape (n_spectra,)
            Labels.
        coordinates : mapping or callable, default=None
            Two whole numbers for each class. None takes the temperature class, from O = 0 to M = 6, and the luminosity
            class, from I = 0 to VI = 5, of joint MK classes such as ``"GV"``.
        columns, rows : sequence of str, default=None
            Names of the values 0, 1, 2, … of the first and the second coordinate. None takes the numbers from the
            least to the greatest, and without `coordinates` all temperature and luminosity classes.
        axis_names : pair of str, default=("Temperature class", "Luminosity class")
            What the coordinates are.
        include_values, cmap, colorbar, ax
            See `plot`.

        Returns
        -------
        ClassDistributionDisplay

        Raises
        ------
        ValueError
            If a label has no such coordinates, or coordinates for which there is no name.
        """
        labels = column_or_1d(y)
        if not len(labels):
            raise ValueError("y is empty; at least one label is needed")
        places = grid_coordinates(labels, coordinates)
        if coordinates is None:
            columns = TEMPERATURE_CLASSES if columns is None else columns
            rows = LUMINOSITY_CLASSES if rows is None else rows
        across, columns = _steps("columns", columns, places[:, 0])
        down, rows = _steps("rows", rows, places[:, 1])
        counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
        np.add.at(counts, (down, across), 1)
        display = cls(counts, columns=columns, rows=rows, axis_names=axis_names)
        return display.plot(ax, include_values=include_values, cmap=cmap, colorbar=colorbar)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, **params: Any) -> Self:
        """Draw the distribution of the classes that a classifier finds.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : Spectra or array-like
            What it classifies.
        **params
            Those of `from_labels`.

        Returns
        -------
        ClassDistributionDisplay
        """
        check_classifier(cls, estimator)
        return cls.from_labels(estimator.predict(X), **params)


def _steps(
    parameter: str, names: Sequence[str] | None, values: NDArray[np.intp]
) -> tuple[NDArray[np.intp], list[str]]:
    """Place of each value among the names, and these."""
    if names is None:
        low, high = int(values.min()), int(values.max())
        return values - low, [str(value) for value in range(low, high + 1)]
    strange = values[(values < 0) | (values >= len(names))]
    if strange.size:
        raise ValueError(f"{parameter} has {len(names)} names; a label has the coordinate {strange[0]}")
    return values, list(names)
