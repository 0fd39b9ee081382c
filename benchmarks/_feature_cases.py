"""WienFitFeatures, FluxStatistics and LineIndices against loops over spectra."""

import contextlib
from functools import partial

import numpy as np
from scipy import stats
from scipy.optimize import curve_fit

from benchmarks._transformer_cases import Case, case
from skspec import FluxStatistics, LineIndices, Spectra, WienFitFeatures
from skspec.features._lick import LICK
from skspec.features._wien_solver import HC_OVER_K


def thermal(spectra):
    """Give the spectra continua of 3,000 to 15,000 K."""
    temperature = np.geomspace(3000.0, 15000.0, len(spectra))[:, None]
    step, flux = 500, np.empty_like(spectra.flux)
    for k in range(0, len(flux), step):
        rows = slice(k, k + step)
        shape = (5500.0 / spectra.wave) ** 5 * np.exp(
            (1 / 5500.0 - 1 / spectra.wave) * HC_OVER_K / temperature[rows]
        )
        flux[rows] = spectra.flux[rows] * shape
    return Spectra(flux, wave=spectra.wave, ivar=spectra.ivar)


def wien_loop(spectra, n):
    """Temperatures by `scipy.optimize.curve_fit`, NaN where it fails."""

    def model(wave, temperature, amplitude):
        return amplitude * (5500.0 / wave) ** 5 * np.exp((1 / 5500.0 - 1 / wave) * HC_OVER_K / temperature)

    temperatures = np.full(n, np.nan)
    for k in range(n):
        good = spectra.ivar[k] > 0
        flux, wave = spectra.flux[k][good].astype(float), spectra.wave[good]
        sigma = spectra.ivar[k][good].astype(float) ** -0.5
        with contextlib.suppress(RuntimeError):
            temperatures[k] = curve_fit(model, wave, flux, p0=(6000.0, flux.mean()), sigma=sigma)[0][0]
    return temperatures


@case
def wien_fit(spectra):
    spectra, few = thermal(spectra), 50
    exact = WienFitFeatures(features=["wien_temperature", "wien_amplitude"]).fit(spectra)
    closed = WienFitFeatures(method="log", features=["wien_temperature", "wien_amplitude"]).fit(spectra)
    offset = WienFitFeatures(offset=True).fit(spectra)
    loop = wien_loop(spectra, few)
    np.testing.assert_allclose(
        exact.transform(spectra[:few])[:, 0], loop, rtol=1e-4
    )  # its default tolerances
    return Case(
        "WienFitFeatures, weighted by ivar",
        {
            "scipy curve_fit": partial(wien_loop, spectra, few),
            "skspec, exact": partial(exact.transform, spectra),
            "skspec, exact with offset and χ²": partial(offset.transform, spectra),
            "skspec, closed form": partial(closed.transform, spectra),
        },
        exact.transform,
        {"scipy curve_fit": few},
    )


def statistics_loop(spectra, n):
    rows = []
    for k in range(n):
        good = spectra.ivar[k] > 0
        flux = spectra.flux[k][good].astype(float)
        rows.append(
            [
                *(flux.mean(), flux.std(), stats.skew(flux), stats.kurtosis(flux)),
                *np.quantile(flux, [0.05, 0.25, 0.5, 0.75, 0.95]),
                np.median(flux * np.sqrt(spectra.ivar[k][good])),
            ]
        )
    return np.array(rows)


@case
def flux_statistics(spectra):
    few = 200
    ours = FluxStatistics().fit(spectra)
    np.testing.assert_allclose(
        ours.transform(spectra[:few]), statistics_loop(spectra, few), rtol=1e-5, atol=1e-6
    )
    return Case(
        "FluxStatistics",
        {
            "numpy and scipy.stats": partial(statistics_loop, spectra, few),
            "skspec FluxStatistics": partial(ours.transform, spectra),
        },
        ours.transform,
        {"numpy and scipy.stats": few},
    )


def indices_loop(spectra, n):
    """Lick indices from the pixels with centres in a band, NaN where one of them is missing."""
    wave, out = spectra.wave, np.empty((n, len(LICK)))
    width = np.gradient(wave)
    for row, flux in enumerate(np.asarray(spectra[:n]).astype(float)):
        for k, (band, blue, red, kind) in enumerate(LICK.values()):
            inside, in_blue, in_red = ((wave >= low) & (wave < high) for low, high in (band, blue, red))
            middle = np.mean(blue), np.mean(red)
            level = [np.average(flux[part], weights=width[part]) for part in (in_blue, in_red)]
            ratio = flux[inside] / (
                level[0] + (level[1] - level[0]) * (wave[inside] - middle[0]) / (middle[1] - middle[0])
            )
            mean = np.average(ratio, weights=width[inside])
            out[row, k] = (band[1] - band[0]) * (1 - mean) if kind == "ew" else -2.5 * np.log10(mean)
    return out


@case
def line_indices(spectra):
    few = 50
    ours, errors = LineIndices().fit(spectra), LineIndices(errors=True).fit(spectra)
    np.testing.assert_allclose(
        ours.transform(spectra[1:2]), indices_loop(spectra[1:2], 1), atol=1.0
    )  # whole pixels
    return Case(
        "LineIndices, 25 of them",
        {
            "numpy, spectrum by spectrum": partial(indices_loop, spectra, few),
            "skspec LineIndices": partial(ours.transform, spectra),
            "skspec LineIndices, with errors": partial(errors.transform, spectra),
        },
        errors.transform,
        {"numpy, spectrum by spectrum": few},
    )
