"""One scikit-learn classifier per family of networks."""

from skspec.estimators.conv1d import Conv1DClassifier
from skspec.estimators.convkan import ConvKANClassifier
from skspec.estimators.convtran import ConvTranClassifier
from skspec.estimators.plain_cnn import PlainCNNClassifier
from skspec.estimators.resnet1d import ResNet1DClassifier
from skspec.estimators.resnet2d import ResNet2DClassifier

__all__ = [
    "Conv1DClassifier",
    "ConvKANClassifier",
    "ConvTranClassifier",
    "PlainCNNClassifier",
    "ResNet1DClassifier",
    "ResNet2DClassifier",
]
