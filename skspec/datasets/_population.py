"""Base class of the simulated stars, galaxies and quasars, and Gaussian emission lines."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._photosphere._synthesis import LOG_START, LOG_STEP
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

SAMPLE_VELOCITY = LOG_STEP * np.log(10.0) * LIGHT_SPEED  # km/s between neighbouring samples


class Population(ABC):
    """Objects of one class.

    Parameters
    ----------
    name : str
        Class of all objects.
    z, broadening : ndarray of shape (n_objects,)
        Redshift, and standard deviation in km/s of the internal velocities, which smooth the spectrum.
    **columns : scalar or ndarray of shape (n_objects,)
        Further properties in the dictionary `catalogue`: ``subclass``, and for stars ``spectral_class``, ``lum_class``,
        ``teff``, ``logg`` and ``feh``.
    """

    def __init__(self, name: str, *, z: FloatArray, broadening: FloatArray, **columns: Any) -> None:
        unknown = {"spectral_class": "", "lum_class": "", "teff": np.nan, "logg": np.nan, "feh": np.nan}
        values = {"class": name, "subclass": "", **unknown, **columns, "z": z}
        self.catalogue = {key: np.broadcast_to(value, z.shape) for key, value in values.items()}
        self.broadening = broadening

    def __len__(self) -> int:
        return len(self.broadening)

    @abstractmethod
    def samples(self, rows: IndexArray, first: IndexArray, n_samples: int) -> Float32Array:
        """Return the flux per Å of the objects `rows` in the rest frame, in arbitrary units, shape (n, n_samples).

        `first` is the index of the first sample of each object, and may be negative: sample i is at
        log10(wave) = LOG_START + i LOG_STEP.
        """

    @staticmethod
    def windows(spectra: Float32Array, first: IndexArray, n_samples: int) -> Float32Array:
        """Cut a window out of each row, which is padded with its first and last value."""
        at = np.clip(first[:, None] + np.arange(n_samples), 0, spectra.shape[1] - 1)
        return np.take_along_axis(spectra, at, axis=1)


def add_line(
    flux: Float32Array,
    first: IndexArray,
    *,
    wave: FloatArray,
    sigma: FloatArray,
    strength: FloatArray,
    stride: int = 1,
) -> None:
    """Add one Gaussian emission line to each row of rest-frame samples, in place.

    `first` is the index of the first sample of each row, `stride` the spacing of the samples in steps of `LOG_STEP`.
    Lines have central wavelengths in Å, standard deviations in km/s, and fluxes (`strength`).
    """
    centre = ((np.log10(wave) - LOG_START) / LOG_STEP - first) / stride
    width = np.maximum(sigma / (SAMPLE_VELOCITY * stride), 0.5)
    half = int(np.ceil(4.0 * width.max()))
    seen = np.flatnonzero((centre > -half) & (centre < flux.shape[1] + half))
    if not len(seen):
        return
    nearest = np.rint(centre[seen]).astype(np.intp)
    at = nearest[:, None] + np.arange(-half, half + 1)
    distance = ((at - centre[seen, None]) / width[seen, None]).astype(np.float32)
    wavelength_width = width * stride * SAMPLE_VELOCITY / LIGHT_SPEED * wave
    peak = (strength / (np.sqrt(2.0 * np.pi) * wavelength_width)).astype(np.float32)
    profile = peak[seen, None] * np.exp(np.float32(-0.5) * distance**2)
    inside = (at >= 0) & (at < flux.shape[1])
    flux[np.broadcast_to(seen[:, None], at.shape)[inside], at[inside]] += profile[inside]


def refine(coarse: Float32Array, stride: int, n_samples: int) -> Float32Array:
    """Interpolate linearly between samples `stride` apart; rows need n_samples / stride + 1 samples or more."""
    share = np.arange(stride, dtype=np.float32) / np.float32(stride)
    fine = coarse[:, :-1, None] * (1 - share) + coarse[:, 1:, None] * share
    return fine.reshape(len(coarse), -1)[:, :n_samples]
