"""Encode fitted estimators as JSON, arrays and skops blobs.

A value that plain JSON cannot hold, such as a tuple, NaN or an array, is an object whose key is its kind::

    {"tuple": [...]}  {"dict": {...}}  {"items": [[key, value], ...]}  {"float": "nan"}
    {"scalar": 0.5, "dtype": "float32"}
    {"array": "step/name"}                                  in weights.safetensors
    {"strings": [...], "shape": [...], "dtype": "<U3"}      (or "object")
    {"estimator": "skspec.FluxNormalizer", "params": {...}, "fitted": {...}, "output": null}
    {"sklearn": "StandardScaler", "blob": "steps/0.skops"}
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import StackingClassifier, StackingRegressor

from skspec.persistence import _registry, _skops, _voting

ARRAY_DTYPES = frozenset(
    {"bool", "float16", "float32", "float64"}
    | {f"{kind}{n}" for kind in ("int", "uint") for n in (8, 16, 32, 64)}
)
OUTPUT_CONFIG = "_sklearn_output_config"  # set by set_output()


class Encoder:
    """Encoder of values, which collects their arrays and blobs."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.blobs: dict[str, bytes] = {}
        self.wave: NDArray[Any] | None = None

    def info(self, info: dict[str, Any]) -> Any:
        """Encode the notes of the user, which may contain plain values only."""
        if type(info) is not dict:
            raise TypeError(f"info must be a dict, got {type(info).__name__}")
        inner = Encoder()
        encoded = inner.value(info, (), "info")
        if inner.arrays or inner.blobs:
            raise TypeError("info must contain only str, bool, numbers, None, lists, tuples and dicts")
        return encoded

    def estimator(self, estimator: BaseEstimator, steps: tuple[str, ...] = ()) -> dict[str, Any]:
        """Encode an estimator and everything in it."""
        name = _registry.name_of(estimator)
        if name is None:
            return self._of_sklearn(estimator, steps)
        return {
            "estimator": name,
            "params": self._params(estimator, steps),
            "fitted": self._fitted(estimator, steps),
            "output": self.value(vars(estimator).get(OUTPUT_CONFIG), steps, OUTPUT_CONFIG),
        }

    def value(self, value: Any, steps: tuple[str, ...], field: str) -> Any:
        """Encode a value; `steps` and `field` are its place, for the names of arrays and for error messages."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind is list:
            return [self.value(item, steps, _join(field, i)) for i, item in enumerate(value)]
        if kind is tuple:
            items = [self.value(item, *_place(value, i, steps, field)) for i, item in enumerate(value)]
            return {"tuple": items}
        if kind is dict and all(type(key) is str for key in value):
            return {"dict": {k: self.value(item, steps, _join(field, k)) for k, item in value.items()}}
        if kind is dict:
            return {"items": self.value([list(pair) for pair in value.items()], steps, field)}
        if isinstance(value, np.generic):
            return self._scalar(value, steps, field)
        if kind in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), steps, field)
        if (kind.__module__, kind.__qualname__) == ("torch", "device"):
            return str(value)
        if isinstance(value, BaseEstimator):
            return self.estimator(value, steps if steps and not field else (*steps, field))
        raise TypeError(
            f"{_where(steps, field)} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved safely"
        )

    def _params(self, estimator: Any, steps: tuple[str, ...]) -> dict[str, Any]:
        if hasattr(estimator, "__skspec_get_params__"):
            params = estimator.__skspec_get_params__()
        else:
            params = estimator.get_params(deep=False)
            if _voting.is_voting(estimator):
                params["estimators"] = _voting.members_to_save(estimator)
        fit_only = _registry.fit_only(type(estimator))
        for key, value in params.items():
            reason = _reason_to_leave_out(estimator, key, value, fit_only)
            if reason is not None:
                params[key] = None
                message = f"{_where(steps, key)} ({type(value).__name__}) {reason} and is not saved: it will be None"
                warnings.warn(message, stacklevel=4)
        return {key: self.value(value, steps, key) for key, value in params.items()}

    def _fitted(self, estimator: Any, steps: tuple[str, ...]) -> Any:
        wave = vars(estimator).get("wave_")  # None in later steps, which see arrays
        self.wave = self.wave if wave is None else wave
        if hasattr(estimator, "__skspec_get_state__"):
            state, arrays = estimator.__skspec_get_state__()
            return {
                "state": self.value(state, steps, "state"),
                "weights": {key: self.value(array, steps, f"weights.{key}") for key, array in arrays.items()},
            }
        if hasattr(estimator, "fit_resample"):  # predictions do not need the state of samplers
            return {"dict": {}}
        known = set(estimator.get_params(deep=False))
        if _voting.is_voting(estimator):
            known |= _voting.LEARNED
        fitted = {k: v for k, v in vars(estimator).items() if k.endswith("_") and k not in known}
        lost = vars(estimator).keys() - known - fitted.keys() - {OUTPUT_CONFIG}
        if lost:
            raise TypeError(
                f"{_where(steps, min(lost))} is neither a parameter nor a fitted attribute, and would be lost"
            )
        return self.value(fitted, steps, "")

    def _of_sklearn(self, estimator: BaseEstimator, steps: tuple[str, ...]) -> dict[str, Any]:
        where, name = _where(steps, ""), type(estimator).__name__
        if not _registry.is_of_sklearn(estimator):
            advice = _registry.advice_on_unknown(estimator)
            raise TypeError(f"{where} ({type(estimator).__module__}.{name}) cannot be saved: {advice}")
        if hasattr(estimator, "best_estimator_"):
            raise TypeError(f"{where} ({name}) is a search; save its best_estimator_")
        if isinstance(estimator, StackingClassifier | StackingRegressor):
            raise TypeError(
                f"{where} ({name}) cannot be saved; save its estimators_ and its final_estimator_ separately"
            )
        inside = [type(v).__name__ for v in estimator.get_params().values() if _registry.is_ours(v)]
        if inside:
            raise TypeError(
                f"{where} ({name}) cannot be saved: it holds {inside[0]}, which can be saved only inside Pipeline, "
                "FeatureUnion, VotingClassifier and VotingRegressor"
            )
        blob = f"steps/{len(self.blobs)}.skops"
        self.blobs[blob] = _skops.dump(estimator, where)
        return {"sklearn": name, "blob": blob}

    def _scalar(self, value: np.generic, steps: tuple[str, ...], field: str) -> dict[str, Any]:
        if isinstance(value, np.str_):
            return {"scalar": str(value), "dtype": value.dtype.str}
        if value.dtype.name not in ARRAY_DTYPES:
            raise TypeError(
                f"{_where(steps, field)} is a numpy scalar of {value.dtype}, which cannot be saved"
            )
        return {"scalar": self.value(value.item(), steps, field), "dtype": value.dtype.name}

    def _array(self, array: NDArray[Any], steps: tuple[str, ...], field: str) -> dict[str, Any]:
        kind = array.dtype.kind
        if kind == "U" or (kind == "O" and all(isinstance(v, str) for v in array.flat)):
            dtype = "object" if kind == "O" else array.dtype.newbyteorder("<").str
            texts = [str(text) for text in array.flat]
            return {"strings": texts, "shape": list(array.shape), "dtype": dtype}
        if array.dtype.name not in ARRAY_DTYPES:
            raise TypeError(f"{_where(steps, field)} is an array of {array.dtype}, which cannot be saved")
        key = "/".join((*steps, field))
        if key in self.arrays:
            raise TypeError(f"{_where(steps, field)} has the same name as another array")
        self.arrays[key] = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        return {"array": key}


def _reason_to_leave_out(estimator: BaseEstimator, key: str, value: Any, fit_only: set[str]) -> str | None:
    """Return why a parameter is not saved; None if it is."""
    is_function = callable(value) and not isinstance(value, BaseEstimator)
    if is_function and key not in fit_only and _registry.is_registered(estimator):
        return "is a function"  # predictions may need it
    guides_fit = is_function or isinstance(value, np.random.RandomState | np.random.Generator)
    guides_fit |= key in fit_only and value is not None
    guides_fit |= key == "cv" and not isinstance(value, str | int | None)  # a splitter, or indices
    return "only guides another fit" if guides_fit else None


def _place(value: tuple[Any, ...], i: int, steps: tuple[str, ...], field: str) -> tuple[tuple[str, ...], str]:
    """Return steps and field of item `i` of a tuple; a pair of name and estimator is a step of that name."""
    if i == 1 and len(value) == 2 and type(value[0]) is str and isinstance(value[1], BaseEstimator):
        return (*steps, value[0]), ""
    return steps, _join(field, i)


def _join(field: str, key: object) -> str:
    return f"{field}.{key}" if field else str(key)


def _where(steps: tuple[str, ...], field: str) -> str:
    step = f"step {'/'.join(steps)!r}" if steps else "the model"
    return f"{field} of {step}" if field else step
