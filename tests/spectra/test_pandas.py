"""pandas DataFrames as catalogues, and spectra as a DataFrame."""

import sys

import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from skspec import Spectra

WAVE = np.linspace(4000.0, 4100.0, 6)
FLUX = np.arange(18.0, dtype=np.float32).reshape(3, 6)
FRAME = pd.DataFrame(
    {
        "class": ["A", None, "G"],
        "number": pd.array([1, None, 3], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "z": [0.1, np.nan, 0.3],
        "text": pd.array(["a", None, "ccc"], dtype="string"),
        "object": np.array(["x", None, "zz"], dtype=object),
        "night": pd.to_datetime(["2020-01-01", None, "2021-06-01"]),
        "full": ["p", "q", "r"],
        "unknown": np.array([None] * 3, dtype=object),
        "count": np.arange(3, dtype=np.uint8),
    },
    index=[7, 3, 7],
)


def spectra(kind="common", meta=None, *, ivar=True):
    if kind == "common":
        return Spectra(FLUX, wave=WAVE, ivar=np.ones((3, 6)) if ivar else None, meta=meta)
    flux = [FLUX[0], FLUX[1, :4], FLUX[2, 1:]]
    waves = [WAVE, WAVE[:4] + 1, WAVE[1:] + 2]
    return Spectra(flux, wave=waves, ivar=[np.ones(len(f)) for f in flux] if ivar else None, meta=meta)


def test_a_frame_as_catalogue():
    meta = spectra(meta=FRAME).meta
    assert meta.colnames == list(FRAME)
    assert all(meta[name].dtype.kind == "U" for name in ("class", "text", "object", "full", "unknown"))
    assert meta["unknown"].mask.all()
    for name in ("class", "number", "flag", "z", "text", "object"):
        assert np.ma.getmaskarray(meta[name]).tolist() == [False, True, False], name
    assert meta["class"].tolist() == ["A", None, "G"]
    assert meta["number"].dtype == np.int64
    assert meta["flag"].dtype == bool
    assert list(meta["night"].mask) == [False, True, False]
    assert str(meta["night"][2]).startswith("2021-06-01")
    assert meta["count"].tolist() == [0, 1, 2]
    assert isinstance(spectra(meta=FRAME)[1:].meta["class"], MaskedColumn)


def test_a_frame_needs_a_row_a_spectrum():
    with pytest.raises(ValueError, match="meta has 2 rows for 3 spectra"):
        spectra(meta=FRAME[:2])


@pytest.mark.parametrize("kind", ["common", "own"])
@pytest.mark.parametrize("ivar", [True, False])
def test_there_and_back(kind, ivar):
    original = spectra(kind, FRAME, ivar=ivar)
    df = original.to_pandas()
    arrays = ["flux", "wave", "ivar"] if ivar else ["flux", "wave"]
    assert list(df) == [*FRAME, *arrays]
    assert list(df.index) == [0, 1, 2]
    assert all(df[name].dtype == object for name in arrays)
    back = Spectra(
        list(df.flux),
        wave=list(df.wave),
        ivar=list(df.ivar) if ivar else None,
        meta=df.drop(columns=arrays),
    )
    assert back.is_common_grid == original.is_common_grid == (kind == "common")
    for k in range(3):
        np.testing.assert_array_equal(back.flux[k], original.flux[k])
        np.testing.assert_array_equal(back.wave if kind == "common" else back.wave[k], df.wave[k])
        if ivar:
            np.testing.assert_array_equal(back.ivar[k], original.ivar[k])
    for ours, theirs in zip(
        np.atleast_2d(back.wave) if kind == "common" else back.wave, df.wave, strict=False
    ):
        np.testing.assert_array_equal(ours, theirs)
    for name in FRAME:
        assert [str(value) for value in back.meta[name]] == [str(value) for value in original.meta[name]]


def test_other_catalogues():
    none = spectra().to_pandas()
    assert list(none) == ["flux", "wave", "ivar"]
    assert len(none) == 3
    assert spectra()[:0].to_pandas().shape == (0, 3)
    assert spectra("own", {"a": [1, 2, 3]})[:0].to_pandas().shape == (0, 4)
    wide = spectra(meta=Table({"a": [1, 2, 3], "mags": np.arange(15.0).reshape(3, 5), "b": [4, 5, 6]}))
    df = wide.to_pandas()
    assert list(df)[:3] == ["a", "mags", "b"]
    assert df.mags[1].tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]
    with pytest.raises(ValueError, match="meta has a column 'flux'"):
        spectra(meta={"flux": [1, 2, 3]}).to_pandas()


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        spectra().to_pandas()
