"""One stack of convolutions and pooling."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from sklearn.utils import check_scalar

from skspec.checks import check_choice, check_size_or_sizes, check_sizes
from skspec.estimators._images import ImageClassifier, size_arguments
from skspec.networks import PlainCNN
from skspec.networks.plain_cnn import PADDINGS


@dataclass(kw_only=True, eq=False, repr=False)
class PlainCNNClassifier(ImageClassifier):
    """Classify spectra or images by one stack of convolutions and pooling.

    The classical network: convolutions that look for features, pooling that makes their place less exact, linear
    layers that decide. See `skspec.networks.PlainCNN` for the layers.

    Parameters
    ----------
    filters : sequence of int, default=(16, 32, 64)
        Channels after each convolution.
    kernel_sizes : int or sequence of int, default=5
        Kernel of each convolution, in pixels, or one for all.
    strides : int or sequence of int, default=1
        Stride of each convolution, in pixels, or one for all.
    padding : {"same", "valid"}, default="same"
        Whether convolutions keep the length, by zeros on both sides, or take whole windows only.
    pooling : int or sequence of int, default=2
        Pixels of which the maximum is taken after each convolution, or one number for all; 1 for none.
    hidden : sequence of int, default=(64,)
        Widths of the linear layers before the last.
    dropout : float, default=0.5
        Fraction of activations dropped before each linear layer while training.
    image_shape : (int, int, int) or None, default=None
        Channels, height and width, when rows of X are flattened images, one channel after the other. -1 stands
        for what follows from the width of X, as in `numpy.reshape`; if both sides are -1, images are square. None:
        rows are spectra.
    augment_flips : bool, default=False
        Whether each training image is turned and mirrored at random: into one of its eight views, or of four if it
        is not square.
    tta_flips : bool, default=False
        Test-time augmentation: logits are averaged over these views.

    Other Parameters
    ----------------
    **training
        How the network is trained and applied: all parameters of `skspec.training.NeuralClassifier` and
        `skspec.training.NeuralEstimator`; for images, those that are for spectra only are refused.

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
    Conv1DClassifier : Several kernels side by side.
    ResNet2DClassifier : A deep network for images.

    Notes
    -----
    Missing pixels, NaN in an array or ``ivar`` 0 in `Spectra`, are given to the network as the training mean
    of their column (of images: of their channel).

    Published configurations are listed in `skspec.networks.PlainCNN`: the networks of the BOSS classes, of LAMOST
    spectral types and of Galaxy10.

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
    image_shape: tuple[int, int, int] | None = None

    def _check_params(self) -> None:
        super()._check_params()
        check_sizes("filters", self.filters)
        for name in ("kernel_sizes", "strides", "pooling"):
            check_size_or_sizes(name, getattr(self, name), length=len(self.filters))
        check_choice("padding", self.padding, PADDINGS)
        check_sizes("hidden", self.hidden, allow_empty=True)
        check_scalar(self.dropout, "dropout", Real, min_val=0, max_val=1, include_boundaries="left")

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> PlainCNN:
        return PlainCNN(
            n_outputs=n_outputs,
            **size_arguments(shape),
            filters=self.filters,
            kernel_sizes=self.kernel_sizes,
            strides=self.strides,
            padding=self.padding,
            pooling=self.pooling,
            hidden=self.hidden,
            dropout=self.dropout,
        )
