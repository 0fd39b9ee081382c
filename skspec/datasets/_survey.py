"""Draw the objects of a simulated survey and observe them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._extinction import log_transmission
from skspec.datasets._galaxies import Galaxies
from skspec.datasets._mk_calibration import SPECTRAL_CLASSES
from skspec.datasets._population import Population
from skspec.datasets._quasars import Quasars
from skspec.datasets._spectrograph import Conditions, Spectrograph
from skspec.datasets._stars import Stars, survey_mixture
from skspec.datasets._types import Float32Array, FloatArray, IndexArray

_BLOCK = 64  # spectra computed together, for arrays that fit the cache


@dataclass(frozen=True)
class Visits:
    """The observations of a survey; arrays of shape (n_visits,)."""

    objects: IndexArray  # index of the object in all populations together
    reddening: FloatArray  # E(B-V) of Galactic dust in mag
    brightness: FloatArray  # mean flux over the grid
    conditions: Conditions


def draw_objects(
    names: list[str], counts: IndexArray, repeats: float, rng: np.random.RandomState
) -> tuple[list[Population], IndexArray]:
    """Draw the objects of each class; also return the index of the object of each spectrum (see `Visits`)."""
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
    """Observe all `visits`, ordered by population, and return flux and ivar (None if `missing` is None, without noise).

    `missing` is the expected fraction of missing pixels, `seed` that of the noise, and `rows` the row of each visit in
    the result.
    """
    shape = (len(rows), len(spectrograph.wave))
    flux = np.empty(shape, dtype=np.float32)
    ivar = None if missing is None else np.empty(shape, dtype=np.float32)
    dust = log_transmission(spectrograph.wave).astype(np.float32)
    before = 0
    for population in populations:
        members = np.flatnonzero((visits.objects >= before) & (visits.objects < before + len(population)))
        for start in range(0, len(members), _BLOCK):
            block = members[start : start + _BLOCK]
            truth = _light(population, visits.objects[block] - before, spectrograph)
            truth *= np.exp(visits.reddening[block, None].astype(np.float32) * dust)
            truth *= (visits.brightness[block] / truth.mean(axis=1))[:, None].astype(np.float32)
            if ivar is not None and missing is not None:
                # seeded by block, so the noise of a spectrum does not depend on earlier spectra
                rng = np.random.Generator(np.random.SFC64([seed, int(block[0])]))
                truth, ivar[rows[block]] = spectrograph.measure(
                    truth, visits.conditions[block], missing=missing, rng=rng
                )
            flux[rows[block]] = truth
        before += len(population)
    return flux, ivar


def _light(population: Population, members: IndexArray, spectrograph: Spectrograph) -> Float32Array:
    """Return the noise-free flux of objects in the spectrograph, shape (len(members), n_pixels)."""
    first, fraction = spectrograph.first_sample(population.catalogue["z"][members])
    samples = population.samples(members, first, spectrograph.n_samples)
    return spectrograph.expose(samples, fraction, population.broadening[members])
