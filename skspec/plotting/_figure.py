"""Line styles, panels and sizes used by several Displays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
GREY = "0.45"
_GAP = 0.03  # between panels, as a fraction of the height


def stack_panels(ax: Axes, heights: Sequence[float]) -> list[Axes]:
    """Replace axes by panels of relative `heights`, top to bottom, with a shared horizontal axis; the title is kept."""
    ax.set_axis_off()
    unit = (1.0 - _GAP * (len(heights) - 1)) / sum(heights)
    panels: list[Axes] = []
    top = 1.0
    for height in heights:
        place = (0.0, top - unit * height, 1.0, unit * height)
        panels.append(ax.inset_axes(place, sharex=panels[0] if panels else None))
        top -= unit * height + _GAP
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    return panels


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return the width and height of axes in points, before labels take up part of them."""
    box = ax.get_window_extent()
    return 72.0 * box.width / ax.figure.dpi, 72.0 * box.height / ax.figure.dpi
