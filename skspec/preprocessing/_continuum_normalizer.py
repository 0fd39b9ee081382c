"""Division by, or subtraction of, the continuum."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.preprocessing._clipped_fit import bending, fit_clipped, legendre_basis, spline_basis
from skspec.preprocessing._running import EDGES, running_quantile, windows_of_pixels, windows_of_wave
from skspec.preprocessing._whittaker import asymmetric_least_squares
from skspec.spectra import Spectra, valid
from skspec.spectra.inputs import check_flux, row_blocks, row_name, wave_of_columns

_METHODS = ("median", "quantile", "polynomial", "legendre", "spline", "als")


class ContinuumNormalizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take the continuum out of each spectrum, so that lines remain.

    Parameters
    ----------
    method : {"median", "quantile", "polynomial", "legendre", "spline", "als"}, default="median"
        What the continuum is:

        - ``"median"``: running median over `window`;
        - ``"quantile"``: running `quantile` over `window`;
        - ``"polynomial"`` or ``"legendre"``: polynomial in wavelength of the given `degree`, with sigma clipping. Both
          are one fit, always solved in Legendre polynomials, where it is well-conditioned;
        - ``"spline"``: cubic spline with `n_knots` equally spaced interior knots, with sigma clipping;
        - ``"als"``: asymmetric least squares of the given `smoothness` and `asymmetry` (Eilers and Boelens 2005,
          "Baseline correction with asymmetric least squares smoothing", Leiden University Medical Centre).
    mode : {"divide", "subtract"}, default="divide"
        How the continuum is taken out.
    window : int or float, default=100
        Full width of the running window, in `window_unit`.
    window_unit : {"pixel", "angstrom"}, default="pixel"
        Unit of `window`. A window of an even number of pixels has its extra pixel on the blue side; one in Å has all
        pixels that lie within half of it of the central one.
    quantile : float, default=0.9
        The quantile of ``method="quantile"``, between 0 and 1.
    edge : {"nearest", "reflect", "mirror", "shrink"}, default="nearest"
        What the running window finds beyond the first and last valid pixel: the value of that pixel; the spectrum
        reflected about its outer side or about its centre (all three as in `scipy.ndimage`); or nothing, so that it has
        fewer pixels there.
    degree : int, default=5
        Degree of the polynomial.
    n_knots : int, default=10
        Interior knots of the spline.
    sigma_low, sigma_high : float, default=1.5, 3.0
        Pixels this many root mean squares of the residuals below and above a polynomial or spline are left out of it,
        and it is fitted again. The defaults leave out absorption lines; ``np.inf`` leaves out nothing.
    max_rounds : int, default=10
        Most rounds of clipping, or of asymmetric least squares.
    smoothness : float, default=1e8
        Weight of the squared second differences from pixel to pixel in asymmetric least squares. The continuum follows
        what is wider than about ``2 * pi * smoothness ** 0.25`` pixels (630 for the default).
    asymmetry : float, default=0.9
        Weight of pixels above the continuum in asymmetric least squares; those below have ``1 - asymmetry``. Above
        0.5 for absorption lines, below for emission lines.
    non_positive : {"missing", "raise"}, default="missing"
        What becomes of valid pixels whose continuum is zero or negative, which cannot be divided by: they are missing
        in the result, or `transform` raises. See `continuum` to look at such a spectrum.
    max_ratio : float or None, default=None
        Pixels that are more than so many times their continuum, up or down, are missing in the result of
        ``mode="divide"``: in faint spectra the continuum may be next to nothing. None keeps them all, as
        ``mode="subtract"`` does in any case.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of a linear grid.
        Needed for windows in Å; None takes columns to be equally spaced in polynomials and splines. `Spectra` know
        theirs.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is out of range, wavelengths are needed and unknown, or a spectrum has too few valid pixels:
        none, or fewer than the coefficients of a polynomial.

    See Also
    --------
    FluxNormalizer : Scale each spectrum by one number.

    Notes
    -----
    Missing pixels (NaN in an array) stay missing and have no part in the continuum: a running quantile is that of the
    valid pixels in the window. A running quantile is a value of the spectrum, never a mean of two: of m valid pixels in
    rising order the one with index ``floor(quantile * m)``, as in `scipy.ndimage.median_filter`, with which it
    agrees exactly.

    The inverse variance of `Spectra` is multiplied by the squared continuum when dividing and kept when subtracting.
    The continuum is taken as known: its own error is not carried.

    The published preparation for joint MK classification, "min-max to the 90th percentile, then the 100-pixel median
    subtracted", is::

        make_pipeline(FluxNormalizer("minmax", quantile=0.9), ContinuumNormalizer(mode="subtract"))

    What was stored with that publication is, by the order of its script, the flux as it came divided by its median:
    ``ContinuumNormalizer()``.

    The transformer learns nothing: `fit` only checks.

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

    def fit(self, X: Any, y: Any = None) -> ContinuumNormalizer:
        """Check parameters and data.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)
            NaN marks missing pixels of an array.
        y : None
            Ignored.

        Returns
        -------
        ContinuumNormalizer
            The transformer itself.
        """
        check_choice("method", self.method, _METHODS)
        check_choice("mode", self.mode, ("divide", "subtract"))
        check_choice("window_unit", self.window_unit, ("pixel", "angstrom"))
        check_choice("edge", self.edge, EDGES)
        check_choice("non_positive", self.non_positive, ("missing", "raise"))
        if self.window_unit == "pixel":
            check_scalar(self.window, "window", Integral, min_val=1)
        for name in ("window", "sigma_low", "sigma_high", "smoothness"):
            check_scalar(getattr(self, name), name, Real, min_val=0, include_boundaries="neither")
        if self.max_ratio is not None:
            check_scalar(self.max_ratio, "max_ratio", Real, min_val=0, include_boundaries="neither")
        check_scalar(self.quantile, "quantile", Real, min_val=0, max_val=1)
        check_scalar(self.asymmetry, "asymmetry", Real, min_val=0, max_val=1, include_boundaries="neither")
        check_scalar(self.degree, "degree", Integral, min_val=0)
        check_scalar(self.n_knots, "n_knots", Integral, min_val=0)
        check_scalar(self.max_rounds, "max_rounds", Integral, min_val=1)
        X = check_flux(self, X, reset=True)
        if not isinstance(X, Spectra):
            n_features = X.shape[1]
            self._wave_of(n_features)
            if n_features < self._n_needed():
                raise ValueError(
                    f"method {self.method!r} needs at least {self._n_needed()} pixels, X has n_features = {n_features}"
                )
        return self

    def transform(self, X: Any) -> Any:
        """Take the continuum out.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)

        Returns
        -------
        Spectra or ndarray of shape (n_spectra, n_pixels)
            As X is, in the same floating-point type.
        """
        X = check_flux(self, X, reset=False)
        if not isinstance(X, Spectra):
            return self._transform(X, None, self._wave_of(X.shape[1]), X)[0]
        flux: Any
        ivar: Any
        if isinstance(X.flux, np.ndarray):
            flux, ivar = self._transform(X.flux, X.ivar, X.wave, X)
        else:
            rows = [self._transform(f[None], i, w, X, first=k) for k, (f, i, w) in enumerate(_rows(X))]
            flux = [f[0] for f, _ in rows]
            ivar = None if X.ivar is None else [i[0] for _, i in rows if i is not None]
        return X.replace(flux=flux, ivar=ivar, flux_unit=None if self.mode == "divide" else X.flux_unit)

    def continuum(self, X: Any) -> Any:
        """Return the continuum itself.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)

        Returns
        -------
        Spectra or ndarray of shape (n_spectra, n_pixels)
            As X is, without ``ivar``. NaN before the first and after the last valid pixel of a spectrum, and where a
            running window has no valid pixel.
        """
        X = check_flux(self, X, reset=False)
        if not isinstance(X, Spectra):
            return self._continuum(X, None, self._wave_of(X.shape[1]), X)
        flux: Any
        if isinstance(X.flux, np.ndarray):
            flux = self._continuum(X.flux, X.ivar, X.wave, X)
        else:
            flux = [self._continuum(f[None], i, w, X, first=k)[0] for k, (f, i, w) in enumerate(_rows(X))]
        return X.replace(flux=flux, ivar=None)

    def _wave_of(self, n_features: int) -> NDArray[np.float64]:
        if self.wave is None and not (
            self.method in ("median", "quantile") and self.window_unit == "angstrom"
        ):
            return np.arange(n_features, dtype=np.float64)
        return wave_of_columns(self.wave, n_features)

    def _n_needed(self) -> int:
        """Fewest valid pixels that determine the continuum."""
        return {"polynomial": self.degree + 1, "legendre": self.degree + 1}.get(self.method, 1)

    def _transform(
        self, flux: NDArray[Any], ivar: NDArray[Any] | None, wave: NDArray[np.float64], X: Any, first: int = 0
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return flux and ivar of rows on one grid; `first` is the number in X of the first of them."""
        out = np.empty_like(flux)
        scaled = None if ivar is None else np.empty_like(ivar)
        for rows in row_blocks(*flux.shape):
            errors = None if ivar is None else ivar[rows]
            good = valid(flux[rows], errors)
            continuum = self._block(flux[rows], good, wave, X, first + rows.start)
            if self.mode == "subtract":
                out[rows] = flux[rows] - continuum
                if scaled is not None:
                    scaled[rows] = errors
                continue
            bad = ~(continuum > 0)
            if self.non_positive == "raise" and (bad & good).any():
                row, pixel = np.argwhere(bad & good)[0]
                raise ValueError(
                    f"{row_name(first + rows.start + row, X)} has a continuum of {continuum[row, pixel]:.3g} at pixel "
                    f"{pixel}, which cannot be divided by; non_positive='missing' makes such pixels missing"
                )
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                ratio = np.divide(flux[rows], continuum, out=out[rows])
                bad |= ~np.isfinite(ratio)
                if self.max_ratio is not None:
                    bad |= np.abs(ratio) > self.max_ratio
                if errors is not None and scaled is not None:
                    weight = np.multiply(errors, continuum**2, out=scaled[rows])
                    bad |= ~np.isfinite(weight)
                    np.copyto(weight, 0, where=bad)
            np.copyto(ratio, np.nan, where=bad)
        return out, scaled

    def _continuum(
        self, flux: NDArray[Any], ivar: NDArray[Any] | None, wave: NDArray[np.float64], X: Any, first: int = 0
    ) -> NDArray[Any]:
        out = np.empty_like(flux)
        for rows in row_blocks(*flux.shape):
            good = valid(flux[rows], None if ivar is None else ivar[rows])
            out[rows] = self._block(flux[rows], good, wave, X, first + rows.start)
        return out

    def _block(
        self, flux: NDArray[Any], good: NDArray[np.bool_], wave: NDArray[np.float64], X: Any, first: int
    ) -> NDArray[Any]:
        """Continua of a few rows, those with the same first and last valid pixel together."""
        n_pixels, needed = flux.shape[1], self._n_needed()
        count = np.count_nonzero(good, axis=1)
        if count.min() < needed:
            row = int(np.argmin(count))
            raise ValueError(
                f"{row_name(first + row, X)} has {count[row] or 'no'} valid pixels, its continuum by method "
                f"{self.method!r} needs at least {needed}"
            )
        if count.min() == n_pixels:
            return self._curve(flux, wave)
        known = np.where(good, flux, flux.dtype.type(np.nan))
        start, stop = good.argmax(axis=1), n_pixels - good[:, ::-1].argmax(axis=1)
        spans, members = np.unique(start * (n_pixels + 1) + stop, return_inverse=True)
        out = np.full_like(known, np.nan)
        for k, span in enumerate(spans):
            inside = slice(*divmod(int(span), n_pixels + 1))
            rows = np.flatnonzero(members == k)
            out[rows, inside] = self._curve(known[rows, inside], wave[inside])
        return out

    def _curve(self, flux: NDArray[Any], wave: NDArray[np.float64]) -> NDArray[Any]:
        """Continua, in the type of `flux`, of rows whose first and last pixel are valid."""
        if len(wave) == 1:
            return flux
        if self.method in ("median", "quantile"):
            windows = (
                windows_of_pixels(len(wave), int(self.window))
                if self.window_unit == "pixel"
                else windows_of_wave(wave, self.window)
            )
            quantile = 0.5 if self.method == "median" else self.quantile
            return running_quantile(flux, windows, quantile, self.edge)
        if self.method == "als":
            curve = asymmetric_least_squares(
                flux, smoothness=self.smoothness, asymmetry=self.asymmetry, max_rounds=self.max_rounds
            )
        else:
            is_spline = self.method == "spline"
            curve = fit_clipped(
                spline_basis(wave, self.n_knots) if is_spline else legendre_basis(wave, self.degree),
                flux,
                sigma_low=self.sigma_low,
                sigma_high=self.sigma_high,
                max_rounds=self.max_rounds,
                penalty=bending(self.n_knots + 4) if is_spline else None,
            )
        return curve.astype(flux.dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _rows(spectra: Spectra) -> Any:
    """Flux, ivar (as one row, or None) and wave of each spectrum on its own grid."""
    ivar = [None] * len(spectra) if spectra.ivar is None else [row[None] for row in spectra.ivar]
    return zip(spectra.flux, ivar, spectra.wave, strict=True)
