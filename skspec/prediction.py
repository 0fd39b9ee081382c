"""Classify spectra, or the files that contain them, with a fitted model, and flag those with doubtful results."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from astropy.table import Table, vstack
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from skspec.io import read_spectra
from skspec.model_selection import has_signal, to_rest_frame
from skspec.preprocessing import LogWaveResampler
from skspec.spectra import Spectra

LOW_COVERAGE = 0.8
"""Spectra that cover less than this fraction of the model's wavelength grid are flagged ``low_coverage``."""

LOW_SNR = 5.0
"""Spectra with a lower median signal-to-noise ratio per pixel are flagged ``low_snr``."""

_MIXED = r"\d+ of \d+ files give no errors"  # warning of read_spectra


def classify_files(model: Any, paths: list[str], *, rest_frame: bool = False, **options: Any) -> Table:
    """Classify the spectra in files.

    Parameters
    ----------
    model : estimator
        Fitted classifier that takes `Spectra`.
    paths : list of str
        Files, directories or glob patterns.
    rest_frame : bool, default=False
        Whether the model was trained on rest-frame wavelengths.
    **options
        Parameters of `read_spectra`.

    Returns
    -------
    Table
        One row per spectrum, and one for each file that could not be read, see `classify`.

    Notes
    -----
    `read_spectra` drops the inverse variances of all files if one file has none. In this case the files are read again
    one by one, so that only spectra without errors are classified without them.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=_MIXED)
        spectra = read_spectra(paths, **options)
    mixed = False
    for warning in caught:
        if re.match(_MIXED, str(warning.message)):
            mixed = True
        else:
            warnings.warn(warning.message, stacklevel=2)
    skipped = spectra.meta.meta["skipped"]
    stated = {name: options[name] for name in ("format", "medium", "wave_unit") if name in options}
    parts = _file_by_file(spectra, **stated) if mixed else [spectra]
    known = np.repeat([part.ivar is not None for part in parts], [len(part) for part in parts])
    if known.all() or not known.any():
        return classify(model, spectra, rest_frame=rest_frame, skipped=skipped)
    whole = Spectra.concatenate(part for part in parts if part.ivar is not None)
    whole = whole.replace(meta=spectra.meta[known])
    tables = [
        classify(model, whole, rest_frame=rest_frame),
        classify(model, spectra[~known], rest_frame=rest_frame, skipped=skipped),
    ]
    order = [np.flatnonzero(known), np.flatnonzero(~known), len(known) + np.arange(len(skipped))]
    return vstack(tables, metadata_conflicts="silent")[np.argsort(np.concatenate(order))]


def _file_by_file(spectra: Spectra, **options: Any) -> list[Spectra]:
    """Read the files of spectra again, one by one."""
    files = spectra.meta["file"].tolist()
    alone = {file: read_spectra(file, **options) for file in dict.fromkeys(files)}
    parts, row = [], 0
    while row < len(files):
        parts.append(alone[files[row]])
        row += len(parts[-1])
    return parts


def classify(
    model: Any, spectra: Spectra, *, rest_frame: bool = False, skipped: Sequence[dict[str, str]] = ()
) -> Table:
    """Classify spectra; those that cannot be classified are flagged and do not affect the others.

    Parameters
    ----------
    model : estimator
        Fitted classifier that takes `Spectra`.
    spectra : Spectra
    rest_frame : bool, default=False
        Whether the model was trained on rest-frame wavelengths.
    skipped : sequence of dict, default=()
        ``file`` and ``reason`` of files that could not be read, for which rows are added at the end.

    Returns
    -------
    Table
        One row per spectrum with ``file``, ``object``, ``class`` (empty if not classified), ``p_<class>`` for each class
        if the model has ``predict_proba``, ``coverage`` (the covered fraction of the model's wavelength grid, or of the
        least covered one of several), ``snr`` (median per pixel), ``flags`` (comma-separated) and ``reason``.

        =============  =========================================================================================
        flag           meaning
        =============  =========================================================================================
        unreadable     the file could not be read; see ``reason``
        no_redshift    the model needs the rest frame, and the redshift is missing
        no_overlap     no valid pixel on the model's wavelength grid
        no_signal      all valid pixels on the grid have the same flux, as of a dead fibre; see ``reason``
        failed         the model raised an error or gave no finite probabilities; see ``reason``
        low_coverage   less than 80 % of the grid is covered; the class may be less certain than its probability
        low_snr        signal-to-noise ratio per pixel below 5, or unknown because too few pixels are valid; the class
                       may be less certain than its probability
        =============  =========================================================================================
    """
    n = len(spectra)
    flags: list[list[str]] = [[] for _ in range(n)]
    reasons = np.full(n, "", dtype=object)
    with np.errstate(invalid="ignore"):  # zero flux without noise
        snr = spectra.snr
    usable, rows, coverage = _screen(model, spectra, rest_frame, flags, reasons)
    classes = model.classes_
    names, probability = np.full(n, "", dtype=object), np.full((n, len(classes)), np.nan)
    has_probability = hasattr(model, "predict_proba")
    if len(rows):
        names[rows], probability[rows], failures = _predict(model, usable, has_probability)
        _add_failures(failures, rows, flags, reasons)
    for row in np.flatnonzero((coverage > 0) & (coverage < LOW_COVERAGE)):
        flags[row].append("low_coverage")
    unknown_snr = np.isnan(snr) & np.isin(np.arange(n), rows)
    for row in np.flatnonzero((snr < LOW_SNR) | unknown_snr):
        flags[row].append("low_snr")

    blank, unknown = [""] * len(skipped), np.full(len(skipped), np.nan)
    files, objects = _text(spectra, "file"), _text(spectra, "object")
    table = Table()
    table["file"] = _strings([*files, *(item["file"] for item in skipped)])
    table["object"] = _strings([*objects, *blank])
    table["class"] = _strings([*(name or "" for name in names), *blank])
    if has_probability:
        for k, label in enumerate(classes.tolist()):
            table[f"p_{label}"] = np.concatenate([probability[:, k], unknown])
    table["coverage"] = np.concatenate([coverage, unknown])
    table["snr"] = np.concatenate([snr, unknown])
    table["flags"] = _strings([*map(",".join, flags), *["unreadable"] * len(skipped)])
    table["reason"] = _strings([*reasons, *(item["reason"] for item in skipped)])
    return table


def _resamplers(model: Any) -> list[LogWaveResampler]:
    """Return the resamplers applied to the input: the first of a pipeline, or those of all members of an ensemble."""
    if isinstance(model, LogWaveResampler):
        return [model]
    if isinstance(model, Pipeline):
        return next((found for _, step in model.steps if (found := _resamplers(step))), [])
    members = getattr(model, "estimators_", None)
    return [found for member in members for found in _resamplers(member)] if isinstance(members, list) else []


def _screen(
    model: Any, spectra: Spectra, rest_frame: bool, flags: list[list[str]], reasons: NDArray[Any]
) -> tuple[Spectra, NDArray[np.intp], NDArray[np.float64]]:
    """Flag spectra that cannot be classified; return the others, their rows, and the coverage of all."""
    coverage = np.full(len(spectra), np.nan)
    rows, usable = np.arange(len(spectra)), spectra
    if rest_frame:
        usable, known = to_rest_frame(spectra)
        rows = np.flatnonzero(known)
        for row in np.flatnonzero(~known):
            flags[row].append("no_redshift")
    resamplers = _resamplers(model)
    if resamplers and len(rows):
        coverage[rows], failures = _for_each(
            lambda X: np.min([resampler.coverage(X) for resampler in resamplers], axis=0), usable, np.float64
        )
        _add_failures(failures, rows, flags, reasons)
        for row in rows[coverage[rows] == 0]:
            flags[row].append("no_overlap")
        usable, rows = _keep(usable, rows, coverage[rows] > 0)
    if len(rows):
        low = min((10**resampler.loglam_min for resampler in resamplers), default=0.0)
        high = max((10**resampler.loglam_max for resampler in resamplers), default=np.inf)
        alive = has_signal(usable, low, high)
        for row in rows[~alive]:
            flags[row].append("no_signal")
            reasons[row] = "all valid pixels on the model's wavelengths have the same flux"
        usable, rows = _keep(usable, rows, alive)
    return usable, rows, coverage


def _predict(
    model: Any, spectra: Spectra, has_probability: bool
) -> tuple[NDArray[Any], NDArray[np.float64], dict[int, str]]:
    """Return classes ("" where the model failed), probabilities (NaN if there are none), and failures by row."""
    classes = model.classes_
    probability = np.full((len(spectra), len(classes)), np.nan)
    if not has_probability:
        names, failures = _for_each(lambda X: model.predict(X).astype(str), spectra, object)
        return names, probability, failures
    probability, failures = _for_each(model.predict_proba, spectra, np.float64, len(classes))
    names = np.full(len(spectra), "", dtype=object)
    done = np.isfinite(probability).all(axis=1)
    names[done] = classes.astype(str)[probability[done].argmax(axis=1)]
    for row in np.flatnonzero(~done):
        failures.setdefault(int(row), "the model gave no finite probabilities")
    probability[~done] = np.nan
    return names, probability, failures


def _keep(
    spectra: Spectra, rows: NDArray[np.intp], keep: NDArray[np.bool_]
) -> tuple[Spectra, NDArray[np.intp]]:
    return (spectra, rows) if keep.all() else (spectra[keep], rows[keep])


def _for_each(
    function: Callable[[Spectra], Any], spectra: Spectra, dtype: Any, width: int | None = None
) -> tuple[NDArray[Any], dict[int, str]]:
    """Apply a function to all spectra at once or, if that fails, one by one.

    Return the results, NaN or None where it failed, and the reasons by row.
    """
    function = _unwarned(function)
    try:
        return np.asarray(function(spectra), dtype=dtype), {}
    except ValueError:
        pass  # find the spectra that fail below
    shape = (len(spectra),) if width is None else (len(spectra), width)
    result = np.full(shape, None if dtype is object else np.nan, dtype=dtype)
    failures = {}
    for row in range(len(spectra)):
        try:
            result[row] = np.asarray(function(spectra[row]))[0]
        except ValueError as error:
            failures[row] = " ".join(str(error).split())
    return result, failures


def _unwarned(function: Callable[[Spectra], Any]) -> Callable[[Spectra], Any]:
    """Return the function without warnings of bins that were filled in: such spectra are flagged."""

    def quiet(spectra: Spectra) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* lack at the ends more than .* of the grid")
            return function(spectra)

    return quiet


def _add_failures(
    failures: dict[int, str], rows: NDArray[Any], flags: list[list[str]], reasons: NDArray[Any]
) -> None:
    for k, reason in failures.items():
        flags[rows[k]].append("failed")
        reasons[rows[k]] = reason


def _text(spectra: Spectra, name: str) -> list[str]:
    if name not in spectra.meta.colnames:
        return [""] * len(spectra)
    return [str(value) for value in np.ma.filled(np.ma.asarray(spectra.meta[name]).astype(object), "")]


def _strings(values: list[Any]) -> NDArray[np.str_]:
    return np.array([str(value) for value in values], dtype=np.str_)
