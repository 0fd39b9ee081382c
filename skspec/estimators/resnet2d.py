"""Residual networks for images."""

from __future__ import annotations

from dataclasses import dataclass

from skspec.estimators._images import ImageClassifier
from skspec.estimators._resnet import ResNetParameters


@dataclass(kw_only=True, eq=False, repr=False)
class ResNet2DClassifier(ResNetParameters, ImageClassifier):
    """Classify images by a residual network, from scratch or from weights learned elsewhere.

    Rows of X are flattened images, the channels one after the other (see Examples for images whose colours come
    last). See `skspec.networks.ResNet` for the layers.

    Parameters
    ----------
    image_shape : (int, int, int), default=(3, -1, -1)
        Channels, height and width of the images. -1 stands for what follows from the width of X, as in
        `numpy.reshape`; if both sides are -1, images are square.
    depth : {18, 34, 50, 101}, default=18
        Layers with weights.
    width : int, default=64
        Channels of the first stage; the next three have two, four and eight times as many.
    stem : {"standard", "small"}, default="standard"
        First layers: "standard" makes images four times smaller, "small" keeps their size, for images of about 32
        pixels.
    n_hidden : int, default=0
        Width of one more linear layer before the last; 0 for none. With 1000 and `pretrained`, it is the classifier
        of ImageNet, whose weights are then kept too.
    n_scalars : int, default=0
        How many of the last columns of X are scalars that belong to the images, such as magnitudes; the columns
        before them are the images. They join the network before its last layer, each centred and scaled by its
        training mean and standard deviation.
    pretrained : path or None, default=None
        File on this machine with the weights to start from: the state of a torchvision ResNet, or of a
        `skspec.networks.ResNet`, with the same depth, stem and channels, as ``torch.save`` or safetensors write it.
        All but the last layer are taken over.
    augment_flips : bool, default=False
        Whether each training image is turned and mirrored at random: into one of its eight views, or of four if it
        is not square.
    tta_flips : bool, default=False
        Test-time augmentation: logits are averaged over these views.

    Other Parameters
    ----------------
    **training
        How the network is trained and applied: all parameters of `skspec.training.NeuralClassifier` and
        `skspec.training.NeuralEstimator` but those that are for spectra only, which are refused. Here ``lr=1e-3``
        and ``max_epochs=15`` are the defaults.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    net_ : skorch.NeuralNetClassifier
        The trained net.
    history_ : astropy.table.Table
        A row for each epoch.

    See Also
    --------
    PlainCNNClassifier : A small network for images and spectra.
    ResNet1DClassifier : The same for spectra.

    Notes
    -----
    Each channel is centred on its mean over all training images and pixels, and divided by its standard
    deviation. Missing pixels (NaN) are given as that mean.

    Batch normalisation predicts with running averages, which need some fifty steps to settle: if images are few,
    take more epochs or smaller batches.

    Published configurations: ``n_hidden=1000`` with ``depth=18`` or ``depth=50`` and weights of ImageNet, for
    Galaxy10 images of (3, 224, 224).

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

    def _check_params(self) -> None:
        super()._check_params()
        if self.image_shape is None:
            raise ValueError("image_shape must be (channels, height, width), got None")
