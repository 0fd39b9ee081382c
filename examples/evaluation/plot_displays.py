"""
Plots of a classifier
=====================

How good is a classifier of joint classes of temperature and luminosity? Plots say more than a score: which classes are
confused, how large the errors are, and whether the probabilities are calibrated.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skspec import Conv1DClassifier, FluxNormalizer, LogWaveResampler, make_spectra
from skspec.mk import mk_coordinates
from skspec.plotting import (
    ClassDistributionDisplay,
    ErrorMagnitudeDisplay,
    JointConfusionMatrixDisplay,
    MulticlassPrecisionRecallDisplay,
    MulticlassRocDisplay,
    ReliabilityDisplay,
    SpectraDisplay,
    TrainingCurveDisplay,
)

# %%
# Simulate stars. The joint class of a star is its temperature class followed by its luminosity class, such as GV.
stars = make_spectra(2400, classes="OBAFGKM", snr=(5, 40), random_state=0)
y = np.char.add(np.asarray(stars.meta["spectral_class"]), np.asarray(stars.meta["lum_class"]))
ClassDistributionDisplay.from_labels(y)

# %%
# Train a quick classifier.
train, test, y_train, y_test = train_test_split(stars, y, random_state=0)
model = make_pipeline(
    LogWaveResampler(), FluxNormalizer(), RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
)
model.fit(train, y_train)

# %%
# Rows are true classes, columns predicted ones, in order of temperature. Within the frames, only the luminosity class is
# wrong.
JointConfusionMatrixDisplay.from_estimator(model, test, y_test, coordinates=mk_coordinates)

# %%
# The same matrix in order of luminosity, in percent of the true class.
JointConfusionMatrixDisplay.from_estimator(
    model, test, y_test, coordinates=mk_coordinates, major=1, normalize="true"
)

# %%
# How large are the errors along the two axes?
ErrorMagnitudeDisplay.from_estimator(model, test, y_test)

# %%
# Some misclassified spectra, with lines that distinguish the classes.
predicted = model.predict(test)
wrong = np.flatnonzero(predicted != y_test)
SpectraDisplay.from_predictions(test, y_test, predicted, rows=wrong[:4], lines=("hydrogen", "metals", "TiO"))

# %%
# Each class against the rest. If there are many classes, the five worst are named.
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
MulticlassRocDisplay.from_estimator(model, test, y_test, ax=left)
MulticlassPrecisionRecallDisplay.from_estimator(model, test, y_test, ax=right)

# %%
# Forests are underconfident: points above the diagonal are correct more often than their probability says.
ReliabilityDisplay.from_estimator(model, test, y_test)

# %%
# A network also has a training history. The weights of the epoch with the best validation score were kept.
letters = np.asarray(train.meta["spectral_class"])
network = make_pipeline(
    LogWaveResampler(),
    FluxNormalizer(),
    Conv1DClassifier(max_epochs=15, validation_fraction=0.2, scoring="f1_macro", random_state=0),
)
network.fit(train, letters)
TrainingCurveDisplay.from_estimator(network)
plt.show()
