"""Drawing the objects of a survey and observing them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._extinction import extinction_law
from skspec.datasets._galaxies import Galaxies
from skspec.datasets._mk_calibration import SPECTRAL_CLASSES
from skspec.datasets._population import Population
from skspec.datasets._quasars import Quasars
from skspec.datasets._spectrograph import Spectrograph, lost_pixels
from skspec.datasets._stars import Stars, survey_mixture
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

_BLOCK = 64  # spectra computed together: their working set fits the cache


@dataclass(frozen=True)
class Visits:
    """Circumstances of each observation, arrays of shape (n_visits,).

    Attributes
    ----------
    objects : ndarray of int
        Which object is observed, counting through all populations in order.
    reddening : ndarray
        E(B-V) of Galactic dust in mag.
    brightness : ndarray
        Mean flux over the grid.
    snr, sky, airmass : ndarray
        Median signal-to-noise ratio per pixel, brightness of the sky over its mean, and airmass.
    """

    objects: IndexArray
    reddening: FloatArray
    brightness: FloatArray
    snr: FloatArray
    sky: FloatArray
    airmass: FloatArray


def draw_objects(
    names: list[str], counts: IndexArray, repeats: float, rng: np.random.RandomState
) -> tuple[list[Population], IndexArray]:
    """Draw the objects of each class, and which of them each spectrum shows.

    Returns
    -------
    populations : list of Population
    objects : ndarray of int, shape (counts.sum(),)
        Index of an object, counting through all populations in order.
    """
    populations: list[Population] = []
    letters: list[NDArray[np.str_]] = []
    objects: dict[str, list[IndexArray]] = {"STAR": [], "GALAXY": [], "QSO": []}
    numbers = {"STAR": 0, "GALAXY": 0, "QSO": 0}
    for name, count in zip(names, counts, strict=True):
        n_objects = max(int(count) - round(repeats * int(count)), min(int(count), 1))
        kind = "STAR" if name in SPECTRAL_CLASSES else name
        if kind == "STAR":
            letters.append(survey_mixture(n_objects, rng) if name == "STAR" else np.full(n_objects, name))
        again = rng.randint(n_objects, size=count - n_objects) if n_objects else np.empty(0, dtype=np.intp)
        objects[kind].append(numbers[kind] + np.concatenate([np.arange(n_objects), again]).astype(np.intp))
        numbers[kind] += n_objects
    shown = []
    before = 0
    for kind, indices in objects.items():
        if not numbers[kind]:
            continue
        if kind == "STAR":
            populations.append(Stars(np.concatenate(letters), rng))
        else:
            populations.append((Galaxies if kind == "GALAXY" else Quasars)(numbers[kind], rng))
        shown.append(before + np.concatenate(indices))
        before += numbers[kind]
    return populations, np.concatenate(shown)


def observe(
    populations: list[Population],
    visits: Visits,
    spectrograph: Spectrograph,
    *,
    missing: float | None,
    seed: int,
    rows: IndexArray,
) -> tuple[Float32Array, Float32Array | None]:
    """Observe all visits.

    Parameters
    ----------
    populations : list of Population
        The objects.
    visits : Visits
        What is observed when, population after population.
    spectrograph : Spectrograph
        The instrument.
    missing : float or None
        Share of pixels to lose; None for spectra without noise and losses.
    seed : int
        Of the noise.
    rows : ndarray of int, shape (n_visits,)
        Where the spectrum of each visit goes in the result.

    Returns
    -------
    flux, ivar : ndarray of shape (n_visits, n_pixels)
        `ivar` is None without noise.
    """
    shape = (len(rows), len(spectrograph.wave))
    flux = np.empty(shape, dtype=np.float32)
    ivar = None if missing is None else np.empty(shape, dtype=np.float32)
    dust = (-0.4 * np.log(10.0) * 3.1 * extinction_law(spectrograph.wave)).astype(np.float32)
    before = 0
    for population in populations:
        members = np.flatnonzero((visits.objects >= before) & (visits.objects < before + len(population)))
        for start in range(0, len(members), _BLOCK):
            block = members[start : start + _BLOCK]
            truth = _light(population, visits.objects[block] - before, spectrograph)
            truth *= np.exp(visits.reddening[block, None].astype(np.float32) * dust)
            truth *= (visits.brightness[block] / truth.mean(axis=1))[:, None].astype(np.float32)
            if ivar is not None and missing is not None:
                # seeded by the block, so that it matters to no spectrum how many others there are before it
                rng = np.random.Generator(np.random.SFC64([seed, int(block[0])]))
                variance = spectrograph.variance(
                    truth, snr=visits.snr[block], sky=visits.sky[block], airmass=visits.airmass[block]
                )
                truth += np.sqrt(variance) * rng.standard_normal(truth.shape, dtype=np.float32)
                inverse = np.float32(1.0) / variance
                lost = lost_pixels(truth.shape, missing, rng)
                truth[lost], inverse[lost] = np.nan, 0.0
                ivar[rows[block]] = inverse
            flux[rows[block]] = truth
        before += len(population)
    return flux, ivar


def _light(population: Population, members: IndexArray, spectrograph: Spectrograph) -> Float32Array:
    """Flux of objects as the spectrograph resolves it, shape (len(members), n_pixels)."""
    first, fraction = spectrograph.first_sample(population.catalogue["z"][members])
    samples = population.samples(members, first, spectrograph.n_samples)
    return spectrograph.expose(samples, fraction, population.broadening[members])
