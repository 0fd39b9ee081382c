"""`observe_spectra`, which simulates survey observations of library spectra."""

import numpy as np
from astropy.table import Column
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skspec.datasets._checks import check_count, check_number, check_range
from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._extinction import log_transmission
from skspec.datasets._spectrograph import WAVE_LIMITS, ZERO_MAGNITUDE, Conditions, Spectrograph
from skspec.preprocessing import LogWaveResampler, ResolutionMatcher
from skspec.spectra import Spectra, as_wave, outer_edges

_STEP = 1e-4  # dex; as in SDSS, BOSS and LAMOST
_TOLERANCE = 0.01  # of a step; the float32 log wavelengths of SDSS are within a quarter of this
_ROUNDING = 1e-12  # a grid this close to the exact one is kept, to equal the grid of other spectra
_BLOCK = 256


def observe_spectra(
    library: Spectra,
    *,
    n_copies: int = 1,
    snr: float | tuple[float, float] = (3.0, 20.0),
    velocity: float | tuple[float, float] = (-300.0, 300.0),
    ebv: float | tuple[float, float] = (0.0, 1.0),
    magnitude: float | tuple[float, float] = (15.0, 19.0),
    resolution: float | None = None,
    library_resolution: float | None = None,
    missing: float = 0.05,
    wave: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Spectra:
    """Simulate survey observations of the objects in a spectral library.

    Each copy of a spectrum is reddened by Galactic dust, shifted by a radial velocity, smoothed to the resolution of the
    survey, sampled on its pixels, and measured with photon, sky and detector noise and missing pixels. The
    spectrograph is that of `make_spectra`.

    Parameters
    ----------
    library : Spectra of n spectra on one grid
        Spectra with negligible noise and no dust, in the rest frame. Their inverse variances are not used.
    n_copies : int, default=1
        Number of observations of each spectrum.
    snr : float or (float, float), default=(3, 20)
        Median signal-to-noise ratio per pixel. From a range, it is drawn log-uniformly for each copy.
    velocity : float or (float, float), default=(-300, 300)
        Radial velocity in km/s. From a range, it is drawn uniformly for each copy.
    ebv : float or (float, float), default=(0, 1)
        Reddening E(B-V) in mag. From a range, it is drawn uniformly for each copy.
    magnitude : float or (float, float), default=(15, 19)
        STMAG of the mean observed flux. It determines the fraction of the noise that is from the sky. From a range, it
        is drawn uniformly for each copy.
    resolution : float, default=None
        Resolving power of the survey, wavelength over full width at half maximum. None keeps the library's resolution.
    library_resolution : float, default=None
        Full width at half maximum in Å of a line in the library; required with `resolution`. Where the library has
        lower resolution than the survey, it is unchanged. The width of the survey's pixels is not subtracted.
    missing : float, default=0.05
        Expected fraction of missing pixels, 0 <= missing <= 0.5: half of them in short defects, half in long gaps.
        Their inverse variance is 0 and their flux NaN.
    wave : array-like of shape (n_pixels,), default=None
        Centres of the survey's pixels: vacuum Å between 3000 and 11,000, equally spaced in the logarithm to a hundredth
        of a step (float32 is precise enough; the result has the exact values). All copies must reach half a step beyond
        them at both limits of `velocity`. None gives steps of 1e-4 dex over the range that all copies cover.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator. NumPy's global generator is not used.

    Returns
    -------
    Spectra of n · n_copies spectra
        Flux in 1e-17 erg s-1 cm-2 Å-1 and inverse variance on vacuum wavelengths, starting with all copies of the first
        spectrum. ``meta`` has the columns of the library, ``library_row`` (the row of `library`: the group for
        cross-validation), and ``z``, ``ebv`` and ``snr`` as drawn, which replace such columns of the library.

    Raises
    ------
    ValueError
        If an argument is outside its range, the library has no spectra, different grids, one pixel, missing pixels, or
        a spectrum whose mean flux is not positive, `wave` is not equally spaced or extends beyond the library, or one of
        `resolution` and `library_resolution` is given without the other.
    TypeError
        If `library` is not `Spectra`, or an argument is not a number.

    See Also
    --------
    make_spectra : Simulate both objects and observations.

    Examples
    --------
    >>> from skspec.datasets import make_spectra, observe_spectra
    >>> library = make_spectra(5, classes="AGM", snr=300, ebv=0, missing=0, random_state=0)
    >>> night = observe_spectra(library, n_copies=2, snr=5, random_state=0)
    >>> night.meta["library_row"].tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    n_copies = check_count("n_copies", n_copies)
    snr_range = check_range("snr", snr, 0.01, 1e5)
    velocity_range = check_range("velocity", velocity, -3000.0, 3000.0)
    ebv_range = check_range("ebv", ebv, 0.0, 10.0)
    magnitude_range = check_range("magnitude", magnitude, 0.0, 30.0)
    missing = check_number("missing", missing, 0.0, 0.5)
    library = _match_resolution(_check_library(library), resolution, library_resolution)
    grid = _survey_grid(library.wave, wave, velocity_range)

    rng = check_random_state(random_state)
    n = len(library) * n_copies
    row = np.repeat(np.arange(len(library)), n_copies)
    z = rng.uniform(*velocity_range, size=n) / LIGHT_SPEED
    reddening = rng.uniform(*ebv_range, size=n)
    brightness = ZERO_MAGNITUDE * 10.0 ** (-0.4 * rng.uniform(*magnitude_range, size=n))
    conditions = Conditions.draw(n, snr_range, rng)
    noise = np.random.Generator(np.random.SFC64(int(rng.randint(2**31 - 1))))

    half = 0.5 * _log_step(grid)
    resampler = LogWaveResampler(
        loglam_min=np.log10(grid[0]) - half, loglam_max=np.log10(grid[-1]) + half, n_bins=len(grid)
    )
    spectrograph = Spectrograph(grid, resolution or 2000.0)
    dust = log_transmission(grid)
    flux, ivar = np.empty((2, n, len(grid)), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        some = slice(start, start + _BLOCK)
        moved = Spectra(library.flux[row[some]], wave=library.wave * (1.0 + z[some, None]))
        truth = resampler.fit_transform(moved)
        truth *= np.exp(reddening[some, None] * dust).astype(np.float32)
        mean = truth.mean(axis=1)
        if not (mean > 0).all():
            dark = np.argmin(mean > 0)
            raise ValueError(
                f"the mean flux of spectrum {row[some][dark]} of library must be positive, but after reddening and "
                f"within the wavelengths of the survey it is {mean[dark]:.3g}"
            )
        truth *= (brightness[some] / mean)[:, None].astype(np.float32)
        flux[some], ivar[some] = spectrograph.measure(truth, conditions[some], missing=missing, rng=noise)
    meta = library.meta[row]
    for name, values in {"library_row": row, "z": z, "ebv": reddening, "snr": conditions.snr}.items():
        meta[name] = Column(values)
    return Spectra(flux, wave=grid, ivar=ivar, meta=meta)


def _check_library(library: Spectra) -> Spectra:
    if not isinstance(library, Spectra):
        raise TypeError(f"library must be Spectra, got {type(library).__name__}")
    if not len(library):
        raise ValueError("library must have at least one spectrum")
    if not library.is_common_grid:
        raise ValueError("the spectra of library have different grids; resample them onto one first")
    if library.shape[1] < 2:
        raise ValueError("the spectra of library must have at least two pixels, got one")
    library = library.to_vacuum()
    if not np.all(library.valid):
        raise ValueError("library has missing pixels; fill them first, for example with MissingFluxImputer")
    mean = library.flux.mean(axis=1, dtype=np.float64)
    if not (mean > 0).all():
        raise ValueError(f"the mean flux of spectrum {np.argmin(mean > 0)} of library must be positive")
    if mean.min() > 1e-15 and mean.max() < 1e15:
        return library
    # Powers of two are exact, and squares of the flux stay within float32.
    return library.replace(flux=np.ldexp(library.flux, -np.frexp(mean)[1][:, None]))


def _match_resolution(
    library: Spectra, resolution: float | None, library_resolution: float | None
) -> Spectra:
    """Smooth the library to the resolution of the survey, if given."""
    if resolution is None:
        if library_resolution is not None:
            raise ValueError("library_resolution requires resolution, the resolving power of the survey")
        return library
    resolution = check_number("resolution", resolution, 50.0, 1e5)
    if library_resolution is None:
        raise ValueError("resolution requires library_resolution, the width of lines in the library in Å")
    width = check_number("library_resolution", library_resolution, 0.0, 1000.0)
    return ResolutionMatcher(width, resolution, target_unit="R", coarser="keep").fit_transform(library)


def _log_step(wave: NDArray[np.float64]) -> float:
    return float(np.log10(wave[-1] / wave[0])) / (len(wave) - 1)


def _survey_grid(
    library: NDArray[np.float64], wave: ArrayLike | None, velocity: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the pixels of the survey that the library covers at all velocities."""
    blue, red = 1.0 + max(velocity[1], 0.0) / LIGHT_SPEED, 1.0 + min(velocity[0], 0.0) / LIGHT_SPEED
    if wave is None:
        low, high = max(library[0] * blue, WAVE_LIMITS[0]), min(library[-1] * red, WAVE_LIMITS[1])
        first = np.ceil(np.log10(low) / _STEP + 0.5)
        pixels = 10.0 ** (_STEP * np.arange(first, np.floor(np.log10(high) / _STEP - 0.5) + 1))
        if len(pixels) < 2:
            raise ValueError(
                f"library covers {library[0]:.6g} to {library[-1]:.6g} Å; at all velocities, and between "
                f"{WAVE_LIMITS[0]:.0f} and {WAVE_LIMITS[1]:.0f} Å, that is fewer than two pixels of the survey"
            )
        return pixels
    grid = as_wave(wave)
    if not isinstance(grid, np.ndarray) or grid.ndim != 1 or len(grid) < 2:
        raise ValueError("wave must be a 1-D array of at least two pixels, one grid for all spectra")
    exact, step = np.geomspace(grid[0], grid[-1], len(grid)), _log_step(grid)
    if np.abs(np.log10(grid / exact)).max() > _TOLERANCE * step:
        raise ValueError("wave must be equally spaced in its logarithm")
    first, last = outer_edges(library)
    half = 10.0 ** (0.5 * step)
    low, high = max(first * blue * half, WAVE_LIMITS[0]), min(last * red / half, WAVE_LIMITS[1])
    slack = 10.0 ** (_TOLERANCE * step)
    if grid[0] * slack < low or grid[-1] / slack > high:
        raise ValueError(
            f"wave must be between {np.ceil(100 * low) / 100:.2f} and {np.floor(100 * high) / 100:.2f} Å, got "
            f"{grid[0]:.2f} to {grid[-1]:.2f}: centres must be between {WAVE_LIMITS[0]:.0f} and "
            f"{WAVE_LIMITS[1]:.0f} Å, and the library must cover whole pixels ({step:.3g} dex) at all velocities"
        )
    return grid if np.allclose(grid, exact, rtol=_ROUNDING, atol=0.0) else exact
