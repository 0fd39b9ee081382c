"""Read spectra from files (`read_spectra` and its formats), and sample large catalogues."""

from skspec.io import formats as _formats  # noqa: F401  (registers them)
from skspec.io._catalogue import sample_catalogue
from skspec.io._errors import SpectrumReadError
from skspec.io._file_spectra import FileSpectra
from skspec.io._read import read_spectra
from skspec.io._registry import FormatInfo, available_formats, register_format
from skspec.io._source import Source

__all__ = [
    "FileSpectra",
    "FormatInfo",
    "Source",
    "SpectrumReadError",
    "available_formats",
    "read_spectra",
    "register_format",
    "sample_catalogue",
]
