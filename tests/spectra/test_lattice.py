import numpy as np

from skspec import Spectra
from skspec.spectra._lattice import find_lattice, share_lattice

STEP = 1e-4


def grid(start, length, step=STEP):
    return 10 ** (3.5 + step * (start + np.arange(length)))


def test_survey_grids_become_views_of_one_array():
    grids = [
        grid(0, 900),
        grid(17, 1000),
        grid(300, 800),
        grid(5, 850) * (1 + 1e-6),
        np.linspace(4000, 5000, 900),
    ]
    shared = share_lattice(grids)
    for new, old in zip(shared, grids, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-14)
    assert shared[0].base is shared[1].base is shared[2].base is not None
    assert shared[3] is grids[3]
    assert shared[4] is grids[4]
    lattice, offset = find_lattice(shared[:3])
    assert offset.tolist() == [0, 17, 300]
    np.testing.assert_allclose(lattice, grid(0, 1100), rtol=1e-14)
    assert find_lattice(shared) is None


def test_grids_far_apart_or_alone_stay():
    far = [grid(0, 100), grid(3000, 100)]
    assert all(a is b for a, b in zip(share_lattice(far), far, strict=True))
    assert share_lattice([far[0]])[0] is far[0]
    assert find_lattice([]) is None


def test_views_of_what_is_no_lattice_are_not_taken_for_one():
    linear = np.linspace(4000.0, 5000.0, 500)
    assert find_lattice([linear[:300], linear[10:400]]) is None
    thinned = grid(0, 1000)
    assert find_lattice([thinned[::2], thinned[1::2]]) is None
    flat = np.concatenate([grid(0, 300), grid(0, 300)])
    assert find_lattice([flat[:300], flat[300:]]) is None


def test_spectra_share_the_lattice_and_keep_it_through_indexing_and_joining():
    waves = [grid(k, 500 + k) for k in range(4)]
    spectra = Spectra([np.ones(len(w)) for w in waves], wave=waves)
    assert find_lattice(spectra.wave) is not None
    assert find_lattice(spectra[[3, 1]].wave)[1].tolist() == [2, 0]
    assert find_lattice(Spectra.concatenate([spectra[:2], spectra[2:]]).wave) is not None
    assert find_lattice(spectra.to_rest_frame([0.1, 0.2, 0.3, 0.4]).wave) is None
