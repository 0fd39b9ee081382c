"""Simulated galaxies: old and young stellar populations, dust, emission lines and velocity dispersion.

Populations: Kroupa (2001, MNRAS 322, 231) initial mass function, power laws in mass for lifetime, luminosity and
radius, and giants whose share of the light follows from the fuel consumption theorem (Renzini & Buzzoni 1986).
Emission lines: case B (Osterbrock & Ferland 2006, *Astrophysics of Gaseous Nebulae*) and, for metals, the sequences
of the diagnostic diagram of Baldwin, Phillips & Terlevich (1981) as in Kewley et al. (2013, ApJ 774, 100).
"""

from functools import cache

import numpy as np

from skspec.datasets._extinction import log_transmission
from skspec.datasets._library import star_spectra
from skspec.datasets._photosphere._synthesis import WAVE
from skspec.datasets._population import Population, add_line
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

_AGES = (0.01, 0.05, 0.2, 0.8, 3.0, 10.0)  # Gyr
_FEH = (-0.5, 0.2)
# for each age: share of the light from evolved stars, and (Teff, log g, share) of these
_EVOLVED: tuple[tuple[float, tuple[tuple[float, float, float], ...]], ...] = (
    (0.25, ((20000.0, 2.9, 0.6), (3900.0, 0.3, 0.4))),
    (0.30, ((9000.0, 2.2, 0.4), (4300.0, 1.0, 0.6))),
    (0.35, ((5000.0, 2.4, 0.6), (4200.0, 1.4, 0.4))),
    (0.45, ((4900.0, 2.6, 0.6), (4200.0, 1.6, 0.4))),
    (0.50, ((5000.0, 3.3, 0.2), (4750.0, 2.5, 0.4), (4200.0, 1.6, 0.3), (3750.0, 0.8, 0.1))),
    (0.55, ((5000.0, 3.4, 0.2), (4700.0, 2.4, 0.35), (4150.0, 1.5, 0.3), (3700.0, 0.8, 0.15))),
)
_SUBCLASSES = ("", "STARFORMING", "STARBURST", "AGN")
_SHARES = (0.45, 0.35, 0.08, 0.12)
# for each subclass: mean share of the light at 5500 Å from each age; galaxies draw theirs from a Dirichlet distribution
_HISTORIES = np.array(
    [
        (0.0, 0.0, 0.0, 0.02, 0.18, 0.80),
        (0.05, 0.08, 0.15, 0.22, 0.25, 0.25),
        (0.30, 0.20, 0.15, 0.15, 0.10, 0.10),
        (0.01, 0.02, 0.07, 0.15, 0.25, 0.50),
    ]
)
_DISPERSION = np.array([(130.0, 300.0), (60.0, 150.0), (40.0, 100.0), (100.0, 250.0)])  # km/s
_GAS_DISPERSION = np.array([(100.0, 250.0), (40.0, 120.0), (40.0, 100.0), (120.0, 300.0)])
_REDDENING = np.array(
    [(0.0, 0.05), (0.05, 0.35), (0.05, 0.35), (0.05, 0.3)]
)  # E(B-V) of the galaxy's own dust
# mean and scatter of log10 of the equivalent width of H alpha in Å
_LOG_EW_H_ALPHA = np.array([(-0.5, 0.3), (1.25, 0.25), (2.0, 0.2), (1.1, 0.3)])

_REFERENCE = slice(*np.searchsorted(WAVE, (5450.0, 5550.0)))


def _main_sequence(age: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Teff, log g and light per step of log mass along the main sequence up to the turn-off."""
    mass = np.geomspace(0.15, min((age / 10.0) ** -0.4, 40.0), 10)
    luminosity = mass**3.5
    teff = np.minimum(5770.0 * mass**0.475, 42000.0)
    logg = np.clip(4.44 - 0.6 * np.log10(mass), 3.8, 5.0)
    numbers = np.where(mass < 0.5, 2.0 * mass**-1.3, mass**-2.3) * mass  # per step of log mass
    return teff, logg, numbers * luminosity


@cache
def population_spectra() -> Float32Array:
    """Return spectra of single-age populations, 1 at 5500 Å, shape (n_ages, n_metallicities, n_pixels)."""
    spectra = np.empty((len(_AGES), len(_FEH), len(WAVE)), dtype=np.float32)
    for i, (age, (evolved_share, evolved)) in enumerate(zip(_AGES, _EVOLVED, strict=True)):
        teff, logg, light = _main_sequence(age)
        cool_teff, cool_logg, cool_light = np.array(evolved).T
        teff, logg = np.append(teff, cool_teff), np.append(logg, cool_logg)
        light = np.append((1.0 - evolved_share) * light / light.sum(), evolved_share * cool_light)
        for j, feh in enumerate(_FEH):
            flux = (light / teff**4) @ star_spectra(teff, logg, np.full(len(teff), feh))
            spectra[i, j] = flux / flux[_REFERENCE].mean()
    return spectra


class Galaxies(Population):
    """Passive, star-forming, starburst and active galaxies with random properties."""

    def __init__(self, n: int, rng: np.random.RandomState) -> None:
        kind = rng.choice(len(_SUBCLASSES), size=n, p=_SHARES)

        def between(limits: FloatArray) -> FloatArray:
            low, high = limits[kind].T
            return low + (high - low) * rng.uniform(size=n)

        light = rng.gamma(np.maximum(8.0 * _HISTORIES[kind], 1e-9))
        light /= light.sum(axis=1, keepdims=True)
        rich = np.clip(rng.normal(0.7, 0.25, size=n), 0.0, 1.0)
        self._light = np.stack([light * (1.0 - rich)[:, None], light * rich[:, None]], axis=2).reshape(n, -1)
        self._reddening = between(_REDDENING)
        self._gas_dispersion = between(_GAS_DISPERSION)
        dispersion = between(_DISPERSION)
        ew = 10.0 ** rng.normal(*_LOG_EW_H_ALPHA[kind].T)
        self._lines = _line_fluxes(kind, ew, rng)
        z = 0.01 + 0.6 * rng.beta(1.5, 3.0, size=n)  # as in a survey: most are near, few beyond 0.5
        super().__init__("GALAXY", z=z, broadening=dispersion, subclass=np.array(_SUBCLASSES)[kind])
        self._dust = log_transmission(WAVE).astype(np.float32)

    def samples(self, rows: IndexArray, first: IndexArray, n_samples: int) -> Float32Array:
        """Return the flux per Å, 1 near 5500 Å before dust; see `Population.samples`."""
        basis = population_spectra().reshape(-1, len(WAVE))
        stars = self._light[rows].astype(np.float32) @ basis
        h_alpha = stars[:, np.searchsorted(WAVE, 6564.6)].astype(np.float64)
        stars *= np.exp(self._reddening[rows, None].astype(np.float32) * self._dust)
        flux = self.windows(stars, first, n_samples)
        # the sum is convolved with the stellar velocities later, which broadens the lines as well
        sigma = np.sqrt(np.maximum(self._gas_dispersion[rows] ** 2 - self.broadening[rows] ** 2, 400.0))
        for wave, strength in self._lines.items():
            dust = np.exp(self._reddening[rows] * self._dust[np.searchsorted(WAVE, wave)])
            add_line(
                flux,
                first,
                wave=np.full(len(rows), wave),
                sigma=sigma,
                strength=strength[rows] * h_alpha * dust,
            )
        return flux


def _line_fluxes(kind: IndexArray, ew: FloatArray, rng: np.random.RandomState) -> dict[float, FloatArray]:
    """Return the dust-free flux of each line, by vacuum wavelength, over the continuum at H alpha, in Å."""
    n = len(kind)
    active = (kind == 3) | (kind == 0)
    log_nii = np.where(active, rng.normal(0.05, 0.15, size=n), rng.uniform(-1.1, -0.35, size=n))
    sequence = 0.61 / (np.minimum(log_nii, -0.3) + 0.08) + 1.1
    seyfert = rng.normal(np.where(rng.uniform(size=n) < 0.5, 0.9, 0.4), 0.12)
    log_oiii = np.where(active, seyfert, sequence + rng.normal(0.0, 0.08, size=n))
    h_beta = ew / 2.86
    nii, oiii = ew * 10.0**log_nii, h_beta * 10.0**log_oiii
    sii = ew * np.where(active, 0.5, 0.3) * 10.0 ** rng.normal(0.0, 0.1, size=n)
    oii = h_beta * np.where(active, 3.0, 2.5) * 10.0 ** rng.normal(0.0, 0.1, size=n)
    return {
        3727.09: 0.42 * oii,
        3729.88: 0.58 * oii,
        3869.86: 0.08 * oiii,
        4102.89: 0.259 * h_beta,
        4341.68: 0.468 * h_beta,
        4862.68: h_beta,
        4960.30: oiii / 2.98,
        5008.24: oiii,
        5877.25: 0.12 * h_beta,
        6302.05: ew * np.where(active, 0.2, 0.03),
        6549.85: nii / 3.05,
        6564.61: ew,
        6585.27: nii,
        6718.29: 0.57 * sii,
        6732.67: 0.43 * sii,
        9071.10: 0.10 * ew,
        9533.20: 0.25 * ew,
    }
