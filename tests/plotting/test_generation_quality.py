"""`GenerationQualityDisplay`: the plotted data are those compared."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skspec.oversampling import quality_report
from skspec.plotting import GenerationQualityDisplay

WAVE = np.arange(4000.0, 9000.0, 1.0)


def spectra(depth, seed=0):
    """Flat spectra with an H alpha line."""
    rng = np.random.default_rng(seed)
    depths = depth + rng.normal(0.0, 0.02, 20)[:, None]
    return 1.0 - depths * (np.abs(WAVE - 6564.6) < 8.0) + rng.normal(0.0, 0.01, (20, len(WAVE)))


def test_display():
    real, generated, train = spectra(0.4), spectra(0.5, seed=1), spectra(0.4, seed=2)
    report = quality_report(train, real, generated, wave=WAVE)
    display = GenerationQualityDisplay(report, real, generated, wave=WAVE).plot()
    np.testing.assert_allclose(display.lines_[0].get_ydata(), np.median(real, axis=0))
    np.testing.assert_allclose(display.points_[1][0].get_xdata(), report.features["generated_median"])
    assert set(display.axes_) == {"spectra", "features"}
    display.figure_.canvas.draw()
    _, ax = plt.subplots()
    report = quality_report(real, real, generated)
    assert set(GenerationQualityDisplay(report, real, generated).plot(ax).axes_) == {"spectra"}
    with pytest.raises(ValueError, match="must have the same length, got 5000, 5000 and 3"):
        GenerationQualityDisplay(report, real, generated, wave=[1, 2, 3]).plot()
