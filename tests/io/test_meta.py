"""Catalogues joined to spectra."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from skspec import Spectra
from skspec.io.meta import join_catalogue, read_with_catalogue
from tests.cli.conftest import write_spectrum

WAVE = np.linspace(4000.0, 7000.0, 50)


def spectra_of(**columns):
    n = len(next(iter(columns.values())))
    return Spectra(np.ones((n, 50)), wave=WAVE, meta=columns)


def kinds(spectra):
    return np.ma.filled(np.ma.asarray(spectra.meta["kind"]), "-").tolist()


@pytest.fixture
def nights(tmp_path):
    """Two nights whose files have the same names."""
    for night in ("n1", "n2"):
        (tmp_path / night).mkdir()
        for name in ("s0.txt", "s1.txt"):
            write_spectrum(tmp_path / night / name, "broad", seed=0)
    return tmp_path


def test_missing_paths_are_matched_by_file_name():
    spectra = spectra_of(file=["/a/x.fits", "/a/y.fits", "/b/z.fits"])
    table = Table({"path": ["c/z.fits", "x.fits", "w.fits"], "kind": ["Z", "X", "W"], "z": [0.3, 0.1, 9.0]})
    joined = join_catalogue(spectra, table)
    assert kinds(joined) == ["X", "-", "Z"]
    assert joined.meta["z"].filled(-1.0).tolist() == [0.1, -1.0, 0.3]
    assert "kind" not in spectra.meta.colnames


def test_by_object():
    spectra = spectra_of(object=["123", "456", "", ""])
    table = Table({"object": MaskedColumn([456, 123, 0, 0], mask=[0, 0, 1, 1]), "kind": list("bacd")})
    assert kinds(join_catalogue(spectra, table)) == ["a", "b", "-", "-"]
    with pytest.raises(ValueError, match="has '456' more than once in its column object"):
        join_catalogue(spectra, Table({"object": [456, 456], "kind": ["b", "b"]}))


@pytest.mark.parametrize("format_", ["ascii.csv", "fits", "parquet"])
@pytest.mark.parametrize("listed", [("n1",), ("n1", "n2"), ("n2", "n1", "n3")])
def test_files_of_one_name_in_several_folders(nights, listed, format_, monkeypatch):
    if format_ == "parquet":
        pytest.importorskip("pyarrow")
    (nights / "n3").mkdir()  # listed, and not among the spectra
    for name in ("s0.txt", "s1.txt"):
        write_spectrum(nights / "n3" / name, "broad", seed=0)
    rows = [(f"{night}/{name}", f"{night} {name[:2]}") for night in listed for name in ("s1.txt", "s0.txt")]
    catalogue = nights / f"catalogue.{format_.removeprefix('ascii.').upper()}"
    table = Table(rows=rows, names=("file", "kind"))
    table.write(catalogue, format=format_)
    expected = [
        f"{night} {name}" if night in listed else "-" for night in ("n1", "n2") for name in ("s0", "s1")
    ]
    assert kinds(read_with_catalogue([str(nights / "n1"), str(nights / "n2")], catalogue)) == expected
    monkeypatch.chdir(
        nights / "n1"
    )  # paths are relative to the catalogue's folder, for any form of the file names
    (nights / "link").symlink_to(nights / "n2")
    assert kinds(read_with_catalogue([".", "../link"], catalogue)) == expected
    monkeypatch.chdir(nights)  # or else to the working directory
    away = nights / "away"
    away.mkdir()
    table.write(away / catalogue.name, format=format_)
    assert kinds(read_with_catalogue(["n1", "n2"], away / catalogue.name)) == expected


def test_a_name_that_several_spectra_have(nights):
    table = Table({"file": ["old/s0.txt", "old/s1.txt"], "kind": ["a", "b"]})
    table.write(nights / "catalogue.csv", format="ascii.csv")
    with pytest.raises(
        ValueError, match=r"has 'old/s0.txt', which does not exist, and 's0.txt' is the name of 2"
    ):
        read_with_catalogue([str(nights / "n1"), str(nights / "n2")], nights / "catalogue.csv")
    assert kinds(read_with_catalogue([str(nights / "n1")], nights / "catalogue.csv")) == ["a", "b"]


def test_the_files_of_the_catalogue(nights):
    table = Table({"file": ["n2/s0.txt", "n1/s0.txt"], "kind": ["a", "b"]})
    table.write(nights / "catalogue.ecsv")
    spectra = read_with_catalogue(None, nights / "catalogue.ecsv")
    assert kinds(spectra) == ["a", "b"]
    assert spectra.meta["file"].tolist() == [str(nights / name) for name in table["file"]]
    table["file"] = MaskedColumn(table["file"], mask=[0, 1])
    table.write(nights / "catalogue.ecsv", overwrite=True)
    with pytest.raises(ValueError, match=r"catalogue.ecsv has no path in row 2, column file"):
        read_with_catalogue(None, nights / "catalogue.ecsv")


def test_parquet_with_missing_values(nights):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    table = {"file": ["n1/s0.txt", None, "n1/s1.txt"], "kind": ["a", "x", None], "n": [None, 2, 3]}
    parquet.write_table(pyarrow.table(table), nights / "catalogue.parquet")
    spectra = read_with_catalogue([str(nights / "n1")], nights / "catalogue.parquet")
    assert spectra.meta["kind"].tolist() == ["a", None]
    np.testing.assert_array_equal(spectra.meta["n"], [np.nan, 3])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": ["x"]}, "no column file or object, only name"),
        ({"file": ["a/x.fits", "b/x.fits"]}, r"'x\.fits' is the name of 1 spectra and 2 entries"),
        ({"file": ["x.fits", "./x.fits"]}, r"has '\./x\.fits' more than once"),
        ({"file": ["w.fits"]}, "none of the 1 spectra is in the catalogue"),
    ],
)
def test_catalogues_that_do_not_fit(table, message):
    with pytest.raises(ValueError, match=message):
        join_catalogue(spectra_of(file=["x.fits"]), Table(table))
