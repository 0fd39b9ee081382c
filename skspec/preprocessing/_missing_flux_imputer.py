"""Values for missing pixels."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skspec.checks import check_choice
from skspec.preprocessing._log_wave_resampler import wave_names
from skspec.preprocessing._template import Template, learn_template
from skspec.spectra import Spectra, valid
from skspec.spectra.inputs import check_flux, row_blocks, row_name, wave_of_columns

_METHODS = ("linear", "nearest", "template", "constant")


class MissingFluxImputer(TransformerMixin, BaseEstimator):
    """Fill missing pixels of spectra on one grid, and say where they were.

    Parameters
    ----------
    method : {"linear", "nearest", "template", "constant"}, default="linear"
        Where the value of a missing pixel comes from:

        - ``"linear"``: the line in wavelength between the nearest valid pixels on both sides; before the first and
          after the last valid pixel, that pixel's value;
        - ``"nearest"``: the valid pixel nearest in wavelength, the bluer of two;
        - ``"template"``: principal components learned in fit, also from spectra with missing pixels, and fitted to the
          valid pixels of the spectrum;
        - ``"constant"``: `fill_value`.
    fill_value : float, default=0.0
        The value of ``method="constant"``.
    n_components : int, default=10
        Principal components of ``method="template"``.
    max_rounds : int, default=100
        Most rounds of learning the template.
    tol : float, default=1e-2
        The template is learned when the variance that it leaves falls by less than this fraction in a round. Much less
        gains nothing: components begin to serve single spectra whose gaps nothing else fills.
    min_coverage : float, default=0.5
        Fraction of its pixels that a spectrum needs to be filled. One without any valid pixel never is.
    low_coverage : {"raise", "nan"}, default="raise"
        What becomes of spectra with less: an error, or a flag: all of the spectrum is NaN, so that it can be found with
        ``np.isnan(out[:, 0])`` and nothing made up passes for a measurement. Such spectra have no part in the template.
    add_indicator : bool, default=False
        Append a second channel of as many columns that is 1 where a pixel was missing and 0 elsewhere, for
        classifiers with ``n_channels=2``.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of a linear grid.
        None takes columns to be equally spaced. `Spectra` know theirs.
    random_state : int, RandomState instance or None, default=None
        For the first guess of the template's components; the template hardly depends on it.

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
        Rounds in which it was learned.
    n_features_in_ : int
        Number of pixels seen in fit.

    Raises
    ------
    ValueError
        If a parameter is out of range, spectra have different grids or not the grid of `fit`, a spectrum is covered too
        little, or a pixel is missing in all spectra that a template is learned from.

    Warns
    -----
    ConvergenceWarning
        If the template has not settled after `max_rounds` rounds.

    See Also
    --------
    LogWaveResampler : Bring spectra onto a common grid.

    Notes
    -----
    `Spectra` become a 2-D array: filled pixels are no measurements, and in `Spectra` with inverse variances they
    would have to stay missing.

    The template is a principal component analysis by expectation maximisation (Roweis 1998, NIPS 10, 626). The
    coefficients of a spectrum come from its valid pixels (Connolly and Szalay 1999, AJ 117, 2052) and are held
    towards zero as far as the noise variance outweighs that of a component (Tipping and Bishop 1999, J. R. Stat. Soc.
    B 61, 611; Josse and Husson 2012, J. SFdS 153, 79). Spectra are not scaled for it: put `FluxNormalizer` before, or
    the brightest rule.

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

    def fit(self, X: Any, y: Any = None) -> MissingFluxImputer:
        """Check parameters and data, and learn the template.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN marks missing pixels of an array.
        y : None
            Ignored.

        Returns
        -------
        MissingFluxImputer
            The fitted transformer itself.
        """
        check_choice("method", self.method, _METHODS)
        check_choice("low_coverage", self.low_coverage, ("raise", "nan"))
        check_scalar(self.fill_value, "fill_value", Real)
        check_scalar(self.n_components, "n_components", Integral, min_val=1)
        check_scalar(self.max_rounds, "max_rounds", Integral, min_val=1)
        check_scalar(self.tol, "tol", Real, min_val=0)
        check_scalar(self.min_coverage, "min_coverage", Real, min_val=0, max_val=1)
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
        flux, _ = _parts(X)
        out = np.empty((n, 2 * p if self.add_indicator else p), flux.dtype)
        for rows in row_blocks(n, p):
            known, missing = _known(X, rows)
            low = self._is_low(missing)
            if low.any() and self.low_coverage == "raise":
                row = int(np.argmax(low))
                raise ValueError(
                    f"{row_name(rows.start + row, X)} has valid flux in {1 - missing[row].mean():.1%} of its pixels, "
                    f"less than min_coverage={self.min_coverage}; low_coverage='nan' leaves such spectra NaN"
                )
            out[rows, :p] = known
            gaps = np.flatnonzero(missing.any(axis=1) & ~low)
            if len(gaps):
                out[rows.start + gaps, :p] = self._filled(known[gaps], missing[gaps])
            out[rows.start + np.flatnonzero(low), :p] = np.nan
            if self.add_indicator:
                out[rows, p:] = missing
        return out

    def coverage(self, X: Any) -> NDArray[np.float64]:
        """Fraction of each spectrum's pixels that are valid, to be compared with `min_coverage`.

        Parameters
        ----------
        X : Spectra on the grid of `fit`, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra,)
        """
        X = self._check(X)
        return np.concatenate([1.0 - _known(X, rows)[1].mean(axis=1) for rows in row_blocks(*X.shape)])

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
            self.wave_ is not None and not np.allclose(X.wave, self.wave_, rtol=1e-9, atol=0)
        ):
            raise ValueError(
                f"X has {X.shape[1]} pixels from {X.wave[0]:.1f} to {X.wave[-1]:.1f} Å, which is not the grid of fit "
                f"({self.n_features_in_} pixels); put LogWaveResampler first"
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
                f"{len(never)} pixels, the first with index {never[0]}, are missing in all spectra: there is no template "
                "of them; narrow the grid"
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
                f"the template has not settled in max_rounds={self.max_rounds} rounds; raise it, or tol={self.tol}",
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _on_one_grid(X: Spectra) -> Spectra:
    if not X.is_common_grid:
        raise ValueError(f"the {len(X)} spectra have different wavelength grids; put LogWaveResampler first")
    return X.to_vacuum()


def _parts(X: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    return (X.flux, X.ivar) if isinstance(X, Spectra) else (X, None)


def _known(X: Any, rows: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Flux of some rows, and where it is missing."""
    flux, ivar = _parts(X)
    return flux[rows], ~valid(flux[rows], None if ivar is None else ivar[rows])
