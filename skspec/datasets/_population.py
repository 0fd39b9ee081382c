"""What stars, galaxies and quasars have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._photosphere._synthesis import LOG_START, LOG_STEP
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

SAMPLE_VELOCITY = LOG_STEP * np.log(10.0) * LIGHT_SPEED  # from one sample to the next, km/s


class Population(ABC):
    """Objects of one kind.

    Parameters
    ----------
    catalogue : mapping of str to ndarray of shape (n_objects,)
        What is known of them, the redshift ``z`` included.
    broadening : ndarray of shape (n_objects,)
        Standard deviation of the velocities within the object that smooth its spectrum, in km/s.
    """

    def __init__(self, catalogue: Mapping[str, NDArray], *, broadening: FloatArray) -> None:
        self.catalogue = dict(catalogue)
        self.broadening = broadening

    def __len__(self) -> int:
        return len(self.broadening)

    @abstractmethod
    def samples(self, rows: IndexArray, first: IndexArray, n_samples: int) -> Float32Array:
        """Flux per Å of some of the objects in their rest frame, in any unit.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Which objects.
        first : ndarray of int, shape (n,)
            Index of the first sample of each: sample i lies at log10(wave) = LOG_START + i LOG_STEP. Indices may
            be negative.
        n_samples : int
            How many samples.

        Returns
        -------
        ndarray of shape (n, n_samples)
        """

    @staticmethod
    def windows(spectra: Float32Array, first: IndexArray, n_samples: int) -> Float32Array:
        """Cut a window out of each row; beyond its ends the last value goes on."""
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
    """Add one Gaussian emission line to each row, in place.

    Parameters
    ----------
    flux : ndarray of shape (n, n_samples)
        Samples in the rest frame.
    first : ndarray of int, shape (n,)
        Index of their first sample.
    wave : ndarray of shape (n,)
        Centre in Å.
    sigma : ndarray of shape (n,)
        Width in km/s.
    strength : ndarray of shape (n,)
        Flux in the line.
    stride : int, default=1
        From one sample to the next, in steps of `LOG_STEP`.
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
    """Interpolate linearly between samples `stride` apart; row length at least n_samples / stride + 1."""
    share = np.arange(stride, dtype=np.float32) / np.float32(stride)
    fine = coarse[:, :-1, None] * (1 - share) + coarse[:, 1:, None] * share
    return fine.reshape(len(coarse), -1)[:, :n_samples]
