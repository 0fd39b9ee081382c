"""Transformers of spectra against plain numpy, scipy and scikit-learn code.

Command: ``python -m benchmarks.preprocessing [--quick] [--only NAME ...]``

10,000 spectra (--quick: 1,000) of 4,000 pixels on one log-linear grid, float32 with inverse variances: smooth continua
with absorption lines and noise; in one spectrum of ten, one pixel in twenty is missing. Each case times one transformer
on all of them. Slow loops run only on the first few spectra; times are per spectrum. All contenders of a
case take turns, round after round, in one process; the table gives the median time of a spectrum and the speed relative
to the first contender. Where both compute the same, results are compared before anything is timed.

Then the transformer is run on a memory-mapped file, and the peak memory of Python and numpy, result included, is printed
as a multiple of the input.

To add a case: write a function that takes the `Spectra` and returns a `Case`, and decorate it with ``@case``. Cases of
the continuum and of missing pixels are in ``_continuum_cases``, those of features in ``_feature_cases``.
"""

import argparse
import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.interpolate import interp1d
from scipy.signal import resample

from benchmarks import _continuum_cases, _feature_cases  # noqa: F401 - they register their cases
from benchmarks._harness import compare, machine
from benchmarks._transformer_cases import CASES, Case, case
from skspec import (
    FluxNormalizer,
    LogWaveResampler,
    ResolutionMatcher,
    Spectra,
)


def simulate(n_spectra, n_pixels=4000, seed=0):
    rng = np.random.default_rng(seed)
    wave = 10 ** (3.57 + 1e-4 * np.arange(n_pixels))
    x = np.linspace(-1, 1, n_pixels)
    flux = np.empty((n_spectra, n_pixels), np.float32)
    ivar = np.empty_like(flux)
    for k in range(n_spectra):
        continuum = 2.0 + rng.uniform(-1, 1) * x + rng.uniform(-0.5, 0.5) * x**2
        centre, depth = rng.uniform(-1, 1, 20), rng.uniform(0.1, 0.7, 20)
        for c, d in zip(centre, depth, strict=True):
            near = slice(*np.searchsorted(x, [c - 0.02, c + 0.02]))
            continuum[near] *= 1 - d * np.exp(-0.5 * ((x[near] - c) / 0.004) ** 2)
        flux[k] = continuum + 0.05 * rng.normal(size=n_pixels)
        ivar[k] = 400.0
        if k % 10 == 0:
            ivar[k, rng.random(n_pixels) < 0.05] = 0
    return Spectra(flux, wave=wave, ivar=ivar)


@case
def flux_normalizer(spectra):
    rows = np.asarray(spectra)
    ours = FluxNormalizer("median").fit(spectra)

    def plain():
        median = np.nanmedian(rows, axis=1, keepdims=True)
        return rows / median, spectra.ivar * median**2

    np.testing.assert_allclose(
        np.asarray(ours.transform(spectra[:20])), rows[:20] / np.nanmedian(rows[:20], 1)[:, None]
    )
    return Case(
        "FluxNormalizer, median",
        {
            "np.nanmedian": plain,
            "skspec FluxNormalizer": partial(ours.transform, spectra),
        },
        ours.transform,
        {},
    )


def filled(spectra):
    """Return the flux with missing pixels interpolated, for plain scipy."""
    rows = np.asarray(spectra).copy()
    pixels = np.arange(rows.shape[1])
    for row in rows:
        gap = np.isnan(row)
        row[gap] = np.interp(pixels[gap], pixels[~gap], row[~gap])
    return rows


@case
def resolution_matcher(spectra):
    bare = Spectra(filled(spectra), wave=spectra.wave)
    ours = ResolutionMatcher(2000.0, 1000.0, source_unit="R", target_unit="R").fit(spectra)
    sigma = np.sqrt(1000.0**-2 - 2000.0**-2) / np.sqrt(8 * np.log(2)) / (np.log(10) * 1e-4)
    smooth = partial(ndimage.gaussian_filter1d, bare.flux, sigma, axis=1)
    np.testing.assert_allclose(ours.transform(bare).flux[:20, 50:-50], smooth()[:20, 50:-50], atol=1e-3)
    return Case(
        "ResolutionMatcher, R = 2,000 to 1,000",
        {
            "scipy gaussian_filter1d, flux alone": smooth,
            "skspec ResolutionMatcher, flux alone": partial(ours.transform, bare),
            "skspec ResolutionMatcher, missing pixels and ivar": partial(ours.transform, spectra),
        },
        ours.transform,
        {},
    )


def boss_loop(flux, wave, n):
    points, rows = np.linspace(3.56, 4.01, len(wave)), []
    for row in flux[:n]:
        native = interp1d(np.log10(wave), row, kind="cubic", bounds_error=False, fill_value=0.0)(points)
        rows.append(resample(native, 433))
    return np.array(rows)


def quasarnet_loop(spectra, n, edges):
    n_bins, place, rows = len(edges) - 1, np.searchsorted(edges, spectra.wave, side="right") - 1, []
    inside = (place >= 0) & (place < len(edges) - 1)
    for flux, ivar in zip(spectra.flux[:n], spectra.ivar[:n], strict=True):
        weight = ivar[inside]
        total = np.bincount(place[inside], weight, n_bins)
        product = np.bincount(place[inside], np.where(weight > 0, flux[inside] * weight, 0), n_bins)
        rows.append(np.divide(product, total, out=np.zeros(n_bins), where=total > 0))
    return np.array(rows)


@case
def resampling_methods(spectra):
    few, flux, wave = 50, filled(spectra), spectra.wave
    bare = Spectra(flux, wave=wave)
    linear, cubic, fft, weighted = (
        LogWaveResampler(method, missing="zero", min_coverage=1e-3).fit(spectra)
        for method in ("linear", "cubic", "fft", "ivar_weighted")
    )
    np.testing.assert_allclose(fft.transform(bare[:3]), boss_loop(flux, wave, 3), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        weighted.transform(spectra[:3]), quasarnet_loop(spectra, 3, weighted.edges_), rtol=1e-5, atol=1e-5
    )
    return Case(
        "LogWaveResampler, other methods",
        {
            "interp1d and scipy.signal.resample": partial(boss_loop, flux, wave, few),
            "skspec, fft": partial(fft.transform, bare),
            "skspec, cubic": partial(cubic.transform, bare),
            "np.interp": lambda: np.array([np.interp(linear.wave_, wave, row) for row in flux]),
            "skspec, linear": partial(linear.transform, bare),
            "np.bincount": partial(quasarnet_loop, spectra, few, weighted.edges_),
            "skspec, ivar_weighted": partial(weighted.transform, spectra),
        },
        weighted.transform,
        {"interp1d and scipy.signal.resample": few, "np.bincount": few},
    )


def memory(transform, spectra):
    """Return the peak memory of `transform` on a memory-mapped copy of `spectra`, as a multiple of the input."""
    with tempfile.TemporaryDirectory() as folder:
        parts = {}
        for name in ("flux", "ivar"):
            path = Path(folder) / f"{name}.npy"
            np.save(path, getattr(spectra, name))
            parts[name] = np.load(path, mmap_mode="r")
        mapped = Spectra(parts["flux"], wave=spectra.wave, ivar=parts["ivar"])
        tracemalloc.start()
        transform(mapped)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / (parts["flux"].nbytes + parts["ivar"].nbytes)


def main(n_spectra=10_000, repeats=5, only=()):
    print(machine("scipy", "scikit-learn"))
    spectra = simulate(n_spectra)
    for name in only or CASES:
        this = CASES[name](spectra)
        compare(
            this.contenders,
            items={contender: this.items.get(contender, n_spectra) for contender in this.contenders},
            repeats=repeats,
            title=f"{this.title}: time a spectrum",
        )
        print(f"peak memory: {memory(this.transform, spectra):.2f} times the mapped input")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1,000 spectra, three rounds")
    parser.add_argument("--only", nargs="+", choices=CASES, default=())
    options = parser.parse_args()
    main(*((1000, 3) if options.quick else (10_000, 5)), only=options.only)
