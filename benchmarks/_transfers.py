"""Training and test spectra of `benchmarks.transfer`."""

import re
from dataclasses import dataclass

import numpy as np

from benchmarks._real_star_data import lamost_stars, miles, needed, onto
from skspec import LogWaveResampler, ResolutionMatcher, Spectra
from skspec.datasets import observe_spectra

CLASSES = list("BAFGKM")
RESOLUTION = 1800.0
SURVEY = {"snr": (5.0, 100.0), "velocity": (-300.0, 300.0), "ebv": (0.0, 1.0), "missing": 0.05}
COPIES = ", copies"
NOISE = 0.05  # of the median flux


@dataclass
class Transfer:
    """Training and test spectra on one grid.

    Attributes
    ----------
    training : dict of str to (ndarray, ndarray)
        Training spectra and their classes, by the suffix of the names of models: "" for the library.
    X, y, star : ndarray
        Test spectra, their classes, and their stars.
    """

    title: str
    training: dict[str, tuple[np.ndarray, np.ndarray]]
    X: np.ndarray
    y: np.ndarray
    star: np.ndarray


def transfers():
    """Yield the tests on LAMOST and SDSS templates, with MILES and simulated observations of it as training sets."""
    grid = LogWaveResampler(loglam_min=3.5689, loglam_max=3.8689, n_bins=800, missing="interpolate")
    stars, letters = lamost_stars()
    spectra, kinds, shared = _templates()
    training = _miles_without(shared, grid)
    for title, X, y, star in (
        ("LAMOST", stars, letters, np.asarray(stars.sky_groups())),
        ("SDSS templates", spectra, kinds, np.arange(len(kinds))),
    ):
        tested = {
            name: (rows[np.isin(known, y)], known[np.isin(known, y)])
            for name, (rows, known) in training.items()
        }
        yield Transfer(title, tested, onto(grid, X), y, star)


def development():
    """Yield the transfers on which the members of the ensemble were chosen."""
    spectra, labels = miles()
    known = np.isin(labels["spectral_class"], CLASSES)
    spectra, y = spectra[known].to_vacuum(), labels["spectral_class"][known]
    for name, others, kinds, fwhm, grid in (
        ("MKCLASS", *_mkclass(), 3.6, _grid(3850, 5580, 500)),
        ("Pickles", *_pickles(), 10.0, _grid(3706, 7394, 500)),
        ("Pickles components", *_components(), 12.0, _grid(3900, 5900, 300)),
    ):
        here, there = onto(grid, ResolutionMatcher(2.5, fwhm).fit_transform(spectra)), onto(grid, others)
        yield Transfer(f"MILES to {name}", {"": (here, y)}, there, kinds, np.arange(len(kinds)))
        if name == "MKCLASS":
            star = np.repeat(np.arange(len(kinds)), 3)
            noise = np.random.default_rng(0).normal(0.0, NOISE, (len(star), there.shape[1]))
            yield Transfer(f"MILES to {name}, noisy", {"": (here, y)}, there[star] + noise, kinds[star], star)
        yield Transfer(f"{name} to MILES", {"": (there, kinds)}, here, y, np.arange(len(y)))


def _grid(first, last, n_bins):
    return LogWaveResampler(
        loglam_min=np.log10(first), loglam_max=np.log10(last), n_bins=n_bins, missing="interpolate"
    )


def _templates():
    """Return the SDSS templates of B to M stars, their classes, and a set of their HD numbers."""
    with np.load(needed("sdss_boss_star_templates", "spEigenStar-55734.npz")) as file:
        known = np.isin(file["spectral_class"], CLASSES)
        spectra = Spectra(file["flux"][known], wave=10.0 ** file["loglam"])
        numbers = [re.search(r"\((\d+)\)", name) for name in file["name"][known]]
        return spectra, file["spectral_class"][known], {int(found[1]) for found in numbers if found}


def _miles_without(shared, grid):
    """Return spectra and classes of MILES, and of simulated survey observations, without stars of given HD numbers."""
    spectra, labels = miles()
    number = [re.fullmatch(r"HD0*(\d+).*", name.replace(" ", "")) for name in labels["name"]]
    here = np.array([found is not None and int(found[1]) in shared for found in number])
    known = np.isin(labels["spectral_class"], CLASSES)
    print(
        f"{np.count_nonzero(known & here)} of {np.count_nonzero(known)} stars of MILES are excluded as templates"
    )
    spectra, y = spectra[known & ~here], labels["spectral_class"][known & ~here]
    matcher = ResolutionMatcher(2.5, RESOLUTION, target_unit="R", coarser="keep")
    night = observe_spectra(
        spectra, n_copies=8, resolution=RESOLUTION, library_resolution=2.5, random_state=0, **SURVEY
    )
    star = np.asarray(night.meta["library_row"])
    library = onto(grid, matcher.fit_transform(spectra.to_vacuum()))
    return {"": (library, y), COPIES: (onto(grid, night), y[star])}


def _mkclass():
    """Return the MK standards at 3.6 Å, without the empty pixels at their ends."""
    with np.load(needed("mkclass_standards", "mkclass_standards.npz")) as file:
        kinds = file["libnor36_spectral_class"]
        known = np.isin(kinds, CLASSES)
        flux, wave = file["libnor36_flux"][known, 5:-5], file["libnor36_wave"][5:-5]
    return Spectra(flux, wave=wave, medium="air").to_vacuum(), kinds[known]


def _pickles():
    """Return the mean spectra of types."""
    with np.load(needed("pickles_uvilib", "pickles_uvilib.npz")) as file:
        known, seen = np.isin(file["spectral_class"], CLASSES), (file["wave"] > 3600) & (file["wave"] < 7500)
        spectra = Spectra(file["flux"][known][:, seen], wave=file["wave"][seen], medium="air")
        return spectra.to_vacuum(), file["spectral_class"][known]


def _components():
    """Return the observations from which these means were made, if they cover 3900 to 5900 Å."""
    with np.load(needed("pickles_uvilib", "pickles_uvilib.npz")) as file:
        seen = (file["wave"] > 3850) & (file["wave"] < 5950)
        flux, kinds = file["comp_flux"][:, seen], file["comp_spectral_class"]
        known = np.isin(kinds, CLASSES) & (np.isfinite(flux).mean(axis=1) > 0.95)
        spectra = Spectra(flux[known], wave=file["wave"][seen], medium="air")
        return spectra.to_vacuum(), kinds[known]
