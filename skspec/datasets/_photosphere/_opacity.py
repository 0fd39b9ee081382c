"""Continuous opacity of a stellar photosphere per hydrogen nucleus, in cm2.

Hydrogen bound-free and free-free, the negative hydrogen ion, Rayleigh scattering by hydrogen and electron
scattering, as in Gray (2005), *The Observation and Analysis of Stellar Photospheres*, 3rd edition, chapter 8. In M stars
the crowded lines of H2O and TiO add a grey opacity, adjusted to the tables of Ferguson et al. (2005, ApJ 623, 585).
"""

import numpy as np

from skspec.datasets._constants import BOLTZMANN, BOLTZMANN_EV, HC_K
from skspec.datasets._photosphere._saha import ion_fractions, molecules_per_hydrogen
from skspec.datasets._types import FloatArray, FloatLike

RYDBERG = 911.7633  # Lyman limit of hydrogen in Å
_IONISATION = 13.598
_STEAM, _TITANIUM_OXIDE = 1e-20, 4e-18  # mean cross-sections, cm2
_ALPHA_0 = 1.0449e-26  # Kramers' cross-section, cm2 Å-3


def _h_minus_bound_free(
    wave: FloatArray, temperature: FloatArray, electron_pressure: FloatArray
) -> FloatArray:
    """Return Gray (2005) eq. 8.11-8.12, with the cross-section of Wishart (1979) below 16,200 Å."""
    coefficients = (1.99654, -1.18267e-5, 2.64243e-6, -4.40524e-10, 3.23992e-14, -1.39568e-18, 2.78701e-23)
    clipped = np.clip(wave, 2000.0, 16200.0)
    sigma = 1e-18 * np.polynomial.polynomial.polyval(clipped, coefficients) * (wave < 16200.0)
    theta = 5040.0 / temperature
    return 4.158e-10 * np.maximum(sigma, 0.0) * electron_pressure * theta**2.5 * 10.0 ** (0.754 * theta)


def _h_minus_free_free(
    wave: FloatArray, temperature: FloatArray, electron_pressure: FloatArray
) -> FloatArray:
    """Return Gray (2005) eq. 8.13, the fit to Bell & Berrington (1987); clipped to 1823 < wave < 1e5 Å."""
    log = np.log10(np.clip(wave, 1823.0, 1e5))
    log_theta = np.log10(np.clip(5040.0 / temperature, 0.5, 2.2))
    f0 = -2.2763 - 1.6850 * log + 0.76661 * log**2 - 0.053346 * log**3
    f1 = 15.2827 - 9.2846 * log + 1.99381 * log**2 - 0.142631 * log**3
    f2 = -197.789 + 190.266 * log - 67.9775 * log**2 + 10.6913 * log**3 - 0.625151 * log**4
    return 1e-26 * electron_pressure * 10.0 ** (f0 + f1 * log_theta + f2 * log_theta**2)


def series_merging(electron_density: FloatLike) -> FloatArray:
    """Return the highest level of hydrogen not dissolved by neighbouring charges (Inglis & Teller 1939)."""
    return 10.0 ** ((23.26 - np.log10(electron_density)) / 7.5)


def level_survival(level: FloatLike, electron_density: FloatLike) -> FloatArray:
    """Return the probability that a level of hydrogen is not dissolved in the continuum.

    It falls smoothly at the Inglis-Teller level, similar to Hummer & Mihalas (1988, ApJ 331, 794).
    """
    return np.exp(-np.minimum((level / series_merging(electron_density)) ** 7.5, 50.0))


def _h_bound_free(wave: FloatArray, temperature: FloatArray, electron_density: FloatArray) -> FloatArray:
    """Return photoionisation from levels 1 to 8 and, as an integral, all above (Gray 2005, eq. 8.4-8.8).

    To the red of each edge the cross-section is multiplied by the fraction of the upper levels that are dissolved
    (Daeppen, Anderson & Mihalas 1987, ApJ 319, 195). The series merge smoothly, and it ends at the first line.
    """
    kt = BOLTZMANN_EV * temperature
    total = np.zeros(np.broadcast_shapes(wave.shape, temperature.shape, electron_density.shape))
    for n in range(1, 9):
        edge = RYDBERG * n**2
        gaunt = 1.0 - 0.3456 / (wave / RYDBERG) ** (1.0 / 3.0) * (wave / edge - 0.5)
        upper = 1.0 / np.sqrt(np.maximum(1.0 / n**2 - RYDBERG / wave, 1e-4))
        dissolved = np.where(upper > n + 1, 1.0 - level_survival(upper, electron_density), 0.0)
        free = np.where(wave <= edge, 1.0, dissolved)
        excitation = _IONISATION * (1.0 - 1.0 / n**2)
        total += wave**3 / n**3 * np.maximum(gaunt, 0.2) * free * np.exp(-excitation / kt)
    above = np.exp(-_IONISATION * (1.0 - 1.0 / 81.0) / kt) - np.exp(-_IONISATION / kt)
    return _ALPHA_0 * (total + wave**3 * kt / (2.0 * _IONISATION) * above)


def _h_free_free(wave: FloatArray, temperature: FloatArray) -> FloatArray:
    kt = BOLTZMANN_EV * temperature
    gaunt = 1.0 + 0.3456 / (wave / RYDBERG) ** (1.0 / 3.0) * (wave / HC_K * temperature + 0.5)
    return _ALPHA_0 * wave**3 * gaunt * kt / (2.0 * _IONISATION) * np.exp(-_IONISATION / kt)


def continuous_opacity(
    wave: FloatArray,
    temperature: FloatArray,
    electron_pressure: FloatArray,
    nuclei_pressure: FloatArray,
    feh: FloatLike = 0.0,
) -> FloatArray:
    """Return the cross-section of continuous absorption and scattering in cm2 per hydrogen nucleus.

    Wavelengths are vacuum Å, temperatures K, and pressures dyn cm-2: `electron_pressure` is that of the free electrons,
    `nuclei_pressure` that of all nuclei if none were bound in molecules. `feh` is the metallicity [Fe/H] in dex.
    """
    wave = np.asarray(wave, dtype=np.float64)
    temperature, electron_pressure, nuclei_pressure = (
        np.asarray(a, dtype=np.float64) for a in (temperature, electron_pressure, nuclei_pressure)
    )
    density = electron_pressure / (BOLTZMANN * temperature)
    molecules = molecules_per_hydrogen(temperature, electron_pressure, nuclei_pressure, feh)
    neutral = ion_fractions("H", temperature, electron_pressure)[..., 0] - 2.0 * molecules["H2"]
    true_absorption = (
        _h_bound_free(wave, temperature, density)
        + _h_free_free(wave, temperature)
        + _h_minus_bound_free(wave, temperature, electron_pressure)
    ) * -np.expm1(-HC_K / (wave * temperature)) + _h_minus_free_free(wave, temperature, electron_pressure)
    clipped = np.maximum(wave, 1500.0)
    rayleigh = 5.799e-13 / clipped**4 + 1.422e-6 / clipped**6 + 2.784 / clipped**8
    rayleigh_h2 = 8.14e-13 / clipped**4 + 1.28e-6 / clipped**6 + 1.61 / clipped**8  # Dalgarno & Williams 1962
    # free electrons per hydrogen nucleus; nearly all nuclei are hydrogen and helium
    electrons = 1.1 * electron_pressure / nuclei_pressure
    atoms = neutral * (true_absorption + rayleigh) + 0.6652e-24 * electrons
    return (
        atoms + molecules["H2"] * rayleigh_h2 + _STEAM * molecules["H2O"] + _TITANIUM_OXIDE * molecules["TiO"]
    )
