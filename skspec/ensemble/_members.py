"""Members of an ensemble: training, and logits of any classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skspec.ensemble._labelled_rows import Fold, LabelledRows

FLOOR = 1e-3  # of probabilities; see the notes of LogitVotingClassifier
METHODS = "decision_function", "predict_proba"
MIXED = (
    "in different fits, a search found classifiers with and without decision_function (or predict_proba); all its "
    "candidates must have the same methods"
)
_UNSATURATED = 1e-12, 0.999  # saturated probabilities are consistent with any decision function
_N_ROWS = 256


class Outputs(NamedTuple):
    """Outputs of a fitted member for some rows, for each of the `METHODS` that it has."""

    by_method: dict[str, NDArray[np.float64]]
    classes: list[Any]


# Training ---------------------------------------------------------------------------------------------


def fit_member(
    member: Any, *, name: str, X: Any, y: NDArray[Any], arguments: Mapping[str, NDArray[Any]]
) -> Any:
    """Fit a member, in place."""
    with _naming(name):
        return member.fit(X, y, **arguments)


def out_of_fold_outputs(
    member: Any, fold: Fold, *, name: str, X: Any, y: NDArray[Any], arguments: Mapping[str, NDArray[Any]]
) -> Outputs:
    """Fit a member, in place, on the training rows of a fold, and return its outputs for the test rows."""
    train, test = fold
    given = {argument: value[train] for argument, value in arguments.items()}
    with _naming(name):
        member.fit(_safe_indexing(X, train), y[train], **given)
    return get_outputs(member, _safe_indexing(X, test), name=name)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Add the name of a member to a FloatingPointError, which means that its training diverged or its output is NaN."""
    try:
        yield
    except FloatingPointError as error:
        raise FloatingPointError(f"member {name!r}: {error}") from error


def fit_arguments(name: str, member: Any, data: LabelledRows) -> dict[str, NDArray[Any]]:
    """Return weights and groups as keyword arguments of a member's fit, in a pipeline those of its last step.

    ValueError if there are weights and the member does not accept them.
    """
    given = {"sample_weight": data.weight, "groups": data.groups}
    arguments = {
        argument: value
        for key, value in given.items()
        if value is not None
        for argument in _argument_names(member, key)
    }
    if data.weight is not None and not any(argument.endswith("sample_weight") for argument in arguments):
        raise ValueError(f"sample_weight cannot be passed to the member {name!r}: {_why_no_weights(member)}")
    return arguments


def _argument_names(member: Any, key: str) -> list[str]:
    """Return the names of the weights or groups in the fit of a member; a search uses groups itself."""
    if hasattr(member, "steps"):
        step, last = member.steps[-1]
        return (
            [] if _resamples(member) else [f"{step}__{argument}" for argument in _argument_names(last, key)]
        )
    if isinstance(member, BaseSearchCV):
        own = [key] if key == "groups" else []
        return own + [argument for argument in _argument_names(member.estimator, key) if argument not in own]
    if isinstance(member, VotingClassifier | StackingClassifier):
        takes = key == "sample_weight" and all(key in _argument_names(inner, key) for inner in _inner(member))
    else:
        takes = has_fit_parameter(member, key)
    return [key] if takes else []


def _inner(ensemble: Any) -> list[Any]:
    """Return the estimators to which a scikit-learn ensemble passes weights."""
    inner = [member for _, member in ensemble.estimators if member != "drop"]
    if isinstance(ensemble, StackingClassifier):
        inner.append(ensemble.final_estimator or LogisticRegression())
    return inner


def _resamples(member: Any) -> bool:
    return any(hasattr(step, "fit_resample") for _, step in getattr(member, "steps", ()))


def _why_no_weights(member: Any) -> str:
    while (inner := _inside(member)) is not None:
        if _resamples(member):
            return "it resamples the spectra"
        member = inner
    if isinstance(member, VotingClassifier | StackingClassifier):
        refusing = next(
            inner
            for inner in _inner(member)
            if "sample_weight" not in _argument_names(inner, "sample_weight")
        )
        return f"its {type(member).__name__} cannot pass them to a {type(refusing).__name__}"
    return f"{type(member).__name__} does not accept it"


# Logits -----------------------------------------------------------------------------------------------


def check_member(member: Any, n_classes: int) -> None:
    """Raise ValueError for a member without logits, if this is known before training."""
    # A meta-estimator may only have the methods of its inner estimator once it is fitted.
    late = {"estimator", "final_estimator"} & _innermost(member).get_params(deep=False).keys()
    if not late or any(hasattr(member, method) for method in METHODS):
        _methods(member, n_classes)


def known_classes(members: Sequence[tuple[str, Any]], labels: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of fitted members; ValueError if they differ or do not include all labels."""
    for _, member in members:
        check_is_fitted(member)
    first, *others = [(name, np.unique(member.classes_)) for name, member in members]
    for name, classes in others:
        if not np.array_equal(classes, first[1]):
            raise ValueError(
                f"fitted members must have the same classes: {first[0]!r} has {first[1].tolist()}, "
                f"{name!r} has {classes.tolist()}"
            )
    unknown = np.setdiff1d(labels, first[1])
    if len(unknown):
        raise ValueError(f"y has labels that are not classes of the fitted members: {unknown.tolist()}")
    return first[1]


def get_outputs(member: Any, X: Any, *, name: str) -> Outputs:
    """Return the outputs of a fitted member for rows of X."""
    classes = np.asarray(member.classes_).tolist()
    methods = _methods(member, len(classes))
    return Outputs({method: _output(member, method, X, name) for method in methods}, classes)


def some_rows(X: Any) -> Any:
    """Return evenly spaced rows of X, enough to choose the method of a member."""
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    return _safe_indexing(X, np.unique(np.linspace(0, n_rows - 1, _N_ROWS).astype(np.intp)))


def take_logits(outputs: Sequence[Outputs], classes: NDArray[Any]) -> tuple[str, list[NDArray[np.float64]]]:
    """Return the method of one member, and its logits for each fold in the order of `classes`, from its outputs.

    The method is "decision_function" if the probabilities are its softmax in all folds, or if there are none.
    ValueError if no method is common to all folds, or it does not have one column for each class.
    """
    common = [method for method in METHODS if all(method in output.by_method for output in outputs)]
    if not common:
        raise ValueError(MIXED)
    if len(common) == 1:
        method = common[0]
    else:
        same = np.concatenate([_is_softmax(**output.by_method) for output in outputs])
        method = "decision_function" if len(same) and same.all() else "predict_proba"
    return method, [_logits(output.by_method[method], method, output.classes, classes) for output in outputs]


def take_held_out_logits(
    outputs: Sequence[Outputs], tests: Sequence[NDArray[np.intp]], classes: NDArray[Any]
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the method of each member, and logits of shape (n_members, n_rows, n_classes).

    `outputs` contains those of the first member for each fold, then those of the second, and so on; `tests` the test rows
    of each fold, which together are all rows exactly once. See `take_logits` for the method.
    """
    members = [outputs[first : first + len(tests)] for first in range(0, len(outputs), len(tests))]
    taken = [take_logits(of_member, classes) for of_member in members]
    order = np.argsort(np.concatenate(tests))
    return [method for method, _ in taken], np.stack([np.concatenate(parts)[order] for _, parts in taken])


def member_logits(
    member: Any, X: Any, classes: NDArray[Any], method: str, *, name: str
) -> NDArray[np.float64]:
    """Return the logits of a fitted member by a method, of shape (n_rows, n_classes), in the order of `classes`.

    If the member lacks a class, its logit is the logarithm of `FLOOR`, and the others are log-probabilities.
    """
    return _logits(_output(member, method, X, name), method, np.asarray(member.classes_).tolist(), classes)


def _output(member: Any, method: str, X: Any, name: str) -> NDArray[np.float64]:
    with _naming(name):
        output = np.asarray(getattr(member, method)(X), dtype=np.float64)
        if np.isnan(output).any():
            raise FloatingPointError(f"{method} of {type(_innermost(member)).__name__} returns NaN")
    return output


def _logits(
    output: NDArray[np.float64], method: str, known: list[Any], classes: NDArray[Any]
) -> NDArray[np.float64]:
    logits = np.log(np.maximum(output, FLOOR)) if method == "predict_proba" else _columns(output)
    if logits.shape[1] != len(known):
        raise ValueError(
            f"{method} of a member must have one column for each of {len(known)} classes, got {logits.shape[1]}"
        )
    labels = classes.tolist()
    columns = [labels.index(label) for label in known]
    if columns == list(range(len(labels))):
        return logits
    aligned = np.full((len(logits), len(labels)), np.log(FLOOR))
    aligned[:, columns] = log_softmax(logits, axis=1)
    return aligned


def _columns(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([-decisions / 2, decisions / 2]) if decisions.ndim == 1 else decisions


def _is_softmax(
    decision_function: NDArray[np.float64], predict_proba: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return whether each unsaturated probability is the softmax of the decision function."""
    decisions = _columns(decision_function)
    if decisions.shape != predict_proba.shape:
        return np.zeros(1, dtype=np.bool_)
    used = (predict_proba > _UNSATURATED[0]) & (predict_proba < _UNSATURATED[1])
    expected, found = log_softmax(decisions, axis=1)[used], np.log(predict_proba[used])
    return np.isclose(found, expected, rtol=1e-3, atol=1e-4)  # networks compute in float32


def _methods(member: Any, n_classes: int) -> list[str]:
    """Return which `METHODS` a member has; ValueError if none has a column for each class."""
    found = [method for method in METHODS if hasattr(member, method)]
    if not found:
        raise ValueError(
            f"{type(_innermost(member)).__name__} has neither decision_function nor predict_proba; a member needs one "
            "of them (voting='soft' for a VotingClassifier)"
        )
    last = _innermost(member)
    if n_classes > 2 and getattr(last, "decision_function_shape", None) == "ovo":
        found.remove("decision_function")
        if not found:
            raise ValueError(
                f"{type(last).__name__}.decision_function has a column for each pair of the {n_classes} classes; one "
                "for each class is needed (decision_function_shape='ovr' for support vector machines)"
            )
    return found


def _innermost(member: Any) -> Any:
    while (inner := _inside(member)) is not None:
        member = inner
    return member


def _inside(member: Any) -> Any:
    """Return the last step of a pipeline, or the (best) estimator of a search; None for others."""
    if hasattr(member, "steps"):
        return member.steps[-1][1]
    if isinstance(member, BaseSearchCV | FrozenEstimator):
        return getattr(member, "best_estimator_", member.estimator)
    return None
