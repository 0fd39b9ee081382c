"""Convolutions of learned functions."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from sklearn.utils import check_scalar

from skspec.checks import check_choice, check_size_or_sizes, check_sizes
from skspec.networks import ConvKAN
from skspec.networks.convkan import BASES
from skspec.training import NeuralClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class ConvKANClassifier(NeuralClassifier):
    """Classify spectra by a convolutional Kolmogorov-Arnold network.

    Its weights are learned functions of the flux, sums of basis functions. It tells what is in a spectrum
    rather than where, since it takes the mean over pixels in the end. See `skspec.networks.ConvKAN` for the layers.

    Parameters
    ----------
    filters : sequence of int, default=(16, 32, 64)
        Channels after each layer.
    kernel_size : int, default=3
        Kernel of all convolutions, in pixels.
    strides : int or sequence of int, default=2
        Stride of each convolution, in pixels, or one for all.
    basis : {"bspline", "chebyshev", "radial"}, default="bspline"
        Functions that are combined: cubic B-splines, Chebyshev polynomials, or Gaussians.
    n_bases : int, default=8
        Basis functions of a value; at least 4 B-splines, else at least 2.
    input_scale : float or None, default=0.5
        How much of standardised flux falls into the range of the splines, ±1: the network is given
        tanh(`input_scale` · x). None leaves x as it is, as published.
    dropout : float, default=0.25
        Fraction of activations dropped before the last layer while training.

    Other Parameters
    ----------------
    **training
        How the network is trained and applied: all parameters of `skspec.training.NeuralClassifier` and
        `skspec.training.NeuralEstimator`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, when X was `Spectra`; predictions then need the same grid.
    net_ : skorch.NeuralNetClassifier
        The trained net.
    history_ : astropy.table.Table
        A row for each epoch.

    See Also
    --------
    Conv1DClassifier : Ordinary convolutions.

    Notes
    -----
    Missing pixels, NaN in an array or ``ivar`` 0 in `Spectra`, are given to the network as the training mean
    of their column.

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

    def _check_params(self) -> None:
        super()._check_params()
        check_sizes("filters", self.filters)
        check_scalar(self.kernel_size, "kernel_size", Integral, min_val=1)
        check_size_or_sizes("strides", self.strides, length=len(self.filters))
        check_choice("basis", self.basis, BASES)
        check_scalar(self.n_bases, "n_bases", Integral, min_val=BASES[self.basis].minimum)
        if self.input_scale is not None:
            check_scalar(self.input_scale, "input_scale", Real, min_val=0, include_boundaries="neither")
        check_scalar(self.dropout, "dropout", Real, min_val=0, max_val=1, include_boundaries="left")

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> ConvKAN:
        n_channels, n_pixels = shape
        return ConvKAN(
            n_pixels,
            n_outputs,
            n_channels=n_channels,
            filters=self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            basis=self.basis,
            n_bases=self.n_bases,
            input_scale=self.input_scale,
            dropout=self.dropout,
        )
