"""Cells of catalogues, compared with astropy and csv: numbers in FITS; quotes, blanks and unusual bytes in text."""

import csv
import io
import warnings
from collections import Counter

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from skspec.io import _catalogue_rows, sample_catalogue

# FITS --------------------------------------------------------------------------------------------------

N = 40
ROW = np.arange(N)
NUMBERS = {
    "i2": (ROW % 3 - 1).astype("i2"),
    "i4": (ROW % 4 + 70_000).astype("i4"),
    "i8": (ROW % 5 - 2) * 10**15,
    "u1": (ROW % 3).astype("u1"),
    "u2": (ROW % 3 + 40_000).astype("u2"),
    "u4": (ROW % 3 + 3 * 10**9).astype("u4"),
    "u8": (ROW % 3).astype("u8") + np.uint64(2**63 + 5),
    "f4": (ROW % 4).astype("f4") / 10,
    "f8": np.where(ROW % 4, ROW % 4 / 3, np.nan),
    "bool": ROW % 3 == 0,
    "null": MaskedColumn((ROW % 3).astype("i4"), mask=ROW % 3 == 1, fill_value=-99),
    "text": np.where(ROW % 3, "K5 III", ""),
}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    path = tmp_path_factory.mktemp("numbers") / "k.fits"
    Table({"scaled": (ROW % 3).astype("i2"), "row": ROW, **NUMBERS}).write(path)
    fits.setval(path, "TSCAL1", value=0.5, ext=1)
    fits.setval(path, "TZERO1", value=0.25, ext=1)
    assert Table.read(path)["scaled"].tolist() == (ROW % 3 / 2 + 0.25).tolist()
    return path


@pytest.mark.parametrize("name", [*NUMBERS, "scaled"])
def test_columns_of_a_fits_table(numbers, name, monkeypatch):
    truth = Table.read(numbers)[name]
    texts = ["" if value is np.ma.masked else str(value).strip() for value in truth]
    assert len(set(texts)) > 1
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 700)
    table = sample_catalogue(numbers, n_per_class=N, by=name)
    assert table.meta["n_found"] == dict(sorted(Counter(text for text in texts if text).items()))
    assert table["row"].tolist() == [i for i in range(N) if texts[i]]
    assert [str(value).strip() for value in table[name]] == [text for text in texts if text]
    for text in set(texts):
        some = sample_catalogue(numbers, n_per_class=N, by="i8", where={name: text})
        assert some["row"].tolist() == [i for i in range(N) if texts[i] == text]
    one = sample_catalogue(numbers, n_per_class=N, by=name, classes=[truth[2]])
    assert one.meta["n_found"] == {texts[2]: texts.count(texts[2])}


def test_undefined_truth_values_are_missing(tmp_path):
    """Undefined booleans are zero bytes in the FITS standard; astropy reads them as False, with a warning."""
    path = tmp_path / "a.fits"
    Table({"row": [0, 1, 2], "good": [True, False, True]}).write(path)
    content = path.read_bytes()
    at = content.index(b"T", 5760 + 8)
    path.write_bytes(content[:at] + b"\0" + content[at + 1 :])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert Table.read(path)["good"].tolist() == [False, False, True]
    table = sample_catalogue(path, n_per_class=9, by="good")
    assert table.meta["n_found"] == {"False": 1, "True": 1}
    assert table["row"].tolist() == [1, 2]


def test_fits_tables_that_cannot_be_drawn_from(tmp_path):
    path = tmp_path / "v.fits"
    bits = fits.Column("bits", "3X", array=np.ones((2, 3), bool))
    hdu = fits.table_to_hdu(Table({"vector": [[1, 2], [3, 4]], "subclass": ["A", "B"]}))
    fits.BinTableHDU.from_columns(hdu.columns + fits.ColDefs([bits])).writeto(path)
    for name in ("vector", "bits"):
        with pytest.raises(ValueError, match=f"v.fits: column '{name}' has vectors; one value per row is"):
            sample_catalogue(path, n_per_class=1, by=name)
    with pytest.raises(ValueError, match=r"v.fits: column 'vector' has vectors"):
        sample_catalogue(path, n_per_class=1, where={"vector": 1})
    assert len(sample_catalogue(path, n_per_class=1)) == 2
    fits.TableHDU.from_columns([fits.Column("subclass", "A2", array=["A5"])]).writeto(tmp_path / "t.fits")
    with pytest.raises(ValueError, match=r"t.fits: the FITS file has an ASCII table; a binary table is"):
        sample_catalogue(tmp_path / "t.fits", n_per_class=1)
    fits.PrimaryHDU(np.ones((2, 2))).writeto(tmp_path / "i.fits")
    with pytest.raises(ValueError, match=r"i.fits: the FITS file has no table; a binary table is"):
        sample_catalogue(tmp_path / "i.fits", n_per_class=1)


# Text --------------------------------------------------------------------------------------------------


def all_rows(path, by="subclass"):
    return sample_catalogue(path, n_per_class=10**6, by=by)


def test_stray_quotes(tmp_path):
    path = tmp_path / "a.csv"
    text = 'id|name|subclass\n1|5" star|A5\n2|x|B2\n3|y" q|F0\n4|"z|z"|G0\n5|6""|K"\n6| "p|q"|"M1"\n'
    path.write_text(text)
    truth = Table.read(text, format="ascii.csv", delimiter="|")
    table = all_rows(path)
    assert table.meta["n_rows"] == len(truth) == 6
    for name in truth.colnames:
        assert table[name].tolist() == truth[name].tolist()
    assert set(table.meta["n_found"]) == set(truth["subclass"])
    path.write_text('id|name|subclass\n1|5" star|A5\n')
    assert all_rows(path)["name"].tolist() == ['5" star']


@pytest.mark.parametrize("delimiter", ["|", ",", "\t"])
def test_rows_are_those_of_the_csv_module(tmp_path, monkeypatch, delimiter):
    """Random cells of quotes, separators, blanks and letters, in chunks of a few rows."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 50)
    cells = ["", "a", 'b"', '"', '""', '5" x', "é", f"p{delimiter}q", '"r"', f'{delimiter}"', "s t"]
    for trial in range(20):
        rows = [[f"i{i}", *rng.choice(cells, 2).tolist(), "K"] for i in range(12)]
        lines = io.StringIO()
        csv.writer(lines, delimiter=delimiter, lineterminator="\n", quoting=trial % 2).writerows(rows)
        blank = lines.getvalue().replace("\ni7", "\n\n \ni7")
        path = tmp_path / "a.csv"
        path.write_text(delimiter.join(["i", "x", "y", "k"]) + "\n" + blank + "\n\n", encoding="utf-8")
        table = all_rows(path, "k")
        assert table.meta["n_rows"] == 12
        assert table["i"].tolist() == [f"i{i}" for i in range(12)]
        for at, name in enumerate("xy", start=1):
            values = ["" if value is np.ma.masked else value for value in table[name]]
            assert values == [row[at].strip() for row in rows]
            found = all_rows(path, name).meta["n_found"]
            assert found == dict(sorted(Counter(row[at].strip() for row in rows if row[at]).items()))


def test_blank_lines_draw_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 100)
    lines = [f"{i}|A" for i in range(200)]
    (tmp_path / "a").write_text("\n".join(["obsid|subclass", *lines]))
    (tmp_path / "b").write_text("\n \n" + "\n\r\n \n".join(["obsid|subclass", *lines]) + "\n" * 150)
    first, second = (sample_catalogue(tmp_path / name, n_per_class=9, random_state=3) for name in "ab")
    assert first["obsid"].tolist() == second["obsid"].tolist()
    assert first.meta == second.meta == {"n_rows": 200, "n_found": {"A": 200}}


def test_cells_that_are_empty_at_the_ends_of_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id\tsubclass\tz\n\tA5\t1\n2\tB2\t\n\tF0\t\n")
    table = all_rows(path)
    assert table["subclass"].tolist() == ["A5", "B2", "F0"]
    assert table["id"].tolist() == [None, 2, None]
    assert table["z"].tolist() == [1, None, None]


@pytest.mark.parametrize(
    "header", ["#obsid|subclass", "# obsid|subclass", '"obsid"|"subclass"', "\nobsid|subclass"]
)
def test_headers(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(header + "\n#1|A5\n#2|A5\n")
    table = all_rows(path)
    assert table.colnames == ["obsid", "subclass"]
    assert table["obsid"].tolist() == ["#1", "#2"]


def test_letters_beyond_ascii(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name|subclass\nα\x85β\u2028Cen|K1é\nx|A5\n", encoding="utf-8")
    table = all_rows(path)
    assert table["name"].tolist() == ["α\x85β\u2028Cen", "x"]
    assert table.meta == {"n_rows": 2, "n_found": {"A5": 1, "K1é": 1}}


@pytest.mark.parametrize("chunk", [8, 1 << 24])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a|subclass\n1|A5\n\n2|K\xe9\n", "line 4 is not UTF-8; convert text in latin-1 with iconv"),
        (b"\xe9|subclass\n1|A5\n", "line 1 is not UTF-8"),
        (b"\n" + "a|subclass\n1|A5\n".encode("utf-16"), "line 2 is not UTF-8"),
        (b"a|subclass\n1|A5\n2|K\x00\n", "line 3 has a zero byte"),
        (b"a|subclass\n1|A5\n2\r|K\n", "line 3 has a carriage return before its end"),
        (b'a|subclass\n1|A5\n"2|K\n3"|M\n', "line 3 has a cell whose opening quote is not closed"),
        (b'a|subclass\n1|A5\n2|"K\n', "line 3 has a cell whose opening quote is not closed"),
        (b"a|subclass\n1|A5\n\n\n2|K|3\n", "line 5 has 3 cells for 2 columns"),
        (b"a|" + b"b" * 200_000 + b"\n1|A5\n", "field larger than field limit"),
    ],
)
def test_damaged_text(tmp_path, monkeypatch, content, message, chunk):
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", chunk)
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        all_rows(path)
    assert str(caught.value).startswith(f"{path}: ")
