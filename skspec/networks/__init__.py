"""Neural networks: plain `torch.nn.Module` classes, one family per file.

Each maps spectra ``(n_spectra, n_channels, n_pixels)`` to logits. ``features(x)`` returns the activations before the
last layer, ``final_layer``. Some also accept images, ``(n, channels, height, width)``. Generators and critics of spectra
come in pairs; see `skspec.networks.gan`.
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
