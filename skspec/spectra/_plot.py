"""Spectra, one above the other."""

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
    """Plot spectra against wavelength, each scaled to its median and set off from the one before.

    Parameters
    ----------
    spectra : Spectra
    rows : sequence of int, default=None
        Which to plot; None takes the first eight.
    labels : sequence of str of length n_spectra, default=None
        What is written beside each spectrum; None takes object and class from the catalogue.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    chosen = range(min(len(spectra), _MAX_DEFAULT)) if rows is None else rows
    ax = get_axes(ax, (9, 1.5 + 0.8 * len(chosen)))
    base = 0.0
    for k, row in enumerate(chosen):
        color = COLORS[k % len(COLORS)]
        one = spectra[row]
        flux, wave = np.asarray(one)[0], one.wave
        good = flux[np.isfinite(flux)]
        if good.size == 0:
            continue
        scale = abs(np.median(good)) or 1.0
        low, high = np.percentile(good / scale, (1, 99.5))
        shift = base - low
        ax.plot(wave, flux / scale + shift, lw=0.7, color=color)
        ax.annotate(
            _label(one) if labels is None else labels[row],
            (1.0, base + np.median(good / scale) - low),
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
    return " ".join(dict.fromkeys(text for text in texts if text and text != "--"))
