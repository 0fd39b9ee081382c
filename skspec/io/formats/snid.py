"""SNID supernova templates ``.lnw``: all epochs of one object on one logarithmic grid.

A header line (epochs, pixels, wavelength range, knots, name, Δm15, type and its codes) is followed by the knots of the
divided-out continuum, the phases in days, and one row per pixel. The spectra are in the rest frame. Zeros outside the
observed range become missing (NaN).
Blondin & Tonry 2007 (ApJ 666, 1024).
"""

from __future__ import annotations

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._registry import register_format
from skspec.io._source import Source

_CLASSES = {1: "Ia", 2: "Ib", 3: "Ic", 4: "II", 5: "NotSN"}
_WORDS = 10  # on the header line


def _identify(source: Source) -> bool:
    if not source.is_text or len(source.lines) < 3:
        return False
    words, knots = source.lines[0].split(), source.lines[1].split()
    return (
        len(words) == _WORDS
        and all(words[i].isdigit() for i in (0, 1, 4, 8, 9))
        and len(knots) == 1 + 2 * int(words[0])
        and knots[0] == words[4]
    )


def _read(source: Source) -> FileSpectra:
    lines = source.text.splitlines()
    words = lines[0].split()
    n_epochs, n_pixels, n_knots = int(words[0]), int(words[1]), int(words[4])
    low, high = float(words[2]), float(words[3])
    first = 2 + n_knots
    phases = [float(word) for word in lines[first].split()[1:]]
    rows = lines[first + 1 : first + 1 + n_pixels]
    table = np.array(" ".join(rows).split(), dtype=np.float64)
    if len(phases) != n_epochs or table.size != n_pixels * (n_epochs + 1):
        raise ValueError(f"the header states {n_pixels} rows of {n_epochs} epochs, the file may be truncated")
    table = table.reshape(n_pixels, n_epochs + 1)
    wave = low * (high / low) ** ((np.arange(n_pixels) + 0.5) / n_pixels)
    # Files have them in single precision with two decimals.
    if np.abs(table[:, 0] / wave - 1).max() > 1e-5:
        raise ValueError(f"the wavelengths are not {n_pixels} logarithmic bins from {low:g} to {high:g}")
    flux = table[:, 1:].T.copy()
    nonzero = flux != 0
    after, before = (np.logical_or.accumulate(a, axis=1) for a in (nonzero, nonzero[:, ::-1]))
    flux[~(after & before[:, ::-1])] = np.nan
    return FileSpectra(
        flux,
        wave,
        medium=None,
        meta={
            "survey": "SNID",
            "object": words[5],
            "class": _CLASSES.get(int(words[8])),
            "subclass": words[7],
            "phase": phases,
        },
    )


register_format(
    "snid", description="SNID supernova template .lnw, all epochs", identify=_identify, read=_read
)
