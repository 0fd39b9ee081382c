"""Blocks of rows: the same spectra in any layout, cut into blocks of any size, give the same."""

import numpy as np
import pytest

from skspec import (
    ContinuumNormalizer,
    FluxNormalizer,
    FluxStatistics,
    LineIndices,
    LogWaveResampler,
    ResolutionMatcher,
    Spectra,
    WienFitFeatures,
)
from skspec.spectra import _blocks, blocks, map_blocks

WAVE = 10 ** (3.6 + 3e-4 * np.arange(700))
RNG = np.random.default_rng(0)
FLUX = RNG.gamma(20.0, 0.05, (9, len(WAVE))).astype(np.float32)
IVAR = RNG.uniform(0.5, 2.0, FLUX.shape).astype(np.float32)
IVAR[3, 100:120] = 0
FLUX[5, 200] = np.nan
STARTS, STOPS = RNG.integers(0, 50, 9), RNG.integers(500, 700, 9)
TRANSFORMERS = {
    "ContinuumNormalizer, quantile": ContinuumNormalizer("quantile", window=31),
    "ContinuumNormalizer, in Å": ContinuumNormalizer(window=60.0, window_unit="angstrom"),
    "ContinuumNormalizer, polynomial": ContinuumNormalizer("polynomial"),
    "ContinuumNormalizer, spline": ContinuumNormalizer("spline", n_knots=4),
    "ContinuumNormalizer, als": ContinuumNormalizer("als", smoothness=1e4),
    "FluxNormalizer": FluxNormalizer(),
    "FluxNormalizer, snv": FluxNormalizer("snv"),
    "FluxStatistics": FluxStatistics(["mean", "kurtosis", "quantiles", "slopes", "snr"]),
    "LineIndices": LineIndices(),
    "LogWaveResampler": LogWaveResampler(n_bins=40, loglam_min=3.62011, loglam_max=3.72),
    "LogWaveResampler, linear": LogWaveResampler("linear", n_bins=40, loglam_min=3.62011, loglam_max=3.72),
    "LogWaveResampler, cubic": LogWaveResampler("cubic", n_bins=40, loglam_min=3.62011, loglam_max=3.72),
    "LogWaveResampler, ivar_weighted": LogWaveResampler(
        "ivar_weighted", n_bins=40, loglam_min=3.62011, loglam_max=3.72
    ),
    "ResolutionMatcher": ResolutionMatcher(1500.0, 800.0, source_unit="R", target_unit="R"),
    "WienFitFeatures": WienFitFeatures(),
    "WienFitFeatures, log": WienFitFeatures(method="log"),
}


def layouts():
    """Return the same pixels on one grid, marked missing at the ends; on cut-outs of a lattice; on grids of their own."""
    inside = (np.arange(len(WAVE)) >= STARTS[:, None]) & (np.arange(len(WAVE)) < STOPS[:, None])
    cuts = [slice(*ends) for ends in zip(STARTS, STOPS, strict=True)]
    rows = {
        "flux": [row[cut] for row, cut in zip(FLUX, cuts, strict=True)],
        "ivar": [row[cut] for row, cut in zip(IVAR, cuts, strict=True)],
    }
    lattice = Spectra(**rows, wave=[WAVE[cut] for cut in cuts])
    assert lattice.lattice is not None
    return {
        "common": Spectra(FLUX, wave=WAVE, ivar=np.where(inside, IVAR, 0)),
        "lattice": lattice,
        "own": lattice.replace(wave=lattice.wave),
    }


def known(X):
    """Flux of the valid pixels, end to end."""
    if not isinstance(X, Spectra):
        return X
    return np.concatenate([row[good] for row, good in zip(X.flux, X.valid, strict=True)])


@pytest.mark.parametrize("layout", ["common", "lattice", "own"])
@pytest.mark.parametrize("with_ivar", [True, False])
@pytest.mark.parametrize("one_grid", [True, False])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_blocks_hold_all_pixels_and_mark_the_missing(layout, with_ivar, one_grid, size, monkeypatch):
    monkeypatch.setattr(_blocks, "_PIXELS_PER_BLOCK", size * len(WAVE))
    X = layouts()[layout]
    X = X if with_ivar else X.replace(ivar=None)
    seen = 0
    for block in blocks(X, one_grid=one_grid):
        n, p = block.flux.shape
        assert block.rows.start == seen
        assert block.rows.stop - block.rows.start == n
        assert n <= size
        seen += n
        assert block.wave.ndim == (2 if layout == "own" and not one_grid else 1)
        np.testing.assert_array_equal(np.isnan(block.flux), ~block.valid)
        assert (block.ivar is None) == (not with_ivar)
        if with_ivar:
            np.testing.assert_array_equal(block.ivar > 0, block.valid)
        assert block.complete == block.valid.all()
        np.testing.assert_array_equal(block.n_valid, block.valid.sum(axis=1))
        wave = np.broadcast_to(block.wave, (n, p))
        for k, row in enumerate(range(block.rows.start, block.rows.stop)):
            start = 0 if block.start is None else block.start[k]
            columns = slice(start, start + block.length[k])
            own = X.wave if X.is_common_grid else X.wave[row]
            assert block.length[k] == len(own)
            np.testing.assert_allclose(wave[k, columns], own, rtol=1e-13)
            good = X.valid[row]
            np.testing.assert_array_equal(block.valid[k, columns], good)
            assert block.valid[k].sum() == good.sum()
            np.testing.assert_array_equal(block.flux[k, columns][good], X.flux[row][good])
            if block.wave.ndim == 2:
                assert not block.valid[k, columns.stop]
                assert wave[k, columns.stop] == pytest.approx(own[-1] ** 2 / own[-2])
    assert seen == len(X)


def test_neighbours_on_the_same_grid_share_a_block():
    fine, coarse = WAVE[:300] + 0.1, WAVE[:300:2]
    waves = [fine, fine, coarse, fine, fine, fine]
    X = Spectra([np.ones(len(wave)) for wave in waves], wave=waves)
    assert [block.rows for block in blocks(X, one_grid=True)] == [slice(0, 2), slice(2, 3), slice(3, 6)]


@pytest.mark.parametrize("layout", ["common", "lattice", "own"])
@pytest.mark.parametrize("one_grid", [True, False])
def test_mapped_blocks_come_back_in_the_layout_of_the_input(layout, one_grid):
    X = layouts()[layout]
    Y = map_blocks(lambda block: (2 * block.flux, block.ivar / 4), X, one_grid=one_grid, flux_unit="Jy")
    assert Y.flux_unit == "Jy"
    assert Y.wave is X.wave
    assert Y.lattice is X.lattice
    for row in range(len(X)):
        good = X.valid[row]
        np.testing.assert_array_equal(Y.valid[row], good)
        np.testing.assert_array_equal(Y.flux[row], np.where(good, 2 * X.flux[row], np.nan))
        np.testing.assert_array_equal(Y.ivar[row], np.where(good, X.ivar[row] / 4, 0))
    assert map_blocks(lambda block: (block.flux, None), X).ivar is None
    # Rows are copies: none keeps the memory of a block alive.
    assert layout == "common" or all(row.base is None for row in Y.flux)


def test_arrays_are_one_block_of_their_own_type():
    X = np.where(FLUX > 1.2, np.nan, FLUX.astype(np.float64))
    before = X.copy()
    [block] = blocks(X, WAVE)
    assert block.wave is WAVE
    assert block.flux.dtype == np.float64
    np.testing.assert_array_equal(map_blocks(lambda block: (block.flux + 1, None), X), X + 1)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_layout_and_size_of_blocks_do_not_matter(name, monkeypatch):
    transformer = TRANSFORMERS[name]
    data = layouts()
    fitted = transformer.fit(data["lattice"])
    whole = known(fitted.transform(data["lattice"]))
    # At the ends of a spectrum smoothing leaves out what lies beyond, which is missing on the other grids.
    exact = name != "ResolutionMatcher"
    for X in data.values() if exact else (data["lattice"], data["own"]):
        np.testing.assert_allclose(known(fitted.transform(X)), whole, rtol=2e-5, atol=1e-6)
        for rows in (1, 4):
            monkeypatch.setattr(_blocks, "_PIXELS_PER_BLOCK", rows * len(WAVE))
            np.testing.assert_allclose(known(fitted.transform(X)), whole, rtol=2e-5, atol=1e-6)
        monkeypatch.undo()


@pytest.mark.parametrize(
    "name", [name for name in TRANSFORMERS if "Stat" in name or "In" in name or "Wien" in name]
)
def test_mapped_arrays_are_as_those_in_memory(name, tmp_path):
    transformer = TRANSFORMERS[name]
    transformer = type(transformer)(**transformer.get_params() | {"wave": WAVE})
    np.save(tmp_path / "flux.npy", FLUX)
    mapped = np.load(tmp_path / "flux.npy", mmap_mode="r")
    np.testing.assert_array_equal(transformer.fit_transform(mapped), transformer.fit_transform(FLUX))


@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("layout", ["common", "lattice", "own"])
def test_no_spectra_give_no_rows(name, layout):
    X = layouts()[layout]
    transformer = TRANSFORMERS[name].fit(X)
    assert len(transformer.transform(X[:0])) == 0
