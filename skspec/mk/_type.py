"""`MKType`: parts, numeric values and spelling of an MK type."""

from __future__ import annotations

import math
import re
from dataclasses import KW_ONLY, dataclass

import numpy as np

from skspec.checks import check_choice

TEMPERATURE_CLASSES = ("O", "B", "A", "F", "G", "K", "M")
"""Temperature classes of the MK system, hottest first."""

LUMINOSITY_CLASSES = ("I", "II", "III", "IV", "V", "VI")
"""Luminosity classes from supergiants to subdwarfs, without their subdivisions."""

HYPERGIANT = "Ia+"
IMPLIED = {"": None, "usd": "VI", "esd": "VI", "sd": "VI", "d": "V", "g": "III", "c": "I"}
SYMBOLS = (HYPERGIANT, *(f"{name}{part}" for name in LUMINOSITY_CLASSES for part in ("", "a", "ab", "b")))
BARE_SUFFIX = r"[efmnpvw]+(?![A-Za-z])|p(?=[A-Z][a-z])"  # after a letter without subtype: Am, Be, ApSi

_OFFSET = {"": 0.0, "a": -0.25, "ab": 0.0, "b": 0.25}
_HYPERGIANT_NUMBER = 0.55

# remarks that may follow without a semicolon, since they are not parsed as part of the type (an a after I would be)
_AFTER_LUMINOSITY = re.compile(r"[A-HJ-UW-Zc-z(]|\.\.")
_AFTER_DIGIT = re.compile(r"[A-HJ-UW-Zc-z]|\([^IV0]|\.\.")
_AFTER_END = re.compile(r"\([^IV0]")  # after the second letter of F/G
_AFTER_LETTER = re.compile(rf"{BARE_SUFFIX}|\([^IV0]|\.\.")
_METALS = re.compile(r"m[OBAFGKM]")

# longer codes are first: the possessive quantifier does not backtrack
_CODE = (
    r"[ghkm][OBAFGKM]\d|shell|sh|wk|wl|var|va|pec|[efhkmnpqsvwz]"
    r"|CN|CH|C2|H[αβγδ]|Al|Ba|Ca|Cr|Eu|Fe|He|Hg|Li|Mg|Mn|Na|Ni|Si|Sr|Ti|Zr|[CHNOSY]"
)
_PECULIAR = re.compile(rf"(?<![A-Za-z])(?:(?:{_CODE})(?:[-+]*[\d.]+|[-+*!]+(?![A-Za-z]))?)++(?![A-Za-z])")


@dataclass(frozen=True)
class MKType:
    """Spectral type of the MK system.

    Use :func:`~skspec.mk.mk_type` to parse a string; parsing its ``str`` returns the same type. A range has both of its
    ends; `code` and `luminosity` are their means.

    Parameters
    ----------
    temperature_class : {"O", "B", "A", "F", "G", "K", "M"}
        Temperature class; of a range, the first.
    subtype : float or None, default=None
        Subtype from 0 to below 10, or 10 for M; of a range, the first.
    luminosity_class : str or None, default=None
        ``"I"`` to ``"VI"``, subdivided by ``"a"``, ``"ab"`` and ``"b"``, or ``"Ia+"`` for hypergiants; of a range, the
        first. None means the class implied by `prefix`.
    end_temperature_class, end_subtype, end_luminosity_class : default=None
        Other end of a range; a range of subtypes needs `end_temperature_class`.
    prefix : {"", "usd", "esd", "sd", "d", "g", "c"}, default=""
        Ultra-subdwarf, extreme subdwarf and subdwarf (VI), dwarf (V), giant (III), supergiant (I).
    shade : {"", "+", "-"}, default=""
        Whether the star is slightly later or earlier than the subtype, as in ``"K5+III"``.
    uncertain : bool, default=False
        Whether the type is marked by a colon or a question mark; True if `remarks` contains one.
    remarks : str, default=""
        Peculiarities and other text after the type, as written.
    companion : str, default=""
        Text after the plus sign of a composite type, as written; ``"..."`` if there is none.

    Raises
    ------
    ValueError
        If a part is not valid in the MK system.

    Examples
    --------
    >>> from skspec.mk import MKType
    >>> sun = MKType("G", 2, "V")
    >>> str(sun), sun.code, sun.luminosity
    ('G2V', 42.0, 5.0)
    """

    temperature_class: str
    subtype: float | None = None
    luminosity_class: str | None = None
    _: KW_ONLY
    end_temperature_class: str | None = None
    end_subtype: float | None = None
    end_luminosity_class: str | None = None
    prefix: str = ""
    shade: str = ""
    uncertain: bool = False
    remarks: str = ""
    companion: str = ""

    def __post_init__(self) -> None:
        check_choice("prefix", self.prefix, IMPLIED)
        check_choice("shade", self.shade, ("", "+", "-"))
        check_choice("temperature_class", self.temperature_class, TEMPERATURE_CLASSES)
        check_choice("end_temperature_class", self.end_temperature_class, (None, *TEMPERATURE_CLASSES))
        if self.luminosity_class is None:
            object.__setattr__(self, "luminosity_class", IMPLIED[self.prefix])
        check_choice("luminosity_class", self.luminosity_class, (None, *SYMBOLS))
        check_choice("end_luminosity_class", self.end_luminosity_class, (None, *SYMBOLS))
        if not is_subtype(self.temperature_class, self.subtype):
            raise ValueError(f"subtype must be from 0 to below 10, or 10 for M, got {self.subtype!r}")
        if not is_subtype(self.end_temperature_class, self.end_subtype):
            raise ValueError(
                f"end_subtype must be from 0 to below 10, or 10 for M, and needs end_temperature_class, "
                f"got {self.end_subtype!r}"
            )
        if self.end_luminosity_class and not self.luminosity_class:
            raise ValueError("end_luminosity_class needs luminosity_class, the other end of the range")
        if self.shade and (self.subtype is None or not self.luminosity_class or self.end_temperature_class):
            raise ValueError("shade needs a subtype that is not a range, and a luminosity class")
        if ":" in self.remarks or "?" in self.remarks:
            object.__setattr__(self, "uncertain", True)

    @property
    def code(self) -> float:
        """Numeric spectral code, O5 = 5 to A0 = 20 to M9 = 69; the mean of a range; NaN without a subtype."""
        ends = [(self.temperature_class, self.subtype)]
        if self.end_temperature_class is not None:
            ends.append((self.end_temperature_class, self.end_subtype))
        return sum(_code(letter, subtype) for letter, subtype in ends) / len(ends)

    @property
    def luminosity(self) -> float:
        """Luminosity class as a number, I = 1 to VI = 6, a −0.25, b +0.25, Ia+ = 0.55; the mean of a range; or NaN."""
        if self.luminosity_class is None:
            return math.nan
        ends = [self.luminosity_class, *filter(None, [self.end_luminosity_class])]
        return sum(map(_luminosity, ends)) / len(ends)

    @property
    def is_range(self) -> bool:
        """Whether the subtype or the luminosity class is a range."""
        return self.end_temperature_class is not None or self.end_luminosity_class is not None

    @property
    def is_composite(self) -> bool:
        """Whether the type is a composite of two stars, of which this is the first."""
        return bool(self.companion)

    @property
    def is_peculiar(self) -> bool:
        """Whether `remarks` contains a peculiarity (e, m, n, p, var, ...), an element or a molecule."""
        return _PECULIAR.search(self.remarks) is not None

    def __str__(self) -> str:
        subtype = self._subtype_text()
        after = _AFTER_DIGIT if subtype[-1:].isdigit() else _AFTER_END if subtype else _AFTER_LETTER
        plain = after.match(self.remarks) is not None and not _METALS.match(self.remarks)
        luminosity = self._luminosity_text(omit_implied=plain or not self.remarks)
        if luminosity:
            after = _AFTER_LUMINOSITY
        joined = after.match(self.remarks) is not None
        text = self.prefix + self.temperature_class + subtype + luminosity
        if self.uncertain and not (joined and (":" in self.remarks or "?" in self.remarks)):
            text += ":"
        text += self.remarks if joined or not self.remarks else f"; {self.remarks}"
        return f"{text} + {self.companion}" if self.companion else text

    def _subtype_text(self) -> str:
        text = _number(self.subtype) + self.shade
        if self.end_temperature_class is None:
            return text
        numbers = self.subtype is not None and self.end_subtype is not None
        if numbers and self.end_temperature_class == self.temperature_class:
            return f"{text}-{_number(self.end_subtype)}"
        return f"{text}/{self.end_temperature_class}{_number(self.end_subtype)}"

    def _luminosity_text(self, *, omit_implied: bool) -> str:
        text, end = self.luminosity_class, self.end_luminosity_class
        if text is None or (omit_implied and text == IMPLIED[self.prefix] and not (self.shade or end)):
            return ""
        text = text if end is None else f"{text}-{end}"
        if self.remarks:
            text = text.replace(HYPERGIANT, "Ia-0")  # Ia+Fe would be parsed as a composite type
        return text


def is_subtype(letter: str | None, subtype: float | None) -> bool:
    """Return whether a temperature class has this subtype; None means an unknown subtype."""
    if subtype is None:
        return True
    return letter is not None and (0 <= subtype < 10 or (letter == "M" and subtype == 10))


def _code(letter: str, subtype: float | None) -> float:
    return math.nan if subtype is None else 10.0 * TEMPERATURE_CLASSES.index(letter) + subtype


def _luminosity(symbol: str) -> float:
    if symbol == HYPERGIANT:
        return _HYPERGIANT_NUMBER
    name = symbol.rstrip("ab")
    return LUMINOSITY_CLASSES.index(name) + 1 + _OFFSET[symbol.removeprefix(name)]


def _number(subtype: float | None) -> str:
    return "" if subtype is None else np.format_float_positional(subtype, trim="-")
