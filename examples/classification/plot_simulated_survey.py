"""
Stars, galaxies and quasars
===========================

A survey observes some objects more than once. Scores are unbiased only if all spectra of an object are on the same side
of each split, so group them by position.
"""

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from skspec import Conv1DClassifier, FluxNormalizer, LogWaveResampler, make_spectra

spectra = make_spectra(900, snr=(2, 20), random_state=0)
spectra

# %%
# The first eight spectra, each divided by its median.
spectra.plot()

# %%
# The pipeline resamples onto one grid, scales the flux, and trains a network. Every step is a scikit-learn estimator.
model = make_pipeline(LogWaveResampler(), FluxNormalizer(), Conv1DClassifier(max_epochs=15, random_state=0))
y = spectra.meta["class"]
predicted = cross_val_predict(model, spectra, y, groups=spectra.sky_groups(), cv=StratifiedGroupKFold(3))

# %%
# Rows are true classes, columns predicted classes.
ConfusionMatrixDisplay.from_predictions(y, predicted, normalize="true", values_format=".2f", cmap="Blues")
plt.show()
