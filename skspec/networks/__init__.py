"""Networks: `torch.nn.Module` only, one family a file.

Each takes ``(n_spectra, n_channels, n_pixels)`` to logits, gives the activations before its last layer as
``features(x)``, and calls that layer ``final_layer``. Some take images, ``(n, channels, height, width)``, too.
Generators and critics of spectra come in pairs: see `skspec.networks.gan`.
"""

from skspec.networks.conv1d import Conv1D
from skspec.networks.convkan import ConvKAN
from skspec.networks.convtran import ConvTran
from skspec.networks.gan import DenseCritic, DenseGenerator, SpectrumCritic, SpectrumGenerator
from skspec.networks.plain_cnn import PlainCNN
from skspec.networks.resnet import ResNet

__all__ = [
    "Conv1D",
    "ConvKAN",
    "ConvTran",
    "DenseCritic",
    "DenseGenerator",
    "PlainCNN",
    "ResNet",
    "SpectrumCritic",
    "SpectrumGenerator",
]
