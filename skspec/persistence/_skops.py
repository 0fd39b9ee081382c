"""Scikit-learn estimators as skops blobs of trusted types."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from skspec.persistence._bundle import check_archive, import_extra
from skspec.persistence._soundness import check_known, check_sound

_OF_TREES = (
    *(DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor),
    *(RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor),
)
_TRUSTED = (
    "numpy.dtype",  # an attribute of SimpleImputer and others; only looked up
    "sklearn.calibration._CalibratedClassifier",  # members of CalibratedClassifierCV, which only have attributes
    "sklearn.calibration._SigmoidCalibration",
)
_TRUSTED_IN_TREES = (*_TRUSTED, "sklearn.tree._tree.Tree")  # checked by check_sound once loaded
_SCHEMA = "schema.json"
_MAX_SCHEMA = 32 * 2**20  # a forest of a thousand trees has half of it


def dump(estimator: BaseEstimator, step: str) -> bytes:
    """Return a scikit-learn estimator as bytes.

    Raises
    ------
    TypeError
        If it holds a type that is not trusted, or an estimator whose arrays cannot be checked.
    ValueError
        If its arrays do not belong together.
    """
    skops_io = import_extra("skops.io")
    name = type(estimator).__name__
    try:
        data = skops_io.dumps(estimator)
    except Exception as error:  # objects inside may raise anything when their state is read
        raise TypeError(f"{step} ({name}) cannot be saved: {error}") from error
    wrong = _untrusted(data, isinstance(estimator, _OF_TREES))
    if wrong:
        spatial = any("KDTree" in kind or "BallTree" in kind for kind in wrong)
        hint = "; use algorithm='brute'" if spatial else ""
        raise TypeError(
            f"{step} ({name}) cannot be saved: it holds {', '.join(wrong)}, not a trusted type{hint}"
        )
    try:
        check_known(estimator)
        check_sound(estimator)
        _check_schema(check_archive(data))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{step} ({name}) cannot be saved: {error}") from error
    return data


def restore(data: bytes, class_name: str, step: str) -> BaseEstimator:
    """Return the estimator of a blob.

    Raises
    ------
    ValueError
        If its types are not trusted, it is not of the class named, or its arrays do not belong together.
    """
    skops_io = import_extra("skops.io")
    trees = class_name in {cls.__name__ for cls in _OF_TREES}
    try:
        _check_schema(check_archive(data))
        wrong = _untrusted(data, trees)
        estimator = None if wrong else skops_io.loads(data, trusted=_trusted(trees))
    except Exception as error:  # a manipulated blob may fail anywhere in skops
        raise ValueError(f"{step} cannot be read by skops ({type(error).__name__}: {error})") from error
    if wrong:
        raise ValueError(f"{step} holds {', '.join(wrong)}, not a trusted type")
    if not isinstance(estimator, BaseEstimator) or type(estimator).__name__ != class_name:
        raise ValueError(f"{step} holds a {type(estimator).__name__}, but the file says {class_name}")
    if trees and type(estimator) not in _OF_TREES:
        raise ValueError(f"{step} is not a tree or forest of scikit-learn")
    try:
        check_known(estimator)
        check_sound(estimator)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{step} is not sound: {error}") from error
    return estimator


def _check_schema(entries: dict[str, bytes]) -> None:
    if len(entries.get(_SCHEMA, b"")) > _MAX_SCHEMA:
        raise ValueError(f"its {_SCHEMA} is larger than {_MAX_SCHEMA >> 20} MiB")


def _trusted(trees: bool) -> list[str]:
    return list(_TRUSTED_IN_TREES if trees else _TRUSTED)


def _untrusted(data: bytes, trees: bool) -> list[str]:
    return sorted(set(import_extra("skops.io").get_untrusted_types(data=data)) - set(_trusted(trees)))
