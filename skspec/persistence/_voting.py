"""Voting ensembles of scikit-learn, whose fitted members are saved in place of the parameter `estimators`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

LEARNED = frozenset({"estimators_", "le_", "named_estimators_"})


def is_voting(estimator: Any) -> bool:
    """Return whether an estimator is a voting ensemble of scikit-learn."""
    return isinstance(estimator, VotingClassifier | VotingRegressor)


def members_to_save(estimator: Any) -> list[tuple[str, Any]]:
    """Return names and fitted members, dropped ones included; NotFittedError if there are none."""
    check_is_fitted(estimator)
    return list(estimator.named_estimators_.items())


def restore_members(estimator: Any, name: str) -> None:
    """Set the fitted attributes of an ensemble from its fitted `estimators`; ValueError if they are not valid members."""
    members = estimator.estimators
    if not isinstance(members, list) or not all(_is_member(member) for member in members):
        raise ValueError(f"{name} has members that are not pairs of a name and an estimator")
    fitted = [member for _, member in members if member != "drop"]
    if not fitted:
        raise ValueError(f"{name} has no members")
    estimator.estimators_ = fitted
    estimator.named_estimators_ = Bunch(**dict(members))
    if isinstance(estimator, VotingClassifier):
        classes = vars(estimator).get("classes_")
        if not isinstance(classes, np.ndarray) or classes.ndim != 1:
            raise ValueError(f"{name} has no classes")
        estimator.le_ = LabelEncoder()
        estimator.le_.classes_ = classes


def _is_member(member: Any) -> bool:
    return (
        isinstance(member, tuple)
        and len(member) == 2
        and isinstance(member[0], str)
        and (isinstance(member[1], BaseEstimator) or member[1] == "drop")
    )
