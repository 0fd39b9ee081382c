"""Temperatures, gravities and metallicities of real stars (MILES library), some of them unknown."""

import numpy as np
from scipy.stats import spearmanr
from sklearn.pipeline import make_pipeline

from skspec import Conv1DRegressor, FluxNormalizer, LogWaveResampler, Spectra
from tests._data import data_path


def test_parameters_of_real_stars():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as file:
        y = np.column_stack([np.log10(file["teff"]), file["logg"], file["feh"]]).astype(float)
        known = np.isfinite(y).any(axis=1)
        stars, y = Spectra(file["flux"][known], wave=file["wave"], medium="air"), y[known]
    assert np.isnan(y).any()
    test = np.arange(len(y)) % 4 == 0
    grid = LogWaveResampler(loglam_min=3.55, loglam_max=3.869, n_bins=400)
    model = make_pipeline(grid, FluxNormalizer(), Conv1DRegressor(random_state=0))
    predicted = model.fit(stars[~test], y[~test]).predict(stars[test])
    rms = np.sqrt(np.nanmean((predicted - y[test]) ** 2, axis=0))
    assert (rms < np.nanstd(y[test], axis=0) * [0.3, 0.6, 0.7]).all()
    assert spearmanr(predicted[:, 0], y[test, 0]).statistic > 0.97
