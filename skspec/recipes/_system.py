"""`PublishedSystem`, which the files of published systems use, and its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from skspec.checks import check_choice
from skspec.io import read_spectra
from skspec.metrics import BootstrapResult
from skspec.model_selection import group_spectra, has_position, join_copies, select_labels
from skspec.preprocessing import LogWaveResampler, MissingFluxImputer
from skspec.spectra import Spectra

_NO_OBJECTS = (
    "The file has neither positions nor names of objects, so spectra of the same object cannot be kept together: only "
    "the published protocol can be followed, whose scores are too high if objects were observed more than once."
)


def recall(y_true: NDArray[Any], y_pred: NDArray[Any], *, label: Any) -> float:
    """Return the recall of one class."""
    own = y_true == label
    return float(np.mean(y_pred[own] == label)) if own.any() else np.nan


def precision(y_true: NDArray[Any], y_pred: NDArray[Any], *, label: Any) -> float:
    """Return the precision of one class; 0 if it is never predicted."""
    called = y_pred == label
    return float(np.mean(y_true[called] == label)) if called.any() else 0.0


@dataclass(frozen=True)
class PublishedScore:
    """A row of a published table of scores."""

    name: str
    score: str | Callable[[NDArray[Any], NDArray[Any]], float]  # see `bootstrap_interval`
    params: Mapping[str, Any] = field(default_factory=dict)  # of the score
    published: Mapping[str | None, float] = field(default_factory=dict)  # by network; None if there is one
    label: str | None = None  # class of a score that concerns a single class


@dataclass(frozen=True, eq=False)
class PublishedGrid:
    """Wavelength grid of a published system, in vacuum Å: outer edges and number of logarithmic bins."""

    loglam_min: float
    loglam_max: float
    n_bins: int
    published_wave: ArrayLike  # of the published file; all, or the first and last of a linear grid

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of `LogWaveResampler`."""
        return {"loglam_min": self.loglam_min, "loglam_max": self.loglam_max, "n_bins": self.n_bins}

    def first_step(self, *, prepared: bool) -> LogWaveResampler | MissingFluxImputer:
        """Return the resampler onto the grid; for prepared spectra, the imputer of their missing pixels."""
        check_choice("prepared", prepared, (True, False))
        if prepared:
            return MissingFluxImputer(wave=self.published_wave)
        return LogWaveResampler(**self.params, missing="interpolate")

    def holds(self, spectra: Spectra) -> bool:
        """Return whether spectra are on the published grid."""
        if not spectra.is_common_grid or spectra.shape[1] != self.n_bins:
            return False
        ends, published = np.asarray(spectra.wave)[[0, -1]], np.asarray(self.published_wave)[[0, -1]]
        return bool(np.allclose(ends, published, rtol=1e-3))


@dataclass
class SystemData:
    """Spectra or images on which a system is tested."""

    X: Any
    y: NDArray[Any]
    groups: NDArray[Any] | None  # objects; None if the file does not identify them
    grouping: str  # sentence on how objects are identified
    prepared: bool = False  # whether X is on the published grid
    dropped: Counter[str] = field(default_factory=Counter)  # numbers of rows left out, by reason


@dataclass
class ScoredPredictions:
    """Published scores of a system, and the same scores computed from its published predictions."""

    n_spectra: int
    rows: list[tuple[str, tuple[float, ...], list[BootstrapResult]]]  # network, published and computed scores
    note: str


@dataclass(frozen=True, eq=False)
class PublishedSystem:
    """A published system: its recipe, its published scores, its data, and how it was tested.

    Each file of `skspec.recipes` without a leading underscore defines one, ``SYSTEM``; methods can be overridden for
    unusual data or tests. The recipe is a function with the name of the file that returns the unfitted pipeline. Its
    parameters are ``max_epochs`` and ``random_state``, ``network`` if there are several, and ``prepared`` if there is a
    grid.
    """

    recipe: Callable[..., Pipeline]
    scores: tuple[PublishedScore, ...]
    test_fraction: float
    protocol: str  # the published split in words
    stratified: bool = False  # whether the published split was stratified by class
    networks: tuple[str, ...] = ()  # the default first; empty if there is only one
    grid: PublishedGrid | None = None  # None for images
    label_column: str = "class"  # of ``meta``
    reduce_labels: Callable[[NDArray[np.str_]], NDArray[np.str_]] | None = None  # to published classes or ""
    min_class_size: int = 1  # smaller classes are left out
    object_names: bool = (
        False  # whether ``meta["object"]`` of the file identifies objects rather than spectra
    )

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.recipe.__name__

    def load(self, path: Path, *, labels: str | None = None) -> SystemData:
        """Read the published data file of the system, or other spectra.

        Parameters
        ----------
        path : Path
            File or folder.
        labels : str or None, default=None
            Column of ``meta`` with the labels; None means `label_column`.

        Returns
        -------
        SystemData

        Raises
        ------
        ValueError
            If there is no such column, or fewer than two classes.
        """
        spectra, column = read_spectra(path), labels or self.label_column
        if column not in spectra.meta.colnames:
            raise ValueError(
                f"{path} has no column {column!r} with labels; it has {', '.join(spectra.meta.colnames)}"
            )
        y, keep, dropped = select_labels(spectra.meta[column])
        if self.reduce_labels is not None:
            y = self.reduce_labels(y.astype(str))
            dropped["no class of this system"] += int((keep & (y == "")).sum())
            keep &= y != ""
        rows = np.flatnonzero(keep)
        _, keep, small = select_labels(y[rows], min_class_size=self.min_class_size)
        spectra, y = spectra[rows[keep]], y[rows[keep]]
        if (n_classes := len(np.unique(y))) < 2:
            raise ValueError(
                f"{self.name} needs two or more classes; {path} has {len(y)} spectra of {n_classes} in column {column!r}"
            )
        groups, grouping = self.group(spectra)
        prepared = self.grid is not None and self.grid.holds(spectra)
        return SystemData(spectra, y, groups, grouping, prepared, +(dropped + small))

    def group(self, spectra: Spectra) -> tuple[NDArray[Any] | None, str]:
        """Return the object of each spectrum, by position or `object_names`, and a sentence that describes this."""
        if has_position(spectra).any() or (self.object_names and "object" in spectra.meta.colnames):
            groups, grouping = group_spectra(spectra, "sky")
            groups, copies = join_copies(spectra, groups)
            return groups, f"{grouping} {copies}".rstrip()
        return None, _NO_OBJECTS

    def before_published_split(
        self, model: Pipeline, X: Any, y: NDArray[Any], *, seed: int
    ) -> tuple[Pipeline, Any, NDArray[Any]]:
        """Return the unfitted model and the data as they were before the published split; by default unchanged."""
        return model, X, y

    def find_predictions(self, path: Path) -> Callable[[], ScoredPredictions] | None:
        """Return a function that scores the published predictions at or in `path`; None if there are none."""
        return None
