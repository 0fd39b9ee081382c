"""Bounds on what a file may unpack to, so that a small file cannot fill the memory."""

from __future__ import annotations

import os

FREE = 1 << 26
"""Number of bytes to which any file may unpack."""

RATIO = 100
"""Unpacked bytes per packed byte beyond `FREE`; spectra have 1 to 10, and mask arrays in them rarely 50."""

LARGEST = 1 << 32
"""Number of bytes to which no file may unpack."""

VARIABLE = "SKSPEC_MAX_UNPACKED"
"""Environment variable with a number of bytes that replaces these bounds."""


def allowed(packed: int) -> int:
    """Return the number of bytes to which `packed` bytes may unpack.

    Raises
    ------
    ValueError
        If the environment variable is not a number of bytes.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return min(FREE + RATIO * packed, LARGEST)
    if not given.isdecimal():
        raise ValueError(f"the environment variable {VARIABLE} must be a number of bytes, it is {given!r}")
    return int(given)


def check_unpacked(unpacked: int, packed: int, what: str = "the file") -> None:
    """Raise ValueError if `packed` bytes would unpack to more than is allowed.

    Parameters
    ----------
    unpacked, packed : int
        Numbers of bytes; `unpacked` may be a part of what is to come.
    what : str, default="the file"
        What is unpacked, for the message.
    """
    if unpacked > allowed(packed):
        size = f"{unpacked:,}" if unpacked < 1 << 63 else "over 2**63"
        raise ValueError(
            f"{what} unpacks to {size} bytes or more from {packed:,}, which may exhaust the memory; if you trust it, "
            f"unpack it yourself or set the environment variable {VARIABLE} to a number of bytes"
        )
