"""Prepare spectra for training: select labels, groups and a wavelength grid, and count dropped spectra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.checks import check_choice
from skspec.model_selection._copies import has_signal, join_copies
from skspec.model_selection._groups import group_spectra
from skspec.model_selection._labels import select_labels
from skspec.preprocessing import LogWaveResampler
from skspec.spectra import Spectra

_BIN = 1e-3  # dex; 690 km/s, about the default of LogWaveResampler
_MIN_BINS = 400  # for a narrow range, but bins are never narrower than pixels


@dataclass
class PreparedSpectra:
    """Spectra with labels, groups and a wavelength grid, and the number of spectra dropped by reason.

    `n_dead` spectra are kept although all their pixels have the same flux, like those of a dead fibre.
    """

    spectra: Spectra
    labels: NDArray[Any]
    groups: NDArray[Any]
    grouping: str
    grid: dict[str, Any]
    dropped: Counter[str] = field(default_factory=Counter)
    n_dead: int = 0


def prepare_spectra(
    spectra: Spectra,
    *,
    labels: str,
    reduce_labels: str | None = None,
    classes: Iterable[str] | None = None,
    min_class_size: int = 5,
    groups: str = "sky",
    rest_frame: bool = False,
    loglam_min: float | None = None,
    loglam_max: float | None = None,
    n_bins: int | None = None,
) -> PreparedSpectra:
    """Prepare spectra for training: select labels, group objects, and choose a wavelength grid.

    Spectra with identical flux are put in one group.

    Parameters
    ----------
    spectra : Spectra
        Spectra with labels in ``meta``.
    labels : str
        Column of ``meta`` with the labels.
    reduce_labels, classes
        See `select_labels`.
    min_class_size : int, default=5
        Classes with fewer spectra are dropped.
    groups : str, default="sky"
        See `group_spectra`.
    rest_frame : bool, default=False
        Whether wavelengths are divided by 1 + ``meta["z"]``. Spectra without redshift are dropped.
    loglam_min, loglam_max, n_bins : optional
        Wavelength grid; `choose_grid` chooses those that are None.

    Returns
    -------
    PreparedSpectra

    Raises
    ------
    ValueError
        If a column does not exist, or fewer than two classes remain.
    """
    check_choice("labels", labels, spectra.meta.colnames)
    target, keep, dropped = select_labels(
        spectra.meta[labels], reduce_labels=reduce_labels, classes=classes, min_class_size=1
    )
    spectra, target = spectra[keep], target[keep]
    if rest_frame:
        spectra, known = to_rest_frame(spectra)
        target = target[known]
        dropped["no redshift for the rest frame"] += int((~known).sum())
    grid = choose_grid(spectra) if len(spectra) else {}
    given = {"loglam_min": loglam_min, "loglam_max": loglam_max, "n_bins": n_bins}
    grid |= {key: value for key, value in given.items() if value is not None}
    if len(spectra):
        covered = LogWaveResampler(**grid).fit(spectra).coverage(spectra) > 0
        dropped["no overlap with the wavelength grid"] += int((~covered).sum())
        spectra, target = spectra[covered], target[covered]
    _, keep, small = select_labels(target, min_class_size=min_class_size)
    spectra, target = spectra[keep], target[keep]
    dropped += small
    found = np.unique(target)
    if len(found) < 2:
        left = f"only {str(found[0])!r} is" if len(found) else "none is"
        why = "; ".join(f"{reason} ({n})" for reason, n in dropped.most_common(3))
        raise ValueError(f"two classes are needed, {left} left" + (f" after dropping: {why}" if why else ""))
    numbers, grouping = group_spectra(spectra, groups)
    numbers, copies = join_copies(spectra, numbers)
    grouping = f"{grouping} {copies}".rstrip()
    n_dead = int((~has_signal(spectra)).sum())
    return PreparedSpectra(spectra, target, numbers, grouping, grid, +dropped, n_dead)


def to_rest_frame(spectra: Spectra) -> tuple[Spectra, NDArray[np.bool_]]:
    """Return the spectra with a valid ``meta["z"]`` in the rest frame, and whether each given spectrum is among them.

    Raises
    ------
    ValueError
        If ``meta`` has no redshifts.
    """
    if "z" not in spectra.meta.colnames:
        raise ValueError("the rest frame needs redshifts, but the spectra have no column z")
    z = np.ma.filled(np.ma.asarray(spectra.meta["z"], dtype=np.float64), np.nan)
    known = np.isfinite(z) & (z > -1)
    return spectra[known].to_rest_frame(), known


def choose_grid(spectra: Spectra) -> dict[str, Any]:
    """Choose a wavelength grid that is covered by most spectra.

    80 % of the spectra start below its lower limit, and 80 % end above its upper limit. Bins are 1e-3 dex wide; a narrow
    range has 400 narrower bins, but never narrower than the pixels.

    Parameters
    ----------
    spectra : Spectra

    Returns
    -------
    dict
        ``loglam_min``, ``loglam_max``, ``n_bins`` of `LogWaveResampler`.

    Raises
    ------
    ValueError
        If the spectra have no range in common.
    """
    spectra = spectra.to_vacuum()
    wave = spectra.wave if isinstance(spectra.wave, list) else [spectra.wave] * len(spectra)
    ends = [w[good][[0, -1]] for w, good in zip(wave, spectra.valid, strict=True) if good.sum() > 1]
    if not ends:
        raise ValueError("no spectrum has valid pixels")
    loglam = np.log10(ends)
    low, high = np.quantile(loglam[:, 0], 0.8), np.quantile(loglam[:, 1], 0.2)
    low, high = np.ceil(low * 1000) / 1000, np.floor(high * 1000) / 1000
    if not low < high:
        raise ValueError("the spectra have no common wavelength range; give loglam_min and loglam_max")
    pixel = float(np.median([np.median(np.diff(np.log10(w))) for w in wave if len(w) > 1]))
    width = max(pixel, min(_BIN, (high - low) / _MIN_BINS))
    return {
        "loglam_min": round(float(low), 3),
        "loglam_max": round(float(high), 3),
        "n_bins": max(1, round((high - low) / width)),
    }
