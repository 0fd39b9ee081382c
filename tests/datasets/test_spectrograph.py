"""Resolution, redshift and sampling of the simulated spectrograph, compared with closed forms."""

import numpy as np
import pytest

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._photosphere._synthesis import LOG_START, LOG_STEP
from skspec.datasets._population import add_line
from skspec.datasets._spectrograph import Conditions, Spectrograph, lost_pixels, sky_brightness, throughput

WAVE = 10.0 ** (3.56 + 1e-4 * np.arange(4000))


def observe_line(*, rest, z, sigma, resolution, wave=WAVE, broadening=0.0):
    """Return the spectrum of one emission line of unit flux without continuum."""
    spectrograph = Spectrograph(wave, resolution)
    first, fraction = spectrograph.first_sample(np.array([z]))
    samples = np.zeros((1, spectrograph.n_samples), dtype=np.float32)
    add_line(samples, first, wave=np.array([rest]), sigma=np.array([sigma]), strength=np.ones(1))
    return spectrograph.expose(samples, fraction, np.array([broadening]))[0].astype(float)


@pytest.mark.parametrize("resolution", [500.0, 2000.0])
@pytest.mark.parametrize(
    ("rest", "z"), [(6564.61, 0.0), (5008.24, 0.2137), (1549.0, 2.4), (4862.68, -0.0007)]
)
def test_a_line_is_a_gaussian_of_the_stated_width_where_redshift_puts_it(rest, z, resolution):
    sigma, broadening = 100.0, 150.0
    flux = observe_line(rest=rest, z=z, sigma=sigma, resolution=resolution, broadening=broadening)
    instrument = LIGHT_SPEED / resolution / np.sqrt(8 * np.log(2))
    width = np.sqrt(sigma**2 + broadening**2 + instrument**2) / LIGHT_SPEED
    x = np.log(WAVE / (rest * (1 + z)))
    expected = np.exp(-0.5 * (x / width) ** 2)
    np.testing.assert_allclose(flux / flux.max(), expected / expected.max(), atol=4e-3)
    # flux per Å and wavelength both in the rest frame
    assert np.trapezoid(flux, WAVE / (1 + z)) == pytest.approx(1.0, rel=2e-3)


def test_any_grid_samples_the_same_line():
    fine = observe_line(rest=5008.24, z=0.1, sigma=120.0, resolution=1500.0)
    for wave in (
        np.linspace(4000.0, 7000.0, 2718),
        np.sort(np.random.default_rng(0).uniform(5000, 6000, 800)),
    ):
        other = observe_line(rest=5008.24, z=0.1, sigma=120.0, resolution=1500.0, wave=wave)
        np.testing.assert_allclose(other, np.interp(wave, WAVE, fine), atol=0.03 * fine.max())


def test_exposure_reaches_the_signal_to_noise_ratio():
    spectrograph = Spectrograph(WAVE, 2000.0)
    slopes, levels = np.linspace(-3, 3, 20, dtype=np.float32), np.geomspace(0.5, 500.0, 20, dtype=np.float32)
    flux = levels[:, None] * (WAVE / 6000.0).astype(np.float32) ** slopes[:, None]
    snr = np.linspace(2.0, 100.0, 20)
    variance = spectrograph.variance(flux, Conditions(snr, np.ones(20), np.full(20, 1.2)))
    np.testing.assert_allclose(np.median(flux / np.sqrt(variance), axis=1), snr, rtol=0.02)


def test_faint_objects_are_limited_by_the_sky():
    spectrograph = Spectrograph(WAVE, 2000.0)
    flux = np.array([[0.1], [1e4]], dtype=np.float32) * np.ones(len(WAVE), dtype=np.float32)
    variance = spectrograph.variance(flux, Conditions(np.full(2, 10.0), np.ones(2), np.ones(2)))
    line, beside = (np.argmin(np.abs(WAVE - w)) for w in (5578.9, 5550.0))
    faint, bright = variance[:, line] / variance[:, beside]
    assert faint > 5
    assert bright < 1.1


def test_throughput_and_sky():
    wave = np.linspace(3500.0, 10500.0, 7001)
    assert 0 < throughput(wave).min() < throughput(wave).max() <= 1
    assert 6300 < wave[np.argmax(throughput(wave))] < 8500
    assert wave[np.argmax(sky_brightness(wave, 2000.0))] == pytest.approx(5578.9, abs=1.0)


def test_missing_pixels_are_in_short_and_long_gaps():
    lost = lost_pixels((2000, 1000), 0.1, np.random.default_rng(0))
    assert lost.mean() == pytest.approx(0.1, rel=0.05)
    edges = np.flatnonzero(np.diff(np.pad(lost, ((0, 0), (1, 1))).astype(np.int8).ravel()))
    lengths = np.diff(edges)[::2]
    assert np.median(lengths) == 3
    assert (lengths >= 50).any()
    assert not lost_pixels((10, 100), 0.0, np.random.default_rng(0)).any()


def test_lines_outside_the_window_are_left_out():
    samples = np.zeros((2, 100), dtype=np.float32)
    first = np.array([0, 5000])
    edge = 10.0 ** (LOG_START + LOG_STEP * 5000)
    add_line(samples, first, wave=np.full(2, edge), sigma=np.full(2, 100.0), strength=np.ones(2))
    assert not samples[0].any()
    assert samples[1, 0] > samples[1, 1] > 0
