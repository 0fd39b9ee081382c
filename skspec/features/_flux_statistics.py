"""Statistics of the flux of each spectrum: `FluxStatistics`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import FRACTION, Constraints
from skspec.features._names import Names
from skspec.spectra import Block, blocks
from skspec.spectra.inputs import in_vacuum
from skspec.spectra.transformer import StatelessTransformer

_STATISTICS = ("mean", "std", "skewness", "kurtosis", "quantiles", "slopes", "snr")


class FluxStatistics(StatelessTransformer):
    """Moments, quantiles, slopes and signal-to-noise ratio of the flux of each spectrum.

    Parameters
    ----------
    statistics : sequence of str, default=("mean", "std", "skewness", "kurtosis", "quantiles", "snr")
        What to compute over the valid pixels of each spectrum, without weights:

        - ``"mean"``, ``"std"``: mean and standard deviation, in units of the flux;
        - ``"skewness"``, ``"kurtosis"``: third and fourth central moment over the power of the standard
          deviation, the latter minus 3 (as `scipy.stats.skew` and `scipy.stats.kurtosis` define them);
        - ``"quantiles"``: those of the parameter `quantiles`, linear between pixels as in `numpy.quantile`;
        - ``"slopes"``: slope df / d ln λ of the best-fitting straight line, in units of the flux, in each of
          `slope_bands`;
        - ``"snr"``: median signal-to-noise ratio per pixel, as in `Spectra.snr`: from ``ivar`` if it is known,
          and by DER_SNR if not (Stoehr et al. 2008, ASP Conf. Ser. 394, 505).
    quantiles : sequence of float, default=(0.05, 0.25, 0.5, 0.75, 0.95)
        Fractions of the quantiles.
    slope_bands : sequence of (float, float), default=None
        Lower and upper ends in Å, vacuum, of the bands in which slopes are measured. None takes the whole spectrum.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of
        a linear grid. Needed for slopes only; not used for `Spectra`.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid, or slopes are to be computed from a 2-D array and `wave` is not given.

    See Also
    --------
    WienFitFeatures : Temperature of the continuum.
    LineIndices : Strengths of lines.

    Notes
    -----
    A statistic that is undefined is NaN: all of them for a spectrum without valid pixels, skewness and kurtosis of
    constant flux, a slope in a band with fewer than two pixels, a signal-to-noise ratio from fewer than five pixels or
    from flux without noise if errors are unknown.

    Mean, standard deviation, quantiles and slopes scale with the flux: after `FluxNormalizer` they describe the shape
    of a spectrum and not its brightness. DER_SNR assumes independent neighbouring pixels, and overestimates the
    signal-to-noise ratio of flux that was smoothed or resampled to finer pixels.

    Examples
    --------
    >>> from skspec import FluxStatistics
    >>> statistics = FluxStatistics(["mean", "quantiles"], quantiles=[0.5, 0.9])
    >>> statistics.set_output(transform="pandas").fit_transform([[1.0, 2.0, 3.0, 10.0], [0.0, 0.0, 1.0, 1.0]])
       flux_mean  flux_q50  flux_q90
    0        4.0       2.5       7.9
    1        0.5       0.5       1.0
    """

    _parameter_constraints: ClassVar[Constraints] = {"statistics": [Names(_STATISTICS)]}

    def __init__(
        self,
        statistics: Sequence[str] = ("mean", "std", "skewness", "kurtosis", "quantiles", "snr"),
        *,
        quantiles: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
        slope_bands: Sequence[tuple[float, float]] | None = None,
        wave: ArrayLike | None = None,
    ) -> None:
        self.statistics = statistics
        self.quantiles = quantiles
        self.slope_bands = slope_bands
        self.wave = wave

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the statistics of each spectrum.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)

        Returns
        -------
        ndarray of shape (n_spectra, n_columns)
            In the order of `statistics`.
        """
        X, wave = self._check(X, reset=False)
        out = np.empty((len(X), len(self.get_feature_names_out())))
        moments = [name for name in self.statistics if name in _STATISTICS[:4]]
        for block in blocks(X, wave):
            known = _moments(block) if moments else {}
            columns: list[Any] = []
            for name in self.statistics:
                if name == "quantiles":
                    columns.extend(_quantiles(block, np.asarray(self.quantiles, dtype=np.float64)))
                elif name == "slopes":
                    columns.extend(_slope(block, *band) for band in self.slope_bands or [(0.0, np.inf)])
                elif name == "snr":
                    columns.append(_snr(block))
                else:
                    columns.append(known[name])
            out[block.rows] = np.stack(columns, axis=1)
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: ``flux_mean``, ``flux_q05``, ``flux_slope_4000_5000``, ``snr``.

        Returns an ndarray of str objects of shape (n_columns,); `input_features` is ignored.
        """
        names: list[str] = []
        for name in self.statistics:
            if name == "quantiles":
                names.extend(f"flux_q{_percent(q)}" for q in self.quantiles)
            elif name == "slopes" and self.slope_bands is not None:
                names.extend(f"flux_slope_{low:g}_{high:g}" for low, high in self.slope_bands)
            else:
                names.append({"snr": "snr", "slopes": "flux_slope"}.get(name, f"flux_{name}"))
        return np.array(names, dtype=object)

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        X, wave = super()._check(X, reset=reset)
        for q in self.quantiles:
            FRACTION.check("quantiles", q)
        for band in self.slope_bands or ():
            if len(band) != 2 or not 0 <= band[0] < band[1]:
                raise ValueError(
                    f"slope_bands must be pairs of increasing wavelengths in Å, got {tuple(band)!r} among them"
                )
        names = self.get_feature_names_out()
        if not len(names) or len(set(names)) < len(names):
            raise ValueError(
                f"quantiles and slope_bands must give columns of distinct names, got {list(names)}"
            )
        return in_vacuum(X, self.wave) if "slopes" in self.statistics else (X, wave)


def _percent(q: float) -> str:
    """Quantile as per cent, at least two digits: 05, 50, 97.5."""
    text = f"{100 * q:.6g}"
    return text.zfill(2) if "." not in text else text


def _moments(block: Block) -> dict[str, NDArray[np.float64]]:
    good = block.valid
    n = block.n_valid.astype(np.float64)
    flux = np.where(good, block.flux, 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = flux.sum(axis=1) / n
        flux -= mean[:, None]
        flux *= good
        square = flux * flux
        m2 = square.sum(axis=1) / n
        m3 = np.einsum("ij,ij->i", square, flux) / n
        m4 = np.einsum("ij,ij->i", square, square) / n
        m2 = np.where(
            m2 > (np.finfo(np.float64).eps * mean) ** 2, m2, 0.0 * m2
        )  # smaller ones are rounding errors
        return {
            "mean": mean,
            "std": np.sqrt(m2),
            "skewness": np.where(m2 > 0, m3 / m2**1.5, np.nan),
            "kurtosis": np.where(m2 > 0, m4 / m2**2 - 3.0, np.nan),
        }


def _quantiles(block: Block, q: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    ordered = np.sort(block.flux, axis=1)  # NaN come last
    last = block.n_valid - 1
    rows = np.arange(len(ordered))
    columns = []
    for fraction in q:
        at = fraction * np.maximum(last, 0)
        below = at.astype(np.intp)
        low = ordered[rows, below].astype(np.float64)
        high = ordered[rows, np.minimum(below + 1, np.maximum(last, 0))].astype(np.float64)
        columns.append(low + (at - below) * (high - low))
    return columns


def _snr(block: Block) -> NDArray[np.floating]:
    """Median signal-to-noise ratio per pixel, as `skspec.spectra.snr` gives it for one spectrum; NaN if infinite."""
    if block.ivar is not None:
        return _median(block.flux * np.sqrt(block.ivar))
    n, flux = block.n_valid, block.flux.astype(np.float64)
    f = flux[block.valid]
    noise = np.full(flux.shape, np.nan)
    middle = np.full(len(f), np.nan)
    row = np.repeat(np.arange(len(n)), n)
    middle[2:-2] = np.where(row[4:] == row[:-4], np.abs(2.0 * f[2:-2] - f[:-4] - f[4:]), np.nan)
    noise[block.valid] = middle
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = _median(flux) / (1.482602 / np.sqrt(6.0) * _median(noise))
    return np.where((n >= 5) & np.isfinite(ratio), ratio, np.nan)


def _median(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Median of each row over what is not NaN; NaN where all is."""
    ordered = np.sort(rows, axis=1)  # NaN come last
    n = rows.shape[1] - np.count_nonzero(np.isnan(rows), axis=1)
    at = np.arange(len(rows))
    return (ordered[at, np.maximum(n - 1, 0) // 2] + ordered[at, np.minimum(n // 2, rows.shape[1] - 1)]) / 2


def _slope(block: Block, low: float, high: float) -> NDArray[np.float64]:
    """Slope of the flux against ln λ in a band."""
    wave = block.wave
    inside = (wave >= low) & (wave < high)
    columns = np.flatnonzero(inside if wave.ndim == 1 else inside.any(axis=0))
    near = slice(columns[0], columns[-1] + 1) if len(columns) else slice(0)
    good = block.valid[:, near] & inside[..., near]
    f, w = np.where(good, block.flux[:, near], 0).astype(np.float64), good.astype(np.float64)
    x = np.broadcast_to(np.log(wave[..., near]), f.shape)
    n = w.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = (x - (np.einsum("ij,ij->i", w, x) / n)[:, None]) * w
        slope = np.einsum("ij,ij->i", x, f) / np.einsum("ij,ij->i", x, x)
    return np.where(n >= 2, slope, np.nan)
