"""Copies of spectra with more noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.oversampling._base import SpectrumOverSampler, draw_seed

NOISES = ("spectrum", "ivar")


class NoiseOversampler(SpectrumOverSampler):
    """Make spectra of rare classes by adding white noise to those there are.

    Each new spectrum is a copy of one of its class, all of them taken in turn in random order, plus Gaussian noise,
    independent in each pixel: the way in which a survey's own spectra of one object differ.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes get how many spectra, as in imbalanced-learn: ``"auto"`` brings all classes to the size of the
        largest; a dict gives the number of spectra of each class afterwards.
    noise : {"spectrum", "ivar"}, default="spectrum"
        What σ is proportional to: the standard deviation of the spectrum over its pixels, or the error of each pixel,
        ``1 / sqrt(ivar)``, from `ivar_channel`.
    amplitude : float, default=0.1
        σ of the noise is this times that.
    n_channels : int, default=1
        Channels that lie side by side in a row of X (flux | ivar). Noise is added to all but `ivar_channel`.
    ivar_channel : int or None, default=None
        Which of the channels, counted from 0, is the inverse variance: in copies it is that of the noisier flux.
    random_state : int, RandomState instance or None, default=None
        Determines the noise and which spectra are copied. The global generators are left alone.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_spectra_new,)
        Row of X that each row of the result is; -1 for those made here.
    source_indices_ : ndarray of shape (n_spectra_new,)
        Row of X that each row of the result is, or is a copy of.
    sampling_strategy_ : dict
        How many spectra were made of each class.
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
        If X is `Spectra`, or ``sample_weight`` is given, which made-up spectra have not.

    See Also
    --------
    GANOversampler : Spectra that are no copies.
    skspec.oversampling.max_per_class : Cap for imbalanced-learn's under-samplers.

    Notes
    -----
    Use it in a pipeline of imbalanced-learn, which samples in ``fit`` alone: a copy never meets its original in another
    fold. Missing pixels (NaN, or ivar 0) stay missing.

    Noise of 0.2 times the standard deviation brought galaxies and quasars of LAMOST to the number of stars in a winning
    entry of a contest [1]_.

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

    def _check_params(self, X: NDArray[np.floating]) -> None:
        check_choice("noise", self.noise, NOISES)
        check_scalar(self.amplitude, "amplitude", Real, min_val=0)
        check_scalar(self.n_channels, "n_channels", Integral, min_val=1)
        if X.shape[1] % self.n_channels:
            raise ValueError(f"n_channels must divide the {X.shape[1]} features of X, got {self.n_channels}")
        if self.ivar_channel is None:
            if self.noise == "ivar":
                raise ValueError("noise='ivar' needs ivar_channel, which says where the inverse variance is")
            return
        check_scalar(self.ivar_channel, "ivar_channel", Integral, min_val=0, max_val=self.n_channels - 1)
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
        """Rows, which may be changed, with noise."""
        channels = rows.reshape(len(rows), self.n_channels, -1)
        is_ivar = np.arange(self.n_channels) == self.ivar_channel
        flux, ivar = channels[:, ~is_ivar], channels[:, is_ivar]
        with np.errstate(divide="ignore"):
            error = 1.0 / np.sqrt(ivar)
            sigma = self.amplitude * (_deviation(flux) if self.noise == "spectrum" else error)
            if self.ivar_channel is not None:
                channels[:, is_ivar] = 1.0 / (error**2 + np.mean(sigma**2, axis=1, keepdims=True))
        sigma = np.where(
            np.isfinite(sigma), sigma, 0.0
        )  # a pixel without an error is missing: nothing to add to
        channels[:, ~is_ivar] = flux + sigma * generator.standard_normal(flux.shape)
        return channels.reshape(rows.shape)


def _deviation(flux: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the standard deviation of each channel of each spectrum, shape (n, n_channels, 1)."""
    missing = np.isnan(flux)
    count = np.maximum((~missing).sum(axis=2, keepdims=True), 1)
    mean = np.where(missing, 0.0, flux).sum(axis=2, keepdims=True) / count
    return np.sqrt((np.where(missing, 0.0, flux - mean) ** 2).sum(axis=2, keepdims=True) / count)
