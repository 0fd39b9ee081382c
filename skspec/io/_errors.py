"""The error of a file that cannot be read; its message names the file."""

import os


class SpectrumReadError(OSError, ValueError):
    """A file that cannot be read as spectra.

    Attributes
    ----------
    path, cause : str
        The file, and the reason without its path.
    """

    def __init__(self, path: str | os.PathLike[str], cause: str) -> None:
        self.path = os.fspath(path)
        self.cause = cause
        super().__init__(f"{self.path}: {cause}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:  # worker processes return errors
        return type(self), (self.path, self.cause)
