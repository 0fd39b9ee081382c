"""Small surveys for tests of the recipes."""

import numpy as np

from skspec import make_spectra
from skspec.mk import mk_grid

RNG = 0


def stars(n, classes="BAGM"):
    spectra = make_spectra(n, classes=classes, repeats=0.0, snr=(20.0, 40.0), random_state=RNG)
    return spectra, np.asarray(spectra.meta["spectral_class"]).astype(str)


def survey(n, classes=("STAR", "GALAXY", "QSO"), weights=None):
    spectra = make_spectra(n, classes=classes, weights=weights, repeats=0.0, random_state=RNG)
    return spectra, np.asarray(spectra.meta["class"]).astype(str)


def joint_stars(n):
    """Spectra of stars with joint classes, half of them dwarfs."""
    spectra, letter = stars(n)
    y = np.char.add(letter, np.where(np.arange(n) % 2, "V", "III"))
    assert set(y) <= set(mk_grid().tolist())
    return spectra, y


def galaxies(n, n_classes=3, side=33):
    """Images of discs whose colour depends on the class, as rows of uint8."""
    rng = np.random.default_rng(RNG)
    y = np.arange(n) % n_classes
    images = rng.integers(90, 110, (n, 3, side, side))
    for k, label in enumerate(y):
        images[k, label, side // 4 : -side // 4, side // 4 : -side // 4] += 100
    return images.reshape(n, -1).astype(np.uint8), y
