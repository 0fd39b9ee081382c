"""Real stars: MILES spectra against the parameters in their catalogue."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from skspec import LineIndices, Spectra, WienFitFeatures
from tests._data import data_path


@pytest.fixture(scope="module")
def stars():
    """MILES spectra of B to M stars with a temperature."""
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as data:
        known = np.isin(data["spectral_class"], list("BAFGKM")) & np.isfinite(data["teff"])
        meta = {"class": data["spectral_class"], "teff": data["teff"], "lum_class": data["lum_class"]}
        spectra = Spectra(data["flux"], wave=data["wave"], medium="air", meta=meta)
    return spectra[known]


@pytest.mark.parametrize(
    ("params", "least"), [({}, 0.97), ({"method": "log"}, 0.97), ({"offset": True}, 0.96)], ids=str
)
def test_wien_temperatures_rank_stars_like_their_catalogue(stars, params, least):
    features = ["wien_temperature", "wien_amplitude"]
    temperature, amplitude = WienFitFeatures(**params, features=features).fit_transform(stars).T
    assert spearmanr(temperature, stars.meta["teff"]).statistic > least
    assert (amplitude > 0).all()


def test_wien_temperatures_are_near_effective_ones_of_cool_dwarfs(stars):
    dwarfs = stars[np.isin(stars.meta["class"], list("FGK")) & (stars.meta["lum_class"] == "V")]
    temperature = WienFitFeatures(features=["wien_temperature"]).fit_transform(dwarfs)[:, 0]
    ratio = temperature / np.asarray(dwarfs.meta["teff"])
    assert np.median(ratio) == pytest.approx(1.0, abs=0.1)
    assert ratio.std() < 0.15


def test_balmer_lines_are_strongest_in_a_stars(stars):
    values = LineIndices(["Hbeta", "Hdelta_A", "Hgamma_A"]).fit_transform(stars)
    classes = np.asarray(stars.meta["class"])
    medians = np.array([np.median(values[classes == c], axis=0) for c in "BAFGKM"])
    assert (medians.argmax(axis=0) == 1).all()
    assert (np.diff(medians[1:5], axis=0) < 0).all()  # fading from A to K
    strongest = np.asarray(stars.meta["teff"])[values.argmax(axis=0)]
    assert ((strongest > 7500) & (strongest < 11000)).all()


def test_metal_and_molecular_lines_grow_towards_cool_stars(stars):
    values = LineIndices(["Fe5270", "Mgb", "TiO2"]).fit_transform(stars)
    classes = np.asarray(stars.meta["class"])
    medians = np.array([np.median(values[classes == c], axis=0) for c in "AFGKM"])
    assert (np.diff(medians[:4, :2], axis=0) > 0).all()
    assert medians[4, 2] > 0.2
    assert (medians[:4, 2] < 0.05).all()
