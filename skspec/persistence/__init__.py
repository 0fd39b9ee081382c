"""Save and load fitted models as one file that holds no code.

`save` writes a zip archive (``.skspec``) of

- ``manifest.json``: versions of the format and the libraries, steps with their parameters, classes, wavelength grid;
- ``weights.safetensors``: all arrays;
- ``steps/*.skops``: scikit-learn estimators, in the format of skops;
- ``checksum.sha256``: the SHA-256 of all these.

`load` compares the checksum first, so that a damaged file is refused. Whoever changes a file on purpose can change its
checksum too. Against that, `load` builds the steps from the public classes of skspec, those that `register_estimator`
adds, and those of scikit-learn whose fitted arrays it can check. It never unpickles, and never imports what a file
names. It checks that parameters are allowed, that networks have the weights that the file holds before it builds them,
and that arrays which compiled code reads belong together. A malicious file is refused, or is a model with bad
predictions, or one that raises an error when it predicts.
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
        File name ending in ``.skspec``. An existing file is replaced once the new one is complete, without asking (the
        command line needs ``--overwrite``).
    info : dict, default=None
        Notes, for example scores: str, bool, int, float, None, and lists, tuples and dicts of these.

    Raises
    ------
    TypeError
        If the class of a step is unknown, or a value cannot be saved safely; the message names step, parameter and type.
    ValueError
        If `path` does not end in ``.skspec``, a parameter is invalid, fitted attributes do not belong together, or
        parameters, fitted values and `info` take more than 8 MiB as JSON (arrays do not count).
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

    An estimator of scikit-learn is saved by skops if skops trusts all the types in it, and if predictions hand its
    fitted arrays to Python and numpy, or `load` can check them. It checks those of support vector machines, nearest
    neighbours (with ``algorithm="brute"``), k-means, decision trees and forests of them. Histogram gradient boosting,
    stacking (`~sklearn.ensemble.StackingClassifier`), other meta-estimators around estimators of skspec,
    `~sklearn.calibration.CalibratedClassifierCV` around trees, and estimators fitted on sparse matrices that keep them
    are refused.

    The file is written under a temporary name, ``.NAME.skspec.########.tmp``, in the folder of `path`, and then renamed.
    If the process is killed, the next call for that folder deletes what is left; files that another process is writing
    stay.

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
        If the file is not a model of skspec, is damaged, was written by a version with another format, names a class
        that is not registered, or holds values that are invalid or do not belong together; the message says which.
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
    """Read the description of a model from its file, without loading the model; the checksum is verified.

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
        If the file is not a model of skspec, is damaged, or was written by a version with another format. What the
        steps hold is not checked.
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
