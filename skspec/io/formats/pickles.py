"""Pickles (1998) stellar flux library: fixed-width text.

Columns are wavelength (F7.1), flux, its scatter and the component spectra (F10.6 each), without space between columns
where a flux has three digits. Wavelengths are air above 2000 Å. The scatter is the spread between the components (0 for
a single one) and not a measurement error, so ``ivar`` is None.
Pickles 1998 (PASP 110, 863), CDS catalogue J/PASP/110/863.
"""

from __future__ import annotations

import numpy as np

from skspec.io._file_spectra import FileSpectra
from skspec.io._registry import register_format
from skspec.io._source import Source

_WAVE, _FLUX = 7, 10  # widths of the columns


def _is_row(line: str) -> bool:
    columns, rest = divmod(len(line) - _WAVE, _FLUX)
    if rest or columns < 2 or line[_WAVE - 2] != ".":
        return False
    return all(line[_WAVE + i * _FLUX + 3] == "." for i in range(columns))


def _identify(source: Source) -> bool:
    rows = source.lines[:3] if source.is_text else []
    return len(rows) == 3 and all(map(_is_row, rows))


def _read(source: Source) -> FileSpectra:
    rows = [line for line in source.text.splitlines() if line.strip()]
    if not all(map(_is_row, rows)):
        number = next(i for i, line in enumerate(rows, start=1) if not _is_row(line))
        raise ValueError(f"line {number} is not in columns of F7.1 and F10.6")
    wave = np.array([row[:_WAVE] for row in rows], dtype=np.float64)
    flux = np.array([row[_WAVE : _WAVE + _FLUX] for row in rows], dtype=np.float64)
    return FileSpectra(flux, wave, medium="air", meta={"survey": "Pickles"})


register_format(
    "pickles", description="Pickles (1998) library, fixed-width text", identify=_identify, read=_read
)
