"""Plots of spectra and of the results of classifiers.

They need matplotlib (``pip install skspec[plot]``) and raise an ImportError without it.
"""

from skspec.plotting._class_distribution import ClassDistributionDisplay
from skspec.plotting._error_magnitude import ErrorMagnitudeDisplay
from skspec.plotting._generation_quality import GenerationQualityDisplay
from skspec.plotting._joint_confusion_matrix import JointConfusionMatrixDisplay
from skspec.plotting._precision_recall import MulticlassPrecisionRecallDisplay
from skspec.plotting._reliability import ReliabilityDisplay
from skspec.plotting._roc import MulticlassRocDisplay
from skspec.plotting._spectra_display import SpectraDisplay
from skspec.plotting._training_curve import TrainingCurveDisplay
from skspec.spectra import plot_spectra

__all__ = [
    "ClassDistributionDisplay",
    "ErrorMagnitudeDisplay",
    "GenerationQualityDisplay",
    "JointConfusionMatrixDisplay",
    "MulticlassPrecisionRecallDisplay",
    "MulticlassRocDisplay",
    "ReliabilityDisplay",
    "SpectraDisplay",
    "TrainingCurveDisplay",
    "plot_spectra",
]
