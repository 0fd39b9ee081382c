"""NumPy ``.npz`` archives: arrays ``wave`` (or ``loglam``), ``flux``, and optionally ``ivar`` or ``error``.

Flux has shape (n_spectra, n_pixels), wavelengths (n_pixels,) or the shape of the flux. Arrays with one value per spectrum
go to ``meta``, masks of pixels are applied, and others are ignored. A string ``medium`` is "air" or "vacuum". Pickled
objects raise an error.
"""

from __future__ import annotations

import struct

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._names import find_roles
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import SpectrumTable
from skspec.io._unpack import read_npz


def _identify(source: Source) -> bool:
    if not source.head.startswith(b"PK\x03\x04"):
        return False
    (length,) = struct.unpack("<H", source.head[26:28])
    return source.head[30 : 30 + length].endswith(b".npy")


def _read(source: Source) -> list[FileSpectra]:
    arrays = {name: np.atleast_1d(array) for name, array in read_npz(source).items()}
    medium = str(arrays.pop("medium")[0]) if "medium" in arrays else None
    if medium not in (None, "air", "vacuum"):
        raise ValueError(f"medium is {medium!r}; 'air' or 'vacuum' is needed")
    roles = find_roles(arrays)
    if "flux" in roles:  # one spectrum, or more axes than two
        shape = list(arrays.values())[roles["flux"][0]].shape
        if not all(shape):
            raise ValueError(f"the flux has shape {shape}, so there are no rows of pixels")
        arrays = {n: a.reshape(-1, shape[-1]) if a.shape == shape else a for n, a in arrays.items()}
    return SpectrumTable(arrays, source, medium=medium, gaps=False).spectra()


register_format(
    "npz",
    description="NumPy archive with wave or loglam, flux, ivar",
    identify=_identify,
    read=_read,
    priority=0,
)
