"""Simulated stars resemble real stars of the same temperature, gravity and metallicity (MILES library)."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from sklearn.ensemble import RandomForestClassifier

from skspec.datasets import make_spectra
from skspec.datasets._library import star_spectra
from skspec.datasets._photosphere._synthesis import LOG_STEP, WAVE
from skspec.spectra import air_to_vacuum
from tests._data import data_path


@pytest.fixture(scope="module")
def miles():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as archive:
        data = dict(archive)
    known = np.isfinite(data["teff"]) & np.isfinite(data["logg"]) & (data["spectral_class"] != "")
    wave = air_to_vacuum(data["wave"])
    inside = (wave > 3850) & (wave < 6800)
    return {
        "wave": wave[inside],
        "flux": data["flux"][known][:, inside].astype(float),
        "letter": data["spectral_class"][known],
        "lum_class": data["lum_class"][known],
        "parameters": [np.nan_to_num(data[name][known]).astype(float) for name in ("teff", "logg", "feh")],
    }


@pytest.fixture(scope="module")
def simulated(miles):
    smooth = gaussian_filter1d(
        star_spectra(*miles["parameters"]), 2.5 / 2.3548 / 5000 / (LOG_STEP * np.log(10)), axis=1
    )
    return np.array([np.interp(miles["wave"], WAVE, row) for row in smooth])


def test_lines_correlate_with_those_of_real_stars(miles, simulated):
    def lines(flux):
        ratio = flux / uniform_filter1d(flux, 101, axis=1)
        return ratio - ratio.mean(axis=1, keepdims=True)

    real, model = lines(miles["flux"]), lines(simulated)
    correlation = (real * model).sum(axis=1) / np.sqrt((real**2).sum(axis=1) * (model**2).sum(axis=1))
    strength = (real * model).sum(axis=1) / (model**2).sum(axis=1)
    for letter, least in {"B": 0.9, "A": 0.95, "F": 0.92, "G": 0.88, "K": 0.83, "M": 0.75}.items():
        assert np.median(correlation[miles["letter"] == letter]) > least
    assert np.median(correlation) > 0.9
    hot = np.isin(miles["letter"], list("BAFG"))
    assert 0.8 < np.median(strength[hot]) < 1.2


def test_colours_are_those_of_real_stars(miles, simulated):
    wave = miles["wave"]

    def colour(flux):
        blue, red = (
            flux[:, (low < wave) & (wave < high)].mean(axis=1) for low, high in ((4200, 4700), (6000, 6500))
        )
        return -2.5 * np.log10(blue / red)

    difference = colour(simulated) - colour(miles["flux"])
    for letter, tolerance in {"A": 0.15, "F": 0.1, "G": 0.1, "K": 0.15, "M": 0.5}.items():
        rows = (miles["letter"] == letter) & (miles["lum_class"] == ("III" if letter in "KM" else "V"))
        assert abs(np.median(difference[rows])) < tolerance


def test_a_classifier_trained_on_simulations_classifies_real_stars(miles):
    training = make_spectra(700, classes="BAFGKM", wave=miles["wave"], snr=50.0, missing=0.0, random_state=0)

    def features(flux):
        flux = flux[:, : flux.shape[1] // 10 * 10].reshape(len(flux), -1, 10).mean(axis=2)
        return flux / uniform_filter1d(flux, 31, axis=1)

    model = RandomForestClassifier(100, random_state=0).fit(
        features(training.flux), training.meta["spectral_class"]
    )
    rows = np.isin(miles["letter"], list("BAFGKM"))
    predicted = model.predict(features(miles["flux"][rows]))
    assert np.mean(predicted == miles["letter"][rows]) > 0.6
