"""Precision and recall of many classes."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from skspec.plotting._one_vs_rest import Array, Curve, OneVsRestDisplay


class MulticlassPrecisionRecallDisplay(OneVsRestDisplay):
    """Precision-recall curves of many classes, each against the rest, with their averages.

    Parameters
    ----------
    curves : mapping of label to Curve
        For each class the named tuple ``(x, y, area)``: recall, falling, precision at it, and the average precision.
        A class without any spectrum has no curve, and an area of NaN.
    micro : Curve
        Of all pairs of a spectrum and a class.
    macro : Curve
        Mean precision, at each recall, of the classes that have a curve; its area is the mean of theirs.

    Attributes
    ----------
    lines_ : dict of label to matplotlib.lines.Line2D
        Curves of the classes.
    micro_line_, macro_line_ : matplotlib.lines.Line2D
        Their averages.
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    MulticlassRocDisplay : Rates that do not depend on how frequent a class is.
    sklearn.metrics.PrecisionRecallDisplay : Two classes.

    Examples
    --------
    >>> from skspec.plotting import MulticlassPrecisionRecallDisplay
    >>> scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8]]
    >>> display = MulticlassPrecisionRecallDisplay.from_predictions(["A", "A", "F", "G"], scores)
    >>> {label: curve.area for label, curve in display.curves.items()}
    {'A': 0.83, 'F': 0.5, 'G': 1.0}
    """

    _area_name = "average precision"
    _axis_names = ("Recall", "Precision")
    _drawstyle = "steps-post"
    _figsize = (7.4, 4.6)
    _legend = MappingProxyType({"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)})  # curves may go anywhere

    @staticmethod
    def _curve(is_class: NDArray[np.bool_], score: Array) -> Curve:
        precision, recall, _ = precision_recall_curve(is_class, score, drop_intermediate=True)
        return Curve(recall, precision, float(average_precision_score(is_class, score)))

    @staticmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        at = np.unique(np.concatenate([curve.x for curve in curves]))[::-1]
        precision = np.mean([_precision_at(at, curve) for curve in curves], axis=0)
        return Curve(at, precision, float(np.mean([curve.area for curve in curves])))


def _precision_at(recall: Array, curve: Curve) -> Array:
    """Precision on the step of the curve that each recall lies on."""
    # a step reaches from its recall down to the next; of thresholds with one recall the highest makes the step,
    # which comes last in the curve
    ends, first = np.unique(curve.x[::-1], return_index=True)
    return curve.y[::-1][first][np.searchsorted(ends, recall)]
