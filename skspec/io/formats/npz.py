"""NumPy ``.npz`` archives: arrays ``wave`` (or ``loglam``), ``flux``, and perhaps ``ivar`` or ``error``.

Flux has shape (n_spectra, n_pixels), wavelengths (n_pixels,) or the shape of the flux. Arrays of one value a
spectrum go to ``meta``; others, such as masks, are not taken. A string ``medium`` ("air" or "vacuum") says what the
wavelengths are. Pickled objects are refused.
"""

from __future__ import annotations

import struct

import numpy as np

from skspec.io._file_spectra import FileSpectra, one_a_row
from skspec.io._names import find_roles
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import ERRORS, catalogue, pick_ivar
from skspec.io._wave import to_angstrom


def _identify(source: Source) -> bool:
    if not source.head.startswith(b"PK\x03\x04"):
        return False
    (length,) = struct.unpack("<H", source.head[26:28])
    return source.head[30 : 30 + length].endswith(b".npy")


def _read(source: Source) -> list[FileSpectra]:
    with np.load(source.reopen(), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    roles = find_roles(arrays)
    names = list(arrays)
    wave_role = roles.get("loglam") or roles.get("wave")
    if wave_role is None or "flux" not in roles:
        raise ValueError(f"arrays wave (or loglam) and flux are needed, it has {', '.join(names)}")
    flux = arrays[names[roles["flux"][0]]]
    flux = flux.reshape(-1, flux.shape[-1])
    used = [names[wave_role[0]], names[roles["flux"][0]]]
    errors = {}
    for kind in ERRORS:
        if kind in roles and arrays[names[roles[kind][0]]].size == flux.size:
            used.append(names[roles[kind][0]])
            errors[kind] = arrays[used[-1]].reshape(flux.shape)
    medium = str(arrays.pop("medium")) if "medium" in arrays else wave_role[1].medium
    if medium not in (None, "air", "vacuum"):
        raise ValueError(f"medium is {medium!r}; 'air' or 'vacuum' is needed")
    wave = arrays[used[0]]
    ivar = pick_ivar(errors)
    meta = catalogue({name: np.atleast_1d(values) for name, values in arrays.items()}, len(flux), skip=used)
    unit = wave_role[1].unit or source.wave_unit
    if wave.ndim == 1:
        return [FileSpectra(flux, to_angstrom(wave, unit), ivar, medium, meta)]
    return one_a_row(flux, [to_angstrom(grid, unit) for grid in wave], ivar, medium, meta)


register_format(
    "npz",
    description="NumPy archive with wave or loglam, flux, ivar",
    identify=_identify,
    read=_read,
    priority=0,
)
