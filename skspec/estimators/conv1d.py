"""Convolutions of several widths side by side."""

from __future__ import annotations

from dataclasses import dataclass

from skspec.estimators._conv1d import Conv1DParameters
from skspec.training import NeuralClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class Conv1DClassifier(Conv1DParameters, NeuralClassifier):
    """Classify spectra by a network of parallel one-dimensional convolutions.

    Branches with kernels of different width look for narrow and broad features side by side; see
    `skspec.networks.Conv1D` for the layers. The defaults are small and quick: on a spectral library of a
    thousand stars they train in seconds.

    Parameters
    ----------
    filters : sequence of int, default=(8, 16, 32)
        Channels after each convolution, the same in all branches.
    kernel_sizes : sequence of int, default=(3, 5, 7)
        Kernel of each branch, in pixels.
    strides : int, sequence of int or None, default=None
        Stride of each convolution, in pixels, or one for all; None takes the one that leaves about 50 pixels,
        whatever the length of the spectra.
    head : {"flatten", "channel_max", "pool"}, default="flatten"
        What goes on to the linear layers: everything; the maximum over channels at each wavelength; or the
        mean of each channel over wavelength, which knows what is in a spectrum but not where.
    hidden : sequence of int, default=()
        Widths of the linear layers before the last.
    dropout : float, default=0.5
        Fraction of activations dropped before each linear layer while training.
    batch_norm : bool, default=True
        Whether to normalise batches after each convolution.

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
    LogWaveResampler : Bring spectra onto one grid.
    FluxNormalizer : Scale each spectrum, so that brightness does not matter.

    Notes
    -----
    Missing pixels, NaN in an array or ``ivar`` 0 in `Spectra`, are given to the network as the training mean
    of their column.

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
