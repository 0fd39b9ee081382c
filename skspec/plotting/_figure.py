"""What all pictures share: axes, colours that everyone can tell apart, panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008, https://jfly.uni-koeln.de/color/) without their yellow, which is lost on white paper
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
GREY = "0.45"


def get_axes(ax: Axes | None, figsize: tuple[float, float], *, layout: str = "constrained") -> Axes:
    """Return `ax`, or new axes on a figure of that size in inches.

    A picture of square cells wants the "compressed" layout, which knows that its axes do not fill their place.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("matplotlib is needed for this: pip install skspec[plot]") from error
    return plt.subplots(figsize=figsize, layout=layout)[1] if ax is None else ax


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
