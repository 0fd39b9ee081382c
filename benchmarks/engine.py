"""Training time per epoch of skspec, of a bare loop over tensors, and of skorch.

Command: ``python -m benchmarks.engine [--quick] [--threads N]``

All train the same network from the same initial weights on 20,000 spectra of 433 pixels, in batches of 128 with AdamW:
first a very small network, for which overhead matters, then the default of `Conv1DClassifier`. The bare loop only
slices a shuffled tensor in memory and calls the fused optimiser. skspec and skorch train one epoch with
``partial_fit``, including all checks, standardisation, callbacks and history; a fit of one epoch also includes the work
that is done once per fit. skorch is run with its default and with the fused optimiser. The second table of each network
is for the prediction of all spectra.
"""

import argparse
from functools import partial

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn import functional

from benchmarks._harness import compare, machine
from skspec import Conv1DClassifier
from skspec.networks import Conv1D

BATCH = 128
N_PIXELS = 433


NETWORKS = {
    "a very small network": {"filters": (8, 8), "kernel_sizes": (5,), "batch_norm": False, "dropout": 0.0},
    "the default network": {},
}


def build(options):
    torch.manual_seed(0)
    return Conv1D(N_PIXELS, 7, **options)


class Spectrum(nn.Module):
    """The network for skorch, which adds the channel axis."""

    def __init__(self, options):
        super().__init__()
        self.network = build(options)

    def forward(self, X):
        return self.network(X[:, None])


def bare_epoch(model, optimizer, X, y):
    model.train()
    order = torch.randperm(len(X))
    for rows in order.split(BATCH):
        optimizer.zero_grad()
        functional.cross_entropy(model(X[rows][:, None]), y[rows]).backward()
        optimizer.step()


def bare_predict(model, X):
    model.eval()
    with torch.inference_mode():
        return torch.cat([model(part[:, None]) for part in X.split(BATCH)]).argmax(1).numpy()


def skorch_net(network, **options):
    return NeuralNetClassifier(
        Spectrum,
        module__options=network,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=3e-3,
        max_epochs=1,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        classes=np.arange(7),
        **options,
    )


def of_bare(name, timings):
    return f"{timings[name].median / timings['bare loop'].median:.2f}"


def main(*, n=20_000, repeats=5):
    print(machine("torch", "skorch"), f"({torch.get_num_threads()} threads)")
    rng = np.random.default_rng(0)
    y = np.arange(n) % 7
    X = rng.normal(size=(n, N_PIXELS)).astype(np.float32) + 0.2 * y[:, None].astype(np.float32)
    X_tensor, y_tensor = torch.from_numpy(X), torch.from_numpy(y)

    classes = np.arange(7)
    for name, options in NETWORKS.items():
        model = build(options)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
        ours, whole = (
            Conv1DClassifier(batch_size=BATCH, max_epochs=1, random_state=0, device="cpu", **options)
            for _ in range(2)
        )
        stock, fused = skorch_net(options), skorch_net(options, optimizer__fused=True)
        compare(
            {
                "bare loop": partial(bare_epoch, model, optimizer, X_tensor, y_tensor),
                "skspec": partial(ours.partial_fit, X, y, classes=classes),
                "skspec, fit of one epoch": partial(whole.fit, X, y),
                "skorch": partial(stock.partial_fit, X, y),
                "skorch, fused AdamW": partial(fused.partial_fit, X, y),
            },
            items=n,
            title=f"{name}, {n} spectra of {N_PIXELS} pixels, batches of {BATCH}: one epoch, time per spectrum",
            columns={"time/bare": of_bare},
            repeats=repeats,
        )
        compare(
            {
                "bare loop": partial(bare_predict, model, X_tensor),
                "skspec": partial(ours.predict, X),
                "skorch": partial(stock.predict, X),
            },
            items=n,
            title=f"{name}: prediction, time per spectrum",
            columns={"time/bare": of_bare},
            repeats=repeats,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the spectra, three repeats")
    parser.add_argument("--threads", type=int, help="number of CPU threads")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    main(**({"n": 4_000, "repeats": 3} if arguments.quick else {}))
