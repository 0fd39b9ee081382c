"""Base classes of the Displays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skspec.spectra.figure import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Display(ABC):
    """Base class of the Displays, which are dataclasses of the data that they plot."""

    @abstractmethod
    def _summary(self) -> str:
        """Return a short description of the data."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._summary()}>"

    def _set_axes(self, ax: Axes | None, figsize: tuple[float, float], layout: str = "constrained") -> Axes:
        """Set `ax_` and `figure_`; if `ax` is None, create a figure of this size in inches."""
        self.ax_ = get_axes(ax, figsize, layout=layout)
        self.figure_ = self.ax_.figure
        return self.ax_


class PanelDisplay(Display):
    """Base class of Displays that divide axes into panels."""

    axes_: dict[str, Any]

    @abstractmethod
    def _draw(self, ax: Axes | None) -> None:
        """Check the data, set the axes and draw the panels."""

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes that the panels replace; None creates a new figure.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data of the Display are inconsistent.
        """
        self._draw(ax)
        return self


class PredictionMixin:
    """Mixin for Displays of true and predicted classes: adds `from_estimator`."""

    @classmethod
    @abstractmethod
    def from_predictions(cls, *args: Any, **params: Any) -> Self:
        """Plot true labels against predictions."""

    @classmethod
    def _predict(cls, estimator: Any, X: Any) -> tuple[Any, dict[str, Any]]:
        """Return predictions, and further parameters of `from_predictions`."""
        check_classifier(cls, estimator)
        return estimator.predict(X), {}

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **params: Any) -> Self:
        """Plot the predictions of a classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted classifier, or a fitted pipeline that ends in one.
        X : Spectra or array-like
            Input of the classifier.
        y : array-like of shape (n_spectra,)
            True labels.
        **params
            Other parameters of `from_predictions`.

        Returns
        -------
        Display
        """
        predicted, known = cls._predict(estimator, X)
        return cls.from_predictions(y, predicted, **known, **params)


def check_classifier(display: type, estimator: Any) -> None:
    """Raise unless `estimator` is a fitted classifier."""
    if not is_classifier(estimator):
        raise ValueError(
            f"{display.__name__}.from_estimator needs a classifier, got {type(estimator).__name__}"
        )
    check_is_fitted(estimator)
