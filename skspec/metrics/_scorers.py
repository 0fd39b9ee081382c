"""Scikit-learn scorers for joint classes."""

from __future__ import annotations

from typing import Any

import sklearn.metrics
from sklearn.metrics import make_scorer

from skspec.metrics._scores import axis_kappa, joint_kappa, joint_mae

_SCORERS: dict[str, Any] = {
    f"{name}{suffix}": make_scorer(function, class_weight=class_weight, **params)
    for suffix, class_weight in (("", None), ("_balanced", "balanced"))
    for name, function, params in (
        ("joint_kappa", joint_kappa, {}),
        ("joint_kappa_luminosity", joint_kappa, {"order": "luminosity"}),
        ("temperature_kappa", axis_kappa, {"axis": 0}),
        ("luminosity_kappa", axis_kappa, {"axis": 1}),
        ("neg_joint_mae", joint_mae, {"greater_is_better": False}),
    )
}


def get_scorer(scoring: Any) -> Any:
    """Return a scorer by its name.

    Parameters
    ----------
    scoring : str or callable
        "joint_kappa", "joint_kappa_luminosity", "temperature_kappa", "luminosity_kappa" and "neg_joint_mae" score joint
        MK classes such as "GV"; with the suffix "_balanced", all classes have the same weight, as in the published table.
        Other names are those of scikit-learn, and a callable is returned unchanged. The neural estimators accept all of
        these names; scikit-learn's searches and cross-validation need the scorer for those of skspec.

    Returns
    -------
    callable
        Scorer, called with an estimator, X and y.

    Raises
    ------
    ValueError
        If there is no scorer of this name.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skspec import Conv1DClassifier
    >>> from skspec.metrics import get_scorer
    >>> search = GridSearchCV(Conv1DClassifier(), {"lr": [1e-3, 1e-2]}, scoring=get_scorer("joint_kappa"))
    """
    if isinstance(scoring, str) and scoring in _SCORERS:
        return _SCORERS[scoring]
    return sklearn.metrics.get_scorer(scoring)
