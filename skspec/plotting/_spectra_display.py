"""Display of spectra with marked spectral lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import isotonic_regression
from sklearn.utils import check_consistent_length, check_scalar, column_or_1d

from skspec.plotting._display import Display, check_classifier
from skspec.plotting._figure import size_in_points
from skspec.plotting._lines import Lines, choose_lines
from skspec.spectra import Spectra, plot_spectra, vacuum_to_air

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_HEIGHT = 1.25  # of the font size
_FONT_SIZE = 7.5  # points
_LABELS_AT = 1.03  # of the height of the axes


@dataclass(repr=False, eq=False)
class SpectraDisplay(Display):
    """Spectra with vertical offsets, and marked spectral lines.

    Parameters
    ----------
    spectra : Spectra
        Spectra to plot.
    labels : sequence of str of length n_spectra, default=None
        Text beside each spectrum; None means object and class from ``meta``.
    lines : str, sequence of str, or mapping, default=("hydrogen", "metals")
        Lines to mark: names of the sets "hydrogen" (Balmer), "helium" (He I, He II), "metals" (Ca H and K, Mg b, Na D,
        calcium triplet), "TiO" (band heads), "galaxies" and "quasars" (emission lines); or a mapping of names to one or
        several rest wavelengths in vacuum Å.
    z : float, default=0.0
        Redshift of the marks, above -1. First shift spectra of different redshifts to the rest frame with
        `Spectra.to_rest_frame`.

    Attributes
    ----------
    marks_ : dict of str to ndarray
        Wavelengths of the marked lines by name, in Å in the medium of `spectra`, without lines outside the axes.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure

    See Also
    --------
    plot_spectra : Plot spectra without lines.

    Examples
    --------
    >>> from skspec import make_spectra
    >>> from skspec.plotting import SpectraDisplay
    >>> stars = make_spectra(3, classes="A", random_state=0)
    >>> display = SpectraDisplay(stars, lines={"Hα": 6564.61, "Ca II": [8500.35, 8544.44, 8664.52]}).plot()
    >>> display.marks_["Hα"]
    array([6564.61])
    """

    spectra: Spectra
    _: KW_ONLY
    labels: Sequence[str] | None = None
    lines: Lines = ("hydrogen", "metals")
    z: float = 0.0

    def _summary(self) -> str:
        return f"{len(self.spectra)} spectra"

    def plot(self, ax: Axes | None = None, *, rows: Sequence[int] | None = None) -> Self:
        """Draw the spectra.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None creates a new figure.
        rows : sequence of int, default=None
            Indices of the spectra to plot; None means the first eight.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `spectra` is not a `Spectra` object.
        ValueError
            If `lines` names an unknown set, or the numbers of `labels` and spectra differ.
        """
        if not isinstance(self.spectra, Spectra):
            raise TypeError(f"spectra must be a Spectra object, got {type(self.spectra).__name__}")
        if self.labels is not None and len(self.labels) != len(self.spectra):
            raise ValueError(f"labels must have {len(self.spectra)} entries, got {len(self.labels)}")
        check_scalar(self.z, "z", Real, min_val=-1.0, include_boundaries="neither")
        lines = choose_lines(self.lines)
        self.ax_ = plot_spectra(self.spectra, rows=rows, labels=self.labels, ax=ax)
        self.figure_ = self.ax_.figure
        low, high = self.ax_.get_xlim()
        self.marks_ = {}
        for name, waves in lines.items():
            at = waves * (1.0 + self.z)
            at = vacuum_to_air(at) if self.spectra.medium == "air" else at
            at = at[(at > low) & (at < high)]
            if at.size:
                self.marks_[name] = at
        if self.marks_:
            self._draw_marks()
        return self

    def _draw_marks(self) -> None:
        """Draw a vertical line for each mark, connected to its name above the axes."""
        from matplotlib.collections import LineCollection  # noqa: PLC0415

        ax = self.ax_
        low, high = ax.get_xlim()
        scale = size_in_points(ax)[0] / (high - low)
        gap = _LINE_HEIGHT * _FONT_SIZE / scale
        groups = sorted(
            (float(group.mean()), name, group)
            for name, at in self.marks_.items()
            for group in np.split(np.sort(at), np.flatnonzero(np.diff(np.sort(at)) > gap) + 1)
        )
        gap = min(gap, (high - low) / len(groups))
        places = _spread(np.array([middle for middle, _, _ in groups]), gap, low, high)
        marks = [
            [(wave, 0.0), (wave, 1.0), (place, _LABELS_AT)]
            for place, (_, _, group) in zip(places, groups, strict=True)
            for wave in group
        ]
        style: dict[str, Any] = {"colors": "0.7", "linewidths": 0.6, "zorder": 0.5, "clip_on": False}
        collection = LineCollection(marks, transform=ax.get_xaxis_transform(), **style)
        ax.add_collection(collection, autolim=False)
        names = ax.secondary_xaxis(_LABELS_AT)
        size = min(_FONT_SIZE, gap * scale / _LINE_HEIGHT)
        names.set_xticks(places, [name for _, name, _ in groups], rotation=90, fontsize=size)
        names.tick_params(length=0, pad=1)
        names.spines[:].set_visible(False)

    @classmethod
    def from_predictions(
        cls,
        spectra: Spectra,
        y_true: ArrayLike | None,
        y_pred: ArrayLike,
        *,
        lines: Lines = ("hydrogen", "metals"),
        z: float = 0.0,
        rows: Sequence[int] | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Plot spectra with their class and, where it differs, the predicted class.

        Parameters
        ----------
        spectra : Spectra
            Spectra that were classified.
        y_true : array-like of shape (n_spectra,) or None
            True labels, if known.
        y_pred : array-like of shape (n_spectra,)
            Predicted labels.
        lines, z
            Parameters of `SpectraDisplay`.
        rows, ax
            Parameters of `plot`.

        Returns
        -------
        SpectraDisplay

        Raises
        ------
        ValueError
            If lengths differ.
        """
        predicted = column_or_1d(y_pred)
        true = predicted if y_true is None else column_or_1d(y_true)
        check_consistent_length(spectra, true, predicted)
        labels = [
            f"{found}" if found == known else f"{known} (predicted {found})"
            for known, found in zip(true.tolist(), predicted.tolist(), strict=True)
        ]
        return cls(spectra, labels=labels, lines=lines, z=z).plot(ax, rows=rows)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Spectra, y: ArrayLike | None = None, **params: Any) -> Self:
        """Plot spectra with the class that a classifier predicts.

        Parameters
        ----------
        estimator, X
            Fitted classifier or pipeline for `Spectra`, and the spectra.
        y : array-like of shape (n_spectra,), default=None
            True labels, if known.
        **params
            Other parameters of `from_predictions`.

        Returns
        -------
        SpectraDisplay
        """
        check_classifier(cls, estimator)
        return cls.from_predictions(X, y, estimator.predict(X), **params)


def _spread(x: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Return sorted places at least `gap` apart between the limits, as close as possible to `x` (least squares)."""
    steps = gap * np.arange(len(x))
    low, high = low + 0.5 * gap, high - 0.5 * gap - steps[-1]
    return isotonic_regression(x - steps, y_min=low, y_max=max(low, high)) + steps
