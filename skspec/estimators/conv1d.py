"""`Conv1DClassifier` and `Conv1DRegressor`, with parallel one-dimensional convolutions of several widths."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from scipy.stats import uniform

from skspec.checks import BOOLEAN, Choice, Constraints, Interval, Sizes, check_size_or_sizes
from skspec.networks import Conv1D
from skspec.networks.conv1d import HEADS
from skspec.training import NeuralRegressor, SpectrumClassifier, SpectrumInput
from skspec.training.search import choices, filters_around


class Conv1DParameters(SpectrumInput):
    """Parameters of the network.

    Parameters
    ----------
    filters : sequence of int
        Channels after each convolution, the same in all branches.
    kernel_sizes : sequence of int
        Kernel size of each branch, in pixels.
    strides : int, sequence of int or None
        Stride of each convolution, in pixels, or one for all; None chooses the stride that leaves about 50 pixels.
    head : {"flatten", "channel_max", "pool"}
        Input of the linear layers: all activations; the maximum over channels at each wavelength; or the mean of each
        channel over wavelength, which discards the positions of features.
    hidden : sequence of int
        Widths of the linear layers before the last.
    dropout : float
        Fraction of activations dropped before each linear layer during training.
    batch_norm : bool
        Whether to apply batch normalisation after each convolution.
    """

    filters: tuple[int, ...] = (8, 16, 32)
    kernel_sizes: tuple[int, ...] = (3, 5, 7)
    strides: int | tuple[int, ...] | None = None
    head: str = "flatten"
    hidden: tuple[int, ...] = ()
    dropout: float = 0.5
    batch_norm: bool = True

    _network_class = Conv1D
    _parameter_constraints: ClassVar[Constraints] = {
        "filters": [Sizes()],
        "kernel_sizes": [Sizes()],
        "head": [Choice(HEADS)],
        "hidden": [Sizes(allow_empty=True)],
        "dropout": [Interval(Real, 0, 1, "left")],
        "batch_norm": [BOOLEAN],
    }

    def _check_params(self) -> None:
        super()._check_params()
        if self.strides is not None:
            check_size_or_sizes("strides", self.strides, length=len(self.filters))

    def __skspec_search_space__(self) -> dict[str, Any]:
        kernel_sizes = tuple(self.kernel_sizes)
        return super().__skspec_search_space__() | {
            "filters": filters_around(self.filters),
            "kernel_sizes": choices(kernel_sizes, tuple(2 * size + 1 for size in kernel_sizes)),
            "dropout": uniform(0.0, 0.6),
        }


class Conv1DClassifier(Conv1DParameters, SpectrumClassifier):
    """Classify spectra with a network of parallel one-dimensional convolutions.

    Branches with kernels of different widths detect narrow and broad features; see `skspec.networks.Conv1D` for the
    layers. The default network is small: it trains in seconds on a spectral library of a thousand stars.

    See Also
    --------
    LogWaveResampler : Resample spectra onto one grid.
    FluxNormalizer : Scale each spectrum, to remove differences in brightness.
    Conv1DRegressor : The regressor.

    Notes
    -----
    The networks v1 and v2 of joint MK classification are configurations of this one; `skspec.networks.Conv1D`
    lists them.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import Conv1DClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (60, 200)), np.repeat(["absorption", "emission"], 30)
    >>> X[:, 90:110] += np.where(y == "emission", 0.5, -0.5)[:, None]
    >>> model = Conv1DClassifier(max_epochs=10, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['absorption', 'emission'], dtype='<U10')
    """


class Conv1DRegressor(Conv1DParameters, NeuralRegressor):
    """Predict values from spectra with a network of parallel one-dimensional convolutions.

    Predict effective temperature, surface gravity, metallicity or redshift, one or several together; some may be unknown
    (NaN) for some spectra. Dropout is off by default, since it makes the values less precise.

    See Also
    --------
    Conv1DClassifier : The classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import Conv1DRegressor
    >>> rng = np.random.default_rng(0)
    >>> slope = rng.uniform(-1.0, 1.0, 200)
    >>> X = 1.0 + 0.5 * slope[:, None] * np.linspace(-1.0, 1.0, 60) + rng.normal(0.0, 0.02, (200, 60))
    >>> model = Conv1DRegressor(max_epochs=30, random_state=0).fit(X, 5000.0 + 1000.0 * slope)
    >>> bool(model.score(X, 5000.0 + 1000.0 * slope) > 0.9)
    True
    """

    dropout: float = 0.0
