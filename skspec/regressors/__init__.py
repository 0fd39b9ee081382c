"""Scikit-learn regressors around the networks: values instead of classes."""

from skspec.regressors.conv1d import Conv1DRegressor
from skspec.regressors.resnet1d import ResNet1DRegressor

__all__ = ["Conv1DRegressor", "ResNet1DRegressor"]
