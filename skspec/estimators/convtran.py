"""A transformer over the pixels of a spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

from sklearn.utils import check_scalar

from skspec.checks import check_choice
from skspec.networks import ConvTran
from skspec.networks.convtran import RELATIVE_ENCODINGS
from skspec.training import NeuralClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class ConvTranClassifier(NeuralClassifier):
    """Classify spectra by a convolutional transformer, which relates distant pixels to one another.

    The weights are few, but the time of training grows with the square of the number of pixels. See
    `skspec.networks.ConvTran` for the layers.

    Parameters
    ----------
    embed_dim : int, default=16
        Width of the embedding of a pixel; a multiple of `n_heads`.
    n_heads : int, default=2
        Attention heads.
    feedforward_dim : int, default=64
        Width of the hidden layer after the attention.
    kernel_size : int, default=8
        Kernel of the convolution that embeds pixels, in pixels.
    relative_encoding : {"eRPE", None}, default="eRPE"
        Whether each head learns a weight for each distance between two pixels.
    dropout : float, default=0.01
        Fraction of activations dropped while training.

    Other Parameters
    ----------------
    **training
        How the network is trained and applied: all parameters of `skspec.training.NeuralClassifier` and
        `skspec.training.NeuralEstimator`. Here ``max_epochs=20`` is the default.

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
    LogWaveResampler : Bring spectra onto one grid, of fewer pixels.
    Conv1DClassifier : Quicker.

    Notes
    -----
    Missing pixels, NaN in an array or ``ivar`` 0 in `Spectra`, are given to the network as the training mean
    of their column.

    The network of joint MK classification has ``embed_dim=64, n_heads=16, feedforward_dim=256,
    relative_encoding=None``.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ConvTranClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (60, 50)), np.repeat(["absorption", "emission"], 30)
    >>> X[:, 20:30] += np.where(y == "emission", 0.5, -0.5)[:, None]
    >>> model = ConvTranClassifier(max_epochs=10, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['absorption', 'emission'], dtype='<U10')
    """

    embed_dim: int = 16
    n_heads: int = 2
    feedforward_dim: int = 64
    kernel_size: int = 8
    relative_encoding: str | None = "eRPE"
    dropout: float = 0.01
    max_epochs: int = 20

    def _check_params(self) -> None:
        super()._check_params()
        for name in ("embed_dim", "n_heads", "feedforward_dim", "kernel_size"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        check_choice("relative_encoding", self.relative_encoding, RELATIVE_ENCODINGS)
        check_scalar(self.dropout, "dropout", Real, min_val=0, max_val=1, include_boundaries="left")

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> ConvTran:
        n_channels, n_pixels = shape
        return ConvTran(
            n_pixels,
            n_outputs,
            n_channels=n_channels,
            embed_dim=self.embed_dim,
            n_heads=self.n_heads,
            feedforward_dim=self.feedforward_dim,
            kernel_size=self.kernel_size,
            relative_encoding=self.relative_encoding,
            dropout=self.dropout,
        )
