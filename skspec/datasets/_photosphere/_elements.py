"""The chemical elements of the photosphere: abundance, mass, ionisation energies, partition functions.

Solar abundances: Asplund, Grevesse, Sauval & Scott (2009, ARA&A 47, 481). Ionisation energies: NIST Atomic Spectra
Database. Partition functions at two temperatures: Cox (2000), *Allen's Astrophysical Quantities*, 4th edition, table
3.3; later stages have the statistical weight of their ground term.
"""

from dataclasses import dataclass

import numpy as np

from skspec.datasets._types import FloatArray, FloatLike

_ALPHA = frozenset({"O", "Ne", "Mg", "Si", "S", "Ca", "Ti"})


@dataclass(frozen=True)
class Element:
    """A chemical element."""

    number: int  # atomic number
    mass: float  # in u
    abundance: float  # log10 of the solar number abundance, on the scale where hydrogen is 12
    ionisation: tuple[float, ...]  # energies in eV to remove the first, second, ... electron
    log_u: tuple[
        tuple[float, float], ...
    ]  # log10 of each stage's partition function at 5040 K / T = 1.0 and 0.5


def _element(
    number: int,
    mass: float,
    abundance: float,
    ionisation: tuple[float, ...],
    *log_u: tuple[float, float] | float,
) -> Element:
    """Make an element; bare numbers in `log_u` are statistical weights that do not depend on temperature."""
    pairs = tuple(u if isinstance(u, tuple) else (float(np.log10(u)),) * 2 for u in log_u)
    return Element(number, mass, abundance, ionisation, pairs)


ELEMENTS: dict[str, Element] = {
    "H": _element(1, 1.008, 12.00, (13.598,), 2, 1),
    "He": _element(2, 4.003, 10.93, (24.587, 54.418), 1, 2, 1),
    "C": _element(6, 12.011, 8.43, (11.260, 24.383, 47.888), (0.97, 1.00), (0.78, 0.78), 1, 2),
    "N": _element(7, 14.007, 7.83, (14.534, 29.601, 47.445), (0.61, 0.66), (0.95, 0.97), 6, 1),
    "O": _element(8, 15.999, 8.69, (13.618, 35.121, 54.936), (0.94, 0.97), (0.60, 0.61), 9, 6),
    "Ne": _element(10, 20.180, 7.93, (21.565, 40.963), 1, (0.73, 0.75), 9),
    "Na": _element(11, 22.990, 6.24, (5.139, 47.286), (0.31, 0.60), 1, 6),
    "Mg": _element(12, 24.305, 7.60, (7.646, 15.035), (0.01, 0.15), (0.31, 0.31), 1),
    "Al": _element(13, 26.982, 6.45, (5.986, 18.829, 28.448), (0.77, 0.81), (0.00, 0.01), 2, 1),
    "Si": _element(14, 28.086, 7.51, (8.152, 16.346, 33.493), (0.98, 1.04), (0.76, 0.77), 1, 2),
    "S": _element(16, 32.06, 7.12, (10.360, 23.338), (0.91, 0.94), (0.62, 0.72), 9),
    "K": _element(19, 39.098, 5.03, (4.341, 31.625), (0.34, 0.60), 1, 6),
    "Ca": _element(20, 40.078, 6.34, (6.113, 11.872), (0.07, 0.55), (0.34, 0.54), 1),
    "Sc": _element(21, 44.956, 3.15, (6.562, 12.800), (1.08, 1.49), (1.36, 1.52), 10),
    "Ti": _element(22, 47.867, 4.95, (6.828, 13.576), (1.48, 1.88), (1.75, 1.92), 21),
    "V": _element(23, 50.942, 3.93, (6.746, 14.634), (1.62, 2.03), (1.64, 1.89), 28),
    "Cr": _element(24, 51.996, 5.64, (6.767, 16.486), (1.02, 1.51), (0.86, 1.22), 25),
    "Mn": _element(25, 54.938, 5.43, (7.434, 15.640), (0.81, 1.16), (0.89, 1.13), 6),
    "Fe": _element(26, 55.845, 7.50, (7.902, 16.199), (1.43, 1.74), (1.63, 1.80), 25),
    "Co": _element(27, 58.933, 4.99, (7.881, 17.084), (1.52, 1.76), (1.46, 1.66), 28),
    "Ni": _element(28, 58.693, 6.22, (7.640, 18.169), (1.47, 1.60), (1.02, 1.28), 21),
    "Sr": _element(38, 87.62, 2.87, (5.695, 11.030), (0.10, 0.70), (0.34, 0.53), 1),
    "Y": _element(39, 88.906, 2.21, (6.217, 12.224), (1.08, 1.50), (1.18, 1.41), 10),
    "Zr": _element(40, 91.224, 2.58, (6.634, 13.13), (1.53, 1.99), (1.66, 1.91), 21),
    "Ba": _element(56, 137.327, 2.18, (5.212, 10.004), (0.36, 0.92), (0.62, 0.85), 1),
}


def abundance(symbol: str, feh: FloatLike) -> FloatArray:
    """Return the number of atoms of an element per hydrogen atom at metallicity [Fe/H].

    Metals scale with iron; alpha elements are enhanced by up to 0.4 dex in metal-poor stars, as in the Galactic halo
    (Wheeler, Sneden & Truran 1989, ARA&A 27, 279).
    """
    feh = np.asarray(feh, dtype=np.float64)
    if symbol in {"H", "He"}:
        scale = np.zeros_like(feh)
    else:
        scale = feh + (np.clip(-0.4 * feh, 0.0, 0.4) if symbol in _ALPHA else 0.0)
    return 10.0 ** (ELEMENTS[symbol].abundance - 12.0 + scale)


def partition_function(symbol: str, stage: int, temperature: FloatLike) -> FloatArray:
    """Return the partition function of an ion; `stage` 0 is the neutral atom.

    log U is linear in theta = 5040 K / T through the two tabulated values, and constant outside 0.4 < theta < 1.4.
    """
    cool, hot = ELEMENTS[symbol].log_u[stage]
    theta = np.clip(5040.0 / np.asarray(temperature, dtype=np.float64), 0.4, 1.4)
    return 10.0 ** np.maximum(cool + (hot - cool) * (1.0 - theta) / 0.5, 0.0)
