"""Opacity of the lines of helium and the metals, which are listed in ``lines.dat``.

Strengths follow from the equations of Saha and Boltzmann. Profiles have a Doppler core and Lorentz wings; damping by
radiation, electrons and hydrogen atoms is approximated as in Kurucz & Avrett (1981, SAO Special Report 391).
"""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._constants import BOLTZMANN_EV, HC_K, LIGHT_SPEED
from skspec.datasets._photosphere._elements import ELEMENTS, abundance, partition_function
from skspec.datasets._photosphere._saha import ion_fractions
from skspec.datasets._photosphere._structure import Layer
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

_EV_ANGSTROM = 12398.42
_NEAR, _FAR = 16, 512  # half-widths of the windows of cores in fine pixels, and of wings in coarse ones
_HELIUM_STARK = 100.0  # matches the observed strength of He I in B dwarfs
_NEVER = 200.0  # eV, ionisation energy of stages beyond the table
_FAINTEST = 5e-3  # opacity relative to the continuum at which wings are cut off

FINE = 8  # fine pixels in a coarse one

_COLUMNS = np.dtype(
    [("wave", "f8"), ("element", "U2"), ("spectrum", "i8"), ("energy", "f8"), ("log_gf", "f8")]
)


@cache
def read_lines() -> NDArray[np.void]:
    """Return the lines of helium and the metals in order of wavelength; the table names its sources.

    The fields are ``wave`` (vacuum Å), ``element``, ``spectrum`` (1 for the neutral atom), ``energy`` of the lower level
    (eV) and ``log_gf``.
    """
    with files(__package__).joinpath("lines.dat").open() as table:
        lines = np.loadtxt(table, dtype=_COLUMNS)
    lines.setflags(write=False)
    return lines


class MetalLines:
    """The line list on a fine grid: `n_pixels` wavelengths, log10 of the first (Å) and step in dex."""

    def __init__(self, start: float, step: float, n_pixels: int) -> None:
        lines = read_lines()
        self._n_pixels = n_pixels
        self._pixel_velocity = step * np.log(10.0) * LIGHT_SPEED * 1e5  # cm/s
        position = (np.log10(lines["wave"]) - start) / step
        lines = lines[(position > 0) & (position < n_pixels - 1)]
        self._position = (np.log10(lines["wave"]) - start) / step
        self._wave = lines["wave"]
        self._energy = lines["energy"]
        self._gf = 10.0 ** lines["log_gf"]
        self._ions = sorted(
            set(zip(lines["element"].tolist(), (lines["spectrum"] - 1).tolist(), strict=True))
        )
        numbers = {ion: number for number, ion in enumerate(self._ions)}
        self._ion = np.array([numbers[line["element"], line["spectrum"] - 1] for line in lines])
        ionisation = np.array([(*ELEMENTS[symbol].ionisation, _NEVER)[stage] for symbol, stage in self._ions])
        charge = lines["spectrum"].astype(float)
        self._mass = np.array([ELEMENTS[symbol].mass for symbol, _ in self._ions])[self._ion]

        def effective_level(energy: FloatArray) -> FloatArray:
            """Return the square of the effective quantum number."""
            return np.minimum(13.598 * charge**2 / np.maximum(ionisation[self._ion] - energy, 0.1), 25.0)

        upper = effective_level(self._energy + _EV_ANGSTROM / self._wave)
        lower = effective_level(self._energy)
        self._radiative = 2.223e15 / self._wave**2
        # helium has nearly degenerate levels, as hydrogen, and a strong Stark effect
        self._stark = 1e-8 * upper**2.5 * np.where(lines["element"] == "He", _HELIUM_STARK, 1.0)
        radius = np.maximum(2.5 * (upper**2 - lower**2) / charge**2, 1.0)
        self._van_der_waals = 4.5e-9 * radius**0.4

    def populations(self, layer: Layer) -> FloatArray:
        """Return ions per hydrogen nucleus over their partition function, shape (n_atmospheres, n_ions)."""
        state = (layer.temperature, layer.electron_pressure)
        fractions = {symbol: ion_fractions(symbol, *state) for symbol in {symbol for symbol, _ in self._ions}}
        return np.stack(
            [
                fractions[symbol][:, stage]
                / partition_function(symbol, stage, layer.temperature)
                * abundance(symbol, layer.feh)
                for symbol, stage in self._ions
            ],
            axis=1,
        )

    def opacity(
        self, layer: Layer, row: int, populations: FloatArray, turbulence: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the line opacity over the Rosseland mean: cores on the fine grid, far wings on the coarse one.

        The lines form in `layer` of atmosphere `row`, for which `populations` gave the `populations`. The turbulent
        velocity, in km/s, is added to the thermal one in quadrature.
        """
        temperature = float(layer.temperature[row])
        doppler = np.sqrt(1.6629e8 * temperature / self._mass + (turbulence * 1e5) ** 2)  # cm/s
        excitation = np.exp(-self._energy / (BOLTZMANN_EV * temperature))
        stimulated = -np.expm1(-HC_K / (self._wave * temperature))
        lower_level = populations[self._ion] * excitation * stimulated / layer.rosseland[row]
        centre = 0.026540 * self._gf * lower_level * self._wave * 1e-8 / (np.sqrt(np.pi) * doppler)
        rate = (
            self._radiative
            + self._stark * layer.electron_density[row]
            + self._van_der_waals * (temperature / 1e4) ** 0.3 * layer.nuclei_density[row]
        )
        damping = rate * self._wave * 1e-8 / (4.0 * np.pi * doppler)
        return self._add_up(centre, damping, doppler / self._pixel_velocity)

    def _add_up(
        self, centre: FloatArray, damping: FloatArray, width: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Sum the profiles near the cores on the fine grid, and the far wings on the coarse one."""
        relevant = np.flatnonzero(centre > _FAINTEST)
        centre, damping, width = centre[relevant], damping[relevant] / np.sqrt(np.pi), width[relevant]
        position = self._position[relevant]
        core_reach = width * np.sqrt(np.log(centre / _FAINTEST))
        reach = np.maximum(core_reach, width * np.sqrt(centre * damping / _FAINTEST))

        # exp(-v^2) plus, outside the core, damping / v^2; normalised for small damping
        fine, coarse = np.zeros(self._n_pixels), np.zeros(self._n_pixels // FINE)
        amplitude = centre / (1.0 + 2.0 * damping)
        for low, half in _windows(4, _NEAR):
            rows = np.flatnonzero((reach > low) & ((reach <= half) | (half == _NEAR)))
            middle = np.rint(position[rows]).astype(np.intp)
            if half == _NEAR:
                middle = middle // FINE * FINE + FINE // 2  # whole coarse pixels
            at = middle[:, None] + np.arange(-half - FINE // 2, half + FINE // 2)
            v2 = _square((at - position[rows, None]) / width[rows, None])
            core = np.exp(-v2)
            profile = core + damping[rows, None].astype(np.float32) * (1 - core) / v2
            _accumulate(fine, at, profile * amplitude[rows, None].astype(np.float32))
        for low, half in _windows(2 * _NEAR // FINE, _FAR):
            rows = np.flatnonzero(
                (reach > (_NEAR if low == 0 else low * FINE)) & ((reach <= half * FINE) | (half == _FAR))
            )
            middle = np.rint(position[rows]).astype(np.intp) // FINE
            offset = np.arange(-half, half + 1)
            at = middle[:, None] + offset[np.abs(offset) > _NEAR // FINE]
            v2 = _square((at * FINE + (FINE - 1) / 2 - position[rows, None]) / width[rows, None])
            wing = (damping * amplitude)[rows, None].astype(np.float32) / v2
            _accumulate(coarse, at, np.maximum(wing - wing[:, :1], 0))
        return fine, coarse


def _windows(first: int, last: int) -> list[tuple[int, int]]:
    """Return half-widths of windows, each twice the one before, with that of the next narrower window."""
    halves = [first]
    while halves[-1] < last:
        halves.append(min(2 * halves[-1], last))
    return list(zip([0, *halves[:-1]], halves, strict=True))


def _square(v: FloatArray) -> Float32Array:
    v = v.astype(np.float32)
    return np.maximum(v * v, np.float32(1e-6))


def _accumulate(total: FloatArray, at: IndexArray, values: Float32Array) -> None:
    inside = (at >= 0) & (at < len(total))
    total += np.bincount(at[inside], weights=values[inside], minlength=len(total))
