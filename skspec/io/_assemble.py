"""Join the spectra and catalogue values of many files to one `Spectra`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.spectra import Pixels, Spectra, air_to_vacuum, join_checked

_FIRST = ("file", "survey", "object", "class", "subclass", "z", "ra", "dec", "snr")


def assemble(items: Sequence[FileSpectra], files: Sequence[str]) -> tuple[Spectra, NDArray[np.intp]]:
    """Join checked spectra to `Spectra` with vacuum wavelengths, and return the index in `items` of each spectrum."""
    lengths = [len(item) for item in items]
    spectra = join_checked(_pixels(items, files), meta=_meta(items, files, lengths))
    return spectra, np.repeat(np.arange(len(items)), lengths)


def _pixels(items: Sequence[FileSpectra], files: Sequence[str]) -> list[Pixels]:
    """Return the arrays of each item; without ivar if only some have it."""
    grids = _vacuum_grids(items)
    without = [file for item, file in zip(items, files, strict=True) if item.ivar is None]
    if len(without) in (0, len(items)):
        return [Pixels(item.flux, grid, item.ivar) for item, grid in zip(items, grids, strict=True)]
    warnings.warn(
        f"{len(without)} of {len(items)} files give no errors (the first is {without[0]}), so ivar is None for all; "
        "missing pixels of the others are NaN in flux",
        stacklevel=4,
    )
    nan = np.float32(np.nan)
    flux = [item.flux if item.ivar is None else np.where(item.ivar > 0, item.flux, nan) for item in items]
    return [Pixels(rows, grid, None) for rows, grid in zip(flux, grids, strict=True)]


def _vacuum_grids(items: Sequence[FileSpectra]) -> list[NDArray[np.float64]]:
    """Return the vacuum wavelengths of each item; equal grids are converted once and become one array."""
    known: dict[tuple[Any, ...], list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    by_identity: dict[tuple[int, bool], NDArray[np.float64]] = {}
    grids = []
    for item in items:
        wave, air = item.wave, item.medium == "air"
        grid = by_identity.get((id(wave), air))
        if grid is None:
            same = known.setdefault((wave.size, wave[0], wave[-1], air), [])
            grid = next((vacuum for native, vacuum in same if np.array_equal(native, wave)), None)
            if grid is None:
                grid = air_to_vacuum(wave) if air else wave.copy()
                same.append((wave, grid))
            by_identity[id(wave), air] = grid
        grids.append(grid)
    return grids


def _meta(items: Sequence[FileSpectra], files: Sequence[str], lengths: Sequence[int]) -> Table:
    names = dict.fromkeys(_FIRST)
    for item in items:
        names.update(dict.fromkeys(item.meta))
    names["native_medium"] = None
    given = {
        "file": [[file] * n for file, n in zip(files, lengths, strict=True)],
        "native_medium": [[item.medium or ""] * n for item, n in zip(items, lengths, strict=True)],
    }
    columns = []
    for name in names:
        parts = given.get(name) or [
            item.meta.get(name) or [None] * n for item, n in zip(items, lengths, strict=True)
        ]
        values = _one_shape(name, list(chain.from_iterable(parts)), files, lengths)
        if (column := _column(name, values)) is not None:
            columns.append(column)
    return Table(columns, copy=False)


def _one_shape(name: str, values: list[Any], files: Sequence[str], lengths: Sequence[int]) -> list[Any]:
    """Catalogue values without those of another shape, or of another kind within arrays, than most have."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return values
    kinds = [None if value is None else _kind(value) for value in values]
    usual = Counter(kind for kind in kinds if kind is not None).most_common(1)[0][0]
    odd = [kind not in (None, usual) for kind in kinds]
    if any(odd):
        file = np.repeat(np.asarray(files, dtype=object), lengths)[odd.index(True)]
        warnings.warn(
            f"{name} has another shape in {sum(odd)} of {len(values)} spectra (the first is in {file}), where it is "
            "missing now",
            stacklevel=5,
        )
    return [None if gone else value for gone, value in zip(odd, values, strict=True)]


def _kind(value: Any) -> tuple[Any, ...]:
    """Shape of a catalogue value and whether its elements are text; both are () and False for one number."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.kind == "U"
    return (), False


def _column(name: str, values: list[Any]) -> Column | None:
    """Return a column with ``""`` (text) or masked values (numbers) where values are missing; None if all are."""
    missing = [
        value is None or (not isinstance(value, np.ndarray) and value != value)  # noqa: PLR0124
        for value in values
    ]
    if all(missing):
        return None
    present = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if any(isinstance(value, str) for value in present) or not _fit_64_bits(present):
        return Column(
            ["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], name=name
        )
    # NumPy takes integers of which some need 64 bits without sign for floating-point numbers.
    large = all(type(value) is int for value in present) and max(present) >= 1 << 63
    dtype = np.uint64 if large else None
    if not any(missing):
        return Column(values, name=name, dtype=dtype)
    filler = np.zeros_like(present[0]) if isinstance(present[0], np.ndarray) else type(present[0])(0)
    filled = [filler if gone else value for value, gone in zip(values, missing, strict=True)]
    mask = np.array(missing)
    if isinstance(filler, np.ndarray):
        mask = np.broadcast_to(mask.reshape(-1, *[1] * filler.ndim), (len(filled), *filler.shape))
    return MaskedColumn(filled, name=name, mask=mask, dtype=dtype)


def _fit_64_bits(values: list[Any]) -> bool:
    """Return whether the integers among values fit one type of 64 bits."""
    numbers = [value for value in values if isinstance(value, int)]
    least, most = min(numbers, default=0), max(numbers, default=0)
    return least >= -(1 << 63) and most < (1 << 63 if least < 0 else 1 << 64)
