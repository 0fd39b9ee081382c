"""Blocks of any size have the same values in all layouts."""

import numpy as np
import pytest

from skspec import FluxStatistics, LineIndices, Spectra, WienFitFeatures
from skspec.spectra import _blocks

WAVE = 10 ** (3.6 + 3e-4 * np.arange(700))
RNG = np.random.default_rng(0)
FLUX = RNG.gamma(20.0, 0.05, (9, len(WAVE))).astype(np.float32)
IVAR = RNG.uniform(0.5, 2.0, FLUX.shape).astype(np.float32)
IVAR[3, 100:120] = 0
TRANSFORMERS = {
    "WienFitFeatures": WienFitFeatures(wave=WAVE),
    "WienFitFeatures, log": WienFitFeatures(wave=WAVE, method="log"),
    "FluxStatistics": FluxStatistics(["mean", "kurtosis", "quantiles", "slopes", "snr"], wave=WAVE),
    "LineIndices": LineIndices(wave=WAVE),
}


def own_grids():
    ends = RNG.integers(500, 700, 9)
    return Spectra([f[:n] for f, n in zip(FLUX, ends, strict=True)], wave=[WAVE[:n] for n in ends])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_blocks_do_not_show(name, monkeypatch, tmp_path):
    transformer = TRANSFORMERS[name]
    np.save(tmp_path / "flux.npy", FLUX)
    mapped = np.load(tmp_path / "flux.npy", mmap_mode="r")
    for X in (Spectra(FLUX, wave=WAVE, ivar=IVAR), own_grids(), mapped):
        whole = transformer.fit_transform(X)
        for rows in (1, 4):
            monkeypatch.setattr(_blocks, "_PIXELS_PER_BLOCK", rows * len(WAVE))
            np.testing.assert_allclose(transformer.transform(X), whole, rtol=1e-7, atol=1e-9)
        monkeypatch.undo()


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_blocks_of_no_spectra_are_empty(name):
    X = Spectra(FLUX[:0], wave=WAVE)
    transformer = TRANSFORMERS[name]
    assert transformer.fit_transform(X).shape == (0, len(transformer.get_feature_names_out()))
