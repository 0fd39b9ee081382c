"""Spectra that are not observations of their own: dead fibres, and copies of other spectra."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skspec.spectra import Spectra, blocks

_ROUNDING = 1e-6  # relative; of float32


def has_signal(spectra: Spectra, low: float = 0.0, high: float = np.inf) -> NDArray[np.bool_]:
    """Return whether the flux of each spectrum varies, unlike that of a dead fibre, whose pixels are all alike.

    Parameters
    ----------
    spectra : Spectra
    low, high : float, default=0.0, inf
        Range of vacuum wavelengths in Å to look at.

    Returns
    -------
    ndarray of bool of shape (n_spectra,)
        True for a spectrum with less than two valid pixels in the range, of which nothing can be said.
    """
    alive = np.ones(len(spectra), dtype=bool)
    for block in blocks(spectra.to_vacuum()):
        used = block.valid & (block.wave >= low) & (block.wave <= high)
        least = np.min(block.flux, axis=1, where=used, initial=np.inf)
        most = np.max(block.flux, axis=1, where=used, initial=-np.inf)
        enough = np.count_nonzero(used, axis=1) > 1
        with np.errstate(invalid="ignore"):  # inf - inf, of rows without pixels
            varies = most - least > _ROUNDING * np.maximum(np.abs(least), np.abs(most))
        alive[block.rows] = varies | ~enough
    return alive


def join_copies(spectra: Spectra, groups: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Put spectra with identical flux in one group, so that a model is not tested on what it was trained on.

    Parameters
    ----------
    spectra : Spectra
    groups : ndarray of shape (n_spectra,)

    Returns
    -------
    groups : ndarray of shape (n_spectra,)
        The given groups if there are no copies.
    note : str
        Sentence that says how many copies there are; empty if there are none.
    """
    digests = [hashlib.blake2b(np.ascontiguousarray(flux).data).digest() for flux in spectra.flux]
    _, copy_of = np.unique(digests, return_inverse=True)
    dead = ~has_signal(spectra) | ~np.array([valid.any() for valid in spectra.valid], dtype=bool)
    copy_of[dead] = len(spectra) + np.flatnonzero(dead)  # alike, but not the same spectrum
    unique, copy_of, sizes = np.unique(copy_of, return_inverse=True, return_counts=True)
    if len(unique) == len(spectra):
        return groups, ""
    names, numbers = np.unique(groups, return_inverse=True)
    n = len(names) + len(unique)
    links = coo_array((np.ones(len(spectra)), (numbers, len(names) + copy_of)), shape=(n, n))
    joined = connected_components(links, directed=False)[1][numbers]
    first = np.argmax(sizes[copy_of] > 1)
    second = np.flatnonzero(copy_of == copy_of[first])[1]
    example = ""
    if "file" in spectra.meta.colnames:
        example = f", such as {spectra.meta['file'][first]} and {spectra.meta['file'][second]}"
    shared = int(sizes[sizes > 1].sum())
    return (
        joined,
        f"{shared} spectra have the same flux as another{example}; copies stay together in one fold.",
    )
