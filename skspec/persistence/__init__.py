"""Fitted models in one file that holds no code.

`save` writes a zip archive (``.skspec``) of

- ``manifest.json``: format and library versions, the steps with their parameters, classes, wavelength grid;
- ``weights.safetensors``: all arrays;
- ``steps/*.skops``: scikit-learn's own steps, in the format of skops.

`load` builds the steps from classes that skspec knows by name. It unpickles nothing and imports nothing that a
file names, so that a model can be taken from a stranger: the worst that a file can bring is a bad model.
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

__all__ = ["load", "read_info", "save"]

_LIBRARIES = ("skspec", "numpy", "scikit-learn", "imbalanced-learn", "torch", "skops", "safetensors")


def save(model: BaseEstimator, path: str | os.PathLike[str], *, info: dict[str, Any] | None = None) -> None:
    """Save a fitted model, whole, in one file without pickle.

    Parameters
    ----------
    model : estimator
        A fitted estimator of skspec, or a `~sklearn.pipeline.Pipeline`, imbalanced-learn ``Pipeline``,
        `~sklearn.pipeline.FeatureUnion`, `~sklearn.ensemble.VotingClassifier` or `~sklearn.ensemble.VotingRegressor`
        (nested ones too) of them and of scikit-learn's estimators.
    path : str or path
        Where to write; must end in ``.skspec``. The file appears when it is complete: a failure leaves what
        was there before.
    info : dict, default=None
        What else to note, for example scores: of str, bool, int, float, None, lists, tuples and dicts of them.

    Raises
    ------
    TypeError
        If a step is of a type that cannot be saved safely, or a parameter has no safe form (a function, say);
        the message names step, parameter and type.
    ValueError
        If `path` does not end in ``.skspec``.
    sklearn.exceptions.NotFittedError
        If `model` is not fitted.
    ImportError
        Without the extra ``skspec[save]``.

    See Also
    --------
    load : Bring the model back.
    read_info : Look into the file only.

    Notes
    -----
    The loaded model predicts bit for bit as the saved one, under the same library versions. What only guides
    another `fit` is left behind: a ``random_state`` that is a generator, a pipeline's ``memory``, a classifier's
    ``callbacks``, ``checkpoint_dir``, ``picture_dir``, ``pretrained``, a splitter for ``cv`` and functions for
    ``scoring``, ``class_coordinates`` or ``sampling_strategy`` (None is stored, with a warning), what samplers have
    learned, and members of an ensemble that do not count ("drop" stands in their place).

    A scikit-learn estimator is saved by skops if skops trusts all the types in it. Decision trees and the
    forests made of them, which skops leaves to its users, are accepted too: `load` checks that their nodes
    point nowhere outside. Nearest neighbours want ``algorithm="brute"``; histogram gradient boosting, stacks
    (`~sklearn.ensemble.StackingClassifier`), other meta-estimators around estimators of skspec, and
    `~sklearn.calibration.CalibratedClassifierCV` around trees are refused.

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
    """Load a model that `save` wrote.

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
        If the file is not a model of skspec, is cut short or changed, was written by a newer version, or holds
        anything that skspec does not know; the message says which.
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
    """Read what a model file says of itself, without loading the model.

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
