"""Choice of a wavelength grid from the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from skspec.spectra import Spectra

_BIN = 1e-3  # dex; 690 km/s, about the default of LogWaveResampler
_MIN_BINS = 400  # of a narrow range, if the pixels allow it


def choose_grid(spectra: Spectra) -> dict[str, Any]:
    """Choose a wavelength grid that most spectra fill.

    Four in five spectra begin before its first edge, and four in five end after its last. Bins are 1e-3 dex wide. Where
    the range is narrow there are 400 narrower bins, but never narrower than the pixels.

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
        raise ValueError("the spectra have no common range of wavelengths; give loglam_min and loglam_max")
    pixel = float(np.median([np.median(np.diff(np.log10(w))) for w in wave if len(w) > 1]))
    width = max(pixel, min(_BIN, (high - low) / _MIN_BINS))
    return {
        "loglam_min": round(float(low), 3),
        "loglam_max": round(float(high), 3),
        "n_bins": max(1, round((high - low) / width)),
    }
