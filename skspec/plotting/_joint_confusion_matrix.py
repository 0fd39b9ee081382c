"""Display of the confusion matrix of many ordered classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix

from skspec.checks import check_choice
from skspec.metrics.classes import Coordinates, coordinates_of
from skspec.plotting._display import PredictionMixin
from skspec.plotting._heat_map import HeatMapDisplay, name_cells
from skspec.plotting._labels import blocks_of, check_pair, ordered_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_QUANTITIES = {
    None: "Number of spectra",
    "true": "Percent of the true class",
    "pred": "Percent of the predicted class",
    "all": "Percent of all spectra",
}


@dataclass(repr=False, eq=False)
class JointConfusionMatrixDisplay(PredictionMixin, HeatMapDisplay):
    """Confusion matrix of ordered classes in logarithmic colours, with blocks of classes outlined.

    It is designed for the joint classes of the MK system, 39 or more in blocks of one temperature or one luminosity
    class, but also works for ordered classes such as O, B, A, F, G, K, M. Empty cells are blank.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Counts or, with `normalize`, fractions. Rows are true classes, columns predicted ones.
    display_labels : sequence of length n_classes
        Classes in order.
    blocks : sequence of length n_classes, default=None
        Block of each class; adjacent classes of the same block are outlined together. None outlines nothing.
    normalize : {"true", "pred", "all"}, default=None
        Normalisation of the matrix, which is then shown in percent; see `from_predictions`.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The matrix.
    text_ : ndarray or None
        Numbers in the cells (`matplotlib.text.Text`; None in blank cells); None if they are not shown.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure

    See Also
    --------
    ErrorMagnitudeDisplay : Errors along the two axes of joint classes.
    skspec.metrics.joint_kappa : Agreement as a single number.

    Examples
    --------
    >>> from skspec.mk import mk_coordinates
    >>> from skspec.plotting import JointConfusionMatrixDisplay
    >>> y_true, y_pred = ["GV", "GV", "GIII", "KIII"], ["GV", "KV", "GIII", "GIII"]
    >>> display = JointConfusionMatrixDisplay.from_predictions(y_true, y_pred, coordinates=mk_coordinates, major=1)
    >>> display.display_labels
    ['GIII', 'KIII', 'GV', 'KV']
    >>> display.confusion_matrix.tolist()
    [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    """

    confusion_matrix: ArrayLike
    _: KW_ONLY
    display_labels: Sequence[Any]
    blocks: Sequence[Any] | None = None
    normalize: str | None = None

    _cell = 0.19
    _margins = (2.2, 1.6)
    _smallest = (4.8, 4.2)
    _largest = (12.6, 12.0)

    def _summary(self) -> str:
        return f"{len(self.display_labels)} classes, {self._quantity().lower()}"

    def _values(self) -> NDArray[Any]:
        matrix, n = np.asarray(self.confusion_matrix), len(self.display_labels)
        if matrix.shape != (n, n):
            raise ValueError(f"confusion_matrix must have shape ({n}, {n}), got {matrix.shape}")
        if self.blocks is not None and len(self.blocks) != n:
            raise ValueError(f"blocks must have {n} entries, one for each class, got {len(self.blocks)}")
        return matrix if self.normalize is None else 100.0 * matrix

    def _write(self, value: float) -> str:
        if self.normalize is None:
            return f"{value:.4g}"
        return "<1" if value < 0.5 else f"{value:.0f}"

    def _quantity(self) -> str:
        return _QUANTITIES[self.normalize]

    def _annotate(self, ax: Axes, shape: tuple[int, ...]) -> None:
        names = [str(label) for label in self.display_labels]
        name_cells(ax, names, names)
        ax.set(xlabel="Predicted class", ylabel="True class")
        if self.blocks is None:
            return
        n = len(names)
        starts = [k for k in range(n) if k == 0 or self.blocks[k] != self.blocks[k - 1]]
        for first, stop in zip(starts, [*starts[1:], n], strict=True):
            low, high = first - 0.5, stop - 0.5
            if first:
                ax.axhline(low, color="0.75", lw=0.5, zorder=1.5)
                ax.axvline(low, color="0.75", lw=0.5, zorder=1.5)
            ax.plot([low, high, high, low, low], [low, low, high, high, low], color="0.2", lw=1.0)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        order: Sequence[Any] | None = None,
        coordinates: Coordinates | None = None,
        major: int = 0,
        blocks: Mapping[Any, Any] | Callable[[Any], Any] | None = None,
        normalize: str | None = None,
        sample_weight: ArrayLike | None = None,
        ax: Axes | None = None,
        **plot_params: Any,
    ) -> Self:
        """Plot the confusion matrix of predicted labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_spectra,)
            True and predicted labels.
        order : sequence, default=None
            All classes in order, for example from `skspec.mk.mk_grid`. None orders the classes by `coordinates`;
            without coordinates, those that occur are sorted.
        coordinates : mapping or callable, default=None
            Coordinates of each class, for example `skspec.mk.mk_coordinates`. The keys of a mapping are the classes
            to show.
        major : int, default=0
            Coordinate by which classes are ordered first, and which defines the blocks: for MK classes 0 means
            temperature-major and 1 luminosity-major order.
        blocks : mapping or callable, default=None
            Block of each class. None means that classes with the same `major` coordinate are a block, if classes have
            two or more coordinates.
        normalize : {"true", "pred", "all"}, default=None
            Whether to show percent of the true class (rows), of the predicted class (columns), or of all spectra.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum.
        ax, **plot_params
            Parameters of `plot`.

        Returns
        -------
        JointConfusionMatrixDisplay

        Raises
        ------
        ValueError
            If a label is in neither `order` nor `coordinates`, or lengths differ.
        """
        check_choice("normalize", normalize, _QUANTITIES)
        true, predicted = check_pair(y_true, y_pred)
        classes = ordered_classes((true, predicted), order=order, coordinates=coordinates, major=major)
        groups: list[Any] | None = None
        if blocks is not None:
            groups = blocks_of(classes, blocks)
        elif coordinates is not None:
            places = coordinates_of(classes, coordinates)
            groups = places[:, major].tolist() if places.shape[1] > 1 else None
        matrix = confusion_matrix(
            true, predicted, labels=classes, normalize=normalize, sample_weight=sample_weight
        )
        return cls(matrix, display_labels=classes, blocks=groups, normalize=normalize).plot(ax, **plot_params)
