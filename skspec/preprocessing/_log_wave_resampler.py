"""Resample spectra onto a log-linear wavelength grid: `LogWaveResampler`."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skspec.checks import COUNT, Choice, Constraints, Interval, check_parameters, unchanged_on_error
from skspec.preprocessing._missing_bins import RULES, fill, refuse_empty
from skspec.preprocessing._overlap import Resampled, overlap
from skspec.preprocessing._sampling import sample
from skspec.preprocessing._weighted_bins import weighted_bins
from skspec.spectra import Block, Spectra, blocks
from skspec.spectra.inputs import check_flux, check_pixel_widths, in_vacuum

_METHODS = ("flux_conserving", "linear", "cubic", "fft", "ivar_weighted")
_WITHOUT_IVAR = ("cubic", "fft")


class LogWaveResampler(TransformerMixin, BaseEstimator):
    """Resample spectra onto one grid of bins equally wide in log wavelength.

    On such a grid a redshift or radial velocity is a shift, and bins have the same resolution everywhere. By default the
    flux density in a bin is the mean of the valid pixels that it overlaps, weighted by the overlap: flux is conserved,
    and variances are propagated.

    Parameters
    ----------
    method : {"flux_conserving", "linear", "cubic", "fft", "ivar_weighted"}, default="flux_conserving"
        How the flux of a bin is computed from the flux f of valid pixels:

        - ``"flux_conserving"``: the mean ``Σ o f / Σ o`` with overlaps o in Å, as above;
        - ``"linear"``: linear interpolation in wavelength at the bin's centre;
        - ``"cubic"``: cubic spline (not-a-knot) in log wavelength at the bin's centre, without variances;
        - ``"fft"``: as in the BOSS quasar classifier of Solimano (mqc-nets): cubic spline at as many points
          between the edges of the grid as the spectrum has pixels, zero outside of it, then Fourier resampling
          to `n_bins`. It rings, assumes a periodic grid, and has no variances; for comparison;
        - ``"ivar_weighted"``: mean, weighted by inverse variance, of the pixels whose centres lie in the bin, as
          in QuasarNET (Busca and Balland 2018, arXiv:1808.09955; bins of 1e-3 dex). Pixels have equal
          weights if errors are unknown.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of
        a linear grid. Not used for `Spectra`.
    loglam_min, loglam_max : float, default=3.56, 4.01
        Decimal logarithm of the outer edges of the grid in Å (3631 to 10233 Å: the SDSS/BOSS range).
    n_bins : int, default=433
        Number of bins. The default makes them 1.04e-3 dex wide, 720 km/s, as in the BOSS quasar classifier.
    min_coverage : float, default=0.5
        A bin is missing when valid pixels cover less than this fraction of it.
    missing : {"nan", "interpolate", "zero", "raise"}, default="nan"
        How to fill missing bins: with NaN; by linear interpolation between the nearest bins that are not missing, the
        outermost of which are extended to the ends; with zero, as in the BOSS quasar classifier (with ``method="fft"``
        the zeros are those before the transform, which rings into them); or raise an error.
    output : {"flux", "flux_ivar"}, default="flux"
        Output of `transform`: flux alone, or flux and inverse variance side by side, for a classifier with
        ``n_channels=2``. Missing bins have inverse variance 0, whatever flux they are filled with.

    Attributes
    ----------
    wave_ : ndarray of shape (n_bins,)
        Vacuum wavelengths of the bin centres (geometric) in Å; with ``method="fft"`` of the lower edges, near
        which its samples lie.
    edges_ : ndarray of shape (n_bins + 1,)
        Bin edges in Å.
    input_wave_ : ndarray of shape (n_pixels,) or None
        Vacuum wavelengths of X in fit; None for spectra on different grids.
    n_features_in_ : int
        Number of columns seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is invalid, X is a 2-D array and `wave` is not given, or ``output="flux_ivar"`` and X or
        the method has no inverse variances. In `transform`, if all bins of a spectrum are missing (no overlap with the
        grid, or missing pixels only).

    Warns
    -----
    UserWarning
        If ``missing="interpolate"`` extends a spectrum by more than a tenth of the bins at its ends, and
        ``output="flux"`` does not say which.

    See Also
    --------
    ResolutionMatcher : Bring spectra to one resolution, before.
    FluxNormalizer : Scale each spectrum.

    Notes
    -----
    A pixel reaches halfway to its neighbours. The variance of a flux-conserving bin is ``Σ o² var f / (Σ o)²``, as
    in SpectRes (Carnall 2017, arXiv:1705.05165) and specutils' FluxConservingResampler, with which flux and
    variance agree to rounding. Neighbouring bins that share a pixel are correlated; the covariance is not propagated.

    Interpolation does not average pixels: where bins are wider than pixels, it loses signal-to-noise ratio that
    integration keeps. Between the centres of the outermost pixels and their outer edges the flux of ``"linear"`` and
    ``"cubic"`` is constant.

    The samples of ``"fft"`` lie where the published code has them, for a spectrum of n pixels ``(loglam_max -
    loglam_min) n / (n - 1) / n_bins`` apart from `loglam_min` on.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import LogWaveResampler
    >>> wave = np.linspace(4000.0, 7000.0, 3001)
    >>> resampler = LogWaveResampler(wave=wave, loglam_min=3.65, loglam_max=3.8, n_bins=3).fit(wave[None])
    >>> resampler.transform(wave[None])  # a spectrum that rises with wavelength: means over the bins
    array([[4739.4, 5317.6, 5966.5]])
    >>> resampler.get_feature_names_out()
    array(['flux_4731.5', 'flux_5308.8', 'flux_5956.6'], dtype=object)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "method": [Choice(_METHODS)],
        "loglam_min": [Interval(Real, 0, 10)],
        "loglam_max": [Interval(Real, 0, 10)],
        "n_bins": [COUNT],
        "min_coverage": [Interval(Real, 0, 1, "right")],
        "missing": [Choice(RULES)],
        "output": [Choice(("flux", "flux_ivar"))],
    }

    def __init__(
        self,
        method: str = "flux_conserving",
        *,
        wave: ArrayLike | None = None,
        loglam_min: float = 3.56,
        loglam_max: float = 4.01,
        n_bins: int = 433,
        min_coverage: float = 0.5,
        missing: str = "nan",
        output: str = "flux",
    ) -> None:
        self.method = method
        self.wave = wave
        self.loglam_min = loglam_min
        self.loglam_max = loglam_max
        self.n_bins = n_bins
        self.min_coverage = min_coverage
        self.missing = missing
        self.output = output

    @unchanged_on_error
    def fit(self, X: Any, y: Any = None) -> LogWaveResampler:
        """Compute the grid and return the transformer itself.

        X is `Spectra`, or an array-like of shape (n_spectra, n_features) with NaN where pixels are missing, which needs
        the parameter `wave`. `y` is ignored.
        """
        check_parameters(self)
        if not self.loglam_min < self.loglam_max:
            raise ValueError(f"loglam_min={self.loglam_min} must be below loglam_max={self.loglam_max}")
        X, wave = self._check(X, reset=True)
        if isinstance(X, Spectra):
            wave = X.wave if X.is_common_grid else None
        self.input_wave_ = wave
        loglam = np.linspace(self.loglam_min, self.loglam_max, self.n_bins + 1)
        self.edges_ = 10.0**loglam
        self.wave_ = self.edges_[:-1] if self.method == "fft" else 10.0 ** (0.5 * (loglam[1:] + loglam[:-1]))
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Resample the flux.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            Spectra on any grids, or a 2-D array on the grid `wave`.

        Returns
        -------
        ndarray of shape (n_spectra, n_bins), or (n_spectra, 2 n_bins) with ``output="flux_ivar"``
            Flux density, float32 for `Spectra` and in the array's own floating-point type otherwise.
        """
        X, result = self._resample(X)
        flux, bad = result.flux, self._is_missing(result)
        if bad.any():
            grid = f"{self.edges_[0]:.0f}–{self.edges_[-1]:.0f} Å"
            refuse_empty(bad, grid, X)
            if self.method != "fft" or self.missing != "zero":
                fill(flux, bad, self.missing, grid, X, marked=self.output == "flux_ivar")
        if self.output == "flux" or result.ivar is None:
            return flux
        return np.hstack([flux, np.where(bad, 0, result.ivar)], dtype=flux.dtype)

    def resample(self, X: Spectra) -> Spectra:
        """Resample flux and inverse variance; missing bins have NaN flux and ``ivar`` 0.

        Parameters
        ----------
        X : Spectra
            Spectra on any grids.

        Returns
        -------
        Spectra
            On the common grid `wave_`, with the same catalogue rows. ``"cubic"`` and ``"fft"`` give no ``ivar``.
        """
        if not isinstance(X, Spectra):
            raise TypeError(f"resample takes Spectra, got {type(X).__name__}; transform takes arrays")
        result = self._resample(X)[1]
        bad = self._is_missing(result)
        flux = np.where(bad, np.nan, result.flux)
        ivar = None if result.ivar is None else np.where(bad, 0, result.ivar)
        return X.replace(flux=flux, ivar=ivar, wave=self.wave_, medium="vacuum")

    def coverage(self, X: Any) -> NDArray[np.float64]:
        """Fraction of the grid's bins that each spectrum fills, shape (n_spectra,).

        It is 0 for a spectrum that `transform` would raise an error for. X is as for `transform`.
        """
        result = self._resample(X)[1]
        return 1.0 - self._is_missing(result).mean(axis=1)

    def inverse_transform(self, X: Any) -> NDArray[np.floating]:
        """Return binned flux at the wavelengths of X in `fit`, by linear interpolation in log wavelength.

        Parameters
        ----------
        X : array-like of shape (n_spectra, n_features_out)
            Output of `transform`; the inverse variances of ``output="flux_ivar"`` are ignored.

        Returns
        -------
        ndarray of shape (n_spectra, n_pixels)
            Flux on `input_wave_`. The outermost bins are extended to the edges of the grid; beyond these, and next to
            missing bins, it is NaN.

        Raises
        ------
        ValueError
            If `fit` was given spectra on different grids.

        Notes
        -----
        What bins average out is lost. For a smooth flux f in narrow pixels, with bins d wide and derivatives taken in
        natural logarithm of wavelength, the error is at most about ``d² (|f'| / 12 + |f''| / 6)``: ``f'' / 8`` comes from
        the interpolation, the rest from the means over the bins.
        """
        check_is_fitted(self)
        wave = self.input_wave_
        if wave is None:
            raise ValueError("fit was given spectra on different grids, so there is no grid to return to")
        X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
        if X.shape[1] != len(self.get_feature_names_out()):
            raise ValueError(
                f"X has {X.shape[1]} features, transform gives {len(self.get_feature_names_out())}"
            )
        out = np.full((len(X), len(wave)), np.nan, X.dtype)
        inside = (wave >= self.edges_[0]) & (wave <= self.edges_[-1])
        place = np.interp(np.log(wave[inside]), np.log(self.wave_), np.arange(self.n_bins))
        left = np.clip(place.astype(np.intp), 0, max(self.n_bins - 2, 0))
        right = np.minimum(left + 1, self.n_bins - 1)
        part = (place - left).astype(X.dtype)
        out[:, inside] = (1 - part) * X[:, left] + part * X[:, right]
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: ``flux_`` (and ``ivar_``) and the wavelength of the bin in Å.

        Returns an ndarray of str objects of shape (n_bins,), or (2 n_bins,) with ``output="flux_ivar"``;
        `input_features` is ignored.
        """
        check_is_fitted(self)
        names = wave_names("flux", self.wave_)
        return names if self.output == "flux" else np.concatenate([names, wave_names("ivar", self.wave_)])

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        """Return X with vacuum wavelengths, and those of the columns of an array."""
        if self.output == "flux_ivar":
            if self.method in _WITHOUT_IVAR:
                raise ValueError(
                    f"output='flux_ivar' needs variances, which method={self.method!r} does not propagate"
                )
            if getattr(X, "ivar", None) is None:
                raise ValueError("output='flux_ivar' needs Spectra with ivar; X has none")
        X = check_flux(self, X, reset=reset)
        check_pixel_widths(X)
        return in_vacuum(X, self.wave)

    def _resample(self, X: Any) -> tuple[Any, Resampled]:
        """Return X as checked, and the bins of all spectra."""
        check_is_fitted(self)
        if not isinstance(X, Spectra) and not hasattr(self, "n_features_in_"):
            raise TypeError(
                "fitted on Spectra; give Spectra, or fit on an array with its wavelengths as wave="
            )
        X, wave = self._check(X, reset=False)
        dtype = np.float32 if isinstance(X, Spectra) else X.dtype
        flux, ivar, coverage = (np.empty((len(X), self.n_bins), dtype) for _ in range(3))
        has_ivar = getattr(X, "ivar", None) is not None and self.method not in _WITHOUT_IVAR
        result = Resampled(flux, ivar if has_ivar else None, coverage)
        for block in blocks(X, wave):
            for all_rows, rows in zip(result, self._resample_block(block), strict=True):
                if all_rows is not None:
                    all_rows[block.rows] = rows
        return X, result

    def _resample_block(self, block: Block) -> Resampled:
        result = overlap(block, self.edges_)
        if self.method == "flux_conserving":
            return result
        if self.method == "ivar_weighted":
            flux, ivar = weighted_bins(block, self.edges_)
        else:
            flux, ivar = sample(self.method, block, self.edges_)
        return Resampled(flux, ivar, np.where(np.isnan(flux), 0, result.coverage))

    def _is_missing(self, result: Resampled) -> NDArray[np.bool_]:
        return ~(result.coverage >= self.min_coverage - 1e-5)  # float32 coverage is good to that

    def __skspec_check_fitted__(self) -> None:
        """Raise ValueError unless the fitted grid has `n_bins` bins."""
        for name, n in (("edges_", self.n_bins + 1), ("wave_", self.n_bins)):
            values = np.asarray(getattr(self, name))
            if values.shape != (n,) or not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
                raise ValueError(
                    f"{name} must be {n} finite, increasing wavelengths for n_bins={self.n_bins}"
                )

    def __skspec_search_space__(self) -> dict[str, Any]:
        n = self.n_bins
        return {"n_bins": [n // 2, n, 2 * n] if n > 1 else [n, 2 * n]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def wave_names(prefix: str, wave: NDArray[np.float64]) -> NDArray[np.object_]:
    """Names ``flux_4861.3`` of columns by wavelength, with as many decimals as keep them distinct."""
    step = np.diff(wave).min() if len(wave) > 1 else 1.0
    decimals = max(1, int(np.ceil(-np.log10(step))))
    return np.array([f"{prefix}_{w:.{decimals}f}" for w in wave], dtype=object)
