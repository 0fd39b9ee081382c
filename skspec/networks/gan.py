"""Generators of spectra, and critics that distinguish generated from real spectra.

A generator maps random numbers (n, latent_dim) and class indices (n,) to spectra (n, n_channels, n_pixels). A critic maps
spectra and class indices to scores (n,), which are higher for spectra that look real. Spectra are standardised: about
mean 0 and variance 1 in each pixel.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm as normalize_spectrum

from skspec.networks._layers import BernoulliDropout, Convolution, as_images

_STEP = 4  # ratio of the lengths of neighbouring scales
_SLOPE = 0.2  # of LeakyReLU for negative values


class SpectrumGenerator(nn.Module):
    """Weighted sums of templates, refined by convolutions, plus noise.

    The weights of the templates are one of the anchors of the class, plus a linear map of random numbers, plus the output
    of a perceptron. Convolutions, from coarse to fine scales, add what a weighted sum cannot describe: lines that shift
    or change their shape. White noise is added last, with a σ for each pixel and a level for each spectrum.

    ============  =========================================================  ===================================
    layer         operation                                                  output shape
    ============  =========================================================  ===================================
    weights       a random anchor of the class ``+ scale[class] @ z``,       (n, latent_dim)
                  plus a perceptron with one hidden layer of that and
                  the class
    templates     weighted sum, plus their mean                              (n, n_channels · n_pixels)
    start         linear, of weights and class, LeakyReLU                    (n, filters[0], length_0)
    block i       linear interpolation to four times the length,             (n, filters[i], length_i)
                  convolution, LeakyReLU
    final_layer   convolution, added to the templates                        (n, n_channels, n_pixels)
    noise         σ of each pixel · exp(level of the spectrum) · N(0, 1)     (n, n_channels, n_pixels)
    ============  =========================================================  ===================================

    Parameters
    ----------
    n_pixels : int
        Pixels of a spectrum, any number.
    n_channels : int, default=1
        Values per pixel.
    n_classes : int, default=1
        Number of classes.
    latent_dim : int, default=32
        Random numbers per spectrum, and number of templates.
    filters : sequence of int, default=(64, 32, 16, 8)
        Channels from the coarsest to the finest scale.
    kernel_size : int, default=5
        Odd kernel size of the convolutions in pixels.

    Notes
    -----
    A new generator has one anchor, 0, and templates of 0, and perceptron and convolutions contribute 0. `start_from`
    turns it into a smoothed bootstrap in principal components, from which training starts. Training does not change
    anchors, templates and σ: thousands of parameters that each affect a single pixel would drift at random.
    """

    generator: torch.Generator | None = None  # of the random numbers in `forward`; None is torch's global one
    anchors: Tensor
    templates: Tensor
    mean: Tensor
    noise: Tensor
    first: Tensor
    counts: Tensor

    def __init__(
        self,
        n_pixels: int,
        *,
        n_channels: int = 1,
        n_classes: int = 1,
        latent_dim: int = 32,
        filters: Sequence[int] = (64, 32, 16, 8),
        kernel_size: int = 5,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.n_classes = n_classes
        self.shape = (n_channels, n_pixels)
        self.lengths = [n_pixels]
        for _ in filters[1:]:
            self.lengths.insert(0, -(-self.lengths[0] // _STEP))
        self.register_buffer("anchors", torch.zeros(1, latent_dim))
        self.register_buffer("first", torch.zeros(n_classes, dtype=torch.long))
        self.register_buffer("counts", torch.ones(n_classes, dtype=torch.long))
        self.scale = nn.Parameter(torch.eye(latent_dim).repeat(n_classes, 1, 1))
        self.bend = nn.Sequential(
            nn.Linear(latent_dim + n_classes, 4 * latent_dim),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(4 * latent_dim, latent_dim),
        )
        self.register_buffer("templates", torch.zeros(latent_dim, n_channels * n_pixels))
        self.register_buffer("mean", torch.zeros(n_channels * n_pixels))
        self.register_buffer("noise", torch.full((n_channels * n_pixels,), 0.1))
        self.start = nn.Linear(latent_dim + n_classes, filters[0] * self.lengths[0])
        margin = kernel_size // 2
        self.blocks = nn.ModuleList(
            Convolution(n_in, n_out, kernel_size, n_dims=1, padding=margin)
            for n_in, n_out in pairwise(filters)
        )
        self.final_layer = Convolution(filters[-1], n_channels, kernel_size, n_dims=1, padding=margin)
        self.level = nn.Linear(latent_dim, 1)
        for layer in (self.bend[-1], self.final_layer, self.level):
            assert isinstance(layer, nn.Linear | Convolution)
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    @torch.no_grad()
    def start_from(
        self,
        *,
        templates: Tensor,
        mean: Tensor,
        anchors: Tensor,
        counts: Tensor,
        scale: Tensor,
        noise: Tensor,
        spread: Tensor,
    ) -> None:
        """Set the model: ``mean + templates.T @ w[:-1] + exp(spread * w[-1]) * noise``, with w = anchor + scale @ z.

        Parameters
        ----------
        templates : Tensor of shape (n_templates, n_channels * n_pixels)
            Fewer than `latent_dim` templates.
        mean, noise : Tensor of shape (n_channels * n_pixels,)
            Mean, and σ of the white noise at level 0.
        anchors : Tensor of shape (n_anchors, n_templates + 1)
            Anchors, sorted by class. The last column is the level of the noise.
        counts : Tensor of shape (n_classes,)
            Number of anchors of each class.
        scale : Tensor of shape (n_classes, n_templates + 1, n_templates + 1)
        spread : Tensor of shape ()
            Standard deviation of the logarithm of the level.
        """
        k = len(templates)
        self.templates.zero_()
        self.templates[:k] = templates
        self.mean.copy_(mean)
        self.anchors = torch.zeros(len(anchors), self.latent_dim)
        self.anchors[:, : k + 1] = anchors
        self.counts.copy_(counts)
        self.first.copy_(torch.cumsum(self.counts, 0) - self.counts)
        self.scale[:, : k + 1, : k + 1] = scale
        self.noise.copy_(noise)
        self.level.weight[:, k] = spread

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return spectra (n, n_channels, n_pixels) for `z` (n, latent_dim) and `labels` (n,)."""
        classes = functional.one_hot(labels, self.n_classes).to(z.dtype)
        count = self.counts[labels]
        uniform = torch.rand(len(z), device=z.device, generator=self.generator)
        place = torch.minimum((uniform * count).long(), count - 1)
        weights = self.anchors[self.first[labels] + place] + torch.einsum("nij,nj->ni", self.scale[labels], z)
        weights = weights + self.bend(torch.cat([weights, classes], dim=1))
        x = self.start(torch.cat([weights, classes], dim=1)).unflatten(1, (-1, 1, self.lengths[0]))
        x = functional.leaky_relu(as_images(x), _SLOPE)
        for block, length in zip(self.blocks, self.lengths[1:], strict=True):
            x = functional.interpolate(x, size=(1, length), mode="bilinear", align_corners=False)
            x = functional.leaky_relu(block(x), _SLOPE)
        flux = self.mean + weights @ self.templates + self.final_layer(x).flatten(1)
        white = torch.randn(flux.shape, dtype=flux.dtype, device=flux.device, generator=self.generator)
        flux = flux + self.noise * self.level(weights).exp() * white
        return flux.unflatten(1, self.shape)


class SpectrumCritic(nn.Module):
    """Convolutions with stride 4, and a projection on the class.

    ============  ==================================================  ===================================
    layer         operation                                           output shape
    ============  ==================================================  ===================================
    stack i       convolution (stride 4), LeakyReLU                   (n, filters[i], length / 4^(i+1))
    variety       mean over features of their standard deviation      (n, n_features)
                  in the batch, as one more feature
    final_layer   linear, plus the scalar product with a vector of    (n,)
                  the class
    ============  ==================================================  ===================================

    Parameters
    ----------
    n_pixels, n_channels, n_classes
        As in `SpectrumGenerator`.
    filters : sequence of int, default=(16, 32, 64, 128)
        Channels after each convolution.
    kernel_size : int, default=9
        Odd kernel size of the convolutions in pixels.
    spectral_norm : bool, default=False
        Whether weights are divided by their largest singular value (Miyato et al. 2018, arXiv:1802.05957).

    Notes
    -----
    The variety in a batch detects mode collapse, a generator that always makes the same spectrum (Karras et al. 2018,
    arXiv:1710.10196). The projection follows Miyato and Koyama (2018, arXiv:1802.05637).
    """

    def __init__(
        self,
        n_pixels: int,
        *,
        n_channels: int = 1,
        n_classes: int = 1,
        filters: Sequence[int] = (16, 32, 64, 128),
        kernel_size: int = 9,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        length = n_pixels
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise([n_channels, *filters]):
            layers += [
                Convolution(n_in, n_out, kernel_size, n_dims=1, stride=_STEP, padding=kernel_size // 2),
                nn.LeakyReLU(_SLOPE),
            ]
            length = -(-length // _STEP)
        self.stack = nn.Sequential(*layers)
        n_features = filters[-1] * length + 1
        self.final_layer = nn.Linear(n_features, 1)
        self.embedding = nn.Embedding(n_classes, n_features)
        nn.init.zeros_(self.embedding.weight)
        if spectral_norm:
            # the spectral norm of zeros is 0
            nn.init.normal_(self.embedding.weight, std=0.01)
            for layer in self.modules():
                if isinstance(layer, Convolution | nn.Linear | nn.Embedding):
                    normalize_spectrum(layer)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the scores (n,) of spectra (n, n_channels, n_pixels) with `labels` (n,)."""
        features = self.stack(as_images(x)).flatten(1)
        variety = torch.sqrt(features.var(dim=0, correction=0) + 1e-8).mean()
        features = torch.cat([features, variety.expand(len(features), 1)], dim=1)
        return self.final_layer(features)[:, 0] + (self.embedding(labels) * features).sum(dim=1)


class DenseGenerator(nn.Module):
    """A perceptron from random numbers to spectra, as published for O stars of LAMOST [1]_.

    Linear layers with LeakyReLU, which follows batch normalisation in all but the first; the last layer is linear. For
    3500 pixels the default has 4,478,124 parameters.

    Parameters
    ----------
    n_pixels, n_channels, n_classes
        As in `SpectrumGenerator`. If there are several classes, the class is part of the input.
    latent_dim : int, default=900
        Random numbers per spectrum.
    hidden : sequence of int, default=(256, 512, 1024)
        Widths of the hidden layers.

    Notes
    -----
    The published generator ends in tanh, from -1 to 1, but is trained on spectra scaled to between 0 and 1. Here the
    last layer is linear, for standardised spectra.

    References
    ----------
    .. [1] https://github.com/william-lpa/LAMOST_DR6_CNN_Spectral_Classifier
    """

    def __init__(
        self,
        n_pixels: int,
        *,
        n_channels: int = 1,
        n_classes: int = 1,
        latent_dim: int = 900,
        hidden: Sequence[int] = (256, 512, 1024),
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.n_classes = n_classes
        self.shape = (n_channels, n_pixels)
        n_inputs = latent_dim + _n_class_inputs(n_classes)
        layers: list[nn.Module] = []
        for number, (n_in, n_out) in enumerate(pairwise([n_inputs, *hidden])):
            layers.append(nn.Linear(n_in, n_out))
            if number:
                layers.append(nn.BatchNorm1d(n_out))
            layers.append(nn.LeakyReLU(_SLOPE))
        self.hidden = nn.Sequential(*layers)
        self.final_layer = nn.Linear(hidden[-1] if hidden else n_inputs, n_channels * n_pixels)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return spectra (n, n_channels, n_pixels) for `z` (n, latent_dim) and `labels` (n,)."""
        return self.final_layer(self.hidden(_with_class(z, labels, self.n_classes))).unflatten(1, self.shape)


class DenseCritic(nn.Module):
    """A perceptron from spectra to a score, as published for O stars of LAMOST (see `DenseGenerator`).

    Linear layers with LeakyReLU and dropout. For 3500 pixels the default has 4,241,409 parameters.

    Parameters
    ----------
    n_pixels, n_channels, n_classes
        As in `DenseGenerator`.
    hidden : sequence of int, default=(1024, 512, 256)
        Widths of the hidden layers.
    dropout : float, default=0.3
        Dropout probability after each hidden layer in training.

    Notes
    -----
    The published critic ends in a sigmoid, but its loss treats the output as a logit. Here the last layer is linear, and
    its output is the logit.
    """

    def __init__(
        self,
        n_pixels: int,
        *,
        n_channels: int = 1,
        n_classes: int = 1,
        hidden: Sequence[int] = (1024, 512, 256),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        widths = [n_channels * n_pixels + _n_class_inputs(n_classes), *hidden]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(_SLOPE), BernoulliDropout(dropout)]
        self.hidden = nn.Sequential(*layers)
        self.final_layer = nn.Linear(widths[-1], 1)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the scores (n,) of spectra (n, n_channels, n_pixels) with `labels` (n,)."""
        return self.final_layer(self.hidden(_with_class(x.flatten(1), labels, self.n_classes)))[:, 0]


def _n_class_inputs(n_classes: int) -> int:
    return n_classes if n_classes > 1 else 0


def _with_class(x: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    """Append the one-hot class to the rows, if there are several classes."""
    if n_classes == 1:
        return x
    return torch.cat([x, functional.one_hot(labels, n_classes).to(x.dtype)], dim=1)
