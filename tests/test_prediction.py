"""Classes, probabilities and flags of `classify` and `classify_files`."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skspec import FluxNormalizer, LogitVotingClassifier, LogWaveResampler, Spectra
from skspec.io.meta import TABLE_FORMATS, write_table
from skspec.prediction import classify, classify_files
from tests.cli.conftest import write_spectrum

WAVE = np.linspace(4000.0, 7000.0, 100)
GRID = {"loglam_min": 3.61, "loglam_max": 3.84, "n_bins": 40, "missing": "interpolate"}


def spectrum(slope, *, wave=WAVE, snr=50.0):
    flux = 10.0 + slope * (wave - 5500.0) / 1500.0
    return flux, wave, np.full(len(wave), (snr / 10.0) ** 2)


def collect(rows, **meta):
    flux, wave, ivar = zip(*rows, strict=True)
    return Spectra(list(flux), wave=list(wave), ivar=list(ivar), meta=meta)


def fitted(classifier, labels=("blue", "red")):
    rows = [spectrum(s * (1 + 0.1 * i)) for i in range(10) for s in (-3, 3)]
    model = make_pipeline(LogWaveResampler(**GRID), FluxNormalizer(), classifier)
    return model.fit(collect(rows), np.tile(labels, 10))


def test_flags():
    short = WAVE[WAVE < 6000]
    lost = spectrum(3.0)
    lost[2][10:70] = 0
    spectra = collect(
        [
            spectrum(-3.0),
            spectrum(3.0, snr=2.0),
            spectrum(3.0, wave=WAVE / 3),
            spectrum(3.0, wave=short),
            spectrum(-3.0, wave=short, snr=1.0),
            lost,
        ],
        file=list("abcdef"),
        object=MaskedColumn(["o1", "", "x", "", "", "y"], mask=[0, 0, 1, 0, 0, 0]),
    )
    model = fitted(LogisticRegression(C=100.0))
    table = classify(model, spectra, skipped=[{"file": "g", "reason": "the file is empty"}])
    assert table.colnames == [
        "file",
        "object",
        "class",
        "p_blue",
        "p_red",
        "coverage",
        "snr",
        "flags",
        "reason",
    ]
    assert table["file"].tolist() == list("abcdefg")
    assert table["object"].tolist() == ["o1", "", "", "", "", "y", ""]
    assert table["class"].tolist() == ["blue", "red", "", "red", "blue", "red", ""]
    assert table["flags"].tolist() == [
        "", "low_snr", "no_overlap", "low_coverage", "low_coverage,low_snr", "low_coverage", "unreadable",
    ]  # fmt: skip
    assert table["reason"].tolist() == [""] * 6 + ["the file is empty"]
    # Expected values: the fraction of bins inside the spectrum, and the S/N of the input.
    edges = np.linspace(3.61, 3.84, 41)
    inside = (edges[1:] < np.log10(short[-1])).mean()
    np.testing.assert_allclose(table["coverage"][[0, 2]], [1.0, 0.0])
    assert table["coverage"][3] == pytest.approx(inside, abs=1.5 / 40)
    np.testing.assert_allclose(table["snr"][1], np.median(spectrum(3.0)[0] * 0.2), rtol=1e-6)
    good = [0, 1, 3, 4, 5]
    probability = np.column_stack([table["p_blue"], table["p_red"]])
    with pytest.warns(UserWarning, match="2 of 5 spectra"):
        expected = model.predict_proba(spectra[good])
    np.testing.assert_array_equal(probability[good], expected)
    assert np.isnan(probability[[2, 6]]).all()


def test_without_probabilities_and_with_whole_numbers_as_classes():
    spectra = collect([spectrum(-3.0), spectrum(3.0)])
    table = classify(fitted(LinearSVC(), labels=(7, 11)), spectra)
    assert table.colnames == ["file", "object", "class", "coverage", "snr", "flags", "reason"]
    assert table["class"].tolist() == ["7", "11"]


def test_rest_frame_needs_a_redshift():
    z = np.array([0.5, 0.5, np.nan])
    shifted = [(f, w * 1.5, i) for f, w, i in [spectrum(-3.0), spectrum(3.0), spectrum(3.0)]]
    table = classify(fitted(LogisticRegression()), collect(shifted, z=z), rest_frame=True)
    assert table["class"].tolist() == ["blue", "red", ""]
    assert table["flags"].tolist() == ["", "", "no_redshift"]
    np.testing.assert_allclose(table["coverage"], [1.0, 1.0, np.nan])
    with pytest.raises(ValueError, match="have no column z"):
        classify(fitted(LogisticRegression()), collect(shifted), rest_frame=True)


def test_one_spectrum_that_fails_stops_no_other():
    model = fitted(LogisticRegression())
    rows = [spectrum(-3.0), ([1.0], [5000.0], [1e4]), spectrum(3.0)]
    spectra = collect([tuple(map(np.asarray, row)) for row in rows], file=["a", "b", "c"])
    table = classify(model, spectra)
    assert table["class"].tolist() == ["blue", "", "red"]
    assert table["flags"].tolist() == ["", "failed", ""]
    assert "1 pixel" in table["reason"][1]
    np.testing.assert_array_equal(table["p_red"][[0, 2]], model.predict_proba(spectra[[0, 2]])[:, 1])


def test_all_bad():
    table = classify(fitted(LogisticRegression()), collect([spectrum(3.0, wave=WAVE / 3)]))
    assert table["class"].tolist() == [""]
    assert table["flags"].tolist() == ["no_overlap"]


@pytest.mark.parametrize("ensemble", [LogitVotingClassifier, VotingClassifier])
def test_coverage_of_an_ensemble_is_the_least(ensemble):
    """Members have their own grids; only the first resampler of a pipeline is applied to spectra."""
    grids = {"blue": (3.61, 3.72), "all": (3.61, 3.84)}
    members = [
        (
            name,
            make_pipeline(
                LogWaveResampler(**GRID | {"loglam_min": low, "loglam_max": high}), FluxNormalizer()
            ),
        )
        for name, (low, high) in grids.items()
    ]
    for _, member in members:
        member.steps.append(("classifier", LogisticRegression()))
    rows = [spectrum(s * (1 + 0.1 * i)) for i in range(10) for s in (-3, 3)]
    options = {"voting": "soft"} if ensemble is VotingClassifier else {}
    model = ensemble(members, **options).fit(collect(rows), np.tile(["blue", "red"], 10))
    tested = collect([spectrum(-3.0), spectrum(3.0, wave=WAVE[WAVE < 6000]), spectrum(3.0, wave=WAVE / 3)])
    table = classify(model, tested)
    assert table["flags"].tolist() == ["", "low_coverage", "no_overlap"]
    assert table["class"].tolist() == ["blue", "red", ""]
    edges = np.linspace(3.61, 3.84, 41)
    assert table["coverage"][1] == pytest.approx((edges[1:] < np.log10(6000)).mean(), abs=1.5 / 40)


def test_files_without_errors_do_not_affect_others(tmp_path):
    good = [tmp_path / name for name in ("a.txt", "b.txt")]
    for seed, path in enumerate(good):
        write_spectrum(path, "broad", seed=seed, noise=0.3)
    bare = tmp_path / "bare.txt"
    lines = good[0].read_text().splitlines()
    bare.write_text("\n".join(line.rpartition(" ")[0] for line in lines) + "\n")
    copies = [tmp_path / "bare2.txt", tmp_path / "a2.txt"]
    for copy, original in zip(copies, (bare, good[0]), strict=True):
        copy.write_text(original.read_text())
    (tmp_path / "empty.txt").write_text("")
    model = fitted(LogisticRegression())

    def table_of(*paths):
        return classify_files(model, [str(path) for path in paths], on_error="skip")

    table = table_of(good[0], bare, tmp_path / "empty.txt", good[1], *copies)
    order = [good[0], bare, good[1], *copies]
    assert table["file"].tolist() == [str(path) for path in [*order, tmp_path / "empty.txt"]]
    assert table["flags"][0] == table["flags"][2] == "low_snr"
    assert table["flags"][5] == "unreadable"
    for row, path in enumerate(order):
        alone = table_of(path)
        for name in ("class", "coverage", "snr", "flags"):
            assert table[name][row] == alone[name][0]
        assert table["p_red"][row] == pytest.approx(alone["p_red"][0], rel=1e-6)


def test_files_read_again_keep_the_stated_unit(tmp_path):
    rows = [f"{w / 10:.4f} {f:.5f}" for f, w in zip(*spectrum(3.0)[:2], strict=True)]
    (tmp_path / "a.txt").write_text("\n".join(["wave flux err", *(f"{row} 0.2" for row in rows)]) + "\n")
    (tmp_path / "b.txt").write_text("\n".join(["wave flux", *rows]) + "\n")
    paths = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    table = classify_files(fitted(LogisticRegression(C=100.0)), paths, wave_unit="nm")
    assert table["class"].tolist() == ["red", "red"]
    assert table["snr"][0] == pytest.approx(50.0, rel=0.02)


def test_skipped_files_raise_a_warning(tmp_path):
    write_spectrum(tmp_path / "a.txt", "broad", seed=0)
    (tmp_path / "empty.txt").write_text("")
    with pytest.warns(UserWarning, match="skipped .*empty.txt"):
        classify_files(
            fitted(LogisticRegression()),
            [str(tmp_path / name) for name in ("a.txt", "empty.txt")],
            on_error="warn",
        )


def test_flat_spectra_do_not_warn():
    flat = Spectra([np.zeros(100), np.ones(100)], wave=WAVE)
    np.testing.assert_array_equal(classify(fitted(LogisticRegression()), flat)["snr"], [np.nan, np.inf])


def test_fits_has_ascii_only(tmp_path):
    table = classify(fitted(LogisticRegression()), collect([spectrum(-3.0)], file=["é.txt"]))
    with pytest.raises(ValueError, match=r"column file has non-ASCII characters.*write classes\.ecsv"):
        write_table(table, tmp_path / "classes.fits")
    named = classify(fitted(LogisticRegression(), labels=("á", "b")), collect([spectrum(3.0)]))
    with pytest.raises(ValueError, match="column p_á has non-ASCII characters"):
        write_table(named, tmp_path / "classes.fits")
    assert not list(tmp_path.iterdir())
    write_table(table, tmp_path / "classes.ecsv")
    assert Table.read(tmp_path / "classes.ecsv")["file"].tolist() == ["é.txt"]


@pytest.mark.parametrize("suffix", TABLE_FORMATS)
def test_tables_are_written_whole(suffix, tmp_path):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    spectra = collect([spectrum(-3.0), spectrum(3.0, wave=WAVE / 3)], file=["a b", "c"])
    table = classify(fitted(LogisticRegression()), spectra)
    path = tmp_path / f"classes{suffix}"
    path.write_text("old")
    write_table(table, path)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    options = {"character_as_bytes": False} if suffix == ".fits" else {}
    back = Table.read(path, format=TABLE_FORMATS[suffix], **options)
    assert back.colnames == table.colnames
    for name in ("file", "class", "flags"):
        assert [str(v) for v in np.ma.filled(back[name].astype(object), "")] == table[name].tolist()
    np.testing.assert_allclose(np.ma.filled(back["p_red"].astype(float), np.nan), table["p_red"])
    with pytest.raises(ValueError, match=r"'classes\.xlsx' must end in \.csv, "):
        write_table(table, tmp_path / "classes.xlsx")


@pytest.mark.parametrize("errors", [True, False])
def test_dead_fibres_have_no_class(errors):
    red = WAVE > 5000.0
    rows = [spectrum(3.0), *(spectrum(3.0) for _ in range(6))]
    for row, flux in zip(
        rows[1:],
        [
            0 * WAVE,
            0 * WAVE + 3.0,
            0 * WAVE - 1.0,
            0 * WAVE * np.nan,
            np.where(WAVE < 4070.0, WAVE, 0.0),  # the model sees zeros only
            np.where(red, np.nan, 0.0),
        ],
        strict=True,
    ):
        row[0][:] = flux
    spectra = collect(rows, file=list("abcdefg"))
    if not errors:
        spectra = Spectra(spectra.flux, wave=spectra.wave, meta=spectra.meta)
    table = classify(fitted(LogisticRegression(C=100.0)), spectra)
    assert table["class"].tolist() == ["red", *[""] * 6]
    flags = [flags.split(",") for flags in table["flags"].tolist()]
    assert flags[0] == [""]
    assert flags[4] == ["no_overlap"]
    for row in (1, 2, 3, 5, 6):
        assert "no_signal" in flags[row]
        assert table["reason"][row] == "all valid pixels on the model's wavelengths have the same flux"
    assert np.isnan(table["p_red"][1:]).all()


def test_noise_without_signal_is_flagged():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=100)
    hot = np.zeros(100)
    hot[[10, 70]] = 50.0  # two hot pixels of a dead fibre
    for ivar in (None, np.ones((2, 100))):
        spectra = Spectra(np.array([noise, hot]), wave=WAVE, ivar=ivar)
        with (
            np.errstate(invalid="ignore"),
            pytest.warns(UserWarning, match="'median' scale of .* is near zero"),
        ):
            table = classify(fitted(LogisticRegression()), spectra)
        assert table["flags"].tolist() == ["low_snr", "low_snr"]


def test_probabilities_that_are_not_numbers_are_failures():
    class Broken(LogisticRegression):
        def predict_proba(self, X):
            return np.where(np.arange(len(X))[:, None] == 1, np.nan, super().predict_proba(X))

    table = classify(fitted(Broken(C=100.0)), collect([spectrum(-3.0), spectrum(3.0)]))
    assert table["class"].tolist() == ["blue", ""]
    assert table["flags"].tolist() == ["", "failed"]
    assert table["reason"].tolist() == ["", "the model gave no finite probabilities"]
