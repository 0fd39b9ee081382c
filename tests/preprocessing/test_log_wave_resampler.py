from itertools import pairwise

import numpy as np
import pytest
from astropy import units as u

from skspec import LogWaveResampler, Spectra
from skspec.preprocessing._overlap import overlap
from skspec.spectra import blocks, pixel_edges
from tests._data import data_path

EDGES = 10 ** np.linspace(3.56, 4.01, 434)


def overlap_integral(flux, wave, ivar, edges):
    """Flux, inverse variance and coverage of each bin, pixel by pixel, in float64."""
    pixels = pixel_edges(wave)
    good = np.isfinite(flux) & (ivar > 0)
    out = []
    for low, high in pairwise(edges):
        total = total2 = covered = 0.0
        for k in np.flatnonzero(good & (pixels[1:] > low) & (pixels[:-1] < high)):
            overlap = min(pixels[k + 1], high) - max(pixels[k], low)
            total += overlap * flux[k]
            total2 += overlap**2 / ivar[k]
            covered += overlap
        out.append(
            (total / covered, covered**2 / total2, covered / (high - low)) if covered else (np.nan, 0.0, 0.0)
        )
    return np.array(out).T


GRIDS = {
    "log": lambda rng: 10 ** (3.58 + 0.01 * rng.random() + 3e-4 * np.arange(rng.integers(1000, 1300))),
    "one lattice": lambda rng: 10 ** (3.5 + 3e-4 * (rng.integers(100) + np.arange(rng.integers(1000, 1300)))),
    "linear": lambda rng: np.linspace(3700.0, 9000.0 + rng.random(), rng.integers(1000, 1300)),
    "irregular": lambda rng: np.sort(rng.uniform(3000.0, 11000.0, 900)),
    "coarser than the bins": lambda rng: np.linspace(3000.0, 11000.0, 40 + rng.integers(5)),
    "aligned with the bins": lambda rng: np.sqrt(EDGES[1:] * EDGES[:-1]),
}


def draw(kind, rng, gaps):
    wave = GRIDS[kind](rng)
    flux, ivar = rng.normal(1.0, 1.0, len(wave)), rng.uniform(0.1, 1.1, len(wave))
    if gaps:
        flux[rng.integers(0, len(wave), 5)] = np.nan
        ivar[3:9] = 0.0
    return flux, wave, ivar


def resample(flux, wave, ivar, edges, *, on_lattice=False):
    """Resample in the type of `flux`, which `Spectra` would make float32."""
    spectra = Spectra(flux, wave=wave)
    assert (spectra.lattice is not None) == on_lattice
    if spectra.is_common_grid:
        flux, ivar = np.array(flux), np.array(ivar)
    [block] = blocks(spectra.replace(flux=flux, ivar=ivar))
    return overlap(block, edges)


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_equals_the_overlap_integral(kind, gaps, dtype, tolerance):
    rng = np.random.default_rng(7)
    rows = [draw(kind, rng, gaps) for _ in range(3)]
    flux, ivar = [f.astype(dtype) for f, _, _ in rows], [i.astype(dtype) for _, _, i in rows]
    wave = [w for _, w, _ in rows]
    [block] = blocks(Spectra(flux, wave=wave).replace(flux=flux, wave=wave, ivar=ivar))  # without a lattice
    own = overlap(block, EDGES)
    survey = resample(flux, wave, ivar, EDGES, on_lattice=kind == "one lattice")
    for k in range(3):
        truth = overlap_integral(flux[k].astype(float), wave[k], ivar[k].astype(float), EDGES)
        common = resample(flux[k][None], wave[k], ivar[k][None], EDGES)
        touched = truth[2] > 1e-3  # below, the ratio of two slivers is all rounding
        for got in ([a[k] for a in own], [a[k] for a in survey], [a[0] for a in common]):
            for ours, true in zip(got, truth, strict=True):
                assert ours.dtype == dtype
                # Sums of signed flux round by the size of their terms, which is one.
                np.testing.assert_allclose(ours[touched], true[touched], rtol=tolerance, atol=2 * tolerance)
            assert np.isnan(got[0][truth[2] == 0]).all()
            assert (got[1][truth[2] == 0] == 0).all()


def test_total_flux_is_conserved():
    rng = np.random.default_rng(0)
    wave = 10 ** (3.5 + 1e-4 * np.arange(5500))
    flux = rng.lognormal(0, 1, (4, 5500))
    resampler = LogWaveResampler(wave=wave).fit(flux)
    out = resampler.transform(flux)
    pixels = pixel_edges(wave)
    overlap = np.clip(np.minimum(pixels[1:], EDGES[-1]) - np.maximum(pixels[:-1], EDGES[0]), 0, None)
    np.testing.assert_allclose((out * np.diff(resampler.edges_)).sum(axis=1), flux @ overlap, rtol=1e-12)


@pytest.mark.parametrize("with_ivar", [False, True])
def test_agrees_with_specutils(with_ivar):
    # Before 2.4, specutils summed variances without the overlaps.
    specutils = pytest.importorskip("specutils", minversion="2.4" if with_ivar else None)
    from astropy.nddata import InverseVariance
    from specutils.manipulation import FluxConservingResampler

    rng = np.random.default_rng(3)
    wave = np.linspace(3500.0, 10500.0, 4000)
    flux, ivar = rng.uniform(1, 2, (1, 4000)), rng.uniform(1, 2, (1, 4000))
    # specutils takes bin edges halfway between centres: give ours the same bins.
    centres = 10 ** np.linspace(3.6, 3.99, 200)
    middle = 0.5 * (centres[1:] + centres[:-1])
    edges = np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
    ours = resample(flux, wave, ivar, edges)
    theirs = FluxConservingResampler()(
        specutils.Spectrum(
            spectral_axis=wave * u.AA,
            flux=flux[0] * u.one,
            uncertainty=InverseVariance(ivar[0]) if with_ivar else None,
        ),
        centres * u.AA,
    )
    np.testing.assert_allclose(ours.flux[0], theirs.flux.value, rtol=1e-12)
    if with_ivar:
        np.testing.assert_allclose(ours.ivar[0], theirs.uncertainty.array, rtol=1e-12)


def test_variance_is_that_of_noise_draws():
    rng = np.random.default_rng(0)
    wave = 10 ** (3.6 + 1e-4 * np.arange(3000))
    sigma = rng.uniform(0.5, 2.0, 3000)
    resampler = LogWaveResampler(loglam_min=3.61, loglam_max=3.89, n_bins=40)
    spectra = Spectra(
        rng.normal(0, sigma, (10_000, 3000)), wave=wave, ivar=np.broadcast_to(sigma**-2, (10_000, 3000))
    )
    out = resampler.fit(spectra).resample(spectra)
    np.testing.assert_allclose(out.flux.var(axis=0) * out.ivar[0], 1.0, rtol=0.06)  # 4 sigma of a variance


def test_spectra_on_one_grid_on_own_grids_and_as_arrays_agree():
    rng = np.random.default_rng(0)
    wave = np.linspace(3500.0, 10500.0, 2000)
    flux = rng.uniform(1, 2, (3, 2000)).astype(np.float32)
    common = Spectra(flux, wave=wave)
    other = Spectra(rng.uniform(1, 2, (1, 100)), wave=np.linspace(3000, 11000, 100))
    own = Spectra.concatenate([common, other])
    assert not own.is_common_grid
    resampler = LogWaveResampler(wave=wave).fit(flux)
    array = resampler.transform(flux)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(resampler.transform(common), array)
    np.testing.assert_allclose(resampler.transform(own)[:3], array, rtol=1e-6)
    assert resampler.transform(flux.astype(float)).dtype == np.float64


def test_rows_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(2)
    waves = [GRIDS[kind](rng) for kind in GRIDS for _ in range(10)]
    spectra = Spectra([rng.normal(5, 1, len(w)) for w in waves], wave=waves)
    resampler = LogWaveResampler(min_coverage=0.01).fit(spectra)
    together = resampler.transform(spectra)
    for k in (0, 17, 33, 49):
        alone = Spectra([spectra.flux[k], spectra.flux[k][:-1]], wave=[waves[k], waves[k][:-1]])
        np.testing.assert_allclose(resampler.transform(alone)[0], together[k], rtol=2e-6, atol=2e-6)


def test_air_wavelengths_are_taken_to_vacuum():
    wave = np.linspace(3500.0, 10500.0, 7001)
    flux = np.exp(-0.5 * ((wave - 6562.80) / 5) ** 2)[None] + 1
    resampler = LogWaveResampler(n_bins=4330).fit(Spectra(flux, wave=wave, medium="air"))
    out = resampler.transform(Spectra(flux, wave=wave, medium="air"))[0]
    centre = np.sum(resampler.wave_ * (out - 1)) / np.sum(out - 1)
    assert centre == pytest.approx(6564.61, abs=0.05)


def gappy():
    """Two spectra over 4000-8000 Å; the second has a hole from 5000 to 5500 Å."""
    wave = np.linspace(4000.0, 8000.0, 2001)
    ivar = np.ones((2, 2001))
    ivar[1, (wave > 5000) & (wave < 5500)] = 0
    return Spectra(np.vstack([wave, wave]), wave=wave, ivar=ivar, meta={"file": ["a.fits", "b.fits"]})


def test_rules_for_missing_bins():
    spectra = gappy()
    nan = LogWaveResampler().fit(spectra)
    out = nan.transform(spectra)
    w = nan.wave_
    assert np.isfinite(out[0]).sum() == pytest.approx(((w > 4000) & (w < 8000)).sum(), abs=1)
    assert np.isnan(out[:, (w < 3990) | (w > 8010)]).all()
    assert np.isnan(out[1, (w > 5010) & (w < 5490)]).all()
    zero = LogWaveResampler(missing="zero").fit(spectra).transform(spectra)
    np.testing.assert_array_equal(zero, np.nan_to_num(out))
    with pytest.warns(UserWarning, match=r"2 of 2 spectra, .* lack more than 10% \(up to 42%\) of the grid"):
        filled = LogWaveResampler(missing="interpolate").fit(spectra).transform(spectra)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[np.isfinite(out)], out[np.isfinite(out)])
    first = np.flatnonzero(np.isfinite(out[0]))[0]
    assert (filled[0, :first] == out[0, first]).all()
    hole = (w > 5010) & (w < 5490)
    np.testing.assert_allclose(filled[1, hole], w[hole], rtol=3e-3)  # the spectrum is a straight line
    with pytest.raises(ValueError, match=r"a.fits \(spectrum 0\) covers \d+% of the grid"):
        LogWaveResampler(missing="raise").fit(spectra).transform(spectra)


def test_min_coverage_is_a_fraction_of_the_bin():
    wave = np.array([5000.0, 5001.0, 5002.0, 5003.0])
    spectra = Spectra(np.ones((1, 4)), wave=wave)
    # One bin from 4998.0 to 5008.0: the pixels cover 4999.5-5003.5, 40 %.
    bounds = {"loglam_min": np.log10(4998.0), "loglam_max": np.log10(5008.0), "n_bins": 1}
    out = LogWaveResampler(**bounds, min_coverage=0.4).fit(spectra).transform(spectra)
    np.testing.assert_allclose(out, 1.0, rtol=1e-6)
    with pytest.raises(ValueError, match="no valid pixels"):
        LogWaveResampler(**bounds, min_coverage=0.41).fit(spectra).transform(spectra)


def test_no_overlap_names_the_file_and_coverage_tells_before():
    spectra = gappy()
    resampler = LogWaveResampler(loglam_min=4.0, loglam_max=4.1).fit(spectra)
    assert resampler.coverage(spectra).tolist() == [0.0, 0.0]
    with pytest.raises(
        ValueError, match=r"a.fits \(spectrum 0\) has no valid pixels on the grid 10000–12589 Å, and 1 more"
    ):
        resampler.transform(spectra)
    all_nan = Spectra(np.full((1, 3), np.nan), wave=[4000.0, 5000.0, 6000.0])
    with pytest.raises(ValueError, match="spectrum 0 has no valid pixels"):
        LogWaveResampler().fit(all_nan).transform(all_nan)


def test_resample_gives_spectra_with_their_rows():
    out = LogWaveResampler().fit(gappy()).resample(gappy())
    assert isinstance(out, Spectra)
    assert out.shape == (2, 433)
    assert out.meta["file"].tolist() == ["a.fits", "b.fits"]
    assert ((out.ivar == 0) == np.isnan(out.flux)).all()
    with pytest.raises(TypeError, match="resample takes Spectra, got ndarray"):
        LogWaveResampler().fit(gappy()).resample(np.ones((1, 3)))


@pytest.mark.parametrize(
    ("parameters", "X", "error", "match"),
    [
        ({}, np.ones((2, 30)), ValueError, "wavelengths are unknown: give them as wave="),
        (
            {"wave": np.arange(4001.0, 4030.0)},
            np.ones((2, 30)),
            ValueError,
            "wave has 29 wavelengths, X has 30 features",
        ),
        ({"wave": (5.0, 4.0)}, np.ones((2, 30)), ValueError, "must increase strictly"),
        ({"wave": (4e3, 5e3)}, np.ones((2, 3, 10)), ValueError, r"shape \(2, 3, 10\), but one row"),
        ({"wave": (4e3, 5e3)}, np.ones((2, 30)) * u.Jy, TypeError, "X is an astropy Quantity in Jy"),
        ({"wave": (4e3, 5e3) * u.s}, np.ones((2, 30)), TypeError, "wave is in s"),
        ({"missing": "nam"}, None, ValueError, "did you mean 'nan'"),
        ({"n_bins": 0}, None, ValueError, "n_bins == 0, must be >= 1"),
        ({"min_coverage": 0.0}, None, ValueError, "min_coverage == 0.0, must be > 0"),
        (
            {"loglam_min": 4.0, "loglam_max": 3.9},
            None,
            ValueError,
            "loglam_min=4.0 must be below loglam_max=3.9",
        ),
    ],
)
def test_bad_input_is_named(parameters, X, error, match):
    with pytest.raises(error, match=match):
        LogWaveResampler(**parameters).fit(gappy() if X is None else X)


def test_fitted_on_spectra_refuses_arrays():
    with pytest.raises(TypeError, match="fitted on Spectra"):
        LogWaveResampler().fit(gappy()).transform(np.ones((1, 2001)))


def test_masked_array_is_missing_not_stripped():
    wave = np.linspace(3500.0, 10500.0, 2000)
    X = np.ma.masked_array(np.ones((1, 2000)), mask=(wave > 5000)[None] & (wave < 6000)[None])
    out = LogWaveResampler(wave=wave).fit(X).transform(X)
    assert np.isnan(out).sum() > 50


def test_names_are_distinct_wavelengths():
    resampler = LogWaveResampler(n_bins=20_000).fit(gappy())
    names = resampler.get_feature_names_out()
    assert len(set(names)) == 20_000
    np.testing.assert_allclose([float(n.removeprefix("flux_")) for n in names], resampler.wave_, atol=0.051)
    out = (
        LogWaveResampler(n_bins=10, loglam_min=3.7, loglam_max=3.8)
        .set_output(transform="pandas")
        .fit_transform(gappy())
    )
    assert out.columns[0] == "flux_5069.9"


def test_real_survey_spectrum_keeps_its_flux():
    with np.load(data_path("lamost_lrs/lamost_lrs.npz")) as data:
        spectra = Spectra(data["flux"][:20], wave=10 ** data["loglam"], ivar=data["ivar"][:20])
    resampler = LogWaveResampler(loglam_min=3.59, loglam_max=3.93, n_bins=500)
    out = resampler.fit(spectra).resample(spectra)
    # Binning by about seven pixels raises the signal-to-noise ratio by about the root of that.
    pixels_per_bin = (0.34 / 500) / 1e-4
    np.testing.assert_allclose(np.median(out.snr / spectra.snr), np.sqrt(pixels_per_bin), rtol=0.1)


def test_few_interpolated_bins_and_marked_ones_do_not_warn():
    wave = np.arange(4000.0, 8000.0, 2.0)
    whole = {"loglam_min": 3.61, "loglam_max": 3.9, "n_bins": 100, "missing": "interpolate"}
    gap = np.where((wave > 5000) & (wave < 5200), np.nan, 1.0)[None]
    assert np.isfinite(LogWaveResampler(**whole).fit_transform(Spectra(gap, wave=wave))).all()
    cut = Spectra(np.ones((1, 2000)), wave=wave, ivar=np.where(wave > 5500, 1.0, 0.0)[None])
    both = LogWaveResampler(**whole, output="flux_ivar").fit_transform(cut)
    assert np.count_nonzero(both[:, 100:] == 0) > 10
    with pytest.warns(UserWarning, match="1 of 1 spectra"):
        LogWaveResampler(**whole).fit_transform(cut)
