"""Save and load fitted models as one file that holds no code.

`save` writes a zip archive (``.skspec``) of

- ``manifest.json``: versions of the format and the libraries, steps with their parameters, classes, wavelength grid;
- ``weights.safetensors``: all arrays;
- ``steps/*.skops``: scikit-learn estimators, in the format of skops.

`load` builds the steps from the public classes of skspec and those registered with `register_estimator`. It neither
unpickles nor imports what a file names, so that untrusted files are safe to load: at worst, the model is bad.
"""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skspec.persistence import _bundle
from skspec.persistence._decode import Decoder
from skspec.persistence._encode import Encoder
from skspec.persistence._registry import register_estimator

__all__ = ["load", "read_info", "register_estimator", "save"]

_LIBRARIES = ("skspec", "numpy", "scikit-learn", "imbalanced-learn", "torch", "skops", "safetensors")


def save(model: BaseEstimator, path: str | os.PathLike[str], *, info: dict[str, Any] | None = None) -> None:
    """Save a complete fitted model in one file, without pickle.

    Parameters
    ----------
    model : estimator
        A fitted estimator of skspec or of a registered class, or a (nested) `~sklearn.pipeline.Pipeline`,
        imbalanced-learn ``Pipeline``, `~sklearn.pipeline.FeatureUnion`, `~sklearn.ensemble.VotingClassifier` or
        `~sklearn.ensemble.VotingRegressor` of these and of scikit-learn estimators.
    path : str or path
        File name ending in ``.skspec``. An existing file is replaced only when the new one is complete.
    info : dict, default=None
        Notes, for example scores: str, bool, int, float, None, and lists, tuples and dicts of these.

    Raises
    ------
    TypeError
        If the class of a step is unknown, or a value cannot be saved safely; the message names step, parameter and type.
    ValueError
        If `path` does not end in ``.skspec``.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.
    ImportError
        Without the extra ``skspec[save]``.

    See Also
    --------
    load : Load a saved model.
    read_info : Read the description of a model.
    register_estimator : Allow models with your own classes.

    Notes
    -----
    With the same library versions, the predictions of the loaded model are those of the saved one, bit for bit.
    Parameters that only guide another `fit` are not saved: random number generators, functions (``scoring``,
    ``class_coordinates``, ``sampling_strategy``), splitters for ``cv``, a pipeline's ``memory``, and those that classes
    declare, such as ``callbacks``, ``checkpoint_dir``, ``picture_dir`` and ``pretrained``. They are saved as None, with a
    warning. The fitted state of samplers is not saved; members of an ensemble with weight 0 are saved as "drop".

    A scikit-learn estimator is saved by skops if skops trusts all the types in it. Decision trees and forests, which
    skops does not trust, are accepted too: `load` checks that all their nodes are valid. Nearest neighbours need
    ``algorithm="brute"``. Histogram gradient boosting, stacking (`~sklearn.ensemble.StackingClassifier`), other
    meta-estimators around estimators of skspec, and `~sklearn.calibration.CalibratedClassifierCV` around trees cannot be
    saved.

    Examples
    --------
    >>> import numpy as np, tempfile, pathlib
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skspec import FluxNormalizer, load, save
    >>> X, y = np.array([[1.0, 2.0, 1.0], [2.0, 1.0, 2.0]]), ["A", "M"]
    >>> model = make_pipeline(FluxNormalizer(), LogisticRegression()).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.skspec")
    ...     save(model, path)
    ...     load(path).predict(X).tolist()
    ['A', 'M']
    """
    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model is a {type(model).__name__}; a fitted estimator or Pipeline is needed")
    path = _bundle.check_suffix(path)
    check_is_fitted(model)
    encoder = Encoder()
    tree = encoder.estimator(model)
    classes = getattr(model, "classes_", None)
    manifest = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
        "classes": None if classes is None else np.asarray(classes).tolist(),
        "wave": _grid(encoder.wave),
        "info": encoder.info(info or {}),
        "model": tree,
    }
    _bundle.write(path, manifest, encoder.arrays, encoder.blobs)


def load(path: str | os.PathLike[str]) -> Any:
    """Load a model saved by `save`.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    estimator
        The fitted model.

    Raises
    ------
    ValueError
        If the file is not a model of skspec, is damaged, was written by a newer version, names a class that is not
        registered, or holds an invalid value; the message says which.
    FileNotFoundError
        If there is no such file.
    ImportError
        Without the extra ``skspec[save]``.

    See Also
    --------
    save : Save a fitted model.
    """
    with _bundle.refusing(path):
        manifest, arrays, blobs = _bundle.read(path)
        decoder = Decoder(arrays, blobs)
        model = decoder.estimator(manifest["model"])
        decoder.check_all_used()
        return model


def read_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the description of a model from its file, without loading the model.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict
        ``format_version``, ``created`` (UTC), ``versions`` of the libraries that wrote it, ``classes``,
        ``wave`` (``n``, ``min``, ``max`` of the grid, vacuum Å, or None), ``info`` as given to `save`, and
        ``model``: the steps.

    Raises
    ------
    ValueError
        If the file is not a model of skspec, or was written by a newer version.
    FileNotFoundError
        If there is no such file.
    """
    with _bundle.refusing(path):
        manifest = _bundle.read_manifest(path)
        return manifest | {"info": Decoder({}, {}).value(manifest["info"])}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _grid(wave: Any) -> dict[str, float] | None:
    return None if wave is None else {"n": len(wave), "min": float(wave[0]), "max": float(wave[-1])}
