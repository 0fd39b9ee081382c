"""The simulated survey spectrograph: resolution, pixels, noise and missing pixels."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._photosphere._synthesis import LOG_START, LOG_STEP
from skspec.datasets._population import SAMPLE_VELOCITY
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

WAVE_LIMITS = (3000.0, 11000.0)  # Å, where sky and throughput are defined
ZERO_MAGNITUDE = 3.631e8  # flux of STMAG 0 in 1e-17 erg s-1 cm-2 Å-1

_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
_PADDING = 64

# Night-sky emission lines: vacuum wavelength in Å, peak relative to the sky continuum at 6000 Å. Mercury,
# oxygen, sodium and the brightest lines of OH (Osterbrock & Martel 1992, PASP 104, 76; Osterbrock et al. 1996,
# PASP 108, 277).
_SKY_LINES = (
    (4047.7, 0.5), (4359.6, 1.5), (5462.3, 1.2), (5578.9, 25.0), (5891.6, 4.0), (5897.6, 2.5), (6302.0, 10.0),
    (6365.5, 3.5), (6865.9, 3.0), (6925.1, 3.5), (7278.4, 5.0), (7318.3, 6.0), (7342.9, 6.0), (7573.8, 4.0),
    (7752.8, 9.0), (7796.3, 10.0), (7823.7, 8.0), (7915.9, 9.0), (7966.8, 9.0), (7995.5, 10.0), (8027.9, 6.0),
    (8346.9, 9.0), (8401.5, 11.0), (8432.5, 12.0), (8467.7, 10.0), (8495.7, 8.0), (8780.7, 10.0), (8829.5, 16.0),
    (8838.4, 11.0), (8852.3, 9.0), (8870.0, 7.0), (8888.3, 15.0), (8905.6, 8.0), (8922.1, 14.0), (8945.9, 9.0),
    (8960.6, 12.0), (9378.5, 10.0), (9442.3, 11.0), (9461.3, 8.0), (9479.5, 8.0), (9505.6, 10.0), (9555.2, 9.0),
    (9722.5, 8.0), (9794.2, 9.0), (9874.8, 10.0), (9917.4, 10.0), (10015.0, 8.0), (10085.0, 8.0), (10127.0, 8.0),
    (10290.0, 10.0), (10376.0, 10.0), (10440.0, 10.0), (10760.0, 9.0), (10846.0, 12.0),
)  # fmt: skip
# Absorption by the Earth's atmosphere at the zenith: wavelength in Å, width in Å, depth
_TELLURIC = (
    (6880.0, 15.0, 0.20), (7190.0, 40.0, 0.12), (7620.0, 25.0, 0.45), (8170.0, 60.0, 0.10), (8990.0, 60.0, 0.15),
    (9350.0, 90.0, 0.45), (9550.0, 80.0, 0.30),
)  # fmt: skip

# Flux density units are 1e-17 erg s-1 cm-2 Å-1
_SKY_CONTINUUM = 5.0  # within a fibre of 2 arcsec, about 19.5 mag
_READ_NOISE = 0.4  # standard deviation of the readout in units of flux, for an exposure of unit time
_EFFECTIVE_AREA = 0.1  # counts per pixel, unit flux and unit time at full throughput
_DEFECT_WIDTH, _GAP_WIDTH = 3, 0.05  # in pixels; as a fraction of the pixels


def sky_brightness(wave: FloatArray, resolution: float) -> FloatArray:
    """Return the flux of the night sky in a fibre at the resolution of the spectrograph."""
    sky = 0.8 + 0.4 * (wave / 6000.0) ** 2
    for centre, peak in _SKY_LINES:
        sky += peak * np.exp(-0.5 * ((wave - centre) / (centre / resolution / _FWHM)) ** 2)
    return _SKY_CONTINUUM * sky


def throughput(wave: FloatArray) -> FloatArray:
    """Return the throughput of telescope, fibre, grating and detector relative to its maximum."""
    blue = 1.0 / (1.0 + np.exp(-(wave - 4000.0) / 220.0))
    red = 1.0 / (1.0 + np.exp((wave - 9500.0) / 350.0))
    dichroic = 1.0 - 0.25 * np.exp(-0.5 * ((wave - 6050.0) / 120.0) ** 2)
    return np.maximum(blue * red * dichroic, 0.01)


def atmospheric_extinction(wave: FloatArray) -> FloatArray:
    """Return the extinction of the Earth's atmosphere in magnitudes per airmass: Rayleigh, aerosols, bands."""
    magnitudes = 0.10 * (wave / 5500.0) ** -4 + 0.05
    for centre, width, depth in _TELLURIC:
        magnitudes += -2.5 * np.log10(1.0 - depth) * np.exp(-0.5 * ((wave - centre) / width) ** 2)
    return magnitudes


@dataclass(frozen=True)
class Conditions:
    """Conditions of each exposure."""

    snr: FloatArray  # median per pixel
    sky: FloatArray  # brightness relative to the mean
    airmass: FloatArray

    @classmethod
    def draw(cls, n: int, snr: tuple[float, float], rng: np.random.RandomState) -> Self:
        """Draw conditions, with S/N uniform in its logarithm between two limits."""
        return cls(
            snr=np.clip(np.exp(rng.uniform(np.log(snr[0]), np.log(snr[1]), size=n)), *snr),
            sky=np.exp(rng.normal(0.0, 0.25, size=n)),
            airmass=1.0 + np.abs(rng.normal(0.0, 0.25, size=n)),
        )

    def __getitem__(self, rows: IndexArray | slice) -> Self:
        return type(self)(self.snr[rows], self.sky[rows], self.airmass[rows])


class Spectrograph:
    """A fibre spectrograph that delivers flux-calibrated spectra on one wavelength grid.

    Parameters
    ----------
    wave : ndarray of shape (n_pixels,)
        Vacuum wavelengths of the pixels in Å.
    resolution : float
        Wavelength over the full width at half maximum of an unresolved line, including the effect of the pixels.
    """

    def __init__(self, wave: FloatArray, resolution: float) -> None:
        self.wave = wave
        self._sigma = LIGHT_SPEED / resolution / _FWHM / SAMPLE_VELOCITY
        position = (np.log10(wave) - np.log10(wave[0])) / LOG_STEP + 1.0
        self._first = (np.log10(wave[0]) - LOG_START) / LOG_STEP - 1.0 - _PADDING
        self.n_samples = int(fft.next_fast_len(int(position[-1]) + 3 + 2 * _PADDING, real=True))
        self._frequency = fft.rfftfreq(self.n_samples).astype(np.float32)

        # cubic Lagrange interpolation between the samples
        self._sample = position.astype(np.intp) + _PADDING
        t = position - position.astype(np.intp)
        self._weights = np.stack(
            [
                -t * (t - 1.0) * (t - 2.0) / 6.0,
                (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
                -(t + 1.0) * t * (t - 2.0) / 2.0,
                (t + 1.0) * t * (t - 1.0) / 6.0,
            ]
        ).astype(np.float32)

        self._sky = sky_brightness(wave, resolution).astype(np.float32)
        width = np.gradient(wave) if len(wave) > 1 else np.ones(1)
        self._counts = (_EFFECTIVE_AREA * throughput(wave) * wave / 6000.0 * width).astype(np.float32)
        self._extinction = (0.4 * np.log(10.0) * atmospheric_extinction(wave)).astype(np.float32)

    def first_sample(self, z: FloatArray) -> tuple[IndexArray, FloatArray]:
        """Return the first sample of an object at redshift z: index on the grid of the models, and fraction."""
        position = self._first - np.log10(1.0 + z) / LOG_STEP
        index = np.floor(position).astype(np.intp)
        return index, position - index

    def expose(self, samples: Float32Array, fraction: FloatArray, broadening: FloatArray) -> Float32Array:
        """Return noise-free spectra: smoothed, redshifted and sampled on the pixels.

        `samples`, of shape (n, n_samples), has the flux in steps of `LOG_STEP` from the index given by `first_sample`,
        and `fraction` is the fraction given by it. `broadening` is the standard deviation in km/s of the velocities in
        the source.
        """
        f = self._frequency
        variance = self._sigma**2 + (broadening / SAMPLE_VELOCITY) ** 2
        damping = np.exp(np.float32(-2.0 * np.pi**2) * f**2 * variance[:, None].astype(np.float32))
        phase = (2.0 * np.pi * fraction[:, None]).astype(np.float32) * f
        transform = fft.rfft(samples, axis=1)
        transform *= damping * (np.cos(phase) + np.complex64(1j) * np.sin(phase))
        smooth = fft.irfft(transform, n=self.n_samples, axis=1, overwrite_x=True)
        pixels = smooth[:, self._sample - 1] * self._weights[0]
        for offset, weight in enumerate(self._weights[1:]):
            pixels += smooth[:, self._sample + offset] * weight
        return pixels

    def variance(self, flux: Float32Array, conditions: Conditions) -> Float32Array:
        """Return the variance of flux, from the photons of object and sky and from readout, at the given S/N.

        The exposure time is the median over the pixels of the time needed to reach this S/N: half of the pixels reach it.
        """
        signal = np.maximum(flux, np.float32(0.0))
        background = self._sky * conditions.sky[:, None].astype(np.float32)
        rate = self._counts * np.exp(-self._extinction * conditions.airmass[:, None].astype(np.float32))
        some = slice(None, None, max(1, flux.shape[1] // 500))
        s2 = (conditions.snr[:, None] ** 2).astype(np.float64)
        object_, total = signal[:, some].astype(np.float64), (signal + background)[:, some]
        object_ = np.maximum(object_, 1e-6)
        root = np.sqrt((s2 * total) ** 2 + 4.0 * s2 * (_READ_NOISE * object_) ** 2)
        time = np.median((s2 * total + root) / (2.0 * object_**2 * rate[:, some]), axis=1)
        per_count = 1.0 / (rate * time[:, None].astype(np.float32))
        return (signal + background) * per_count + (np.float32(_READ_NOISE) * per_count) ** 2

    def measure(
        self, flux: Float32Array, conditions: Conditions, *, missing: float, rng: np.random.Generator
    ) -> tuple[Float32Array, Float32Array]:
        """Add noise and missing pixels to flux, and return it with its inverse variance."""
        variance = self.variance(flux, conditions)
        noisy = flux.copy()
        noisy += np.sqrt(variance) * rng.standard_normal(flux.shape, dtype=np.float32)
        lost = lost_pixels(flux.shape, missing, rng)
        ivar: Float32Array = np.float32(1.0) / variance
        noisy[lost], ivar[lost] = np.nan, 0.0
        return noisy, ivar


def lost_pixels(shape: tuple[int, int], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw the missing pixels: half of them in short defects, half in long gaps of a few spectra."""
    n, p = shape
    lost = np.zeros(shape, dtype=bool)
    expected = -0.5 * np.log1p(-share) * n * p  # pixels of either kind, counting overlaps twice
    for width in (_DEFECT_WIDTH, max(1, round(_GAP_WIDTH * p))):
        n_hits = rng.poisson(expected / width)
        rows, starts = rng.integers(n, size=n_hits), rng.integers(1 - width, p, size=n_hits)
        at = np.clip(starts[:, None] + np.arange(width), 0, p - 1)
        lost[rows[:, None], at] = True
    return lost
