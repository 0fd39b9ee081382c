"""Find spectra of the same object by position, for group-aware cross-validation."""

import warnings

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from skspec.checks import find_missing


def sky_groups(ra: ArrayLike, dec: ArrayLike, *, radius: float = 3.0) -> NDArray[np.int64]:
    """Group spectra at the same position on the sky.

    Friends of friends: positions closer than `radius` are linked, and linked positions form a group (Huchra & Geller
    1982, ApJ 257, 423). Pass the groups to a group-aware splitter to keep all observations of an object on the same
    side of a train-test split.

    Parameters
    ----------
    ra, dec : array-like of shape (n_spectra,)
        Right ascension and declination in degrees (or as `~astropy.units.Quantity`).
    radius : float, default=3.0
        Linking length in arcseconds.

    Returns
    -------
    ndarray of shape (n_spectra,)
        Groups 0 … n_groups - 1, numbered by first appearance. Each spectrum without position (masked or NaN) is its own
        group, with a warning.

    Raises
    ------
    ValueError
        If no spectrum has a position, lengths differ, ``|dec| > 90`` or `radius` is not positive.

    Examples
    --------
    >>> from skspec.model_selection import sky_groups
    >>> sky_groups([10.0, 200.0, 10.0002], [0.0, 45.0, 0.0])
    array([0, 1, 0])
    """
    if isinstance(radius, u.Quantity):
        radius = radius.to_value(u.arcsec)
    if not 0 < radius < 648_000:
        raise ValueError(f"radius must be positive (arcseconds, below half the sky), got {radius}")
    ra, dec = _degrees("ra", ra), _degrees("dec", dec)
    if len(ra) != len(dec):
        raise ValueError(f"ra has {len(ra)} values and dec {len(dec)}")
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if len(ra) and not len(known):
        raise ValueError("no spectrum has a position (ra, dec)")
    if (np.abs(dec[known]) > 90).any():
        raise ValueError(f"dec must be within ±90 degrees, got {dec[known][np.abs(dec[known]) > 90][0]:g}")
    if len(known) < len(ra):
        warnings.warn(
            f"{len(ra) - len(known)} of {len(ra)} spectra have no position; each is its own group",
            stacklevel=2,
        )
    r, d = np.deg2rad(ra[known]), np.deg2rad(dec[known])
    unit = np.column_stack([np.cos(d) * np.cos(r), np.cos(d) * np.sin(r), np.sin(d)])
    chord = 2.0 * np.sin(np.deg2rad(radius / 3600.0) / 2.0)
    pairs = cKDTree(unit).query_pairs(chord, output_type="ndarray") if len(known) else np.empty((0, 2), int)
    links = known[pairs]
    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(len(ra), len(ra)))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _degrees(name: str, angle: ArrayLike) -> NDArray[np.float64]:
    missing = find_missing(angle)
    if isinstance(angle, u.Quantity):
        angle = angle.to_value(u.deg)
    array = np.where(missing, np.nan, np.asarray(angle, dtype=object if missing.any() else None)).astype(
        np.float64
    )
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, got shape {array.shape}")
    return array
