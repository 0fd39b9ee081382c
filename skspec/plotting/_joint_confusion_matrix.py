"""Confusion of many ordered classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix

from skspec.checks import check_choice
from skspec.metrics._scores import Coordinates, coordinates_of
from skspec.plotting._heat_map import add_colorbar, draw_counts, name_cells
from skspec.plotting._labels import blocks_of, check_classifier, check_pair, ordered_classes
from skspec.spectra.figure import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OF_WHAT = {
    None: "Number of spectra",
    "true": "Percent of the true class",
    "pred": "Percent of the predicted class",
    "all": "Percent of all spectra",
}


class JointConfusionMatrixDisplay:
    """Confusion matrix of classes in an order, in logarithmic colours, with blocks of classes outlined.

    Made for the joint classes of the MK system, 39 of them and more, in blocks of one temperature or one luminosity
    class, and as good for plain ordered classes such as O, B, A, F, G, K, M. Empty cells are blank.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Counts or, with `normalize`, fractions. Rows are true classes, columns predicted ones.
    display_labels : sequence of length n_classes
        Classes in order.
    blocks : sequence of length n_classes, default=None
        Block of each class; neighbours of the same block are outlined together. None outlines nothing.
    normalize : {"true", "pred", "all"}, default=None
        Whether, and over what, the matrix is normalised: it is then shown in percent.

    Attributes
    ----------
    image_ : matplotlib.image.AxesImage
        The matrix.
    text_ : ndarray of shape (n_classes, n_classes) or None
        Numbers in the cells (`matplotlib.text.Text`; None in blank cells); None if they were not written.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    ErrorMagnitudeDisplay : Errors along the two axes of joint classes.
    skspec.metrics.joint_kappa : One number for it.

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

    def __init__(
        self,
        confusion_matrix: ArrayLike,
        *,
        display_labels: Sequence[Any],
        blocks: Sequence[Any] | None = None,
        normalize: str | None = None,
    ) -> None:
        self.confusion_matrix = confusion_matrix
        self.display_labels = display_labels
        self.blocks = blocks
        self.normalize = normalize

    def plot(
        self,
        ax: Axes | None = None,
        *,
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
    ) -> Self:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones, of a size for the number of classes.
        include_values : bool, default=None
            Whether numbers are written into the cells; None writes them if they fit.
        cmap : str or matplotlib.colors.Colormap, default="cividis_r"
            Colours.
        colorbar : bool, default=True
            Whether a colour bar is added.

        Returns
        -------
        JointConfusionMatrixDisplay
            Itself.

        Raises
        ------
        ValueError
            If the shapes of matrix, labels and blocks differ.
        ImportError
            If matplotlib is not installed.
        """
        matrix, n = np.asarray(self.confusion_matrix), len(self.display_labels)
        if matrix.shape != (n, n):
            raise ValueError(
                f"confusion_matrix has shape {matrix.shape}; ({n}, {n}) is needed for {n} display_labels"
            )
        if self.blocks is not None and len(self.blocks) != n:
            raise ValueError(f"blocks has {len(self.blocks)} entries; {n} are needed, one for each class")
        side = float(np.clip(1.6 + 0.19 * n, 4.2, 12.0))
        self.ax_ = ax = get_axes(ax, (side + 0.6, side), layout="compressed")
        self.figure_ = ax.figure
        if self.normalize is None:
            write: Callable[[float], str] = "{:.4g}".format
        else:
            matrix, write = 100.0 * matrix, _percent
        self.image_, self.text_ = draw_counts(
            ax, matrix, write=write, cmap=cmap, include_values=include_values
        )
        if colorbar:
            add_colorbar(ax, self.image_, _OF_WHAT[self.normalize])
        names = [str(label) for label in self.display_labels]
        name_cells(ax, names, names)
        ax.set(xlabel="Predicted class", ylabel="True class")
        self._outline_blocks(ax, n)
        return self

    def _outline_blocks(self, ax: Axes, n: int) -> None:
        """Rule off the blocks, and frame those on the diagonal, where only the class within a block is wrong."""
        if self.blocks is None:
            return
        starts = [k for k in range(n) if k == 0 or self.blocks[k] != self.blocks[k - 1]]
        for first, stop in zip(starts, [*starts[1:], n], strict=True):
            if first:
                ax.axhline(first - 0.5, color="0.75", lw=0.5, zorder=1.5)
                ax.axvline(first - 0.5, color="0.75", lw=0.5, zorder=1.5)
            low, high = first - 0.5, stop - 0.5
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
        include_values: bool | None = None,
        cmap: Any = "cividis_r",
        colorbar: bool = True,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the confusion matrix of labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_spectra,)
            True and predicted labels.
        order : sequence, default=None
            All classes in their order, such as `skspec.mk.mk_grid` has them. None orders them by `coordinates`, and
            without these sorts those seen.
        coordinates : mapping or callable, default=None
            Coordinates of each class, such as `skspec.mk.mk_coordinates`. A mapping also tells what classes there
            are.
        major : int, default=0
            The coordinate by which classes are ordered first, and which makes the blocks: of MK classes 0 is
            temperature-major, 1 luminosity-major order.
        blocks : mapping or callable, default=None
            Block of each class. None makes blocks of classes that share the `major` coordinate, if classes have
            two or more.
        normalize : {"true", "pred", "all"}, default=None
            Show percent of the true class (rows), of the predicted class (columns), or of all spectra.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum.
        include_values, cmap, colorbar, ax
            See `plot`.

        Returns
        -------
        JointConfusionMatrixDisplay

        Raises
        ------
        ValueError
            If a label is in neither `order` nor `coordinates`, or lengths differ.
        """
        check_choice("normalize", normalize, tuple(_OF_WHAT))
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
        display = cls(matrix, display_labels=classes, blocks=groups, normalize=normalize)
        return display.plot(ax, include_values=include_values, cmap=cmap, colorbar=colorbar)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **params: Any) -> Self:
        """Draw the confusion matrix of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : Spectra or array-like
            What it classifies.
        y : array-like of shape (n_spectra,)
            True labels.
        **params
            Those of `from_predictions`.

        Returns
        -------
        JointConfusionMatrixDisplay
        """
        check_classifier(cls, estimator)
        return cls.from_predictions(y, estimator.predict(X), **params)


def _percent(value: float) -> str:
    return "<1" if value < 0.5 else f"{value:.0f}"
