"""`read_spectra`: its sources, how files are joined, and its arguments."""

import gzip
import os
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from skspec import read_spectra
from skspec.io import FileSpectra, SpectrumReadError, available_formats, register_format
from skspec.io._registry import _formats
from tests.io._files import N, flux_ivar, write_image, write_sdss_spec


@pytest.fixture
def night(tmp_path):
    """Three SDSS files on one grid and a text file in a folder, and another SDSS file in a subfolder."""
    for i, name in enumerate(("c", "a", "b")):
        write_sdss_spec(tmp_path / f"spec-{name}.fits", seed=i)
    (tmp_path / "deep").mkdir()
    write_sdss_spec(tmp_path / "deep" / "spec-d.fits", seed=3)
    (tmp_path / "notes.md").write_text("# Night log\n\nAll went well.\n")
    (tmp_path / ".hidden").write_text("not looked at")
    return tmp_path


def copies(night, files):
    """Copy files of the night to names of their own."""
    for number, file in enumerate(files):
        (night / f"{number:03}-{file}").write_bytes((night / file).read_bytes())
    return [night / f"{number:03}-{file}" for number, file in enumerate(files)]


def names(spectra):
    return [os.path.basename(file) for file in spectra.meta["file"]]


def test_file_list_pattern_and_directory(night, monkeypatch):
    monkeypatch.setenv("HOME", str(night))
    assert names(read_spectra(night / "spec-c.fits")) == ["spec-c.fits"]
    assert names(read_spectra(str(night / "spec-c.fits"))) == ["spec-c.fits"]
    assert names(read_spectra([night / "spec-c.fits", str(night / "spec-a.fits")])) == [
        "spec-c.fits",
        "spec-a.fits",
    ]
    assert names(read_spectra("~/spec-*.fits")) == ["spec-a.fits", "spec-b.fits", "spec-c.fits"]
    assert names(read_spectra(f"{night}/**/*.fits")) == [
        "spec-d.fits",
        "spec-a.fits",
        "spec-b.fits",
        "spec-c.fits",
    ]
    assert names(read_spectra(night)) == ["spec-a.fits", "spec-b.fits", "spec-c.fits", "spec-d.fits"]
    folder = read_spectra(night, recursive=False)
    assert names(folder) == ["spec-a.fits", "spec-b.fits", "spec-c.fits"]
    (stray,) = folder.meta.meta["skipped"]
    assert stray["file"] == str(night / "notes.md")
    assert stray["reason"].startswith("the format is not recognised (text starting with '# Night log")
    with pytest.warns(UserWarning, match=r"1 names are of files that were named before .*spec-d\.fits"):
        assert len(read_spectra([night, night / "deep"])) == 4


def test_a_name_with_brackets_is_a_file(night):
    write_sdss_spec(night / "spec[1].fits")
    assert names(read_spectra(night / "spec[1].fits")) == ["spec[1].fits"]


def test_common_grid_is_kept(night):
    spectra = read_spectra(night, recursive=False)
    assert spectra.is_common_grid
    assert spectra.flux.shape == spectra.ivar.shape == (3, N)
    np.testing.assert_array_equal(spectra.flux[0], flux_ivar(1)[0])
    assert spectra.wave.flags.writeable


def test_grids_that_differ(night):
    write_sdss_spec(night / "spec-short.fits", n=30)
    spectra = read_spectra(f"{night}/spec-*.fits")
    assert not spectra.is_common_grid
    assert list(map(len, spectra.wave)) == [N, N, N, 30]
    assert spectra.wave[0] is spectra.wave[1]


def test_air_and_vacuum_together(night):
    flux, _ = flux_ivar()
    write_image(night / "air.fits", flux, COEFF0=3.6, COEFF1=1e-4, VACUUM=False)
    with pytest.warns(UserWarning, match="1 of 2 files give no errors"):
        spectra = read_spectra([night / "spec-a.fits", night / "air.fits"])
    assert spectra.meta["native_medium"].tolist() == ["vacuum", "air"]
    np.testing.assert_allclose(spectra.wave[1] / spectra.wave[0], 1.00028, atol=1e-5)


def test_missing_errors_leave_missing_pixels_as_nan(night):
    flux, _ = flux_ivar()
    write_image(night / "image.fits", flux, COEFF0=3.6, COEFF1=1e-4, VACUUM=True)
    with_gap = FileSpectra(np.ones(N), 10 ** (3.6 + 1e-4 * np.arange(N)), np.r_[0.0, np.ones(N - 1)])
    register_format("gap", description="", identify=lambda s: s.head == b"gap", read=lambda s: with_gap)
    (night / "gap").write_text("gap")
    try:
        with pytest.warns(
            UserWarning, match=r"the first is .*image\.fits.*missing pixels of the others are NaN"
        ):
            spectra = read_spectra([night / "gap", night / "image.fits"])
    finally:
        _formats.pop("gap")
    assert spectra.ivar is None
    assert np.isnan(np.asarray(spectra)).sum() == 1
    assert np.isnan(spectra.flux[0, 0])


def test_gzip_is_recognised_from_content(night):
    packed = night / "packed.dat"
    packed.write_bytes(gzip.compress((night / "spec-a.fits").read_bytes()))
    pair = read_spectra([packed, night / "spec-a.fits"])
    np.testing.assert_array_equal(pair.flux[0], pair.flux[1])
    packed.write_bytes(packed.read_bytes()[:-500])
    with pytest.raises(SpectrumReadError, match=r"packed.dat: cannot be decompressed, it may be truncated"):
        read_spectra(packed)


# Tables of paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["astropy", "pandas"])
def test_table_of_paths(night, kind):
    columns = {
        "label": ["x", "y"],
        "Path": [str(night / "spec-b.fits"), str(night / "deep" / "spec-d.fits")],
        "z": [0.25, 0.75],
    }
    table = Table(columns) if kind == "astropy" else pd.DataFrame(columns)
    spectra = read_spectra(table)
    assert names(spectra) == ["spec-b.fits", "spec-d.fits"]
    assert spectra.meta["label"].tolist() == ["x", "y"]
    assert spectra.meta["z"].tolist() == [0.25, 0.75]  # the table has priority
    assert spectra.meta["class"].tolist() == ["STAR", "STAR"]
    assert "Path" not in spectra.meta.colnames


def test_table_rows_follow_their_files(night):
    np.savez(
        night / "many.npz", wave=10 ** (3.6 + 1e-4 * np.arange(N)), flux=np.ones((3, N)), ivar=np.ones((3, N))
    )
    files = ["gone.fits", "many.npz", "spec-a.fits"]
    table = Table({"file": [str(night / file) for file in files], "label": [10, 20, 30]}, meta={"run": 5})
    spectra = read_spectra(table, on_error="skip")
    assert spectra.meta["label"].tolist() == [20, 20, 20, 30]
    assert spectra.meta.meta["run"] == 5
    assert [os.path.basename(item["file"]) for item in spectra.meta.meta["skipped"]] == ["gone.fits"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Table({"a": [1]}), "no column of paths called file, path, filename; it has a"),
        (Table({"file": []}), "no rows"),
    ],
)
def test_table_errors(table, message):
    with pytest.raises(ValueError, match=message):
        read_spectra(table)


# Arguments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("nothing/*.fits", SpectrumReadError, r"nothing/\*.fits: no file matches this pattern"),
        ("nothing.fits", SpectrumReadError, "nothing.fits: no such file or directory"),
        ([], ValueError, "source is an empty list"),
        (3, TypeError, "source must be a path, a glob pattern"),
    ],
)
def test_wrong_sources(source, error, message):
    with pytest.raises(error, match=message):
        read_spectra(source)


def test_empty_directory(tmp_path):
    with pytest.raises(SpectrumReadError, match="the directory has no files"):
        read_spectra(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "sdss-spek"}, "format must be one of .*; did you mean 'sdss-spec'"),
        ({"on_error": "skipp"}, "did you mean 'skip'"),
        ({"medium": "vaccum"}, "did you mean 'vacuum'"),
    ],
)
def test_typos(night, options, message):
    with pytest.raises(ValueError, match=message):
        read_spectra(night, **options)


def test_format_is_forced(night):
    assert len(read_spectra(night / "spec-a.fits", format="fits-table")) == 1
    with pytest.raises(
        SpectrumReadError, match=r"notes.md: is not a FITS file, it starts with b'# Night log"
    ):
        read_spectra(night / "notes.md", format="sdss-spec")
    with pytest.raises(SpectrumReadError, match=r"spec-a.fits: .*\(read as text\)"):
        read_spectra(night / "spec-a.fits", format="text")


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_result_does_not_depend_on_n_jobs(night, backend):
    files = copies(night, [f"spec-{name}.fits" for name in "abc"] * 30)
    alone = read_spectra(files)
    with joblib.parallel_config(backend):
        together = read_spectra(files, n_jobs=2)
    np.testing.assert_array_equal(alone.flux, together.flux)
    np.testing.assert_array_equal(alone.ivar, together.ivar)
    np.testing.assert_array_equal(alone.wave, together.wave)
    assert names(alone) == names(together)


def test_n_jobs_reports_errors(night):
    files = copies(night, [*(f"spec-{name}.fits" for name in "abc"), "notes.md"] * 20)
    with pytest.raises(SpectrumReadError, match=r"notes.md: the format is not recognised"):
        read_spectra(files, n_jobs=2)
    assert len(read_spectra(files, n_jobs=2, on_error="skip")) == 60


def test_progress_bar(night, capfd):
    read_spectra(night)
    assert capfd.readouterr().err == ""
    read_spectra(night, progress=True)
    assert "reading spectra: 100%" in capfd.readouterr().err


def test_on_error(night):
    (night / "broken.fits").write_bytes((night / "spec-a.fits").read_bytes()[:6000])
    with pytest.raises(
        SpectrumReadError, match=r"broken\.fits: truncated: HDU 1 needs \d+ bytes, the file has 6000"
    ):
        read_spectra(night)
    with pytest.warns(UserWarning, match=r"skipped .*broken\.fits: truncated") as caught:
        warned = read_spectra(night, on_error="warn")
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skipped = read_spectra(night, on_error="skip")
    assert names(warned) == names(skipped) == [f"spec-{name}.fits" for name in "abcd"]
    reasons = {os.path.basename(item["file"]): item["reason"] for item in skipped.meta.meta["skipped"]}
    assert list(reasons) == ["broken.fits", "notes.md"]
    assert reasons["broken.fits"].startswith("truncated: HDU 1")


def test_nothing_readable_is_an_error_even_when_skipping(night):
    (night / "empty").write_bytes(b"")
    with pytest.raises(
        SpectrumReadError, match=r"empty: the file is empty \(and the 1 other files have no spectra\)"
    ):
        read_spectra([night / "empty", night / "notes.md"], on_error="skip")


# Formats of users -----------------------------------------------------------------------------------------


@pytest.fixture
def own_format():
    def read(source):
        wave, flux = np.array(source.text.split()[1:], dtype=float).reshape(-1, 2).T
        return [
            FileSpectra(flux, wave, medium="air", meta={"class": "NEW", "tag": 5}),
            FileSpectra(2 * flux, wave, meta={"tag": None}),
        ]

    register_format(
        "own",
        description="mine",
        identify=lambda source: source.head.startswith(b"OWN"),
        read=read,
        priority=99,
    )
    yield
    _formats.pop("own")


def test_a_format_of_ones_own(tmp_path, own_format):
    (tmp_path / "a").write_text("OWN 4000 1 4001 2 4002 3")
    spectra = read_spectra(tmp_path / "a")
    assert len(spectra) == 2
    assert spectra.meta["class"].tolist() == ["NEW", ""]
    assert spectra.meta["tag"].tolist() == [5, None]
    assert spectra.meta["native_medium"].tolist() == ["air", "vacuum"]
    assert available_formats()[0] == ("own", "mine")
    with pytest.raises(ValueError, match="format 'own' already exists"):
        register_format("own", description="", identify=bool, read=list)


def test_arrays_are_checked_once_for_each_file(night, monkeypatch):
    from skspec.spectra import _arrays

    seen = []
    for name in ("check_wave", "_cast", "_clean_ivar"):
        original = getattr(_arrays, name)
        monkeypatch.setattr(
            _arrays, name, lambda *args, name=name, original=original: (seen.append(name), original(*args))[1]
        )
    write_sdss_spec(night / "spec-short.fits", n=30)
    assert len(read_spectra(f"{night}/spec-*.fits")) == 4
    assert seen == ["check_wave", "_cast", "_cast", "_clean_ivar"] * 4


def test_masked_and_big_endian_arrays_of_a_reader(tmp_path):
    wave = np.arange(4000.0, 4005.0).astype(">f8")
    flux = np.ma.masked_array(np.arange(5.0), mask=np.arange(5) == 2).astype(">f4")
    ivar = np.array([1.0, -1.0, 1.0, np.nan, np.inf])
    register_format(
        "mask",
        description="",
        identify=lambda s: s.head == b"mask",
        read=lambda s: FileSpectra(flux, wave, ivar, medium=None),
    )
    (tmp_path / "a").write_text("mask")
    try:
        once = read_spectra(tmp_path / "a", medium="air")
        again = read_spectra(tmp_path / "a")  # the object returned by the reader is unchanged
    finally:
        _formats.pop("mask")
    assert once.meta["native_medium"].tolist() == ["air"]
    assert again.meta["native_medium"].tolist() == [""]
    np.testing.assert_array_equal(again.wave, wave)
    for values in (again.flux, again.ivar, again.wave):
        assert values.dtype.isnative
    assert again.valid.tolist() == [[True, False, False, False, False]]


def test_errors_of_a_reader_name_it(tmp_path, own_format):
    (tmp_path / "a").write_text("OWN 4000 one")
    with pytest.raises(
        SpectrumReadError, match=r"a: could not convert string to float: 'one' \(read as own\)"
    ):
        read_spectra(tmp_path / "a")


def test_all_formats_are_listed():
    known = {name for name, description in available_formats() if description}
    assert {
        "sdss-spec",
        "sdss-spspec",
        "lamost-lrs",
        "desi",
        "iraf",
        "indo-us",
        "aaomega",
        "fits-table",
        "text",
    } <= known
    assert {"pickles", "snid", "csv", "ecsv", "parquet", "npz"} <= known
