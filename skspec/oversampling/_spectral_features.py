"""Line depths and colours of generated and real spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ks_2samp

from skspec.features import LineIndices
from skspec.spectra.inputs import wave_of_columns

Band = tuple[float, float]

# Rest wavelengths in vacuum Å (NIST); cores are 8 Å wide, the bands beside them 20 Å, from 22 Å to 42 Å off centre
_LINES = {
    "Ca II K": 3934.8,
    "H delta": 4102.9,
    "H gamma": 4341.7,
    "He I 4473": 4472.7,
    "He II 4543": 4542.9,
    "He II 4687": 4687.0,
    "H beta": 4862.7,
    "Mg I b": 5174.1,
    "He I 5877": 5877.2,
    "Na I D": 5893.5,
    "H alpha": 6564.6,
}
_CORE, _NEAR, _FAR = 4.0, 22.0, 42.0
_COLORS: dict[str, tuple[Band, Band]] = {
    "colour 4000-5000": ((3900.0, 4100.0), (4900.0, 5100.0)),
    "colour 5000-6500": ((4900.0, 5100.0), (6400.0, 6600.0)),
    "colour 6500-8500": ((6400.0, 6600.0), (8400.0, 8600.0)),
}


def compare_features(
    real: NDArray[np.floating],
    generated: NDArray[np.floating],
    *,
    wave: ArrayLike,
    lines: Mapping[str, float] | None = None,
) -> Table:
    """Compare line depths and colours of real and generated rest-frame spectra, shape (n_spectra, n_pixels).

    The table has a row for each line (depth 1 - F / continuum, averaged over 8 Å) and each colour (in magnitudes) within
    `wave`; columns ``feature``, ``real_median``, ``real_std``, ``generated_median``, ``generated_std`` and ``ks_pvalue``
    (two-sample Kolmogorov-Smirnov test). See `quality_report` for `wave` and `lines`.
    """
    grid = wave_of_columns(wave, real.shape[1])
    values = [measure(rows, grid, lines) for rows in (real, generated)]
    table: dict[str, list[Any]] = {"feature": list(values[0])}
    for name, measured in zip(("real", "generated"), values, strict=True):
        table[f"{name}_median"] = [float(np.nanmedian(v)) for v in measured.values()]
        table[f"{name}_std"] = [float(np.nanstd(v)) for v in measured.values()]
    pairs = [(values[0][name], values[1][name]) for name in values[0]]
    table["ks_pvalue"] = [float(ks_2samp(*pair, nan_policy="omit").pvalue) for pair in pairs]
    result = Table(table)
    for name in result.colnames[1:]:
        result[name].info.format = ".2g" if name == "ks_pvalue" else ".3f"
    return result


def measure(
    rows: NDArray[np.floating], wave: NDArray[np.float64], lines: Mapping[str, float] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the line depths and colours of spectra that lie within `wave`; see `compare_features`."""
    indices = {
        name: ((c - _CORE, c + _CORE), (c - _FAR, c - _NEAR), (c + _NEAR, c + _FAR), "ew")
        for name, c in (_LINES if lines is None else lines).items()
        if wave[0] <= c - _FAR and c + _FAR <= wave[-1]
    }
    found: dict[str, NDArray[np.float64]] = {}
    if indices:
        widths = LineIndices(indices, wave=wave).fit_transform(np.asarray(rows, dtype=np.float64))
        found = dict(zip(indices, widths.T / (2.0 * _CORE), strict=True))
    for name, (blue, red) in _COLORS.items():
        if wave[0] <= blue[0] and red[1] <= wave[-1]:
            means = [_mean(rows, wave, band) for band in (blue, red)]
            with np.errstate(divide="ignore", invalid="ignore"):
                found[name] = -2.5 * np.log10(means[0] / means[1])
    return found


def _mean(rows: NDArray[np.floating], wave: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
    inside = (wave >= band[0]) & (wave <= band[1])
    return rows[:, inside].mean(axis=1, dtype=np.float64)
