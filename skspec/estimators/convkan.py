"""`ConvKANClassifier`, with convolutions of learned functions."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from scipy.stats import uniform

from skspec.checks import COUNT, POSITIVE, Choice, Constraints, Interval, Sizes, check_size_or_sizes
from skspec.networks import ConvKAN
from skspec.networks.convkan import BASES
from skspec.training import SpectrumClassifier
from skspec.training.search import choices, filters_around


class ConvKANClassifier(SpectrumClassifier):
    """Classify spectra with a convolutional Kolmogorov-Arnold network.

    Its weights are learned functions of the flux, sums of basis functions. The mean over pixels before the last layer
    discards the positions of features. See `skspec.networks.ConvKAN` for the layers.

    Parameters
    ----------
    filters : sequence of int
        Channels after each layer.
    kernel_size : int
        Kernel size of all convolutions, in pixels.
    strides : int or sequence of int
        Stride of each convolution, in pixels, or one for all.
    basis : {"bspline", "chebyshev", "radial"}
        Basis functions: cubic B-splines, Chebyshev polynomials, or Gaussians.
    n_bases : int
        Number of basis functions; at least 4 for B-splines, else at least 2.
    input_scale : float or None
        Scale of the standardised flux x relative to the range of the splines, ±1: the input of the network is
        tanh(`input_scale` · x). None does not transform x, as published.
    dropout : float
        Fraction of activations dropped before the last layer during training.

    See Also
    --------
    Conv1DClassifier : Ordinary convolutions.

    Notes
    -----
    The network of joint MK classification has ``filters=(64, 128, 256, 512), strides=(1, 2, 2, 1),
    input_scale=None``.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ConvKANClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (60, 200)), np.repeat(["absorption", "emission"], 30)
    >>> X[:, 90:110] += np.where(y == "emission", 0.5, -0.5)[:, None]
    >>> model = ConvKANClassifier(max_epochs=10, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['absorption', 'emission'], dtype='<U10')
    """

    filters: tuple[int, ...] = (16, 32, 64)
    kernel_size: int = 3
    strides: int | tuple[int, ...] = 2
    basis: str = "bspline"
    n_bases: int = 8
    input_scale: float | None = 0.5
    dropout: float = 0.25

    _network_class = ConvKAN
    _parameter_constraints: ClassVar[Constraints] = {
        "filters": [Sizes()],
        "kernel_size": [COUNT],
        "basis": [Choice(tuple(BASES))],
        "n_bases": [COUNT],
        "input_scale": [POSITIVE, None],
        "dropout": [Interval(Real, 0, 1, "left")],
    }

    def _check_params(self) -> None:
        super()._check_params()
        check_size_or_sizes("strides", self.strides, length=len(self.filters))
        Interval(int, BASES[self.basis].minimum, None).check("n_bases", self.n_bases)

    def __skspec_search_space__(self) -> dict[str, Any]:
        return super().__skspec_search_space__() | {
            "filters": filters_around(self.filters),
            "kernel_size": choices(self.kernel_size, 3, 5, 9),
            "dropout": uniform(0.0, 0.6),
        }
