"""Temperature of the continuum from Wien's law: `WienFitFeatures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import BOOLEAN, Choice, Constraints
from skspec.features._names import Names
from skspec.features._wien_solver import LeastSquares, fit_logarithm, residual_chi2
from skspec.spectra import Block, blocks
from skspec.spectra.inputs import in_vacuum
from skspec.spectra.transformer import StatelessTransformer

_FEATURES = (
    "wien_temperature",
    "wien_amplitude",
    "wien_offset",
    "wien_chi2",
    "wien_at_bound",
    "flux_mean",
    "flux_std",
)


class WienFitFeatures(StatelessTransformer):
    """Temperature and amplitude of the Wien spectrum that fits each spectrum best.

    The model is ``A λ⁻⁵ exp(-b / (λ T)) + C`` with b = hc/k, the short-wavelength limit of Planck's law. Pixels are
    weighted by their inverse variance if X has it, and equally if not.

    Parameters
    ----------
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of
        a linear grid. Not used for `Spectra`.
    offset : bool, default=False
        Whether to fit the constant C. It absorbs light that is not thermal, and makes the temperature less certain.
    method : {"least_squares", "log"}, default="least_squares"
        ``"least_squares"`` finds the best of all temperatures; ``"log"`` fits a straight line to the logarithm of
        ``f λ⁵`` in closed form, with weights that make the result nearly the same where the signal-to-noise ratio is
        high. It is faster, fits no offset, and leaves out pixels whose flux is not positive.
    temperature_bounds : (float, float), default=(1000.0, 100000.0)
        Lowest and highest temperature in K. A spectrum that is redder or bluer than any between has a bound as its
        temperature and 1 in ``wien_at_bound``.
    features : sequence of str, default=("wien_temperature", "wien_amplitude", "wien_offset", "wien_chi2")
        The columns to return, any of:

        - ``"wien_temperature"``: T in K;
        - ``"wien_amplitude"``: A in units of the flux times Å⁵, negative for a spectrum of mostly negative flux;
        - ``"wien_offset"``: C in units of the flux, 0 if it is not fitted;
        - ``"wien_chi2"``: reduced χ², the weighted sum of squared residuals over the number of valid pixels minus
          that of fitted parameters (without weights, the variance about the model);
        - ``"wien_at_bound"``: 1 where T is a bound, else 0;
        - ``"flux_mean"``, ``"flux_std"``: mean and standard deviation of the valid pixels, without weights.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid, or X is a 2-D array and `wave` is not given.

    See Also
    --------
    FluxStatistics : Moments and quantiles.
    LineIndices : Strengths of lines.

    Notes
    -----
    A spectrum with fewer valid pixels than parameters, or with ``method="log"`` fewer than two positive ones, has NaN
    in the columns of the fit. One that is uncorrelated with Wien's law, such as zero flux, or constant flux with an
    offset, has amplitude 0 and the upper bound as its temperature.

    Amplitude and offset are linear, so that only the temperature has to be searched (variable projection, Golub and
    Pereyra 1973, SIAM J. Numer. Anal. 10, 413): the whole range is scanned and the best refined by Newton's method.
    The optimum is that of `scipy.optimize.curve_fit`, except where that stops at a worse one.

    The published galaxy, quasar and star classifier fits ``k a λ⁻⁵ exp(-b / (λ T)) + I₀`` with a = 1.19e-16 W m²
    (``offset=True``): then k = A / a, after conversion of A from Å⁵.

    Wien's law fits optical spectra of stars up to some 10,000 K. In the limit of infinite temperature Planck's
    law looks like Wien's of about 30,000 K at 5000 Å.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import WienFitFeatures
    >>> wave = np.linspace(4000.0, 9000.0, 500)
    >>> flux = 1e20 * wave**-5 * np.exp(-1.438776877e8 / wave / np.array([[5800.0], [9500.0]]))
    >>> WienFitFeatures(wave=wave, features=["wien_temperature"]).fit_transform(flux)
    array([[5800.],
           [9500.]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "offset": [BOOLEAN],
        "method": [Choice(("least_squares", "log"))],
        "features": [Names(_FEATURES)],
    }

    def __init__(
        self,
        *,
        wave: ArrayLike | None = None,
        offset: bool = False,
        method: str = "least_squares",
        temperature_bounds: tuple[float, float] = (1000.0, 100000.0),
        features: Sequence[str] = ("wien_temperature", "wien_amplitude", "wien_offset", "wien_chi2"),
    ) -> None:
        self.wave = wave
        self.offset = offset
        self.method = method
        self.temperature_bounds = temperature_bounds
        self.features = features

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Fit each spectrum.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            Spectra on any grids, or a 2-D array on the grid `wave`.

        Returns
        -------
        ndarray of shape (n_spectra, n_columns)
            The columns named in `features`.
        """
        X, wave = self._check(X, reset=False)
        hot, cold = (1.0 / float(t) for t in reversed(self.temperature_bounds))
        least_squares = LeastSquares(offset=self.offset, bounds=(hot, cold))
        out = np.empty((len(X), len(self.features)))
        for block in blocks(X, wave):
            columns = self._columns(block, least_squares)
            for k, name in enumerate(self.features):
                out[block.rows, k] = columns[name]
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: `features`.

        Returns an ndarray of str objects of shape (n_columns,); `input_features` is ignored.
        """
        return np.array(self.features, dtype=object)

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        X, _ = super()._check(X, reset=reset)
        if self.method == "log" and self.offset:
            raise ValueError(
                "offset=True needs method='least_squares': with an offset there is no closed form"
            )
        bounds = np.asarray(self.temperature_bounds, dtype=np.float64)
        if bounds.shape != (2,) or not 0 < bounds[0] < bounds[1] < np.inf:
            raise ValueError(
                f"temperature_bounds must be two increasing, positive temperatures, got {self.temperature_bounds!r}"
            )
        return in_vacuum(X, self.wave)

    def _columns(self, block: Block, least_squares: LeastSquares) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        if "flux_mean" in self.features or "flux_std" in self.features:
            columns["flux_mean"], columns["flux_std"] = _mean_and_std(block)
        if all(name in columns for name in self.features):
            return columns
        n_parameters = 3 if self.offset else 2
        n_valid = block.n_valid
        bounds = least_squares.bounds
        fit = least_squares(block) if self.method == "least_squares" else fit_logarithm(block, bounds=bounds)
        chi2 = fit.chi2
        if self.method == "log" and "wien_chi2" in self.features:
            chi2 = residual_chi2(block, fit)
        cold, hot = self.temperature_bounds
        at_bound = [fit.u == bounds[0], fit.u == bounds[1]]
        columns |= {
            "wien_temperature": np.select(at_bound, [hot, cold], 1.0 / fit.u),
            "wien_amplitude": fit.amplitude,
            "wien_offset": fit.offset,
            "wien_chi2": chi2 / np.where(n_valid > n_parameters, n_valid - n_parameters, np.nan),
            "wien_at_bound": np.any(at_bound, axis=0).astype(np.float64),
        }
        unknown = (n_valid < n_parameters) | np.isnan(fit.u)
        if unknown.any():
            for name in _FEATURES[:5]:
                columns[name] = np.where(unknown, np.nan, columns[name])
        return columns

    def __skspec_search_space__(self) -> dict[str, Any]:
        return {"offset": [False, True]} if self.method == "least_squares" else {}


def _mean_and_std(block: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the valid pixels; NaN where there are none."""
    good = block.valid
    flux = np.where(good, block.flux, 0).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = flux.sum(axis=1) / block.n_valid
    flux -= mean[:, None]
    flux *= good
    with np.errstate(invalid="ignore"):
        return mean, np.sqrt(np.einsum("ij,ij->i", flux, flux) / block.n_valid)
