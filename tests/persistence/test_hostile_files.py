"""Model files that are damaged, too new, or malicious: each is refused with one sentence."""

import contextlib
import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from skspec import LogWaveResampler, Spectra, load, save
from skspec.persistence import _skops, read_info
from tests.persistence._files import load_random_changes, read_entries, with_manifest, write_entries

skops_io = pytest.importorskip("skops.io")
safetensors = pytest.importorskip("safetensors.numpy")

WAVE = np.linspace(4000.0, 7000.0, 120)
FLUX = np.random.default_rng(0).normal(2.0, 0.1, (30, 120))
LABELS = np.repeat(["A", "F", "G"], 10)


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """Entries of a valid file."""
    path = tmp_path_factory.mktemp("good") / "model.skspec"
    model = make_pipeline(LogWaveResampler(loglam_min=3.61, loglam_max=3.84, n_bins=30), LogisticRegression())
    save(model.fit(Spectra(FLUX, wave=WAVE), LABELS), path)
    return read_entries(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bad.skspec"


def refused(path, message):
    with pytest.raises(ValueError, match=message) as info:
        load(path)
    text = str(info.value)
    assert text.startswith(str(path))
    assert "\n" not in text.removeprefix(str(path))
    return text


def step(manifest, i):
    return manifest["model"]["params"]["steps"][i]["tuple"][1]


def test_good_file_loads(entries, path):
    write_entries(path, entries)
    assert load(path).classes_.tolist() == ["A", "F", "G"]


def test_no_model_at_all(entries, path):
    path.write_bytes(b"")
    refused(path, "is not a skspec model")
    path.write_bytes(pickle.dumps({"a": 1}))
    refused(path, "is not a skspec model")
    write_entries(path, {"schema.json": b"{}"})
    refused(path, r"it has no manifest\.json, so it is not a skspec model")
    write_entries(path, entries | {"manifest.json": b'{"format": "other"}'})
    refused(path, "does not say format 'skspec model'")
    with pytest.raises(FileNotFoundError):
        load(path.with_name("absent.skspec"))


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 0.999])
def test_truncated(part, entries, path):
    write_entries(path, entries)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    refused(path, "is not a skspec model, or is damaged")


def test_flipped_bit(entries, path):
    write_entries(path, entries)
    data = bytearray(path.read_bytes())
    data[data.index(entries["weights.safetensors"][-40:]) + 3] ^= 4
    path.write_bytes(data)
    refused(path, "or is damaged: Bad CRC-32")


def test_newer_version(entries, path):
    manifest = json.loads(entries["manifest.json"])
    manifest |= {"format_version": 2, "something": "new"}
    write_entries(path, entries | {"manifest.json": json.dumps(manifest).encode(), "new": b""})
    refused(path, "format version 2, and this version of skspec reads up to 1; upgrade skspec")
    with pytest.raises(ValueError, match="format version 2"):
        read_info(path)


@pytest.mark.parametrize("number", ["1", 0, True, None, 1.0])
def test_version_of_wrong_type(number, entries, path):
    manifest = json.loads(entries["manifest.json"]) | {"format_version": number}
    write_entries(path, entries | {"manifest.json": json.dumps(manifest).encode()})
    refused(path, "format_version is")


def test_compressed_entries_could_swell(entries, path):
    write_entries(path, entries, zipfile.ZIP_DEFLATED)
    refused(path, "is compressed or encrypted")
    swollen = io.BytesIO()
    write_entries(swollen, {"schema.json": b" " * 10_000_000}, zipfile.ZIP_DEFLATED)
    write_entries(path, entries | {"steps/0.skops": swollen.getvalue()})
    refused(path, "entry 'schema.json' is compressed")


def test_entries_that_do_not_belong(entries, path):
    write_entries(path, entries | {"../evil.py": b"import os"})
    refused(path, r"unexpected entries \['\.\./evil\.py'\]")
    write_entries(path, {k: v for k, v in entries.items() if k != "weights.safetensors"})
    refused(path, "lacks the entries")
    manifest = json.loads(entries["manifest.json"])
    manifest["blobs"].append("steps/1.skops")
    write_entries(path, entries | {"manifest.json": json.dumps(manifest).encode(), "steps/1.skops": b""})
    refused(path, "'steps/1.skops', which belongs to no step")
    arrays = safetensors.load(entries["weights.safetensors"]) | {"more": np.ones(3)}
    write_entries(path, entries | {"weights.safetensors": safetensors.save(arrays)})
    refused(path, "'more', which belongs to no step")
    write_entries(path, entries)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("manifest.json", entries["manifest.json"])
    refused(path, "two entries of the same name")


def test_entries_larger_than_the_file(entries, path):
    write_entries(path, entries)
    data = bytearray(path.read_bytes())
    where = struct.unpack("<I", data[-6:-2])[0]  # the directory of the archive
    data[where + 20 : where + 28] = struct.pack("<II", 2**31 - 1, 2**31 - 1)
    path.write_bytes(data)
    refused(path, "claim to be larger than the file")


def test_weights_that_are_none(entries, path):
    write_entries(path, entries | {"weights.safetensors": b"\x10\0\0\0\0\0\0\0{}"})
    refused(path, r"weights\.safetensors cannot be read")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"format": NaN}', "which is not JSON"),
        (b"[]", "does not say format"),
    ],
)
def test_broken_manifest(text, message, entries, path):
    write_entries(path, entries | {"manifest.json": text})
    refused(path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(extra=1), "unknown or missing keys: extra"),
        (lambda m: m.pop("classes"), "unknown or missing keys: classes"),
        (lambda m: m.update(model=3), "a step that is not an estimator"),
        (lambda m: m["model"].update(extra=1), "a step that is not an estimator"),
        (lambda m: step(m, 0).update(estimator="os.system"), "unknown class 'os.system'; import the package"),
        (lambda m: step(m, 0).update(estimator="skspec.load"), "unknown class 'skspec.load'"),
        (lambda m: step(m, 0).update(estimator="skspec.persistence"), "unknown class 'skspec.persistence'"),
        (lambda m: step(m, 0).update(estimator="sklearn.svm.SVC"), "unknown class 'sklearn.svm.SVC'"),
        (lambda m: step(m, 0).update(estimator=["x"]), r"unknown class \['x'\]"),
        (lambda m: step(m, 0)["params"].update(evil=1), "LogWaveResampler has no parameter 'evil'"),
        (lambda m: step(m, 0).update(params=[]), "params of skspec.LogWaveResampler must be a dictionary"),
        (
            lambda m: step(m, 0)["fitted"]["dict"].update(__class__=1),
            "cannot have a fitted attribute '__class__'",
        ),
        (
            lambda m: step(m, 0)["fitted"]["dict"].update(__dict__=1),
            "cannot have a fitted attribute '__dict__'",
        ),
        (
            lambda m: step(m, 0)["fitted"]["dict"].update(transform=1),
            "cannot have a fitted attribute 'transform'",
        ),
        (lambda m: step(m, 0)["fitted"]["dict"].update(_x_=1), "cannot have a fitted attribute '_x_'"),
        (lambda m: step(m, 0).update(fitted=[]), "fitted attributes of skspec.LogWaveResampler must be"),
        (lambda m: step(m, 0).update(output={"dict": {"transform": "os"}}), "unknown output configuration"),
        (lambda m: step(m, 0)["params"].update(wave={"array": "x"}), "lacks the array 'x'"),
        (lambda m: step(m, 0)["params"].update(wave={"pickle": "gASVA"}), "a value of unknown form"),
        (lambda m: step(m, 0)["params"].update(wave={}), "a value of unknown form"),
        (lambda m: step(m, 0)["params"].update(wave={"tuple": [], "x": 1}), "a value of unknown form"),
        (lambda m: step(m, 0)["params"].update(wave={"float": "1e5"}), "a value of unknown form"),
        (lambda m: step(m, 0)["params"].update(wave={"items": [[[1], 2]]}), "whose items are not pairs"),
        (lambda m: step(m, 0)["params"].update(wave={"items": [[1, 2, 3]]}), "whose items are not pairs"),
        (lambda m: step(m, 0)["params"].update(wave={"scalar": 300, "dtype": "int8"}), "300 as 'int8'"),
        (lambda m: step(m, 0)["params"].update(wave={"scalar": 1, "dtype": "object"}), "1 as 'object'"),
        (
            lambda m: step(m, 0)["params"].update(wave={"scalar": {"float": "nan"}, "dtype": "int8"}),
            "nan as 'int8'",
        ),
        (
            lambda m: step(m, 0)["params"].update(
                wave={"strings": ["a"], "shape": [1], "dtype": "<U999999999"}
            ),
            "larger than 256 MiB",
        ),
        (
            lambda m: step(m, 0)["params"].update(wave={"strings": ["a"], "shape": [1], "dtype": "O"}),
            "array of 'O'",
        ),
        (
            lambda m: step(m, 0)["params"].update(
                wave={"strings": ["a"], "shape": [2**40, 0], "dtype": "<U1"}
            ),
            "1 strings for an array of shape",
        ),
        (
            lambda m: step(m, 0)["params"].update(wave={"strings": [1], "shape": [1], "dtype": "<U1"}),
            "something else",
        ),
        (lambda m: m["model"]["params"].update(memory="/tmp/cache"), "has a value for memory"),
        (lambda m: step(m, 1).update(sklearn="SVC"), "holds a LogisticRegression, but the file says SVC"),
        (lambda m: step(m, 1).update(blob="steps/7.skops"), "'LogisticRegression' without content"),
        (lambda m: step(m, 1).update(blob=None), "without content"),
    ],
)
def test_invalid_manifest(change, message, entries, path):
    write_entries(path, with_manifest(entries, change))
    refused(path, message)


def test_object_arrays_cannot_be_smuggled_in(entries, path):
    header = json.dumps({"x": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}).encode()
    write_entries(path, entries | {"weights.safetensors": struct.pack("<Q", len(header)) + header + bytes(8)})
    refused(path, r"weights\.safetensors cannot be read")


# Blobs of skops ------------------------------------------------------------------------------------------


def rename_class(blob, old, new):
    """Blob whose schema names another class."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = parts["schema.json"].decode()
    for a, b in zip(old, new, strict=True):
        assert a in schema
        schema = schema.replace(a, b, 1)
    out = io.BytesIO()
    write_entries(out, parts | {"schema.json": schema.encode()})
    return out.getvalue()


def test_blob_that_names_code(entries, path):
    old = ('"__class__": "LogisticRegression"', '"__module__": "sklearn.linear_model._logistic"')
    for new in (
        ('"__class__": "Popen"', '"__module__": "subprocess"'),
        ('"__class__": "system"', '"__module__": "os"'),
    ):
        write_entries(path, entries | {"steps/0.skops": rename_class(entries["steps/0.skops"], old, new)})
        text = refused(path, "not a trusted type")
        assert "steps/0.skops (LogisticRegression)" in text
        assert ("subprocess.Popen" in text) or ("os.system" in text)


def test_blob_of_something_else(entries, path):
    write_entries(path, entries | {"steps/0.skops": skops_io.dumps([1, 2])})
    refused(path, "holds a list, but the file says LogisticRegression")
    write_entries(path, entries | {"steps/0.skops": b"garbage"})
    refused(path, "is damaged")
    forest = RandomForestClassifier(2).fit(FLUX, LABELS)
    write_entries(path, entries | {"steps/0.skops": skops_io.dumps(forest)})
    refused(
        path, r"holds (sklearn\.tree\._tree\.Tree, not a trusted|a RandomForestClassifier, but the file says)"
    )


def dump_with(change, estimator):
    """Blob of a tree or forest with manipulated trees."""
    from skops.io import _sklearn as module
    from skops.io._utils import _get_state

    def tree_state(tree, save_context):
        state = tree.__getstate__()
        change(state)
        return {
            "__class__": "Tree",
            "__module__": "sklearn.tree._tree",
            "__loader__": "TreeNode",
            "__reduce__": {"args": module.get_state(tree.__reduce__()[1], save_context)},
            "content": module.get_state(state, save_context),
        }

    original = _get_state.dispatch(Tree)
    _get_state.register(Tree)(tree_state)
    try:
        return _skops.dump(estimator, "step 'x'")
    finally:
        _get_state.register(Tree)(original)


def node(field, row, value):
    def change(state):
        state["nodes"][field][row] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        node("left_child", 0, 10**9),
        node("right_child", 0, -7),
        node("left_child", 0, 0),
        node("right_child", 1, 0),
        node("feature", 0, 120),
        node("feature", 0, -5),
        lambda state: state.update(node_count=0),
        lambda state: state.clear(),
    ],
    ids=["far", "negative", "self", "cycle", "feature", "leaf-feature", "no-nodes", "no-state"],
)
@pytest.mark.parametrize(
    "estimator",
    [DecisionTreeClassifier(random_state=0), RandomForestClassifier(2, random_state=0)],
    ids=["tree", "forest"],
)
def test_trees_that_lead_outside(estimator, change):
    name = type(estimator).__name__
    estimator.fit(FLUX, LABELS)
    good = dump_with(lambda state: None, estimator)
    np.testing.assert_array_equal(
        _skops.restore(good, name, "step 'x'").predict(FLUX), estimator.predict(FLUX)
    )
    bad = dump_with(change, estimator)
    with pytest.raises(ValueError, match=r"step 'x' .*has a tree whose nodes are inconsistent"):
        _skops.restore(bad, name, "step 'x'")


# Random manifests -----------------------------------------------------------------------------------------


def test_random_damage_is_always_refused_or_harmless(entries, path):
    rng = np.random.default_rng(0)
    write_entries(path, entries)
    good = path.read_bytes()
    for _ in range(200):
        data = bytearray(good)
        for where in rng.integers(0, len(data), rng.integers(1, 4)):
            data[where] = rng.integers(0, 256)
        path.write_bytes(data)
        with contextlib.suppress(ValueError):
            load(path)


def test_random_manifests_are_always_refused_or_harmless(entries, path):
    load_random_changes(path, entries, 300)
