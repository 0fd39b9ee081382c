"""Divide by, or subtract, the continuum of each spectrum: `ContinuumNormalizer`."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform, randint, uniform

from skspec.checks import COUNT, FRACTION, POSITIVE, Choice, Constraints, Interval
from skspec.preprocessing._clipped_fit import bending, fit_clipped, legendre_basis, spline_basis
from skspec.preprocessing._running import (
    EDGES,
    running_quantile,
    windows_of_pixels,
    windows_of_wave,
    windows_of_waves,
)
from skspec.preprocessing._whittaker import asymmetric_least_squares
from skspec.spectra import Block, Spectra, map_blocks
from skspec.spectra.inputs import row_name, wave_of_columns
from skspec.spectra.transformer import OneToOneTransformer

_ROWS_AT_ONCE = 8  # of those on grids of their own: their basis functions stay in the cache
_METHODS = ("median", "quantile", "polynomial", "spline", "als")


class ContinuumNormalizer(OneToOneTransformer):
    """Divide each spectrum by its continuum, or subtract it, so that lines remain.

    Parameters
    ----------
    method : {"median", "quantile", "polynomial", "spline", "als"}, default="median"
        Estimate of the continuum:

        - ``"median"``: running median over `window`;
        - ``"quantile"``: running `quantile` over `window`;
        - ``"polynomial"``: polynomial in wavelength of the given `degree`, with sigma clipping, fitted in Legendre
          polynomials, where the fit is well-conditioned;
        - ``"spline"``: cubic spline with `n_knots` equally spaced interior knots, with sigma clipping;
        - ``"als"``: asymmetric least squares of the given `smoothness` and `asymmetry` (Eilers and Boelens 2005,
          "Baseline correction with asymmetric least squares smoothing", Leiden University Medical Centre).
    mode : {"divide", "subtract"}, default="divide"
        How the continuum is removed.
    window : int or float, default=100
        Full width of the running window, in `window_unit`.
    window_unit : {"pixel", "angstrom"}, default="pixel"
        Unit of `window`. A window of an even number of pixels has its extra pixel on the blue side; one in Å has all
        pixels that lie within half of it of the central one.
    quantile : float, default=0.9
        The quantile of ``method="quantile"``, between 0 and 1.
    edge : {"nearest", "reflect", "mirror", "shrink"}, default="nearest"
        How the spectrum is extended beyond its first and last valid pixel for the running window: by the value of that
        pixel; by reflection about the outer side or the centre of that pixel (all three as in `scipy.ndimage`); or not
        at all, so that the window has fewer pixels there.
    degree : int, default=5
        Degree of the polynomial.
    n_knots : int, default=10
        Number of interior knots of the spline.
    sigma_low, sigma_high : float, default=1.5, 3.0
        Pixels more than this many root mean squares of the residuals below and above a polynomial or spline are
        clipped, and it is fitted again. The defaults clip absorption lines; ``np.inf`` clips nothing.
    max_rounds : int, default=10
        Maximum number of rounds of clipping, or of asymmetric least squares.
    smoothness : float, default=1e8
        Weight of the squared second differences from pixel to pixel in asymmetric least squares. The continuum follows
        structure wider than about ``2 * pi * smoothness ** 0.25`` pixels (630 for the default).
    asymmetry : float, default=0.9
        Weight of pixels above the continuum in asymmetric least squares; those below have ``1 - asymmetry``. Above
        0.5 for absorption lines, below for emission lines.
    non_positive : {"missing", "raise"}, default="missing"
        How to treat valid pixels whose continuum is zero or negative when dividing: mark them as missing in the result,
        or raise an error. Use `continuum` to look at such a spectrum.
    max_ratio : float or None, default=None
        Largest absolute ratio of flux and continuum in the result of ``mode="divide"``; pixels beyond are missing. In
        faint spectra the continuum may be close to zero. None keeps them all, and ``mode="subtract"`` always does.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of a linear grid.
        Needed for windows in Å; with None, polynomials and splines assume equally spaced columns. Not used for
        `Spectra`.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid, wavelengths are needed and unknown, or a spectrum has too few valid pixels: none, or
        fewer than the coefficients of a polynomial.

    See Also
    --------
    FluxNormalizer : Scale each spectrum by one number.

    Notes
    -----
    Missing pixels (NaN in an array) stay missing and do not affect the continuum: a running quantile is that of the
    valid pixels in the window. It is a value of the spectrum, never a mean of two: of m valid pixels in increasing order
    the one with index ``floor(quantile * m)``, exactly as in `scipy.ndimage.median_filter`.

    The inverse variance of `Spectra` is multiplied by the squared continuum when dividing and kept when subtracting. The
    error of the continuum itself is not propagated.

    The published preparation for joint MK classification, "min-max to the 90th percentile, then the 100-pixel median
    subtracted", is::

        make_pipeline(FluxNormalizer("minmax", quantile=0.9), ContinuumNormalizer(mode="subtract"))

    The data stored with that publication, by the order of steps in its script, are the original flux divided by its
    median: ``ContinuumNormalizer()``.

    The transformer is stateless: `fit` only checks parameters and data.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ContinuumNormalizer
    >>> wave = np.linspace(4000.0, 7000.0, 7)
    >>> flux = 1e-3 * wave[None] * [1, 1, 1, 0.5, 1, 1, 1]  # a slope with one line
    >>> ContinuumNormalizer("polynomial", degree=1).fit_transform(flux)
    array([[1. , 1. , 1. , 0.5, 1. , 1. , 1. ]])
    >>> ContinuumNormalizer(window=3, edge="shrink").fit(flux).continuum(flux)
    array([[4.5, 4.5, 4.5, 5. , 6. , 6.5, 7. ]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "method": [Choice(_METHODS)],
        "mode": [Choice(("divide", "subtract"))],
        "window": [POSITIVE],
        "window_unit": [Choice(("pixel", "angstrom"))],
        "quantile": [FRACTION],
        "edge": [Choice(EDGES)],
        "degree": [Interval(Integral, 0, 200)],
        "n_knots": [Interval(Integral, 0, 1000)],
        "sigma_low": [POSITIVE],
        "sigma_high": [POSITIVE],
        "max_rounds": [Interval(Integral, 1, 10_000)],
        "smoothness": [POSITIVE],
        "asymmetry": [Interval(Real, 0, 1, "neither")],
        "non_positive": [Choice(("missing", "raise"))],
        "max_ratio": [POSITIVE, None],
    }

    def __init__(
        self,
        method: str = "median",
        *,
        mode: str = "divide",
        window: float = 100,
        window_unit: str = "pixel",
        quantile: float = 0.9,
        edge: str = "nearest",
        degree: int = 5,
        n_knots: int = 10,
        sigma_low: float = 1.5,
        sigma_high: float = 3.0,
        max_rounds: int = 10,
        smoothness: float = 1e8,
        asymmetry: float = 0.9,
        non_positive: str = "missing",
        max_ratio: float | None = None,
        wave: ArrayLike | None = None,
    ) -> None:
        self.method = method
        self.mode = mode
        self.window = window
        self.window_unit = window_unit
        self.quantile = quantile
        self.edge = edge
        self.degree = degree
        self.n_knots = n_knots
        self.sigma_low = sigma_low
        self.sigma_high = sigma_high
        self.max_rounds = max_rounds
        self.smoothness = smoothness
        self.asymmetry = asymmetry
        self.non_positive = non_positive
        self.max_ratio = max_ratio
        self.wave = wave

    def transform(self, X: Any) -> Any:
        """Remove the continuum.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)

        Returns
        -------
        Spectra or ndarray of shape (n_spectra, n_pixels)
            As X is, in the same floating-point type.
        """
        X, wave = self._check(X, reset=False)
        changes: dict[str, Any] = {"flux_unit": None} if self.mode == "divide" else {}
        return map_blocks(lambda block: self._normalize(block, X), X, wave, **changes)

    def continuum(self, X: Any) -> Any:
        """Return the continuum itself, as `transform` returns spectra, but without ``ivar``.

        It is NaN before the first and after the last valid pixel of a spectrum, and where a running window has no valid
        pixel.
        """
        X, wave = self._check(X, reset=False)
        return map_blocks(lambda block: (self._continuum(block, X), None), X, wave)

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        X, _ = super()._check(X, reset=reset)
        if self.window_unit == "pixel":
            COUNT.check("window", self.window)
        if isinstance(X, Spectra):
            return X, None
        n_features = X.shape[1]
        if n_features < self._n_needed():
            raise ValueError(
                f"method {self.method!r} needs at least {self._n_needed()} pixels, X has n_features = {n_features}"
            )
        in_angstrom = self.method in ("median", "quantile") and self.window_unit == "angstrom"
        if self.wave is None and not in_angstrom:
            return X, np.arange(n_features, dtype=np.float64)
        return X, wave_of_columns(self.wave, n_features)

    def _n_needed(self) -> int:
        """Smallest number of valid pixels that determines the continuum."""
        return self.degree + 1 if self.method == "polynomial" else 1

    def _normalize(self, block: Block, X: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return flux and ivar without the continuum."""
        continuum = self._continuum(block, X)
        flux, ivar = block.flux, block.ivar
        if self.mode == "subtract":
            return flux - continuum, ivar
        bad = ~(continuum > 0)
        if self.non_positive == "raise" and (bad & block.valid).any():
            row, pixel = np.argwhere(bad & block.valid)[0]
            raise ValueError(
                f"{row_name(block.rows.start + row, X)} has a continuum of {continuum[row, pixel]:.3g} at pixel "
                f"{pixel}, which cannot be divided by; non_positive='missing' makes such pixels missing"
            )
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ratio = flux / continuum
            bad |= ~np.isfinite(ratio)
            if self.max_ratio is not None:
                bad |= np.abs(ratio) > self.max_ratio
            if ivar is not None:
                ivar = ivar * continuum**2
                bad |= ~np.isfinite(ivar)
                np.copyto(ivar, 0, where=bad)
        np.copyto(ratio, np.nan, where=bad)
        return ratio, ivar

    def _continuum(self, block: Block, X: Any) -> NDArray[Any]:
        """Continua from the first to the last valid pixel of each row; NaN outside."""
        flux, needed, n_valid = block.flux, self._n_needed(), block.n_valid
        if n_valid.min() < needed:
            row = int(np.argmin(n_valid))
            raise ValueError(
                f"{row_name(block.rows.start + row, X)} has {n_valid[row] or 'no'} valid pixels, its continuum by "
                f"method {self.method!r} needs at least {needed}"
            )
        start = block.valid.argmax(axis=1)
        stop = flux.shape[1] - block.valid[:, ::-1].argmax(axis=1)
        length = stop - start
        out = np.full_like(flux, np.nan)
        alone = length == 1
        out[alone, start[alone]] = flux[alone, start[alone]]
        others = ~alone
        if block.wave.ndim == 1 and others.any():
            if self.method == "polynomial":  # the same on any span that is not much wider
                a, b = start[others].min(), stop[others].max()
                together = others & (length > (b - a) // 2)
            else:
                a, b = _most_frequent(start[others], stop[others])
                together = (start == a) & (stop == b)
            out[together, a:b] = self._curves(flux[together, a:b], block.wave[a:b], length[together])
            others &= ~together
        wave = np.broadcast_to(block.wave, flux.shape)
        others = np.flatnonzero(others)
        for rows in np.split(others, range(_ROWS_AT_ONCE, len(others), _ROWS_AT_ONCE)):
            if not len(rows):
                continue
            spans = [slice(*ends) for ends in zip(start[rows].tolist(), stop[rows].tolist(), strict=True)]
            own_flux, own_wave = (
                _left_aligned(flux[rows], spans, np.nan),
                _left_aligned(wave[rows], spans, np.inf),
            )
            for row, span, curve in zip(
                rows, spans, self._curves(own_flux, own_wave, length[rows]), strict=True
            ):
                out[row, span] = curve[: span.stop - span.start]
        if not block.complete:
            pixels = np.arange(flux.shape[1])
            np.copyto(out, np.nan, where=(pixels < start[:, None]) | (pixels >= stop[:, None]))
        return out

    def _curves(
        self, flux: NDArray[Any], wave: NDArray[np.float64], length: NDArray[np.intp]
    ) -> NDArray[Any]:
        """Continua, in the type of `flux`, of rows of `length` pixels of which the first and last are valid.

        `wave` has shape (n_pixels,), or (n_spectra, n_pixels) where grids differ.
        """
        if self.method in ("median", "quantile"):
            if self.window_unit == "pixel":
                windows = windows_of_pixels(wave.shape[-1], int(self.window))
            elif wave.ndim == 1:
                windows = windows_of_wave(wave, self.window)
            else:
                windows = windows_of_waves(wave, length, self.window)
            quantile = 0.5 if self.method == "median" else self.quantile
            return running_quantile(flux, windows, quantile, self.edge, None if wave.ndim == 1 else length)
        curves: NDArray[Any]
        if self.method == "als":
            curves = asymmetric_least_squares(
                flux, length, smoothness=self.smoothness, asymmetry=self.asymmetry, max_rounds=self.max_rounds
            )
        else:
            is_spline = self.method == "spline"
            curves = fit_clipped(
                spline_basis(wave, length, self.n_knots)
                if is_spline
                else legendre_basis(wave, length, self.degree),
                flux,
                sigma_low=self.sigma_low,
                sigma_high=self.sigma_high,
                max_rounds=self.max_rounds,
                penalty=bending(self.n_knots + 4) if is_spline else None,
            )
        return curves.astype(flux.dtype, copy=False)

    def __skspec_search_space__(self) -> dict[str, Any]:
        windows = (
            [self.window // 2, self.window, 2 * self.window]
            if self.window > 1
            else [self.window, 2 * self.window]
        )
        own: dict[str, dict[str, Any]] = {
            "median": {"window": windows},
            "quantile": {"window": windows, "quantile": uniform(0.7, 0.28)},
            "polynomial": {"degree": randint(2, 9)},
            "spline": {"n_knots": randint(4, 21)},
            "als": {"smoothness": loguniform(self.smoothness / 100, self.smoothness * 100)},
        }
        return {"mode": ["divide", "subtract"], **own[self.method]}


def _most_frequent(start: NDArray[np.intp], stop: NDArray[np.intp]) -> NDArray[np.intp]:
    spans, counts = np.unique(np.stack([start, stop], axis=1), axis=0, return_counts=True)
    return spans[np.argmax(counts)]


def _left_aligned(rows: NDArray[Any], spans: list[slice], fill: float) -> NDArray[Any]:
    """Move the span of each row to its beginning, with `fill` after it."""
    out = np.full((len(rows), max(span.stop - span.start for span in spans)), fill, rows.dtype)
    for new, row, span in zip(out, rows, spans, strict=True):
        new[: span.stop - span.start] = row[span]
    return out
