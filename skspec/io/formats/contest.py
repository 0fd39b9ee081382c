"""LAMOST spectra of the star, galaxy and quasar contests (Tianchi 2018, BAAI 2020).

Each spectrum has 2600 flux values. The files do not state the wavelengths, which are 380 nm + 0.2 nm × i for pixel i
(from 0), in vacuum like all LAMOST wavelengths. Three layouts are supported:

CSV, one spectrum per row: columns FE0 … FE2599, ``id`` and, for training, ``answer`` (star, galaxy or qso). Repeated
header lines, from concatenated files, are skipped. A file ``val_sets_v1.csv`` without labels is joined by id with
``val_labels_v1.csv`` (columns ``id`` and ``label``) in the same directory, if that exists.

Feather, the same columns (needs pyarrow).

Text, one spectrum per file, named by the id: 2600 comma-separated numbers on one line. The classes are in an index with
columns ``id`` and ``type``: give `read_spectra` that table with a column of paths::

    table = Table.read("first_train_index_20180131.csv")
    table["file"] = [f"first_train_data_20180131/{id}.txt" for id in table["id"]]
    read_spectra(table)

https://github.com/Cjh327/AstroData-2020
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._registry import register_format
from skspec.io._source import Source

N_PIXELS = 2600
_WAVE = 3800.0 + 2.0 * np.arange(N_PIXELS, dtype=np.float64)
_LABELS = ("answer", "label", "type", "class")
_CANONICAL = {"id": "object"} | dict.fromkeys(_LABELS, "class")
_NUMBERED = re.compile(r"(\D*)0")
_MANY = 100  # columns FE0, FE1, … that identify a contest file, even if some are missing
_LINES = 1000  # parsed at a time, about 20 MB


def _flux_columns(names: Sequence[str]) -> list[int]:
    """Return the indices of the flux columns: FE0, FE1, … or another prefix numbered to 2599; empty if there are none."""
    for i, name in enumerate(names):
        if match := _NUMBERED.fullmatch(name):
            stem = match[1]
            found = [j for j, other in enumerate(names[i:], start=i) if other == f"{stem}{j - i}"]
            if len(found) == N_PIXELS or (stem == "FE" and len(found) >= _MANY):
                return found
    return []


def _check_width(n: int) -> None:
    if n != N_PIXELS:
        raise ValueError(f"there are {n} flux columns; wavelengths are known only for {N_PIXELS}")


def _spectra(flux: NDArray[np.float32], others: dict[str, Any], path: str) -> FileSpectra:
    """Return the spectra with the other columns as catalogue values, and labels from a file of labels if there is one."""
    meta: dict[str, Any] = {"survey": "LAMOST"}
    for name, values in others.items():
        canonical = _CANONICAL.get(name.lower(), name)
        meta[name if canonical in meta else canonical] = values
    if "class" in meta:
        meta["class"] = [_label(text) for text in meta["class"]]
    elif "object" in meta and (labels := _labels_beside(path, meta["object"])):
        meta["class"] = [labels.get(identity) for identity in meta["object"]]
    return FileSpectra(flux, _WAVE, meta=meta)


def _label(text: str | None) -> str | None:
    text = (text or "").strip()
    return None if text.lower() in ("", "nan") else text


def _labels_beside(path: str, identities: list[str | None]) -> dict[str, str | None]:
    """Return labels by id from ``*labels*.csv`` in the directory of ``*sets*``; empty if there is no such file."""
    folder, name = os.path.split(path)
    stem = name.removesuffix(".gz").rpartition(".")[0].replace("sets", "labels")
    file = os.path.join(folder, f"{stem}.csv")
    if "labels" not in stem or not os.path.isfile(file) or os.path.samefile(file, path):
        return {}
    with open(file, encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        names = [name.strip().lower() for name in next(rows, [])]
        label = next((names.index(word) for word in _LABELS if word in names), None)
        if label is None or "id" not in names:
            raise ValueError(
                f"its file of labels, {file}, has no columns id and label; it has {', '.join(names)}"
            )
        key = names.index("id")
        labels: dict[str, str | None] = {}
        for row in filter(None, rows):
            where = f"line {rows.line_num} of its file of labels, {file},"
            if len(row) != len(names):
                raise ValueError(f"{where} has {len(row)} columns, the header {len(names)}")
            identity, found = row[key].strip(), _label(row[label])
            if labels.setdefault(identity, found) != found:
                raise ValueError(
                    f"{where} has a second label for id {identity}: {found}, not {labels[identity]}"
                )
    if labels.keys().isdisjoint(identities):
        ours, theirs = next(iter(identities), None), next(iter(labels), None)
        raise ValueError(
            f"none of its ids (the first is {ours}) is in its file of labels, {file} (the first is {theirs})"
        )
    return labels


# CSV ---------------------------------------------------------------------------------------------------


def _identify_csv(source: Source) -> bool:
    return source.is_text and bool(source.lines) and bool(_flux_columns(source.lines[0].split(",")))


def _read_csv(source: Source) -> FileSpectra:
    names = source.lines[0].split(",")
    pixels = _flux_columns(names)
    _check_width(len(pixels))
    inside = set(pixels)
    others = [i for i, name in enumerate(names) if name.strip() and i not in inside]
    flux, cells, first = [], [], 2
    with _text(source) as file:
        header = file.readline().strip()
        while lines := list(islice(file, _LINES)):
            wanted = [line for line in lines if line.strip() not in ("", header)]
            if wanted:
                where = f"lines {first} to {first + len(lines) - 1}"
                flux.append(_parse(wanted, pixels, np.float32, where))
                cells.append(_parse(wanted, others, np.str_, where))
            first += len(lines)
    if not flux:
        raise ValueError("the table has no rows")
    columns = {
        names[i]: [text.strip() or None for part in cells for text in part[:, k].tolist()]
        for k, i in enumerate(others)
    }
    return _spectra(np.concatenate(flux), columns, source.path)


@contextmanager
def _text(source: Source) -> Iterator[TextIO]:
    """Open the file as text, decompressed."""
    opened = source.reopen()
    raw = opened if isinstance(opened, BytesIO) else open(opened, "rb")  # noqa: SIM115  (closed below)
    with TextIOWrapper(raw, encoding="utf-8-sig") as file:
        yield file


def _parse(lines: list[str], columns: list[int], dtype: Any, where: str) -> NDArray[Any]:
    if not columns:
        return np.empty((len(lines), 0), dtype=dtype)
    try:
        return np.loadtxt(
            lines, delimiter=",", usecols=columns, dtype=dtype, ndmin=2, comments=None, quotechar='"'
        )
    except ValueError as error:
        cause = str(error).partition(";")[0].rstrip(".")
        raise ValueError(f"in {where}: {cause}, the file may be truncated") from error


# Feather -----------------------------------------------------------------------------------------------


def _identify_feather(source: Source) -> bool:
    return source.head.startswith((b"ARROW1", b"FEA1"))


def _read_feather(source: Source) -> FileSpectra:
    table = source.optional("pyarrow.feather", "scale").read_table(source.reopen())
    names = table.column_names
    pixels = _flux_columns(names)
    if not pixels:
        raise ValueError(f"columns FE0 to FE2599 are needed; it has {', '.join(names[:8])}")
    _check_width(len(pixels))
    flux = np.empty((table.num_rows, N_PIXELS), dtype=np.float32)
    for k, i in enumerate(pixels):
        flux[:, k] = table.column(i).to_numpy()
    inside = set(pixels)
    others = {
        name: _as_text(table.column(i).to_pylist())
        for i, name in enumerate(names)
        if i not in inside and not name.startswith("__index_level_")
    }
    return _spectra(flux, others, source.path)


def _as_text(values: list[Any]) -> list[str | None]:
    return [None if value is None or value != value else str(value) for value in values]  # noqa: PLR0124


# Text --------------------------------------------------------------------------------------------------


def _identify_text(source: Source) -> bool:
    if not source.is_text or not source.lines:
        return False
    first = source.lines[0].strip().rstrip(",")
    return (
        first.count(",") == N_PIXELS - 1
        and first.partition(",")[0].strip(" -+").replace(".", "", 1)[:1].isdigit()
    )


def _read_text(source: Source) -> FileSpectra:
    rows = [line for line in source.text.splitlines() if line.strip()]
    if len(rows) != 1:
        raise ValueError(f"one line of {N_PIXELS} numbers is needed; it has {len(rows)} lines")
    flux = np.array([float(cell) for cell in rows[0].strip().rstrip(",").split(",")])
    identity = os.path.basename(source.path).partition(".")[0]
    return FileSpectra(flux, _WAVE, meta={"survey": "LAMOST", "object": identity})


for _name, _description, _identify, _read in (
    ("contest-csv", "LAMOST contest CSV: FE0 … FE2599, id, answer", _identify_csv, _read_csv),
    (
        "contest-feather",
        "LAMOST contest Feather, columns as in CSV (needs pyarrow)",
        _identify_feather,
        _read_feather,
    ),
    ("contest-text", "LAMOST contest text: 2600 numbers on one line", _identify_text, _read_text),
):
    register_format(_name, description=_description, identify=_identify, read=_read)
