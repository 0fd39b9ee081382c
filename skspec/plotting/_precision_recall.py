"""Display of the precision-recall curves of many classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from skspec.plotting._one_vs_rest import Curve, OneVsRestDisplay


class MulticlassPrecisionRecallDisplay(OneVsRestDisplay):
    """Precision-recall curves of many classes, each against the rest, with their averages.

    Parameters
    ----------
    curves : mapping of label to Curve
        Named tuple ``(x, y, area)`` of each class: decreasing recall, precision at this recall, and average precision.
        A class without spectra has an empty curve and an area of NaN.
    micro : Curve
        Curve of all pairs of a spectrum and a class.
    macro : Curve
        Mean precision at each recall of the classes with spectra; its area is the mean of their areas.

    Attributes
    ----------
    lines_, micro_line_, macro_line_, ax_, figure_
        See `MulticlassRocDisplay`.

    See Also
    --------
    MulticlassRocDisplay : Curves that do not depend on class frequencies.
    sklearn.metrics.PrecisionRecallDisplay : Curve of two classes.

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
    # outside of the axes, in which curves may be anywhere
    _legend: ClassVar = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}

    @staticmethod
    def _curve(is_class: NDArray[np.bool_], score: NDArray[np.float64]) -> Curve:
        precision, recall, _ = precision_recall_curve(is_class, score, drop_intermediate=True)
        return Curve(recall, precision, float(average_precision_score(is_class, score)))

    @staticmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        at = np.unique(np.concatenate([curve.x for curve in curves]))[::-1]
        precision = np.mean([_precision_at(at, curve) for curve in curves], axis=0)
        return Curve(at, precision, float(np.mean([curve.area for curve in curves])))


def _precision_at(recall: NDArray[np.float64], curve: Curve) -> NDArray[np.float64]:
    """Return the precision of the curve at each recall."""
    # a step extends from its recall down to the next; of several thresholds with the same recall, the highest, which is
    # the last in the curve, defines the step
    ends, first = np.unique(curve.x[::-1], return_index=True)
    return curve.y[::-1][first][np.searchsorted(ends, recall)]
