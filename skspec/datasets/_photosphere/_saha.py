"""Ionisation and dissociation equilibrium (Saha's equation).

Pressures are in dyn cm-2, temperatures in K. Gray (2005), *The Observation and Analysis of Stellar Photospheres*, 3rd
edition, chapters 1 and 8; molecules: Tatum (1966, Publ. Dominion Astrophys. Obs. 13, 1).
"""

from dataclasses import dataclass

import numpy as np

from skspec.datasets._constants import BOLTZMANN_EV, HC_K
from skspec.datasets._photosphere._elements import ELEMENTS, abundance, partition_function
from skspec.datasets._types import FloatArray, FloatLike

_SAHA = 0.66667  # 2 (2 pi m_e)^(3/2) k^(5/2) / h^3 in cgs, Gray (2005) eq. 1.21


def saha(temperature: FloatLike, energy: float, u_upper: FloatLike, u_lower: FloatLike) -> FloatArray:
    """Return (n_upper / n_lower) P_e of two neighbouring stages of ionisation, in dyn cm-2.

    `energy` is the ionisation energy of the lower stage in eV; `u_upper` and `u_lower` are partition functions.
    """
    temperature = np.asarray(temperature, dtype=np.float64)
    return _SAHA * u_upper / u_lower * temperature**2.5 * np.exp(-energy / (BOLTZMANN_EV * temperature))


def ion_fractions(symbol: str, temperature: FloatLike, electron_pressure: FloatLike) -> FloatArray:
    """Return the fraction of an element's atoms in each stage of ionisation; the stages are the last axis."""
    temperature, electron_pressure = np.broadcast_arrays(
        np.asarray(temperature, dtype=np.float64), np.asarray(electron_pressure, dtype=np.float64)
    )
    element = ELEMENTS[symbol]
    relative = [np.ones_like(temperature)]
    for stage, energy in enumerate(element.ionisation):
        u_lower = partition_function(symbol, stage, temperature)
        u_upper = partition_function(symbol, stage + 1, temperature)
        relative.append(relative[-1] * saha(temperature, energy, u_upper, u_lower) / electron_pressure)
    numbers = np.stack(relative, axis=-1)
    return numbers / numbers.sum(axis=-1, keepdims=True)


def electrons_per_hydrogen(
    temperature: FloatArray, electron_pressure: FloatArray, feh: FloatLike
) -> FloatArray:
    """Return the free electrons from all elements per hydrogen nucleus."""
    total = np.zeros(np.broadcast_shapes(np.shape(temperature), np.shape(electron_pressure), np.shape(feh)))
    for symbol, element in ELEMENTS.items():
        if element.abundance < 4.9:
            continue  # negligible
        fractions = ion_fractions(symbol, temperature, electron_pressure)
        total = total + abundance(symbol, feh) * (fractions @ np.arange(fractions.shape[-1]))
    return total


def nuclei_per_hydrogen(feh: FloatLike) -> FloatArray:
    """Return the number of atoms of all elements per hydrogen atom."""
    return np.sum([abundance(symbol, feh) for symbol in ELEMENTS], axis=0)


def mass_per_hydrogen(feh: FloatLike) -> FloatArray:
    """Return the mass of the gas per hydrogen atom in u."""
    return np.sum([abundance(symbol, feh) * element.mass for symbol, element in ELEMENTS.items()], axis=0)


@dataclass(frozen=True)
class Molecule:
    """A diatomic molecule: dissociation energy (eV), vibration and rotation constants (cm-1).

    `weight` is the statistical weight of the electronic ground state (with Lambda doubling) over the symmetry number.
    Huber & Herzberg (1979), *Constants of Diatomic Molecules*.
    """

    atoms: tuple[str, str]
    dissociation: float
    vibration: float
    rotation: float
    weight: float

    def partition_function(self, temperature: FloatArray) -> FloatArray:
        """Return that of a rigid rotator and harmonic oscillator in the electronic ground state."""
        hc_k = HC_K / 1e8  # cm K
        rotation = temperature / (hc_k * self.rotation)
        return self.weight * rotation / -np.expm1(-hc_k * self.vibration / temperature)

    def equilibrium(self, temperature: FloatArray) -> FloatArray:
        """Return P_A P_B / P_AB in dyn cm-2."""
        a, b = (ELEMENTS[symbol].mass for symbol in self.atoms)
        reduced = a * b / (a + b)
        u_atoms = np.prod([partition_function(symbol, 0, temperature) for symbol in self.atoms], axis=0)
        # (2 pi u k / h^2)^(3/2) k in cgs: the same translation factor as in Saha's equation
        translation = 0.33333 * (reduced * 1822.89) ** 1.5 * temperature**2.5
        return (
            translation
            * u_atoms
            / self.partition_function(temperature)
            * np.exp(-self.dissociation / (BOLTZMANN_EV * temperature))
        )


MOLECULES: dict[str, Molecule] = {
    "H2": Molecule(("H", "H"), 4.478, 4401.2, 60.85, 0.5),
    "CO": Molecule(("C", "O"), 11.092, 2169.8, 1.931, 1.0),
    "CH": Molecule(("C", "H"), 3.465, 2858.5, 14.457, 4.0),
    "CN": Molecule(("C", "N"), 7.72, 2068.6, 1.900, 2.0),
    "MgH": Molecule(("Mg", "H"), 1.285, 1495.2, 5.826, 2.0),
    "CaH": Molecule(("Ca", "H"), 1.70, 1298.3, 4.277, 2.0),
    "TiO": Molecule(("Ti", "O"), 6.87, 1009.0, 0.5354, 6.0),
    "VO": Molecule(("V", "O"), 6.41, 1011.3, 0.5482, 4.0),
}


def molecules_per_hydrogen(
    temperature: FloatArray,
    electron_pressure: FloatArray,
    nuclei_pressure: FloatArray,
    feh: FloatLike,
) -> dict[str, FloatArray]:
    """Return the number of molecules of `MOLECULES`, and of H2O, per hydrogen nucleus.

    H2 forms first, then CO, then H2O from the remaining oxygen; the other molecules form from the remaining atoms.
    `nuclei_pressure` is the pressure that all nuclei would have if none were bound in molecules.
    """
    hydrogen = nuclei_pressure / nuclei_per_hydrogen(feh)

    def neutral(symbol: str) -> FloatArray:
        return (
            ion_fractions(symbol, temperature, electron_pressure)[..., 0] * abundance(symbol, feh) * hydrogen
        )

    total = {symbol: neutral(symbol) for symbol in ("H", "C", "N", "O", "Mg", "Ca", "Ti", "V")}
    free = dict(total)
    k_h2 = MOLECULES["H2"].equilibrium(temperature)
    # p + 2 p^2 / K = p_total, in a form that is accurate for large K
    free["H"] = 2.0 * total["H"] / (1.0 + np.sqrt(1.0 + 8.0 * total["H"] / k_h2))
    k_co = MOLECULES["CO"].equilibrium(temperature)
    excess = total["C"] - total["O"] - k_co
    root = np.sqrt(excess**2 + 4.0 * k_co * total["C"])
    free["C"] = np.where(excess > 0, 0.5 * (excess + root), 2.0 * k_co * total["C"] / (root - excess))
    carbon_monoxide = total["C"] - free["C"]
    # P_H^2 P_O / P_H2O from its Gibbs energy of atomisation near 3000 K (JANAF tables)
    wet = free["H"] ** 2 / 10.0 ** (25.0 - 50600.0 / temperature)
    free["O"] = (total["O"] - carbon_monoxide) / (1.0 + wet)
    numbers: dict[str, FloatArray] = {
        "H2": free["H"] ** 2 / k_h2 / hydrogen,
        "CO": carbon_monoxide / hydrogen,
        "H2O": free["O"] * wet / hydrogen,
    }
    for name, molecule in MOLECULES.items():
        if name not in numbers:
            metal, partner = molecule.atoms
            bound = free[partner] / molecule.equilibrium(temperature)
            numbers[name] = free[metal] / hydrogen * bound / (1.0 + bound)
    return numbers
