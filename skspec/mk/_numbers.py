"""MK types as numbers and back: spectral codes and regression targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.mk._grid import mk_grid, round_luminosity
from skspec.mk._parse import check_one_dimensional, map_types
from skspec.mk._type import TEMPERATURE_CLASSES, MKType


def spectral_code(types: ArrayLike) -> NDArray[np.float64]:
    """Return the numeric spectral codes of MK types: ten times the temperature class, from O = 0, plus the subtype.

    Parameters
    ----------
    types : array-like of str
        Spectral types, see :func:`parse_mk`.

    Returns
    -------
    ndarray of float64, of the shape of `types`
        O5 = 5, A0 = 20, G2 = 42, M9 = 69; of a range, the mean. NaN without a subtype and for strings that are not MK
        types.

    See Also
    --------
    type_from_code : Inverse function.

    Examples
    --------
    >>> from skspec.mk import spectral_code
    >>> spectral_code(["O5V", "A0", "G8/K0III", "DA"]).tolist()
    [5.0, 20.0, 49.0, nan]
    """
    return map_types(types, lambda t: t.code, np.nan)


def type_from_code(codes: ArrayLike, *, decimals: int = 1) -> NDArray[np.str_]:
    """Return the spectral types of numeric spectral codes.

    Parameters
    ----------
    codes : array-like of float
        Codes as returned by :func:`spectral_code`, from 0 (O0) to 70 (M10).
    decimals : int, default=1
        Number of decimals of the subtypes.

    Returns
    -------
    ndarray of str, of the shape of `codes`
        Types such as ``"G2"`` and ``"B2.5"``; ``""`` for NaN.

    Raises
    ------
    ValueError
        If a code is outside the range.

    Examples
    --------
    >>> from skspec.mk import type_from_code
    >>> type_from_code([5, 20, 69, 12.52]).tolist()
    ['O5', 'A0', 'M9', 'B2.5']
    """
    codes = np.asarray(codes, dtype=np.float64)
    outside = codes[(codes < 0) | (codes > 70)]
    if outside.size:
        raise ValueError(f"codes must be from 0 (O0) to 70 (M10), got {outside.flat[0]:g}")
    flat = [_from_code(code) for code in np.round(codes, decimals).reshape(-1).tolist()]
    return np.array(flat, dtype=None if flat else np.str_).reshape(codes.shape)


def joint_targets(types: ArrayLike) -> NDArray[np.float64]:
    """Return regression targets for joint classes.

    Parameters
    ----------
    types : array-like of str, shape (n,)
        Spectral types, see :func:`parse_mk`.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Temperature class with the subtype as its decimal, from O0 = 0 to M9 = 6.9, and luminosity class, I = 1 to VI =
        6, a −0.25, b +0.25, Ia+ = 0.55; of ranges, the means. NaN for missing parts of a type.

    See Also
    --------
    joint_from_targets : Convert predicted numbers to classes.

    Examples
    --------
    >>> from skspec.mk import joint_targets
    >>> joint_targets(["G2V", "G8/K0III", "M2Ia"]).tolist()
    [[4.2, 5.0], [4.9, 3.0], [6.2, 0.75]]
    """
    check_one_dimensional(types)
    temperature = map_types(types, lambda t: t.code / 10, np.nan)
    return np.column_stack([temperature, map_types(types, lambda t: t.luminosity, np.nan)])


def joint_from_targets(targets: ArrayLike, *, full: bool = False) -> NDArray[np.str_]:
    """Return the joint classes of predicted numbers, with the published rounding and limits.

    The temperature class is rounded down, from 0 to 6; the luminosity class is rounded half to even, from 1 to 6. Classes
    that are not in the grid are replaced by a neighbour: GVI and KVI by GV and KV, MIV by MIII for a luminosity below 4
    and by MV otherwise.

    Parameters
    ----------
    targets : array-like of float, shape (n, 2)
        Temperature and luminosity in the units of :func:`joint_targets`, for example predicted by a regressor.
    full : bool, default=False
        Whether to keep the classes GVI, KVI and MIV.

    Returns
    -------
    ndarray of str, shape (n,)
        Classes of :func:`mk_grid`; ``""`` where a number is NaN.

    Raises
    ------
    ValueError
        If `targets` does not have two columns.

    Notes
    -----
    The rules are those of volgasezen/StellarClassification.

    Examples
    --------
    >>> from skspec.mk import joint_from_targets
    >>> joint_from_targets([[4.2, 4.9], [5.99, 6.3], [6.2, 3.7], [-0.3, 0.2]]).tolist()
    ['GV', 'KV', 'MIII', 'OI']
    """
    targets = np.asarray(targets, dtype=np.float64)
    if targets.ndim != 2 or targets.shape[1] != 2:
        raise ValueError(f"targets must have shape (n, 2), temperature and luminosity, got {targets.shape}")
    known = ~np.isnan(targets).any(axis=1)
    temperature, luminosity = np.clip(np.where(known[:, None], targets, 0.0), None, 6.0).T
    letter = np.floor(np.maximum(temperature, 0)).astype(int)
    if not full:
        g_or_k, m = (letter == 4) | (letter == 5), letter == 6
        luminosity = np.where(g_or_k, np.minimum(luminosity, 5), luminosity)
        luminosity = np.where(m & (luminosity >= 3.5) & (luminosity < 4), 3, luminosity)
        luminosity = np.where(m & (luminosity >= 4) & (luminosity < 5), 5, luminosity)
    names = mk_grid(full=True).reshape(len(TEMPERATURE_CLASSES), -1)
    return np.where(known, names[letter, round_luminosity(luminosity)], "")


def _from_code(code: float) -> str:
    if np.isnan(code):
        return ""
    letter = min(int(code // 10), len(TEMPERATURE_CLASSES) - 1)
    return str(MKType(TEMPERATURE_CLASSES[letter], round(code - 10 * letter, 10)))
