"""`make_spectra`, which simulates a survey of stars, galaxies and quasars."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skspec.checks import check_choice
from skspec.datasets._checks import check_count, check_number, check_range
from skspec.datasets._mk_calibration import SPECTRAL_CLASSES
from skspec.datasets._spectrograph import WAVE_LIMITS, ZERO_MAGNITUDE, Conditions, Spectrograph
from skspec.datasets._survey import Visits, draw_objects, observe
from skspec.datasets._types import FloatArray, IndexArray
from skspec.spectra import Spectra, as_wave

Range = float | tuple[float, float]

_CLASSES = ("STAR", "GALAXY", "QSO", *SPECTRAL_CLASSES)
_LOG_FIRST, _N_PIXELS = 3.5563, 4438


def make_spectra(
    n_spectra: int = 1000,
    *,
    classes: str | Sequence[str] = ("STAR", "GALAXY", "QSO"),
    weights: ArrayLike | None = None,
    repeats: float = 0.2,
    wave: ArrayLike | None = None,
    resolution: float = 2000.0,
    snr: Range = (5.0, 30.0),
    ebv: Range = (0.0, 0.3),
    missing: float = 0.01,
    noise: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> Spectra:
    """Simulate a spectroscopic survey of stars, galaxies and quasars.

    Stars are synthesised from ionisation and excitation equilibrium in simple model atmospheres, galaxies are sums of
    such stars with dust and emission lines, and quasars follow the mean quasar spectrum and its scatter. Spectra are
    redshifted, reddened by Galactic dust, smoothed to the resolution of the spectrograph, and measured with photon, sky
    and detector noise.

    The spectra show the features used for classification, and thousands are simulated in seconds. They are not accurate
    enough to replace spectral libraries.

    Parameters
    ----------
    n_spectra : int, default=1000
        Number of spectra, including repeat observations.
    classes : sequence of str, default=("STAR", "GALAXY", "QSO")
        Classes to observe: ``"STAR"``, ``"GALAXY"``, ``"QSO"`` and the spectral classes ``"O"``, ``"B"``, ``"A"``,
        ``"F"``, ``"G"``, ``"K"``, ``"M"``. A string is one class, or several spectral classes, one per letter:
        ``classes="OBAFGKM"``. ``"STAR"`` mixes the spectral classes in the proportions of a survey.
    weights : array-like of shape (n_classes,), default=None
        Fraction of the spectra in each of `classes`; normalised to a sum of 1. None gives all classes the same weight.
        The numbers of spectra are exact, up to rounding.
    repeats : float, default=0.2
        Fraction of the spectra that are repeat observations of an object in the sample, 0 <= repeats < 1.
    wave : array-like of shape (n_pixels,), default=None
        Wavelength grid: vacuum Å, strictly increasing, between 3000 and 11,000. None gives 4438 pixels from 3600 to
        10,000 Å in steps of 1e-4 dex, as in the SDSS and BOSS surveys.
    resolution : float, default=2000.0
        Resolving power, wavelength over the full width at half maximum of an unresolved line, between 50 and 5000.
    snr : float or (float, float), default=(5.0, 30.0)
        Median signal-to-noise ratio per pixel. From a range, it is drawn log-uniformly for each spectrum.
    ebv : float or (float, float), default=(0.0, 0.3)
        Reddening E(B-V) by Galactic dust in mag. From a range, it is drawn uniformly for each object.
    missing : float, default=0.01
        Expected fraction of missing pixels, 0 <= missing <= 0.5: half of them in short defects, half in long gaps of a
        few spectra. Their inverse variance is 0 and their flux NaN.
    noise : bool, default=True
        Whether to add noise and missing pixels. False returns the noise-free flux of the same objects and ``ivar=None``.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator. Pass an int for reproducible spectra. NumPy's global generator is not used.

    Returns
    -------
    Spectra
        Flux in 1e-17 erg s-1 cm-2 Å-1 with inverse variances, on one grid, in random order. The columns of ``meta``:

        ``object``
            Name, the same for all observations of an object.
        ``class``
            ``"STAR"``, ``"GALAXY"`` or ``"QSO"``.
        ``subclass``
            MK type of a star, such as ``"G2V"``; ``"STARFORMING"``, ``"STARBURST"``, ``"AGN"`` or ``""`` for a galaxy;
            ``"BROADLINE"`` for a quasar.
        ``spectral_class``, ``lum_class``
            ``"O"`` to ``"M"`` and ``"I"`` to ``"V"``; empty for galaxies and quasars.
        ``teff``, ``logg``, ``feh``
            Effective temperature (K), log of the gravity (cm s-2) and metallicity (dex); NaN for galaxies and quasars.
        ``z``
            Redshift; for a star, its radial velocity over the speed of light.
        ``ra``, ``dec``
            Position in degrees, which varies by less than 1 arcsec between observations.
        ``ebv``, ``snr``
            Reddening (mag) and median signal-to-noise ratio per pixel, without noise.
        ``survey``
            ``"simulated"``.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    TypeError
        If `n_spectra` is not an integer.

    See Also
    --------
    skspec.io.read_spectra : Read real spectra.
    observe_spectra : Observe the stars of a library with the same spectrograph.

    Notes
    -----
    The flux of a star is that of a black body at the temperature where the total optical depth of continuum and lines is
    2/3 [1]_. Temperatures follow a grey atmosphere with line blanketing, pressures hydrostatic equilibrium,
    populations the equations of Saha and Boltzmann. Opacity comes from hydrogen, its negative ion, 5000 lines of
    helium and metals and the bands of six molecules. MK types are calibrated after [2]_; extinction follows [3]_,
    quasars [4]_. Each module of `skspec.datasets` cites its sources.

    References
    ----------
    .. [1] Gray, D. F. (2005), The Observation and Analysis of Stellar Photospheres, 3rd edition, Cambridge.
    .. [2] Pecaut, M. J. & Mamajek, E. E. (2013), ApJS 208, 9.
    .. [3] Cardelli, J. A., Clayton, G. C. & Mathis, J. S. (1989), ApJ 345, 245.
    .. [4] Vanden Berk, D. E., et al. (2001), AJ 122, 549.

    Examples
    --------
    >>> from skspec.datasets import make_spectra
    >>> spectra = make_spectra(12, random_state=0)
    >>> spectra.shape
    (12, 4438)
    >>> stars = make_spectra(6, classes="AGK", weights=[1, 1, 4], random_state=0)
    >>> sorted(stars.meta["spectral_class"].tolist())
    ['A', 'G', 'K', 'K', 'K', 'K']
    """
    names = _check_classes(classes)
    counts = _class_counts(check_count("n_spectra", n_spectra), len(names), weights)
    repeats = check_number("repeats", repeats, 0.0, 1.0, closed=False)
    resolution = check_number("resolution", resolution, 50.0, 5000.0)
    missing = check_number("missing", missing, 0.0, 0.5)
    snr_range = check_range("snr", snr, 0.01, 1e5)
    ebv_range = check_range("ebv", ebv, 0.0, 10.0)
    grid = _check_grid(wave)
    rng = check_random_state(random_state)

    populations, objects = draw_objects(names, counts, repeats, rng)
    n, n_objects = len(objects), sum(map(len, populations))
    reddening = rng.uniform(*ebv_range, size=n_objects)
    magnitude = rng.uniform(17.0, 20.5, size=n_objects)
    ra = rng.uniform(0.0, 360.0, size=n_objects)
    dec = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, size=n_objects)))
    visits = Visits(
        objects=objects,
        reddening=reddening[objects],
        brightness=ZERO_MAGNITUDE * 10.0 ** (-0.4 * magnitude[objects]),
        conditions=Conditions.draw(n, snr_range, rng),
    )
    east, north = np.clip(rng.normal(0.0, 0.1, size=(2, n)), -0.3, 0.3) / 3600.0  # fibre placement
    order = rng.permutation(n)
    flux, ivar = observe(
        populations,
        visits,
        Spectrograph(grid, resolution),
        missing=missing if noise else None,
        seed=int(rng.randint(2**31 - 1)),
        rows=np.argsort(order),
    )

    columns: dict[str, Any] = {"object": np.char.mod("SIM%06d", objects)}
    for name in populations[0].catalogue:
        columns[name] = np.concatenate([population.catalogue[name] for population in populations])[objects]
    columns["ra"] = (ra[objects] + east / np.maximum(np.cos(np.radians(dec[objects])), 1e-3)) % 360.0
    columns["dec"] = np.clip(dec[objects] + north, -90.0, 90.0)
    columns |= {"ebv": visits.reddening, "snr": visits.conditions.snr, "survey": np.full(n, "simulated")}
    return Spectra(flux, wave=grid, ivar=ivar, meta=Table(columns)[order])


def _check_classes(classes: str | Sequence[str]) -> list[str]:
    """Return the names of the classes; a string that is not a class is read letter by letter."""
    if not isinstance(classes, Sequence | np.ndarray):
        raise TypeError(f"classes must be a string or a sequence of strings, got {type(classes).__name__}")
    names = [classes] if isinstance(classes, str) and classes in _CLASSES else list(classes)
    if not names:
        raise ValueError("classes must not be empty")
    for name in names:
        check_choice("classes", name, _CLASSES)
    if len(set(names)) < len(names):
        raise ValueError(f"classes has duplicates: {', '.join(map(str, names))}")
    return names


def _class_counts(n_spectra: int, n_classes: int, weights: ArrayLike | None) -> IndexArray:
    """Return the number of spectra of each class, by the largest remainder method."""
    shares = np.ones(n_classes) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (n_classes,):
        raise ValueError(f"weights must have shape ({n_classes},), one for each class, got {shares.shape}")
    if not (np.isfinite(shares) & (shares >= 0)).all() or not shares.sum():
        raise ValueError(f"weights must be finite, non-negative and not all zero, got {shares.tolist()}")
    exact = n_spectra * shares / shares.sum()
    counts = np.floor(exact).astype(np.intp)
    counts[np.argsort(counts - exact, kind="stable")[: n_spectra - counts.sum()]] += 1
    return counts


def _check_grid(wave: ArrayLike | None) -> FloatArray:
    if wave is None:
        return 10.0 ** (_LOG_FIRST + 1e-4 * np.arange(_N_PIXELS))
    grid = as_wave(wave)
    if not isinstance(grid, np.ndarray) or grid.ndim != 1:
        raise ValueError("wave must be a 1-D array, one grid for all spectra")
    if grid[0] < WAVE_LIMITS[0] or grid[-1] > WAVE_LIMITS[1]:
        raise ValueError(f"wave must be between 3000 and 11000 Å, got {grid[0]:.6g} to {grid[-1]:.6g}")
    return grid
