"""`ConvTran`, a convolutional transformer with absolute and relative position encodings."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from skspec.networks._layers import BernoulliDropout

RELATIVE_ENCODINGS = ("eRPE", None)
# One vector register of float32. Narrower heads are padded, because attention is slow on them.
_HEAD_WIDTH = 16


class ConvTran(nn.Module):
    """One layer of self-attention over the pixels of a spectrum, after a convolutional embedding.

    ============  ===========================================  =========================================
    layer         operation                                    output shape
    ============  ===========================================  =========================================
    embedding     for each channel: convolution (kernel        (n, n_pixels, n_channels, 4 · embed_dim)
                  ``kernel_size``, padded to the same length)
                  to ``4 · embed_dim`` maps, batch
                  normalisation, GELU
    mixing        linear over channels and maps to             (n, n_pixels, embed_dim)
                  ``embed_dim``, batch normalisation,
                  GELU: *x*
    position      *x* + tAPE, dropout                          (n, n_pixels, embed_dim)
    attention     softmax(Q Kᵀ / √embed_dim) V in ``n_heads``  (n, n_pixels, embed_dim)
                  heads [+ T V, eRPE], layer normalisation
    residual      *x* + attention, layer normalisation: *y*    (n, n_pixels, embed_dim)
    perceptron    linear to ``feedforward_dim``, ReLU,         (n, n_pixels, embed_dim)
                  dropout, linear, dropout; *y* + that, layer
                  normalisation
    head          mean over pixels                             (n, embed_dim)
    final_layer   linear                                       (n, n_outputs)
    ============  ===========================================  =========================================

    Parameters
    ----------
    n_pixels : int
        Pixels of a spectrum.
    n_outputs : int
        Number of logits, one per class.
    n_channels : int, default=1
        Values per pixel (flux; flux and inverse variance; ...).
    embed_dim, n_heads, feedforward_dim, kernel_size, relative_encoding, dropout
        As in `skspec.ConvTranClassifier`.

    Raises
    ------
    ValueError
        If `embed_dim` is not a multiple of `n_heads`, or `relative_encoding` is unknown.

    Notes
    -----
    As in the code of the authors [1]_, and unlike in most transformers, scores are scaled by the width of the embedding
    (not of a head), the residual connection around the attention has the embedding without its position, layer
    normalisation replaces the projection of the heads, and the relative position weights are added *after* the softmax.

    The last point makes eRPE inexpensive. One weight per distance gives a Toeplitz matrix, so its part of the attention
    is a convolution of the values, computed by FFT in O(n_pixels log n_pixels). The softmax part is fused attention. No
    n_pixels × n_pixels matrix is stored: training the configuration below in batches of 16 spectra takes 1 GB.

    Spectra can have any number of pixels: the embedding is padded, and there are no strides.

    The network for joint MK classification of 2305 pixels into 39 classes [2]_ has ``embed_dim=64, n_heads=16,
    relative_encoding=None`` and 67,687 parameters; with eRPE, 141,431.

    References
    ----------
    .. [1] N. M. Foumani, C. W. Tan, G. I. Webb, M. Salehi, "Improving position encoding of transformers for
       multivariate time series classification", Data Mining and Knowledge Discovery 38, 22-48 (2024),
       https://doi.org/10.1007/s10618-023-00948-2
    .. [2] https://github.com/volgasezen/StellarClassification
    """

    def __init__(
        self,
        n_pixels: int,
        n_outputs: int,
        *,
        n_channels: int = 1,
        embed_dim: int = 16,
        n_heads: int = 8,
        feedforward_dim: int = 256,
        kernel_size: int = 8,
        relative_encoding: str | None = "eRPE",
        dropout: float = 0.01,
    ) -> None:
        super().__init__()
        if relative_encoding not in RELATIVE_ENCODINGS:
            raise ValueError(f"relative_encoding must be 'eRPE' or None, got {relative_encoding!r}")
        if embed_dim % n_heads:
            raise ValueError(f"embed_dim must be a multiple of n_heads, got {embed_dim} for {n_heads} heads")
        self.embedding = _Embedding(n_channels, embed_dim, kernel_size)
        self.position = _TimeAbsolutePosition(n_pixels, embed_dim, dropout)
        self.attention = _Attention(n_pixels, embed_dim, n_heads, relative=relative_encoding == "eRPE")
        self.attention_norm = nn.LayerNorm(embed_dim)
        self.feedforward_norm = nn.LayerNorm(embed_dim)
        self.feedforward = nn.Sequential(
            nn.Linear(embed_dim, feedforward_dim),
            nn.ReLU(),
            BernoulliDropout(dropout),
            nn.Linear(feedforward_dim, embed_dim),
            BernoulliDropout(dropout),
        )
        self.final_layer = nn.Linear(embed_dim, n_outputs)

    def features(self, x: Tensor) -> Tensor:
        """Return the activations before the last layer, shape (n, embed_dim); `x` is (n, n_channels, n_pixels)."""
        x = self.embedding(x)
        x = self.attention_norm(x + self.attention(self.position(x)))
        x = self.feedforward_norm(x + self.feedforward(x))
        return x.mean(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, shape (n, n_outputs); `x` as in `features`."""
        return self.final_layer(self.features(x))


class _Embedding(nn.Module):
    """Embedding of pixels, from (n, n_channels, n_pixels) to (n, n_pixels, embed_dim).

    Both convolutions are computed as channels-last matrix products, the layout that attention needs; their modules only
    contain the weights.
    """

    def __init__(self, n_channels: int, embed_dim: int, kernel_size: int) -> None:
        super().__init__()
        self.spectral = nn.Conv2d(1, 4 * embed_dim, (1, kernel_size))
        self.spectral_norm = nn.BatchNorm1d(4 * embed_dim)
        self.mixing = nn.Conv2d(4 * embed_dim, embed_dim, (n_channels, 1))
        self.mixing_norm = nn.BatchNorm1d(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        n, _, n_pixels = x.shape
        kernel_size = self.spectral.kernel_size[1]
        padded = functional.pad(x, ((kernel_size - 1) // 2, kernel_size // 2))
        windows = padded.unfold(2, kernel_size, 1).transpose(1, 2).reshape(-1, kernel_size)
        maps = functional.linear(windows, self.spectral.weight.flatten(1), self.spectral.bias)
        maps = functional.gelu(self.spectral_norm(maps)).view(n * n_pixels, -1)
        weight = self.mixing.weight.squeeze(3).transpose(1, 2).flatten(1)
        mixed = functional.linear(maps, weight, self.mixing.bias)
        return functional.gelu(self.mixing_norm(mixed)).view(n, n_pixels, -1)


class _TimeAbsolutePosition(nn.Module):
    """tAPE: sine and cosine of pos · 10000^(-2i / embed_dim) · embed_dim / n_pixels, added; then dropout."""

    encoding: Tensor

    def __init__(self, n_pixels: int, embed_dim: int, dropout: float) -> None:
        super().__init__()
        even = torch.arange(0, embed_dim, 2, dtype=torch.float64)
        frequency = 10000 ** (-even / embed_dim) * embed_dim / n_pixels
        angle = torch.arange(n_pixels)[:, None] * frequency
        encoding = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :embed_dim]
        self.register_buffer("encoding", encoding.to(torch.get_default_dtype()))
        self.dropout = BernoulliDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(x + self.encoding)


class _Attention(nn.Module):
    """Self-attention with layer normalisation of the heads; input and output are (n, n_pixels, embed_dim)."""

    def __init__(self, n_pixels: int, embed_dim: int, n_heads: int, *, relative: bool) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.relative_table = nn.Parameter(torch.zeros(2 * n_pixels - 1, n_heads)) if relative else None
        self.key = nn.Linear(embed_dim, embed_dim, bias=False)
        self.value = nn.Linear(embed_dim, embed_dim, bias=False)
        self.query = nn.Linear(embed_dim, embed_dim, bias=False)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self._heads(layer(x)) for layer in (self.query, self.key, self.value))
        width = value.shape[3]
        missing = (0, max(_HEAD_WIDTH - width, 0))
        attended = functional.scaled_dot_product_attention(
            functional.pad(query, missing),
            functional.pad(key, missing),
            functional.pad(value, missing),
            scale=x.shape[2] ** -0.5,
        )[..., :width]
        if self.relative_table is not None:
            attended = attended + toeplitz_product(self.relative_table, value)
        return self.norm(attended.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.n_heads, -1)).transpose(1, 2)


def toeplitz_product(table: Tensor, value: Tensor) -> Tensor:
    """Multiply the values of each head, shape (n, n_heads, n_pixels, width), by a Toeplitz matrix.

    Entry ``i - j + n_pixels - 1`` of `table`, of shape (2 · n_pixels - 1, n_heads), is the element in row i and column j
    of the matrix of a head. The matrix is not stored.
    """
    n_pixels = value.shape[2]
    length = _fast_length(2 * n_pixels - 1)
    dtype = torch.promote_types(table.dtype, torch.float32)  # FFTs do not support bfloat16
    spectrum = torch.fft.rfft(value.to(dtype).transpose(2, 3), n=length)
    spectrum = spectrum * torch.fft.rfft(table.to(dtype).T, n=length)[:, None]
    # a period of 2 · n_pixels - 1 suffices: values that wrap around end before the rows that are kept
    product = torch.fft.irfft(spectrum, n=length)[..., n_pixels - 1 : 2 * n_pixels - 1]
    return product.transpose(2, 3).to(value.dtype)


def _fast_length(minimum: int) -> int:
    """Return the smallest length, at least `minimum`, without prime factors above 5."""
    length = minimum
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
