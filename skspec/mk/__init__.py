"""MK spectral types: parsing, joint classes of temperature and luminosity, and numeric codes."""

from skspec.mk._grid import joint_class, mk_coordinates, mk_grid
from skspec.mk._numbers import joint_from_targets, joint_targets, spectral_code, type_from_code
from skspec.mk._parse import mk_type, parse_mk, temperature_class
from skspec.mk._type import LUMINOSITY_CLASSES, TEMPERATURE_CLASSES, MKType

__all__ = [
    "LUMINOSITY_CLASSES",
    "TEMPERATURE_CLASSES",
    "MKType",
    "joint_class",
    "joint_from_targets",
    "joint_targets",
    "mk_coordinates",
    "mk_grid",
    "mk_type",
    "parse_mk",
    "spectral_code",
    "temperature_class",
    "type_from_code",
]
