import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.utils.masked import Masked

from skspec.model_selection import sky_groups


def brute_force(ra, dec, radius):
    """Label propagation over all pairs closer than the radius."""
    sky = SkyCoord(ra, dec, unit="deg")
    near = sky[:, None].separation(sky[None, :]).arcsec < radius
    labels = np.arange(len(ra))
    while True:
        new = np.array([labels[row].min() for row in near])
        if (new == labels).all():
            return labels
        labels = new


@pytest.mark.parametrize("centre", [(0.0, 0.0), (120.0, 60.0), (359.9999, -30.0), (10.0, 89.9999)])
def test_agrees_with_all_pairs(centre):
    rng = np.random.default_rng(0)
    ra = (centre[0] + rng.normal(0, 3e-3, 150) / np.cos(np.deg2rad(centre[1]))) % 360
    dec = np.clip(centre[1] + rng.normal(0, 3e-3, 150), -90, 90)
    ours, truth = sky_groups(ra, dec, radius=3.0), brute_force(ra, dec, 3.0)
    assert ((ours[:, None] == ours) == (truth[:, None] == truth)).all()
    assert 1 < len(set(ours)) < 150


def test_chains_are_one_group_and_numbers_follow_first_appearance():
    ra = np.array([50.0, 10.0, 10.0 + 2 / 3600, 10.0 + 4 / 3600, 50.0])
    assert sky_groups(ra, np.zeros(5)).tolist() == [0, 1, 1, 1, 0]


def test_units():
    assert sky_groups([1.0, 1.0] * u.hourangle, [0.0, 0.0] * u.rad, radius=0.1 * u.arcmin).tolist() == [0, 0]


def test_missing_positions_are_groups_of_their_own():
    ra = np.ma.masked_array([1.0, 1.0, 1.0, 1.0], mask=[0, 1, 1, 0])
    with pytest.warns(UserWarning, match="2 of 4 spectra have no position"):
        groups = sky_groups(ra, np.zeros(4))
    assert groups.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "match"),
    [
        ([np.nan], [np.nan], 3, "no spectrum has a position"),
        ([0.0, 1.0], [0.0], 3, "ra has 2 values and dec 1"),
        ([0.0], [91.0], 3, "within ±90"),
        ([0.0], [0.0], 0, "radius must be positive"),
        ([[0.0]], [[0.0]], 3, "must be 1-D"),
    ],
)
def test_bad_input_is_named(ra, dec, radius, match):
    with pytest.raises(ValueError, match=match):
        sky_groups(ra, dec, radius=radius)


@pytest.mark.filterwarnings("ignore:2 of 4 spectra have no position")
def test_a_missing_position_is_not_what_lies_under_its_mask():
    lost = [False, True, False, True]
    dec = np.zeros(4)
    for ra in (
        Masked(np.ones(4), mask=lost),
        Masked(np.ones(4) * u.deg, mask=lost),
        [1.0, None, 1.0, np.nan],
    ):
        assert sky_groups(ra, dec).tolist() == [0, 1, 0, 2]
