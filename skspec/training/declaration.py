"""Parameters of estimators as annotated fields, from which constructor, signature and docstring are generated.

A class declares and documents only its own parameters::

    class MyClassifier(SpectrumClassifier):
        \"\"\"Classify spectra by my network.

        Parameters
        ----------
        n_layers : int
            Number of layers.
        \"\"\"

        n_layers: int = 3

As for a keyword-only dataclass, ``MyClassifier(n_layers=5, lr=1e-2)`` accepts these parameters and those of the bases.
Signature and docstring list its own parameters first, then those of its bases in the order of inheritance.
"""  # noqa: D214, D215

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, dataclass_transform

from sklearn.base import BaseEstimator

_PARAMETERS = ("Parameters", "Other Parameters")
_ORDER = (*_PARAMETERS, "Attributes", "See Also", "Notes", "References", "Examples")


@dataclass_transform(kw_only_default=True, eq_default=False)
class Declared(BaseEstimator):
    """Base class of estimators whose parameters are annotated fields.

    In the docstring of a subclass, the sections "Parameters", "Other Parameters" and "Attributes" describe only what the
    class itself declares. A line there that is not indented and has no type is the title of a group. The entries of all
    bases, and their "Notes", are added when the class is created. Defaults are taken from the fields.
    """

    _own_doc: ClassVar[str | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._own_doc = cls.__doc__
        dataclass(kw_only=True, eq=False, repr=False)(cls)
        # The defaults are class attributes, which `help` would list again.
        for field in fields(cls):
            if field.name in vars(cls):
                delattr(cls, field.name)
        # scikit-learn reads the names of the parameters from the signature.
        vars(cls)["__init__"].__signature__ = _signature(cls)
        cls.__doc__ = None if cls._own_doc is None else _compose(cls)  # None under python -OO


def _signature(cls: type) -> inspect.Signature:
    """Return the signature of the constructor; a redeclared parameter keeps its place among those of the base."""
    signature = inspect.signature(vars(cls)["__init__"])
    place: dict[str, None] = {"self": None}
    for kind in cls.__mro__:
        for name in inspect.get_annotations(kind):
            place.pop(name, None)
            place[name] = None
    known = signature.parameters
    return signature.replace(parameters=[known[name] for name in place if name in known])


class _Entry(NamedTuple):
    name: str
    group: str
    text: str


def _compose(cls: type[Declared]) -> str:
    """Return the docstring of a class with the sections of its bases."""
    docs = [_sections(vars(kind)["_own_doc"]) for kind in cls.__mro__ if vars(kind).get("_own_doc")]
    parameters = inspect.signature(cls).parameters
    place = {name: number for number, name in enumerate(parameters)}
    sections = dict(docs[0])
    for title in (*_PARAMETERS, "Attributes"):
        entries: dict[str, _Entry] = {}
        for doc in docs:
            for entry in _entries(doc.get(title, "")):
                entries.setdefault(entry.name, entry)
        if title in _PARAMETERS:
            chosen = sorted((e for e in entries.values() if e.name in place), key=lambda e: place[e.name])
            lines = _with_titles([_with_default(e, parameters[e.name].default) for e in chosen])
        else:
            lines = [entry.text for entry in entries.values()]
        sections[title] = "\n".join(lines)
    sections["Notes"] = "\n\n".join(doc["Notes"] for doc in docs if "Notes" in doc)
    titles = [title for title in _ORDER if sections.get(title)]
    return "\n\n".join(
        [sections[""], *(f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in titles)]
    )


def _sections(doc: str) -> dict[str, str]:
    """Return the sections of a docstring by title; the text before the first has the title ""."""
    first, *rest = re.split(r"^(\w.*)\n-{3,}\n", inspect.cleandoc(doc), flags=re.MULTILINE)
    return {"": first.strip(), **{t: s.strip("\n") for t, s in zip(rest[::2], rest[1::2], strict=True)}}


def _entries(section: str) -> list[_Entry]:
    entries, group = [], ""
    for text in filter(None, re.split(r"^(?=\S)", section, flags=re.MULTILINE)):
        name, _, kind = text.partition("\n")[0].partition(" : ")
        if kind:
            entries.append(_Entry(name, group, text.rstrip()))
        else:
            group = text.rstrip()
    return entries


def _with_default(entry: _Entry, default: Any) -> _Entry:
    head, _, description = entry.text.partition("\n")
    head = re.sub(r", default=.*", "", head)
    value = f'"{default}"' if isinstance(default, str) else repr(default)
    return entry._replace(text=f"{head}, default={value}\n{description}")


def _with_titles(entries: list[_Entry]) -> list[str]:
    lines: list[str] = []
    group = ""
    for entry in entries:
        if entry.group != group:
            group = entry.group
            lines += ["", group] if lines else [group]
        lines.append(entry.text)
    return lines
