"""Spectra of stars of any temperature, gravity and metallicity, interpolated in a grid of synthetic spectra.

The grid is computed on demand, one temperature at a time, and kept in memory for the life of the process.
"""

from functools import cache

import numpy as np
from scipy.sparse import csr_array

from skspec.datasets._photosphere._synthesis import Synthesizer
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

TEFF = np.concatenate(
    [np.geomspace(2500.0, 5000.0, 11), np.geomspace(5500.0, 10000.0, 7), np.geomspace(13000.0, 46000.0, 5)]
)
LOGG = np.array([0.0, 1.5, 3.0, 4.0, 5.0])
FEH = np.array([-2.0, -0.6, 0.4])
_PER_TEFF = len(LOGG) * len(FEH)


@cache
def _synthesizer() -> Synthesizer:
    return Synthesizer()


@cache
def _spectra_of_temperature(index: int) -> Float32Array:
    """Compute the spectra of all gravities and metallicities at one temperature, shape (_PER_TEFF, N_PIXELS)."""
    teff = TEFF[index]
    logg, feh = (a.ravel() for a in np.meshgrid(LOGG, FEH, indexing="ij"))
    # gravity stays above the limit set by radiation pressure; the hottest stars have few metal lines
    logg = np.maximum(logg, 4.0 * np.log10(teff) - 15.1)
    feh = np.maximum(feh, -0.6) if teff > 1e4 else feh
    unique, back = np.unique(np.stack([logg, feh]), axis=1, return_inverse=True)
    return _synthesizer().spectra(np.full(unique.shape[1], teff), *unique)[back]


def _bracket(grid: FloatArray, value: FloatArray) -> tuple[IndexArray, FloatArray]:
    """Return the index of the node below `value`, and the weight of the node above."""
    value = np.clip(value, grid[0], grid[-1])
    lower = np.clip(np.searchsorted(grid, value, side="right") - 1, 0, len(grid) - 2)
    return lower, (value - grid[lower]) / (grid[lower + 1] - grid[lower])


class StarMixer:
    """Interpolate the flux of stars in the grid, linearly in log Teff (K), log g and [Fe/H], clipped to its range."""

    def __init__(self, teff: FloatArray, logg: FloatArray, feh: FloatArray) -> None:
        (temperature, t), (gravity, g), (metallicity, z) = (
            _bracket(np.log(TEFF), np.log(teff)),
            _bracket(LOGG, logg),
            _bracket(FEH, feh),
        )
        computed = np.unique([temperature, temperature + 1])
        first = np.searchsorted(computed, temperature) * _PER_TEFF + gravity * len(FEH) + metallicity
        nodes, shares = [], []
        for i, j, k in np.ndindex(2, 2, 2):
            nodes.append(first + i * _PER_TEFF + j * len(FEH) + k)
            shares.append((t if i else 1.0 - t) * (g if j else 1.0 - g) * (z if k else 1.0 - z))
        n = len(teff)
        self._spectra = np.concatenate([_spectra_of_temperature(int(index)) for index in computed])
        self._weights = csr_array(
            (
                np.stack(shares, axis=1).ravel().astype(np.float32),
                np.stack(nodes, axis=1).ravel(),
                np.arange(n + 1) * 8,
            ),
            shape=(n, len(self._spectra)),
        )

    def __call__(self, rows: IndexArray) -> Float32Array:
        """Return the surface flux per Å of some of the stars, shape (len(rows), N_PIXELS)."""
        return self._weights[rows] @ self._spectra


def star_spectra(teff: FloatArray, logg: FloatArray, feh: FloatArray) -> Float32Array:
    """Return the surface flux of stars in erg s-1 cm-2 Å-1, shape (n_stars, N_PIXELS)."""
    return StarMixer(teff, logg, feh)(np.arange(len(teff)))
