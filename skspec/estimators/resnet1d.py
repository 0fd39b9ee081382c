"""Residual networks for spectra, with numbers beside them."""

from __future__ import annotations

from dataclasses import dataclass

from skspec.estimators._resnet import ResNetParameters
from skspec.training import NeuralClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class ResNet1DClassifier(ResNetParameters, NeuralClassifier):
    """Classify spectra by a residual network of one-dimensional convolutions.

    The last columns of X may be scalars that belong to the spectra, such as a temperature, the mean and the
    standard deviation: they join the network before its last layer. See `skspec.networks.ResNet` for the layers.

    Parameters
    ----------
    depth : {18, 34, 50, 101}, default=18
        Layers with weights.
    width : int, default=64
        Channels of the first stage; the next three have two, four and eight times as many.
    stem : {"standard", "small"}, default="standard"
        First layers: "standard" makes spectra four times shorter, "small" keeps their length, for spectra of few
        pixels.
    n_hidden : int, default=0
        Width of one more linear layer before the scalars join; 0 for none.
    n_scalars : int, default=0
        How many of the last columns of X are scalars; the columns before them are the spectra. Each is centred and
        scaled by its training mean and standard deviation; one that is missing (NaN) is given as that mean. No
        augmentation changes them.
    pretrained : path or None, default=None
        File on this machine with the weights to start from: the state of a `skspec.networks.ResNet` with the same
        depth, stem and channels, as ``torch.save`` or safetensors write it. All but the last layer are taken over.

    Other Parameters
    ----------------
    **training
        How the network is trained and applied: all parameters of `skspec.training.NeuralClassifier` and
        `skspec.training.NeuralEstimator`. Here ``lr=1e-3`` and ``max_epochs=15`` are the defaults.

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
    WienFitFeatures : Temperature of the continuum.
    FluxStatistics : Mean, standard deviation and more of each spectrum.
    Conv1DClassifier : Quicker, and as good on some thousand spectra.
    ResNet2DClassifier : The same for images.

    Notes
    -----
    Missing pixels, NaN in an array or ``ivar`` 0 in `Spectra`, are given to the network as the training mean
    of their column.

    Batch normalisation predicts with running averages, which need some fifty steps to settle: if spectra are few,
    take more epochs or smaller batches.

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
