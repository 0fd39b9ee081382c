"""Display of the number of spectra in each joint class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d

from skspec.metrics.classes import Coordinates
from skspec.mk import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES
from skspec.plotting._display import check_classifier
from skspec.plotting._heat_map import HeatMapDisplay, name_cells
from skspec.plotting._labels import grid_coordinates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(repr=False, eq=False)
class ClassDistributionDisplay(HeatMapDisplay):
    """Number of spectra in each joint class, on a grid of temperature (left to right) and luminosity (top to bottom).

    Empty cells are blank; colours are logarithmic.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_columns)
        Number of spectra: rows are values of the second coordinate, columns of the first.
    columns, rows : sequence of str
        Names of the values of the first and of the second coordinate.
    axis_names : pair of str, default=("Temperature class", "Luminosity class")
        Names of the coordinates.

    Attributes
    ----------
    image_, text_, ax_, figure_
        See `JointConfusionMatrixDisplay`.

    Examples
    --------
    >>> from skspec.plotting import ClassDistributionDisplay
    >>> display = ClassDistributionDisplay.from_labels(["GV", "GV", "KIII"])
    >>> display
    <ClassDistributionDisplay: 3 spectra on a grid of 7 x 6 classes>
    >>> display.counts[2].tolist(), display.counts[4].tolist()  # luminosity classes III and V, from O to M
    ([0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 2, 0, 0])
    """

    counts: ArrayLike
    _: KW_ONLY
    columns: Sequence[str]
    rows: Sequence[str]
    axis_names: tuple[str, str] = ("Temperature class", "Luminosity class")

    _cell = 0.6
    _margins = (1.9, 0.9)
    _smallest = (4.0, 2.8)

    def _summary(self) -> str:
        return f"{np.sum(self.counts)} spectra on a grid of {len(self.columns)} x {len(self.rows)} classes"

    def _values(self) -> NDArray[Any]:
        counts, shape = np.asarray(self.counts), (len(self.rows), len(self.columns))
        if counts.shape != shape:
            raise ValueError(f"counts must have shape {shape} for these rows and columns, got {counts.shape}")
        return counts

    def _annotate(self, ax: Axes, shape: tuple[int, ...]) -> None:
        name_cells(ax, self.columns, self.rows)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])

    @classmethod
    def from_labels(
        cls,
        y: ArrayLike,
        *,
        coordinates: Coordinates | None = None,
        columns: Sequence[str] | None = None,
        rows: Sequence[str] | None = None,
        axis_names: tuple[str, str] = ("Temperature class", "Luminosity class"),
        ax: Axes | None = None,
        **plot_params: Any,
    ) -> Self:
        """Plot the distribution of labels.

        Parameters
        ----------
        y : array-like of shape (n_spectra,)
            Labels.
        coordinates : mapping or callable, default=None
            See `ErrorMagnitudeDisplay.from_predictions`.
        columns, rows : sequence of str, default=None
            Names of the values 0, 1, 2, … of the first and of the second coordinate. None means all temperature and
            luminosity classes; with `coordinates`, the integers from the smallest to the largest value.
        axis_names : pair of str, default=("Temperature class", "Luminosity class")
            Names of the coordinates.
        ax, **plot_params
            Parameters of `plot`.

        Returns
        -------
        ClassDistributionDisplay

        Raises
        ------
        ValueError
            If a label does not have two integer coordinates, or a coordinate has no name.
        """
        labels = column_or_1d(y)
        if not len(labels):
            raise ValueError("y must have at least one label, got none")
        places = grid_coordinates(labels, coordinates)
        if coordinates is None:
            columns = TEMPERATURE_CLASSES if columns is None else columns
            rows = LUMINOSITY_CLASSES if rows is None else rows
        across, columns = _steps("columns", columns, places[:, 0])
        down, rows = _steps("rows", rows, places[:, 1])
        counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
        np.add.at(counts, (down, across), 1)
        return cls(counts, columns=columns, rows=rows, axis_names=axis_names).plot(ax, **plot_params)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, **params: Any) -> Self:
        """Plot the distribution of the classes that a classifier predicts.

        Parameters
        ----------
        estimator, X
            Fitted classifier, or a pipeline that ends in one, and its input.
        **params
            Other parameters of `from_labels`.

        Returns
        -------
        ClassDistributionDisplay
        """
        check_classifier(cls, estimator)
        return cls.from_labels(estimator.predict(X), **params)


def _steps(
    parameter: str, names: Sequence[str] | None, values: NDArray[np.intp]
) -> tuple[NDArray[np.intp], list[str]]:
    """Return the index of each value among the names, and the names."""
    if names is None:
        low, high = int(values.min()), int(values.max())
        return values - low, [str(value) for value in range(low, high + 1)]
    outside = values[(values < 0) | (values >= len(names))]
    if outside.size:
        raise ValueError(f"{parameter} has {len(names)} names, but a label has the coordinate {outside[0]}")
    return values, list(names)
