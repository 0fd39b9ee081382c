"""Samples of catalogues: exactly uniform, the same for all layouts, and errors with the file name."""

import gzip
import itertools
import time
from collections import Counter

import numpy as np
import pytest
from astropy.table import Table
from scipy.stats import binom, chi2, chisquare, ks_2samp

from skspec.io import _catalogue_rows, sample_catalogue
from skspec.mk import temperature_class

HEADER = "obsid|designation|ra|snrg|class|subclass|z"
SUBCLASSES = ["A5", "F0", "G2", "K3", "dM2", "gM0", "sdM1", "B6", "OB", "O", "CV", "Non", ""]
SHARES = np.array([20, 25, 20, 15, 8, 2, 0.5, 1, 0.2, 0.05, 0.5, 7, 0.75]) / 100


def make(n, seed=0):
    rng = np.random.default_rng(seed)
    names = rng.choice(SUBCLASSES, n, p=SHARES)
    kinds = np.where(names == "Non", rng.choice(["GALAXY", "QSO"], n), "STAR")
    ra, snr = rng.uniform(0, 360, n).round(6), rng.uniform(0, 99, n).round(2)
    lines = [
        f"{1000 + i}|J{i:06d}.5-0203|{ra[i]}|{snr[i]}|{kinds[i]}|{names[i]}|{'-9999.0' if i % 50 else ''}"
        for i in range(n)
    ]
    return names, kinds, "\n".join([HEADER, *lines, ""])


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """A catalogue of 200 000 rows, and its values."""
    names, kinds, text = make(200_000)
    path = tmp_path_factory.mktemp("survey") / "dr6.csv"
    path.write_text(text)
    return path, names, kinds


def test_counts_and_rows(survey):
    path, names, kinds = survey
    table = sample_catalogue(path, n_per_class=300, random_state=0)
    counts = {name: int((names == name).sum()) for name in sorted(SUBCLASSES) if name}
    assert table.meta == {"n_rows": 200_000, "n_found": counts}
    assert Counter(table["subclass"].tolist()) == {name: min(n, 300) for name, n in counts.items()}
    row = np.asarray(table["obsid"]) - 1000
    assert (np.diff(row) > 0).all()
    assert table["subclass"].tolist() == names[row].tolist()
    assert table["class"].tolist() == kinds[row].tolist()
    assert table["designation"][5] == f"J{row[5]:06d}.5-0203"
    assert table.colnames == HEADER.split("|")
    np.testing.assert_array_equal(np.ma.getmaskarray(table["z"]), row % 50 == 0)


def test_reduced_to_mk_classes(survey):
    path, names, _ = survey
    table = sample_catalogue(path, n_per_class=300, by="mk-class", random_state=0)
    truth = temperature_class(names)
    assert table.meta["n_found"] == {name: int((truth == name).sum()) for name in "ABFGKMO"}
    assert set(table["subclass"][table["mk_class"] == "O"]) == {"O"}
    assert set(table["subclass"][table["mk_class"] == "M"]) == {"dM2", "gM0", "sdM1"}
    some = sample_catalogue(path, n_per_class=300, by="mk-class", classes=["M", "O"], random_state=0)
    both = np.isin(table["mk_class"], ["M", "O"])
    assert some["obsid"].tolist() == table["obsid"][both].tolist()


def test_where_and_any_column(survey):
    path, _, kinds = survey
    table = sample_catalogue(
        path, n_per_class=40, by="CLASS", where={"subclass": "Non", "class": "QSO"}, random_state=0
    )
    assert table.meta["n_found"] == {"QSO": int((kinds == "QSO").sum())}
    assert set(table["class"]) == {"QSO"}


def test_seed_and_size_of_the_chunks(survey, monkeypatch):
    path = survey[0]
    first = sample_catalogue(path, n_per_class=50, random_state=7)["obsid"].tolist()
    assert sample_catalogue(path, n_per_class=50, random_state=7)["obsid"].tolist() == first
    assert sample_catalogue(path, n_per_class=50, random_state=8)["obsid"].tolist() != first
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 100_003)
    again = sample_catalogue(path, n_per_class=50, random_state=np.random.RandomState(7))
    assert again["obsid"].tolist() == first


def test_rows_are_drawn_uniformly_along_the_file(survey):
    """Class G2 has 40 000 rows; 4000 are drawn: uniformly over 50 parts of the file, by a chi-square test."""
    path, names, _ = survey
    table = sample_catalogue(path, n_per_class=4000, classes=["G2"], random_state=0)
    members = np.flatnonzero(names == "G2")
    place = np.searchsorted(members, np.asarray(table["obsid"]) - 1000)
    observed = np.histogram(place, bins=50, range=(0, members.size))[0]
    shrink = 1 - 4000 / members.size  # without replacement: counts vary less than Poisson's
    assert chi2.sf(((observed - 80) ** 2).sum() / 80 / np.sqrt(shrink), 49) > 0.01
    assert ks_2samp(table["snrg"], np.random.default_rng(1).uniform(0, 99, 4000)).pvalue > 0.01


def test_every_set_is_equally_likely(tmp_path, monkeypatch):
    """The 10 pairs of 5 rows, in chunks of one or two rows."""
    path = tmp_path / "a.csv"
    path.write_text("obsid|subclass\n" + "".join(f"{i}|A\n{i + 10}|B\n" for i in range(5)))
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 8)
    random = np.random.RandomState(0)
    drawn = Counter(
        tuple(sample_catalogue(path, n_per_class=2, classes=["A"], random_state=random)["obsid"].tolist())
        for _ in range(600)
    )
    assert set(drawn) == set(itertools.combinations(range(5), 2))
    assert chisquare(list(drawn.values()))[1] > 0.01
    assert max(drawn.values()) < binom.ppf(0.9999, 600, 0.1)


# Layouts -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    names, _, text = make(3000, seed=1)
    return names, text


@pytest.mark.parametrize(
    "change",
    [
        lambda text: gzip.compress(text.encode()),
        lambda text: text.replace("|", ",").encode(),
        lambda text: text.replace("|", "\t").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("|J", ',"J,1"J').replace("|", ",").replace('"J', '"J').encode(),
    ],
    ids=["gzip", "commas", "tabs", "windows", "byte order mark", "no last newline", "quotes"],
)
def test_layouts_of_text(tmp_path, small, change, monkeypatch):
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 10_000)
    (tmp_path / "plain").write_text(small[1])
    expected = sample_catalogue(tmp_path / "plain", n_per_class=20, random_state=0)
    (tmp_path / "other").write_bytes(change(small[1]))
    table = sample_catalogue(tmp_path / "other", n_per_class=20, random_state=0)
    assert table.meta == expected.meta
    for name in ("obsid", "ra", "subclass"):
        assert table[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
def test_fits(tmp_path, small, monkeypatch, name):
    (tmp_path / "plain").write_text(small[1])
    expected = sample_catalogue(tmp_path / "plain", n_per_class=20, by="mk-class", random_state=0)
    table = Table.read(small[1], format="ascii.csv", delimiter="|")
    table["subclass"] = table["subclass"].filled("")
    table["good"] = np.asarray(table["obsid"]) % 2 == 0
    table["vector"] = np.asarray(table["obsid"])[:, None] * np.array([1.0, 2.0])
    table.write(tmp_path / name)
    monkeypatch.setattr(_catalogue_rows, "_CHUNK", 10_000)
    drawn = sample_catalogue(tmp_path / name, n_per_class=20, by="mk-class", random_state=0)
    assert drawn.meta == expected.meta
    for column in ("obsid", "ra", "designation", "subclass", "mk_class"):
        assert drawn[column].tolist() == expected[column].tolist()
    np.testing.assert_array_equal(drawn["good"], drawn["obsid"] % 2 == 0)
    np.testing.assert_array_equal(drawn["vector"][:, 1], 2.0 * drawn["obsid"])
    if name == "a.fits":
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:100_000])
        with pytest.raises(
            (ValueError, OSError), match=r"a\.fits: truncated, the table ends in row \d+ of 3000"
        ):
            sample_catalogue(tmp_path / name, n_per_class=20)


# Errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a line of column names"),
        ("obsid\n1\n", "a line of column names"),
        ("a|subclass\n1|A\n2|B|3\n", "line 3 has 3 cells for 2 columns, the file may be damaged"),
        ("a|subclass\n1|A\n2\n3|B\n", "line 3 has 1 cells for 2 columns"),
        ("a|type\n1|A\n", "there is no column 'subclass'; it has a, type"),
        ("a|subclass\n1|\n2|\n", "no row with a class among 2 by subclass; the classes found are none"),
        ("a|subclass\n", "no row with a class among 0"),
    ],
)
def test_no_catalogue(tmp_path, text, message):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        sample_catalogue(path, n_per_class=1)
    assert str(caught.value).startswith(str(path))


def test_bad_arguments(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a|subclass\n1|A5\n2|OB\n")
    with pytest.raises(ValueError, match=r"a.csv: no row of class O among 2 by mk-class; .* are A"):
        sample_catalogue(path, n_per_class=1, by="mk-class", classes=["A", "O"])
    with pytest.raises(ValueError, match="n_per_class must be a positive integer, got 0"):
        sample_catalogue(path, n_per_class=0)
    for classes in ("A", 1):
        with pytest.raises(TypeError, match=f"classes must be a list of names, got {classes!r}"):
            sample_catalogue(path, n_per_class=1, classes=classes)
    for classes in ([], ["A5", ""]):
        with pytest.raises(
            ValueError, match="classes must name at least one class, and none may be empty, got "
        ):
            sample_catalogue(path, n_per_class=1, classes=classes)
    with pytest.raises(TypeError, match="classes must hold text or numbers, got b'A5'"):
        sample_catalogue(path, n_per_class=1, classes=[b"A5"])
    with pytest.raises(TypeError, match="where must hold text or numbers, got None"):
        sample_catalogue(path, n_per_class=1, where={"a": None})
    with pytest.raises(TypeError, match=r"where must be a dictionary of columns and values, got \['a=1'\]"):
        sample_catalogue(path, n_per_class=1, where=["a=1"])
    with pytest.raises(ValueError, match="where names the column 'a' twice"):
        sample_catalogue(path, n_per_class=1, where={"a": 1, "A": 2})
    with pytest.raises(FileNotFoundError, match=r"b.csv: no such file"):
        sample_catalogue(tmp_path / "b.csv", n_per_class=1)
    with pytest.raises(IsADirectoryError, match="is a directory; a file is needed"):
        sample_catalogue(tmp_path, n_per_class=1)
    (tmp_path / "b.csv").write_bytes(gzip.compress(path.read_bytes())[:-8])
    with pytest.raises(OSError, match=r"b.csv: cannot be decompressed, it may be truncated"):
        sample_catalogue(tmp_path / "b.csv", n_per_class=1)


def test_numbers_are_compared_as_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a|subclass\n" + "".join(f"{i}|{i % 3}\n" for i in range(30)))
    table = sample_catalogue(path, n_per_class=99, classes=[1, np.int64(2)])
    assert table.meta["n_found"] == {"1": 10, "2": 10}
    assert sample_catalogue(path, n_per_class=1, where={"a": 17})["a"].tolist() == [17]


def test_column_of_the_same_name_is_not_replaced(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a|subclass|MK_class\n1|A5|dwarf\n")
    with pytest.raises(ValueError, match=r"a.csv: there already is a column 'mk_class'"):
        sample_catalogue(path, n_per_class=1, by="mk-class")
    assert sample_catalogue(path, n_per_class=1)["MK_class"].tolist() == ["dwarf"]


def test_exact_name_of_a_column_goes_first(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Class|class\nx|y\n")
    assert sample_catalogue(path, n_per_class=1, by="class").meta["n_found"] == {"y": 1}
    assert sample_catalogue(path, n_per_class=1, by="CLASS").meta["n_found"] == {"x": 1}


def test_as_many_classes_as_rows(tmp_path):
    """With one class per row, time does not grow quadratically with the number of rows."""
    n_rows = 40_000
    path = tmp_path / "each.csv"
    path.write_text("obsid,subclass\n" + "".join(f"{i},A5\n" for i in range(n_rows)))
    start = time.process_time()
    table = sample_catalogue(path, n_per_class=2, by="obsid", random_state=0)
    np.testing.assert_array_equal(table["obsid"], np.arange(n_rows))
    assert time.process_time() - start < 10.0
