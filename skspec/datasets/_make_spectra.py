"""The simulator's front door."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skspec.checks import check_choice
from skspec.datasets._checks import check_number, check_range
from skspec.datasets._mk_calibration import SPECTRAL_CLASSES
from skspec.datasets._spectrograph import Spectrograph
from skspec.datasets._survey import Visits, draw_objects, observe
from skspec.datasets._types import FloatArray, IndexArray
from skspec.spectra import Spectra, as_wave

Range = float | tuple[float, float]

_CLASSES = ("STAR", "GALAXY", "QSO", *SPECTRAL_CLASSES)
_LOG_FIRST, _N_PIXELS = 3.5563, 4438
_WAVE_LIMITS = (3000.0, 11000.0)
_ZERO_MAGNITUDE = 3.631e8  # 1e-17 erg s-1 cm-2 Å-1, STMAG


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

    The light of each object follows from physics: stars are synthesised from ionisation and excitation equilibrium in
    simple model atmospheres, galaxies are sums of such stars with dust and emission lines, quasars follow the mean
    quasar spectrum and its scatter. It is then redshifted, dimmed and reddened by Galactic dust, smoothed by the
    spectrograph, and measured with the noise of photons, night sky and detector.

    The models are faithful enough that classifiers meet the features that astronomers use, and simple enough to make
    thousands of spectra in seconds. They are no substitute for spectral libraries where absolute figures matter.

    Parameters
    ----------
    n_spectra : int, default=1000
        Number of spectra, repeat observations included.
    classes : sequence of str, default=("STAR", "GALAXY", "QSO")
        What to observe: any of ``"STAR"``, ``"GALAXY"``, ``"QSO"`` and the spectral classes ``"O"``, ``"B"``,
        ``"A"``, ``"F"``, ``"G"``, ``"K"``, ``"M"``. A string is one class or a word of spectral classes:
        ``classes="OBAFGKM"`` gives stars of all of them. ``"STAR"`` mixes them in the shares of a survey.
    weights : array-like of shape (n_classes,), default=None
        Share of the spectra in each of `classes`, scaled to a sum of one. None gives all the same. The numbers of
        spectra are exact, up to rounding.
    repeats : float, default=0.2
        Share of the spectra that are further observations of an object in the sample, 0 <= repeats < 1.
    wave : array-like of shape (n_pixels,), default=None
        Wavelength grid: vacuum Å, strictly increasing, between 3000 and 11,000. None takes 4438 pixels from 3600 to
        10,000 Å in steps of 1e-4 dex, like the SDSS and BOSS surveys.
    resolution : float, default=2000.0
        Resolving power, wavelength over the full width at half maximum of an unresolved line, between 50 and 5000.
    snr : float or (float, float), default=(5.0, 30.0)
        Median signal-to-noise ratio per pixel; of a range it is drawn uniformly in the logarithm for each spectrum.
    ebv : float or (float, float), default=(0.0, 0.3)
        Reddening E(B-V) by Galactic dust in mag; of a range it is drawn uniformly for each object.
    missing : float, default=0.01
        Expected share of pixels without a measurement, 0 <= missing <= 0.5: half of them short defects, half long
        gaps in a few spectra. Their inverse variance is 0 and their flux NaN.
    noise : bool, default=True
        Whether to add noise and lose pixels. False gives the flux that the same survey would measure in infinite time,
        with ``ivar=None``.
    random_state : int, RandomState instance or None, default=None
        Seed. Pass an int for the same spectra each time; the global generator is never touched.

    Returns
    -------
    Spectra
        Flux in 1e-17 erg s-1 cm-2 Å-1 with inverse variances, on one grid, in random order. The columns of ``meta``:

        ``object``
            Name, the same for all observations of an object.
        ``class``
            ``"STAR"``, ``"GALAXY"`` or ``"QSO"``.
        ``subclass``
            MK type of a star, such as ``"G2V"``; ``"STARFORMING"``, ``"STARBURST"``, ``"AGN"`` or ``""`` of a galaxy;
            ``"BROADLINE"`` of a quasar.
        ``spectral_class``, ``lum_class``
            ``"O"`` to ``"M"`` and ``"I"`` to ``"V"``; empty for galaxies and quasars.
        ``teff``, ``logg``, ``feh``
            Effective temperature (K), log of the gravity (cm s-2) and metallicity (dex); NaN for galaxies and quasars.
        ``z``
            Redshift; of a star its radial velocity over the speed of light.
        ``ra``, ``dec``
            Position in degrees, repeatable within 1 arcsec.
        ``ebv``, ``snr``
            Reddening (mag) and median signal-to-noise ratio per pixel, without noise.
        ``survey``
            ``"simulated"``.

    Raises
    ------
    ValueError
        If an argument is outside the range stated for it.
    TypeError
        If `n_spectra` is not an integer.

    See Also
    --------
    skspec.io.read_spectra : Read the real ones.
    observe_spectra : Observe the stars of a library by the same spectrograph.

    Notes
    -----
    A stellar spectrum is that of a black body at the temperature where the optical depth, of continuum and lines
    together, is 2/3 [1]_. Temperatures follow a grey atmosphere with line blanketing, pressures hydrostatic equilibrium,
    populations the equations of Saha and Boltzmann. Opacity comes from hydrogen, its negative ion, 5000 lines of
    helium and metals and the bands of six molecules. Types follow a calibration of the MK system [2]_, extinction
    [3]_, quasars [4]_. Each module of `skspec.datasets` names the sources of what it does.

    References
    ----------
    .. [1] D. F. Gray (2005), The Observation and Analysis of Stellar Photospheres, 3rd edition, Cambridge.
    .. [2] M. J. Pecaut & E. E. Mamajek (2013), ApJS 208, 9.
    .. [3] J. A. Cardelli, G. C. Clayton & J. S. Mathis (1989), ApJ 345, 245.
    .. [4] D. E. Vanden Berk et al. (2001), AJ 122, 549.

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
    if isinstance(n_spectra, bool) or not isinstance(n_spectra, Integral):
        raise TypeError(f"n_spectra must be an integer, got {type(n_spectra).__name__}")
    if n_spectra < 1:
        raise ValueError(f"n_spectra must be at least 1, got {n_spectra}")
    counts = _class_counts(int(n_spectra), len(names), weights)
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
        brightness=_ZERO_MAGNITUDE * 10.0 ** (-0.4 * magnitude[objects]),
        snr=np.clip(np.exp(rng.uniform(*np.log(snr_range), size=n)), *snr_range),
        sky=np.exp(rng.normal(0.0, 0.25, size=n)),
        airmass=1.0 + np.abs(rng.normal(0.0, 0.25, size=n)),
    )
    east, north = np.clip(rng.normal(0.0, 0.1, size=(2, n)), -0.3, 0.3) / 3600.0  # how well fibres are placed
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
    columns |= {"ebv": visits.reddening, "snr": visits.snr, "survey": np.full(n, "simulated")}
    return Spectra(flux, wave=grid, ivar=ivar, meta=Table(columns)[order])


def _check_classes(classes: str | Sequence[str]) -> list[str]:
    """Return the names of the classes; a word that is no class is read letter by letter."""
    if not isinstance(classes, Sequence | np.ndarray):
        raise TypeError(f"classes must be a string or a sequence of strings, got {type(classes).__name__}")
    names = [classes] if isinstance(classes, str) and classes in _CLASSES else list(classes)
    if not names:
        raise ValueError("classes is empty; at least one class is needed")
    for name in names:
        check_choice("classes", name, _CLASSES)
    if len(set(names)) < len(names):
        raise ValueError(f"classes has duplicates: {', '.join(map(str, names))}")
    return names


def _class_counts(n_spectra: int, n_classes: int, weights: ArrayLike | None) -> IndexArray:
    """Share the spectra out to the classes, by largest remainder."""
    shares = np.ones(n_classes) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (n_classes,):
        raise ValueError(
            f"weights has shape {shares.shape}; one for each of the {n_classes} classes is needed"
        )
    if not (np.isfinite(shares) & (shares >= 0)).all() or not shares.sum():
        raise ValueError(f"weights must be finite, not negative and not all zero, got {shares.tolist()}")
    exact = n_spectra * shares / shares.sum()
    counts = np.floor(exact).astype(np.intp)
    counts[np.argsort(counts - exact, kind="stable")[: n_spectra - counts.sum()]] += 1
    return counts


def _check_grid(wave: ArrayLike | None) -> FloatArray:
    if wave is None:
        return 10.0 ** (_LOG_FIRST + 1e-4 * np.arange(_N_PIXELS))
    grid = as_wave(wave)
    if not isinstance(grid, np.ndarray) or grid.ndim != 1:
        raise ValueError("wave must be one grid for all spectra, a 1-D array")
    if grid[0] < _WAVE_LIMITS[0] or grid[-1] > _WAVE_LIMITS[1]:
        raise ValueError(f"wave must be from 3000 to 11000 Å, got {grid[0]:.6g} to {grid[-1]:.6g}")
    return grid
