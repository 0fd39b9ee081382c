"""Scaling of each spectrum."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.spectra import Spectra
from skspec.spectra.inputs import check_flux

_METHODS = ("max", "mean", "median", "l2", "minmax", "quantile", "snv")
_WEIGHTED = ("mean", "snv")


class FluxNormalizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each spectrum by itself, so that brightness and distance do not matter.

    Parameters
    ----------
    method : {"max", "mean", "median", "l2", "minmax", "quantile", "snv"}, default="median"
        What each spectrum f becomes, over its valid pixels:

        - ``"max"``, ``"mean"``, ``"median"``, ``"quantile"``: f divided by the absolute value of that
          statistic of f;
        - ``"l2"``: f divided by the root of the sum of f²;
        - ``"minmax"``: (f - min) / (Q - min), where Q is the given `quantile` of f (1 for the maximum);
        - ``"snv"``: standard normal variate, (f - mean) / standard deviation (Barnes, Dhanoa and Lister 1989,
          Applied Spectroscopy 43, 772).
    quantile : float, default=0.9
        The quantile of ``method="quantile"`` and, for ``method="minmax"``, the upper reference: 0.9 is the
        published choice for joint MK classification, 1.0 the plain maximum.
    ivar_weighted : bool, default=False
        Weight the pixels by their inverse variance in ``"mean"`` and ``"snv"`` (the latter then is the
        normalisation of QuasarNET, Busca and Balland 2018, arXiv:1808.09955). Needs `Spectra` with ``ivar``.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is out of range, a spectrum has no valid pixel, or weights are asked for and X has none.

    See Also
    --------
    LogWaveResampler : Bring spectra onto a common grid.

    Notes
    -----
    Missing pixels (NaN in an array) stay missing. A spectrum whose scale is zero (no flux at all, or for
    ``"minmax"`` and ``"snv"`` a constant one) is not divided, as in `sklearn.preprocessing.Normalizer`. The
    absolute value keeps a faint spectrum whose median is negative from being turned upside down.

    The transformer learns nothing: `fit` only checks.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import FluxNormalizer
    >>> FluxNormalizer("max").fit_transform([[1.0, 2.0, 4.0], [40.0, np.nan, 20.0]])
    array([[0.25, 0.5 , 1.  ],
           [1.  ,  nan, 0.5 ]])
    """

    def __init__(self, method: str = "median", *, quantile: float = 0.9, ivar_weighted: bool = False) -> None:
        self.method = method
        self.quantile = quantile
        self.ivar_weighted = ivar_weighted

    def fit(self, X: Any, y: Any = None) -> FluxNormalizer:
        """Check parameters and data.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)
            NaN marks missing pixels of an array.
        y : None
            Ignored.

        Returns
        -------
        FluxNormalizer
            The transformer itself.
        """
        check_choice("method", self.method, _METHODS)
        check_scalar(self.quantile, "quantile", Real, min_val=0, max_val=1, include_boundaries="right")
        if self.ivar_weighted and self.method not in _WEIGHTED:
            raise ValueError(f"ivar_weighted works with method {', '.join(_WEIGHTED)}, got {self.method!r}")
        self._check(X, reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Scale the spectra.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)

        Returns
        -------
        Spectra or ndarray of shape (n_spectra, n_pixels)
            As X is; the ``ivar`` of `Spectra` is scaled along.
        """
        X = self._check(X, reset=False)
        if not isinstance(X, Spectra):
            return self._scale(X, None, np.isfinite(X), None)[0]
        files = X.meta["file"] if "file" in X.meta.colnames else None
        if isinstance(X.flux, np.ndarray):
            flux, ivar = self._scale(X.flux, X.ivar, X.valid, files)
            return X.replace(flux=flux, ivar=ivar, flux_unit=None)
        rows = [
            self._scale(f[None], None if X.ivar is None else X.ivar[k][None], good[None], files, first=k)
            for k, (f, good) in enumerate(zip(X.flux, X.valid, strict=True))
        ]
        scaled = [i[0] for _, i in rows if i is not None]
        return X.replace(flux=[f[0] for f, _ in rows], ivar=scaled or None, flux_unit=None)

    def _check(self, X: Any, *, reset: bool) -> Any:
        if isinstance(X, Spectra):
            if self.ivar_weighted and X.ivar is None:
                raise ValueError("ivar_weighted needs Spectra with ivar; these have none")
            return X
        if self.ivar_weighted:
            raise ValueError("ivar_weighted needs Spectra with ivar; a 2-D array has none")
        return check_flux(self, X, reset=reset)

    def _scale(
        self,
        flux: NDArray[Any],
        ivar: NDArray[Any] | None,
        good: NDArray[np.bool_],
        files: Any,
        first: int = 0,
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        empty = np.flatnonzero(~good.any(axis=1))
        if len(empty):
            row = first + int(empty[0])
            name = f"{files[row]} (spectrum {row})" if files is not None else f"spectrum {row}"
            raise ValueError(f"{name} has no valid pixel to normalise by")
        known = flux if good.all() else np.where(good, flux, flux.dtype.type(np.nan))
        zero, scale = self._zero_and_scale(known, ivar)
        scale = np.where(scale > 0, scale, 1.0)
        out = ((known if zero is None else known - zero) / scale).astype(flux.dtype, copy=False)
        return out, None if ivar is None else (ivar * scale**2).astype(ivar.dtype, copy=False)

    def _zero_and_scale(
        self, flux: NDArray[Any], ivar: NDArray[Any] | None
    ) -> tuple[NDArray[Any] | None, NDArray[Any]]:
        """Zero point (None: not shifted) and scale of each row, as columns."""
        if self.method == "max":
            return None, np.abs(np.nanmax(flux, axis=1, keepdims=True))
        if self.method == "median":
            return None, np.abs(_quantile(flux, 0.5))
        if self.method == "quantile":
            return None, np.abs(_quantile(flux, self.quantile))
        if self.method == "minmax":
            low = np.nanmin(flux, axis=1, keepdims=True)
            return low, _quantile(flux, self.quantile) - low
        if self.method == "l2":
            return None, np.sqrt(np.nansum(np.square(flux, dtype=np.float64), axis=1, keepdims=True))
        weight = ivar if self.ivar_weighted else None
        mean = _mean(flux, weight)
        if self.method == "mean":
            return None, np.abs(mean)
        spread = np.sqrt(_mean((flux - mean) ** 2, weight))
        return mean, np.where(spread > 1e-7 * np.abs(mean), spread, 0.0)  # rounding is no spread

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _mean(values: NDArray[Any], weight: NDArray[Any] | None) -> NDArray[np.float64]:
    """Mean of each row over what is not NaN, as a column."""
    if weight is None:
        return np.nanmean(values, axis=1, keepdims=True, dtype=np.float64)
    weight = np.where(np.isnan(values), 0.0, weight)
    total = np.nansum(values * weight, axis=1, keepdims=True, dtype=np.float64)
    return total / weight.sum(axis=1, keepdims=True, dtype=np.float64)


def _quantile(flux: NDArray[Any], q: float) -> NDArray[Any]:
    """Quantile of each row over what is not NaN; rows without NaN, nearly all, take the fast way."""
    gaps = np.isnan(flux).any(axis=1)
    out = np.empty((len(flux), 1), flux.dtype)
    out[~gaps, 0] = np.quantile(flux[~gaps], q, axis=1) if not gaps.all() else ()
    if gaps.any():
        out[gaps, 0] = [np.quantile(row[~np.isnan(row)], q) for row in flux[gaps]]
    return out
