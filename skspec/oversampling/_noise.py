"""`NoiseOversampler`: copies of spectra with added noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import loguniform
from sklearn.utils import check_scalar

from skspec.checks import NON_NEGATIVE, Choice, Constraints, Interval, draw_seed
from skspec.oversampling._base import SpectrumOverSampler


class NoiseOversampler(SpectrumOverSampler):
    """Add noisy copies of the spectra of rare classes.

    Each new spectrum is a spectrum of the same class plus Gaussian noise, which is independent in each pixel, like the
    difference between repeated observations of an object. All spectra of a class are copied equally often, in random
    order.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Number of spectra of each class, as in imbalanced-learn: ``"auto"`` resamples all classes to the size of the
        largest; a dict gives the number of spectra of each class in the result.
    noise : {"spectrum", "ivar"}, default="spectrum"
        Unit of `amplitude`: the standard deviation of the spectrum over its pixels, or the error of each pixel,
        ``1 / sqrt(ivar)``, where ivar is from `ivar_channel`.
    amplitude : float, default=0.1
        Standard deviation of the noise, in units of `noise`.
    n_channels : int, default=1
        Number of channels side by side in a row of X (flux | ivar). Noise is added to all but `ivar_channel`.
    ivar_channel : int or None, default=None
        Index of the channel that holds the inverse variance. Copies get the inverse variance of the noisier flux.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise and of the choice of spectra. Global random number generators are not used.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_spectra_new,)
        Index in X of each row of the result; -1 for new rows.
    source_indices_ : ndarray of shape (n_spectra_new,)
        Index in X of each row of the result; for new rows, of the spectrum that was copied.
    sampling_strategy_ : dict
        Number of new spectra of each class.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.

    Raises
    ------
    ValueError
        If `noise` is ``"ivar"`` without `ivar_channel`, an inverse variance is negative, or another parameter is out of
        range.
    TypeError
        If X is `Spectra`, or ``sample_weight`` is given, which new spectra do not have.

    See Also
    --------
    GANOversampler : Generate spectra that are not copies.
    skspec.oversampling.max_per_class : Limit the size of classes with imbalanced-learn's under-samplers.

    Notes
    -----
    Use it in a pipeline of imbalanced-learn, which samples only in ``fit``: a spectrum and its copy are then never in
    different folds. Missing pixels (NaN, or ivar 0) stay missing.

    A winning entry to a contest oversampled galaxies and quasars of LAMOST to the number of stars, with noise of 0.2
    times the standard deviation [1]_.

    References
    ----------
    .. [1] https://github.com/Cjh327/AstroData-2020

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import NoiseOversampler
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (30, 50)), np.repeat(["G", "O"], [24, 6])
    >>> X_new, y_new = NoiseOversampler(random_state=0).fit_resample(X, y)
    >>> X_new.shape, int((y_new == "O").sum())
    ((48, 50), 24)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "noise": [Choice(("spectrum", "ivar"))],
        "amplitude": [NON_NEGATIVE],
        "ivar_channel": [Interval(Integral, 0), None],
    }
    _allow_nan = True
    source_indices_: NDArray[np.intp]

    def __init__(
        self,
        *,
        sampling_strategy: float | str | Mapping[Any, int] | Callable[[Any], Any] = "auto",
        noise: str = "spectrum",
        amplitude: float = 0.1,
        n_channels: int = 1,
        ivar_channel: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.noise = noise
        self.amplitude = amplitude
        self.n_channels = n_channels
        self.ivar_channel = ivar_channel
        self.random_state = random_state

    def __skspec_search_space__(self) -> dict[str, Any]:
        if self.amplitude == 0:
            return {}
        return {"amplitude": loguniform(self.amplitude / 10, self.amplitude * 10)}

    def _check_columns(self, X: NDArray[np.floating]) -> None:
        super()._check_columns(X)
        if self.ivar_channel is None:
            if self.noise == "ivar":
                raise ValueError("noise='ivar' needs ivar_channel, the channel of the inverse variance")
            return
        check_scalar(self.ivar_channel, "ivar_channel", Integral, max_val=self.n_channels - 1)
        ivar = X.reshape(len(X), self.n_channels, -1)[:, self.ivar_channel]
        if (ivar < 0).any():
            raise ValueError(
                f"channel {self.ivar_channel} is the inverse variance and must not be negative, got {np.nanmin(ivar):g}"
            )

    def _make(
        self, X: NDArray[np.floating], y: NDArray[Any], wanted: dict[Any, int]
    ) -> list[NDArray[np.floating]]:
        generator = np.random.default_rng(draw_seed(self.random_state))
        sources, made = [np.arange(len(X))], []
        for label, n in wanted.items():
            own = np.flatnonzero(y == label)
            rounds = [generator.permutation(own) for _ in range(-(-n // len(own)))]
            sources.append(np.concatenate(rounds)[:n])
            made.append(self._noisy(X[sources[-1]], generator))
        self.source_indices_ = np.concatenate(sources)
        return made

    def _noisy(self, rows: NDArray[np.floating], generator: np.random.Generator) -> NDArray[np.floating]:
        """Add noise to rows, in place."""
        channels = rows.reshape(len(rows), self.n_channels, -1)
        is_ivar = np.arange(self.n_channels) == self.ivar_channel
        flux, ivar = channels[:, ~is_ivar], channels[:, is_ivar]
        with np.errstate(divide="ignore"):
            error = 1.0 / np.sqrt(ivar)
            sigma = self.amplitude * (_deviation(flux) if self.noise == "spectrum" else error)
            if self.ivar_channel is not None:
                channels[:, is_ivar] = 1.0 / (error**2 + np.mean(sigma**2, axis=1, keepdims=True))
        sigma = np.where(np.isfinite(sigma), sigma, 0.0)  # a pixel without an error is missing
        channels[:, ~is_ivar] = flux + sigma * generator.standard_normal(flux.shape)
        return channels.reshape(rows.shape)


def _deviation(flux: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the standard deviation of each channel of each spectrum, shape (n, n_channels, 1)."""
    missing = np.isnan(flux)
    largest = np.abs(np.where(missing, 0.0, flux)).max(axis=2, keepdims=True)
    # Division by a power of two is exact, and keeps squares from under- and overflow.
    unit = np.exp2(np.frexp(largest)[1] - 1).astype(flux.dtype)
    flux = flux / unit
    count = np.maximum((~missing).sum(axis=2, keepdims=True), 1)
    mean = np.where(missing, 0.0, flux).sum(axis=2, keepdims=True) / count
    return unit * np.sqrt((np.where(missing, 0.0, flux - mean) ** 2).sum(axis=2, keepdims=True) / count)
