"""MK spectral types."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

TEMPERATURE_CLASSES = ("O", "B", "A", "F", "G", "K", "M")
"""Temperature classes of the MK system, hottest first."""

_TYPE = re.compile(
    r"""\s*
    (?:(?:usd|esd|sd|d|g|c)[\s:]?)?     # ultra- to plain subdwarf, dwarf, giant, supergiant
    (?:
        ([OBAFGKM])
        (?=$|[\d\s:?.,;/()+-]           # subtype, uncertainty, range, remark
          |I|V                          # luminosity class
          |[emnpvw]+(?![A-Za-z]))       # peculiarities: Am, Fp, Be
      | ([obafgkm])(?=\d)               # lower case, where a subtype makes it a type
      | (0)(?=\d(?:\.\d+)?(?:$|[\sIV:?])) # 07 for O7
    )""",
    re.VERBOSE,
)


def temperature_class(types: ArrayLike) -> NDArray[np.str_]:
    """Temperature class letter of MK types.

    Parameters
    ----------
    types : array-like of str
        Spectral types as catalogues write them: ``"A7III"``, ``"dM2"``, ``"gM0"``, ``"sdB"``, ``"G8/K0III"``.
        The first of a range or of a composite counts, and a zero for the letter O (``"07Ia"``) is read as O.
        Masked values and None are no type.

    Returns
    -------
    ndarray of str, of the shape of `types`
        One of O, B, A, F, G, K, M, or ``""`` for what is not of the MK system or not one class of it: white
        dwarfs (``"DA"``), carbon and S stars, L and T dwarfs, cataclysmic variables, ``"OB"``, ``"Non"``.

    Raises
    ------
    TypeError
        If `types` are not strings.

    Examples
    --------
    >>> from skspec.mk import temperature_class
    >>> temperature_class(["dM2", "A7III", "sdB", "07Ia", "DA", "Non"]).tolist()
    ['M', 'A', 'B', 'O', '', '']
    """
    array = np.ma.filled(np.ma.asarray(types).astype(object), "")
    flat = [_text(value) for value in array.reshape(-1)]
    letters = {text: _letter(text) for text in set(flat)}
    return np.array([letters[text] for text in flat], dtype="<U1").reshape(array.shape)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    if not isinstance(value, str):
        raise TypeError(f"types must be strings such as 'G2V', got {value!r} ({type(value).__name__})")
    return value


def _letter(text: str) -> str:
    match = _TYPE.match(text)
    if match is None:
        return ""
    upper, lower, _ = match.groups()
    return upper or (lower.upper() if lower else "O")
