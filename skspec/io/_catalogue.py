"""Draw a random sample of each class from a catalogue with millions of rows, in one pass."""

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

    Designed for choosing spectra to download from the general catalogue of LAMOST (10 million rows, 2.5 GB). Memory use
    is a few hundred megabytes for files of any size. In each class every set of `n_per_class` rows is equally likely.

    Parameters
    ----------
    path : path-like
        UTF-8 text with columns separated by ``|`` (as published by LAMOST), tabs or commas, and a header line, which may
        start with ``#``; each row is one line, and blank lines are skipped. Or a FITS file, whose first binary table is
        read. Gzip is decompressed.
    n_per_class : int
        Number of rows to draw of each class; a class with fewer rows is taken whole.
    by : str, default="subclass"
        Column with the classes (case-insensitive), or ``"mk-class"``: the temperature class O, B, A, F, G, K or M of the
        types in the column ``subclass``, see `skspec.mk.temperature_class`. Rows without a class are not drawn. Numbers
        and booleans in a FITS table become text, such as ``1``, ``0.5`` or ``True``; values masked by astropy and
        undefined booleans are missing.
    classes : iterable of str or number, default=None
        Classes to draw; None draws all. Numbers are compared as text.
    where : dict, default=None
        Required values of other columns, such as ``{"class": "STAR"}``, compared as text; an empty string matches missing
        values.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator. Pass an int for reproducible rows.

    Returns
    -------
    Table
        The drawn rows with all columns, in file order, and a column ``mk_class`` if ``by="mk-class"``. Its ``meta`` has
        ``n_rows`` (in the file) and ``n_found``, a dictionary with the number of rows of each class.

    Raises
    ------
    OSError
        If the file does not exist, is a directory, or cannot be decompressed.
    ValueError
        If the file is not a catalogue or is damaged, a column or one of `classes` is not in it, an argument is invalid,
        or ``by="mk-class"`` and there already is a column ``mk_class``.
    TypeError
        If an argument has the wrong type.

    Notes
    -----
    Each row gets a random number, and the rows of each class with the smallest numbers are kept: reservoir sampling
    (Efraimidis & Spirakis 2006, Information Processing Letters 97, 181) with equal weights.

    The published selection of O stars, by the first letter, includes ``"OB"``, which is not one class; ``by="mk-class"``
    excludes it. Its class M includes ``dM``, ``gM`` and ``sdM``.

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
            f"classes must name at least one class, and none may be empty, got {wanted}; None draws all"
        )
    path = file_path(path)
    random = check_random_state(random_state)
    with open_catalogue(path) as catalogue:
        column = _column(path, "subclass" if by == MK_CLASS else by, catalogue.names)
        if by == MK_CLASS and "mk_class" in map(str.lower, catalogue.names):
            raise ValueError(
                f"{path}: there already is a column 'mk_class', which by='mk-class' would replace; rename it"
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
            keys = random.random_sample(
                chunk.n_rows
            )  # for all rows, so the result does not depend on the chunks
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
    """Keep the `size` rows with the smallest keys of each of the classes `wanted` (None for all).

    `classify` returns the class of each value in a list; ``""`` for no class.
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
        """Add the rows of a chunk where `keep` is True; `first` is the number of its first row."""
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
        """Return the drawn rows and their classes, in file order."""
        taken = sorted((at, row, name) for name, kept in self._kept.items() for _, at, row in kept)
        return [row for _, row, _ in taken], [name for _, _, name in taken]
