"""Synthesis of stellar spectra from temperature, gravity and metallicity.

The synthesis is in LTE and in the Eddington-Barbier approximation: at each wavelength the flux is that of a black body
at the temperature where the total optical depth of continuum and lines is 2/3 (Gray 2005, chapters 6-9). This
reproduces the Balmer jump, the saturation of strong lines and the dependence of their depth on wavelength.
"""

import numpy as np

from skspec.datasets._constants import BOLTZMANN_EV, HC_K
from skspec.datasets._photosphere._hydrogen import HydrogenLines
from skspec.datasets._photosphere._metal_lines import FINE, MetalLines
from skspec.datasets._photosphere._molecules import BANDS, Bands
from skspec.datasets._photosphere._opacity import continuous_opacity
from skspec.datasets._photosphere._saha import MOLECULES, ion_fractions, molecules_per_hydrogen
from skspec.datasets._photosphere._structure import (
    MOLECULAR_ZONES,
    TAU_CONTINUUM,
    TAU_HYDROGEN,
    TAU_LINES,
    Layer,
    grey_temperature,
    solve_layer,
)
from skspec.datasets._types import Float32Array, FloatArray

LOG_START = 3.2455  # log10 of 1760 Å
LOG_STEP = 5e-5
N_PIXELS = 16000  # up to 11,104 Å
WAVE = 10.0 ** (LOG_START + LOG_STEP * np.arange(N_PIXELS))

_COARSE = WAVE[::8]  # fine enough for the continuum

# fine pixels filled by the rotational lines of a molecule, by the fraction of the wavelengths that they cover
_COMB = {1.0: slice(None), 0.5: slice(0, None, 2), 0.25: slice(1, None, 4)}
_HOTTEST_MOLECULES = 6500.0


class Synthesizer:
    """Compute spectra on the grid `WAVE`; lines and bands, which do not depend on the star, are prepared once."""

    def __init__(self) -> None:
        fine_step = LOG_STEP / FINE
        self._metals = MetalLines(LOG_START - (LOG_STEP - fine_step) / 2, fine_step, N_PIXELS * FINE)
        self._hydrogen = HydrogenLines(WAVE)
        self._bands = Bands(WAVE)

    def spectra(self, teff: FloatArray, logg: FloatArray, feh: FloatArray) -> Float32Array:
        """Return the surface flux of stars in erg s-1 cm-2 Å-1, shape (n_stars, N_PIXELS).

        `teff` is in K, `logg` the log10 of the gravity in cm s-2, and `feh` the metallicity [Fe/H] in dex.
        """
        deep = solve_layer(teff, logg, feh, TAU_CONTINUUM)
        middle = solve_layer(teff, logg, feh, TAU_HYDROGEN)
        high = solve_layer(teff, logg, feh, TAU_LINES)
        zones = [solve_layer(teff, logg, feh, tau) for tau, _ in MOLECULAR_ZONES]
        molecules = [_molecules(zone) for zone in zones]
        levels = _hydrogen_levels(middle)
        continuum = _continuum(deep)
        ions = self._metals.populations(high)
        turbulence = np.clip(5.5 - logg, 1.0, 5.0)

        flux = np.empty((len(teff), N_PIXELS), dtype=np.float32)
        for row in range(len(teff)):
            # add 2 km/s to keep lines from being narrower than the fine pixels
            cores, wings = self._metals.opacity(high, row, ions[row], float(np.hypot(turbulence[row], 2.0)))
            # cores are not narrower than the pixels; they are saturated anyway
            thermal = max(float(np.hypot(0.129 * np.sqrt(middle.temperature[row]), turbulence[row])), 20.0)
            hydrogen = self._hydrogen.opacity(levels[row], float(middle.electron_density[row]), thermal)
            smooth = np.interp(WAVE, _COARSE, continuum[row]) + wings + hydrogen / middle.rosseland[row]
            opacity = cores.astype(np.float32).reshape(N_PIXELS, FINE)
            opacity += smooth.astype(np.float32)[:, None]
            cool = [
                self._molecular(numbers[row], float(zone.rosseland[row]))
                for zone, numbers in zip(zones, molecules, strict=True)
                if zone.temperature[row] < _HOTTEST_MOLECULES
            ]
            flux[row] = _emergent_flux(opacity, cool, float(teff[row]))
        return flux

    def _molecular(self, numbers: FloatArray, rosseland: float) -> Float32Array:
        """Return the molecular opacity over the Rosseland mean on the fine pixels."""
        total = np.zeros((N_PIXELS, FINE), dtype=np.float32)
        for share, absorption in self._bands.opacity(numbers / rosseland).items():
            total[:, _COMB[share]] += absorption[:, None]
        return total


def _molecules(layer: Layer) -> FloatArray:
    """Return molecules per hydrogen nucleus over their partition function, shape (n_atmospheres, n_molecules)."""
    numbers = molecules_per_hydrogen(
        layer.temperature, layer.electron_pressure, layer.nuclei_pressure, layer.feh
    )
    return np.stack(
        [numbers[name] / MOLECULES[name].partition_function(layer.temperature) for name in BANDS], axis=1
    )


def _hydrogen_levels(layer: Layer) -> FloatArray:
    """Return the fractions of the hydrogen nuclei in levels 2 and 3, shape (n_atmospheres, 2)."""
    neutral = ion_fractions("H", layer.temperature, layer.electron_pressure)[:, :1]
    n = np.array([2.0, 3.0])
    return neutral * n**2 * np.exp(-13.598 * (1.0 - 1.0 / n**2) / (BOLTZMANN_EV * layer.temperature[:, None]))


def _continuum(layer: Layer) -> FloatArray:
    """Return the continuous opacity over the Rosseland mean, shape (n_atmospheres, n_pixels // 8)."""
    state = (layer.temperature, layer.electron_pressure, layer.nuclei_pressure, layer.feh)
    return continuous_opacity(_COARSE, *(a[:, None] for a in state)) / layer.rosseland[:, None]


def _emergent_flux(opacity: Float32Array, molecules: list[Float32Array], teff: float) -> Float32Array:
    """Return the black-body flux at optical depth 2/3, averaged over the fine pixels.

    Opacities are relative to the Rosseland mean, shape (N_PIXELS, FINE). `opacity`, of continuum and lines, applies at
    all depths; `molecules` has the opacity of the molecules in each zone, starting at the surface.
    """
    to_go = np.full_like(opacity, TAU_CONTINUUM)  # optical depth at this wavelength still to be crossed
    tau = np.zeros_like(opacity)  # Rosseland optical depth reached
    top = 0.0
    for zone, (_, end) in zip(molecules, MOLECULAR_ZONES, strict=False):
        total = opacity + zone
        step = np.minimum(to_go / total, np.float32(end - top))
        tau += step
        to_go -= step * total
        top = end
    tau += np.maximum(to_go, 0.0) / opacity
    temperature = grey_temperature(tau, teff)
    intensity = 1.0 / np.expm1((HC_K / WAVE).astype(np.float32)[:, None] / temperature)
    return (3.7418e27 / WAVE**5).astype(np.float32) * intensity.mean(axis=1)
