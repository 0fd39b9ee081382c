"""Lines of noise-free simulated stars vary along the MK sequence as in real stars."""

import numpy as np
import pytest

from skspec.datasets._photosphere._synthesis import WAVE
from tests.datasets._stars import (
    CA_I,
    CA_K,
    CA_TRIPLET,
    H_ALPHA,
    H_BETA,
    H_DELTA,
    HE_I,
    HE_II,
    equivalent_width,
    mk_spectra,
    tio_index,
)

SEQUENCE = [letter + str(n) for letter in "OBAFGKM" for n in range(10)][4:68]  # O4 to M7


def width(types, line, luminosity="V", **options):
    return equivalent_width(mk_spectra(types, luminosity, **options), *line)


@pytest.mark.parametrize("line", [H_ALPHA, H_BETA])
def test_balmer_lines_are_strongest_near_a0(line):
    strength = dict(zip(SEQUENCE, width(SEQUENCE, line), strict=True))
    strongest = max((t for t in SEQUENCE if t[0] in "OBAFGK"), key=strength.__getitem__)
    assert strongest in {"B9", "A0", "A1", "A2", "A3"}  # 8500 to 10,700 K
    assert 5 < strength["A0"] < 14  # Å
    for weak in ("O5", "G2", "K5"):
        assert strength[weak] < 0.35 * strength["A0"]


def test_balmer_series_of_an_a_star_converges_to_its_limit():
    flux = mk_spectra(["A0"])[0]
    below, above = flux[(WAVE > 3500) & (WAVE < 3640)].mean(), flux[(WAVE > 4000) & (WAVE < 4060)].mean()
    assert 0.25 < below / above < 0.6  # Balmer jump, 0.5 mag and more
    # H9 to H14 are separate, higher lines merge
    for centre, gap in ((3836.5, 3862.0), (3798.9, 3816.0), (3771.7, 3784.0), (3751.2, 3761.0)):
        at, between = (flux[np.argmin(np.abs(WAVE - w))] for w in (centre, gap))
        assert at < 0.9 * between
    merged = flux[(WAVE > 3655) & (WAVE < 3670)]
    assert np.ptp(merged) / merged.mean() < 0.1


def test_neutral_helium_only_in_o_and_b():
    strength = dict(zip(SEQUENCE, width(SEQUENCE, HE_I), strict=True))
    assert all(strength[t] > 0.1 for t in SEQUENCE if t[0] == "O" or (t[0] == "B" and t < "B8"))
    assert all(strength[t] < 0.1 for t in SEQUENCE if t[0] in "AFGKM" or t == "B9")
    assert max(strength, key=strength.__getitem__) in {"B1", "B2", "B3", "B4"}


def test_ionised_helium_only_in_o():
    types = [t for t in SEQUENCE if t[0] in "OBAF"]  # Ti I has a line at the same wavelength in cool stars
    strength = dict(zip(types, width(types, HE_II), strict=True))
    assert all(strength[t] > 0.1 for t in types if t[0] == "O")
    assert strength["O5"] > 2 * strength["O9"]
    assert all(strength[t] < 0.05 for t in types if t[0] in "AF" or (t[0] == "B" and t > "B0"))


def test_titanium_oxide_only_in_m_and_late_k():
    for luminosity in ("V", "III", "I"):
        index = dict(zip(SEQUENCE, tio_index(mk_spectra(SEQUENCE, luminosity)), strict=True))
        assert all(index[t] > 0.95 for t in SEQUENCE if t[0] in "OBAFG" or t in {"K0", "K1", "K2", "K3"})
        m_stars = [index[f"M{n}"] for n in range(8)]
        assert m_stars[0] < 0.9
        assert (np.diff(m_stars) < 0.02).all()
        assert m_stars[-1] < 0.7


def test_calcium_k_over_h_delta_grows_from_a_to_g():
    types = [t for t in SEQUENCE if t[0] in "AFG"]
    for luminosity in ("V", "III"):
        flux = mk_spectra(types, luminosity)
        ratio = equivalent_width(flux, *CA_K) / equivalent_width(flux, *H_DELTA)
        assert (np.diff(ratio) > 0).all()
        at = dict(zip(types, ratio, strict=True))
        assert at["A0"] < 0.3
        assert 0.4 < at["A8"] < at["F2"] < 4
        assert at["G8"] > 5


def test_gravity_widens_hydrogen_lines_of_a_stars():
    dwarf, giant, supergiant = (width(["A0", "A2"], H_BETA, lum) for lum in ("V", "III", "I"))
    assert (dwarf > 1.1 * giant).all()
    assert (giant > 1.4 * supergiant).all()

    def half_width(luminosity):  # half of the depth at line centre, as Å from the centre
        flux = mk_spectra(["A0"], luminosity)[0]
        inside = np.abs(WAVE - 4862.7) < 60
        wave, f = (
            WAVE[inside],
            flux[inside] / np.interp(WAVE[inside], [4780, 4940], flux[np.searchsorted(WAVE, [4780, 4940])]),
        )
        return np.ptp(wave[f < (1 + f.min()) / 2]) / 2

    assert half_width("V") > 1.8 * half_width("I")


def test_luminosity_strengthens_the_calcium_triplet_and_weakens_calcium_4227():
    for kind in ("G5", "K0", "K2"):
        triplet = [width([kind], CA_TRIPLET, lum)[0] for lum in ("V", "III", "I")]
        resonance = [width([kind], CA_I, lum)[0] for lum in ("V", "III", "I")]
        assert triplet[2] > 1.2 * triplet[1] > 0
        assert triplet[1] > 0.97 * triplet[0]
        assert resonance[0] > resonance[1] > resonance[2]


@pytest.mark.parametrize("kind", ["F5", "G2", "K2"])
def test_metal_lines_follow_metallicity(kind):
    iron = ((5255, 5285), (5235, 5250), (5290, 5315))  # the Fe I lines at 5270 Å
    strengths = [width([kind], iron, feh=feh)[0] for feh in (-2.0, -1.0, -0.5, 0.0, 0.3)]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.4 * strengths[3]


def test_colours_redden_along_the_sequence():
    flux = mk_spectra(SEQUENCE)
    blue, red = ((flux[:, (a < WAVE) & (b > WAVE)]).mean(axis=1) for a, b in ((4000, 4900), (6000, 6900)))
    assert (np.diff(blue / red)[: SEQUENCE.index("M4")] < 0.02).all()
