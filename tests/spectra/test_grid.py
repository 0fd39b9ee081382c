import numpy as np
import pytest

from skspec.spectra import describe_grid, same_grid

WAVE = np.linspace(4000.0, 5000.0, 11)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (WAVE, True),
        (WAVE.astype(np.float32).astype(float) * (1 + 3e-7), True),
        (WAVE * (1 + 9e-7), True),
        (WAVE * (1 + 2e-6), False),
        (np.r_[WAVE[:-1], WAVE[-1] + 0.01], False),
        (WAVE[:-1], False),
        (WAVE[:1], False),
    ],
)
def test_same_grid(other, same):
    assert same_grid(WAVE, other) is same
    assert same_grid(other, WAVE) is same


def test_describe_grid():
    assert describe_grid(WAVE) == "11 pixels, 4000.00–5000.00 Å"
