"""BOSS and eBOSS spectra with 13 classes in one HDF5 file, ``dataset788539_433t_13c.h5`` (needs h5py).

Dataset ``fluxes`` has shape (n_spectra, 433), and ``classes`` (n_spectra, 13), one-hot encoded; both are float32. Each
spectrum was divided by its maximum, interpolated to evenly spaced log10 wavelengths from 3.56 to 4.01, with zeros outside
its range, and resampled to 433 pixels by Fourier transform, which drops the last point: the spacing is 0.45 / 433 times
n / (n - 1) for a spectrum of n pixels. The file does not state n. Here n = 4600, which holds for BOSS spectra to within a
few per cent, an error of a hundredth of a pixel. Wavelengths are vacuum, as observed.

Class C contains carbon stars and twenty times as many cataclysmic variables.
https://github.com/ManuelSolimano/mqc-nets
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._unpack import hdf5_dataset

CLASSES = ("QSO", "BAL", "O", "B", "A", "F", "G", "K", "M", "L", "WD", "C", "GAL")
N_PIXELS = 433
_N_NATIVE = 4600
_STEP = 0.45 * _N_NATIVE / ((_N_NATIVE - 1) * N_PIXELS)
_WAVE = np.power(10.0, 3.56 + _STEP * np.arange(N_PIXELS))
_CHUNK = 65536  # rows


def _identify(source: Source) -> bool:
    return source.head.startswith(b"\x89HDF\r\n\x1a\n")


def _read(source: Source) -> FileSpectra:
    with source.optional("h5py", "hdf5").File(source.reopen(), "r") as file:
        if not {"fluxes", "classes"} <= file.keys():
            raise ValueError(
                f"HDF5 with datasets fluxes and classes is needed, it has {', '.join(file) or 'none'}"
            )
        fluxes, classes = (hdf5_dataset(file, name, source) for name in ("fluxes", "classes"))
        n = len(fluxes)
        if fluxes.shape != (n, N_PIXELS):
            raise ValueError(f"fluxes has shape {fluxes.shape}; (n_spectra, {N_PIXELS}) is needed")
        if classes.shape != (n, len(CLASSES)):
            raise ValueError(
                f"classes has shape {classes.shape}; {(n, len(CLASSES))} is needed (earlier versions with fewer classes "
                "have other wavelengths)"
            )
        flux = np.empty((n, N_PIXELS), dtype=np.float32)
        code = np.empty(n, dtype=np.int8)
        for start in range(0, n, _CHUNK):
            rows = slice(start, min(start + _CHUNK, n))
            fluxes.read_direct(flux, rows, rows)
            code[rows] = _codes(classes[rows], start)
    return FileSpectra(flux, _WAVE, meta={"survey": "BOSS", "class": np.array(CLASSES)[code].tolist()})


def _codes(truth: NDArray[Any], start: int) -> NDArray[np.intp]:
    """Return the column of the one in each row; `start` is the number of the first row."""
    wrong = np.flatnonzero((np.count_nonzero(truth, axis=1) != 1) | (truth.max(axis=1) != 1))
    if wrong.size:
        raise ValueError(
            f"classes must have one 1 in each row, and 0 elsewhere; row {start + wrong[0]} has {truth[wrong[0]].tolist()}"
        )
    return truth.argmax(axis=1)


register_format(
    "boss-hdf5",
    description="BOSS and eBOSS, 13 classes on 433 pixels in one HDF5 file (needs h5py)",
    identify=_identify,
    read=_read,
)
