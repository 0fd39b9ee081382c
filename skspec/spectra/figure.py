"""Axes of all plots, and a colour-blind safe palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008, https://jfly.uni-koeln.de/color/) without yellow, which is faint on white
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def get_axes(ax: Axes | None, figsize: tuple[float, float], *, layout: str = "constrained") -> Axes:
    """Return `ax`, or new axes on a figure of the given size in inches.

    Plots of square cells need the "compressed" layout, for axes that do not fill their space.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("matplotlib is needed for this: pip install skspec[plot]") from error
    return plt.subplots(figsize=figsize, layout=layout)[1] if ax is None else ax
