"""Sizes that a model file states: its arrays must bear them out, before anything is built or allocated."""

import io
import json
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skspec import (
    ContinuumNormalizer,
    Conv1DClassifier,
    Conv1DRegressor,
    ConvKANClassifier,
    ConvTranClassifier,
    LogWaveResampler,
    MissingFluxImputer,
    PlainCNNClassifier,
    ResNet1DClassifier,
    Spectra,
    load,
    save,
)
from skspec.persistence import read_info
from tests.persistence._files import read_entries, with_manifest, write_entries

safetensors = pytest.importorskip("safetensors.numpy")
pytest.importorskip("skops")

WAVE = np.linspace(4000.0, 7000.0, 40)
FLUX = np.random.default_rng(0).normal(2.0, 0.2, (12, 40)).astype(np.float32)
LABELS = np.repeat(["A", "F", "G"], 4)
MANY = {"tuple": [1] * 20_000}
RUN = {"max_epochs": 1, "random_state": 0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skspec"


def refused(path, message):
    """Check that a file is refused with a message, and soon."""
    start = time.process_time()
    with pytest.raises(ValueError, match=message) as info:
        load(path)
    assert time.process_time() - start < 2
    assert len(str(info.value)) - len(str(path)) < 400
    assert "\n" not in str(info.value)


def changed_params(path, model, **params):
    """Save a model, and change its parameters in the file."""
    save(model, path)
    write_entries(
        path, with_manifest(read_entries(path), lambda manifest: manifest["model"]["params"].update(params))
    )


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (Conv1DClassifier, {"hidden": MANY}),
        (Conv1DClassifier, {"filters": MANY}),
        (Conv1DClassifier, {"kernel_sizes": MANY}),
        (Conv1DClassifier, {"filters": {"tuple": [8, 10**12]}}),
        (Conv1DRegressor, {"hidden": MANY}),
        (Conv1DClassifier, {"n_channels": 40}),
        (ConvKANClassifier, {"filters": MANY}),
        (ConvKANClassifier, {"n_bases": 10**9}),
        (ConvTranClassifier, {"embed_dim": 10**9}),
        (ConvTranClassifier, {"feedforward_dim": 10**15}),
        (ConvTranClassifier, {"kernel_size": 10**15}),
        (PlainCNNClassifier, {"hidden": MANY}),
        (PlainCNNClassifier, {"filters": MANY, "pooling": 1}),
        (PlainCNNClassifier, {"kernel_sizes": 10**12}),
        (ResNet1DClassifier, {"depth": 101}),
        (ResNet1DClassifier, {"n_hidden": 10**12}),
        (ResNet1DClassifier, {"n_scalars": 39}),
    ],
    ids=range(17),
)
def test_networks_larger_than_their_weights(cls, params, path):
    small = {"width": 2} if cls is ResNet1DClassifier else {}
    target = np.arange(12.0) if cls is Conv1DRegressor else LABELS
    changed_params(path, cls(**RUN, **small).fit(FLUX, target), **params)
    refused(path, "state and weights of skspec.* do not fit it")


def test_network_is_not_built_beyond_its_weights(path):
    changed_params(path, Conv1DClassifier(**RUN).fit(FLUX, LABELS), hidden=MANY)
    refused(path, "the parameters ask for a network of more than the .. arrays that there are")
    model = Conv1DClassifier(hidden=(4,) * 200, **RUN).fit(FLUX, LABELS)
    save(model, path)  # which many layers with weights may be
    np.testing.assert_array_equal(load(path).predict_proba(FLUX), model.predict_proba(FLUX))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s.update(classes_dtype="<U500000000"),
            "of the type <U500000000 are not a list, or too large",
        ),
        (lambda s: s.update(classes=["A", "A", "F"]), "sorted and distinct"),
        (lambda s: s.update(classes=["G", "F", "A"]), "sorted and distinct"),
        (lambda s: s.update(classes=[["A"], ["F"], ["G"]]), "sorted and distinct"),
        (lambda s: s.update(n_features_in=10**12), "do not fit"),
        (lambda s: s.update(n_features_in=-40), "a positive number of features is needed, got -40"),
        (lambda s: s.update(feature_names_in=["a"]), "there are not 40 feature names"),
        (
            lambda s: s.update(history={"dict": {str(i): [] for i in range(100_000)}}),
            "at most 1000 columns, got 100000",
        ),
        (lambda s: s["history"]["dict"].update(lr=[1.0] * 5), "different lengths"),
        (lambda s: s["history"]["dict"].update(lr={"dict": {}}), "column 'lr' of the history is not a list"),
    ],
)
def test_states(change, message, path):
    save(Conv1DClassifier(**RUN).fit(FLUX, LABELS), path)

    def change_state(manifest):
        change(manifest["model"]["fitted"]["state"]["dict"])

    write_entries(path, with_manifest(read_entries(path), change_state))
    refused(path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda wave: wave[::-1].copy(), "wave must have 40 finite, increasing wavelengths"),
        (lambda wave: wave[:7].copy(), "wave must have 40 finite, increasing wavelengths"),
        (lambda wave: wave * np.nan, "wave must have 40 finite, increasing wavelengths"),
    ],
)
def test_grids_of_networks(change, message, path):
    save(Conv1DClassifier(**RUN).fit(Spectra(FLUX, wave=WAVE), LABELS), path)
    entries = read_entries(path)
    arrays = safetensors.load(entries["weights.safetensors"])
    (key,) = [name for name in arrays if name.endswith("wave")]
    arrays[key] = change(arrays[key])
    write_entries(path, entries | {"weights.safetensors": safetensors.save(arrays)})
    refused(path, message)


def test_weights_are_not_cast(path):
    save(Conv1DClassifier(**RUN).fit(FLUX, LABELS), path)
    entries = read_entries(path)
    arrays = safetensors.load(entries["weights.safetensors"])
    key = next(name for name in arrays if name.endswith("final_layer.bias"))
    arrays[key] = arrays[key].astype(np.float64)
    write_entries(path, entries | {"weights.safetensors": safetensors.save(arrays)})
    refused(path, r"final_layer.bias is float64 of shape \(3,\), not float32 of shape \(3,\)")


@pytest.mark.parametrize(
    ("model", "params", "message"),
    [
        (
            LogWaveResampler(loglam_min=3.65, loglam_max=3.8, n_bins=20),
            {"n_bins": 10**9},
            "n_bins=1000000000",
        ),
        (ContinuumNormalizer("spline"), {"n_knots": 10**9}, "n_knots == 1000000000, must be <= 1000"),
        (ContinuumNormalizer("polynomial"), {"degree": 10**9}, "degree == 1000000000, must be <= 200"),
        (ContinuumNormalizer(), {"max_rounds": 10**12}, "max_rounds == 1000000000000, must be <= 10000"),
        (ContinuumNormalizer(), {"window": {"float": "nan"}}, "window must be a number, got nan"),
        (
            MissingFluxImputer("template", n_components=2, random_state=0),
            {"n_components": 10**9},
            r"components_ must have shape \(1000000000, 40\)",
        ),
        (Conv1DClassifier(**RUN), {"tta_shifts": 10**9}, "tta_shifts == 1000000000, must be <= 1000"),
    ],
    ids=range(7),
)
def test_other_sizes(model, params, message, path):
    model = model.fit(Spectra(FLUX, wave=WAVE), LABELS)
    changed_params(path, model, **params)
    refused(path, message)
    key, value = next(iter(params.items()))
    with pytest.raises(ValueError, match=message):
        save(model.set_params(**{key: np.nan if isinstance(value, dict) else value}), path)


# Sizes of the file itself --------------------------------------------------------------------------------

MEMORY = """
import resource, sys
from skspec import load
import skops.io, safetensors.numpy
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        load(path)
    except ValueError:
        pass
    else:
        sys.exit(f"{path} is loaded")
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
if grown > 500 * 1024:
    sys.exit(f"refusing takes {grown / 1024:.0f} MiB")
"""


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """Entries of a small file."""
    path = tmp_path_factory.mktemp("good") / "model.skspec"
    save(make_pipeline(LogisticRegression()).fit(FLUX, LABELS), path)
    return read_entries(path)


def with_info(entries, text):
    return entries | {
        "manifest.json": entries["manifest.json"].replace(b'"info": {\n  "dict": {}\n }', b'"info": ' + text)
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"dict": {"x": ' + b"[" * 3_000_000 + b"]" * 3_000_000 + b"}}", "nested too deeply"),
        (b'"' + b"x" * 9_000_000 + b'"', "manifest.json is larger than 8 MiB"),
        (b'{"dict": {"x": 1, "x": 2}}', "the same key twice"),
        (b"9" * 5000, "digits"),
    ],
    ids=["deep", "string", "same key", "digits"],
)
def test_manifests(text, message, entries, path):
    changed = with_info(entries, text)
    assert changed != entries
    write_entries(path, changed)
    refused(path, message)
    with pytest.raises(ValueError, match=message):
        read_info(path)


def test_dictionaries_of_one_hash(entries, path):
    pairs = json.dumps([[i * (2**61 - 1), 0] for i in range(20_000)]).encode()
    write_entries(path, with_info(entries, b'{"items": ' + pairs + b"}"))
    with pytest.raises(ValueError, match="more than 10,000 items whose keys are not strings"):
        read_info(path)


def test_estimators_without_end(entries, path):
    step = {"estimator": "skspec.FluxNormalizer", "params": {}, "fitted": {"dict": {}}, "output": None}
    steps = [{"tuple": [str(i), step]} for i in range(5000)]
    write_entries(path, with_manifest(entries, lambda m: m["model"]["params"].update(steps=steps)))
    refused(path, "more than 2,000 estimators")


def test_arrays_of_wide_strings_together(entries, path):
    wide = {"strings": ["a"], "shape": [1], "dtype": "<U10000000"}
    write_entries(path, with_manifest(entries, lambda m: m["model"]["params"].update(verbose=[wide] * 1000)))
    refused(path, "it has arrays of strings larger than 64 MiB")


# Zip archives and safetensors ----------------------------------------------------------------------------


def patched(data, where, new):
    return data[:where] + new + data[where + len(new) :]


def with_descriptor(entries):
    """An archive whose headers leave sizes to what follows, as when writing to a pipe."""

    class Pipe(io.BytesIO):
        def seek(self, *_):
            raise io.UnsupportedOperation

        def tell(self):
            raise io.UnsupportedOperation

    pipe = Pipe()
    write_entries(pipe, entries)
    return pipe.getvalue()


def with_zip64(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                file.write(content)
    return out.getvalue()


def with_comment(data):
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"hello"
    return out.getvalue()


def overlapping(data):
    """Two names for the same bytes."""
    end = len(data) - 22
    directory = struct.unpack("<L", data[end + 16 : end + 20])[0]
    first = data[directory : directory + 46 + 13]
    again = first.replace(b"manifest.json", b"manifesx.json")
    counts = struct.unpack("<HH", data[end + 8 : end + 12])
    tail = patched(data[end:], 8, struct.pack("<HHL", *(n + 1 for n in counts), end - directory + len(again)))
    return data[:end] + again + tail


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data, _: b"MZ" * 40 + data, "not a zip archive"),
        (lambda data, _: data + b"\0" * 40, "nothing else"),
        (lambda data, _: data[:-22] + b"hidden" + data[-22:], "nothing else"),
        (lambda data, _: with_comment(data), "nothing else"),
        (lambda data, _: overlapping(data), "nothing else"),
        (lambda _, entries: with_descriptor(entries), "header that skspec never writes"),
        (lambda _, entries: with_zip64(entries), "header that skspec never writes"),
        (lambda data, _: patched(data, 4, b"\x2d"), "header that skspec never writes"),
        (lambda data, _: patched(data, 30, b"\xff"), "not ASCII"),
        (lambda data, _: patched(data, len(data) - 14, b"\xff"), "nothing else"),
        (lambda data, _: data + data, "nothing else"),
    ],
    ids=[
        *("prefix", "suffix", "gap", "comment", "overlap", "descriptor", "zip64", "version", "name", "count"),
        "twice",
    ],
)
def test_archives(change, message, entries, path):
    write_entries(path, entries)
    assert load(path).predict(FLUX).shape == (12,)
    path.write_bytes(change(path.read_bytes(), entries))
    refused(path, "is not a skspec model, or is damaged: .*" + message)


def header(mapping, data=b"", size=None):
    text = mapping if isinstance(mapping, bytes) else json.dumps(mapping).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "weights",
    [
        header({}, size=2**63),
        header({}, size=10**8),
        header(b" " * 9_000_000 + b"{}"),
        header(b'{"a":' + json.dumps(F32).encode() + b',"a":' + json.dumps(F32).encode() + b"}", bytes(4)),
        header({"a": F32, "b": F32}, bytes(4)),
        header({"a": F32 | {"shape": [2**62, 4]}}, bytes(4)),
        header({"a": F32 | {"data_offsets": [0, 2**60]}}, bytes(4)),
        header({"a": F32 | {"data_offsets": [4, 0]}}, bytes(4)),
        header({"a": F32}, bytes(400)),
        header({"__metadata__": {"x": "y"}}),
        header(b"[" * 100_000),
        header({"a": F32 | {"dtype": "F64"}}, bytes(4)),
        b"",
        b"\1\0",
    ],
    ids=range(14),
)
def test_headers_of_arrays(weights, entries, path):
    write_entries(path, entries | {"weights.safetensors": weights})
    refused(path, r"weights\.safetensors (cannot be read|has metadata)")


def test_memory(entries, tmp_path):
    paths = [tmp_path / f"{i}.skspec" for i in range(5)]
    lists = b"[" + b"[]," * 2_600_000 + b"[]]"
    write_entries(paths[0], with_manifest(entries, lambda m: m["model"]["params"].update(verbose="LISTS")))
    changed = read_entries(paths[0])
    text = changed["manifest.json"].replace(b'"LISTS"', lists)
    write_entries(paths[0], changed | {"manifest.json": text.replace(b'"steps": ', b'"steqs": ')})
    write_entries(paths[1], entries | {"weights.safetensors": header(b"{" + b'"a":{},' * 10**6 + b'"b":{}}')})
    write_entries(paths[2], entries)
    for path in paths[2:4]:
        with open(path, "ab") as file:
            file.truncate(2**33)  # zeros that take no space on the disk
    write_entries(paths[4], with_info(entries, b'"' + b"x" * 100_000_000 + b'"'))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEMORY, *map(str, paths)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
