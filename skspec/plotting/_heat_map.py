"""Counts on a grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skspec.plotting._figure import size_in_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST_TEXT = 4.0  # points
_SMALLEST_NAME = 5.0
_WIDTH_OF_LETTER = 0.62  # of the font size


def draw_counts(
    ax: Axes,
    counts: NDArray[Any],
    *,
    write: Callable[[float], str],
    cmap: Any,
    first: tuple[int, int] = (0, 0),
    upwards: bool = False,
    include_values: bool | None = None,
) -> tuple[Any, NDArray[Any] | None]:
    """Draw a matrix in logarithmic colours, zeros blank, each number in its cell.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    counts : ndarray of shape (n_rows, n_columns)
        Not negative.
    write : callable
        Text of a number.
    cmap : str or matplotlib.colors.Colormap
    first : pair of int, default=(0, 0)
        Coordinates of the first column and the first row; the next are at +1.
    upwards : bool, default=False
        Whether rows go upwards.
    include_values : bool, default=None
        Whether the numbers are written; None writes them if they fit into the cells.

    Returns
    -------
    matplotlib.image.AxesImage
    ndarray of matplotlib.text.Text of shape (n_rows, n_columns), or None
        None in place of a text where the cell is blank.
    """
    from matplotlib.colors import LogNorm  # noqa: PLC0415

    n_rows, n_columns = counts.shape
    seen = np.ma.masked_equal(counts, 0)
    filled = counts[counts > 0]
    # the smallest number is kept off the lightest colour, which could be taken for blank
    low, high = (filled.min() / 2.0, filled.max()) if filled.size else (0.5, 1.0)
    left, edge = first[0] - 0.5, first[1] - 0.5
    rows = (edge, edge + n_rows) if upwards else (edge + n_rows, edge)
    image = ax.imshow(
        seen,
        cmap=cmap,
        norm=LogNorm(low, high),
        extent=(left, left + n_columns, *rows),
        origin="lower" if upwards else "upper",
        interpolation="nearest",
    )
    size = _text_size(ax, counts, write)
    if include_values is False or (include_values is None and size < _SMALLEST_TEXT):
        return image, None
    texts = np.full(counts.shape, None, dtype=object)
    for row, column in np.argwhere(counts > 0):
        value = counts[row, column]
        red, green, blue, _ = image.cmap(image.norm(value))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        texts[row, column] = ax.text(
            first[0] + column,
            first[1] + row,
            write(value),
            ha="center",
            va="center",
            color="black" if light else "white",
            fontsize=max(size, _SMALLEST_TEXT),
        )
    return image, texts


def add_colorbar(ax: Axes, image: Any, label: str) -> None:
    """Put a bar beside the axes that tells numbers by colour."""
    place = ax.inset_axes((1.02, 0.0, 0.035, 1.0))  # as high as the axes, whatever their aspect
    bar = ax.figure.colorbar(image, cax=place, label=label, format="%g")
    bar.ax.minorticks_off()


def name_cells(ax: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Name columns and rows, each k-th one where there is no place for all."""
    import matplotlib as mpl  # noqa: PLC0415

    cell = _cell_in_points(ax, len(rows), len(columns))
    size = float(np.clip(0.75 * cell, _SMALLEST_NAME, mpl.rcParams["font.size"]))
    step = max(1, math.ceil(_SMALLEST_NAME / cell))
    upright = _WIDTH_OF_LETTER * size * max(map(len, columns)) > 0.9 * cell
    ax.set_xticks(range(0, len(columns), step), columns[::step], fontsize=size, rotation=90 if upright else 0)
    ax.set_yticks(range(0, len(rows), step), rows[::step], fontsize=size)
    ax.tick_params(length=0, pad=2)


def _cell_in_points(ax: Axes, n_rows: int, n_columns: int) -> float:
    """Side of a square cell in points, once labels and a colour bar have taken their share."""
    width, height = size_in_points(ax)
    return 0.85 * min(width / n_columns, height / n_rows)


def _text_size(ax: Axes, counts: NDArray[Any], write: Callable[[float], str]) -> float:
    """Font size, in points, at which all numbers fit into their cells."""
    import matplotlib as mpl  # noqa: PLC0415

    cell = _cell_in_points(ax, *counts.shape)
    longest = max((len(write(value)) for value in np.unique(counts[counts > 0])), default=1)
    return min(0.6 * cell, 0.9 * cell / (_WIDTH_OF_LETTER * longest), mpl.rcParams["font.size"])
