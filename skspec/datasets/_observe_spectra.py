"""Library spectra as a survey would have observed those objects."""

from numbers import Integral

import numpy as np
from astropy.table import Column
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skspec.datasets._checks import check_number, check_range
from skspec.datasets._constants import LIGHT_SPEED
from skspec.datasets._extinction import extinction_law
from skspec.datasets._spectrograph import Spectrograph, lost_pixels
from skspec.preprocessing import LogWaveResampler, ResolutionMatcher
from skspec.spectra import Spectra, as_wave, outer_edges

_ZERO_MAGNITUDE = 3.631e8  # 1e-17 erg s-1 cm-2 Å-1, STMAG
_STEP = 1e-4  # dex, of SDSS, BOSS and LAMOST
_TOLERANCE = 0.01  # steps: log wavelengths of SDSS are float32, a quarter of this
_ROUNDING = 1e-12  # of a float64 grid; one as good as that is kept, to stay equal to that of other spectra
_BLOCK = 256
_WAVE_LIMITS = (3000.0, 11000.0)  # of what the spectrograph knows about sky and detector


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
    """Degrade spectra of a library to what a survey would see of the same objects.

    Each copy of a spectrum is reddened by Galactic dust, moved in radial velocity, blurred to the survey's resolution,
    sampled on its pixels, and measured with the noise of photons, night sky and detector, and with lost pixels: the
    same spectrograph as that of `make_spectra`, behind real stars.

    Parameters
    ----------
    library : Spectra of n spectra on one grid
        Spectra with hardly any noise and without dust, in their rest frame. Their inverse variances are not used.
    n_copies : int, default=1
        Observations of each.
    snr : float or (float, float), default=(3, 20)
        Median signal-to-noise ratio per pixel; of a range it is drawn uniformly in the logarithm for each copy.
    velocity : float or (float, float), default=(-300, 300)
        Radial velocity in km/s; of a range it is drawn uniformly for each copy.
    ebv : float or (float, float), default=(0, 1)
        Reddening E(B-V) in mag; of a range it is drawn uniformly for each copy.
    magnitude : float or (float, float), default=(15, 19)
        Mean brightness of the observed spectrum in STMAG, which decides what share of the noise is the sky's; of a
        range it is drawn uniformly for each copy.
    resolution : float, default=None
        Resolving power of the survey, wavelength over full width at half maximum; None leaves that of the library.
    library_resolution : float, default=None
        Full width at half maximum in Å of a line in the library; needed with `resolution`. Where the library is
        coarser already, it is left as it is. The width of the survey's pixels is not taken off.
    missing : float, default=0.05
        Expected share of pixels without a measurement, from 0 to 0.5: half of them short defects, half long gaps.
        Their inverse variance is 0 and their flux NaN.
    wave : array-like of shape (n_pixels,), default=None
        Centres of the survey's pixels: vacuum Å between 3000 and 11,000, equally spaced in the logarithm to a hundredth
        of a step (so that float32 will do; the result has the exact ones). All copies must reach half a step further at
        the ends of `velocity`. None takes steps of 1e-4 dex as far as they do.
    random_state : int, RandomState instance or None, default=None
        Seed. The global generator is never touched.

    Returns
    -------
    Spectra of n · n_copies spectra
        Flux in 1e-17 erg s-1 cm-2 Å-1 and inverse variance on vacuum wavelengths, all copies of the first spectrum
        first. ``meta`` has the columns of the library, ``library_row`` (the row of `library`: the group for
        cross-validation), and in place of the library's own, ``z``, ``ebv`` and ``snr`` as they were drawn.

    Raises
    ------
    ValueError
        If an argument is outside the range stated for it, the library has no spectra, different grids, one pixel,
        missing pixels, or a spectrum whose mean flux is not positive, `wave` is not equally spaced or reaches beyond
        the library, or one of `resolution` and `library_resolution` comes without the other.
    TypeError
        If `library` is no `Spectra`, or an argument is no number.

    See Also
    --------
    make_spectra : Simulate the objects too.

    Examples
    --------
    >>> from skspec.datasets import make_spectra, observe_spectra
    >>> library = make_spectra(5, classes="AGM", snr=300, ebv=0, missing=0, random_state=0)
    >>> night = observe_spectra(library, n_copies=2, snr=5, random_state=0)
    >>> night.meta["library_row"].tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    if isinstance(n_copies, bool) or not isinstance(n_copies, Integral):
        raise TypeError(f"n_copies must be an integer, got {type(n_copies).__name__}")
    if n_copies < 1:
        raise ValueError(f"n_copies must be at least 1, got {n_copies}")
    snr_range = check_range("snr", snr, 0.01, 1e5)
    velocity_range = check_range("velocity", velocity, -3000.0, 3000.0)
    ebv_range = check_range("ebv", ebv, 0.0, 10.0)
    magnitude_range = check_range("magnitude", magnitude, 0.0, 30.0)
    missing = check_number("missing", missing, 0.0, 0.5)
    library = _match_resolution(_check_library(library), resolution, library_resolution)
    grid = _survey_grid(library.wave, wave, velocity_range)

    rng = check_random_state(random_state)
    n = len(library) * int(n_copies)
    row = np.repeat(np.arange(len(library)), int(n_copies))
    z = rng.uniform(*velocity_range, size=n) / LIGHT_SPEED
    reddening = rng.uniform(*ebv_range, size=n)
    brightness = _ZERO_MAGNITUDE * 10.0 ** (-0.4 * rng.uniform(*magnitude_range, size=n))
    ratio = np.clip(np.exp(rng.uniform(*np.log(snr_range), size=n)), *snr_range)
    sky = np.exp(rng.normal(0.0, 0.25, size=n))
    airmass = 1.0 + np.abs(rng.normal(0.0, 0.25, size=n))
    noise = np.random.Generator(np.random.SFC64(int(rng.randint(2**31 - 1))))

    half = 0.5 * _log_step(grid)
    resampler = LogWaveResampler(
        loglam_min=np.log10(grid[0]) - half, loglam_max=np.log10(grid[-1]) + half, n_bins=len(grid)
    )
    spectrograph = Spectrograph(grid, resolution or 2000.0)
    dust = -0.4 * np.log(10.0) * 3.1 * extinction_law(grid)
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
                f"the mean flux of spectrum {row[some][dark]} of library, reddened and within the wavelengths of the "
                f"survey, is {mean[dark]:.3g}; it must be positive"
            )
        truth *= (brightness[some] / mean)[:, None].astype(np.float32)
        variance = spectrograph.variance(truth, snr=ratio[some], sky=sky[some], airmass=airmass[some])
        truth += np.sqrt(variance) * noise.standard_normal(truth.shape, dtype=np.float32)
        lost = lost_pixels(truth.shape, missing, noise)
        flux[some] = np.where(lost, np.float32(np.nan), truth)
        ivar[some] = np.where(lost, np.float32(0.0), np.float32(1.0) / variance)
    meta = library.meta[row]
    for name, values in {"library_row": row, "z": z, "ebv": reddening, "snr": ratio}.items():
        meta[name] = Column(values)
    return Spectra(flux, wave=grid, ivar=ivar, meta=meta)


def _check_library(library: Spectra) -> Spectra:
    if not isinstance(library, Spectra):
        raise TypeError(f"library must be Spectra, got {type(library).__name__}")
    if not len(library):
        raise ValueError("library has no spectra; at least one is needed")
    if not library.is_common_grid:
        raise ValueError("the spectra of library have different grids; bring them onto one first")
    if library.shape[1] < 2:
        raise ValueError("library has spectra of one pixel; at least two are needed")
    library = library.to_vacuum()
    if not np.all(library.valid):
        raise ValueError("library has missing pixels; fill them first, for example by MissingFluxImputer")
    light = np.asarray(library.flux).mean(axis=1) > 0
    if not light.all():
        raise ValueError(
            f"spectrum {np.argmin(light)} of library has no light: its mean flux must be positive"
        )
    return library


def _match_resolution(
    library: Spectra, resolution: float | None, library_resolution: float | None
) -> Spectra:
    """Blur the library to the survey's resolution, if that is known."""
    if resolution is None:
        if library_resolution is not None:
            raise ValueError("library_resolution is for a survey of known resolution, which is None")
        return library
    resolution = check_number("resolution", resolution, 50.0, 1e5)
    if library_resolution is None:
        raise ValueError("resolution needs library_resolution, the width of lines in the library in Å")
    width = check_number("library_resolution", library_resolution, 0.0, 1000.0)
    return ResolutionMatcher(width, resolution, target_unit="R", coarser="keep").fit_transform(library)


def _log_step(wave: NDArray[np.float64]) -> float:
    return float(np.log10(wave[-1] / wave[0])) / (len(wave) - 1)


def _survey_grid(
    library: NDArray[np.float64], wave: ArrayLike | None, velocity: tuple[float, float]
) -> NDArray[np.float64]:
    """Pixels of the survey, all within what the library shows at any of the velocities."""
    blue, red = 1.0 + max(velocity[1], 0.0) / LIGHT_SPEED, 1.0 + min(velocity[0], 0.0) / LIGHT_SPEED
    if wave is None:
        low, high = max(library[0] * blue, _WAVE_LIMITS[0]), min(library[-1] * red, _WAVE_LIMITS[1])
        first = np.ceil(np.log10(low) / _STEP + 0.5)
        pixels = 10.0 ** (_STEP * np.arange(first, np.floor(np.log10(high) / _STEP - 0.5) + 1))
        if len(pixels) < 2:
            raise ValueError(
                f"library reaches from {library[0]:.6g} to {library[-1]:.6g} Å, which leaves no pixels of a survey at "
                f"all velocities between {_WAVE_LIMITS[0]:.0f} and {_WAVE_LIMITS[1]:.0f} Å"
            )
        return pixels
    grid = as_wave(wave)
    if not isinstance(grid, np.ndarray) or grid.ndim != 1 or len(grid) < 2:
        raise ValueError("wave must be one grid of at least two pixels, a 1-D array")
    exact, step = np.geomspace(grid[0], grid[-1], len(grid)), _log_step(grid)
    if np.abs(np.log10(grid / exact)).max() > _TOLERANCE * step:
        raise ValueError("wave must be equally spaced in its logarithm")
    first, last = outer_edges(library)
    half = 10.0 ** (0.5 * step)
    low, high = max(first * blue * half, _WAVE_LIMITS[0]), min(last * red / half, _WAVE_LIMITS[1])
    slack = 10.0 ** (_TOLERANCE * step)
    if grid[0] * slack < low or grid[-1] / slack > high:
        raise ValueError(
            f"wave must, at its steps of {step:.3g} dex, have centres within {np.ceil(100 * low) / 100:.2f} to "
            f"{np.floor(100 * high) / 100:.2f} Å, so that they lie between {_WAVE_LIMITS[0]:.0f} and "
            f"{_WAVE_LIMITS[1]:.0f} Å and whole pixels within what the library shows at all velocities; "
            f"got {grid[0]:.2f} to {grid[-1]:.2f}"
        )
    return grid if np.allclose(grid, exact, rtol=_ROUNDING, atol=0.0) else exact
