"""What several displays share: line styles, panels, sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
GREY = "0.45"


def stack_panels(ax: Axes, heights: Sequence[float]) -> list[Axes]:
    """Divide axes into panels, one above the other, with one horizontal axis.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes that give their place to the panels and are no longer drawn, save their title.
    heights : sequence of float
        Relative heights, from top to bottom.

    Returns
    -------
    list of matplotlib.axes.Axes
    """
    ax.set_axis_off()
    gap = 0.03
    unit = (1.0 - gap * (len(heights) - 1)) / sum(heights)
    panels: list[Axes] = []
    top = 1.0
    for height in heights:
        panel = ax.inset_axes(
            (0.0, top - unit * height, 1.0, unit * height), sharex=panels[0] if panels else None
        )
        panels.append(panel)
        top -= unit * height + gap
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    return panels


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Width and height of axes in points, as they are before labels take their share."""
    box = ax.get_window_extent()
    return 72.0 * box.width / ax.figure.dpi, 72.0 * box.height / ax.figure.dpi
