"""Model files with one bit changed: the checksum refuses them, and what lies behind it holds without it."""

import contextlib
import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skspec import Conv1DClassifier, FluxNormalizer, MissingFluxImputer, load, save
from skspec.persistence import read_info
from skspec.persistence._bundle import checksum
from tests.persistence._files import read_entries, write_entries

pytest.importorskip("skops")

X = np.random.default_rng(0).normal(2.0, 0.2, (30, 24)).astype(np.float32)
LABELS = np.repeat(["A", "F", "G"], 10)
CHECKSUM = "checksum.sha256"


def network():
    return Conv1DClassifier(filters=(2,), kernel_sizes=(3,), max_epochs=1, random_state=0)


def models():
    return {
        "network": make_pipeline(FluxNormalizer(), network()),
        "vectors": make_pipeline(StandardScaler(), SVC(kernel="poly")),
        "others": make_pipeline(
            MissingFluxImputer("template", n_components=2, random_state=0),
            FeatureUnion([("scale", StandardScaler()), ("raw", "passthrough")]),
            KNeighborsClassifier(3, algorithm="brute"),
        ),
        "tree": make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)),
        "line": make_pipeline(StandardScaler(), LogisticRegression()),
    }


@pytest.fixture(scope="module", params=models())
def saved(request, tmp_path_factory):
    """Path, entries and predictions of a good file."""
    path = tmp_path_factory.mktemp("good") / "model.skspec"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = models()[request.param].fit(X, LABELS)
    save(model, path)
    return path, read_entries(path), model.predict(X)


def flipped(content, rng):
    """Bytes with one bit changed."""
    changed = bytearray(content)
    changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    return bytes(changed)


def mutated(entries, rng):
    """Entries with one bit of one of them changed; inside a blob, with valid checksums of its own archive."""
    name = rng.choice([name for name, content in entries.items() if content])
    if not name.endswith(".skops"):
        return entries | {str(name): flipped(entries[name], rng)}
    with zipfile.ZipFile(io.BytesIO(entries[name])) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    part = rng.choice(list(parts))
    blob = io.BytesIO()
    write_entries(blob, parts | {str(part): flipped(parts[part], rng)})
    return entries | {str(name): blob.getvalue()}


def test_any_changed_bit_is_refused(saved, tmp_path):
    _, entries, _ = saved
    path, rng = tmp_path / "model.skspec", np.random.default_rng(1)
    for _ in range(300):
        write_entries(path, mutated(entries, rng), resealed=False)
        with pytest.raises(ValueError, match=r"model\.skspec (cannot be loaded|is not a skspec model)"):
            load(path)


def loaded_or_refused(path):
    """The model of a file, or None if it is refused in one sentence."""
    try:
        return load(path)
    except ValueError as error:
        message = str(error).removeprefix(str(path))
    assert len(message) < 400
    assert "\n" not in message
    return None


def test_any_changed_bit_of_the_archive_is_refused_or_harmless(saved, tmp_path):
    good, _, expected = saved
    path, rng = tmp_path / "model.skspec", np.random.default_rng(2)
    data, n_loaded = good.read_bytes(), 0
    for _ in range(100):
        path.write_bytes(flipped(data, rng))
        model = loaded_or_refused(path)
        if model is not None:  # the bit belongs to a date or an operating system in the directory
            n_loaded += 1
            np.testing.assert_array_equal(model.predict(X), expected)
    assert n_loaded < 20


def test_changed_bits_behind_the_checksum(saved, tmp_path):
    _, entries, _ = saved
    path, rng = tmp_path / "model.skspec", np.random.default_rng(3)
    n_refused = 0
    content = {name: text for name, text in entries.items() if name != CHECKSUM}
    for _ in range(100):
        write_entries(path, mutated(content, rng) | {CHECKSUM: b""})
        model = loaded_or_refused(path)
        if model is None:
            n_refused += 1
            continue
        # What the checks do not see, numpy and scikit-learn find, or the model is only another one.
        errors = (ValueError, TypeError, IndexError, AttributeError, FloatingPointError)
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.suppress(*errors):
            warnings.simplefilter("ignore")
            assert len(model.predict(X)) == len(X)
    assert n_refused > 20


def test_read_info_verifies_the_whole_file(saved, tmp_path):
    _, entries, _ = saved
    path, rng = tmp_path / "model.skspec", np.random.default_rng(4)
    write_entries(path, entries)
    assert read_info(path)["classes"] == ["A", "F", "G"]
    for name in entries:
        write_entries(path, entries | {name: flipped(entries[name], rng)}, resealed=False)
        with pytest.raises(ValueError, match=r"model\.skspec (cannot be loaded|is not a skspec model)"):
            read_info(path)


def test_checksum_covers_names_and_boundaries(saved):
    _, entries, _ = saved
    first, second, *_ = entries
    renamed = {"other" if name == second else name: content for name, content in entries.items()}
    moved = entries | {
        first: entries[first] + entries[second][:1],
        second: entries[second][1:],
    }
    assert len({checksum(renamed), checksum(moved), checksum(entries)}) == 3
    assert json.loads(entries["manifest.json"])["format_version"] == 2
