"""`PlainCNN`, one stack of convolutions and pooling for spectra or images."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from skspec.networks._layers import (
    Convolution,
    PerceptronNetwork,
    as_images,
    convolved,
    flatten,
    for_each,
    input_shape,
    margins,
    window,
)

PADDINGS = ("valid", "same")


class PlainCNN(PerceptronNetwork):
    """Convolutions and pooling, followed by a perceptron, for spectra or images.

    ============  ==================================================  ===========================
    layer         operation                                           output shape (of spectra)
    ============  ==================================================  ===========================
    stack i       convolution (kernel ``kernel_sizes[i]``, stride     (n, filters[i], length_i)
                  ``strides[i]``) to ``filters[i]`` channels, ReLU,
                  maximum over each ``pooling[i]`` pixels
    flatten                                                           (n, filters[-1] · length)
    hidden m      dropout, linear, ReLU                               (n, hidden[m])
    final_layer   dropout, linear                                     (n, n_outputs)
    ============  ==================================================  ===========================

    Parameters
    ----------
    n_outputs : int
        Number of logits, one per class.
    n_pixels : int, default=None
        Pixels of a spectrum.
    n_channels : int, default=1
        Values per pixel of a spectrum (flux; flux and inverse variance; ...).
    image_shape : (int, int, int), default=None
        Channels, height and width of an image, instead of `n_pixels`. Kernels, strides and pooling are then square.
    filters, kernel_sizes, strides, pooling, hidden, dropout
        As in `skspec.PlainCNNClassifier`.
    padding : {"valid", "same"}, default="same"
        ``valid``: convolutions and pooling use complete windows only. ``same``: convolutions are padded with zeros evenly
        on both sides (an odd one at the end), and the last pooling window may be incomplete: the length is divided by
        strides and pooling, rounded up.

    Raises
    ------
    ValueError
        If `padding` is unknown, the lengths of `kernel_sizes`, `strides` or `pooling` and `filters` differ, or both or
        neither of `n_pixels` and `image_shape` are given.

    Notes
    -----
    Spectra can have any number of pixels: inputs shorter than a kernel are padded with zeros, evenly on both sides, to
    the length of the kernel, and inputs shorter than the pooling are pooled to one pixel.

    Published configurations:

    - BOSS classes [1]_: ``PlainCNN(n_pixels=433, n_outputs=13, filters=(100, 100, 100, 100),
      kernel_sizes=(14, 12, 10, 8), strides=2, padding="valid", pooling=1, hidden=(), dropout=0.5)``, 327,813 parameters;
    - LAMOST spectral types [2]_: ``PlainCNN(n_pixels=3500, n_outputs=7, filters=(10, 20, 40, 50),
      kernel_sizes=3, hidden=(11500,))``, 126,026,157 parameters. The published code treats the pixels as
      channels of a spectrum of length one, and therefore convolves nothing; here they are pixels;
    - Galaxy10 [3]_: ``PlainCNN(image_shape=(3, 69, 69), n_outputs=10, filters=(6, 16), padding="valid",
      hidden=(512, 84))``, 1,652,958 parameters.

    References
    ----------
    .. [1] https://github.com/ManuelSolimano/mqc-nets
    .. [2] https://github.com/william-lpa/LAMOST_DR6_CNN_Spectral_Classifier
    .. [3] https://github.com/ChenfaZheng/SDSSGalCat
    """

    def __init__(
        self,
        *,
        n_outputs: int,
        n_pixels: int | None = None,
        n_channels: int = 1,
        image_shape: Sequence[int] | None = None,
        filters: Sequence[int] = (16, 32, 64),
        kernel_sizes: int | Sequence[int] = 5,
        strides: int | Sequence[int] = 1,
        padding: str = "same",
        pooling: int | Sequence[int] = 2,
        hidden: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if padding not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {padding!r}")
        n_dims, n_channels, size = input_shape(n_channels, n_pixels, image_shape)
        same = padding == "same"
        layers: list[nn.Module] = []
        for n_filters, kernel_size, stride, pool in zip(
            filters,
            for_each(kernel_sizes, len(filters), "kernel_sizes"),
            for_each(strides, len(filters), "strides"),
            for_each(pooling, len(filters), "pooling"),
            strict=True,
        ):
            kernel, step = window(kernel_size, n_dims), window(stride, n_dims)
            axes = list(zip(size, kernel, step, strict=True))
            height, width = (margins(*axis, same=same) for axis in axes)
            if any(height + width):
                layers.append(nn.ZeroPad2d(width + height))
            layers.append(Convolution(n_channels, n_filters, kernel_size, n_dims=n_dims, stride=stride))
            layers.append(nn.ReLU(inplace=True))
            n_channels = n_filters
            size = [convolved(*axis, same=same) for axis in axes]
            if pool > 1:
                pooled = tuple(min(pool, length) for length in size)
                layers.append(nn.MaxPool2d(pooled, ceil_mode=same))
                size = [convolved(length, w, w, same=same) for length, w in zip(size, pooled, strict=True)]
        self.stack = nn.Sequential(*layers)
        self.add_perceptron(n_channels * prod(size), hidden, n_outputs, dropout)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations before the last layer, shape (n, n_features), of spectra or images."""
        return self.apply_hidden(flatten(self.stack(as_images(x))))
