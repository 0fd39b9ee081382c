"""Rest wavelengths of spectral lines, in vacuum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.spectra import air_to_vacuum

Lines = str | Sequence[str] | Mapping[str, float | Sequence[float]]

# band heads in air, at the blue ends of bands: Pearse & Gaydon (1976, The Identification of Molecular Spectra)
_TIO_IN_AIR = np.array([4761.0, 4954.6, 5166.8, 5448.2, 5847.6, 6158.5, 6651.5, 7054.5])

# Å in vacuum: NIST Atomic Spectra Database; blends of quasars as in Vanden Berk et al. (2001, AJ 122, 549)
LINES: Mapping[str, Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "hydrogen": {
            "Hα": (6564.61,),
            "Hβ": (4862.68,),
            "Hγ": (4341.68,),
            "Hδ": (4102.89,),
            "Hε": (3971.20,),
            "H8": (3890.15,),
            "H9": (3836.47,),
        },
        "helium": {
            "He I": (4027.33, 4472.73, 4923.30, 5017.08, 5877.25, 6679.99, 7067.14),
            "He II": (4201.02, 4542.86, 4687.02, 5413.03),
        },
        "metals": {
            "Ca K": (3934.77,),
            "Ca H": (3969.59,),
            "Mg b": (5168.76, 5174.12, 5185.05),
            "Na D": (5891.58, 5897.56),
            "Ca II": (8500.35, 8544.44, 8664.52),
        },
        "TiO": {"TiO": tuple(air_to_vacuum(_TIO_IN_AIR).round(1).tolist())},
        "galaxies": {
            "[O II]": (3727.09, 3729.88),
            "[Ne III]": (3869.86,),
            "Hδ": (4102.89,),
            "Hγ": (4341.68,),
            "[O III]": (4364.44, 4960.30, 5008.24),
            "Hβ": (4862.68,),
            "[O I]": (6302.05,),
            "[N II]": (6549.85, 6585.27),
            "Hα": (6564.61,),
            "[S II]": (6718.29, 6732.67),
            "[S III]": (9071.10, 9533.20),
        },
        "quasars": {
            "Lyα": (1215.67,),
            "N V": (1240.81,),
            "Si IV": (1399.8,),
            "C IV": (1549.06,),
            "He II": (1640.42,),
            "C III]": (1908.73,),
            "Mg II": (2798.75,),
            "[Ne V]": (3426.84,),
            "[O II]": (3727.09, 3729.88),
            "Hγ": (4341.68,),
            "Hβ": (4862.68,),
            "[O III]": (4960.30, 5008.24),
            "Hα": (6564.61,),
        },
    }
)


def choose_lines(lines: Lines) -> dict[str, NDArray[np.float64]]:
    """Return the wavelengths of lines by name, from a mapping or the names of sets."""
    given: dict[str, Any] = {}
    if isinstance(lines, Mapping):
        given.update(lines)
    else:
        for name in [lines] if isinstance(lines, str) else lines:
            check_choice("lines", name, LINES)
            given.update(LINES[name])
    chosen = {name: np.atleast_1d(np.asarray(waves, dtype=np.float64)) for name, waves in given.items()}
    for name, waves in chosen.items():
        if not (waves > 0.0).all():
            raise ValueError(f"lines must be wavelengths in Å above 0, got {given[name]!r} for {name!r}")
    return chosen
