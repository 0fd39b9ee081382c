"""`GANOversampler` trained on very few real stars: the O and B components of Pickles (1998, PASP 110, 863)."""

import numpy as np
import pytest

from skspec import FluxNormalizer, GANOversampler, LogWaveResampler, Spectra
from skspec.oversampling._components import principal_components
from skspec.oversampling._distances import copying
from skspec.oversampling._spectral_features import measure
from tests._data import data_path

LINES = {
    "H delta": 4102.9,
    "H gamma": 4341.7,
    "H beta": 4862.7,
    "He I 4473": 4472.7,
    "He II 4543": 4542.9,
    "He II 4687": 4687.0,
}
GRID = LogWaveResampler(loglam_min=3.592, loglam_max=3.770, n_bins=300, missing="interpolate")
N_PARTS = 3


def scaled(flux, wave):
    spectra = Spectra(flux, wave=wave, medium="air").to_vacuum()
    return FluxNormalizer().fit_transform(GRID.fit_transform(spectra))


@pytest.fixture(scope="module")
def stars():
    """Complete spectra of O, B and A stars from 3900 to 5900 Å, their classes, and the types they belong to."""
    with np.load(data_path("pickles_uvilib/pickles_uvilib.npz")) as data:
        wave, flux, classes = data["wave"], data["comp_flux"], data["comp_spectral_class"]
        inside = (wave >= 3900) & (wave <= 5900)
        chosen = np.isin(classes, list("OBA")) & np.isfinite(flux[:, inside]).all(axis=1)
        return scaled(flux[chosen][:, inside], wave[inside]), classes[chosen], data["comp_file"][chosen]


def learn(X, y, label, n=200):
    strategy = {label: int((y == label).sum()) + 1}
    sampler = GANOversampler(max_steps=50, sampling_strategy=strategy, device="cpu", random_state=0)
    sampler.fit_resample(X, y)
    return sampler.sample(n, label, random_state=1)


@pytest.fixture(scope="module")
def parts(stars):
    """Training, held-out and generated spectra for each third of the types that is held out."""
    X, classes, files = stars
    hot = classes != "A"
    y = np.where(hot, "OB", "A")
    found = []
    for part in range(N_PARTS):
        held_out = hot & np.isin(files, np.unique(files[hot])[part::N_PARTS])
        found.append((X[hot & ~held_out], X[held_out], learn(X[~held_out], y[~held_out], "OB")))
    return found


def test_lines_are_as_deep_as_in_stars_held_out(stars, parts):
    assert sum(len(held_out) for _, held_out, _ in parts) == (stars[1] != "A").sum() == 25
    real = measure(np.concatenate([held_out for _, held_out, _ in parts]), GRID.wave_, LINES)
    made = measure(np.concatenate([generated for *_, generated in parts]), GRID.wave_, LINES)
    for line in LINES:
        scatter = real[line].std()  # the tolerance: how much real stars differ from each other
        near = (made[line] > real[line].min() - scatter) & (made[line] < real[line].max() + scatter)
        assert near.mean() > 0.95, line
        assert np.median(made[line]) == pytest.approx(np.median(real[line]), abs=scatter), line
        assert 0.5 < made[line].std() / scatter < 2.0, line


def test_copies_would_be_found_and_are_not(parts):
    for known, held_out, generated in parts:
        components = principal_components(known, 10)
        sets = [
            components.coordinates(rows)
            for rows in (known, held_out, generated, np.repeat(known, 10, axis=0))
        ]
        assert copying(*sets[:3])[1] > 0.01
        assert copying(sets[0], sets[1], sets[3])[1] < 0.01


def test_five_o_stars(stars):
    X, y, _ = stars
    assert (y == "O").sum() == 5
    made = measure(learn(X, y, "O"), GRID.wave_, LINES)
    b_stars = measure(X[y == "B"], GRID.wave_, LINES)
    for line in ("He II 4543", "He II 4687"):
        assert np.median(made[line]) > np.percentile(b_stars[line], 90), line
    for line in ("H delta", "H gamma", "H beta"):
        assert made[line].min() > 0.05, line
        assert np.median(made[line]) < np.median(b_stars[line]), line
