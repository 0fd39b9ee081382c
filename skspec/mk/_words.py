"""Signs and words of catalogues: what is part of an MK type, and what only looks like it."""

from __future__ import annotations

import re
import unicodedata

LETTER = "[OBAFGKM]"
SYMBOL = (
    r"(?:(?:0-)?Ia\+(?!\s*(?:usd|esd|sd|d|g|c)?[A-Z])"  # Ia+B2 is a composite type
    r"|0-Ia|Ia-?0|(?:III|II|IV|I|VI|V)(?:ab|a|b)?(?![IV]))"
)

# Signs ------------------------------------------------------------------------------------------------

_TEX_DASH = re.compile(r"(?<=\w)(?:-{2,3}|\$-+\$)(?=\w)")
_BEFORE_NORMALIZING = str.maketrans({"½": ".5", "\u00ad": "-"})
_AFTER_NORMALIZING = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2043\u02d7", "-"),  # minus signs
        **dict.fromkeys("\u2044\u2215", "/"),
        **dict.fromkeys("\u2236\ua789\u02d0", ":"),
        **dict.fromkeys("\u00b7\u2219\u2027", "."),  # B2·5
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),  # invisible: removed
        "\u2795": "+",
        "\u2217": "*",
    }
)


def plain_text(text: str) -> str:
    """Return text with the dashes, blanks, colons, digits and Roman numerals of any coding as plain characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_BEFORE_NORMALIZING)).translate(
            _AFTER_NORMALIZING
        )
        text = "".join("-" if unicodedata.category(sign) == "Pd" else sign for sign in text)
    return _TEX_DASH.sub("-", text.replace("+/-", "±")).strip()


# Words ------------------------------------------------------------------------------------------------

_REMARKS = (
    "var|comp|pec|shell|sh|neb|ell|em|wk|wl|[efghkmnpqsvwxz]|m[OBAFGKM]"
    "|CN|CH|C2|Al|Ba|Ca|Cr|Eu|Fe|He|Hg|Li|Mg|Mn|Na|Ni|Si|Sr|Ti|Zr"
)
_AFTER_SYMBOL = re.compile(rf"(?:{_REMARKS})*")
_AFTER_DWARF = re.compile(rf"(?:{_REMARKS})*|NN?E?P?|EP?|P")
_EARLY_REMARK = re.compile(rf"\s*([efnpw]{{1,3}})\s*(?=({SYMBOL}))")
_WORD = re.compile(r"V(?:ar(?:iable)?|AR(?:IABLE)?|is(?:ual)?|IS(?:UAL)?|B|LBI)|I(?:R|RAS|C|DS|n|N|UE)")
_STARS = (
    r"(?:stars?|type|class|(?:super|sub|hyper|bright )?giants?|(?:sub)?dwarfs?|emission|em|shell|sh|variable|var"
    r"|peculiar|pec|composite|comp|binary|sb\d?|neb|spectrum|spec|weak|strong|metal|late|early|or|to|with)(?![A-Za-z])"
)
_PHRASE = re.compile(
    rf"""\s*[-/](?!\s*(?:{LETTER}(?:$|[\d\s:?;(+IV])|(?i:{_STARS})))
    |\s+(?!(?i:{_STARS})|{SYMBOL})[A-Z][A-Za-z]*[A-Z]
    |\s+(?:band|filter|mag(?:nitude)?s?|image|plate|component|galax(?:y|ies)|quasar|cluster|field|object)(?![a-z])
    |\.(?![.\s]|$)""",
    re.VERBOSE,
)
_NAME = re.compile(r"\s+[A-Z][a-z]{2}(?![A-Za-z])|\]")
_NUMBER_OF_NAME = re.compile(r"(?:\s+|-)(?!10(?!\d))\d\d|\+\d")


def is_word(symbol: str, rest: str, *, after_letter: bool, after_blank: bool) -> bool:
    """Return whether a luminosity class and the letters that follow it are a word, such as VIS, IR or Var.

    Nearly any remark may follow a type with a subtype; only known ones may follow a letter without (`after_letter`:
    BIVn, but not BIVOUAC), and I, V or VI written apart (`after_blank`: G0 Vp, but not G0 VB).
    """
    letters = re.match("[A-Za-z]*", rest)[0]  # type: ignore[index]
    if not letters:
        return False
    if after_letter:
        return _AFTER_SYMBOL.fullmatch(letters) is None
    if after_blank and re.match("I(?![IV])|VI?", symbol):
        return (_AFTER_DWARF if symbol == "V" else _AFTER_SYMBOL).fullmatch(letters) is None
    return _WORD.fullmatch(symbol + letters) is not None


def match_early_remark(rest: str) -> re.Match[str] | None:
    """Return the match of a remark between subtype and luminosity class, as in M2epIa and F3w V."""
    match = _EARLY_REMARK.match(rest)
    blank = match is not None and match[0][-1:].isspace()
    if match is None or is_word(match[2], rest[match.end(2) :], after_letter=False, after_blank=blank):
        return None
    return match


def is_phrase(rest: str) -> bool:
    """Return whether what follows a letter without a subtype makes it part of a phrase: G band, B-V, A NAME."""
    return _PHRASE.match(rest) is not None


def is_name(rest: str) -> bool:
    """Return whether what follows a class makes it the name of a variable star or of a line: AI Vel, OIII]."""
    return _NAME.match(rest) is not None


def is_number(rest: str) -> bool:
    """Return whether what follows a subtype makes it the number of a catalogue: K2-18, B2 1215+30, G1.9+0.3."""
    return _NUMBER_OF_NAME.match(rest) is not None
