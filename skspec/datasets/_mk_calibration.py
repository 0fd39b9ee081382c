"""Effective temperature and gravity of MK spectral types.

Dwarfs: Pecaut & Mamajek (2013, ApJS 208, 9). Giants and supergiants: Straizys & Kuriliene (1981, Ap&SS 80, 353)
and Cox (2000), *Allen's Astrophysical Quantities*, 4th edition, tables 15.7 and 15.8; those of class M:
van Belle et al. (1999, AJ 117, 521) and Levesque et al. (2005, ApJ 628, 973).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPECTRAL_CLASSES = ("O", "B", "A", "F", "G", "K", "M")
LUMINOSITY_CLASSES = ("I", "II", "III", "IV", "V")

# spectral type: effective temperature (K), log g (cgs)
_DWARFS = {
    "O3": (44900, 3.9), "O5": (41400, 3.9), "O7": (37100, 3.9), "O9": (33300, 4.0), "B0": (31400, 4.0),
    "B1": (26000, 4.0), "B2": (20600, 4.0), "B3": (17000, 4.05), "B5": (15700, 4.1), "B8": (12500, 4.1),
    "B9": (10700, 4.1), "A0": (9700, 4.1), "A2": (8800, 4.2), "A5": (8080, 4.25), "A7": (7760, 4.25),
    "F0": (7220, 4.3), "F2": (6820, 4.3), "F5": (6550, 4.3), "F8": (6180, 4.35), "G0": (5930, 4.4),
    "G2": (5770, 4.44), "G5": (5660, 4.5), "G8": (5480, 4.5), "K0": (5270, 4.5), "K2": (5100, 4.55),
    "K3": (4830, 4.6), "K5": (4440, 4.65), "K7": (4100, 4.65), "M0": (3850, 4.7), "M1": (3660, 4.75),
    "M2": (3560, 4.8), "M3": (3430, 4.85), "M4": (3210, 4.95), "M5": (3060, 5.0), "M6": (2810, 5.1),
    "M8": (2570, 5.2),
}  # fmt: skip
_GIANTS = {
    "O3": (43500, 3.7), "O5": (39800, 3.6), "O9": (31500, 3.5), "B0": (29000, 3.4), "B2": (20000, 3.5),
    "B5": (15000, 3.5), "B8": (12400, 3.55), "A0": (10100, 3.6), "A5": (8100, 3.6), "F0": (7150, 3.6),
    "F5": (6470, 3.4), "G0": (5800, 3.0), "G5": (5150, 2.6), "G8": (4960, 2.5), "K0": (4810, 2.4),
    "K2": (4500, 2.1), "K3": (4320, 1.9), "K5": (3980, 1.6), "M0": (3850, 1.3), "M2": (3740, 1.0),
    "M4": (3560, 0.8), "M5": (3440, 0.6), "M6": (3300, 0.4), "M8": (2900, 0.0),
}  # fmt: skip
_SUPERGIANTS = {
    "O3": (42500, 3.6), "O5": (38500, 3.4), "O9": (31000, 3.2), "B0": (26000, 2.85), "B2": (18500, 2.6),
    "B5": (13600, 2.4), "B8": (11200, 2.2), "A0": (9980, 2.1), "A2": (9200, 2.05), "A5": (8500, 2.0),
    "F0": (7600, 1.75), "F2": (7150, 1.65), "F5": (6600, 1.45), "F8": (5950, 1.4), "G0": (5500, 1.35),
    "G5": (4930, 1.15), "G8": (4700, 1.05), "K0": (4550, 0.95), "K2": (4350, 0.8), "K5": (3900, 0.4),
    "M0": (3790, 0.2), "M2": (3660, 0.0), "M5": (3450, -0.2), "M8": (3000, -0.3),
}  # fmt: skip


def type_number(spectral_class: str, subtype: float) -> float:
    """Return the position on the MK sequence: O0 is 0, B0 is 10, ... M9 is 69."""
    return 10.0 * SPECTRAL_CLASSES.index(spectral_class) + subtype


def _columns(table: Mapping[str, tuple[float, float]]) -> tuple[NDArray[np.float64], ...]:
    numbers = np.array([type_number(name[0], float(name[1:])) for name in table])
    values = np.array(list(table.values()), dtype=np.float64)
    return numbers, np.log10(values[:, 0]), values[:, 1]


_TABLES = [_columns(table) for table in (_SUPERGIANTS, _GIANTS, _DWARFS)]


def physical_parameters(
    type_numbers: ArrayLike, luminosity: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return effective temperature (K) and log g (cgs) of MK types, both of shape (n,).

    log Teff and log g are interpolated linearly in `type_numbers` (see `type_number`). `luminosity` has indices into
    `LUMINOSITY_CLASSES`; classes II and IV are the means of their neighbours.
    """
    at = np.asarray(type_numbers, dtype=np.float64)
    columns = np.array([[np.interp(at, numbers, column) for column in rest] for numbers, *rest in _TABLES])
    position = np.asarray(luminosity) / 2.0  # 0 supergiant, 1 giant, 2 dwarf
    lower = np.minimum(position.astype(np.intp), 1)
    rows = np.arange(len(at))
    share = (position - lower)[:, None]
    mixed = columns[lower, :, rows] * (1.0 - share) + columns[lower + 1, :, rows] * share
    return 10.0 ** mixed[:, 0], mixed[:, 1]
