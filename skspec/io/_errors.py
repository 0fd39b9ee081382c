"""Errors of files that cannot be read; their messages name the file."""

import os

_LONGEST_PATH, _LONGEST_CAUSE = 140, 240  # characters, so that a message has fewer than 400


class SpectrumReadError(OSError, ValueError):
    """A file that cannot be read as spectra.

    Parameters
    ----------
    path : path-like
        The file.
    cause : str
        What is wrong with it. The message is one line: its middle is left out if it is long, and characters that
        cannot be printed are replaced.

    Attributes
    ----------
    path, cause : str
        The file, and the reason without its path.
    """

    def __init__(self, path: str | os.PathLike[str], cause: str) -> None:
        self.path = os.fspath(path)
        self.cause = shortened(cause, _LONGEST_CAUSE)
        super().__init__(f"{shortened(self.path, _LONGEST_PATH)}: {self.cause}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:  # worker processes return errors
        return type(self), (self.path, self.cause)


class UnknownFormatError(SpectrumReadError):
    """A file whose format is not known, or something else than a file."""


class NoSpectraError(ValueError):
    """A file of a known format that has other data than spectra, such as a table of classes."""


def shortened(text: str, longest: int) -> str:
    """Return text on one line, without its middle if it has more characters than `longest`."""
    if not text.isprintable():
        line = " ".join(text.split()) if "\n" in text or "\t" in text or "\r" in text else text
        text = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]} … {text[len(text) - half :]}"
