"""Find the pixels that a file marks as bad: by masks, or by stretches of constant flux."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._names import column_role
from skspec.io._source import MaskBits, Source

_PIPELINE = ("andmask", "ormask")  # SDSS and LAMOST: set nearly everywhere, and ivar is 0 where it matters
_FILLERS = (0.0, -1.0, *(sign * (10.0**n - 1) for n in range(1, 7) for sign in (-1, 1)), -32768.0)
_SHORTEST = 4  # pixels of equal flux that are a gap
_LONG = 20  # pixels of equal flux that are suspicious whatever their value
_QUANTISED = 0.05  # share of pixels equal to their neighbour from which equal values mean nothing


def check_mask_bits(mask_bits: Any) -> MaskBits:
    """Return `mask_bits`; ValueError unless it is None, a non-negative integer or a dict of these."""
    values = mask_bits.values() if isinstance(mask_bits, Mapping) else [mask_bits]
    for value in () if mask_bits is None else values:
        if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < 1 << 63:
            raise ValueError(
                f"mask_bits must be a non-negative integer, a dict of mask names to integers or None, got {mask_bits!r}"
            )
    if isinstance(mask_bits, Mapping):
        return {str(name).upper(): int(value) for name, value in mask_bits.items()}
    return None if mask_bits is None else int(mask_bits)


def bits_of(source: Source, *names: str) -> int | None:
    """Return the bits that make a pixel missing of the mask, in the file, with one of these names; None if not given."""
    wanted = source.mask_bits
    if isinstance(wanted, Mapping):
        wanted = next((bits for name in names if (bits := wanted.get(name.upper())) is not None), None)
    source.has_wanted_mask |= wanted is not None
    return wanted


def has_bits(values: NDArray[Any], bits: int) -> NDArray[np.bool_]:
    """Return where any of `bits` is set; a boolean mask is set wherever it is true."""
    if values.dtype.kind == "b":
        return values & bool(bits)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return (values.astype(np.int64) & np.int64(bits)) != 0


def bad_pixels(
    masks: Mapping[str, NDArray[Any]], source: Source, *, with_ivar: bool
) -> NDArray[np.bool_] | None:
    """Return where masks mark pixels as bad; None if none is applied.

    A mask is applied if it is boolean, if it is named ``mask``, ``bad`` or ``good`` and has only 0 and 1, or by
    `mask_bits`. The reader warns of other masks that are set.
    """
    found = []
    for name, values in masks.items():
        bad = _bad(name, np.ma.filled(values, 0) if np.ma.isMA(values) else values, source, with_ivar)
        if bad is not None:
            if bad.size and bad.all():
                raise ValueError(
                    f"{name} marks every pixel as bad; give mask_bits= the bits that make a pixel missing, 0 for none"
                )
            found.append(bad)
    return np.logical_or.reduce(found) if found else None


def _bad(name: str, values: NDArray[Any], source: Source, with_ivar: bool) -> NDArray[np.bool_] | None:
    role = column_role(name)
    kind = role.kind if role else ""
    plain = name.lower().replace("_", "")
    bits, numbers = bits_of(source, name), values.dtype.kind in "biuf"
    if kind == "good" and numbers and bits is None and _only_0_1(values):
        return values == 0
    if numbers and bits is not None:
        return has_bits(values, bits)
    if numbers and not values.any():
        return None
    if numbers and (
        (kind == "mask" and _only_0_1(values)) or (values.dtype.kind == "b" and "qual" not in plain)
    ):
        return values != 0
    if not (with_ivar and plain in _PIPELINE):
        set_bits = _some(values) if numbers else ""
        source.notice(
            f"the mask {name}{set_bits} is not applied, since its meaning is not known; give mask_bits= the bits that "
            "make a pixel missing, or 0 for none"
        )
    return None


def _only_0_1(values: NDArray[Any]) -> bool:
    return values.dtype.kind == "b" or bool(((values == 0) | (values == 1)).all())


def _some(values: NDArray[Any]) -> str:
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    bits = int(np.bitwise_or.reduce(values.astype(np.int64), axis=None))
    return f" (bits set: {bits})" if bits > 0 else ""


def without_bad(
    flux: NDArray[Any], ivar: NDArray[Any] | None, bad: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return flux and ivar with ``ivar`` 0, or ``flux`` NaN if there is no ivar, where pixels are bad."""
    if bad is None or not bad.any():
        return flux, ivar
    if ivar is not None:
        return flux, np.where(bad, 0, ivar)
    return np.where(bad, np.nan, flux), None


def without_gaps(flux: NDArray[Any], source: Source) -> tuple[NDArray[Any], str | None]:
    """Return the flux with NaN in stretches of a constant filler, and a note on their number.

    A stretch of equal values is a gap if the value is 0, a usual filler such as -999, or outside the range of all other
    pixels. The reader warns of gaps, and of other long stretches, which are kept.
    """
    rows = np.atleast_2d(flux)
    gaps, kept = zip(*map(_constant, rows), strict=True)
    n_gaps, n_kept = (sum(map(np.count_nonzero, found)) for found in (gaps, kept))
    if n_kept:
        source.notice(
            "{n} pixels in long stretches of exactly equal flux are kept as measured; if they are gaps, set them to "
            "NaN, as in Spectra(flux, wave=wave)",
            n_kept,
        )
    if not n_gaps:
        return flux, None
    source.notice(
        "{n} pixels in stretches of constant flux (0 or another filler) are missing; the column note of meta has the "
        "number for each file",
        n_gaps,
    )
    return np.where(
        np.reshape(gaps, flux.shape), np.nan, flux
    ), f"{n_gaps} pixels of constant flux are missing"


def _constant(flux: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels in gaps of constant flux, and those in other long stretches of constant flux."""
    none = np.zeros(flux.size, dtype=bool)
    equal = flux[1:] == flux[:-1]
    if not (equal[2:] & equal[1:-1] & equal[:-2]).any():  # _SHORTEST is 4
        return none, none
    start = np.flatnonzero(np.concatenate([[True], ~equal]))
    length = np.diff(np.append(start, flux.size))
    long = length >= _SHORTEST
    if not long.any() or length.max() == flux.size:
        return none, none
    others = flux[np.repeat(~long, length)]
    others = others[np.isfinite(others)]
    low, high = (others.min(), others.max()) if others.size > 0.1 * flux.size else (-np.inf, np.inf)
    value = flux[start]
    outside = (value < low) | (value > high)
    short = length[~long]
    quantised = (short - 1).sum() > _QUANTISED * max(others.size, 1) or len(
        np.unique(others)
    ) < 0.5 * others.size
    filler = np.isin(value, _FILLERS) | ((value != 0) & (np.abs(value) < 1e-25) & (high > 1e-22))
    gap = long & (outside | (filler & (not quantised or not others.size)))
    kept = long & ~gap & (length >= _LONG) & (not quantised)
    if not others.size:  # two or more levels and nothing else, as in a step
        kept &= False
    return np.repeat(gap, length), np.repeat(kept, length)
