"""Plain implementations of the published networks: channels first, float32, no fused operations.

`benchmarks.networks` compares with them. Parameters have the shapes and the order of the published code.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


class PlainConv1D(nn.Module):
    """Branches of convolutions, whose channels are flattened or maximised over, and a perceptron."""

    def __init__(self, n_pixels, n_outputs, *, filters, strides, head, hidden, kernel_sizes=(3, 5, 7)):
        super().__init__()
        self.head = head
        self.branches = nn.ModuleList()
        widths = [1, *filters]
        for kernel_size in kernel_sizes:
            layers = []
            for n_in, n_out, stride in zip(widths[:-1], widths[1:], strides, strict=True):
                layers += [nn.Conv1d(n_in, n_out, kernel_size, stride), nn.ReLU()]
            self.branches.append(nn.Sequential(*layers))
        with torch.no_grad():
            widths = [self.join(torch.zeros(1, 1, n_pixels)).shape[1], *hidden]
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.top = nn.Sequential(*layers, nn.Linear(widths[-1], n_outputs))

    def join(self, x):
        maps = [branch(x) for branch in self.branches]
        return torch.cat([y.amax(1) if self.head == "channel_max" else y.flatten(1) for y in maps], 1)

    def forward(self, x):
        return self.top(self.join(x))


class PlainResNet50(nn.Module):
    """ResNet-50 in one dimension: stem and 3, 4, 6, 3 bottlenecks."""

    def __init__(self, n_outputs):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(3, 2, 1)
        )
        blocks, n_in = [], 64
        for stage, depth in enumerate((3, 4, 6, 3)):
            for i in range(depth):
                width, stride = 64 * 2**stage, 2 if stage and not i else 1
                blocks.append(PlainBottleneck(n_in, width, stride))
                n_in = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Linear(n_in, n_outputs)

    def forward(self, x):
        return self.top(self.blocks(self.stem(x)).mean(2))


class PlainBottleneck(nn.Module):
    """Convolutions with kernels 1, 3 and 1, and a shortcut."""

    def __init__(self, n_in, width, stride):
        super().__init__()
        n_out = 4 * width
        self.residual = nn.Sequential(
            nn.Conv1d(n_in, width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, n_out, 1, bias=False),
            nn.BatchNorm1d(n_out),
        )
        self.shortcut = nn.Sequential()
        if n_in != n_out:
            self.shortcut = nn.Sequential(
                nn.Conv1d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm1d(n_out)
            )

    def forward(self, x):
        return functional.relu(self.residual(x) + self.shortcut(x))


class PlainConvTran(nn.Module):
    """Convolutional embedding, `PlainAttention` over pixels, perceptron, mean over pixels."""

    def __init__(self, n_pixels, n_outputs, *, embed_dim, n_heads, relative, feedforward_dim=256):
        super().__init__()
        self.embed = nn.Sequential(
            nn.ZeroPad2d((3, 4, 0, 0)),
            nn.Conv2d(1, 4 * embed_dim, (1, 8)),
            nn.BatchNorm2d(4 * embed_dim),
            nn.GELU(),
            nn.Conv2d(4 * embed_dim, embed_dim, (1, 1)),
            nn.BatchNorm2d(embed_dim),
            nn.GELU(),
        )
        position = torch.arange(n_pixels)[:, None]
        rate = 10000.0 ** (-torch.arange(0, embed_dim, 2) / embed_dim)
        encoding = torch.zeros(n_pixels, embed_dim)
        encoding[:, 0::2] = torch.sin(position * rate * embed_dim / n_pixels)
        encoding[:, 1::2] = torch.cos(position * rate * embed_dim / n_pixels)
        self.register_buffer("encoding", encoding)
        self.attention = PlainAttention(n_pixels, embed_dim, n_heads, relative)
        self.norm1 = nn.LayerNorm(embed_dim)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.feedforward = nn.Sequential(
            nn.Linear(embed_dim, feedforward_dim), nn.ReLU(), nn.Linear(feedforward_dim, embed_dim)
        )
        self.top = nn.Linear(embed_dim, n_outputs)

    def forward(self, x):
        x = self.embed(x[:, None]).squeeze(2).transpose(1, 2)
        x = self.norm1(x + self.attention(x + self.encoding))
        x = self.norm2(x + self.feedforward(x))
        return self.top(x.mean(1))


class PlainAttention(nn.Module):
    """Attention with an explicit matrix, to which the relative position weights are added."""

    def __init__(self, n_pixels, embed_dim, n_heads, relative):
        super().__init__()
        self.n_heads = n_heads
        self.table = nn.Parameter(torch.zeros(2 * n_pixels - 1, n_heads)) if relative else None
        if relative:
            index = torch.arange(n_pixels)[:, None] - torch.arange(n_pixels) + n_pixels - 1
            self.register_buffer("index", index.flatten()[:, None])
        self.key = nn.Linear(embed_dim, embed_dim, bias=False)
        self.value = nn.Linear(embed_dim, embed_dim, bias=False)
        self.query = nn.Linear(embed_dim, embed_dim, bias=False)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, x):
        n, length, width = x.shape
        query, key, value = (
            layer(x).reshape(n, length, self.n_heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        weights = torch.softmax(query @ key.transpose(2, 3) * width**-0.5, dim=-1)
        if self.table is not None:
            gathered = self.table.gather(0, self.index.repeat(1, self.n_heads))
            weights = weights + gathered.view(1, length, length, self.n_heads).permute(0, 3, 1, 2)
        return self.norm((weights @ value).transpose(1, 2).reshape(n, length, width))


class PlainConvKAN(nn.Module):
    """Layers of `PlainKANConv`, mean over pixels, linear layer."""

    def __init__(self, n_outputs, *, filters, strides):
        super().__init__()
        widths = [1, *filters]
        self.layers = nn.Sequential(*map(PlainKANConv, widths[:-1], widths[1:], strides))
        self.top = nn.Linear(widths[-1], n_outputs)

    def forward(self, x):
        return self.top(self.layers(x).mean(2))


class PlainKANConv(nn.Module):
    """Convolutions of GELU and of B-splines (Cox-de Boor recursion), instance normalisation, PReLU."""

    def __init__(self, n_in, n_out, stride, *, order=3, n_intervals=5):
        super().__init__()
        self.order = order
        self.base = nn.Conv1d(n_in, n_out, 3, stride, 1, bias=False)
        self.spline = nn.Conv1d(n_in * (n_intervals + order), n_out, 3, stride, 1, bias=False)
        self.norm = nn.InstanceNorm1d(n_out)
        self.activation = nn.PReLU()
        step = 2 / n_intervals
        self.register_buffer(
            "knots", torch.linspace(-1 - order * step, 1 + order * step, n_intervals + 2 * order + 1)
        )

    def bases(self, x):
        x, knots = x[..., None], self.knots
        bases = ((x >= knots[:-1]) & (x < knots[1:])).to(x.dtype)
        for k in range(1, self.order + 1):
            rising = (x - knots[: -k - 1]) / (knots[k:-1] - knots[: -k - 1])
            falling = (knots[k + 1 :] - x) / (knots[k + 1 :] - knots[1:-k])
            bases = rising * bases[..., :-1] + falling * bases[..., 1:]
        return bases.movedim(-1, 2).flatten(1, 2)

    def forward(self, x):
        return self.activation(self.norm(self.base(functional.gelu(x)) + self.spline(self.bases(x))))
