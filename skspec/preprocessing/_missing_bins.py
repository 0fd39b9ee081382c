"""Fill the bins of a resampled spectrum that its pixels do not cover, or raise an error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra.inputs import row_name

RULES = ("nan", "interpolate", "zero", "raise")
_MANY = 0.1  # of the bins, beyond the ends of a spectrum: a classifier takes what fills them for measurements


def refuse_empty(bad: NDArray[np.bool_], grid: str, X: Any) -> None:
    """Raise ValueError, naming the first, if all bins of a spectrum are missing, which is where `bad` is true.

    The message describes the `grid`, and takes names of rows from the input X.
    """
    empty = np.flatnonzero(bad.all(axis=1))
    if len(empty):
        more = f", and {len(empty) - 1} more like it" if len(empty) > 1 else ""
        raise ValueError(f"{row_name(int(empty[0]), X)} has no valid pixels on the grid {grid}{more}")


def fill(
    flux: NDArray[Any], bad: NDArray[np.bool_], rule: str, grid: str, X: Any, *, marked: bool = False
) -> None:
    """Apply one of `RULES` to the missing bins of `flux`, in place; each row has bins that are not missing.

    Warn of rows of which many are beyond the ends and interpolated, unless they are `marked` in the output.
    """
    if rule == "raise":
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        raise ValueError(
            f"{row_name(row, X)} covers {1 - bad[row].mean():.0%} of the grid {grid}; narrow the grid, or choose "
            "another rule than missing='raise'"
        )
    if rule == "interpolate":
        filled = (bad.argmin(axis=1) + bad[:, ::-1].argmin(axis=1)) / bad.shape[1]
        many = np.flatnonzero(filled > _MANY)
        if len(many) and not marked:
            warnings.warn(
                f"{len(many)} of {len(flux)} spectra, the first of them {row_name(int(many[0]), X)}, lack at the ends "
                f"more than {_MANY:.0%} (up to {filled.max():.0%}) of the grid {grid}, which "
                "missing='interpolate' fills with values that a classifier takes for measurements; "
                "narrow the grid, or use missing='nan' with "
                "FluxNormalizer and MissingFluxImputer('template')",
                stacklevel=4,
            )
        bins = np.arange(flux.shape[1])
        for k in np.flatnonzero(bad.any(axis=1)):
            gap = bad[k]
            flux[k, gap] = np.interp(bins[gap], bins[~gap], flux[k, ~gap])
    else:
        flux[bad] = 0.0 if rule == "zero" else np.nan
