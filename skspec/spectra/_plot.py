"""Plot spectra above each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skspec.spectra.figure import COLORS, get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skspec.spectra._spectra import Spectra

_MAX_DEFAULT = 8
_LABELS = ("object", "subclass", "class")


def plot_spectra(
    spectra: Spectra,
    *,
    rows: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot spectra against wavelength, each scaled to its median and offset above the previous one.

    Parameters
    ----------
    spectra : Spectra
    rows : sequence of int, default=None
        Spectra to plot; None takes the first eight.
    labels : sequence of str of length n_spectra, default=None
        Label to the right of each spectrum; None takes object and class from the catalogue.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there are no spectra to plot.
    """
    chosen = range(min(len(spectra), _MAX_DEFAULT)) if rows is None else rows
    if not len(chosen):
        raise ValueError("there are no spectra to plot")
    ax = get_axes(ax, (9, 1.5 + 0.8 * len(chosen)))
    base = 0.0
    for k, row in enumerate(chosen):
        color = COLORS[k % len(COLORS)]
        one = spectra[row]
        wave = one.wave if one.is_common_grid else one.wave[0]
        good = one.valid[0]
        label = _label(one) if labels is None else labels[row]
        middle, low, high = 0.5, 0.0, 1.0  # for a spectrum without valid pixels
        if good.any():
            scale = abs(np.median(one.flux[0][good])) or 1.0
            flux = np.where(good, one.flux[0], np.nan) / scale
            middle, (low, high) = np.median(flux[good]), np.percentile(flux[good], (1, 99.5))
            ax.plot(wave, flux + (base - low), lw=0.7, color=color)
        else:
            label = f"{label} (no valid pixel)".lstrip()
        ax.annotate(
            label,
            (1.0, base + middle - low),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=color,
        )
        base += 1.15 * (high - low)
    ax.set(
        xlabel=f"Wavelength ({spectra.medium}, Å)",
        ylabel="Flux / median + offset",
        ylim=(-0.05 * (base or 1.0), 1.05 * (base or 1.0)),
    )
    ax.margins(x=0)
    return ax


def _label(one: Any) -> str:
    known = [name for name in _LABELS if name in one.meta.colnames]
    texts = [str(one.meta[name][0]).strip() for name in known]
    label = " ".join(dict.fromkeys(text for text in texts if text and text != "--"))
    return label.replace("$", r"\$")  # of a name, not mathtext
