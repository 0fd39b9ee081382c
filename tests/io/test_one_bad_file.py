"""One bad file never stops the others, whatever it raises, and catalogue values of any kind are joined."""

import warnings

import numpy as np
import pytest
from astropy.io import fits

from skspec import read_spectra
from skspec.io import FileSpectra, SpectrumReadError, register_format
from skspec.io._registry import _formats
from tests.io._files import write_sdss_spec

WAVE = np.arange(4000.0, 4010.0)


def good(path, n=1, **arrays):
    np.savez(path, wave=WAVE, flux=np.ones((n, 10), "f4"), **arrays)


@pytest.fixture
def reader():
    """A format whose reader is set by the test."""

    def set_reader(read):
        register_format("odd", description="", identify=lambda s: s.head == b"odd", read=read, replace=True)

    yield set_reader
    _formats.pop("odd", None)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (MemoryError(), "there is not enough memory to read it"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (OverflowError("too large"), "OverflowError: too large"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "'utf-8' codec can't decode"),
        (PermissionError(13, "no"), r"PermissionError: \[Errno 13\] no"),
        (ImportError("needs nothing"), "needs nothing"),
        (StopIteration(), "StopIteration"),
        (SystemError("x" * 10_000), "SystemError: xxx"),
        (ValueError("one\ntwo"), "one two"),
    ],
)
def test_errors_of_a_reader(tmp_path, reader, error, cause, n_jobs):
    def read(source):
        raise error

    reader(read)
    for name in "ac":
        good(tmp_path / f"{name}.npz")
    (tmp_path / "b").write_bytes(b"odd")
    spectra = read_spectra(tmp_path, on_error="skip", n_jobs=n_jobs)
    assert len(spectra) == 2
    (skipped,) = spectra.meta.meta["skipped"]
    assert skipped["file"] == str(tmp_path / "b")
    with pytest.raises(
        ImportError if isinstance(error, ImportError) else SpectrumReadError, match=cause
    ) as caught:
        read_spectra(tmp_path, n_jobs=n_jobs)
    assert len(str(caught.value)) < 400
    with pytest.warns(UserWarning, match=rf"skipped .*{cause}"):
        read_spectra(tmp_path, on_error="warn", n_jobs=n_jobs)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_not_swallowed(tmp_path, reader, error):
    def read(source):
        raise error

    reader(read)
    (tmp_path / "b").write_bytes(b"odd")
    with pytest.raises(error):
        read_spectra(tmp_path, on_error="skip")


def test_notices_are_given_once(tmp_path, reader):
    def read(source):
        source.notice("has no labels beside it")
        return FileSpectra(np.ones(10), WAVE)

    reader(read)
    for name in "abc":
        (tmp_path / name).write_bytes(b"odd")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(read_spectra(tmp_path)) == 3
    assert [str(warning.message) for warning in caught] == [
        f"{tmp_path}/a and 2 other files: has no labels beside it"
    ]


def meta_of(reader, tmp_path, *values, n=1):
    """Column `x` of files of `n` spectra with these catalogue values."""
    remaining = iter(values)
    reader(lambda source: FileSpectra(np.ones((n, 10)), WAVE, meta={"x": next(remaining)}))
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    for i in range(len(values)):
        (folder / f"{i}").write_bytes(b"odd")
    return read_spectra(folder, on_error="skip").meta


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 2.5), [1.0, 2.5]),
        ((True, 2), [1, 2]),
        ((1, "a"), ["1", "a"]),
        (("a", None), ["a", ""]),
        ((1, None), [1, None]),
        ((1.5, np.float32("nan")), [1.5, None]),
        ((np.datetime64("2020-01-01"), np.datetime64("NaT")), ["2020-01-01", ""]),
        ((np.datetime64("2020-01-01T00:00:00.5", "ns"), 3), ["2020-01-01T00:00:00.500000000", "3"]),
        ((b"abc\0", "d"), ["abc", "d"]),
        ((10**30, -1), [str(10**30), "-1"]),
        ((2**63 + 5, 1), [2**63 + 5, 1]),
        ((2**63 + 5, -1), [str(2**63 + 5), "-1"]),
        (({"a": 1}, 2), ["{'a': 1}", "2"]),
        ((np.ma.masked, 2), [None, 2]),
    ],
)
def test_values_that_are_joined(tmp_path, reader, values, expected):
    column = meta_of(reader, tmp_path, *values)["x"]
    assert column.tolist() == expected
    assert column.dtype != object


def test_values_of_another_shape_are_missing_with_a_warning(tmp_path, reader):
    with pytest.warns(
        UserWarning, match=r"x has another shape in 1 of 3 spectra \(the first is in .*files/1\)"
    ):
        meta = meta_of(reader, tmp_path, [[1.0, 2.0]], [[1.0, 2.0, 3.0]], [[5.0, 6.0]])
    np.testing.assert_array_equal(meta["x"].filled(-1), [[1, 2], [-1, -1], [5, 6]])
    with pytest.warns(
        UserWarning, match=r"x has another shape in 1 of 3 spectra \(the first is in .*files/2\)"
    ):
        meta = meta_of(reader, tmp_path, 1.0, 2.0, [[5.0, 6.0]])
    assert meta["x"].tolist() == [1.0, 2.0, None]
    assert meta_of(reader, tmp_path, [[1, 2]], [[3, 4]])["x"].shape == (2, 2)


def test_a_value_that_is_not_one_for_each_spectrum(tmp_path, reader):
    meta = meta_of(reader, tmp_path, [1, 2], [1, 2, 3], n=2)
    assert meta["x"].tolist() == [1, 2]
    (skipped,) = meta.meta["skipped"]
    assert skipped["reason"] == "the catalogue value 'x' has 3 entries for 2 spectra (read as odd)"


def test_dates_in_npz(tmp_path):
    good(tmp_path / "a.npz")
    good(
        tmp_path / "b.npz", n=2, when=np.array(["2020-01-01", "NaT"], "M8[D]"), took=np.array([5, 6], "m8[s]")
    )
    meta = read_spectra(tmp_path).meta
    assert meta["when"].tolist() == ["", "2020-01-01", ""]
    assert meta["took"].tolist() == ["", "5 seconds", "6 seconds"]


def test_an_empty_table(tmp_path):
    columns = [fits.Column(name, "D", array=[]) for name in ("wave", "flux")]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "a")
    with pytest.raises(SpectrumReadError, match="has no rows"):
        read_spectra(tmp_path / "a")


def test_a_damaged_format_of_a_column(tmp_path):
    write_sdss_spec(tmp_path / "a")
    write_sdss_spec(tmp_path / "b", seed=1)
    content = (tmp_path / "b").read_bytes()
    (tmp_path / "b").write_bytes(content.replace(b"TFORM6  = 'D  ", b"TFORM6  = '2D "))
    spectra = read_spectra(tmp_path, on_error="skip")
    assert len(spectra) == 1
    assert "by the formats TFORMn" in spectra.meta.meta["skipped"][0]["reason"]
