"""scikit-learn's `VotingRegressor`: its members are saved once, as they were fitted, in place of its parameter."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import VotingRegressor
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

LEARNED = frozenset({"estimators_", "named_estimators_"})


def is_voting(estimator: Any) -> bool:
    """Whether an estimator is one of those whose members are saved in this way."""
    return type(estimator) is VotingRegressor


def members_to_save(estimator: Any) -> list[tuple[str, Any]]:
    """Return names and fitted members, those that are dropped too; NotFittedError if there are none."""
    check_is_fitted(estimator)
    return list(estimator.named_estimators_.items())


def restore_members(estimator: Any, name: str) -> None:
    """Let an ensemble that was built of its fitted members be fitted itself; ValueError if they are no members."""
    members = estimator.estimators
    if not isinstance(members, list) or not all(_is_member(member) for member in members):
        raise ValueError(f"{name} has members that are no pairs of a name and an estimator")
    fitted = [member for _, member in members if member != "drop"]
    if not fitted:
        raise ValueError(f"{name} has no members")
    estimator.estimators_ = fitted
    estimator.named_estimators_ = Bunch(**dict(members))


def _is_member(member: Any) -> bool:
    return (
        isinstance(member, tuple)
        and len(member) == 2
        and isinstance(member[0], str)
        and (isinstance(member[1], BaseEstimator) or member[1] == "drop")
    )
