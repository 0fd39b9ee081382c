"""Members of an ensemble: how they are trained, and how logits are got out of any classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import has_fit_parameter

from skspec.ensemble._training_set import Fold, TrainingSet

FLOOR = 1e-3  # probability; see the notes of LogitVotingClassifier
_LOG_ODDS_TOLERANCE = 1e-4  # in probability: networks work in float32
_ROWS_TO_COMPARE = 32


def fit_member(member: Any, *, X: Any, y: NDArray[Any], arguments: Mapping[str, NDArray[Any]]) -> Any:
    """Fit a member, in place."""
    return member.fit(X, y, **arguments)


def out_of_fold_logits(
    member: Any,
    fold: Fold,
    classes: NDArray[Any],
    *,
    X: Any,
    y: NDArray[Any],
    arguments: Mapping[str, NDArray[Any]],
) -> NDArray[np.float64]:
    """Logits of the test rows of a fold by a member that is fitted, in place, on its training rows."""
    train, test = fold
    member.fit(
        _safe_indexing(X, train), y[train], **{name: value[train] for name, value in arguments.items()}
    )
    return member_logits(member, _safe_indexing(X, test), classes)


def fit_arguments(name: str, member: Any, data: TrainingSet) -> dict[str, NDArray[Any]]:
    """Weights and groups as a member's fit calls them; the last step of a pipeline gets them.

    Raises
    ------
    ValueError
        If there are weights and the member does not take any.
    """
    last, prefix, resamples = member, "", False
    while hasattr(last, "steps"):
        resamples |= any(hasattr(step, "fit_resample") for _, step in last.steps)
        step, last = last.steps[-1]
        prefix += f"{step}__"
    takes = {key: not resamples and has_fit_parameter(last, key) for key in ("sample_weight", "groups")}
    if data.weight is not None and not takes["sample_weight"]:
        why = "resamples the spectra" if resamples else f"is a {type(last).__name__}, which takes none"
        raise ValueError(f"sample_weight cannot be given to the member {name!r}: it {why}")
    given = {"sample_weight": data.weight, "groups": data.groups}
    return {prefix + key: value for key, value in given.items() if value is not None and takes[key]}


def logit_method(member: Any, X: Any) -> str:
    """Name of the method that a fitted member's logits are taken from, seen by its answers for some rows of X.

    "decision_function" if probabilities are the softmax of it or there are none, else "predict_proba".
    """
    has_decisions, has_probabilities = (
        hasattr(member, name) for name in ("decision_function", "predict_proba")
    )
    if not (has_decisions and has_probabilities):
        return "predict_proba" if has_probabilities else "decision_function"
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    rows = np.unique(np.linspace(0, n_rows - 1, _ROWS_TO_COMPARE).astype(np.intp))
    X = _safe_indexing(X, rows)
    decisions, probabilities = member.decision_function(X), member.predict_proba(X)
    if decisions.ndim == 1:
        found = expit(np.column_stack([-decisions, decisions]).astype(np.float64))
    else:
        found = softmax(decisions.astype(np.float64), axis=1)
    same = found.shape == probabilities.shape and np.allclose(
        found, probabilities, rtol=0.0, atol=_LOG_ODDS_TOLERANCE
    )
    return "decision_function" if same else "predict_proba"


def member_logits(
    member: Any, X: Any, classes: NDArray[Any], method: str | None = None
) -> NDArray[np.float64]:
    """Logits of a fitted member, of shape (n_rows, n_classes).

    Parameters
    ----------
    member : classifier
        Fitted. A class that it has not seen gets the logarithm of `FLOOR`, and the others those of probabilities.
    X : Spectra or array-like
    classes : ndarray of shape (n_classes,)
        Order of the columns.
    method : {"decision_function", "predict_proba"} or None, default=None
        What they are taken from; None asks `logit_method`.
    """
    method = method or logit_method(member, X)
    answers = np.asarray(getattr(member, method)(X), dtype=np.float64)
    known = np.asarray(member.classes_).tolist()
    if method == "predict_proba":
        logits = np.log(np.maximum(answers, FLOOR))
    else:
        logits = np.column_stack([-answers / 2, answers / 2]) if answers.ndim == 1 else answers
    if logits.shape[1] != len(known):
        raise ValueError(
            f"{type(member).__name__}.{method} has {logits.shape[1]} columns for {len(known)} classes; one for "
            "each class is needed (decision_function_shape='ovr' of support vector machines)"
        )
    labels = classes.tolist()
    columns = [labels.index(label) for label in known]
    if columns == list(range(len(labels))):
        return logits
    aligned = np.full((len(logits), len(labels)), np.log(FLOOR))
    aligned[:, columns] = log_softmax(logits, axis=1)
    return aligned
