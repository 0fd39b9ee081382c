"""Base class of the Displays that draw counts on a grid."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skspec.plotting._display import Display
from skspec.plotting._figure import size_in_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST_TEXT = 4.0  # points
_SMALLEST_NAME = 5.0  # points
_WIDTH_OF_LETTER = 0.62  # of the font size


class HeatMapDisplay(Display):
    """Base class of Displays that draw counts on a grid.

    Empty cells are blank; colours are logarithmic. The size of a new figure, in inches, is that of its margins and
    cells, limited by the smallest and the largest size.
    """

    _cell: float
    _margins: tuple[float, float]
    _smallest: tuple[float, float]
    _largest: tuple[float, float] = (10.0, 10.0)
    _upwards = False

    @abstractmethod
    def _values(self) -> NDArray[Any]:
        """Check the numbers to draw, which are not negative, and return them."""

    @abstractmethod
    def _annotate(self, ax: Axes, shape: tuple[int, ...]) -> None:
        """Add ticks, labels and frames."""

    def _write(self, value: float) -> str:
        return f"{value:g}"

    def _quantity(self) -> str:
        return "Number of spectra"

    def _first(self) -> tuple[int, int]:
        """Return the coordinates of the first column and the first row, which increase by one."""
        return 0, 0

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
            Axes to draw on; None creates a new figure, whose size depends on the number of cells.
        include_values : bool, default=None
            Whether to write the numbers into the cells; None writes them if they fit.
        cmap : str or matplotlib.colors.Colormap, default="cividis_r"
            Colour map.
        colorbar : bool, default=True
            Whether to add a colour bar.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the shapes of the data of the Display do not match.
        """
        values = self._values()
        size = np.add(self._margins, np.multiply(self._cell, values.shape[::-1]))
        width, height = np.clip(size, self._smallest, self._largest).tolist()
        ax = self._set_axes(ax, (width, height), layout="compressed")
        self.image_ = self._draw_cells(ax, values, cmap)
        self.text_ = self._write_values(ax, values, include_values)
        if colorbar:
            place = ax.inset_axes((1.02, 0.0, 0.035, 1.0))  # as high as the axes, for any aspect ratio
            bar = ax.figure.colorbar(self.image_, cax=place, label=self._quantity(), format="%g")
            bar.ax.minorticks_off()
        self._annotate(ax, values.shape)
        return self

    def _draw_cells(self, ax: Axes, values: NDArray[Any], cmap: Any) -> Any:
        from matplotlib.colors import LogNorm  # noqa: PLC0415

        n_rows, n_columns = values.shape
        filled = values[values > 0]
        # the lightest colour, which looks like a blank cell, is not used
        low, high = (filled.min() / 2.0, filled.max()) if filled.size else (0.5, 1.0)
        left, edge = (first - 0.5 for first in self._first())
        rows = (edge, edge + n_rows) if self._upwards else (edge + n_rows, edge)
        return ax.imshow(
            np.ma.masked_equal(values, 0),
            cmap=cmap,
            norm=LogNorm(low, high),
            extent=(left, left + n_columns, *rows),
            origin="lower" if self._upwards else "upper",
            interpolation="nearest",
        )

    def _write_values(
        self, ax: Axes, values: NDArray[Any], include_values: bool | None
    ) -> NDArray[Any] | None:
        import matplotlib as mpl  # noqa: PLC0415

        cell = _cell_in_points(ax, *values.shape)
        longest = max((len(self._write(value)) for value in np.unique(values[values > 0])), default=1)
        size = min(0.6 * cell, 0.9 * cell / (_WIDTH_OF_LETTER * longest), mpl.rcParams["font.size"])
        if include_values is False or (include_values is None and size < _SMALLEST_TEXT):
            return None
        texts = np.full(values.shape, None, dtype=object)
        left, top = self._first()
        for row, column in np.argwhere(values > 0):
            value = values[row, column]
            red, green, blue, _ = self.image_.cmap(self.image_.norm(value))
            light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            texts[row, column] = ax.text(
                left + column,
                top + row,
                self._write(value),
                ha="center",
                va="center",
                color="black" if light else "white",
                fontsize=max(size, _SMALLEST_TEXT),
            )
        return texts


def name_cells(ax: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Label columns and rows, or every k-th of them if there is not enough room."""
    import matplotlib as mpl  # noqa: PLC0415

    cell = _cell_in_points(ax, len(rows), len(columns))
    size = float(np.clip(0.75 * cell, _SMALLEST_NAME, mpl.rcParams["font.size"]))
    step = max(1, math.ceil(_SMALLEST_NAME / cell))
    upright = _WIDTH_OF_LETTER * size * max(map(len, columns)) > 0.9 * cell
    ax.set_xticks(range(0, len(columns), step), columns[::step], fontsize=size, rotation=90 if upright else 0)
    ax.set_yticks(range(0, len(rows), step), rows[::step], fontsize=size)
    ax.tick_params(length=0, pad=2)


def _cell_in_points(ax: Axes, n_rows: int, n_columns: int) -> float:
    """Return the side of a square cell in points, with room left for labels and a colour bar."""
    width, height = size_in_points(ax)
    return 0.85 * min(width / n_columns, height / n_rows)
