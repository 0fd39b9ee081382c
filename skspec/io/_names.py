"""Recognise columns and header cards by name: wavelength, flux, errors and catalogue values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
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
    "ivar": "ivar fluxivar ivarflux invvar fluxinvvar invvariance inversevariance inverse iv",
    "variance": "var variance variances fluxvar fluxvariance varflux stat sigma2 sig2",
    "error": (
        "err errs error errors eflux fluxe fluxerr fluxerrs fluxerror fluxerrors errflux errorflux dflux deltaflux "
        "fluxunc uncflux fluxuncert fluxuncertainty unc uncert uncerts uncertainty uncertainties sigma sigmas sig "
        "sigflux sigmaflux fluxsigma fluxsig std stddev stdev stderr noise fluxnoise noiseflux rms rmsflux fluxrms "
        "errreduced flerr errspectrum spectrumerr spectrumerror sigmaspectrum specerr errarray fluxsd sd"
    ),
    "mask": (
        "mask masks masked fluxmask maskflux badmask pixelmask pixmask badpixelmask bpm bad badpix badpixel badpixels"
    ),
    "good": "good goodpix goodpixel goodpixels goodmask valid",
    "flags": (
        "andmask ormask maskbits maskbit bitmask dq dqflag dqflags dataquality qual quality qualityflag fluxquality "
        "flag flags fluxflag fluxflags qflag qflags pixflag pixflags pixelflags"
    ),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}
MASKS = ("mask", "good", "flags")  # kinds of columns
_ERROR_LIKE = re.compile(
    r"err|sig(?:ma)?(?![a-z]*nal)|unc|noise|std|rms|i?var(?!iab)|weight|wht", re.IGNORECASE
)
_NOT_FLUX = re.compile(r"wave|(?<!f)lam|wl|disp|sky|model|cont|line|vel|rv|^z|^ra|^dec", re.IGNORECASE)
_UNIT = re.compile(r"[\[(]\s*([^\[\]]*?)\s*[\])]\s*$")
_UNIT_SUFFIX = re.compile(r"_(aa|ang|angstroms?|nm|um|microns?)$", re.IGNORECASE)
_MEDIUM = re.compile(r"(?<![a-z])(air|vac(?:uum)?)(?![a-z])", re.IGNORECASE)
_CTYPE = re.compile(r"(AWAV|WAVE)(?:-[A-Z0-9]{3})?$")  # FITS standard 4.0, table 25

_HOURS = re.compile(r"\bhours?\b|\bhr?s?\b", re.IGNORECASE)
_SPECTRAL_TYPE = re.compile(r"(?:sd|d|g)?[OBAFGKMLTY]\s?\d")
_RA = ("OBJRA", "RA", "RA_OBJ", "RA_TARG", "TARG_RA", "TARGRA", "OBJCTRA", "RAOBJ")
_DEC = ("OBJDEC", "DEC", "DEC_OBJ", "DEC_TARG", "TARG_DEC", "TARGDEC", "OBJCTDEC", "DECOBJ")

_CATALOGUE = {
    "class": "class cls srcclass objclass spectype objtype",
    "subclass": "subclass sptype sp_type",
    "z": "z redshift",
    "ra": "ra raj2000 ra_deg",
    "dec": "dec dej2000 dec_deg",
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


@lru_cache(maxsize=4096)
def column_role(name: str) -> Role | None:
    """Return the role of a column from its name, such as ``"Wavelength (nm)"`` or ``"flux_err"``; None if it has none.

    The ``kind`` is one of wave, flux, ivar, variance, error and `MASKS`; ``"LOGLAM"`` is a wave in log10(Angstrom).
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


def looks_like_error(name: str) -> bool:
    """Return whether the name of a column without a role suggests errors of the flux."""
    return column_role(name) is None and bool(_ERROR_LIKE.search(name)) and not _NOT_FLUX.search(name)


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
    typed = _SPECTRAL_TYPE.match(str(header.get("SPECTYPE", "")))  # DESI has STAR, GALAXY and QSO there
    meta: dict[str, Any] = {
        "object": _first(header, "OBJECT", "OBJNAME", "TARGNAME"),
        "class": _first(
            header, "CLASS", "SRCCLASS", "OBJCLASS", *(() if typed else ("SPECTYPE",)), "OBJTYPE"
        ),
        "subclass": _first(
            header, "SUBCLASS", "SPTYPE", "SP_TYPE", "SUBTYPE", *(("SPECTYPE",) if typed else ())
        ),
        "z": next((v for k in ("Z", "REDSHIFT") if _is_number(v := header.get(k))), None),
    }
    for key, cards in (("ra", _RA), ("dec", _DEC)):
        card = next((card for card in cards if header.get(card) is not None), None)
        if card is None:
            continue
        value, hours = header.get(card), key == "ra"
        degrees = to_degrees(value, hours=hours)
        if hours and degrees is not None and _HOURS.search(header.comment(card)) and _is_decimal(value):
            degrees *= 15.0
        if degrees is not None:
            meta[key] = degrees
    return {
        key: str(value) if key in ("object", "class", "subclass") else value
        for key, value in meta.items()
        if value is not None
    }


def _first(header: Header, *cards: str) -> Any:
    return next((value for card in cards if (value := header.get(card))), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_decimal(value: Any) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


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
