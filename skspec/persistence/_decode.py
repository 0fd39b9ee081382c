"""Decode JSON, arrays and skops blobs, in the forms of `_encode`, into fitted estimators; every value is checked."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skspec.persistence import _registry, _skops, _voting
from skspec.persistence._encode import ARRAY_DTYPES, OUTPUT_CONFIG

_MAX_STRING_BYTES = 2**28  # so that the width of strings in a file cannot exhaust the memory
_OUTPUTS = {"default", "pandas", "polars"}


class Decoder:
    """Decoder of values, which uses each array and blob of the file once."""

    def __init__(self, arrays: dict[str, NDArray[Any]], blobs: dict[str, bytes]) -> None:
        self._arrays = dict(arrays)
        self._blobs = dict(blobs)

    def check_all_used(self) -> None:
        """Raise ValueError if an array or blob is left."""
        left = [*self._arrays, *self._blobs]
        if left:
            raise ValueError(f"it holds {left[0]!r}, which belongs to no step")

    def estimator(self, node: Any) -> BaseEstimator:
        """Build the estimator of a node of the manifest."""
        if isinstance(node, dict) and node.keys() == {"sklearn", "blob"}:
            name, blob = node["sklearn"], node["blob"]
            if not isinstance(name, str) or not isinstance(blob, str) or blob not in self._blobs:
                raise ValueError(f"it has a scikit-learn step {name!r} without content")
            return _skops.restore(self._blobs.pop(blob), name, f"its step {blob} ({name})")
        if not isinstance(node, dict) or node.keys() != {"estimator", "params", "fitted", "output"}:
            raise ValueError("it has a step that is not an estimator")
        cls, name = _registry.find(node["estimator"]), node["estimator"]
        params = {k: self.value(v) for k, v in _mapping(node["params"], f"params of {name}").items()}
        unknown = sorted(params.keys() - set(cls._get_param_names()))
        if unknown:
            raise ValueError(f"{name} has no parameter {unknown[0]!r} in this version of skspec")
        for key in sorted(_registry.fit_only(cls)):
            if params.get(key) is not None:
                raise ValueError(f"{name} has a value for {key}, which save never writes")
        try:
            estimator = cls(**params)
        except Exception as error:  # a required parameter is missing, or a registered class checks its own
            raise ValueError(f"{name} cannot be built: {error}") from error
        self._restore(estimator, node["fitted"], name)
        self._set_output(estimator, node["output"], name)
        return estimator

    def value(self, node: Any) -> Any:
        """Decode a value."""
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, list):
            return [self.value(item) for item in node]
        match node:
            case {"tuple": list() as items, **rest} if not rest:
                return tuple(self.value(item) for item in items)
            case {"dict": dict() as items, **rest} if not rest:
                return {key: self.value(item) for key, item in items.items()}
            case {"items": list() as pairs, **rest} if not rest:
                return self._items(pairs)
            case {"float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
                return float(text)
            case {"scalar": value, "dtype": str() as dtype, **rest} if not rest:
                return self._scalar(self.value(value), dtype)
            case {"array": str() as key, **rest} if not rest:
                if key not in self._arrays:
                    raise ValueError(f"it lacks the array {key!r}, or uses it twice")
                return self._arrays.pop(key)
            case {"strings": list() as texts, "shape": list() as shape, "dtype": str() as dtype, **rest} if (
                not rest
            ):
                return _strings(texts, shape, dtype)
            case {"estimator": _} | {"sklearn": _}:
                return self.estimator(node)
        raise ValueError(f"it has a value of unknown form: {str(node)[:60]}")

    def _restore(self, estimator: Any, node: Any, name: str) -> None:
        if hasattr(estimator, "__skspec_set_state__"):
            if not isinstance(node, dict) or node.keys() != {"state", "weights"}:
                raise ValueError(f"{name} has no state and weights")
            state = self.value(node["state"])
            weights = {k: self.value(v) for k, v in _mapping(node["weights"], f"weights of {name}").items()}
            if not all(isinstance(array, np.ndarray) for array in weights.values()):
                raise ValueError(f"{name} has weights that are not arrays")
            try:
                estimator.__skspec_set_state__(state, weights)
            except Exception as error:  # torch and registered classes raise errors of any type
                raise ValueError(f"state and weights of {name} do not fit it ({error})") from error
            return
        for key, value in _mapping(self.value(node), f"fitted attributes of {name}").items():
            if not re.fullmatch(r"[A-Za-z]\w*_", key) or hasattr(type(estimator), key):
                raise ValueError(f"{name} cannot have a fitted attribute {key!r}")
            vars(estimator)[key] = value
        if _voting.is_voting(estimator):
            _voting.restore_members(estimator, name)

    def _set_output(self, estimator: Any, node: Any, name: str) -> None:
        config = self.value(node)
        if config is None:
            return
        if config not in [{"transform": output} for output in _OUTPUTS]:
            raise ValueError(f"{name} has an unknown output configuration")
        vars(estimator)[OUTPUT_CONFIG] = config

    def _items(self, pairs: list[Any]) -> dict[Any, Any]:
        decoded = [self.value(pair) for pair in pairs]
        try:
            return {key: value for key, value in decoded}  # noqa: C416 - refuses all but pairs
        except (TypeError, ValueError) as error:
            raise ValueError("it has a dictionary whose items are not pairs") from error

    def _scalar(self, value: Any, dtype: str) -> Any:
        if dtype in ARRAY_DTYPES and isinstance(value, bool | int | float):
            try:
                scalar = np.dtype(dtype).type(value)
            except (OverflowError, ValueError):  # beyond the type, or NaN as integer
                scalar = None
            if scalar == value or (scalar is not None and np.isnan(scalar)):
                return scalar
        elif re.fullmatch(r"<U\d+", dtype) and isinstance(value, str):
            return np.str_(value)
        raise ValueError(f"it has the invalid value {value!r} as {str(dtype)[:20]!r}")


def _strings(texts: list[Any], shape: list[Any], dtype: str) -> NDArray[Any]:
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("it has an array of strings that contains something else")
    if not all(type(n) is int and n >= 0 for n in shape) or int(np.prod(shape, dtype=object)) != len(texts):
        raise ValueError(f"it has {len(texts)} strings for an array of shape {shape}")
    width = max(map(len, texts), default=0)
    if dtype != "object":
        if not re.fullmatch(r"<U\d{1,9}", dtype) or int(dtype[2:]) < width:
            raise ValueError(f"it has strings of length {width} for an array of {dtype[:20]!r}")
        if 4 * int(dtype[2:]) * len(texts) > _MAX_STRING_BYTES:
            raise ValueError(f"it has an array of strings larger than {_MAX_STRING_BYTES >> 20} MiB")
    array = np.empty(len(texts), dtype=object if dtype == "object" else dtype)
    array[:] = texts
    return array.reshape(shape)


def _mapping(node: Any, what: str) -> dict[str, Any]:
    if not isinstance(node, dict) or not all(isinstance(key, str) for key in node):
        raise ValueError(f"{what} must be a dictionary")
    return node
