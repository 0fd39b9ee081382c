"""The extinction law, compared with independent implementations."""

import numpy as np
import pytest

from skspec.datasets._extinction import extinction_law


def test_values_for_average_dust():
    # the reference values for R_V = 3.1 of dust_extinction and of ccm_unred in the IDL Astronomy Library
    inverse_micron = np.array(
        [10.0, 9.0, 7.0, 6.0, 5.0, 4.6, 4.0, 3.0, 2.78, 2.27, 1.82, 1.43, 1.11, 0.8, 0.63, 0.46]
    )
    expected = [
        5.23835484, 4.13406452, 2.77962453, 2.52195399, 2.84252644, 3.18598916, 2.31531711, 1.64254927, 1.56880904,
        1.32257836, 1.0, 0.75125994, 0.47803460, 0.28206957, 0.19200814, 0.11572348,
    ]  # fmt: skip
    np.testing.assert_allclose(extinction_law(1e4 / inverse_micron), expected, rtol=1e-7)


def test_it_is_continuous_and_has_the_ultraviolet_bump():
    wave = np.linspace(1000.0, 30000.0, 290001)
    law = extinction_law(wave)
    assert np.abs(np.diff(law)).max() < 0.02
    bump = (wave > 2000) & (wave < 2400)
    assert wave[bump][np.argmax(law[bump])] == pytest.approx(
        2175, abs=25
    )  # the far-ultraviolet rise moves it


@pytest.mark.parametrize("rv", [2.5, 3.1, 5.0])
def test_ratio_of_total_to_selective_extinction(rv):
    blue, visual = extinction_law(1e4 / np.array([2.27, 1.82]), rv=rv)
    assert 1.0 / (blue - visual) == pytest.approx(rv, rel=0.01)
