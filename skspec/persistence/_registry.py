"""The classes that a model file may name, and what of them is saved."""

from __future__ import annotations

from functools import cache
from typing import Any

import sklearn.ensemble
import sklearn.pipeline
from sklearn.base import BaseEstimator

import skspec

_Classes = dict[str, type[BaseEstimator]]

_SKLEARN: _Classes = {
    "sklearn.FeatureUnion": sklearn.pipeline.FeatureUnion,
    "sklearn.Pipeline": sklearn.pipeline.Pipeline,
    "sklearn.VotingClassifier": sklearn.ensemble.VotingClassifier,
    "sklearn.VotingRegressor": sklearn.ensemble.VotingRegressor,
}


def name_of(estimator: BaseEstimator) -> str | None:
    """Return the name under which an estimator's class is saved; None if skspec does not know the class."""
    cls = type(estimator)
    home = _home(estimator)
    if home == "skspec":
        public = cls.__name__ in skspec.__all__ and getattr(skspec, cls.__name__) is cls
        return f"skspec.{cls.__name__}" if public else None
    known = _SKLEARN if home == "sklearn" else _imblearn() if home == "imblearn" else {}
    return next((name for name, other in known.items() if cls is other), None)


def find(name: Any) -> type[BaseEstimator]:
    """Return the class saved under a name; the name is only ever looked up, never imported."""
    home, _, public = name.partition(".") if isinstance(name, str) else ("", "", "")
    found: Any = None
    if home == "skspec" and public in skspec.__all__:
        found = getattr(skspec, public)
    elif home == "sklearn":
        found = _SKLEARN.get(name)
    elif home == "imblearn":
        found = _imblearn().get(name)
    if isinstance(found, type) and issubclass(found, BaseEstimator):
        return found
    raise ValueError(f"it has a step of the class {name!r}, which this skspec does not know")


def is_sampler(estimator: BaseEstimator) -> bool:
    """Whether an estimator resamples in fit only, so that nothing of what it learned is needed to predict."""
    return _home(estimator) in ("imblearn", "skspec") and hasattr(estimator, "fit_resample")


def is_of_sklearn(estimator: Any) -> bool:
    """Whether an object is an estimator of a class that scikit-learn brings."""
    return isinstance(estimator, BaseEstimator) and _home(estimator) == "sklearn"


def is_of_skspec(estimator: Any) -> bool:
    """Whether an object is an estimator of a class that skspec brings."""
    return isinstance(estimator, BaseEstimator) and _home(estimator) == "skspec"


def _home(estimator: BaseEstimator) -> str:
    return type(estimator).__module__.partition(".")[0]


@cache
def _imblearn() -> _Classes:
    """Pipeline and samplers of imbalanced-learn, whose import takes as long as all else together."""
    import imblearn.pipeline  # noqa: PLC0415
    from imblearn import combine, over_sampling, under_sampling  # noqa: PLC0415

    classes: _Classes = {"imblearn.Pipeline": imblearn.pipeline.Pipeline}
    for module in (combine, over_sampling, under_sampling):
        classes |= {f"{module.__name__}.{name}": getattr(module, name) for name in module.__all__}
    return classes
