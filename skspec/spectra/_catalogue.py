"""Catalogue tables of spectra: check and stack them, and convert to and from pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table, vstack

if TYPE_CHECKING:
    from skspec.spectra._spectra import Spectra


def is_frame(value: Any) -> bool:
    """Return whether `value` is a pandas DataFrame, without importing pandas."""
    return hasattr(value, "iloc") and hasattr(value, "columns")


def as_table(meta: Any, n: int) -> Table:
    """Convert a table, mapping, pandas DataFrame or None to a table, and check that it has `n` rows."""
    if isinstance(meta, Table):
        table = meta.copy(copy_data=False)
    else:
        try:
            table = table_from_pandas(meta) if is_frame(meta) else Table(meta)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"meta is a {type(meta).__name__} that is not a table; give a Table, a DataFrame or a mapping of columns "
                f"with one value per spectrum ({str(error)[:150]})"
            ) from None
    if table.colnames and len(table) != n:
        raise ValueError(f"meta has {len(table)} rows for {n} spectra; one row per spectrum is needed")
    return table


def table_from_pandas(frame: Any) -> Table:
    """Convert a pandas DataFrame: missing values are masked, text stays text, dates are `~astropy.time.Time`.

    The index is dropped.
    """
    table = Table.from_pandas(frame)
    for name in table.colnames:
        values = table[name]
        if (
            isinstance(values, Column) and values.dtype.kind in "OS"
        ):  # text with missing values, or any objects
            missing = np.ma.getmaskarray(np.ma.asarray(values))
            known = np.asarray(values)[~missing].tolist()
            if all(isinstance(value, str) for value in known):
                text = np.zeros(len(values), dtype=np.asarray(known, dtype=str).dtype)
                text[~missing] = known
                table[name] = MaskedColumn(text, mask=missing) if missing.any() else Column(text)
    return table


def spectra_to_pandas(spectra: Spectra) -> Any:
    """Convert `Spectra` to a pandas DataFrame, see `Spectra.to_pandas`."""
    try:
        import pandas as pd  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("pandas is needed for this: pip install pandas") from error
    n, table = len(spectra), spectra.meta
    arrays = {"flux": spectra.flux, "wave": [spectra.wave] * n if spectra.is_common_grid else spectra.wave}
    if spectra.ivar is not None:
        arrays["ivar"] = spectra.ivar
    taken = next((name for name in arrays if name in table.colnames), None)
    if taken:
        raise ValueError(f"meta has a column {taken!r}, the name of the {taken} of the spectra; rename it")
    frame = _table_to_pandas(table) if table.colnames else pd.DataFrame(index=range(n))
    for name, rows in arrays.items():
        frame[name] = pd.Series(list(rows), dtype=object)
    return frame


def _table_to_pandas(table: Table) -> Any:
    """Convert to a pandas DataFrame; columns with several values per row hold arrays."""
    wide = [name for name in table.colnames if len(table[name].shape) > 1]
    frame = table[[name for name in table.colnames if name not in wide]].to_pandas()
    for name in wide:
        frame.insert(table.colnames.index(name), name, list(np.asarray(table[name])))
    return frame


def stack_tables(tables: Sequence[Table], lengths: Sequence[int]) -> Table:
    """Stack tables with the given numbers of rows; columns missing from a table are masked there."""
    if not any(table.colnames for table in tables):
        return Table()
    padded = []
    for table, n in zip(tables, lengths, strict=True):
        new = table.copy(copy_data=False)
        if not new.colnames:  # a table without columns has no rows for vstack to mask
            new["_rows"] = np.zeros(n, dtype=bool)
        padded.append(new)
    stacked = vstack(padded, join_type="outer", metadata_conflicts="silent")
    if "_rows" in stacked.colnames:
        stacked.remove_column("_rows")
    return stacked
