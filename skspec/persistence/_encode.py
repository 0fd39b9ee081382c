"""From fitted estimators to JSON, arrays and skops blobs.

JSON has no tuples, no NaN and no arrays: what plain JSON cannot say is an object of one key, which is its kind::

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
FIT_ONLY = (
    "callbacks",
    "checkpoint_dir",
    "memory",
    "picture_dir",
    "pretrained",
)  # code, and places on the machine of the fit
_FIT_ONLY_CODE = ("class_coordinates", "sampling_strategy", "scoring")  # may be functions
OUTPUT_CONFIG = "_sklearn_output_config"  # what set_output() sets


class Encoder:
    """Collects the arrays and blobs of the values that it encodes."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.blobs: dict[str, bytes] = {}
        self.wave: NDArray[Any] | None = None

    def info(self, info: dict[str, Any]) -> Any:
        """Encode the notes of the user, which may hold nothing but JSON."""
        if type(info) is not dict:
            raise TypeError(f"info is a {type(info).__name__}; a dict is needed")
        inner = Encoder()
        encoded = inner.value(info, (), "info")
        if inner.arrays or inner.blobs:
            raise TypeError(
                "info holds arrays or estimators; only str, bool, numbers, None, lists and dicts can be kept"
            )
        return encoded

    def estimator(self, estimator: BaseEstimator, steps: tuple[str, ...] = ()) -> dict[str, Any]:
        """Encode an estimator with everything in it."""
        name = _registry.name_of(estimator)
        if name is None:
            return self._of_sklearn(estimator, steps)
        return {
            "estimator": name,
            "params": {key: self._param(key, value, steps) for key, value in self._params(estimator)},
            "fitted": self._fitted(estimator, steps),
            "output": self.value(vars(estimator).get(OUTPUT_CONFIG), steps, OUTPUT_CONFIG),
        }

    def value(self, value: Any, steps: tuple[str, ...], field: str) -> Any:
        """Encode a value; `steps` and `field` say where it is, for the names of arrays and for messages."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind is list:
            return [self.value(item, steps, _join(field, i)) for i, item in enumerate(value)]
        if kind is tuple:
            return {
                "tuple": [self.value(item, *_place(value, i, steps, field)) for i, item in enumerate(value)]
            }
        if kind is dict:
            if all(type(key) is str for key in value):
                return {
                    "dict": {key: self.value(item, steps, _join(field, key)) for key, item in value.items()}
                }
            pairs = [[key, item] for key, item in value.items()]
            return {"items": self.value(pairs, steps, field)}
        if isinstance(value, np.generic):
            return self._scalar(value, steps, field)
        if kind in (np.ndarray, np.memmap):
            return self._array(np.asarray(value), steps, field)
        if isinstance(value, BaseEstimator):
            return self.estimator(value, steps if steps and not field else (*steps, field))
        raise TypeError(
            f"{_where(steps, field)} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved safely"
        )

    def _params(self, estimator: BaseEstimator) -> list[tuple[str, Any]]:
        params = estimator.get_params(deep=False)
        if hasattr(estimator, "_get_params_to_save"):
            params |= estimator._get_params_to_save()
        elif _voting.is_voting(estimator):
            params["estimators"] = _voting.members_to_save(estimator)
        return list(params.items())

    def _param(self, key: str, value: Any, steps: tuple[str, ...]) -> Any:
        left_out = isinstance(value, np.random.RandomState | np.random.Generator)
        left_out |= key in FIT_ONLY and value is not None
        left_out |= key in _FIT_ONLY_CODE and callable(value)
        left_out |= key == "cv" and not isinstance(value, str | int | None)
        if left_out:
            warnings.warn(
                f"{_where(steps, key)} ({type(value).__name__}) only guides another fit and is not saved; "
                "None stands in its place",
                stacklevel=4,
            )
            return None
        if key == "device" and value is not None:
            value = str(value)  # a torch.device says no more than its name
        return self.value(value, steps, key)

    def _fitted(self, estimator: Any, steps: tuple[str, ...]) -> Any:
        if _registry.is_sampler(estimator):
            return {"dict": {}}
        wave = vars(estimator).get("wave_")  # None in steps after the grid, which see arrays
        self.wave = self.wave if wave is None else wave
        if hasattr(estimator, "_get_fitted_state"):
            state, arrays = estimator._get_fitted_state()
            return {
                "state": self.value(state, steps, "state"),
                "weights": {key: self.value(array, steps, f"weights.{key}") for key, array in arrays.items()},
            }
        params = {key for key, _ in self._params(estimator)}
        if _voting.is_voting(estimator):
            params |= _voting.LEARNED
        fitted = {
            key: value for key, value in vars(estimator).items() if key.endswith("_") and key not in params
        }
        strange = vars(estimator).keys() - params - fitted.keys() - {OUTPUT_CONFIG}
        if strange:
            raise TypeError(
                f"{_where(steps, min(strange))} is no parameter and no fitted attribute: it would be lost"
            )
        return self.value(fitted, steps, "")

    def _of_sklearn(self, estimator: BaseEstimator, steps: tuple[str, ...]) -> dict[str, Any]:
        where, name = _where(steps, ""), type(estimator).__name__
        if not _registry.is_of_sklearn(estimator):
            raise TypeError(
                f"{where} ({type(estimator).__module__}.{name}) cannot be saved: only estimators of skspec and of "
                "scikit-learn can, and no class derived from them"
            )
        if hasattr(estimator, "best_estimator_"):
            raise TypeError(f"{where} ({name}) is a search; save its best_estimator_")
        if isinstance(estimator, StackingClassifier | StackingRegressor):
            raise TypeError(
                f"{where} ({name}) cannot be saved; save its estimators_ and its final_estimator_ each, or use a vote"
            )
        inside = [type(v).__name__ for v in estimator.get_params().values() if _registry.is_of_skspec(v)]
        if inside:
            raise TypeError(
                f"{where} ({name}) cannot be saved: it holds {inside[0]}, and of the estimators that hold others "
                "only Pipeline, FeatureUnion, VotingClassifier and VotingRegressor are known"
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
        if array.dtype.kind == "U" or (
            array.dtype.kind == "O" and all(isinstance(v, str) for v in array.flat)
        ):
            dtype = "object" if array.dtype.kind == "O" else array.dtype.newbyteorder("<").str
            texts = [str(text) for text in array.flat]
            return {"strings": texts, "shape": list(array.shape), "dtype": dtype}
        if array.dtype.name not in ARRAY_DTYPES:
            raise TypeError(
                f"{_where(steps, field)} is an array of {array.dtype}; numbers, bool or str can be saved"
            )
        key = "/".join((*steps, field))
        if key in self.arrays:
            raise TypeError(f"{_where(steps, field)} has the name of another array")
        self.arrays[key] = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        return {"array": key}


def _place(value: tuple[Any, ...], i: int, steps: tuple[str, ...], field: str) -> tuple[tuple[str, ...], str]:
    """Where item `i` of a tuple is: a pair of a name and an estimator is a step of that name."""
    if i == 1 and len(value) == 2 and type(value[0]) is str and isinstance(value[1], BaseEstimator):
        return (*steps, value[0]), ""
    return steps, _join(field, i)


def _join(field: str, key: object) -> str:
    return f"{field}.{key}" if field else str(key)


def _where(steps: tuple[str, ...], field: str) -> str:
    step = f"step {'/'.join(steps)!r}" if steps else "the model"
    return f"{field} of {step}" if field else step
