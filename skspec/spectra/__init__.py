"""`Spectra`, and what knows their insides: pixels, wavelengths, rows and blocks of rows.

This room imports no other, but for the checks that every room shares. `inputs` says what estimators take as X, `sky`
groups spectra of the same object, and `figure` is what all pictures share.
"""

from skspec.spectra._arrays import as_wave, snr, valid
from skspec.spectra._blocks import Block, blocks, map_blocks
from skspec.spectra._grid import describe_grid, same_grid
from skspec.spectra._lattice import Lattice, find_lattice
from skspec.spectra._plot import plot_spectra
from skspec.spectra._spectra import Spectra
from skspec.spectra._wavelength import air_to_vacuum, outer_edges, pixel_edges, vacuum_to_air

__all__ = [
    "Block",
    "Lattice",
    "Spectra",
    "air_to_vacuum",
    "as_wave",
    "blocks",
    "describe_grid",
    "find_lattice",
    "map_blocks",
    "outer_edges",
    "pixel_edges",
    "plot_spectra",
    "same_grid",
    "snr",
    "vacuum_to_air",
    "valid",
]
