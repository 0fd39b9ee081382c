"""The tasks of `benchmarks.real_stars`: real stars, what is asked of them, and who is tested with whom."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from skspec import FluxNormalizer, LogWaveResampler, Spectra, read_spectra
from skspec.datasets import observe_spectra
from skspec.mk import temperature_class

DATA = Path(os.environ.get("SKSPEC_DATA", "../shared/data"))
FEWEST = 10  # stars of a joint class
COPIES = 8
SURVEY = {"snr": (3.0, 20.0), "velocity": (-300.0, 300.0), "ebv": (0.0, 1.0), "missing": 0.05}


@dataclass
class Task:
    """Spectra on one grid, divided by their median, with what is to be found out.

    Attributes
    ----------
    what : str
        The task of `skspec.recipes.recommended`.
    observed : str
        Its other argument.
    star : ndarray of int
        Which spectra show the same star.
    snr : ndarray or None
        Signal-to-noise ratio, where it varies.
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

    def folds(self, repeat: int, n_folds: int = 5) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows to train on and to test: stars are drawn, by class, and all of their spectra go with them.

        The first fold of the first repeat tests the stars that no choice has seen.
        """
        first = np.unique(self.star, return_index=True)[1]
        of_star = self.y[first]
        if self.is_regression:
            splits = KFold(n_folds, shuffle=True, random_state=repeat).split(of_star)
        else:
            splits = StratifiedKFold(n_folds, shuffle=True, random_state=repeat).split(of_star, of_star)
        if self.title.startswith("LAMOST"):  # stars that were observed twice may have two labels
            splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=repeat)
            yield from splitter.split(self.X, self.y, self.star)
            return
        stars = np.unique(self.star)
        for _, test in splits:
            tested = np.isin(self.star, stars[test])
            yield np.flatnonzero(~tested), np.flatnonzero(tested)


def needed(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        sys.exit(f"{path} is needed; set SKSPEC_DATA to the folder that holds {parts[0]}")
    return path


def miles():
    """Return all stars of MILES, and their labels."""
    with np.load(needed("miles_v9.1", "miles_v9.1.npz")) as file:
        labels = {name: file[name] for name in ("spectral_class", "lum_class", "subtype", "sptype", "name")}
        return Spectra(file["flux"], wave=file["wave"], medium="air"), labels


def onto(grid, spectra):
    return FluxNormalizer().fit_transform(grid.fit_transform(spectra))


def library(what, n_bins=1000):
    """MILES as it is, for one of the four tasks."""
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
    """Return MILES as a survey would see it, `COPIES` times each star."""
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
    """LAMOST spectra of A F G K M stars, from their FITS files, and their classes."""
    spectra = read_spectra(needed("lamost_lrs", "fits"))
    letters = np.array([temperature_class(str(label)) or "" for label in spectra.meta["subclass"]])
    known = np.isin(letters, list("AFGKM")) & (np.asarray(spectra.meta["class"]) == "STAR")
    return spectra[known], letters[known]


def lamost():
    """LAMOST stars on one grid."""
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
