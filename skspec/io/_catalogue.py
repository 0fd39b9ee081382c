"""Draw a given number of rows of each class from a catalogue of millions, at random and in one pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Number
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from skspec.io._catalogue_rows import Chunk, file_path, open_catalogue
from skspec.mk import temperature_class

MK_CLASS = "mk-class"


def sample_catalogue(
    path: str | os.PathLike[str],
    *,
    n_per_class: int,
    by: str = "subclass",
    classes: Iterable[str | float] | None = None,
    where: Mapping[str, str | float] | None = None,
    random_state: Any = None,
) -> Table:
    r"""Draw rows of each class from a catalogue, at random and without replacement, in one pass over the file.

    Made for the general catalogue of LAMOST (10 million rows, 2.5 GB), to choose spectra to download. Memory is a few
    hundred megabytes, whatever the size of the file. In each class every set of `n_per_class` rows is equally likely.

    Parameters
    ----------
    path : path-like
        Text in UTF-8 with a line of column names, which may start with ``#``, and columns separated by ``|``, as LAMOST
        publishes it, tabs or commas; a row is a line, and blank lines are skipped. Or a FITS file, of which the first
        binary table is read. Gzip is decompressed.
    n_per_class : int
        Rows to draw of each class; all of a class that has fewer.
    by : str, default="subclass"
        Column with the classes (in any case), or ``"mk-class"``: the temperature class O, B, A, F, G, K or M of the types
        in the column ``subclass``, see `skspec.mk.temperature_class`. Rows without a class are not drawn. Numbers and
        truth values of a FITS table are classes as they are printed, ``1``, ``0.5`` or ``True``; values that astropy
        masks, and undefined truth values, are missing.
    classes : iterable of str or number, default=None
        Classes to draw; None draws all. Numbers are compared as text.
    where : dict, default=None
        Values that other columns must have, such as ``{"class": "STAR"}``, compared as text; an empty text is a
        missing value.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator. The same integer draws the same rows of the same file.

    Returns
    -------
    Table
        The rows drawn, in the order of the file, with all its columns; and a column ``mk_class`` for ``by="mk-class"``.
        Its ``meta`` has ``n_rows`` (of the file) and ``n_found``, a dictionary with the number of rows of each class.

    Raises
    ------
    OSError
        If there is no such file, it is a folder, or it cannot be decompressed.
    ValueError
        If the file is not a catalogue, is damaged, has no such column, or no row of one of `classes`; if `n_per_class`
        is not a positive integer, `classes` is empty, or `where` names a column twice; or if there is a column
        ``mk_class`` already, for ``by="mk-class"``.
    TypeError
        If `classes` is one string, or a value in it or in `where` is neither text nor a number.

    Notes
    -----
    Each row gets a random number, and in each class the rows with the smallest stay: the reservoir sampling of Efraimidis
    & Spirakis (2006, Information Processing Letters 97, 181) with equal weights.

    The published selection of O stars, by the first letter, includes ``"OB"``, which is not one class; ``by="mk-class"``
    excludes it, and its M includes ``dM``, ``gM`` and ``sdM``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skspec.io import sample_catalogue
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "dr6.csv"
    >>> _ = path.write_text("obsid|class|subclass\n1|STAR|A5\n2|STAR|OB\n3|STAR|dM3\n4|STAR|gM0\n")
    >>> table = sample_catalogue(path, n_per_class=1, by="mk-class", random_state=0)
    >>> table["mk_class"].tolist(), table.meta["n_found"]
    (['A', 'M'], {'A': 1, 'M': 2})
    """
    from sklearn.utils import check_random_state  # noqa: PLC0415  (reading needs no scikit-learn)

    if not isinstance(n_per_class, Integral) or n_per_class < 1:
        raise ValueError(f"n_per_class must be a positive integer, got {n_per_class!r}")
    if isinstance(classes, str) or not isinstance(classes, Iterable | None):
        raise TypeError(f"classes must be a list of names, got {classes!r}")
    if not isinstance(where, Mapping | None):
        raise TypeError(f"where must be a dictionary of columns and values, got {where!r}")
    wanted = None if classes is None else [_text("classes", name) for name in classes]
    if wanted is not None and not all(wanted or [""]):
        raise ValueError(
            f"classes must name one class or more, none of them empty, got {wanted}; None draws all"
        )
    path = file_path(path)
    random = check_random_state(random_state)
    with open_catalogue(path) as catalogue:
        column = _column(path, "subclass" if by == MK_CLASS else by, catalogue.names)
        if by == MK_CLASS and "mk_class" in map(str.lower, catalogue.names):
            raise ValueError(
                f"{path}: there is a column 'mk_class' already, which by='mk-class' would replace; rename it"
            )
        filters: dict[str, bytes] = {}
        for name, value in (where or {}).items():
            known = _column(path, name, catalogue.names)
            if known in filters:
                raise ValueError(f"where names the column {known!r} twice")
            filters[known] = _text("where", value).encode()
        reservoir = _Reservoir(int(n_per_class), wanted, _mk_class if by == MK_CLASS else _plain)
        n_rows = 0
        for chunk in catalogue.chunks(list(dict.fromkeys([column, *filters]))):
            keys = random.random_sample(chunk.n_rows)  # for all rows, so that chunks do not matter
            keep = np.ones(chunk.n_rows, dtype=bool)
            for name, value in filters.items():
                keep &= np.char.strip(chunk.columns[name]) == value
            reservoir.add(chunk, column, keys, keep, n_rows)
            n_rows += chunk.n_rows
        missing = [name for name in wanted or () if name not in reservoir.n_found]
        if missing or not reservoir.n_found:
            found = ", ".join(sorted(reservoir.others | reservoir.n_found.keys())[:12]) or "none"
            what = f"no row of class {', '.join(missing)}" if missing else "no row with a class"
            raise ValueError(f"{path}: {what} among {n_rows} by {by}; the classes found are {found}")
        rows, names = reservoir.drawn()
        table = catalogue.table(rows)
    if by == MK_CLASS:
        table["mk_class"] = names
    table.meta = {"n_rows": n_rows, "n_found": dict(sorted(reservoir.n_found.items()))}
    return table


def _column(path: str, name: str, names: list[str]) -> str:
    if name in names:
        return name
    found = next((known for known in names if known.lower() == str(name).lower()), None)
    if found is None:
        raise ValueError(f"{path}: there is no column {name!r}; it has {', '.join(names[:30])}")
    return found


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str | Number | np.bool_):
        raise TypeError(f"{argument} must hold text or numbers, got {value!r}")
    return str(value)


def _plain(values: list[str]) -> list[str]:
    return values


def _mk_class(values: list[str]) -> list[str]:
    return [str(name) for name in temperature_class(values)]


class _Reservoir:
    """Keep the rows with the smallest keys of each class.

    Parameters
    ----------
    size : int
        Rows to keep of each class.
    wanted : list of str or None
        Classes; None takes all.
    classify : callable
        Return the class of each value of a list, empty for none.
    """

    def __init__(
        self, size: int, wanted: list[str] | None, classify: Callable[[list[str]], list[str]]
    ) -> None:
        self._size, self._wanted, self._classify = size, wanted, classify
        self._kept: dict[str, list[tuple[float, int, bytes]]] = {}
        self._limit: dict[str, float] = {}
        self.n_found: dict[str, int] = {}
        self.others: set[str] = set()

    def add(
        self,
        chunk: Chunk,
        column: str,
        keys: NDArray[np.float64],
        keep: NDArray[np.bool_],
        first: int,
    ) -> None:
        """Add the rows of a chunk, whose first row has the number `first`."""
        rows = np.flatnonzero(keep)
        if not rows.size:
            return
        values, which = np.unique(chunk.columns[column][rows], return_inverse=True)
        texts = [value.decode("utf-8", "replace").strip() for value in values.tolist()]
        names, of_value = np.unique(self._classify(texts), return_inverse=True)
        of_row = of_value[which]
        by_name = np.split(rows[np.argsort(of_row, kind="stable")], np.cumsum(np.bincount(of_row))[:-1])
        for name, found in zip(names.tolist(), by_name, strict=True):
            if not name:
                continue
            if self._wanted is not None and name not in self._wanted:
                self.others.add(name)
                continue
            self.n_found[name] = self.n_found.get(name, 0) + found.size
            members = found[keys[found] < self._limit.get(name, np.inf)]
            if members.size > self._size:
                members = members[np.argpartition(keys[members], self._size - 1)[: self._size]]
            kept = self._kept.setdefault(name, [])
            kept += [(float(keys[i]), first + i, chunk.row(i)) for i in members.tolist()]
            if len(kept) >= self._size:
                kept.sort()
                del kept[self._size :]
                self._limit[name] = kept[-1][0]

    def drawn(self) -> tuple[list[bytes], list[str]]:
        """Return the rows and their classes in the order of the file."""
        taken = sorted((at, row, name) for name, kept in self._kept.items() for _, at, row in kept)
        return [row for _, row, _ in taken], [name for _, _, name in taken]
