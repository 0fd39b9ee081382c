"""Scikit-learn estimators of the networks, one family per file."""

from skspec.estimators.conv1d import Conv1DClassifier, Conv1DRegressor
from skspec.estimators.convkan import ConvKANClassifier
from skspec.estimators.convtran import ConvTranClassifier
from skspec.estimators.plain_cnn import PlainCNNClassifier
from skspec.estimators.resnet import ResNet1DClassifier, ResNet1DRegressor, ResNet2DClassifier

__all__ = [
    "Conv1DClassifier",
    "Conv1DRegressor",
    "ConvKANClassifier",
    "ConvTranClassifier",
    "PlainCNNClassifier",
    "ResNet1DClassifier",
    "ResNet1DRegressor",
    "ResNet2DClassifier",
]
