"""Pictures of generated and real spectra during training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN = 4


def check_matplotlib() -> None:
    """Raise ImportError if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError("matplotlib is needed for picture_dir: pip install skspec[plot]") from error


def save_picture(
    path: Path, real: NDArray[np.floating], generated: NDArray[np.floating], *, label: Any, step: int
) -> None:
    """Plot a few real spectra above a few generated ones, on the same scale, titled with class and step."""
    from matplotlib.figure import Figure  # noqa: PLC0415  - pyplot would open a window

    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    panels: Any = figure.subplots(2, 1, sharex=True, sharey=True)
    for ax, rows, name in zip(panels, (real, generated), ("real", "generated"), strict=True):
        spread = float(np.ptp(real[:_SHOWN], axis=1).mean())
        for number, row in enumerate(rows[:_SHOWN]):
            ax.plot(row + 0.5 * number * spread, lw=0.6)
        ax.set(ylabel=f"{name} + offset")
        ax.margins(x=0)
    panels[0].set(title=f"{label}, step {step}")
    panels[1].set(xlabel="Column")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
