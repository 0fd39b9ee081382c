"""The tasks of `benchmarks.real_stars`: spectra of real stars, their labels, and cross-validation folds."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from skspec import FluxNormalizer, LogWaveResampler, Spectra, read_spectra
from skspec.datasets import observe_spectra
from skspec.mk import temperature_class

DATA = Path(os.environ.get("SKSPEC_DATA", "../shared/data"))
FEWEST = 10  # minimum number of stars in a joint class
COPIES = 8
SURVEY = {"snr": (3.0, 20.0), "velocity": (-300.0, 300.0), "ebv": (0.0, 1.0), "missing": 0.05}


@dataclass
class Task:
    """Spectra on one grid, divided by their median, and their labels.

    Attributes
    ----------
    what, observed : str
        Arguments of `skspec.recipes.recommended`.
    star : ndarray of int
        Index of the star of each spectrum.
    snr : ndarray or None
        Signal-to-noise ratios, if they vary.
    """

    title: str
    what: str
    observed: str
    X: np.ndarray
    y: np.ndarray
    star: np.ndarray
    wave: np.ndarray
    snr: np.ndarray | None = None

    @property
    def is_regression(self):
        return self.what == "spectral_code"

    def fold(self, repeat: int, n_folds: int = 5) -> np.ndarray:
        """Return the fold in which each spectrum is tested: all spectra of a star in one, stratified by class.

        The first fold of the first repeat tests the stars that were not used to choose models.
        """
        options = {"n_splits": n_folds, "shuffle": True, "random_state": repeat}
        if self.title.startswith("LAMOST"):  # spectra of the same star may have different labels
            return _fold(StratifiedGroupKFold(**options), self.y, self.star)
        _, first, star = np.unique(self.star, return_index=True, return_inverse=True)
        splitter = KFold(**options) if self.is_regression else StratifiedKFold(**options)
        return _fold(splitter, self.y[first])[star]


def _fold(splitter, y, groups=None):
    fold = np.empty(len(y), dtype=int)
    for k, (_, test) in enumerate(splitter.split(y, y, groups)):
        fold[test] = k
    return fold


def needed(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        sys.exit(f"{path} does not exist; set SKSPEC_DATA to the folder that contains {parts[0]}")
    return path


def miles():
    """Return the spectra of all stars of MILES, and their labels."""
    with np.load(needed("miles_v9.1", "miles_v9.1.npz")) as file:
        labels = {name: file[name] for name in ("spectral_class", "lum_class", "subtype", "sptype", "name")}
        return Spectra(file["flux"], wave=file["wave"], medium="air"), labels


def onto(grid, spectra):
    return FluxNormalizer().fit_transform(grid.fit_transform(spectra))


def library(what, n_bins=1000):
    """Return one of the four tasks on MILES."""
    spectra, labels = miles()
    letter, luminosity = labels["spectral_class"], labels["lum_class"]
    known = np.isin(letter, list("BAFGKM"))
    if what == "class":
        y = letter
    elif what == "luminosity":
        known = np.isin(luminosity, ["I", "II", "III", "IV", "V"])
        y = np.where(np.isin(luminosity, ["I", "II"]), "I", luminosity)
    elif what == "joint":
        known = np.isin(letter, list("OBAFGKM")) & np.isin(luminosity, ["I", "II", "III", "IV", "V"])
        y = np.char.add(letter, luminosity)
        names, counts = np.unique(y[known], return_counts=True)
        known &= np.isin(y, names[counts >= FEWEST])
    else:
        known &= np.isfinite(labels["subtype"])
        y = np.array([10.0 * "OBAFGKM".find(one) for one in letter]) + labels["subtype"]
    grid = LogWaveResampler(loglam_min=np.log10(3541), loglam_max=np.log10(7409), n_bins=n_bins)
    X = onto(grid, spectra[known])
    star = np.arange(len(X))
    return Task(f"MILES, {what.replace('_', ' ')}", what, "library", X, y[known], star, grid.wave_)


def observed():
    """Return the task on simulated survey observations of MILES, `COPIES` of each star."""
    spectra, labels = miles()
    known = np.isin(labels["spectral_class"], list("BAFGKM"))
    night = observe_spectra(
        spectra[known], n_copies=COPIES, resolution=1800, library_resolution=2.5, random_state=0, **SURVEY
    )
    first, last = np.log10(night.wave[[0, -1]])
    grid = LogWaveResampler(loglam_min=first, loglam_max=last, n_bins=800, missing="interpolate")
    star = np.asarray(night.meta["library_row"])
    y = labels["spectral_class"][known][star]
    X = onto(grid, night)
    return Task(
        "observed MILES, class", "class", "survey", X, y, star, grid.wave_, np.asarray(night.meta["snr"])
    )


def lamost_stars():
    """Return LAMOST spectra of A F G K M stars, from their FITS files, and their classes."""
    spectra = read_spectra(needed("lamost_lrs", "fits"))
    letters = np.array([temperature_class(str(label)) or "" for label in spectra.meta["subclass"]])
    known = np.isin(letters, list("AFGKM")) & (np.asarray(spectra.meta["class"]) == "STAR")
    return spectra[known], letters[known]


def lamost():
    """Return the task on LAMOST."""
    spectra, y = lamost_stars()
    grid = LogWaveResampler(
        loglam_min=np.log10(3750), loglam_max=np.log10(8900), n_bins=800, missing="interpolate"
    )
    X = onto(grid, spectra)
    return Task("LAMOST, class", "class", "survey", X, y, spectra.sky_groups(), grid.wave_)


TASKS = {
    "class": lambda: library("class"),
    "luminosity": lambda: library("luminosity"),
    "joint": lambda: library("joint"),
    "spectral-code": lambda: library("spectral_code"),
    "observed": observed,
    "lamost": lamost,
}
