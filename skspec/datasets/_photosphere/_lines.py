"""The line list, from the table ``lines.dat`` beside this module."""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

_COLUMNS = np.dtype(
    [("wave", "f8"), ("element", "U2"), ("spectrum", "i8"), ("energy", "f8"), ("log_gf", "f8")]
)


@cache
def read_lines() -> NDArray[np.void]:
    """Lines of helium and the metals in order of wavelength.

    Returns
    -------
    ndarray with fields
        ``wave`` (vacuum Å), ``element``, ``spectrum`` (1 for the neutral atom), ``energy`` of the lower level
        (eV) and ``log_gf``. Sources are named in the table itself.
    """
    with files(__package__).joinpath("lines.dat").open() as table:
        lines = np.loadtxt(table, dtype=_COLUMNS)
    lines.setflags(write=False)
    return lines
