"""Display of the ROC curves of many classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from skspec.plotting._one_vs_rest import Curve, OneVsRestDisplay


class MulticlassRocDisplay(OneVsRestDisplay):
    """ROC curves of many classes, each against the rest, with their averages; a dotted line shows chance level.

    Parameters
    ----------
    curves : mapping of label to Curve
        Named tuple ``(x, y, area)`` of each class: false-positive rates, true-positive rates and the area under the
        curve. A class without spectra has an empty curve and an area of NaN.
    micro : Curve
        Curve of all pairs of a spectrum and a class.
    macro : Curve
        Mean of the curves of the classes with spectra; its area is the mean of their areas.

    Attributes
    ----------
    lines_ : dict of label to matplotlib.lines.Line2D
        Curves of the classes.
    micro_line_, macro_line_ : matplotlib.lines.Line2D
        Average curves.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure

    See Also
    --------
    MulticlassPrecisionRecallDisplay : Curves that are more informative for rare classes.
    sklearn.metrics.RocCurveDisplay : Curve of two classes.

    Examples
    --------
    >>> from skspec.plotting import MulticlassRocDisplay
    >>> scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]]
    >>> display = MulticlassRocDisplay.from_predictions(["A", "F", "A", "G"], scores)
    >>> {label: curve.area for label, curve in display.curves.items()}
    {'A': 1.0, 'F': 1.0, 'G': 1.0}
    """

    _axis_names = ("False-positive rate", "True-positive rate")
    _draws_chance = True

    @staticmethod
    def _curve(is_class: NDArray[np.bool_], score: NDArray[np.float64]) -> Curve:
        false_rate, true_rate, _ = roc_curve(is_class, score)
        return Curve(false_rate, true_rate, float(auc(false_rate, true_rate)))

    @staticmethod
    def _mean(curves: Sequence[Curve]) -> Curve:
        at = np.unique(np.concatenate([curve.x for curve in curves]))
        # at a vertical step, np.interp returns the upper end; of the mirrored curve, the lower end
        lower = np.mean([np.interp(-at, -curve.x[::-1], curve.y[::-1]) for curve in curves], axis=0)
        upper = np.mean([np.interp(at, curve.x, curve.y) for curve in curves], axis=0)
        x, y = np.repeat(at, 2), np.column_stack([lower, upper]).ravel()
        return Curve(x, y, float(np.mean([curve.area for curve in curves])))
