"""Flux-conserving resampling of survey spectra onto 433 log-linear bins.

Command: ``python -m benchmarks.resample [--spectra N]``

2,000 spectra of about 4,000 pixels in three layouts: one common grid; individual grids, cut from the log-linear lattice
of the survey at random positions and lengths, like SDSS, BOSS and LAMOST files; and individual grids in the rest frame,
where no two spectra share a pixel.

Each contender resamples all of them, or the first few if it is slow; times are per spectrum. All take turns, round
after round, in one process; the table gives the median time of a spectrum and the speed relative to specutils'
FluxConservingResampler on the same input, with and without inverse variances. Before anything is timed, results are
compared with specutils'.
"""

import argparse
import warnings
from functools import partial

import numpy as np
from astropy import units as u
from astropy.nddata import InverseVariance
from spectres import spectres
from specutils import Spectrum
from specutils.manipulation import FluxConservingResampler

from benchmarks._harness import compare, machine
from skspec import LogWaveResampler, Spectra

COMMON, LATTICE, REST_FRAME = (
    "on one grid",
    "each on its own cut of a lattice",
    "each on its own rest-frame grid",
)


def simulate(n_spectra, layout, seed=0):
    rng = np.random.default_rng(seed)
    lattice = 10 ** (3.5 + 1e-4 * np.arange(6000))
    if layout == COMMON:
        wave = lattice[600:4600]
        flux = rng.uniform(1, 2, (n_spectra, len(wave)))
        return Spectra(flux, wave=wave, ivar=rng.uniform(1, 2, flux.shape))
    wave, flux, ivar = [], [], []
    for _ in range(n_spectra):
        start, length = rng.integers(400, 800), rng.integers(3800, 4200)
        redshift = 0.0 if layout == LATTICE else rng.uniform(0, 0.05)
        wave.append(lattice[start : start + length] / (1 + redshift))
        flux.append(rng.uniform(1, 2, length))
        ivar.append(rng.uniform(1, 2, length))
    return Spectra(flux, wave=wave, ivar=ivar)


def without_ivar(spectra):
    return Spectra(spectra.flux, wave=spectra.wave)


def rows(spectra, n):
    """Return flux, wave and ivar of the first spectra as arrays."""
    waves = [spectra.wave] * n if spectra.is_common_grid else spectra.wave[:n]
    return list(zip(spectra.flux[:n], waves, spectra.ivar[:n], strict=True))


def specutils_loop(spectra, grid, n, *, with_ivar):
    resampler = FluxConservingResampler(extrapolation_treatment="nan_fill")
    items = [
        Spectrum(
            flux=flux * u.one,
            spectral_axis=wave * u.AA,
            uncertainty=InverseVariance(ivar) if with_ivar else None,
        )
        for flux, wave, ivar in rows(spectra, n)
    ]
    target = grid * u.AA
    return lambda: [resampler(item, target) for item in items]


def spectres_loop(spectra, grid, n):
    items = rows(spectra, n)
    return lambda: [spectres(grid, wave, flux, fill=np.nan, verbose=False) for flux, wave, _ in items]


def interp_loop(spectra, grid, n):
    items = rows(spectra, n)
    return lambda: np.array([np.interp(grid, wave, flux) for flux, wave, _ in items])


def check(spectra):
    """Compare with specutils, whose bin edges, halfway between centres, are off by 3e-4 of a logarithmic bin."""
    resampler = LogWaveResampler(min_coverage=1.0).fit(spectra)
    ours = resampler.resample(spectra[:3])
    for k, theirs in enumerate(specutils_loop(spectra, resampler.wave_, 3, with_ivar=True)()):
        inside = np.isfinite(theirs.flux.value) & np.isfinite(ours.flux[k])
        np.testing.assert_allclose(ours.flux[k][inside], theirs.flux.value[inside], rtol=1e-3)
        np.testing.assert_allclose(ours.ivar[k][inside], theirs.uncertainty.array[inside], rtol=2e-3)


def main(n_spectra=2000, repeats=7, slow=20):
    print(machine())
    for layout in (COMMON, LATTICE, REST_FRAME):
        spectra = simulate(n_spectra, layout)
        bare = without_ivar(spectra)
        resampler = LogWaveResampler().fit(spectra)
        grid = resampler.wave_
        check(spectra)
        title = f"{n_spectra} spectra {layout} to {len(grid)} bins, time a spectrum"
        compare(
            {
                "specutils FluxConservingResampler": specutils_loop(spectra, grid, slow, with_ivar=False),
                "SpectRes": spectres_loop(spectra, grid, slow),
                "np.interp (conserves nothing)": interp_loop(spectra, grid, n_spectra),
                "skspec LogWaveResampler": partial(resampler.transform, bare),
            },
            items={
                "specutils FluxConservingResampler": slow,
                "SpectRes": slow,
                "np.interp (conserves nothing)": n_spectra,
                "skspec LogWaveResampler": n_spectra,
            },
            repeats=repeats,
            baseline="specutils FluxConservingResampler",
            title=title,
        )
        compare(
            {
                "specutils FluxConservingResampler": specutils_loop(spectra, grid, slow, with_ivar=True),
                "skspec LogWaveResampler": partial(resampler.resample, spectra),
            },
            items={"specutils FluxConservingResampler": slow, "skspec LogWaveResampler": n_spectra},
            repeats=repeats,
            baseline="specutils FluxConservingResampler",
            title=title + ", with inverse variance",
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--spectra", type=int, default=2000)
    warnings.simplefilter("ignore")  # specutils warns about bins that no pixel covers
    main(parser.parse_args().spectra)
