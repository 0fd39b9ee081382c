"""Values by convolutions of several widths side by side."""

from __future__ import annotations

from dataclasses import dataclass

from skspec.estimators._conv1d import Conv1DParameters
from skspec.training import NeuralRegressor


@dataclass(kw_only=True, eq=False, repr=False)
class Conv1DRegressor(Conv1DParameters, NeuralRegressor):
    """Learn values from spectra by a network of parallel one-dimensional convolutions.

    The regressor to `Conv1DClassifier`: effective temperature, surface gravity, metallicity, redshift, alone or
    together, and with unknown values (NaN) among them.

    Parameters
    ----------
    filters, kernel_sizes, strides, head, hidden, dropout, batch_norm
        Parameters of the network, as in `Conv1DClassifier`.

    Other Parameters
    ----------------
    **training
        What is learned, and how the network is trained and applied: all parameters of
        `skspec.training.NeuralRegressor` and `skspec.training.NeuralEstimator`.
        Here ``dropout=0.0`` is the default, since it blurs values.

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
    Conv1DClassifier : The classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import Conv1DRegressor
    >>> rng = np.random.default_rng(0)
    >>> slope = rng.uniform(-1.0, 1.0, 200)
    >>> X = 1.0 + 0.5 * slope[:, None] * np.linspace(-1.0, 1.0, 60) + rng.normal(0.0, 0.02, (200, 60))
    >>> model = Conv1DRegressor(max_epochs=30, random_state=0).fit(X, 5000.0 + 1000.0 * slope)
    >>> bool(model.score(X, 5000.0 + 1000.0 * slope) > 0.9)
    True
    """

    dropout: float = 0.0
