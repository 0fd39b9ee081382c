"""Rows, order and size of batches."""

import numpy as np
import pytest
import torch

from skspec.training.batching import Batches, Rows


def batches(n, size, generator=None):
    X = np.arange(n, dtype=np.float32)[:, None]
    return [b.X[:, 0].int().tolist() for b in Batches(Rows(X), size, generator=generator)]


@pytest.mark.parametrize(
    ("n", "size", "sizes"),
    [
        (6, 3, [3, 3]),
        (7, 3, [3, 4]),  # a batch of one is joined to the previous one
        (8, 3, [3, 3, 2]),
        (2, 5, [2]),
        (1, 5, [1]),
        (3, 1, [1, 2]),
    ],
)
def test_sizes(n, size, sizes):
    assert [len(b) for b in batches(n, size)] == sizes
    assert len(Batches(Rows(np.zeros((n, 1))), size)) == len(sizes)
    assert [row for b in batches(n, size) for row in b] == list(range(n))


def test_shuffled_anew_in_each_pass_from_the_generator():
    rows = Rows(np.arange(100, dtype=np.float32)[:, None])
    passes = Batches(rows, 32, generator=np.random.default_rng(5))
    first, second = (torch.cat([b.X for b in passes])[:, 0].int().tolist() for _ in range(2))
    expected = np.random.default_rng(5)
    assert first == expected.permutation(100).tolist()
    assert second == expected.permutation(100).tolist()


def test_rows_stay_together_with_labels_and_weights():
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    rows = Rows(X, np.arange(50), np.linspace(0, 1, 50, dtype=np.float32))
    for batch in Batches(rows, 8, generator=np.random.default_rng(0)):
        x, y = batch
        np.testing.assert_array_equal(x, X[y])
        np.testing.assert_array_equal(batch.weight, rows.weight[y])


def test_read_only_memory_map_is_used_in_place(tmp_path):
    np.save(tmp_path / "X.npy", np.ones((10, 4), np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    rows = Rows(X)
    assert np.shares_memory(rows.X, X)
    batch = next(iter(Batches(rows, 4)))
    batch.X.zero_()  # a batch is a copy
    assert X.min() == 1
