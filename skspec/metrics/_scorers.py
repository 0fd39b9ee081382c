"""Scikit-learn scorers for joint classes."""

from __future__ import annotations

from typing import Any

import sklearn.metrics
from sklearn.metrics import make_scorer

from skspec.metrics._scores import axis_kappa, joint_kappa, joint_mae


def _scorers() -> dict[str, Any]:
    scorers = {}
    for suffix, class_weight in {"": None, "_balanced": "balanced"}.items():
        of = {"class_weight": class_weight}
        scorers[f"joint_kappa{suffix}"] = make_scorer(joint_kappa, **of)
        scorers[f"joint_kappa_luminosity{suffix}"] = make_scorer(joint_kappa, order="luminosity", **of)
        scorers[f"temperature_kappa{suffix}"] = make_scorer(axis_kappa, axis=0, **of)
        scorers[f"luminosity_kappa{suffix}"] = make_scorer(axis_kappa, axis=1, **of)
        scorers[f"neg_joint_mae{suffix}"] = make_scorer(joint_mae, greater_is_better=False, **of)
    return scorers


SCORERS = _scorers()


def get_scorer(scoring: Any) -> Any:
    """Return the scorer of a name.

    Parameters
    ----------
    scoring : str or callable
        "joint_kappa", "joint_kappa_luminosity", "temperature_kappa", "luminosity_kappa" and "neg_joint_mae" score joint
        MK classes such as "GV"; with the suffix "_balanced", all classes have the same weight, as in the published table.
        Other names are those of scikit-learn, and a callable is returned unchanged. Neural estimators accept the names
        themselves; scikit-learn's searches and cross-validation accept only scikit-learn's names, and need the scorer.

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
    if isinstance(scoring, str) and scoring in SCORERS:
        return SCORERS[scoring]
    return sklearn.metrics.get_scorer(scoring)
