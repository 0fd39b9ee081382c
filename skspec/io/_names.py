"""Recognise columns and header cards by name: wavelength, flux, errors and catalogue values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from skspec.io._fits_header import Header

_ROLES = {
    "wave": (
        "wave wavelength wavelengths wavelen lambda lam wl wlen spectral spectralaxis spectralcoordinate waveobs "
        "obswave obswavelength"
    ),
    "loglam": "loglam loglambda loglamb logwave logwavelength log10lam log10lambda log10wave",
    "flux": (
        "flux fluxes flam flambda fluxlambda fluxdensity fluxreduced intensity spectrum spec relflux relativeflux "
        "normflux normalizedflux normalisedflux counts f"
    ),
    "ivar": "ivar fluxivar invvar inversevariance inverse",
    "variance": "var variance fluxvar fluxvariance",
    "error": (
        "err error errors eflux fluxerr fluxerror errflux errorflux fluxunc unc uncertainty sigma sig sigflux "
        "fluxsigma noise errreduced flerr"
    ),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}
_UNIT = re.compile(r"[\[(]\s*([^\[\]]*?)\s*[\])]\s*$")
_UNIT_SUFFIX = re.compile(r"_(aa|ang|angstroms?|nm|um|microns?)$", re.IGNORECASE)
_MEDIUM = re.compile(r"(?<![a-z])(air|vac(?:uum)?)(?![a-z])", re.IGNORECASE)
_CTYPE = re.compile(r"(AWAV|WAVE)(?:-[A-Z0-9]{3})?$")  # FITS standard 4.0, table 25

_CATALOGUE = {
    "class": "class cls srcclass",
    "subclass": "subclass sptype",
    "z": "z redshift",
    "ra": "ra raj2000",
    "dec": "dec dej2000",
    "snr": "snr",
    "object": "object name objname",
    "survey": "survey",
}
# Canonical names of catalogue columns, by the lower-case names in files.
META_NAMES = {word: name for name, words in _CATALOGUE.items() for word in words.split()}


class Role(NamedTuple):
    """Role of a column of a spectrum, and the unit and medium stated in its name."""

    kind: str
    unit: str | None
    medium: str | None


def column_role(name: str) -> Role | None:
    """Return the role of a column from its name, such as ``"Wavelength (nm)"`` or ``"flux_err"``; None if it has none.

    The ``kind`` is one of wave, flux, ivar, variance and error; ``"LOGLAM"`` is a wave in log10(Angstrom).
    """
    text = name.strip().strip("#\"'").strip()
    unit = None
    if match := _UNIT.search(text) or _UNIT_SUFFIX.search(text):
        unit, text = match[1], text[: match.start()]
    medium = find_medium(text)
    plain = re.sub(r"[^a-z0-9]", "", _MEDIUM.sub("", text.lower().replace("_", " ")))
    kind = _ROLE_OF.get(plain)
    if kind is None:
        return None
    return Role("wave", "log10(Angstrom)", medium) if kind == "loglam" else Role(kind, unit, medium)


def find_roles(names: Iterable[str]) -> dict[str, tuple[int, Role]]:
    """Return the first column of each kind: ``{kind: (number, Role)}``."""
    found: dict[str, tuple[int, Role]] = {}
    for number, name in enumerate(names):
        role = column_role(name)
        if role is not None:
            found.setdefault(role.kind, (number, role))
    return found


def find_medium(text: str) -> str | None:
    """Return ``"air"`` or ``"vacuum"`` if `text` contains that word, else None."""
    match = _MEDIUM.search(text.replace("_", " "))
    return None if match is None else "air" if match[1].lower() == "air" else "vacuum"


def header_medium(header: Header) -> str | None:
    """Return the medium of the wavelengths stated in the header, or None."""
    if (vacuum := header.get("VACUUM")) is not None:
        return "vacuum" if vacuum in (True, "T", "True", 1) else "air"
    if match := _CTYPE.match(str(header.get("CTYPE1", ""))):
        return "air" if match[1] == "AWAV" else "vacuum"
    return find_medium(str(header.get("AIRORVAC", "")))


def header_meta(header: Header) -> dict[str, Any]:
    """Return the catalogue values of a header by canonical name; positions in degrees."""
    get = header.get
    meta: dict[str, Any] = {
        "object": next((v for k in ("OBJECT", "OBJNAME", "TARGNAME") if (v := get(k))), None),
        "class": next((v for k in ("CLASS", "SRCCLASS") if (v := get(k))), None),
        "subclass": next((v for k in ("SUBCLASS", "SPTYPE") if (v := get(k))), None),
        "z": next((v for k in ("Z", "REDSHIFT") if isinstance(v := get(k), int | float)), None),
    }
    for key, cards, hours in (("ra", ("OBJRA", "RA"), True), ("dec", ("OBJDEC", "DEC"), False)):
        value = next((v for card in cards if (v := get(card)) is not None), None)
        degrees = to_degrees(value, hours=hours)
        if degrees is not None:
            meta[key] = degrees
    return {
        key: str(value) if key in ("object", "class", "subclass") else value
        for key, value in meta.items()
        if value is not None
    }


def to_degrees(value: Any, *, hours: bool) -> float | None:
    """Convert a number (degrees) or sexagesimal text (in hours if `hours`) to degrees; None if it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    parts = re.split(r"[:\s]+", str(value).strip())
    try:
        numbers = [abs(float(part)) for part in parts]
    except ValueError:
        return None
    if len(numbers) == 1:
        return float(parts[0])
    if len(numbers) > 3:
        return None
    total = sum(number / 60**i for i, number in enumerate(numbers)) * (15.0 if hours else 1.0)
    return -total if parts[0].startswith("-") else total
