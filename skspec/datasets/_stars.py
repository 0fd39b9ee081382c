"""Simulated stars: MK types, physical parameters and spectra."""

import numpy as np
from numpy.typing import NDArray

from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._library import StarMixer
from skspec.datasets._mk_calibration import (
    LUMINOSITY_CLASSES,
    physical_parameters,
    type_number,
)
from skspec.datasets._population import Population
from skspec.datasets._types import Float32Array, IndexArray

# Shares among the 279,098 classified stars of the eBOSS quasar survey
SURVEY_SHARES = {"O": 0.006, "B": 0.036, "A": 0.127, "F": 0.397, "G": 0.111, "K": 0.160, "M": 0.163}
_LUMINOSITY_SHARES = (0.10, 0.05, 0.25, 0.10, 0.50)
_SUBTYPES = {"O": (4, 9), "B": (0, 9), "A": (0, 9), "F": (0, 9), "G": (0, 9), "K": (0, 9), "M": (0, 7)}


class Stars(Population):
    """Stars of given spectral classes, O to M.

    Subtype, luminosity class, scatter about the MK calibration, metallicity, velocity and rotation are random.
    """

    def __init__(self, spectral_class: NDArray[np.str_], rng: np.random.RandomState) -> None:
        n = len(spectral_class)
        lowest, highest = np.array([_SUBTYPES[letter] for letter in spectral_class]).reshape(n, 2).T
        subtype = lowest + (rng.uniform(size=n) * (highest - lowest + 1)).astype(int)
        luminosity = rng.choice(5, size=n, p=_LUMINOSITY_SHARES)
        numbers = np.array([type_number(*pair) for pair in zip(spectral_class, subtype, strict=True)])
        cool_subgiant = (luminosity == 3) & (numbers > type_number("K", 2))  # cooler subgiants do not exist
        luminosity[cool_subgiant] = 4
        teff, logg = physical_parameters(numbers + rng.uniform(-0.5, 0.5, size=n), luminosity)
        teff *= np.exp(rng.normal(0.0, 0.01, size=n))
        logg += rng.normal(0.0, 0.1, size=n)
        young = numbers < type_number("F", 5)
        halo = ~young & (rng.uniform(size=n) < 0.1)
        feh = np.clip(rng.normal(np.where(halo, -1.2, -0.1), np.where(halo, 0.4, 0.2)), -2.0, 0.4)
        # rotation is fast in young dwarfs, slow in evolved and cool stars; its standard deviation is half of v sin i
        typical = np.where(young, np.where(luminosity >= 3, 130.0, 60.0), 5.0)
        rotation = np.abs(rng.normal(typical, 0.4 * typical))
        velocity = rng.normal(0.0, np.where(halo, 150.0, 40.0))

        names = np.array(LUMINOSITY_CLASSES)[luminosity]
        subclass = [f"{s}{int(t)}{name}" for s, t, name in zip(spectral_class, subtype, names, strict=True)]
        super().__init__(
            "STAR",
            z=velocity / LIGHT_SPEED,
            broadening=rotation / 2.0,
            subclass=subclass,
            spectral_class=np.asarray(spectral_class, dtype=str),
            lum_class=names,
            teff=teff,
            logg=logg,
            feh=feh,
        )
        self._mixer = StarMixer(teff, logg, feh)

    def samples(self, rows: IndexArray, first: IndexArray, n_samples: int) -> Float32Array:
        """Return the surface flux per Å; see `Population.samples`."""
        return self.windows(self._mixer(rows), first, n_samples)


def survey_mixture(n: int, rng: np.random.RandomState) -> NDArray[np.str_]:
    """Draw spectral classes in the proportions of a survey."""
    shares = np.array(list(SURVEY_SHARES.values()))
    return rng.choice(np.array(list(SURVEY_SHARES)), size=n, p=shares / shares.sum())
