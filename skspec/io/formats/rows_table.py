"""Tables with one spectrum per row: CSV, ECSV and Parquet.

Pixels are columns named by their wavelengths, ``flux_4861.3`` (and ``ivar_4861.3``) or ``4861.3``, as
``set_output(transform="pandas")`` names them; or columns of arrays, ``wave`` (or ``loglam``), ``flux`` and optionally
``ivar``. All other columns go to ``meta``. An ECSV table with one pixel per row is one spectrum. The metadata of ECSV and
Parquet files can state the ``medium`` of the wavelengths.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skspec.io._file_spectra import FileSpectra
from skspec.io._registry import register_format
from skspec.io._source import Source
from skspec.io._tables import SpectrumTable, is_wide
from skspec.io._unpack import check_yaml, read_parquet

_ECSV = b"# %ECSV"
_PARQUET = b"PAR1"


def _csv_header(lines: Iterable[str]) -> list[str]:
    line = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])


def _identify_csv(source: Source) -> bool:
    return source.is_text and not source.head.startswith(_ECSV) and is_wide(_csv_header(source.lines))


def _read_csv(source: Source) -> list[FileSpectra]:
    lines = [line for line in source.text.splitlines() if line.strip() and not line.startswith("#")]
    names, *rows = csv.reader(lines, delimiter="\t" if "\t" in lines[0] else ",")
    ragged = next((i for i, row in enumerate(rows, start=2) if len(row) != len(names)), None)
    if ragged:
        raise ValueError(f"row {ragged} has {len(rows[ragged - 2])} cells for {len(names)} columns")
    columns = {name: _typed(cells) for name, cells in zip(names, zip(*rows, strict=True), strict=False)}
    if not columns:
        raise ValueError("the table has no rows")
    return SpectrumTable(columns, source, gaps=False).spectra()


def _typed(cells: tuple[str, ...]) -> NDArray[Any]:
    """Convert cells to integers, floats (empty is NaN) or text."""
    try:
        return np.array([int(cell) for cell in cells])
    except ValueError:
        pass
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        return np.array([cell.strip() for cell in cells])


def _identify_ecsv(source: Source) -> bool:
    return source.head.startswith(_ECSV)


def _read_ecsv(source: Source) -> list[FileSpectra]:
    from astropy.table import Table  # noqa: PLC0415

    lines = source.text.splitlines()
    check_yaml(lines)
    table = Table.read(lines, format="ascii.ecsv")
    return SpectrumTable(
        {name: getattr(table[name], "value", table[name]) for name in table.colnames},
        source,
        units={name: str(table[name].unit) for name in table.colnames if table[name].unit is not None},
        medium=table.meta.get("medium"),
    ).spectra()


def _identify_parquet(source: Source) -> bool:
    return source.head.startswith(_PARQUET)


def _read_parquet(source: Source) -> list[FileSpectra]:
    table = read_parquet(source)
    medium = (table.schema.metadata or {}).get(b"medium")
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    return SpectrumTable(
        {name: _from_arrow(table.column(name)) for name in names},
        source,
        medium=None if medium is None else medium.decode(),
        gaps=False,
    ).spectra()


def _from_arrow(column: Any) -> NDArray[Any]:
    """Return the values of an Arrow column; lists of equal length become a 2-D array."""
    from pyarrow import types  # noqa: PLC0415

    kind = column.type
    if not (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return np.asarray(column.to_numpy())
    if column.null_count:
        raise ValueError(f"{column.null_count} rows have no spectrum")
    rows = [np.asarray(row.values.to_numpy(zero_copy_only=False)) for row in column]
    if len({len(row) for row in rows}) == 1:
        return np.stack(rows)
    ragged = np.empty(len(rows), dtype=object)
    ragged[:] = rows
    return ragged


for _name, _description, _identify, _read in (
    ("csv", "CSV with one spectrum per row, columns flux_4861.3", _identify_csv, _read_csv),
    ("ecsv", "ECSV with one spectrum or one pixel per row", _identify_ecsv, _read_ecsv),
    ("parquet", "Parquet with one spectrum per row (needs pyarrow)", _identify_parquet, _read_parquet),
):
    register_format(_name, description=_description, identify=_identify, read=_read, priority=5)
