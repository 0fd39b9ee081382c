"""From the blocks of many files to one `Spectra`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from skspec.io._block import Block, column_list
from skspec.spectra import Spectra, air_to_vacuum

_FIRST = ("file", "survey", "object", "class", "subclass", "z", "ra", "dec", "snr")


def assemble(blocks: Sequence[Block], files: Sequence[str]) -> tuple[Spectra, NDArray[np.intp]]:
    """Join validated blocks to `Spectra` with vacuum wavelengths.

    Parameters
    ----------
    blocks : sequence of Block
        At least one.
    files : sequence of str
        File of each block.

    Returns
    -------
    spectra : Spectra
    block_of : ndarray of shape (n_spectra,)
        Number of the block from which each spectrum comes.
    """
    lengths = [len(block) for block in blocks]
    grids = _vacuum_grids(blocks)
    flux, ivar = _flux_ivar(blocks, files)
    common = all(grid is grids[0] for grid in grids)
    spectra = Spectra(
        _stacked(flux) if common else [row for rows in flux for row in rows],
        wave=grids[0] if common else [g for g, n in zip(grids, lengths, strict=True) for _ in range(n)],
        ivar=None if ivar is None else _stacked(ivar) if common else [row for rows in ivar for row in rows],
        meta=_meta(blocks, files, lengths),
    )
    return spectra, np.repeat(np.arange(len(blocks)), lengths)


def _stacked(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Rows of all parts; those of a single one, which may be gigabytes, without a copy."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _vacuum_grids(blocks: Sequence[Block]) -> list[NDArray[np.float64]]:
    """Wavelengths of each block; equal ones are one object, each converted and copied once."""
    known: dict[tuple[Any, ...], list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
    by_identity: dict[tuple[int, bool], NDArray[np.float64]] = {}
    grids = []
    for block in blocks:
        wave, air = block.wave, block.medium == "air"
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


def _flux_ivar(
    blocks: Sequence[Block], files: Sequence[str]
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]] | None]:
    flux = [block.flux for block in blocks]
    ivar = [block.ivar for block in blocks if block.ivar is not None]
    if len(ivar) == len(blocks):
        return flux, ivar
    if ivar:
        without = [file for block, file in zip(blocks, files, strict=True) if block.ivar is None]
        warnings.warn(
            f"{len(without)} of {len(blocks)} files give no errors (the first is {without[0]}), so that ivar is None "
            "for all; missing pixels of the others are NaN in flux",
            stacklevel=4,
        )
        flux = [
            block.flux if block.ivar is None else np.where(block.ivar > 0, block.flux, np.float32(np.nan))
            for block in blocks
        ]
    return flux, None


def _meta(blocks: Sequence[Block], files: Sequence[str], lengths: Sequence[int]) -> Table:
    names = dict.fromkeys(_FIRST)
    for block in blocks:
        names.update(dict.fromkeys(block.meta))
    names["native_medium"] = None
    given = {
        "file": [[file] * n for file, n in zip(files, lengths, strict=True)],
        "native_medium": [[block.medium or ""] * n for block, n in zip(blocks, lengths, strict=True)],
    }
    columns = []
    for name in names:
        parts = given.get(name) or [
            column_list(block.meta.get(name), n) for block, n in zip(blocks, lengths, strict=True)
        ]
        if (column := _column(name, list(chain.from_iterable(parts)))) is not None:
            columns.append(column)
    return Table(columns, copy=False)


def _column(name: str, values: list[Any]) -> Column | None:
    """Column of values of which None is missing: '' in text, masked in numbers; None if all are missing."""
    missing = [value is None or value is np.ma.masked or value != value for value in values]  # noqa: PLR0124
    if all(missing):
        return None
    present = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if any(isinstance(value, str) for value in present):
        return Column(
            ["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], name=name
        )
    if not any(missing):
        return Column(values, name=name)
    filler = type(present[0])(0)
    filled = [filler if gone else value for value, gone in zip(values, missing, strict=True)]
    return MaskedColumn(filled, name=name, mask=missing)
