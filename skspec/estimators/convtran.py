"""`ConvTranClassifier`, a transformer over the pixels of a spectrum."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from scipy.stats import uniform

from skspec.checks import COUNT, Choice, Constraints, Interval
from skspec.networks import ConvTran
from skspec.networks.convtran import RELATIVE_ENCODINGS
from skspec.training import SpectrumClassifier
from skspec.training.search import sizes_around


class ConvTranClassifier(SpectrumClassifier):
    """Classify spectra with a convolutional transformer, which relates distant pixels to one another.

    It has few weights, but the training time grows with the square of the number of pixels. See
    `skspec.networks.ConvTran` for the layers.

    Parameters
    ----------
    embed_dim : int
        Width of the embedding of a pixel; a multiple of `n_heads`.
    n_heads : int
        Number of attention heads.
    feedforward_dim : int
        Width of the hidden layer after the attention.
    kernel_size : int
        Kernel size of the convolution that embeds pixels, in pixels.
    relative_encoding : {"eRPE", None}
        Whether each head learns a weight for each distance between two pixels.
    dropout : float
        Fraction of activations dropped during training, after the position encoding and in the feed-forward layers.

    See Also
    --------
    LogWaveResampler : Resample spectra onto one grid, with fewer pixels.
    Conv1DClassifier : Faster.

    Notes
    -----
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

    _network_class = ConvTran
    _parameter_constraints: ClassVar[Constraints] = {
        "embed_dim": [COUNT],
        "n_heads": [COUNT],
        "feedforward_dim": [COUNT],
        "kernel_size": [COUNT],
        "relative_encoding": [Choice(RELATIVE_ENCODINGS)],
        "dropout": [Interval(Real, 0, 1, "left")],
    }

    def __skspec_search_space__(self) -> dict[str, Any]:
        return super().__skspec_search_space__() | {
            "embed_dim": [self.embed_dim, 2 * self.embed_dim],  # a multiple of n_heads
            "feedforward_dim": sizes_around(self.feedforward_dim),
            "kernel_size": sizes_around(self.kernel_size),
            "relative_encoding": ["eRPE", None],
            "dropout": uniform(0.0, 0.3),
        }
