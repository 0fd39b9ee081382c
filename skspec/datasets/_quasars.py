"""Simulated quasars: broken power law, broad and narrow lines, blended iron, the Lyman alpha forest.

Continuum, equivalent widths and line widths: the composite of Vanden Berk et al. (2001, AJ 122, 549). Balmer
continuum: Grandi (1982, ApJ 255, 25). Forest: Faucher-Giguere et al. (2008, ApJ 681, 831).
"""

import numpy as np

from skspec.datasets._constants import HC_K, LIGHT_SPEED
from skspec.datasets._photosphere._synthesis import LOG_START, LOG_STEP
from skspec.datasets._population import Population, add_line, refine
from skspec.datasets._types import Float32Array, FloatArray, FloatLike, IndexArray

# vacuum wavelength (Å), equivalent width (Å), sigma (km/s) of broad lines and blends
_BROAD = (
    (1033.8, 9.8, 2300.0), (1215.67, 75.0, 3300.0), (1240.1, 18.0, 3200.0), (1305.4, 1.7, 1300.0),
    (1336.6, 0.7, 900.0), (1399.8, 8.1, 3100.0), (1549.1, 23.8, 2800.0), (1640.4, 4.0, 4000.0),
    (1857.4, 0.8, 1500.0), (1905.0, 21.2, 3700.0), (2076.0, 2.8, 3500.0), (2330.0, 2.0, 2500.0),
    (2480.0, 40.0, 11000.0), (2798.8, 25.0, 2300.0), (3000.0, 8.0, 6000.0), (4102.9, 5.1, 1700.0),
    (4341.7, 12.6, 2000.0), (4570.0, 18.0, 4500.0), (4862.7, 46.2, 2500.0), (5260.0, 16.0, 4500.0),
    (5877.3, 4.9, 1300.0), (6564.6, 194.5, 2200.0), (8448.0, 10.0, 2000.0),
)  # fmt: skip
# vacuum wavelength and equivalent width (Å) of narrow lines
_NARROW = (
    (3426.8, 1.0), (3728.5, 1.6), (3869.9, 1.4), (4341.7, 0.5), (4862.7, 1.5), (4960.3, 4.4), (5008.2, 13.2),
    (6549.9, 0.7), (6564.6, 5.0), (6585.3, 2.0), (6718.3, 1.6), (6732.7, 1.5),
)  # fmt: skip
_LYMAN_ALPHA, _LYMAN_LIMIT = 1215.67, 911.76
# samples of the forest: from below 3000 Å observed at the highest redshift to Lyman alpha
_FOREST_START, _FOREST_END = (int((np.log10(wave) - LOG_START) / LOG_STEP) for wave in (580.0, _LYMAN_ALPHA))
_WIND_LIMIT = 2000.0  # Å; winds blueshift the high-ionisation lines, which lie below it
_STRIDE = 8  # broad lines are computed on every eighth sample
_CORRELATION = 6  # correlation length of the forest in samples, about 200 km/s


def _continuum(log_wave: FloatLike) -> FloatArray:
    """Return the natural logarithm of the mean continuum per Å: power laws with breaks at 1000 and 5000 Å."""
    x = np.log(10.0) * (log_wave - np.log10(3000.0))
    breaks = np.log(np.array([1000.0, 5000.0]) / 3000.0)
    far_uv, blue, red = -0.3, -1.54, 0.42
    return np.where(
        x < breaks[0],
        blue * breaks[0] + far_uv * (x - breaks[0]),
        np.where(x > breaks[1], blue * breaks[1] + red * (x - breaks[1]), blue * x),
    )


class Quasars(Population):
    """Quasars between redshifts 0.2 and 4 with random properties."""

    def __init__(self, n: int, rng: np.random.RandomState) -> None:
        z = 0.2 + 3.8 * rng.beta(2.0, 2.4, size=n)
        self._slope = rng.normal(0.0, 0.3, size=n)
        width = np.exp(rng.normal(0.0, 0.25, size=n))
        strength = np.exp(rng.normal(0.0, 0.25, size=n))
        self._broad_width = width[:, None] * np.exp(rng.normal(0.0, 0.1, size=(n, len(_BROAD))))
        self._broad_strength = strength[:, None] * np.exp(rng.normal(0.0, 0.25, size=(n, len(_BROAD))))
        # km/s; winds blueshift the high-ionisation lines
        self._shift = -np.abs(rng.normal(0.0, 500.0, size=(n, len(_BROAD))))
        self._narrow_width = rng.uniform(150.0, 400.0, size=n)
        self._narrow_strength = np.exp(rng.normal(0.0, 0.5, size=n))
        self._balmer = rng.uniform(0.0, 0.3, size=n)
        self._forest_seed = rng.randint(2**31 - 1, size=n)
        self._limit = 1.0 / np.maximum(rng.exponential(1.0, size=n), 0.05)
        super().__init__("QSO", z=z, broadening=np.zeros(n), subclass="BROADLINE")

    def samples(self, rows: IndexArray, first: IndexArray, n_samples: int) -> Float32Array:
        """Return the flux per Å, 1 near 3000 Å; see `Population.samples`."""
        start, stop = int(first.min()), int(first.max()) + n_samples
        log_wave = LOG_START + LOG_STEP * np.arange(start, stop)
        window = (first - start)[:, None] + np.arange(n_samples)
        slope, hump = (a[rows, None].astype(np.float32) for a in (self._slope, self._balmer))
        x = (np.log(10.0) * log_wave - np.log(3000.0)).astype(np.float32)[window]
        flux = np.exp(_continuum(log_wave).astype(np.float32)[window] + slope * x)
        flux += hump * _balmer_continuum(10.0**log_wave).astype(np.float32)[window]

        broad = np.zeros((len(rows), n_samples // _STRIDE + 2), dtype=np.float32)
        for k, (wave, ew, sigma) in enumerate(_BROAD):
            shift = self._shift[rows, k] if wave < _WIND_LIMIT else np.zeros(len(rows))
            add_line(
                broad,
                first,
                wave=wave * (1.0 + shift / LIGHT_SPEED),
                sigma=sigma * self._broad_width[rows, k],
                strength=ew * self._broad_strength[rows, k] * self._level(rows, wave),
                stride=_STRIDE,
            )
        flux += refine(broad, _STRIDE, n_samples)
        for wave, ew in _NARROW:
            add_line(
                flux,
                first,
                wave=np.full(len(rows), wave),
                sigma=self._narrow_width[rows],
                strength=ew * self._narrow_strength[rows] * self._level(rows, wave),
            )
        for row, member in enumerate(rows):
            self._absorb(flux[row], int(first[row]), int(member))
        return flux

    def _level(self, rows: IndexArray, wave: float) -> FloatArray:
        """Return the continuum at one wavelength."""
        return np.exp(_continuum(np.log10(wave)) + self._slope[rows] * np.log(wave / 3000.0))

    def _absorb(self, flux: Float32Array, first: int, row: int) -> None:
        """Apply the absorption by intergalactic hydrogen, in place."""
        n_forest = min(_FOREST_END - first, len(flux))
        if n_forest <= 0:
            return
        wave = 10.0 ** (LOG_START + LOG_STEP * (first + np.arange(n_forest)))
        absorber = wave / _LYMAN_ALPHA * (1.0 + self.catalogue["z"][row])  # 1 + z of the hydrogen
        # drawn for the whole forest, so all observations show the same clouds on any grid
        rng = np.random.default_rng(self._forest_seed[row])
        smooth = np.cumsum(rng.standard_normal(_FOREST_END - _FOREST_START + _CORRELATION))
        density = (smooth[_CORRELATION:] - smooth[:-_CORRELATION]) / np.sqrt(_CORRELATION)
        depth = 0.0018 * absorber**3.92 * 0.8 * np.exp(1.2 * density[first - _FOREST_START :][:n_forest])
        beyond_limit = wave < _LYMAN_LIMIT
        depth[beyond_limit] += self._limit[row] * (wave[beyond_limit] / _LYMAN_LIMIT) ** 3
        flux[:n_forest] *= np.exp(-depth).astype(np.float32)


def _balmer_continuum(wave: FloatArray) -> FloatArray:
    """Return the optically thin Balmer continuum at 15,000 K, 1 at the edge at 3646 Å and smeared beyond it."""
    edge = 3646.0
    planck = (edge / wave) ** 5 * np.expm1(HC_K / (edge * 15000.0)) / np.expm1(HC_K / (wave * 15000.0))
    thin = planck * (wave / edge) ** 3
    return np.where(wave <= edge, thin, np.exp(-(((wave - edge) / 120.0) ** 2)))
