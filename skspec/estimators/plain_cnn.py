"""`PlainCNNClassifier`, with one stack of convolutions and pooling for spectra or images."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.stats import uniform

from skspec.checks import Choice, Constraints, Interval, Sizes, check_size_or_sizes
from skspec.networks import PlainCNN
from skspec.networks.plain_cnn import PADDINGS
from skspec.training import ImageClassifier, SpectrumClassifier
from skspec.training.inputs import ImageShape
from skspec.training.network import InputShape
from skspec.training.prediction import View
from skspec.training.search import choices, filters_around

_FOR_SPECTRA = {"n_channels": 1, "ivar_channel": None, "tta_shifts": 0}  # parameters and their defaults
_FOR_IMAGES = {"tta_flips": False}


class PlainCNNClassifier(ImageClassifier, SpectrumClassifier):
    """Classify spectra or images with one stack of convolutions and pooling.

    Convolutions detect features, pooling reduces the dependence on their exact positions, and linear layers combine them.
    See `skspec.networks.PlainCNN` for the layers.

    Parameters
    ----------
    filters : sequence of int
        Channels after each convolution.
    kernel_sizes : int or sequence of int
        Kernel size of each convolution, in pixels, or one for all.
    strides : int or sequence of int
        Stride of each convolution, in pixels, or one for all.
    padding : {"same", "valid"}
        Whether convolutions keep the length, by padding with zeros at both ends, or use complete windows only.
    pooling : int or sequence of int
        Number of pixels over which the maximum is taken after each convolution, or one for all; 1 for no pooling.
    hidden : sequence of int
        Widths of the linear layers before the last.
    dropout : float
        Fraction of activations dropped before each linear layer during training.

    Other Parameters
    ----------------
    — Input —
    image_shape : (int, int, int) or None
        Channels, height and width of the images, if rows of X are flattened images, one channel after the other. -1 is
        inferred from the number of columns, as in `numpy.reshape`; if both sides are -1, images are square. With None,
        rows of X are spectra.

    See Also
    --------
    Conv1DClassifier : Several kernels side by side.
    ResNet2DClassifier : A deep network for images.

    Notes
    -----
    `skspec.networks.PlainCNN` lists published configurations, for BOSS classes, LAMOST spectral types and Galaxy10.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import PlainCNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (60, 200)), np.repeat(["absorption", "emission"], 30)
    >>> X[:, 90:110] += np.where(y == "emission", 0.5, -0.5)[:, None]
    >>> model = PlainCNNClassifier(max_epochs=10, random_state=0).fit(X, y)
    >>> model.predict(X[[0, -1]])
    array(['absorption', 'emission'], dtype='<U10')
    """

    filters: tuple[int, ...] = (16, 32, 64)
    kernel_sizes: int | tuple[int, ...] = 5
    strides: int | tuple[int, ...] = 1
    padding: str = "same"
    pooling: int | tuple[int, ...] = 2
    hidden: tuple[int, ...] = (64,)
    dropout: float = 0.5
    image_shape: tuple[int, int, int] | None = None  # type: ignore[assignment]

    _network_class = PlainCNN
    _parameter_constraints: ClassVar[Constraints] = {
        "filters": [Sizes()],
        "padding": [Choice(PADDINGS)],
        "hidden": [Sizes(allow_empty=True)],
        "dropout": [Interval(Real, 0, 1, "left")],
        "image_shape": [ImageShape(), None],
    }

    @property
    def _input_class(self) -> type[ImageClassifier | SpectrumClassifier]:
        return SpectrumClassifier if self.image_shape is None else ImageClassifier

    @property
    def _input_kind(self) -> str:
        return "spectra" if self.image_shape is None else "images"

    def _input_shape(self, n_features: int) -> InputShape:
        return self._input_class._input_shape(self, n_features)

    def _views(self) -> list[View]:
        return self._input_class._views(self)

    def _check_params(self) -> None:
        super()._check_params()
        for name in ("kernel_sizes", "strides", "pooling"):
            check_size_or_sizes(name, getattr(self, name), length=len(self.filters))
        if self.image_shape is None:
            self._refuse(_FOR_IMAGES, "is for images, and needs image_shape")
        else:
            self._refuse(_FOR_SPECTRA, "is for spectra, but with image_shape, rows of X are images")

    def _refuse(self, defaults: dict[str, Any], why: str) -> None:
        for name, default in defaults.items():
            value = getattr(self, name)
            if value is not default and value != default:
                raise ValueError(f"{name} {why}; got {name}={value!r}")

    def __skspec_search_space__(self) -> dict[str, Any]:
        own = {"filters": filters_around(self.filters), "dropout": uniform(0.0, 0.6)}
        if self.padding == "same":  # with "valid", larger kernels may leave no pixels
            sizes: Any = self.kernel_sizes
            own["kernel_sizes"] = choices(tuple(sizes) if np.ndim(sizes) else sizes, 3, 5, 9)
        return super().__skspec_search_space__() | own
