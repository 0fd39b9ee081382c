"""Functions that take model files apart, change them, and write them again."""

import contextlib
import json
import zipfile

import numpy as np

from skspec import load

VALUES = [
    None,
    True,
    -1,
    1e300,
    "x",
    [],
    {},
    [[1]],
    {"dict": {}},
    {"tuple": [1]},
    {"array": "x"},
    {"float": "nan"},
]


def read_entries(path):
    """Entries of a model file by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_entries(path, entries, compression=zipfile.ZIP_STORED):
    """Write a file with these entries."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def with_manifest(entries, change):
    """Entries with a manifest changed by a function."""
    manifest = json.loads(entries["manifest.json"])
    change(manifest)
    return entries | {"manifest.json": json.dumps(manifest).encode()}


def change_manifest(path, change):
    """Change the manifest of a file in place."""
    write_entries(path, with_manifest(read_entries(path), change))


def load_random_changes(path, entries, n, part=lambda manifest: manifest):
    """Load files with a random value in the manifest or a part of it; only ValueError is allowed."""
    rng = np.random.default_rng(0)

    def places(value):
        if isinstance(value, dict | list):
            for key in value if isinstance(value, dict) else range(len(value)):
                yield value, key
                yield from places(value[key])

    def change(manifest):
        found = list(places(part(manifest)))
        holder, key = found[rng.integers(len(found))]
        holder[key] = VALUES[rng.integers(len(VALUES))]

    for _ in range(n):
        write_entries(path, with_manifest(entries, change))
        with contextlib.suppress(ValueError):
            load(path)
