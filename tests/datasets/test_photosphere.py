"""Ionisation, excitation, opacity and structure, compared with closed forms and published values."""

import numpy as np
import pytest
from astropy import constants, units

from skspec.datasets._photosphere import _hydrogen, _opacity, _saha, _structure
from skspec.datasets._photosphere._elements import ELEMENTS, abundance, partition_function
from skspec.datasets._photosphere._metal_lines import FINE, MetalLines, read_lines
from skspec.datasets._photosphere._molecules import BANDS, Bands


def test_saha_equation_against_its_closed_form():
    temperature = np.array([4000.0, 9600.0, 25000.0])
    t = temperature * units.K
    thermal = (2 * np.pi * constants.m_e * constants.k_B * t / constants.h**2) ** 1.5
    boltzmann = np.exp(-(13.598 * units.eV / (constants.k_B * t)).to_value(""))
    closed = (thermal * constants.k_B * t * 2 * 1 / 2 * boltzmann).to_value("dyn / cm2")
    np.testing.assert_allclose(_saha.saha(temperature, 13.598, 1.0, 2.0), closed, rtol=2e-4)


def test_hydrogen_is_half_ionised_at_9600_kelvin():
    # Carroll & Ostlie (2007), An Introduction to Modern Astrophysics, figure 8.8: electron pressure 200 dyn cm-2
    temperature = np.linspace(7000.0, 13000.0, 601)
    ionised = _saha.ion_fractions("H", temperature, 200.0)[:, 1]
    assert np.interp(0.5, ionised, temperature) == pytest.approx(9600, abs=100)
    # and the second level is fullest near 9900 K, figure 8.9
    neutral = 1.0 - ionised
    second = neutral * np.exp(-10.199 / (8.617e-5 * temperature))
    assert temperature[np.argmax(second)] == pytest.approx(9900, abs=150)


def test_sun_ionises_calcium_but_not_hydrogen():
    # Carroll & Ostlie (2007), example 8.1.5: 5777 K and 15 dyn cm-2
    hydrogen, calcium = (_saha.ion_fractions(symbol, 5777.0, 15.0) for symbol in ("H", "Ca"))
    assert hydrogen[1] / hydrogen[0] == pytest.approx(7.7e-5, rel=0.02)
    assert calcium[1] / calcium[0] == pytest.approx(918, rel=0.15)  # other partition functions


@pytest.mark.parametrize("symbol", ELEMENTS)
def test_ion_fractions_sum_to_one_and_shift_with_temperature(symbol):
    temperature = np.geomspace(2500.0, 50000.0, 40)
    fractions = _saha.ion_fractions(symbol, temperature, 100.0)
    np.testing.assert_allclose(fractions.sum(axis=1), 1.0)
    charge = fractions @ np.arange(fractions.shape[1])
    assert (np.diff(charge) > -1e-3).all()
    assert all(
        (partition_function(symbol, stage, temperature) >= 1).all() for stage in range(fractions.shape[1])
    )


def test_molecules_conserve_atoms():
    temperature = np.geomspace(2000.0, 6000.0, 20)
    molecules = _saha.molecules_per_hydrogen(temperature, np.full(20, 0.1), np.full(20, 1e5), 0.0)
    assert (2 * molecules["H2"] <= 1).all()
    assert molecules["H2"][0] == pytest.approx(0.5, rel=0.01)
    assert molecules["CO"][0] == pytest.approx(abundance("C", 0.0), rel=0.01)
    assert (molecules["CO"] + molecules["H2O"] <= abundance("O", 0.0) * (1 + 1e-9)).all()
    assert (molecules["TiO"] <= abundance("Ti", 0.0)).all()
    for name in ("H2", "CO", "TiO", "VO"):
        assert (np.diff(molecules[name]) < 1e-12).all()


def test_dissociation_of_hydrogen_against_its_equilibrium_constant():
    # JANAF tables: Kp of H2 = 2 H is 0.0252 bar at 3000 K
    k = _saha.MOLECULES["H2"].equilibrium(np.array([3000.0]))[0]
    assert k / 1e6 == pytest.approx(0.0252, rel=0.2)


def test_oscillator_strengths_and_wavelengths_of_hydrogen():
    # Wiese & Fuhr (2009), J. Phys. Chem. Ref. Data 38, 565
    for lower, expected in {
        1: (0.41641,),
        2: (0.64108, 0.11938, 0.044694, 0.022105),
        3: (0.84254, 0.15067),
    }.items():
        upper = lower + 1 + np.arange(len(expected))
        np.testing.assert_allclose(_hydrogen.oscillator_strength(lower, upper), expected, rtol=2e-3)
    np.testing.assert_allclose(
        _hydrogen.line_wavelength(2, np.arange(3, 7)), [6564.61, 4862.68, 4341.68, 4102.89], atol=0.1
    )


def test_stark_profiles_are_normalised_and_widen_with_density():
    wave = 10.0 ** np.arange(3.75, 3.88, 5e-5)  # H alpha alone
    lines = _hydrogen.HydrogenLines(wave)
    expected = 8.8526e-21 * 0.6408 * 6564.7**2

    def profile(density):
        return lines.opacity(np.array([1.0, 0.0]), density, 20.0)

    for density, missing in ((1e11, 0.005), (1e13, 0.02), (1e15, 0.1)):  # far wings leave the window
        assert np.trapezoid(profile(density), wave) == pytest.approx(expected, rel=0.02 + missing)
    wing = np.argmin(np.abs(wave - 6600.0))
    assert profile(1e14)[wing] / profile(1e13)[wing] == pytest.approx(10.0, rel=0.05)  # F0^3/2 is the density


def test_merging_of_the_balmer_series():
    assert _opacity.series_merging(1e14) == pytest.approx(10 ** (9.26 / 7.5))
    survival = _opacity.level_survival(np.arange(2.0, 40.0), 1e14)
    assert survival[0] > 0.999
    assert survival[-1] < 1e-6
    assert (np.diff(survival) <= 0).all()


def test_continuous_opacity_has_its_known_limits():
    hot = _opacity.continuous_opacity(5000.0, 50000.0, 10.0, 10.0)  # nearly all of it free electrons
    assert hot == pytest.approx(0.6652e-24 * 1.1, rel=0.02)
    # the negative hydrogen ion is at its strongest at 8500 Å and least absorbing at 16,300 Å (Gray 2005, figure 8.3)
    wave = np.linspace(4000.0, 25000.0, 2101)
    opacity = _opacity.continuous_opacity(wave, 5500.0, 10.0, 1e5)
    assert wave[np.argmax(opacity[wave < 16000])] == pytest.approx(8500, abs=400)
    assert wave[np.argmin(np.where(wave < 20000, opacity, 1))] == pytest.approx(16300, abs=700)
    # bound-free edges: opacity jumps where level 2 begins to be ionised
    below, above = _opacity.continuous_opacity(np.array([3640.0, 3900.0]), 10000.0, 100.0, 2000.0)
    assert below > 5 * above


def test_photosphere_of_the_sun():
    # Holweger & Mueller (1974): T = 6040 K, log P_gas = 5.05, log P_e = 1.4 at optical depth 2/3
    layer = _structure.solve_layer(np.array([5777.0]), np.array([4.44]), np.array([0.0]), 2.0 / 3.0)
    assert layer.temperature[0] == pytest.approx(6000, abs=100)
    assert np.log10(layer.nuclei_pressure[0]) == pytest.approx(5.05, abs=0.2)
    assert np.log10(layer.electron_pressure[0]) == pytest.approx(1.4, abs=0.25)


def test_pressure_rises_with_gravity():
    logg = np.array([0.0, 1.5, 3.0, 4.5])
    for teff in (3500.0, 5800.0, 9500.0, 20000.0):
        layer = _structure.solve_layer(np.full(4, teff), logg, np.zeros(4), 0.2)
        assert (np.diff(np.log10(layer.electron_pressure)) > 0.3).all()


def test_line_list_has_the_textbook_lines():
    lines = read_lines()
    assert (np.diff(lines["wave"]) >= 0).all()
    assert set(lines["element"]) <= set(ELEMENTS)
    assert not lines.flags.writeable
    # vacuum wavelengths (Å), lower levels (eV) and log gf: NIST Atomic Spectra Database
    known = [
        (3934.78, "Ca", 2, 0.00, 0.14), (3969.59, "Ca", 2, 0.00, -0.18), (4227.92, "Ca", 1, 0.00, 0.24),
        (5891.58, "Na", 1, 0.00, 0.11), (5897.56, "Na", 1, 0.00, -0.19), (5185.05, "Mg", 1, 2.72, -0.17),
        (5174.13, "Mg", 1, 2.71, -0.39), (4384.78, "Fe", 1, 1.49, 0.20), (4046.96, "Fe", 1, 1.49, 0.28),
        (8544.44, "Ca", 2, 1.70, -0.46), (8664.52, "Ca", 2, 1.69, -0.72), (4078.86, "Sr", 2, 0.00, 0.15),
        (4472.73, "He", 1, 20.96, 0.05), (4687.02, "He", 2, 48.37, 1.18), (4482.39, "Mg", 2, 8.86, 0.99),
    ]  # fmt: skip
    for wave, element, spectrum, energy, log_gf in known:
        near = lines[
            (lines["element"] == element)
            & (lines["spectrum"] == spectrum)
            & (np.abs(lines["wave"] - wave) < 0.3)
        ]
        assert len(near), (element, wave)
        strongest = near[np.argmax(near["log_gf"])]
        assert strongest["energy"] == pytest.approx(energy, abs=0.02)
        assert strongest["log_gf"] == pytest.approx(log_gf, abs=0.3)


def test_opacity_of_a_weak_line_integrates_to_its_strength():
    start, step, n = np.log10(6707.0), 5e-5 / FINE, 80 * FINE
    lines = MetalLines(start, step, n)
    layer = _structure.solve_layer(np.array([5000.0]), np.array([3.0]), np.array([-1.5]), 0.2)
    populations = lines.populations(layer)
    cores, wings = lines.opacity(layer, 0, populations[0], 2.5)
    wave = 10.0 ** (start + step * np.arange(n))
    total = np.trapezoid(cores, wave) + np.trapezoid(np.repeat(wings, FINE), wave)

    table = read_lines()
    table = table[(table["wave"] > wave[0]) & (table["wave"] < wave[-1])]
    kt = 8.617333e-5 * layer.temperature[0]
    expected = 0.0
    for line in table:
        stage = int(line["spectrum"]) - 1
        symbol = str(line["element"])
        ions = _saha.ion_fractions(symbol, layer.temperature, layer.electron_pressure)[0, stage]
        level = ions * abundance(symbol, -1.5) * np.exp(-line["energy"] / kt)
        level /= partition_function(symbol, stage, layer.temperature[0])
        stimulated = 1.0 - np.exp(-12398.42 / line["wave"] / kt)
        expected += 8.8526e-21 * 10.0 ** line["log_gf"] * line["wave"] ** 2 * level * stimulated
    assert len(table)
    assert total == pytest.approx(expected / layer.rosseland[0], rel=0.05)


def test_bands_begin_at_their_heads():
    wave = 10.0 ** np.arange(3.55, 4.0, 2e-5)
    numbers = np.zeros(len(BANDS))
    numbers[list(BANDS).index("TiO")] = 1.0
    tio = Bands(wave).opacity(numbers)[1.0]
    for head in (4954.7, 5166.8, 7052.1):
        before, after = (tio[np.argmin(np.abs(wave - w))] for w in (head - 2.0, head + 2.0))
        assert after > 2 * before
