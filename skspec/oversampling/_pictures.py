"""Pictures of generated and real spectra during training."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN = 4
_MAX_CHARACTERS = 50  # of a label in the name of a file, which may have 255 bytes


def check_matplotlib() -> None:
    """Raise ImportError if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401, PLC0415
    except ImportError as error:
        raise ImportError("matplotlib is needed for picture_dir: pip install skspec[plot]") from error


def picture_names(labels: Sequence[Any]) -> dict[Any, str]:
    """Return a name for each class that can be part of a file name, distinct also where case is ignored.

    It is the label itself if possible; characters other than letters, digits and ``+-_`` are replaced, and names that
    are then used already are numbered.
    """
    names: dict[Any, str] = {}
    used: set[str] = set()
    # Labels that need no change come first, so that no other takes their name.
    for label in sorted(labels, key=lambda label: _safe(label) != str(label)):
        name = safe = _safe(label)
        number = 1
        while not name or name.casefold() in used:
            number += 1
            name = f"{safe}_{number}"
        used.add(name.casefold())
        names[label] = name
    return names


def _safe(label: Any) -> str:
    text = unicodedata.normalize("NFC", str(label))[:_MAX_CHARACTERS]
    return "".join(c if c.isalnum() or c in "+-_" else "_" for c in text)


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
    name = "".join(c if c.isprintable() else "_" for c in str(label)[:_MAX_CHARACTERS])
    panels[0].set_title(f"{name}, step {step}", parse_math=False)
    panels[1].set(xlabel="Column")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
