"""One scikit-learn classifier per family of networks."""

from skspec.classifiers.conv1d import Conv1DClassifier
from skspec.classifiers.convkan import ConvKANClassifier
from skspec.classifiers.convtran import ConvTranClassifier
from skspec.classifiers.plain_cnn import PlainCNNClassifier
from skspec.classifiers.resnet1d import ResNet1DClassifier
from skspec.classifiers.resnet2d import ResNet2DClassifier

__all__ = [
    "Conv1DClassifier",
    "ConvKANClassifier",
    "ConvTranClassifier",
    "PlainCNNClassifier",
    "ResNet1DClassifier",
    "ResNet2DClassifier",
]
