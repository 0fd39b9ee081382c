import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skspec.preprocessing._running import EDGES, running_quantile, windows_of_pixels, windows_of_wave

AS_NUMPY = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect"}


def brute_force(flux, windows, quantile, edge):
    """Sort the valid pixels of each window and take one."""
    pad = ((0, 0), (windows.before, windows.after))
    rows = (
        np.pad(flux, pad, constant_values=np.nan)
        if edge == "shrink"
        else np.pad(flux, pad, mode=AS_NUMPY[edge])
    )
    out = np.full(flux.shape, np.nan, flux.dtype)
    for k, row in enumerate(rows):
        for pixel, (low, high) in enumerate(zip(windows.low, windows.high, strict=True)):
            found = np.sort(row[low:high][~np.isnan(row[low:high])])
            if len(found):
                out[k, pixel] = found[min(int(quantile * len(found) + 1e-9), len(found) - 1)]
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("edge", ["nearest", "reflect", "mirror"])
@pytest.mark.parametrize("size", [1, 2, 7, 100, 101])
def test_median_equals_scipy(size, edge, dtype):
    flux = np.random.default_rng(0).normal(size=(5, 301)).astype(dtype)
    ours = running_quantile(flux, windows_of_pixels(301, size), 0.5, edge)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, ndimage.median_filter(flux, size=(1, size), mode=edge))


@pytest.mark.parametrize("percentile", [0, 5, 29, 90, 100])
def test_quantile_equals_scipy(percentile):
    flux = np.random.default_rng(0).normal(size=(3, 301))
    ours = running_quantile(flux, windows_of_pixels(301, 100), percentile / 100, "reflect")
    np.testing.assert_array_equal(
        ours, ndimage.percentile_filter(flux, percentile, size=(1, 100), mode="reflect")
    )


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_pixels=st.integers(1, 50),
    width=st.integers(1, 70),
    quantile=st.sampled_from([0.0, 0.1, 0.29, 0.5, 0.9, 1.0]),
    edge=st.sampled_from(EDGES),
    missing=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    unit=st.sampled_from(["pixel", "angstrom"]),
)
def test_equals_brute_force(*, seed, n_pixels, width, quantile, edge, missing, unit):
    rng = np.random.default_rng(seed)
    flux = rng.integers(-9, 9, (3, n_pixels)).astype(rng.choice([np.float32, np.float64]))  # with ties
    flux[rng.random(flux.shape) < missing] = np.nan
    wave = np.cumsum(rng.uniform(0.2, 2.0, n_pixels))
    windows = windows_of_pixels(n_pixels, width) if unit == "pixel" else windows_of_wave(wave, float(width))
    np.testing.assert_array_equal(
        running_quantile(flux, windows, quantile, edge), brute_force(flux, windows, quantile, edge)
    )


def test_windows_in_angstrom_reach_half_their_width():
    wave = 10 ** (3.6 + 1e-3 * np.arange(200))
    windows = windows_of_wave(wave, 60.0)
    flux = np.zeros((1, 200))
    inside = (wave > wave[0] + 30) & (wave < wave[-1] - 30)
    for k in np.flatnonzero(inside):
        assert windows.high[k] - windows.low[k] == np.count_nonzero(np.abs(wave - wave[k]) <= 30)
        flux[0, k] = wave[np.abs(wave - wave[k]) <= 30].max()
    out = running_quantile(wave[None], windows, 1.0, "nearest")
    np.testing.assert_array_equal(out[0, inside], flux[0, inside])


def test_windows_in_angstrom_on_a_linear_grid_are_windows_of_pixels():
    wave = np.arange(4000.0, 4100.0, 0.9)
    flux = np.random.default_rng(0).normal(size=(2, len(wave)))
    np.testing.assert_array_equal(
        running_quantile(flux, windows_of_wave(wave, 18.0), 0.5, "mirror"),
        running_quantile(flux, windows_of_pixels(len(wave), 21), 0.5, "mirror"),
    )
