"""Values by residual networks, with numbers beside the spectra."""

from __future__ import annotations

from dataclasses import dataclass

from skspec.estimators._resnet import ResNetParameters
from skspec.training import NeuralRegressor


@dataclass(kw_only=True, eq=False, repr=False)
class ResNet1DRegressor(ResNetParameters, NeuralRegressor):
    """Learn values from spectra by a residual network of one-dimensional convolutions.

    The regressor to `ResNet1DClassifier`: effective temperature, surface gravity, metallicity, redshift, alone or
    together, and with unknown values (NaN) among them.

    Parameters
    ----------
    depth, width, stem, n_hidden, n_scalars, pretrained
        Parameters of the network, as in `ResNet1DClassifier`.

    Other Parameters
    ----------------
    **training
        What is learned, and how the network is trained and applied: all parameters of
        `skspec.training.NeuralRegressor` and `skspec.training.NeuralEstimator`.
        Here ``lr=1e-3`` and ``max_epochs=15`` are the defaults.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        Mean and standard deviation of the known training values.
    n_targets_ : int
        Number of values a spectrum.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, when X was `Spectra`; predictions then need the same grid.
    net_ : skorch.NeuralNetRegressor
        The trained net.
    history_ : astropy.table.Table
        A row for each epoch.

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
