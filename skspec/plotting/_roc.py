"""Receiver operating characteristic of many classes."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from skspec.plotting._one_vs_rest import Array, Curve, OneVsRestDisplay


class MulticlassRocDisplay(OneVsRestDisplay):
    """ROC curves of many classes, each against the rest, with their averages; dotted, that of a guess.

    Parameters
    ----------
    curves : mapping of label to Curve
        For each class the named tuple ``(x, y, area)``: false-positive rates, true-positive rates and the area under
        the curve. A class without any spectrum has no curve, and an area of NaN.
    micro : Curve
        Of all pairs of a spectrum and a class.
    macro : Curve
        Mean of the curves of the classes that have one; its area is the mean of theirs.

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
    MulticlassPrecisionRecallDisplay : Says more about rare classes.
    sklearn.metrics.RocCurveDisplay : Two classes.

    Examples
    --------
    >>> from skspec.plotting import MulticlassRocDisplay
    >>> scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]]
    >>> display = MulticlassRocDisplay.from_predictions(["A", "F", "A", "G"], scores)
    >>> {label: curve.area for label, curve in display.curves.items()}
    {'A': 1.0, 'F': 1.0, 'G': 1.0}
    """

    _area_name = "area"
    _axis_names = ("False-positive rate", "True-positive rate")
    _drawstyle = "default"
    _figsize = (5.4, 5.0)
    _legend = MappingProxyType({"loc": "lower right"})
    _guess = ((0.0, 1.0), (0.0, 1.0))

    @staticmethod
    def _curve(is_class: NDArray[np.bool_], score: Array) -> Curve:
        false_rate, true_rate, _ = roc_curve(is_class, score)
        return Curve(false_rate, true_rate, float(auc(false_rate, true_rate)))

    @staticmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        at = np.unique(np.concatenate([curve.x for curve in curves]))
        # where a curve goes straight up, numpy interpolates to its upper end; seen in a mirror that is the lower one
        lower = np.mean([np.interp(-at, -curve.x[::-1], curve.y[::-1]) for curve in curves], axis=0)
        upper = np.mean([np.interp(at, curve.x, curve.y) for curve in curves], axis=0)
        x, y = np.repeat(at, 2), np.column_stack([lower, upper]).ravel()
        return Curve(x, y, float(np.mean([curve.area for curve in curves])))
