"""Time of transformers on spectra with individual wavelength grids, compared with one common grid.

Command: ``python -m benchmarks.own_grids [--spectra N] [--only NAME ...]``

The same 1,000 spectra of about 4,000 pixels, float32 with inverse variances, in three layouts: on one common grid; cut
out of one log-linear lattice at different positions and lengths, like survey files; and on individual grids that share
no pixel, like survey spectra in the rest frame. In one spectrum of ten, one pixel in twenty is missing. All
layouts hold the same number of pixels. Each transformer works on the three in turn, round after round, in one process;
the table gives the median time of a spectrum and the ratio to that on the common grid.

Cut-outs of a lattice must stay below 1.5. So must grids of their own, except where something depends on the wavelengths
alone: it is then computed once for a common grid or a lattice, and once for each spectrum on its own grid. That is the
operator of `ResolutionMatcher`, by far the most expensive; the overlaps and places of pixels in the bins of
`LogWaveResampler` (``"flux_conserving"``, ``"linear"`` and ``"ivar_weighted"``) and the bands of `LineIndices`; the
basis functions of `ContinuumNormalizer`; and logarithms of wavelengths in slopes and Wien's law.
"""

import argparse
from functools import partial

import numpy as np

from benchmarks._harness import compare, machine
from benchmarks.preprocessing import simulate
from skspec import (
    ContinuumNormalizer,
    FluxNormalizer,
    FluxStatistics,
    LineIndices,
    LogWaveResampler,
    ResolutionMatcher,
    Spectra,
    WienFitFeatures,
)

N_PIXELS = 4000
COMMON, LATTICE, OWN = "one grid", "cut out of a lattice", "grids of their own"
TRANSFORMERS = {
    "FluxNormalizer": FluxNormalizer(),
    "FluxNormalizer, weighted": FluxNormalizer("snv", ivar_weighted=True),
    "ContinuumNormalizer, median": ContinuumNormalizer(),
    "ContinuumNormalizer, median in Å": ContinuumNormalizer(window=150.0, window_unit="angstrom"),
    "ContinuumNormalizer, polynomial": ContinuumNormalizer("polynomial"),
    "ContinuumNormalizer, spline": ContinuumNormalizer("spline"),
    "ContinuumNormalizer, als": ContinuumNormalizer("als"),
    "ResolutionMatcher": ResolutionMatcher(2000.0, 1000.0, source_unit="R", target_unit="R"),
    "LogWaveResampler, flux_conserving": LogWaveResampler(),
    "LogWaveResampler, linear": LogWaveResampler("linear"),
    "LogWaveResampler, cubic": LogWaveResampler("cubic"),
    "LogWaveResampler, fft": LogWaveResampler("fft"),
    "LogWaveResampler, ivar_weighted": LogWaveResampler("ivar_weighted"),
    "FluxStatistics": FluxStatistics(),
    "FluxStatistics, slopes": FluxStatistics(["slopes"], slope_bands=[(4000.0, 5000.0), (5000.0, 6000.0)]),
    "LineIndices": LineIndices(errors=True),
    "WienFitFeatures": WienFitFeatures(),
    "WienFitFeatures, closed form": WienFitFeatures(method="log"),
}


def layouts(n_spectra):
    """Return the same spectra on one grid, on cut-outs of a lattice and on individual grids."""
    common = simulate(n_spectra, N_PIXELS)
    rng = np.random.default_rng(1)
    lengths = N_PIXELS + rng.integers(-200, 200, n_spectra)
    starts = rng.integers(0, 200, n_spectra)
    lattice = 10 ** (np.log10(common.wave[0]) + 1e-4 * np.arange(-200, N_PIXELS + 600))
    waves = [lattice[k : k + length] for k, length in zip(starts, lengths, strict=True)]
    rows = [np.resize(row, length) for row, length in zip(common.flux, lengths, strict=True)]
    ivar = [np.resize(row, length) for row, length in zip(common.ivar, lengths, strict=True)]
    moved = [wave / (1 + z) for wave, z in zip(waves, rng.uniform(0, 0.02, n_spectra), strict=True)]
    return {
        COMMON: common,
        LATTICE: Spectra(rows, wave=waves, ivar=ivar),
        OWN: Spectra(rows, wave=moved, ivar=ivar),
    }


def main(n_spectra=1000, repeats=5, only=()):
    print(machine("scipy", "scikit-learn"))
    data = layouts(n_spectra)
    for name in only or TRANSFORMERS:
        transformer = TRANSFORMERS[name].fit(data[COMMON])
        compare(
            {layout: partial(transformer.transform, X) for layout, X in data.items()},
            repeats=repeats,
            items=n_spectra,
            title=f"{name}: time a spectrum",
            columns={"ratio": lambda layout, timings: f"{1 / timings[layout].ratio:.2f}"},
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--spectra", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=TRANSFORMERS, default=())
    options = parser.parse_args()
    main(options.spectra, only=options.only)
