"""Dead fibres, and copies of spectra."""

import numpy as np
import pytest

from skspec import Spectra
from skspec.model_selection import has_signal, join_copies, prepare_spectra

WAVE = np.linspace(4000.0, 5000.0, 11)
RISING = np.arange(11.0)


@pytest.mark.parametrize("on_own_grids", [False, True])
def test_signal(on_own_grids):
    rows = np.array([RISING, 0 * RISING, 0 * RISING - 3, RISING, RISING * np.nan, 0 * RISING + 1e30])
    rows[3, 5:] = 7.0  # dead in the red
    rows[5, 0] *= 1 + 1e-3
    rows[2, 4] = np.nan
    wave = [WAVE] * len(rows) if on_own_grids else WAVE
    spectra = Spectra(list(rows) if on_own_grids else rows, wave=wave)
    assert has_signal(spectra).tolist() == [True, False, False, True, True, True]
    assert has_signal(spectra, 4500.0).tolist() == [True, False, False, False, True, False]
    assert has_signal(spectra, 4990.0, 5010.0).all()  # one pixel


def test_missing_pixels_have_no_say_in_signal():
    flux = np.where(WAVE > 4200.0, 1.0, RISING)
    assert has_signal(Spectra(flux[None], wave=WAVE)).all()
    assert not has_signal(Spectra(flux[None], wave=WAVE, ivar=(WAVE > 4200.0)[None] * 1.0)).any()


def test_copies_are_joined_and_said():
    rows = [RISING, RISING + 1, RISING, RISING**2, RISING + 1, 0 * RISING, 0 * RISING]
    spectra = Spectra(np.array(rows), wave=WAVE, meta={"file": list("abcdefg")})
    groups = np.array(["x", "y", "z", "z", "w", "u", "v"])
    joined, note = join_copies(spectra, groups)
    assert note == (
        "4 spectra have the same flux as another, such as a and c; copies stay together in one fold."
    )
    # a with c, and so with d of c's group; b with e; dead fibres are alike but not copies
    together = joined[:, None] == joined
    expected = np.eye(7, dtype=bool)
    for group in ([0, 2, 3], [1, 4]):
        expected[np.ix_(group, group)] = True
    np.testing.assert_array_equal(together, expected)


def test_without_copies_groups_are_as_given():
    spectra = Spectra(np.array([RISING, RISING + 1]), wave=WAVE)
    groups = np.array([5, 9])
    same, note = join_copies(spectra, groups)
    assert same is groups
    assert note == ""


@pytest.mark.parametrize("groups", ["none", "sky"])
def test_prepared_spectra(groups):
    rows = [RISING + k for k in range(4)] + [RISING, 0 * RISING]
    meta = {"kind": ["a", "b", "a", "b", "a", "b"], "ra": np.arange(6) * 10.0, "dec": np.zeros(6)}
    data = prepare_spectra(
        Spectra(np.array(rows), wave=WAVE, meta=meta), labels="kind", min_class_size=1, groups=groups
    )
    assert data.groups[0] == data.groups[4]
    assert len(np.unique(data.groups)) == 5
    assert data.grouping.endswith(
        "2 spectra have the same flux as another; copies stay together in one fold."
    )
    assert data.n_dead == 1
