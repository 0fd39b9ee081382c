import numpy as np
import pytest

from skspec.spectra import air_to_vacuum, pixel_edges, vacuum_to_air

# Vacuum and air wavelengths of lines: NIST Atomic Spectra Database (H-beta, H-alpha: multiplet means; Na D; Ca II).
LINES = [
    (4862.683, 4861.325),
    (6564.61, 6562.80),
    (5891.583, 5889.951),
    (8544.44, 8542.09),
    (3934.77, 3933.66),
]


@pytest.mark.parametrize(("vacuum", "air"), LINES)
def test_known_lines(vacuum, air):
    assert vacuum_to_air(np.array([vacuum]))[0] == pytest.approx(air, abs=0.012)
    assert air_to_vacuum(np.array([air]))[0] == pytest.approx(vacuum, abs=0.012)


def test_agrees_with_specutils_ciddor():
    spectral = pytest.importorskip("specutils.utils.wcs_utils")
    from astropy import units as u

    wave = np.linspace(3000.0, 24000.0, 500)
    theirs = spectral.vac_to_air(wave * u.AA, method="Ciddor1996").value
    np.testing.assert_allclose(vacuum_to_air(wave), theirs, rtol=1e-7)


def test_round_trip_is_exact_to_rounding():
    wave = np.geomspace(1000.0, 30000.0, 10_000)
    wave = wave[(wave < 1999.3) | (wave >= 2000)]  # without an inverse within the jump of the scale
    np.testing.assert_allclose(air_to_vacuum(vacuum_to_air(wave)), wave, rtol=1e-15)
    assert (vacuum_to_air(wave[wave < 2000]) == wave[wave < 2000]).all()


def test_pixel_edges():
    np.testing.assert_allclose(pixel_edges(np.array([1.0, 2.0, 4.0])), [0.75, 1.5, 3.0, 6.0])
    long = 10 ** (3.5 + 1e-4 * np.arange(100))
    np.testing.assert_allclose(pixel_edges(long[20:80]), pixel_edges(long)[20:81], rtol=1e-15)
