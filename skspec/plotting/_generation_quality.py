"""Display of generated and real spectra."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.plotting._display import PanelDisplay
from skspec.spectra.figure import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skspec.oversampling import QualityReport

_PERCENTILES = (5.0, 50.0, 95.0)
_QUANTITIES = {
    "Fréchet distance": "frechet_distance",
    "density": "density",
    "coverage": "coverage",
    "two-sample AUC": "auc",
    "copying": "copying",
}


@dataclass(repr=False, eq=False)
class GenerationQualityDisplay(PanelDisplay):
    """Generated and real spectra of a class: range at each wavelength, line depths, and quality measures.

    The left panel shows the median at each wavelength and the range from the 5th to the 95th percentile, the right panel
    the median and the standard deviation of line depths and colours.

    Parameters
    ----------
    report : QualityReport
        Result of `skspec.oversampling.quality_report`. If it has no line depths, the right panel is left out.
    real, generated : array-like of shape (n_spectra, n_features)
        Spectra compared in the report.
    wave : array-like of shape (n_features,), default=None
        Wavelengths in Å; None shows column numbers.

    Attributes
    ----------
    lines_ : list of matplotlib.lines.Line2D
        Medians of real and generated spectra.
    points_ : list of matplotlib.container.ErrorbarContainer
        Line depths and colours of real and generated spectra; may be empty.
    axes_ : dict of str to matplotlib.axes.Axes
        The panels ``"spectra"`` and, with line depths, ``"features"``.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Axes that hold the panels, and their figure.

    See Also
    --------
    skspec.oversampling.quality_report : The quality measures and their meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec.oversampling import quality_report
    >>> from skspec.plotting import GenerationQualityDisplay
    >>> rng = np.random.default_rng(0)
    >>> train, held_out, generated = (rng.normal(1.0, 0.1, (40, 60)) for _ in range(3))
    >>> report = quality_report(train, held_out, generated)
    >>> display = GenerationQualityDisplay(report, held_out, generated).plot()
    >>> [line.get_label() for line in display.lines_]
    ['real (40)', 'generated (40)']
    """

    report: QualityReport
    real: ArrayLike
    generated: ArrayLike
    _: KW_ONLY
    wave: ArrayLike | None = None

    def _summary(self) -> str:
        return f"{np.shape(self.real)[0]} real and {np.shape(self.generated)[0]} generated spectra"

    def _draw(self, ax: Axes | None) -> None:
        real, generated = np.asarray(self.real, dtype=float), np.asarray(self.generated, dtype=float)
        wave = np.arange(real.shape[1]) if self.wave is None else np.asarray(self.wave, dtype=float)
        if not real.shape[1] == generated.shape[1] == len(wave):
            lengths = f"{real.shape[1]}, {generated.shape[1]} and {len(wave)}"
            raise ValueError(f"real, generated and wave must have the same length, got {lengths}")
        features = self.report.features
        ax = self._set_axes(ax, (9.6 if features is not None else 6.4, 4.2))
        ax.set_axis_off()
        width = 0.62 if features is not None else 1.0
        self.axes_ = {"spectra": ax.inset_axes((0.0, 0.0, width, 1.0))}
        self.lines_: list[Any] = []
        self.points_: list[Any] = []
        for rows, name, color in zip((real, generated), ("real", "generated"), COLORS, strict=False):
            self._draw_range(wave, rows, f"{name} ({len(rows)})", color)
        left = self.axes_["spectra"]
        left.set(xlabel="Column" if self.wave is None else "Wavelength (Å)", ylabel="Flux")
        left.margins(x=0)
        left.legend(loc="upper right", fontsize="small", frameon=False)
        numbers = [f"{name} {getattr(self.report, key):.2f}" for name, key in _QUANTITIES.items()]
        left.set_title("; ".join(numbers), fontsize="x-small", loc="left")
        if features is not None and len(features):
            self._draw_features(features)

    def _draw_range(self, wave: NDArray[Any], rows: NDArray[Any], label: str, color: str) -> None:
        low, middle, high = np.percentile(rows, _PERCENTILES, axis=0)
        left = self.axes_["spectra"]
        left.fill_between(wave, low, high, color=color, alpha=0.25, lw=0)
        self.lines_ += left.plot(wave, middle, color=color, lw=0.9, label=label)

    def _draw_features(self, features: Any) -> None:
        self.axes_["features"] = right = self.ax_.inset_axes((0.78, 0.0, 0.22, 1.0))
        place = np.arange(len(features))[::-1]
        for name, color, shift in zip(("real", "generated"), COLORS, (0.15, -0.15), strict=False):
            bars = right.errorbar(
                features[f"{name}_median"], place + shift, xerr=features[f"{name}_std"],
                fmt="o", ms=3.5, lw=1.0, color=color,
            )  # fmt: skip
            self.points_.append(bars)
        right.axvline(0.0, color="0.7", lw=0.6, zorder=0)
        right.set_yticks(place, list(features["feature"]), fontsize="x-small")
        right.set(xlabel="Depth or colour (mag)")
