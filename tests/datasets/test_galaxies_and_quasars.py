"""Simulated galaxies and quasars have the features used to classify them."""

import numpy as np
import pytest

from skspec.datasets import make_spectra
from skspec.datasets._galaxies import _line_fluxes, population_spectra
from skspec.datasets._photosphere._synthesis import WAVE


@pytest.fixture(scope="module")
def galaxies():
    return make_spectra(300, classes="GALAXY", repeats=0.0, ebv=0.0, noise=False, random_state=7)


@pytest.fixture(scope="module")
def quasars():
    return make_spectra(200, classes="QSO", repeats=0.0, ebv=0.0, noise=False, random_state=7)


def rest_mean(spectra, rows, low, high):
    """Return the mean flux between two rest wavelengths; NaN where not covered."""
    out = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        wave = spectra.wave / (1 + spectra.meta["z"][row])
        if wave[0] < low and high < wave[-1]:
            out[i] = spectra.flux[row][(low < wave) & (wave < high)].mean()
    return out


def line_flux(spectra, row, centre, half=14.0):
    """Return the rest-frame flux of an emission line above a linear continuum."""
    wave = spectra.wave / (1 + spectra.meta["z"][row])
    if not wave[0] + 60 < centre < wave[-1] - 60:
        return np.nan
    flux = spectra.flux[row].astype(float)
    line, beside = (
        np.abs(wave - centre) < half,
        (np.abs(wave - centre) > half + 4) & (np.abs(wave - centre) < half + 20),
    )
    fit = np.polynomial.Polynomial.fit(wave[beside], flux[beside], 1)
    return np.trapezoid(flux[line] - fit(wave[line]), wave[line])


def test_populations_redden_and_break_with_age():
    spectra = population_spectra().astype(float)
    blue, red = (
        (spectra[..., (a < WAVE) & (b > WAVE)]).mean(axis=-1) for a, b in ((3850, 3950), (4000, 4100))
    )
    d4000 = red / blue  # Balogh et al. (1999)
    assert (np.diff(d4000, axis=0) > 0).all()
    assert (d4000[:2] < 1.2).all()
    assert ((d4000[-1] > 1.4) & (d4000[-1] < 2.3)).all()
    assert (d4000[2:, 1] > d4000[2:, 0]).all()  # and with metallicity
    near_uv = spectra[..., (WAVE > 2700) & (WAVE < 2900)].mean(axis=-1)
    assert (np.diff(near_uv, axis=0) < 0).all()


def test_passive_galaxies_have_a_4000_break_and_star_forming_ones_emission_lines(galaxies):
    kind = np.asarray(galaxies.meta["subclass"])

    def strength(name):
        rows = np.flatnonzero(kind == name)
        return np.nanmedian(rest_mean(galaxies, rows, 4000, 4100) / rest_mean(galaxies, rows, 3850, 3950))

    assert 1.45 < strength("") < 2.3
    assert strength("STARBURST") < strength("STARFORMING") < strength("") - 0.1
    blue = [
        np.nanmedian(
            [
                line_flux(galaxies, row, 3728.5) / np.median(galaxies.flux[row])
                for row in np.flatnonzero(kind == name)
            ]
        )
        for name in ("", "STARFORMING", "STARBURST")
    ]
    assert blue == sorted(blue)
    assert blue[2] > 10


def test_ratios_of_emission_lines(galaxies):
    kind = np.asarray(galaxies.meta["subclass"])

    def ratio(name, line, other):
        rows = np.flatnonzero(kind == name)
        return np.array([line_flux(galaxies, row, line) / line_flux(galaxies, row, other) for row in rows])

    # fixed by atomic physics: [O III] 2.98; hydrogen in case B 2.86, more behind dust and over stellar absorption
    assert np.nanmedian(ratio("STARBURST", 5008.24, 4960.30)) == pytest.approx(2.98, rel=0.15)
    assert 2.86 < np.nanmedian(ratio("STARBURST", 6564.61, 4862.68)) < 10
    # the diagnostic diagram of Baldwin, Phillips & Terlevich (1981)
    assert np.nanmedian(ratio("AGN", 5008.24, 6564.61)) > 2 * np.nanmedian(
        ratio("STARFORMING", 5008.24, 6564.61)
    )


def test_lines_before_dust():
    rng = np.random.RandomState(0)
    kind = np.repeat([1, 2, 3], 100)
    lines = _line_fluxes(kind, np.full(300, 50.0), rng)
    np.testing.assert_allclose(lines[6564.61] / lines[4862.68], 2.86)
    np.testing.assert_allclose(lines[4341.68] / lines[4862.68], 0.468)
    np.testing.assert_allclose(lines[6585.27] / lines[6549.85], 3.05)
    log_nii = np.log10(lines[6585.27] / lines[6564.61])
    log_oiii = np.log10(lines[5008.24] / lines[4862.68])
    kauffmann = 0.61 / (log_nii - 0.05) + 1.3  # Kauffmann et al. (2003): star formation lies below
    below = (log_oiii < kauffmann) & (log_nii < 0.05)
    assert below[kind < 3].mean() > 0.95
    assert below[kind == 3].mean() < 0.05


def test_emission_lines_are_at_the_redshift(galaxies):
    for row in np.flatnonzero(np.asarray(galaxies.meta["subclass"]) == "STARBURST"):
        near = np.abs(galaxies.wave / (1 + galaxies.meta["z"][row]) - 5008.24) < 15
        peak = galaxies.wave[near][np.argmax(galaxies.flux[row][near])]
        assert peak / 5008.24 - 1 == pytest.approx(galaxies.meta["z"][row], abs=2.5e-4)


def test_quasars_have_broad_lines_at_their_redshift(quasars):
    for rest in (1549.1, 1905.0, 2798.8, 4862.7):
        rows = np.arange(len(quasars))
        line = rest_mean(quasars, rows, rest * 0.995, rest * 1.005)
        beside = 0.5 * (
            rest_mean(quasars, rows, rest * 0.945, rest * 0.955)
            + rest_mean(quasars, rows, rest * 1.045, rest * 1.055)
        )
        ratio = line / beside
        assert np.isfinite(ratio).sum() > 20
        assert np.nanmin(ratio) > 1.0
        assert 1.15 < np.nanmedian(ratio) < 6


def test_continuum_of_quasars_is_a_blue_power_law(quasars):
    low = np.flatnonzero((np.asarray(quasars.meta["z"]) > 0.75) & (np.asarray(quasars.meta["z"]) < 1.2))
    slope = np.log(rest_mean(quasars, low, 4150, 4250) / rest_mean(quasars, low, 2200, 2230)) / np.log(
        4200 / 2215
    )
    assert np.nanmedian(slope) == pytest.approx(-1.54, abs=0.25)  # Vanden Berk et al. (2001)
    assert np.nanstd(slope) == pytest.approx(0.3, abs=0.15)


def test_forest_thickens_with_redshift(quasars):
    z = np.asarray(quasars.meta["z"])
    rows = np.flatnonzero(z > 2.4)
    transmission = rest_mean(quasars, rows, 1070, 1160) / rest_mean(quasars, rows, 1280, 1290)
    near, far = transmission[z[rows] < 2.8], transmission[z[rows] > 3.2]
    assert np.nanmedian(far) < 0.85 * np.nanmedian(near)
    # more structure blueward of Lyman alpha than redward
    row = rows[np.argmax(z[rows])]
    wave = quasars.wave / (1 + z[row])
    roughness = [
        np.abs(np.diff(quasars.flux[row][(a < wave) & (wave < b)])).mean()
        for a, b in ((1050, 1150), (1320, 1380))
    ]
    assert roughness[0] > 10 * roughness[1]
