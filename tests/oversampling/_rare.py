"""A small set of spectra with a rare class."""

import numpy as np

N_PIXELS = 60


def rare(n_common=60, n_rare=20, seed=0):
    """Bell-shaped spectra with a line that is deeper in the rare class "O", and their labels."""
    rng = np.random.default_rng(seed)
    y = np.repeat(["G", "O"], [n_common, n_rare])
    pixel = np.arange(N_PIXELS)
    slope = rng.normal(0.0, 0.3, len(y))[:, None]
    depth = np.where(y == "O", 0.6, 0.2)[:, None] + rng.normal(0.0, 0.05, len(y))[:, None]
    X = 1.0 + slope * (pixel / N_PIXELS - 0.5) - depth * np.exp(-0.5 * ((pixel - 30) / 2.0) ** 2)
    X += rng.normal(0.0, 0.02, X.shape)
    order = rng.permutation(len(y))
    return X[order], y[order]
