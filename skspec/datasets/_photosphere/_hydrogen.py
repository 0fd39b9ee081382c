"""Opacity of the Balmer and Paschen lines of hydrogen, with linear Stark broadening.

Oscillator strengths: Johnson (1972, ApJ 174, 227). Quasi-static Stark wings: Holtsmark distribution with the constants
of Edmonds, Schlueter & Wells (1967, Mem. RAS 71, 271), as in Kurucz (1970, SAO Special Report 309).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._photosphere._opacity import RYDBERG, level_survival
from skspec.datasets._types import Float32Array, FloatArray

_HIGHEST = 36
_REACH = 0.07  # half-width in dex of the window of a line
# factor by which electrons strengthen the wings produced by ions; fitted to A dwarfs of the MILES library
_ELECTRONS = 2.5
_STARK_H_ALPHA = 0.009019  # the asymptotic formula does not hold for the first line


def oscillator_strength(lower: int, upper: NDArray[np.int64] | int) -> FloatArray:
    """Return the absorption oscillator strength between two levels of hydrogen (Johnson 1972, eq. 3-9)."""
    upper = np.asarray(upper, dtype=np.float64)
    x = 1.0 - (lower / upper) ** 2
    if lower == 1:
        g = (1.1330, -0.4059, 0.07014)
    elif lower == 2:
        g = (1.0785, -0.2319, 0.02947)
    else:
        g = (
            0.9935 + 0.2328 / lower - 0.1296 / lower**2,
            -(0.6282 - 0.5598 / lower + 0.5299 / lower**2) / lower,
            (0.3887 - 1.181 / lower + 1.470 / lower**2) / lower**2,
        )
    gaunt = g[0] + g[1] / x + g[2] / x**2
    return 32.0 / (3.0 * np.sqrt(3.0) * np.pi) * lower / upper**3 / x**3 * gaunt


def line_wavelength(lower: int, upper: NDArray[np.int64] | int) -> FloatArray:
    """Return the vacuum wavelength in Å of a line of hydrogen."""
    return RYDBERG / (1.0 / lower**2 - 1.0 / np.asarray(upper, dtype=np.float64) ** 2)


@dataclass(frozen=True)
class _Line:
    lower: int
    upper: int
    wave: float
    strength: float  # pi e^2 / (m c) f_lu wave^2 in cm2 Å: cross-section integrated over the line
    stark: float  # Stark displacement in Å per unit of normal field
    window: slice
    distance: Float32Array  # wave - centre in Å, over the window
    distance_wing: Float32Array  # its absolute value to the power 5/2


class HydrogenLines:
    """The lines of hydrogen on a wavelength grid in Å, with equal steps in log10."""

    def __init__(self, wave: FloatArray) -> None:
        self._n_pixels = len(wave)
        log = np.log10(wave)
        self._lines = []
        for lower in (2, 3):
            for upper in range(lower + 1, _HIGHEST):
                centre = float(line_wavelength(lower, upper))
                start, stop = np.searchsorted(log, np.log10(centre) + np.array([-_REACH, _REACH]))
                if start == stop:
                    continue
                stark = 5.5e-5 * (lower * upper) ** 4 / (upper**2 - lower**2) / (1.0 + 0.13 / (upper - lower))
                if (lower, upper) == (2, 3):
                    stark = _STARK_H_ALPHA
                distance = wave[start:stop] - centre
                self._lines.append(
                    _Line(
                        lower,
                        upper,
                        centre,
                        8.8526e-21 * float(oscillator_strength(lower, upper)) * centre**2,
                        stark,
                        slice(int(start), int(stop)),
                        distance.astype(np.float32),
                        (np.abs(distance) ** 2.5).astype(np.float32),
                    )
                )

    def opacity(self, populations: FloatArray, electron_density: float, velocity: float) -> Float32Array:
        """Return the line absorption per hydrogen nucleus in cm2.

        `populations` are the fractions of the hydrogen nuclei in levels 2 and 3, `electron_density` is in cm-3, and
        `velocity`, the Doppler velocity, in km/s.
        """
        total = np.zeros(self._n_pixels, dtype=np.float32)
        field = 1.25e-9 * electron_density ** (2.0 / 3.0)  # Holtsmark's normal field strength
        survival = level_survival(np.arange(_HIGHEST, dtype=float), electron_density)
        for line in self._lines:
            if survival[line.upper] < 1e-3:
                continue
            doppler = line.wave * velocity / LIGHT_SPEED
            stark = line.stark * field
            # the Stark profile a / (width^5/2 + distance^5/2) has area 1 at its natural width
            amplitude = 0.748 * _ELECTRONS * stark**1.5
            natural = (2.6426 * amplitude) ** (2.0 / 3.0)
            width = np.hypot(natural, 1.5 * doppler)
            core = (1.0 - (natural / width) ** 1.5) / (np.sqrt(np.pi) * doppler)
            profile = np.float32(amplitude) / (np.float32(width**2.5) + line.distance_wing)
            near = slice(*np.searchsorted(line.distance, (-4.0 * doppler, 4.0 * doppler)))
            profile[near] += core * np.exp(-((line.distance[near] / doppler) ** 2))
            profile *= np.float32(line.strength * survival[line.upper] * populations[line.lower - 2])
            total[line.window] += profile
        return total
