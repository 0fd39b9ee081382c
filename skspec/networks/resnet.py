"""`ResNet`, residual networks for spectra or images."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from skspec.networks._layers import Convolution, as_images, convolve_and_normalize, input_shape, window

# number of blocks in each of the four stages, and whether they are bottlenecks
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
}
STEMS = ("standard", "small")
_STAGES = ((1, 1), (2, 2), (4, 2), (8, 2))  # width relative to the first stage, and stride of the first block
_BOTTLENECK_EXPANSION = 4


class ResNet(nn.Module):
    """Residual network of 18, 34, 50 or 101 layers, for spectra or images.

    ============  ==================================================  ==========================
    layer         operation                                           output shape (of spectra)
    ============  ==================================================  ==========================
    conv1, bn1    stem ``standard``: convolution (kernel 7,           (n, w, n_pixels / 4)
    maxpool       stride 2) to w channels, batch normalisation,
                  ReLU, maximum (kernel 3, stride 2)
                  stem ``small``: convolution (kernel 3), batch       (n, w, n_pixels)
                  normalisation, ReLU
    layer1        residual blocks of width w                          (n, w · e, l)
    layer2        residual blocks of width 2 w, the first strided     (n, 2 w · e, l / 2)
    layer3        residual blocks of width 4 w, the first strided     (n, 4 w · e, l / 4)
    layer4        residual blocks of width 8 w, the first strided     (n, 8 w · e, l / 8)
    avgpool       mean over pixels                                    (n, 8 w · e)
    fc            [linear, ReLU]                                      (n, n_hidden)
    join          [scalars concatenated]                              (n, n_features)
    final_layer   linear                                              (n, n_outputs)
    ============  ==================================================  ==========================

    Here w is ``width``, 64 as published, and l is the length after the stem; lengths are rounded up. A residual
    block adds its input to a stack of convolutions, each followed by batch normalisation:

    =======  ================================================  =========  ====================
    depth    convolutions of a block of width b                e          blocks in each stage
    =======  ================================================  =========  ====================
    18       kernel 3 to b (strided), ReLU, kernel 3 to b      1          2, 2, 2, 2
    34       the same                                          1          3, 4, 6, 3
    50       kernel 1 to b, ReLU, kernel 3 to b (strided),     4          3, 4, 6, 3
             ReLU, kernel 1 to 4 · b
    101      the same                                          4          3, 4, 23, 3
    =======  ================================================  =========  ====================

    Where the stack changes the shape, the input goes through a strided convolution with kernel 1 and batch
    normalisation; ReLU follows the sum.

    Parameters
    ----------
    n_outputs : int
        Number of logits, one per class.
    n_pixels : int, default=None
        Pixels of a spectrum. The weights do not depend on it.
    n_channels : int, default=1
        Values per pixel of a spectrum (flux; flux and inverse variance; ...).
    image_shape : (int, int, int), default=None
        Channels, height and width of an image, instead of `n_pixels`. All kernels are then square.
    depth, width, stem, n_hidden
        As in `skspec.ResNet1DClassifier` and `skspec.ResNet2DClassifier`.
    n_scalars : int, default=0
        Number of scalar features per spectrum (a temperature, the mean flux, ...), concatenated before the last layer.

    Raises
    ------
    ValueError
        If `depth` or `stem` is unknown, or both or neither of `n_pixels` and `image_shape` are given.

    Notes
    -----
    In bottlenecks the convolution with kernel 3 is strided, as in torchvision; in the paper [1]_ it is the first one. All
    convolutions are padded, so spectra can have any number of pixels. Batch normalisation, however, takes its
    statistics over the batch and the remaining pixels, and cannot be trained on a single value: spectra of up to 32
    pixels (8 with the small stem) require batches of at least two.

    Layers are named as in torchvision, whose weights can be loaded (see `load_pretrained`). In evaluation mode, batch
    normalisation is merged into the convolutions.

    Published configurations:

    - joint MK classification [2]_: ``ResNet(n_pixels=2305, n_outputs=39, depth=50)``, 16,034,151 parameters;
    - Galaxy10 [3]_: ``ResNet(image_shape=(3, 224, 224), n_outputs=10, depth=18, n_hidden=1000)``, 11,699,522 parameters;
      with ``depth=50``, 25,567,042.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016,
       https://doi.org/10.1109/CVPR.2016.90
    .. [2] https://github.com/volgasezen/StellarClassification
    .. [3] https://github.com/ChenfaZheng/SDSSGalCat
    """

    def __init__(
        self,
        *,
        n_outputs: int,
        n_pixels: int | None = None,
        n_channels: int = 1,
        image_shape: Sequence[int] | None = None,
        depth: int = 18,
        width: int = 64,
        stem: str = "standard",
        n_hidden: int = 0,
        n_scalars: int = 0,
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {depth!r}")
        if stem not in STEMS:
            raise ValueError(f"stem must be one of {', '.join(STEMS)}, got {stem!r}")
        n_dims, n_channels, _ = input_shape(n_channels, n_pixels, image_shape)
        n_blocks, bottleneck = DEPTHS[depth]
        self.depth = depth
        self.n_scalars = n_scalars

        n_in = width
        if stem == "standard":
            margins = tuple(size // 2 for size in window(3, n_dims))
            self.conv1 = _convolution(n_channels, n_in, 7, stride=2, n_dims=n_dims)
            self.maxpool: nn.Module = nn.MaxPool2d(window(3, n_dims), window(2, n_dims), margins)
        else:
            self.conv1 = _convolution(n_channels, n_in, 3, n_dims=n_dims)
            self.maxpool = nn.Identity()
        self.bn1 = nn.BatchNorm2d(n_in)
        stages = []
        for n, (multiple, stride) in zip(n_blocks, _STAGES, strict=True):
            blocks = []
            for i in range(n):
                block_stride = stride if i == 0 else 1
                block = ResidualBlock(
                    n_in, multiple * width, block_stride, bottleneck=bottleneck, n_dims=n_dims
                )
                n_in = block.n_out
                blocks.append(block)
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(n_in, n_hidden) if n_hidden else None
        self.final_layer = nn.Linear((n_hidden or n_in) + n_scalars, n_outputs)

    def features(self, x: Tensor, scalars: Tensor | None = None) -> Tensor:
        """Return the activations before the last layer, shape (n, n_features), including the scalars as last columns.

        `x` has the shape (n, n_channels, n_pixels) or (n, channels, height, width). `scalars` has the shape
        (n, n_scalars), on a scale of about 1; another number of columns raises ValueError.
        """
        n_scalars = 0 if scalars is None else scalars.shape[1]
        if n_scalars != self.n_scalars:
            raise ValueError(f"scalars must have {self.n_scalars} columns, got {n_scalars}")
        x = torch.relu_(convolve_and_normalize(as_images(x), self.conv1, self.bn1))
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.maxpool(x)))))
        x = self.avgpool(x).flatten(1)
        if self.fc is not None:
            x = torch.relu_(self.fc(x))
        return x if scalars is None else torch.cat([x, scalars], dim=1)

    def forward(self, x: Tensor, scalars: Tensor | None = None) -> Tensor:
        """Return the logits, shape (n, n_outputs); `x` and `scalars` as in `features`."""
        return self.final_layer(self.features(x, scalars))

    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of a trained network, except those of its last layer.

        Parameters
        ----------
        weights : mapping of str to Tensor
            State of a torchvision ResNet, or of a `ResNet`, with the same depth, stem and channels. Its ``fc`` is loaded
            if this network has one (`n_hidden`); otherwise it is the last layer of torchvision's network, and ignored.

        Raises
        ------
        ValueError
            If a tensor is missing, has another shape, or does not belong to a layer of this network.
        """
        own = {
            name: tensor for name, tensor in self.state_dict().items() if not name.startswith("final_layer.")
        }
        dropped = ("final_layer.",) if self.fc is not None else ("final_layer.", "fc.")
        given = {name: tensor for name, tensor in weights.items() if not name.startswith(dropped)}
        # Files from before 2018 do not count batches, which has no effect with a fixed momentum.
        missing = [name for name in own if name not in given and not name.endswith(".num_batches_tracked")]
        extra = [name for name in given if name not in own]
        if missing:
            raise ValueError(f"pretrained weights lack {_listed(missing)} of this ResNet{self.depth}")
        if extra:
            raise ValueError(
                f"pretrained weights have {_listed(extra)}, which this ResNet{self.depth} does not have"
            )
        for name, tensor in given.items():
            if tensor.shape != own[name].shape:
                needed, found = tuple(own[name].shape), tuple(tensor.shape)
                raise ValueError(
                    f"pretrained weights must have {name} of shape {needed} for this ResNet{self.depth}, got {found}"
                )
        self.load_state_dict(given, strict=False)


class ResidualBlock(nn.Module):
    """Convolutions with a residual connection: two with kernel 3, or a bottleneck with kernels 1, 3 and 1.

    The convolutions have `width` channels, and so has the output, except that a bottleneck has four times as many. The
    first convolution with kernel 3 is strided. `n_dims` is 1 for spectra, as images of height 1, and 2 for images.
    """

    def __init__(self, n_in: int, width: int, stride: int, *, bottleneck: bool, n_dims: int) -> None:
        super().__init__()
        self.n_out = width * _BOTTLENECK_EXPANSION if bottleneck else width
        if bottleneck:
            self.conv1 = _convolution(n_in, width, 1, n_dims=n_dims)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = _convolution(width, width, 3, stride=stride, n_dims=n_dims)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3 = _convolution(width, self.n_out, 1, n_dims=n_dims)
            self.bn3 = nn.BatchNorm2d(self.n_out)
        else:
            self.conv1 = _convolution(n_in, width, 3, stride=stride, n_dims=n_dims)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = _convolution(width, width, 3, n_dims=n_dims)
            self.bn2 = nn.BatchNorm2d(width)
        self.bottleneck = bottleneck
        self.downsample = None
        if stride != 1 or n_in != self.n_out:
            self.downsample = nn.Sequential(
                _convolution(n_in, self.n_out, 1, stride=stride, n_dims=n_dims), nn.BatchNorm2d(self.n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map images of shape (n, n_in, height, width) to (n, n_out, height, width)."""
        out = torch.relu_(convolve_and_normalize(x, self.conv1, self.bn1))
        out = convolve_and_normalize(out, self.conv2, self.bn2)
        if self.bottleneck:
            out = convolve_and_normalize(torch.relu_(out), self.conv3, self.bn3)
        out += x if self.downsample is None else convolve_and_normalize(x, *self.downsample)
        return torch.relu_(out)


def _convolution(n_in: int, n_out: int, kernel_size: int, *, n_dims: int, stride: int = 1) -> Convolution:
    """Return a padded convolution to be followed by batch normalisation: He-initialised, without bias."""
    margin = kernel_size // 2
    layer = Convolution(n_in, n_out, kernel_size, n_dims=n_dims, stride=stride, padding=margin, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
