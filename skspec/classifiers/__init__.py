"""One scikit-learn classifier per family of networks."""

from skspec.classifiers.conv1d import Conv1DClassifier

__all__ = ["Conv1DClassifier"]
