"""`ResNet1DClassifier`, `ResNet1DRegressor` and `ResNet2DClassifier`, residual networks for spectra and images."""

from __future__ import annotations

from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

from skspec.checks import COUNT, Choice, Constraints, Interval
from skspec.networks import ResNet
from skspec.networks.resnet import DEPTHS, STEMS
from skspec.training import (
    ImageClassifier,
    NeuralEstimator,
    NeuralRegressor,
    SpectrumClassifier,
    SpectrumInput,
)
from skspec.training.network import InputShape
from skspec.training.pretrained import read_state_dict
from skspec.training.search import sizes_around


class ResNetParameters(NeuralEstimator):
    """Parameters of the network.

    Parameters
    ----------
    depth : {18, 34, 50, 101}
        Number of layers with weights.
    width : int
        Channels of the first stage; the next three have two, four and eight times as many.
    stem : {"standard", "small"}
        First layers: "standard" reduces the length (each side of an image) by a factor of four; "small" keeps it, for
        spectra of few pixels or images of about 32 pixels.
    n_hidden : int
        Width of an additional linear layer before the last; 0 for none.
    n_scalars : int
        Number of columns at the end of X that are scalar features, such as a temperature or magnitudes; the columns
        before them are the spectra or images. They are concatenated to the activations before the last layer. Each is
        standardised by its training mean and standard deviation; a missing one (NaN) is replaced by the mean.
        Augmentation does not change them.
    pretrained : path or None
        Local file with initial weights: the state_dict of a `skspec.networks.ResNet` with the same depth, stem and
        channels, in the format of ``torch.save`` or safetensors. All but the last layer are used.

    Notes
    -----
    In prediction, batch normalisation uses running averages, which take about fifty steps to converge: with a small
    training set, use more epochs or smaller batches.
    """

    depth: int = 18
    width: int = 64
    stem: str = "standard"
    n_hidden: int = 0
    n_scalars: int = 0
    pretrained: str | PathLike[str] | None = None
    lr: float = 1e-3
    max_epochs: int = 15

    _network_class = ResNet
    _parameter_constraints: ClassVar[Constraints] = {
        "depth": [Choice(tuple(DEPTHS))],
        "width": [COUNT],
        "stem": [Choice(STEMS)],
        "n_hidden": [Interval(Integral, 0, None)],
        "n_scalars": [Interval(Integral, 0, None)],
    }
    __skspec_fit_only__: ClassVar[tuple[str, ...]] = ("pretrained",)

    def _input_shape(self, n_features: int) -> InputShape:
        n_values = n_features - self.n_scalars
        if n_values < 1:
            raise ValueError(
                f"n_scalars must be less than the {n_features} features of X, got {self.n_scalars}"
            )
        shape = super()._input_shape(n_values)  # type: ignore[safe-super]  # of the other base of each subclass
        return shape._replace(n_scalars=self.n_scalars)

    def _load_pretrained(self, network: ResNet) -> None:
        if self.pretrained is not None:
            network.load_pretrained(read_state_dict(self.pretrained))

    def __skspec_search_space__(self) -> dict[str, Any]:
        own = {"width": sizes_around(self.width)} if self.pretrained is None else {}
        return super().__skspec_search_space__() | own


class ResNet1DClassifier(ResNetParameters, SpectrumClassifier):
    """Classify spectra with a residual network of one-dimensional convolutions.

    The last columns of X can be scalar features, such as a temperature (see `n_scalars`), which are used in the last
    layer. See `skspec.networks.ResNet` for the layers.

    See Also
    --------
    WienFitFeatures : Temperature of the continuum.
    FluxStatistics : Mean, standard deviation and more of each spectrum.
    Conv1DClassifier : Faster, and equally good for a few thousand spectra.
    ResNet1DRegressor : The regressor.
    ResNet2DClassifier : The classifier of images.

    Notes
    -----
    The network of joint MK classification has ``depth=50``.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ResNet1DClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (60, 100)), np.repeat(["cool", "hot"], 30)
    >>> X[y == "cool", 40:60] -= 0.5
    >>> temperature = np.where(y == "hot", 20_000.0, 5_000.0)
    >>> X = np.column_stack([X, temperature])
    >>> model = ResNet1DClassifier(n_scalars=1, max_epochs=10, batch_size=16, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['cool', 'hot'], dtype='<U4')
    """


class ResNet1DRegressor(ResNetParameters, SpectrumInput, NeuralRegressor):
    """Predict values from spectra with a residual network of one-dimensional convolutions.

    As `Conv1DRegressor`, for one or several values, some of which may be unknown (NaN) for some spectra. The last columns
    of X can be scalar features of the spectra.

    See Also
    --------
    ResNet1DClassifier : The classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ResNet1DRegressor
    >>> rng = np.random.default_rng(0)
    >>> slope = rng.uniform(-1.0, 1.0, 200)
    >>> X = 1.0 + 0.5 * slope[:, None] * np.linspace(-1.0, 1.0, 60) + rng.normal(0.0, 0.02, (200, 60))
    >>> model = ResNet1DRegressor(width=8, random_state=0).fit(X, 5000.0 + 1000.0 * slope)
    >>> bool(model.score(X, 5000.0 + 1000.0 * slope) > 0.9)
    True
    """


class ResNet2DClassifier(ResNetParameters, ImageClassifier):
    """Classify images with a residual network, from random or pretrained weights.

    Rows of X are flattened images, one channel after the other (see Examples for images with the channels last). See
    `skspec.networks.ResNet` for the layers.

    Parameters
    ----------
    n_hidden : int
        Width of an additional linear layer before the last; 0 for none. With 1000 and `pretrained`, it is the
        classification layer of ImageNet, whose weights are then also used.
    pretrained : path or None
        Local file with initial weights: the state_dict of a torchvision ResNet or a `skspec.networks.ResNet` with the
        same depth, stem and channels, in the format of ``torch.save`` or safetensors. All but the last layer are used.

    See Also
    --------
    PlainCNNClassifier : A small network for images and spectra.
    ResNet1DClassifier : The classifier of spectra.

    Notes
    -----
    Published configurations: ``n_hidden=1000`` with ``depth=18`` or ``depth=50`` and ImageNet weights, for Galaxy10
    images of shape (3, 224, 224).

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ResNet2DClassifier
    >>> rng = np.random.default_rng(0)
    >>> images, y = rng.integers(100, 120, (40, 16, 16, 3)), np.repeat(["blue", "red"], 20)
    >>> images[:20, 4:12, 4:12, 2] += 80
    >>> images[20:, 4:12, 4:12, 0] += 80
    >>> X = images.transpose(0, 3, 1, 2).reshape(40, -1)
    >>> model = ResNet2DClassifier(max_epochs=10, batch_size=8, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['blue', 'red'], dtype='<U4')
    """
