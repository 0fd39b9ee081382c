"""`Spectra` and all code that depends on its layout: arrays, wavelength grids, catalogue tables, blocks of rows.

`inputs` checks the X of estimators, `transformer` is the base class of transformers that process each spectrum by itself,
`columns` cleans catalogue columns, `sky` groups spectra of the same object, and `figure` has the colours and axes of all
plots.
"""

from skspec.spectra._arrays import Pixels, as_wave, check_pixels, snr, valid
from skspec.spectra._blocks import Block, blocks, map_blocks
from skspec.spectra._catalogue import is_frame, table_from_pandas
from skspec.spectra._grid import describe_grid, same_grid
from skspec.spectra._lattice import Lattice
from skspec.spectra._plot import plot_spectra
from skspec.spectra._spectra import Spectra, join_checked
from skspec.spectra._wavelength import (
    air_to_vacuum,
    doubtful_angstrom,
    outer_edges,
    pixel_edges,
    vacuum_to_air,
)

__all__ = [
    "Block",
    "Lattice",
    "Pixels",
    "Spectra",
    "air_to_vacuum",
    "as_wave",
    "blocks",
    "check_pixels",
    "describe_grid",
    "doubtful_angstrom",
    "is_frame",
    "join_checked",
    "map_blocks",
    "outer_edges",
    "pixel_edges",
    "plot_spectra",
    "same_grid",
    "snr",
    "table_from_pandas",
    "vacuum_to_air",
    "valid",
]
