"""Fill missing pixels: `MissingFluxImputer`."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skspec.checks import (
    BOOLEAN,
    COUNT,
    FRACTION,
    NON_NEGATIVE,
    Choice,
    Constraints,
    Interval,
    check_parameters,
    unchanged_on_error,
)
from skspec.preprocessing._log_wave_resampler import wave_names
from skspec.preprocessing._template import Template, learn_template
from skspec.spectra import Spectra, blocks, describe_grid, same_grid
from skspec.spectra.inputs import check_flux, row_name, wave_of_columns

_METHODS = ("linear", "nearest", "template", "constant")


class MissingFluxImputer(TransformerMixin, BaseEstimator):
    """Fill missing pixels of spectra on one grid, and optionally mark where they were.

    Parameters
    ----------
    method : {"linear", "nearest", "template", "constant"}, default="linear"
        How the value of a missing pixel is found:

        - ``"linear"``: linear interpolation in wavelength between the nearest valid pixels on both sides; before the
          first and after the last valid pixel, the value of that pixel;
        - ``"nearest"``: the valid pixel nearest in wavelength, the bluer of two;
        - ``"template"``: principal components learned in fit, also from spectra with missing pixels, and fitted to the
          valid pixels of the spectrum;
        - ``"constant"``: `fill_value`.
    fill_value : float, default=0.0
        The value of ``method="constant"``.
    n_components : int, default=10
        Number of principal components of ``method="template"``.
    max_rounds : int, default=100
        Maximum number of rounds of learning the template.
    tol : float, default=1e-2
        Learning stops when the residual variance falls by less than this fraction in a round. Much smaller values do
        not help: components then describe single spectra whose gaps nothing else constrains.
    min_coverage : float, default=0.5
        Smallest fraction of valid pixels with which a spectrum is filled. One without any valid pixel never is.
    low_coverage : {"raise", "nan"}, default="raise"
        How to treat spectra with less: raise an error, or return NaN in all their pixels, so that
        ``np.isnan(out[:, 0])`` finds them. Such spectra are not used for the template.
    add_indicator : bool, default=False
        Append a second channel of as many columns that is 1 where a pixel was missing and 0 elsewhere, for
        classifiers with ``n_channels=2``.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of a linear grid.
        None assumes equally spaced columns. Not used for `Spectra`.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator for the initial components of the template, which hardly depends on it.

    Attributes
    ----------
    wave_ : ndarray of shape (n_features,) or None
        Vacuum wavelengths of the columns in Å; None where fit was given an array and no wavelengths.
    mean_ : ndarray of shape (n_features,)
        Mean of the template; like those below, for ``method="template"`` only.
    components_ : ndarray of shape (n_components, n_features)
        Its components, orthonormal, in order of their variance.
    explained_variance_ : ndarray of shape (n_components,)
        Variance of the spectra along each.
    noise_variance_ : float
        Mean variance along all other components, as in `sklearn.decomposition.PCA`.
    n_rounds_ : int
        Number of rounds in which it was learned.
    n_features_in_ : int
        Number of pixels seen in fit.

    Raises
    ------
    ValueError
        If a parameter is invalid, spectra have different grids or not the grid of `fit`, a spectrum has too few valid
        pixels, or a pixel is missing in all spectra that a template is learned from.

    Warns
    -----
    ConvergenceWarning
        If the template has not converged after `max_rounds` rounds.

    See Also
    --------
    LogWaveResampler : Bring spectra onto a common grid.

    Notes
    -----
    `Spectra` become a 2-D array: filled pixels are not measurements, and in `Spectra` with inverse variances they would
    have to stay missing.

    The template is a principal component analysis by expectation maximisation (Roweis 1998, NIPS 10, 626). The
    coefficients of a spectrum come from its valid pixels (Connolly and Szalay 1999, AJ 117, 2052) and are shrunk towards
    zero by the ratio of the noise variance to that of each component (Tipping and Bishop 1999, J. R. Stat. Soc. B 61,
    611; Josse and Husson 2012, J. SFdS 153, 79). Spectra are not scaled: put `FluxNormalizer` before, or the brightest
    dominate.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import MissingFluxImputer
    >>> X = [[1.0, np.nan, 3.0, np.nan], [2.0, 2.0, np.nan, 5.0]]
    >>> MissingFluxImputer().fit_transform(X)
    array([[1. , 2. , 3. , 3. ],
           [2. , 2. , 3.5, 5. ]])
    >>> imputer = MissingFluxImputer("constant", add_indicator=True, wave=(5000.0, 5003.0)).fit(X)
    >>> imputer.transform(X)[0]
    array([1., 0., 3., 0., 0., 1., 0., 1.])
    >>> imputer.get_feature_names_out()[[0, 4]]
    array(['flux_5000.0', 'missing_5000.0'], dtype=object)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "method": [Choice(_METHODS)],
        "fill_value": [Interval(Real)],
        "n_components": [COUNT],
        "max_rounds": [COUNT],
        "tol": [NON_NEGATIVE],
        "min_coverage": [FRACTION],
        "low_coverage": [Choice(("raise", "nan"))],
        "add_indicator": [BOOLEAN],
    }

    def __init__(
        self,
        method: str = "linear",
        *,
        fill_value: float = 0.0,
        n_components: int = 10,
        max_rounds: int = 100,
        tol: float = 1e-2,
        min_coverage: float = 0.5,
        low_coverage: str = "raise",
        add_indicator: bool = False,
        wave: ArrayLike | None = None,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.fill_value = fill_value
        self.n_components = n_components
        self.max_rounds = max_rounds
        self.tol = tol
        self.min_coverage = min_coverage
        self.low_coverage = low_coverage
        self.add_indicator = add_indicator
        self.wave = wave
        self.random_state = random_state

    @unchanged_on_error
    def fit(self, X: Any, y: Any = None) -> MissingFluxImputer:
        """Check parameters and data, learn the template, and return the transformer itself.

        X is `Spectra` on one grid, or an array-like of shape (n_spectra, n_features) with NaN where pixels are missing.
        `y` is ignored.
        """
        check_parameters(self)
        X = check_flux(self, X, reset=True)
        if isinstance(X, Spectra):
            X = _on_one_grid(X)
            self.wave_ = X.wave
            self.n_features_in_ = X.shape[1]
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        else:
            self.wave_ = None if self.wave is None else wave_of_columns(self.wave, X.shape[1])
        if self.method == "template":
            self._learn(X)
        return self

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Fill missing pixels.

        Parameters
        ----------
        X : Spectra on the grid of `fit`, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra, n_features), or twice as many columns with `add_indicator`
            Flux, float32 for `Spectra` and in the array's own floating-point type otherwise.
        """
        X = self._check(X)
        n, p = X.shape
        dtype = np.float32 if isinstance(X, Spectra) else X.dtype
        out = np.empty((n, 2 * p if self.add_indicator else p), dtype)
        for block in blocks(X):
            missing = ~block.valid
            low = self._is_low(missing)
            if low.any() and self.low_coverage == "raise":
                row = int(np.argmax(low))
                raise ValueError(
                    f"{row_name(block.rows.start + row, X)} has valid flux in {1 - missing[row].mean():.1%} of its "
                    f"pixels, less than min_coverage={self.min_coverage}; low_coverage='nan' leaves such spectra NaN"
                )
            filled = out[block.rows, :p]
            filled[:] = block.flux
            gaps = missing.any(axis=1) & ~low
            if gaps.any():
                filled[gaps] = self._filled(block.flux[gaps], missing[gaps])
            filled[low] = np.nan
            if self.add_indicator:
                out[block.rows, p:] = missing
        return out

    def coverage(self, X: Any) -> NDArray[np.float64]:
        """Fraction of each spectrum's pixels that are valid, shape (n_spectra,), to be compared with `min_coverage`.

        X is as for `transform`.
        """
        X = self._check(X)
        return np.concatenate([np.empty(0), *(block.valid.mean(axis=1) for block in blocks(X))])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: ``flux_`` and the wavelength in Å, or the names that fit saw.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input columns; None takes those of fit, or makes them of the wavelengths.

        Returns
        -------
        ndarray of str objects
            With `add_indicator`, followed by ``missing_`` in place of ``flux_``.
        """
        check_is_fitted(self, "n_features_in_")
        if input_features is None and self.wave_ is not None and not hasattr(self, "feature_names_in_"):
            names = wave_names("flux", self.wave_)
        else:
            names = _check_feature_names_in(self, input_features)
        if not self.add_indicator:
            return names
        missing = [f"missing_{str(name).removeprefix('flux_')}" for name in names]
        return np.concatenate([names, np.array(missing, dtype=object)])

    def _check(self, X: Any) -> Any:
        """Return X on the grid of fit."""
        check_is_fitted(self, "n_features_in_")
        X = check_flux(self, X, reset=False)
        if not isinstance(X, Spectra):
            return X
        X = _on_one_grid(X)
        if X.shape[1] != self.n_features_in_ or (
            self.wave_ is not None and not same_grid(X.wave, self.wave_)
        ):
            seen = f"{self.n_features_in_} pixels" if self.wave_ is None else describe_grid(self.wave_)
            raise ValueError(
                f"X has {describe_grid(X.wave)}, which is not the grid of fit ({seen}); put LogWaveResampler first"
            )
        return X

    def _is_low(self, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return (1.0 - missing.mean(axis=1) < self.min_coverage) | missing.all(axis=1)

    def _learn(self, X: Any) -> None:
        flux = np.asarray(X)
        missing = np.isnan(flux)
        low = self._is_low(missing)
        if low.any():
            if self.low_coverage == "raise":
                row = int(np.argmax(low))
                raise ValueError(
                    f"{row_name(row, X)} has valid flux in {1 - missing[row].mean():.1%} of its pixels, less than "
                    f"min_coverage={self.min_coverage}; low_coverage='nan' learns the template from the others"
                )
            flux, missing = flux[~low], missing[~low]
        if self.n_components > min(flux.shape):
            raise ValueError(
                f"n_components={self.n_components} is more than n_samples = {len(flux)} spectra or "
                f"n_features = {flux.shape[1]} pixels give"
            )
        never = np.flatnonzero(missing.all(axis=0))
        if len(never):
            raise ValueError(
                f"{len(never)} pixels, the first with index {never[0]}, are missing in all spectra: a template cannot "
                "be learned there; narrow the grid"
            )
        del missing
        template, self.n_rounds_, converged = learn_template(
            flux,
            self.n_components,
            max_rounds=self.max_rounds,
            tol=self.tol,
            random_state=check_random_state(self.random_state),
        )
        self.mean_, self.components_, self.explained_variance_, self.noise_variance_ = template
        if not converged:
            warnings.warn(
                f"the template has not converged in max_rounds={self.max_rounds} rounds; increase it, or tol={self.tol}",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _filled(self, flux: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
        """Fill rows that have both missing and valid pixels."""
        if self.method == "constant":
            return np.where(missing, flux.dtype.type(self.fill_value), flux)
        if self.method == "template":
            template = Template(self.mean_, self.components_, self.explained_variance_, self.noise_variance_)
            return np.where(missing, template.predict(flux, missing), flux)
        wave = np.arange(flux.shape[1], dtype=np.float64) if self.wave_ is None else self.wave_
        out = flux.copy()
        for row, hole in zip(out, missing, strict=True):
            at, known_at, known = wave[hole], wave[~hole], row[~hole]
            if self.method == "linear":
                row[hole] = np.interp(at, known_at, known)
            else:
                row[hole] = known[np.searchsorted(0.5 * (known_at[1:] + known_at[:-1]), at)]
        return out

    def __skspec_check_fitted__(self) -> None:
        """Raise ValueError unless grid and template have the size of the spectra in `fit`."""
        p = self.n_features_in_
        shapes: dict[str, tuple[int, ...]] = {} if self.wave_ is None else {"wave_": (p,)}
        if self.method == "template":
            n = self.n_components
            shapes |= {"mean_": (p,), "components_": (n, p), "explained_variance_": (n,)}
        for name, shape in shapes.items():
            if np.shape(getattr(self, name)) != shape or not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} must have shape {shape} and finite values")

    def __skspec_search_space__(self) -> dict[str, Any]:
        if self.method != "template":
            return {}
        n = self.n_components
        return {"n_components": [n // 2, n, 2 * n] if n > 1 else [n, 2 * n]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _on_one_grid(X: Spectra) -> Spectra:
    if not X.is_common_grid:
        raise ValueError(f"the {len(X)} spectra have different wavelength grids; put LogWaveResampler first")
    return X.to_vacuum()
