"""Scikit-learn estimators as skops blobs of trusted types."""

from __future__ import annotations

from typing import Any

import numpy as np
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
from sklearn.tree._tree import Tree

from skspec.persistence._bundle import check_archive, import_extra

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_TRUSTED = (
    "numpy.dtype",  # an attribute of SimpleImputer and others; only looked up
    "sklearn.calibration._CalibratedClassifier",  # members of CalibratedClassifierCV, which only have attributes
    "sklearn.calibration._SigmoidCalibration",
)
_TRUSTED_IN_TREES = (*_TRUSTED, "sklearn.tree._tree.Tree")  # checked by _check_trees once loaded


def dump(estimator: BaseEstimator, step: str) -> bytes:
    """Return a scikit-learn estimator as bytes; TypeError if it contains a type that is not trusted."""
    skops_io = import_extra("skops.io")
    name = type(estimator).__name__
    try:
        data = skops_io.dumps(estimator)
    except Exception as error:  # objects inside may raise anything when their state is read
        raise TypeError(f"{step} ({name}) cannot be saved: {error}") from error
    wrong = _untrusted(data, _is_of_trees(estimator))
    if wrong:
        spatial = any("KDTree" in kind or "BallTree" in kind for kind in wrong)
        hint = "; use algorithm='brute'" if spatial else ""
        raise TypeError(
            f"{step} ({name}) cannot be saved: it holds {', '.join(wrong)}, not a trusted type{hint}"
        )
    return data


def restore(data: bytes, class_name: str, step: str) -> BaseEstimator:
    """Return the estimator of a blob; ValueError if its types are not trusted or its class is not `class_name`."""
    skops_io = import_extra("skops.io")
    check_archive(data)
    trees = class_name in {cls.__name__ for cls in _TREES + _FORESTS}
    try:
        wrong = _untrusted(data, trees)
        estimator = None if wrong else skops_io.loads(data, trusted=_trusted(trees))
    except Exception as error:  # a manipulated blob may fail anywhere in skops
        raise ValueError(f"{step} cannot be read by skops ({type(error).__name__}: {error})") from error
    if wrong:
        raise ValueError(f"{step} holds {', '.join(wrong)}, not a trusted type")
    if not isinstance(estimator, BaseEstimator) or type(estimator).__name__ != class_name:
        raise ValueError(f"{step} holds a {type(estimator).__name__}, but the file says {class_name}")
    if _is_of_trees(estimator):
        _check_trees(estimator, step)
    elif trees:
        raise ValueError(f"{step} is not a tree or forest of scikit-learn")
    return estimator


def _trusted(trees: bool) -> list[str]:
    return list(_TRUSTED_IN_TREES if trees else _TRUSTED)


def _untrusted(data: bytes, trees: bool) -> list[str]:
    return sorted(set(import_extra("skops.io").get_untrusted_types(data=data)) - set(_trusted(trees)))


def _is_of_trees(estimator: BaseEstimator) -> bool:
    return type(estimator) in _TREES + _FORESTS


def _check_trees(estimator: Any, step: str) -> None:
    """Raise ValueError unless all nodes of a tree or forest point inside it: scikit-learn follows them unchecked."""
    members = getattr(estimator, "estimators_", None) if type(estimator) in _FORESTS else [estimator]
    if not isinstance(members, list) or not members or not all(type(member) in _TREES for member in members):
        raise ValueError(f"{step} is not a fitted {type(estimator).__name__}")
    shape = estimator.n_features_in_, estimator.n_outputs_
    for member in members:
        tree: Any = getattr(member, "tree_", None)
        if type(tree) is not Tree or not _is_sound(tree) or (tree.n_features, tree.n_outputs) != shape:
            raise ValueError(f"{step} ({type(estimator).__name__}) has a tree whose nodes are inconsistent")


def _is_sound(tree: Any) -> bool:
    if not 0 < tree.node_count <= tree.capacity:  # checked first: the arrays below are views of that length
        return False
    left, right, node = tree.children_left, tree.children_right, np.arange(tree.node_count)
    inner = left != -1
    children = np.stack([left[inner], right[inner]])
    feature = tree.feature[inner]
    return bool(
        (right[~inner] == -1).all()
        and ((children > node[inner]) & (children < tree.node_count)).all()
        and ((feature >= 0) & (feature < tree.n_features)).all()
    )
