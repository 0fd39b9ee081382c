import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import StdDevUncertainty

from skspec import Spectra

specutils = pytest.importorskip("specutils")
WAVE = np.linspace(4000.0, 5000.0, 11)


@pytest.mark.parametrize("own_grids", [False, True])
def test_round_trip(own_grids):
    flux = np.arange(22.0, dtype=np.float32).reshape(2, 11)
    ivar = np.ones((2, 11), dtype=np.float32)
    ivar[1, 4] = 0
    wave = [WAVE, WAVE + 1] if own_grids else WAVE
    spectra = Spectra(list(flux) if own_grids else flux, wave=wave, ivar=ivar, meta={"object": ["a", "b"]})
    back = Spectra.from_specutils(spectra.to_specutils())
    assert back.is_common_grid is not own_grids
    for k in range(2):
        np.testing.assert_array_equal(back.flux[k], flux[k])
        np.testing.assert_array_equal(back.ivar[k], ivar[k])
    np.testing.assert_array_equal(back.wave[0] if own_grids else back.wave, WAVE)
    if own_grids:
        assert back.meta["object"].tolist() == ["a", "b"]


def test_uncertainty_mask_unit_and_frequency_axis():
    unit = u.Unit("erg s-1 cm-2 AA-1")
    mask = np.arange(11) == 2
    one = specutils.Spectrum(
        flux=np.ones(11) * unit,
        spectral_axis=WAVE / 10 * u.nm,
        uncertainty=StdDevUncertainty(np.full(11, 0.5)),
        mask=mask,
    )
    spectra = Spectra.from_specutils(one)
    assert spectra.flux_unit == unit
    np.testing.assert_allclose(spectra.ivar[0], np.where(mask, 0, 4.0))
    frequency = specutils.Spectrum(
        flux=np.arange(11.0) * unit, spectral_axis=(WAVE * u.AA).to(u.THz, u.spectral())
    )
    turned = Spectra.from_specutils([frequency])
    np.testing.assert_allclose(turned.wave, WAVE, rtol=1e-12)
    np.testing.assert_array_equal(turned.flux[0], np.arange(11.0))
