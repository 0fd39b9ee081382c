"""Temperature and pressure of the layers in which a stellar spectrum forms.

The continuum forms at Rosseland optical depth 2/3, lines higher up, molecules in the coolest layers. The temperature is
that of a grey atmosphere with line blanketing, the pressure that of hydrostatic equilibrium.
"""

from dataclasses import dataclass

import numpy as np

from skspec.datasets._constants import BOLTZMANN, HC_K
from skspec.datasets._photosphere._opacity import continuous_opacity
from skspec.datasets._photosphere._saha import electrons_per_hydrogen, mass_per_hydrogen, nuclei_per_hydrogen
from skspec.datasets._types import FloatArray, FloatLike

TAU_CONTINUUM = 2.0 / 3.0
TAU_LINES = 0.2
TAU_HYDROGEN = 0.4  # the broad wings of the Balmer lines form deep
MOLECULAR_ZONES = ((0.002, 0.03), (0.1, 0.3))  # representative depth and lower end of each zone
_ATOMIC_MASS = 1.660539e-24  # g
_LOG_PE = np.linspace(-10.0, 6.0, 81)


def grey_temperature(tau: FloatLike, teff: FloatLike) -> FloatArray:
    """Return the temperature at a Rosseland optical depth.

    Eddington's T^4 = 3/4 Teff^4 (tau + q), with a Hopf function q that includes line blanketing: warmer in depth, and
    cooler at the surface, about 0.74 Teff. It agrees with the models of Kurucz (1993, CD-ROM 13) to a few per cent
    between 3500 and 40,000 K.
    """
    tau = np.asarray(tau)
    hopf = 0.85 - 0.26 / (1.0 + 8.0 * tau) ** 2 - 0.2 / (1.0 + 300.0 * tau)
    return teff * (0.75 * (tau + hopf)) ** 0.25


@dataclass(frozen=True)
class Layer:
    """State of the gas in n atmospheres at one optical depth; arrays of shape (n,) in cgs units."""

    temperature: FloatArray
    electron_pressure: FloatArray
    nuclei_pressure: FloatArray
    rosseland: FloatArray
    feh: FloatArray

    @property
    def electron_density(self) -> FloatArray:
        """Number density of free electrons in cm-3."""
        return self.electron_pressure / (BOLTZMANN * self.temperature)

    @property
    def nuclei_density(self) -> FloatArray:
        """Number density of nuclei in cm-3."""
        return self.nuclei_pressure / (BOLTZMANN * self.temperature)


def rosseland_mean(
    temperature: FloatArray,
    electron_pressure: FloatArray,
    nuclei_pressure: FloatArray,
    feh: FloatLike,
) -> FloatArray:
    """Return the Rosseland mean of the continuous opacity in cm2 per hydrogen nucleus."""
    temperature = np.asarray(temperature, dtype=np.float64)
    x = np.geomspace(0.8, 22.0, 240).reshape((-1,) + (1,) * np.ndim(electron_pressure))  # hc / (wave k T)
    opacity = continuous_opacity(
        HC_K / (x * temperature), temperature, electron_pressure, nuclei_pressure, feh
    )
    weight = x**5 * np.exp(x) / np.expm1(x) ** 2  # dB/dT for logarithmic steps of x
    return weight.sum(axis=0) / (weight / opacity).sum(axis=0)


def solve_layer(teff: FloatArray, logg: FloatArray, feh: FloatArray, tau: float) -> Layer:
    """Return the gas at an optical depth in hydrostatic equilibrium, P_gas = 1.5 g m tau / kappa.

    The factor 1.5 holds for an opacity that grows as tau**(1/3). The electron pressure is interpolated in a grid, for
    all atmospheres at once: opacity and ionisation depend only on temperature, electron pressure and metallicity.
    """
    teff, logg, feh = (np.asarray(a, dtype=np.float64) for a in (teff, logg, feh))
    pairs, back = np.unique(np.stack([teff, feh]), axis=1, return_inverse=True)
    t, z = grey_temperature(tau, pairs[0])[:, None], pairs[1][:, None]
    electron = np.broadcast_to(10.0**_LOG_PE, (len(t), len(_LOG_PE)))
    nuclei = electron / electrons_per_hydrogen(t, electron, z) * nuclei_per_hydrogen(z)
    opacity = rosseland_mean(t, electron, nuclei, z)
    weight = np.log10((nuclei + electron) * opacity / (mass_per_hydrogen(z) * _ATOMIC_MASS * 1.5 * tau))

    log_pe = np.array([np.interp(g, weight[row], _LOG_PE) for g, row in zip(logg, back, strict=True)])
    log_opacity, log_nuclei = (
        np.array([np.interp(x, _LOG_PE, table[row]) for x, row in zip(log_pe, back, strict=True)])
        for table in (np.log10(opacity), np.log10(nuclei))
    )
    return Layer(t[back, 0], 10.0**log_pe, 10.0**log_nuclei, 10.0**log_opacity, feh)
