"""Parsing of MK types in the notations of catalogues."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray

from skspec.mk._type import BARE_SUFFIX, HYPERGIANT, MKType, is_subtype

_LETTER = "[OBAFGKM]"
_SUBTYPE = r"(?:10(?!\.?\d)|\d(?:\.\d+)?(?!\d))"
_SYMBOL = (
    r"(?:(?:0-)?Ia\+(?!\s*(?:usd|esd|sd|d|g|c)?[A-Z])"  # Ia+B2 is a composite type
    r"|0-Ia|Ia-?0|(?:III|II|IV|I|VI|V)(?:ab|a|b)?(?![IV]))"
)
_BRACKET = rf"\(\s*({_SYMBOL})(?:\s*[-/]\s*({_SYMBOL}))?\s*\)"

_LOWER_CASE = re.compile(
    r"(usd|esd|sd|d|g|c)?([obafgkm]\d[\d.]*(?:[-/][obafgkm]?\d[\d.]*)?\s*(?:[iv]+(?=(?:ab|a|b)?(?![a-z])))?)"
)
_CALCIUM_TYPE = re.compile(rf"(k{_LETTER}[\d.]*)h(?={_LETTER})")
_START = re.compile(
    rf"""(?:(usd|esd|sd|d|g|c)([\s:]?))?
    (?:({_LETTER})(?=$|[\d\s:?.,;/()+-]|I|V|{BARE_SUFFIX}|m{_LETTER}\d|(?<=[OB])[NC]\d)
      |0(?=\d(?:\.\d+)?(?:$|[\sIV:?])))  # 07 for O7""",
    re.VERBOSE,
)
_FIRST_SUBTYPE = re.compile(rf"\s*({_SUBTYPE})")
_NITROGEN_CARBON = re.compile(r"([NC])(?=\d)")  # ON9.5, BC2
_SHADE = re.compile(rf"([-+])(?=\s*(?:{_SYMBOL}|{_BRACKET}))")
_END = re.compile(
    rf"(?:e(?=[-/]{_LETTER}?{_SUBTYPE}e))?"  # M5e-M9e
    rf"\s*[-/]\s*(?:({_LETTER})?({_SUBTYPE})|({_LETTER})(?=[IV]|$|[\s:;?(+]))"
)
_METAL_TYPE = re.compile(rf"\s*(m{_LETTER}\d[\d.]*(?:[-/]{_LETTER}?\d[\d.]*)?)")
_LUMINOSITY = re.compile(rf"\s*({_SYMBOL})")
_BRACKETED = re.compile(rf"\s*{_BRACKET}")
_END_LUMINOSITY = re.compile(rf"\s*[-/]\s*({_SYMBOL})")
_END_SUBDIVISION = re.compile(r"\s*[-/]\s*(ab|a|b)(?![a-z])")  # Ia-ab
_WHITE_DWARF = re.compile(r"\s*VII")
_MARKS = re.compile(r"\s*[:?]+")
_SEMICOLON = re.compile(r"\s*;\s*")
_ABUNDANCE = re.compile(r"(?:CN|CH|C2|H|He|Li|Na|Mg|Si|Ca|Ti|Cr|Mn|Fe|Sr|Y|Zr|Ba|Eu|Hg)[-+]*$")

_HYPERGIANTS = {"Ia0": HYPERGIANT, "Ia-0": HYPERGIANT, "0-Ia": HYPERGIANT, "0-Ia+": HYPERGIANT}
_COLUMNS: dict[str, tuple[Any, Callable[[MKType], Any]]] = {
    "type": ("", str),
    "temperature_class": ("", lambda t: t.temperature_class),
    "subtype": (np.nan, lambda t: np.nan if t.subtype is None else t.subtype),
    "luminosity_class": ("", lambda t: t.luminosity_class or ""),
    "code": (np.nan, lambda t: t.code),
    "luminosity": (np.nan, lambda t: t.luminosity),
    "range": (False, lambda t: t.is_range),
    "uncertain": (False, lambda t: t.uncertain),
    "composite": (False, lambda t: t.is_composite),
    "peculiar": (False, lambda t: t.is_peculiar),
    "remarks": ("", lambda t: t.remarks),
    "companion": ("", lambda t: t.companion),
}


def parse_mk(types: ArrayLike) -> Table:
    """Parse MK types into a table.

    Parameters
    ----------
    types : array-like of str, shape (n,)
        Spectral types in the notations of SIMBAD, SDSS, LAMOST and spectral libraries, see :func:`mk_type`. Masked
        values and None are missing types.

    Returns
    -------
    astropy.table.Table
        One row for each of `types`; empty strings, NaN and False for strings that are not MK types:

        - ``type``: the type in canonical spelling.
        - ``temperature_class``, ``subtype``, ``luminosity_class``: as written, the first of a range.
        - ``code``, ``luminosity``: numbers, O5 = 5 to M9 = 69 and I = 1 to VI = 6; the mean of a range.
        - ``range``, ``uncertain``, ``composite``, ``peculiar``: bool.
        - ``remarks``, ``companion``: as written.

    Raises
    ------
    TypeError
        If `types` are not strings.
    ValueError
        If `types` are not one-dimensional.

    Examples
    --------
    >>> from skspec.mk import parse_mk
    >>> print(parse_mk(["G8/K0III", "dM2e", "DA"])["type", "code", "luminosity_class", "peculiar"])
      type   code luminosity_class peculiar
    -------- ---- ---------------- --------
    G8/K0III 49.0              III    False
        dM2e 62.0                V     True
              nan                     False
    """
    check_one_dimensional(types)
    return Table({name: map_types(types, get, empty) for name, (empty, get) in _COLUMNS.items()})


def temperature_class(types: ArrayLike) -> NDArray[np.str_]:
    """Return the temperature classes of MK types.

    Parameters
    ----------
    types : array-like of str
        Spectral types, see :func:`parse_mk`: ``"A7III"``, ``"dM2"``, ``"gM0"``, ``"sdB"``, ``"G8/K0III"``. For ranges
        and composite types, the first class is used.

    Returns
    -------
    ndarray of str, of the shape of `types`
        One of O, B, A, F, G, K, M, or ``""`` for strings that are not MK types or not of a single class: white dwarfs
        (``"DA"``), carbon and S stars, L and T dwarfs, cataclysmic variables, ``"OB"``, ``"Non"``.

    Examples
    --------
    >>> from skspec.mk import temperature_class
    >>> temperature_class(["dM2", "A7III", "sdB", "07Ia", "DA", "Non"]).tolist()
    ['M', 'A', 'B', 'O', '', '']
    """
    return map_types(types, lambda t: t.temperature_class, "")


def mk_type(text: str | None) -> MKType | None:
    """Parse one MK type.

    Supported are subtypes with fractions; ranges of subtypes (``"G8/K0"``, ``"F3-5"``) and of luminosity classes
    (``"III-IV"``); Ia+, also written Ia-0; the prefixes usd, esd, sd, d, g and c; lower case (``"g2v"``); colons and
    question marks; companions after a plus sign; the hydrogen type of metallic-line stars (``"kA2hA8mF0"`` is an A8); and
    a zero for the letter O (``"07Ia"``). A luminosity class in brackets marks the type as uncertain. The rest of the text
    is kept as remarks.

    Parameters
    ----------
    text : str or None
        Spectral type.

    Returns
    -------
    MKType or None
        None for text that is not an MK type or not of a single class: white dwarfs (``"DA"``, ``"A0VII"``), Wolf-Rayet,
        carbon and S stars, L and T dwarfs, ``"OB"``, other words, and None.

    Raises
    ------
    TypeError
        If `text` is not a string.

    Examples
    --------
    >>> from skspec.mk import mk_type
    >>> star = mk_type("K3 III-IV: CN1 + DA")
    >>> star.subtype, star.luminosity_class, star.luminosity, star.remarks, star.companion
    (3.0, 'III', 3.5, 'CN1', 'DA')
    >>> mk_type("C5,4") is None
    True
    """
    return _Reader(_text(text)).read()


def map_types(types: ArrayLike, get: Callable[[MKType], Any], empty: Any) -> NDArray[Any]:
    """Return the array of `get(type)`, or `empty` for strings that are not MK types; equal strings are parsed once."""
    array = np.ma.filled(np.ma.asarray(types).astype(object), "")
    flat = [_text(value) for value in array.reshape(-1)]
    of_text = {text: empty if (found := mk_type(text)) is None else get(found) for text in set(flat)}
    dtype = None if flat else np.asarray(empty).dtype
    return np.array([of_text[text] for text in flat], dtype=dtype).reshape(array.shape)


def check_one_dimensional(types: ArrayLike) -> None:
    """Raise ValueError unless `types` is one-dimensional."""
    if np.ndim(types) != 1:
        raise ValueError(f"types must be one-dimensional, got {np.ndim(types)} dimensions")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    if not isinstance(value, str):
        raise TypeError(f"types must be strings such as 'G2V', got {value!r} ({type(value).__name__})")
    return value


class _Reader:
    """Parser that reads the parts of a type from the left; the rest are remarks."""

    def __init__(self, text: str) -> None:
        self.rest = text.strip()
        self.parts: dict[str, Any] = {}

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.rest)
        if match is not None:
            self.rest = self.rest[match.end() :]
        return match

    def take_marks(self) -> None:
        if self.take(_MARKS):
            self.parts["uncertain"] = True

    def read(self) -> MKType | None:
        if lower := self.take(_LOWER_CASE):
            self.rest = (lower[1] or "") + lower[2].upper() + self.rest
        calcium = self.take(_CALCIUM_TYPE)
        start = self.take(_START)
        if start is None:
            return None
        prefix, mark, letter = start.groups()
        self.parts |= {"prefix": prefix or "", "temperature_class": letter or "O", "uncertain": mark == ":"}
        nitrogen = self.take(_NITROGEN_CARBON)
        if not self._read_subtype():
            return None
        self.take_marks()
        if "shade" not in self.parts:
            self._read_end()
        metals = self.take(_METAL_TYPE)
        self.take_marks()
        if _WHITE_DWARF.match(self.rest) and not prefix:
            return None
        self._read_luminosity()
        self._read_rest("".join(match[1] for match in (nitrogen, calcium, metals) if match))
        return MKType(**self.parts)

    def _read_subtype(self) -> bool:
        """Read the subtype; return False for catalogue numbers of two digits, such as M31."""
        subtype = self.take(_FIRST_SUBTYPE)
        if subtype is None:
            return not self.rest.lstrip()[:1].isdigit()
        self.parts["subtype"] = float(subtype[1])
        if shade := self.take(_SHADE):
            self.parts["shade"] = shade[1]
        return is_subtype(self.parts["temperature_class"], self.parts["subtype"])

    def _read_end(self) -> bool:
        match = _END.match(self.rest)
        if match is None:
            return False
        letter, text, lone = match.groups()
        letter = letter or lone
        subtype = None if text is None else float(text)
        if letter is None and "subtype" not in self.parts:
            return False
        letter = letter or self.parts["temperature_class"]
        if not is_subtype(letter, subtype):
            return False
        self.parts |= {"end_temperature_class": letter, "end_subtype": subtype}
        self.rest = self.rest[match.end() :]
        self.take_marks()
        return True

    def _read_luminosity(self) -> None:
        if bracketed := self.take(_BRACKETED):
            self._set_luminosity(*bracketed.groups())
            self.parts["uncertain"] = True
            return
        first = self.take(_LUMINOSITY)
        if first is None:
            return
        self.take_marks()
        end = self._take_end_luminosity(first[1])
        alone = not {"shade", "end_temperature_class"} & set(self.parts)
        if end is None and alone and self._read_end():  # G8III/K0IV
            second = self.take(_LUMINOSITY)
            self.take_marks()
            end = self._take_end_luminosity(first[1])
            if end is None and second is not None and second[1] != first[1]:
                end = second[1]
        self._set_luminosity(first[1], end)

    def _take_end_luminosity(self, first: str) -> str | None:
        if match := self.take(_END_LUMINOSITY):
            end = match[1]
        elif first in ("Ia", "Iab", "Ib") and (match := self.take(_END_SUBDIVISION)):
            end = f"I{match[1]}"
        else:
            return None
        self.take_marks()
        return end

    def _set_luminosity(self, first: str, end: str | None) -> None:
        self.parts["luminosity_class"] = _HYPERGIANTS.get(first, first)
        self.parts["end_luminosity_class"] = end and _HYPERGIANTS.get(end, end)

    def _read_rest(self, metals: str) -> None:
        plus = _companion_sign(self.rest)
        if plus is not None:
            self.parts["companion"] = self.rest[plus + 1 :].strip() or "..."
            self.rest = self.rest[:plus]
        self.take(_SEMICOLON)
        self.parts["remarks"] = (metals + self.rest).strip()


def _companion_sign(text: str) -> int | None:
    """Return the index of the plus sign that is neither the strength of an element (CN+1) nor in brackets."""
    depth = 0
    for i, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "+" and depth == 0 and not _ABUNDANCE.search(text[:i]):
            return i
    return None
