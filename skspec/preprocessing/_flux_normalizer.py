"""Scale each spectrum by a statistic of its flux: `FluxNormalizer`."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skspec.checks import BOOLEAN, Choice, Constraints, Interval
from skspec.spectra import Block, map_blocks
from skspec.spectra.inputs import row_name
from skspec.spectra.transformer import OneToOneTransformer

_METHODS = ("auto", "max", "mean", "median", "l2", "minmax", "quantile", "snv")
_WEIGHTED = ("mean", "snv")
_ONE_STATISTIC = (
    "max",
    "mean",
    "median",
    "quantile",
)  # of the flux, which may be near zero between its signs
_NEAR_ZERO = (
    0.25  # of the median absolute deviation, which of flux that is not negative is never above the median
)


class FluxNormalizer(OneToOneTransformer):
    """Scale each spectrum by a statistic of its own flux, which removes brightness and distance.

    Parameters
    ----------
    method : {"auto", "max", "mean", "median", "l2", "minmax", "quantile", "snv"}, default="median"
        How the flux f of a spectrum is scaled. Statistics are those of its valid pixels:

        - ``"max"``, ``"mean"``, ``"median"``, ``"quantile"``: f divided by the absolute value of that
          statistic of f;
        - ``"auto"``: as ``"median"``, but where the median is near zero (see the notes), f divided by its root mean
          square;
        - ``"l2"``: f divided by the root of the sum of f²;
        - ``"minmax"``: (f - min) / (Q - min), where Q is the given `quantile` of f (1 for the maximum);
        - ``"snv"``: standard normal variate, (f - mean) / standard deviation (Barnes, Dhanoa and Lister 1989,
          Applied Spectroscopy 43, 772).
    quantile : float, default=0.9
        The quantile of ``method="quantile"`` and, for ``method="minmax"``, the upper reference: 0.9 is the
        published choice for joint MK classification, 1.0 the plain maximum.
    ivar_weighted : bool, default=False
        Whether to weight pixels by their inverse variance in ``"mean"`` and ``"snv"``; the latter is then the
        normalisation of QuasarNET (Busca and Balland 2018, arXiv:1808.09955). Needs `Spectra` with ``ivar``.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid, a spectrum has no valid pixel, or X has no inverse variances to weight by.

    Warns
    -----
    UserWarning
        If the ``"max"``, ``"mean"``, ``"median"`` or ``"quantile"`` of a spectrum is near zero, or its scale is zero
        though its flux is not.

    See Also
    --------
    LogWaveResampler : Bring spectra onto a common grid.

    Notes
    -----
    Missing pixels (NaN in an array) stay missing. A spectrum whose scale is zero (zero flux, or constant flux for
    ``"minmax"`` and ``"snv"``) is not divided, as in `sklearn.preprocessing.Normalizer`. Division by the absolute value
    keeps the sign of a faint spectrum whose median is negative.

    The median of a spectrum whose continuum was subtracted is near zero, and so may be the flux of the sky or of an
    empty fibre: division by it makes the same line weak in one spectrum and strong in the next. Near zero is less than a
    quarter of the median absolute deviation from the median. A spectrum without negative flux is never there, nor is
    one with a signal-to-noise ratio above 0.17 per pixel. For spectra without continuum choose ``"snv"`` or ``"auto"``.

    The transformer is stateless: `fit` only checks parameters and data.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import FluxNormalizer
    >>> FluxNormalizer("max").fit_transform([[1.0, 2.0, 4.0], [40.0, np.nan, 20.0]])
    array([[0.25, 0.5 , 1.  ],
           [1.  ,  nan, 0.5 ]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "method": [Choice(_METHODS)],
        "quantile": [Interval(Real, 0, 1, "right")],
        "ivar_weighted": [BOOLEAN],
    }

    def __init__(self, method: str = "median", *, quantile: float = 0.9, ivar_weighted: bool = False) -> None:
        self.method = method
        self.quantile = quantile
        self.ivar_weighted = ivar_weighted

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
        X, _ = self._check(X, reset=False)
        unsafe: list[int] = []  # numbers of the spectra whose scale says nothing

        def scale(block: Block) -> tuple[NDArray[Any], NDArray[Any] | None]:
            self._refuse_empty(block, X)
            shift, scale = self._zero_and_scale(block)
            unsafe.extend(block.rows.start + np.flatnonzero(self._is_unsafe(block, shift, scale)))
            return _divide(block, shift, np.where(scale > 0, scale, scale.dtype.type(1)))

        scaled = map_blocks(scale, X, flux_unit=None)
        if unsafe:
            remedy = "'snv'" if self.method == "minmax" else "'snv' or 'auto'"
            warnings.warn(
                f"the {self.method!r} scale of {len(unsafe)} of {len(X)} spectra, the first of them "
                f"{row_name(unsafe[0], X)}, is near zero, as after subtraction of the continuum, so that their "
                f"scales differ by chance; choose method={remedy}",
                stacklevel=3,
            )
        return scaled

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, None]:
        X, _ = super()._check(X, reset=reset)
        if self.ivar_weighted and self.method not in _WEIGHTED:
            raise ValueError(f"ivar_weighted works with method {', '.join(_WEIGHTED)}, got {self.method!r}")
        if self.ivar_weighted and getattr(X, "ivar", None) is None:
            raise ValueError("ivar_weighted needs Spectra with ivar; X has none")
        return X, None

    def _is_unsafe(self, block: Block, shift: NDArray[Any] | None, scale: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether the scale of each row is zero, but its flux is not, or near zero, as a column."""
        if self.method == "minmax":
            return (scale <= 0) & (np.nanmax(block.flux, axis=1, keepdims=True) > shift)
        if self.method in _ONE_STATISTIC:
            return _is_near_zero(block, scale)
        return np.zeros(scale.shape, dtype=bool)

    def _refuse_empty(self, block: Block, X: Any) -> None:
        empty = np.flatnonzero(~block.valid.any(axis=1))
        if len(empty):
            raise ValueError(
                f"{row_name(block.rows.start + int(empty[0]), X)} has no valid pixel to normalise by"
            )

    def _zero_and_scale(self, block: Block) -> tuple[NDArray[Any] | None, NDArray[Any]]:
        """Zero point (None: not shifted) and scale of each row, as columns."""
        flux = block.flux
        if self.method == "max":
            return None, np.abs(np.nanmax(flux, axis=1, keepdims=True))
        if self.method in ("median", "quantile"):
            return None, np.abs(
                _quantile(flux, block.n_valid, 0.5 if self.method == "median" else self.quantile)
            )
        if self.method == "auto":
            scale = np.abs(_quantile(flux, block.n_valid, 0.5))
            near_zero = _is_near_zero(block, scale)[:, 0]
            square = np.square(flux[near_zero], dtype=np.float64)
            scale[near_zero] = np.sqrt(np.nanmean(square, axis=1, keepdims=True))
            return None, scale
        if self.method == "minmax":
            low = np.nanmin(flux, axis=1, keepdims=True)
            return low, _quantile(flux, block.n_valid, self.quantile) - low
        if self.method == "l2":
            return None, np.sqrt(np.nansum(np.square(flux, dtype=np.float64), axis=1, keepdims=True))
        weight = block.ivar if self.ivar_weighted else None
        mean = _mean(flux, weight)
        if self.method == "mean":
            return None, np.abs(mean)
        spread = np.sqrt(_mean((flux - mean) ** 2, weight))
        return mean, np.where(spread > 1e-7 * np.abs(mean), spread, 0.0)  # smaller ones are rounding errors

    def __skspec_search_space__(self) -> dict[str, Any]:
        others = ("mean", "snv") if self.ivar_weighted else ("median", "l2", "minmax", "snv")
        return {"method": [self.method, *(method for method in others if method != self.method)]}


def _is_near_zero(block: Block, scale: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the scale of each row is small against the scatter of its flux, or zero though its flux is not."""
    small = scale <= 0
    small[small] = np.nanmax(np.abs(block.flux[small[:, 0]]), axis=1, initial=0.0) > 0
    rows = np.flatnonzero(np.nanmin(block.flux, axis=1) < 0)
    if len(rows):
        flux, n_valid = block.flux[rows], block.n_valid[rows]
        deviation = np.abs(flux - _quantile(flux, n_valid, 0.5))
        small[rows] |= scale[rows] < _NEAR_ZERO * _quantile(deviation, n_valid, 0.5)
    return small


def _divide(
    block: Block, shift: NDArray[Any] | None, scale: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return flux and ivar of a block, shifted and divided by a scale for each row."""
    flux, ivar = block.flux, block.ivar
    scaled = ((flux if shift is None else flux - shift) / scale).astype(flux.dtype, copy=False)
    if ivar is None:
        return scaled, None
    limits = np.finfo(scale.dtype)
    with np.errstate(over="ignore", under="ignore"):
        square = scale**2
        ivar = np.where((square >= limits.tiny) & (square <= limits.max), ivar * square, ivar * scale * scale)
    return scaled, ivar.astype(flux.dtype, copy=False)


def _mean(values: NDArray[Any], weight: NDArray[Any] | None) -> NDArray[np.float64]:
    """Mean of each row over what is not NaN, as a column."""
    if weight is None:
        return np.nanmean(values, axis=1, keepdims=True, dtype=np.float64)
    total = np.nansum(values * weight, axis=1, keepdims=True, dtype=np.float64)
    return total / weight.sum(axis=1, keepdims=True, dtype=np.float64)


def _quantile(flux: NDArray[Any], n_valid: NDArray[np.intp], q: float) -> NDArray[Any]:
    """Quantile of the valid pixels of each row, as a column: that of `numpy.quantile`, to the last digit."""
    ordered = np.sort(flux, axis=1)  # NaN come last
    last = n_valid[:, None] - 1
    at = q * last
    below = np.floor(at).astype(np.intp)
    low, high = (np.take_along_axis(ordered, k, axis=1) for k in (below, np.minimum(below + 1, last)))
    part, step = at - below, high - low
    from_below, from_above = low + step * part.astype(step.dtype), high - step * (1 - part).astype(step.dtype)
    return np.where(part < 0.5, from_below, from_above)
