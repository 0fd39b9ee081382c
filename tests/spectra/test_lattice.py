import pickle

import numpy as np
import pytest
from joblib import Parallel, delayed

from skspec import LogWaveResampler, Spectra
from skspec.spectra import Lattice
from skspec.spectra._lattice import find_lattice

STEP = 1e-4
STARTS = [0, 17, 300, 5]


def grid(start, length, step=STEP):
    return 10 ** (3.5 + step * (start + np.arange(length)))


def survey():
    rng = np.random.default_rng(0)
    waves = [grid(k, 500 + k) for k in STARTS]
    flux = [rng.normal(1.0, 0.1, len(w)) for w in waves]
    return Spectra(flux, wave=waves, ivar=[np.ones(len(w)) for w in waves], meta={"object": list("abcd")})


def resample(spectra):
    return LogWaveResampler(loglam_min=3.5, loglam_max=3.58, n_bins=200, missing="nan").fit_transform(spectra)


def on_its_lattice(spectra):
    lattice = spectra.lattice
    return lattice is not None and all(
        np.array_equal(wave, lattice.wave[k : k + len(wave)]) and np.shares_memory(wave, lattice.wave)
        for wave, k in zip(spectra.wave, lattice.start, strict=True)
    )


def test_survey_grids_become_views_of_one_array():
    grids = [grid(0, 900), grid(17, 1000), grid(300, 800)]
    spectra = Spectra([np.ones(len(w)) for w in grids], wave=grids)
    assert spectra.lattice.start.tolist() == [0, 17, 300]
    np.testing.assert_allclose(spectra.lattice.wave, grid(0, 1100), rtol=1e-14)
    assert on_its_lattice(spectra)
    for new, old in zip(spectra.wave, grids, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-14)
    assert not spectra.lattice.wave.flags.writeable


@pytest.mark.parametrize("off", [grid(5, 850) * (1 + 1e-6), np.linspace(4000, 5000, 900), grid(5, 2)])
def test_one_grid_off_the_lattice_leaves_all_as_they_are(off):
    grids = [grid(0, 900), grid(17, 1000), off]
    spectra = Spectra([np.ones(len(w)) for w in grids], wave=grids)
    assert spectra.lattice is None
    assert all(a is b for a, b in zip(spectra.wave, grids, strict=True))


def test_grids_without_a_lattice():
    assert find_lattice([]) is None
    assert find_lattice([grid(0, 100)]) is None
    assert find_lattice([grid(0, 100), grid(3000, 100)]) is None  # far apart
    linear = np.linspace(4000.0, 5000.0, 500)
    assert find_lattice([linear[:300], linear[10:400]]) is None
    assert Spectra(np.ones((2, 50)), wave=grid(0, 50)).lattice is None


def test_indexing_and_joining_keep_the_lattice():
    spectra = survey()
    assert spectra[[3, 1]].lattice.start.tolist() == [5, 17]
    for part in (spectra[2], spectra[1:3], spectra[np.array([True, False, True, False])]):
        assert on_its_lattice(part)
        assert part.lattice.wave is spectra.lattice.wave
    assert spectra[[]].lattice.start.tolist() == []
    joined = Spectra.concatenate([spectra[:2], pickle.loads(pickle.dumps(spectra[2:]))])
    assert on_its_lattice(joined)
    assert joined.lattice.start.tolist() == STARTS
    other = Spectra([np.ones(600)] * 2, wave=[grid(40, 600), grid(41, 600)])
    assert on_its_lattice(Spectra.concatenate([spectra.replace(ivar=None), other]))
    assert Spectra.concatenate([spectra[:1], spectra[:1]]).is_common_grid


def test_replacing_and_moving():
    spectra = survey()
    assert spectra.replace(flux=[2 * f for f in spectra.flux]).lattice is spectra.lattice
    assert spectra.replace(wave=[w + 1 for w in spectra.wave]).lattice is None
    assert spectra.to_vacuum().lattice is spectra.lattice
    assert spectra.to_air().lattice is None
    assert spectra.to_rest_frame([0.1, 0.2, 0.3, 0.4]).lattice is None
    rest = spectra.to_rest_frame(0.25)
    assert on_its_lattice(rest)
    for new, old in zip(rest.wave, spectra.wave, strict=True):
        np.testing.assert_array_equal(new, old / 1.25)


def test_pickles_keep_the_lattice_and_leave_the_grids_out():
    spectra = survey()
    rows = spectra[[2, 0]]
    for original in (spectra, rows):
        data = pickle.dumps(original)
        back = pickle.loads(data)
        assert on_its_lattice(back)
        np.testing.assert_array_equal(resample(back), resample(original))
        assert not back.lattice.wave.flags.writeable
        assert back.meta["object"].tolist() == original.meta["object"].tolist()
        without = pickle.dumps(original.replace(lattice=None))
        saved = 8 * (sum(map(len, original.wave)) - len(spectra.lattice.wave))
        assert len(data) < len(without) - saved + 500
    assert spectra.wave is not None  # pickling changes nothing


def test_workers_get_the_lattice():
    spectra = survey()
    here = Parallel(n_jobs=2)(delayed(_seen_by_worker)(spectra[rows]) for rows in ([0, 1], [2, 3]))
    for (lattice, resampled), rows in zip(here, ([0, 1], [2, 3]), strict=True):
        assert lattice.start.tolist() == [STARTS[i] for i in rows]
        np.testing.assert_array_equal(resampled, resample(spectra[rows]))


def _seen_by_worker(spectra):
    return Lattice(*spectra.lattice), resample(spectra)
