"""Classes, probabilities and flags of skspec predict."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skspec import FluxNormalizer, LogWaveResampler, Spectra
from skspec.cli._prediction import TABLE_FORMATS, classify, write_table

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
    # The rest by closed form: bins inside the spectrum, and the ratio put in.
    edges = np.linspace(3.61, 3.84, 41)
    inside = (edges[1:] < np.log10(short[-1])).mean()
    np.testing.assert_allclose(table["coverage"][[0, 2]], [1.0, 0.0])
    assert table["coverage"][3] == pytest.approx(inside, abs=1.5 / 40)
    np.testing.assert_allclose(table["snr"][1], np.median(spectrum(3.0)[0] * 0.2), rtol=1e-6)
    good = [0, 1, 3, 4, 5]
    probability = np.column_stack([table["p_blue"], table["p_red"]])
    np.testing.assert_array_equal(probability[good], model.predict_proba(spectra[good]))
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
    with pytest.raises(ValueError, match="no redshift column z"):
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
