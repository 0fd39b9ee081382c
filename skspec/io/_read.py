"""`read_spectra`: read survey files into `Spectra`."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from skspec.checks import check_choice
from skspec.io._assemble import assemble
from skspec.io._errors import NoSpectraError, SpectrumReadError, UnknownFormatError, shortened
from skspec.io._file_spectra import FileSpectra
from skspec.io._masks import check_mask_bits
from skspec.io._paths import Wanted, as_catalogue, find_files
from skspec.io._registry import Format, identify_format, ordered_formats
from skspec.io._source import MaskBits, Source
from skspec.spectra import Spectra

_BATCH = 32  # files per task: starting a task takes a few tenths of a millisecond, as long as reading a file
_MANY = 100  # number of files from which a progress bar is shown


class Options(NamedTuple):
    """How each file is read."""

    formats: Sequence[Format]
    medium: str | None
    wave_unit: str | None
    mask_bits: MaskBits
    verify: bool


class Result(NamedTuple):
    """The spectra of one file, or what is wrong with it, and what to warn of."""

    spectra: list[FileSpectra]
    error: SpectrumReadError | None
    notices: list[tuple[str, int]]


def read_spectra(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002  (the name astropy users know)
    medium: str | None = None,
    wave_unit: str | None = None,
    mask_bits: MaskBits = None,
    n_jobs: int | None = None,
    progress: bool | None = None,
    on_error: str = "raise",
    recursive: bool = True,
    verify: bool = False,
) -> Spectra:
    r"""Read spectra from files of any known format.

    The format of each file is recognised from its content, not its name; gzip is decompressed.
    `skspec.io.available_formats` lists the formats, and `skspec.io.register_format` adds one.

    Parameters
    ----------
    source : path-like, str, list or table
        One of

        - a file, or a glob pattern such as ``"night1/*.fits"`` or ``"~/survey/**/spec-*.fits"``;
        - a directory: all recognised files in it, sorted by name, then those in its subdirectories. The
          others are listed as skipped; hidden files and directories, and models (``.skspec``), are left out;
        - ``"@files.txt"``: a text file with any of these in each line, relative to its directory or else to the working
          directory; blank lines and lines that start with ``#`` are skipped;
        - a list of these. A file that is named more than once, also by a link or a pattern, is read once, with a warning;
        - a table (astropy Table or pandas DataFrame) with a column of paths called ``file``, ``path`` or
          ``filename``. Its other columns go to ``meta``, and replace columns of the same name from the files.
    format : str, default=None
        Name of the format of all files, one of `skspec.io.available_formats`. None recognises the format of each file.
    medium : {"air", "vacuum"}, default=None
        Medium of the wavelengths in the files, overriding what they state. None takes the medium stated in each file;
        without one, wavelengths are read as vacuum and ``meta["native_medium"]`` is empty.
    wave_unit : str, default=None
        Unit of wavelengths for files that do not state it, for example ``"nm"``. None takes Å, and raises an error for
        numbers that may be in another unit.
    mask_bits : int or dict of str to int, default=None
        Bits that make a pixel missing, for all masks in the files or by the name of the mask, such as
        ``{"and_mask": 1 << 22}``; 0 applies none. None applies the masks whose meaning is certain: of booleans, of 0
        and 1 in a column or array named ``mask`` or ``bad``, and DESI's. Other masks that are set cause a warning,
        except SDSS's and LAMOST's, whose inverse variance is zero where a pixel is unusable.
    n_jobs : int, default=None
        Number of threads, as in joblib; -1 uses all cores. More threads are faster on slow or remote disks, but not on
        local disks. Within ``joblib.parallel_config("loky")`` processes are used.
    progress : bool, default=None
        Whether to show a progress bar. None shows one for 100 files or more on a terminal.
    on_error : {"raise", "warn", "skip"}, default="raise"
        Whether a file that cannot be read raises an error, or is skipped with a warning or silently.
    recursive : bool, default=True
        Whether to search the subdirectories of directories.
    verify : bool, default=False
        Whether to compare FITS files with the sums in their cards DATASUM and CHECKSUM, where they have them. This
        reads whole files. Without it only files of an unusual size are compared.

    Returns
    -------
    Spectra
        Spectra with vacuum wavelengths, on a common grid if all files share one. Float32 flux and ivar are unchanged bit
        for bit. ``meta`` has one row per spectrum with the columns ``file``, ``native_medium`` (before the conversion)
        and, if known, ``survey, object, class, subclass, z, ra, dec`` (degrees), ``snr`` (in the r band) and others that
        depend on the format. Missing values are ``""`` in text columns and masked in numeric columns.
        ``meta.meta["skipped"]`` lists the skipped files as dictionaries with ``file`` and ``reason``.

    Raises
    ------
    SpectrumReadError
        If a file cannot be read (``on_error="raise"``), or none can.
    ValueError
        If an argument is invalid, or a table has no column of paths.

    Warns
    -----
    UserWarning
        If only some of the files have errors; ``ivar`` is then None for all. If files are named more than once. If
        a catalogue value has another shape in some files, where it is then missing. If the size of a FITS file is not
        that of a whole one and it has no sums to compare. If a mask, an array that may be errors, or a part of a file
        with spectra was not used, if stretches of constant flux are missing, or if the file of labels that belongs to a
        file is not beside it.

    Notes
    -----
    Plain FITS files are read without `astropy.io.fits`, 50 to 100 times faster and with the same values. Compressed or
    scaled data and variable-length columns are read by astropy.

    A packed file may unpack to 64 MiB plus a hundred times its size, and at most 4 GiB, which spectra never reach; the
    environment variable ``SKSPEC_MAX_UNPACKED`` sets another number of bytes.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skspec import read_spectra
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "vega.txt").write_text("wave flux err\n4000 1.0 0.1\n4001 1.1 0.1\n4002 0.9 0.1\n")
    >>> spectra = read_spectra(folder)
    >>> spectra
    <Spectra: 1 spectrum × 3 pixels, 4000.0–4002.0 Å (vacuum), ivar; meta: file, native_medium>
    """
    check_choice("on_error", on_error, ("raise", "warn", "skip"))
    check_choice("medium", medium, (None, "air", "vacuum"))
    options = Options(ordered_formats(format), medium, wave_unit, check_mask_bits(mask_bits), verify)
    catalogue = as_catalogue(source)
    if catalogue is None:
        wanted = find_files(source, recursive=recursive)
    else:
        table, path_column = catalogue
        wanted = [Wanted(os.path.expanduser(str(path)), named=True) for path in table[path_column]]

    items: list[FileSpectra] = []
    files: list[str] = []
    origin: list[int] = []
    errors: list[SpectrumReadError] = []
    skipped: list[dict[str, str]] = []
    notices: dict[str, list[tuple[str, int]]] = {}
    with closing(_read_all([path for path, _ in wanted], options, n_jobs)) as results:
        for number, result in enumerate(_with_bar(results, len(wanted), progress)):
            path, named = wanted[number]
            if result.error is not None:
                _report(
                    result.error,
                    "skip" if isinstance(result.error, UnknownFormatError) and not named else on_error,
                )
                errors.append(result.error)
                own = result.error.path == path  # not that of a file beside it
                skipped.append({"file": path, "reason": result.error.cause if own else str(result.error)})
                continue
            for text, count in result.notices:
                notices.setdefault(text, []).append((path, count))
            if not result.spectra:
                skipped.append({"file": path, "reason": "the file has no spectra of its own"})
            items += result.spectra
            files += [path] * len(result.spectra)
            origin += [number] * len(result.spectra)
    _warn_of(notices)
    if not items:
        for error in errors:
            _report(error, "raise" if isinstance(error.__cause__, ImportError) else "skip")
        others = f" (and the {len(wanted) - 1} other files have no spectra)" if len(wanted) > 1 else ""
        raise SpectrumReadError(skipped[0]["file"], skipped[0]["reason"] + others)

    spectra, item_of = assemble(items, files)
    if catalogue is not None:
        rows = np.asarray(origin)[item_of]
        for name in table.colnames:
            if name != path_column:
                spectra.meta[name] = table[name][rows]
        spectra.meta.meta.update(table.meta)
    spectra.meta.meta["skipped"] = skipped
    return spectra


def _report(error: SpectrumReadError, on_error: str) -> None:
    """Raise, warn of, or pass over the error of a file; a library that is missing is an ImportError."""
    if on_error == "raise":
        raise error.__cause__ if isinstance(error.__cause__, ImportError) else error
    if on_error == "warn":
        warnings.warn(f"skipped {error}", stacklevel=3)


def _warn_of(notices: Mapping[str, Sequence[tuple[str, int]]]) -> None:
    """Warn once of each text, with the first of its files and the sum of their counts."""
    for text, where in notices.items():
        others = f" and {len(where) - 1} other files" if len(where) > 1 else ""
        total = sum(count for _, count in where)
        warnings.warn(f"{where[0][0]}{others}: {text.replace('{n}', f'{total:,}')}", stacklevel=3)


def _read_all(paths: Sequence[str], options: Options, n_jobs: int | None) -> Generator[Result]:
    """Yield the results in the order of `paths`."""
    if n_jobs in (None, 1):
        for path in paths:
            yield _read_file(path, options)
        return
    from joblib import Parallel, delayed  # noqa: PLC0415

    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    tasks = (delayed(_read_batch)(paths[i : i + _BATCH], options) for i in range(0, len(paths), _BATCH))
    batches = parallel(tasks)
    try:
        for batch in batches:
            yield from batch
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib warns about tasks cancelled after an error
            batches.close()


def _read_batch(paths: Sequence[str], options: Options) -> list[Result]:
    return [_read_file(path, options) for path in paths]


def _read_file(path: str, options: Options) -> Result:
    """Return the checked spectra of one file, or what is wrong with it, whatever that is."""
    known = options.formats[0] if len(options.formats) == 1 else None
    notices: list[tuple[str, int]] = []
    try:
        opened = Source(path, wave_unit=options.wave_unit, mask_bits=options.mask_bits)
        with np.errstate(all="ignore"), opened as source:
            notices = source.notices
            known = known or identify_format(source, options.formats)
            found = known.read(source)
            if options.verify and source.fits is not None:
                source.fits.verify()
            items = [item.checked() for item in ([found] if isinstance(found, FileSpectra) else found)]
            if items and options.mask_bits and not source.has_wanted_mask:
                source.notice("it has no mask to which mask_bits applies; compare the names of its masks")
    except SpectrumReadError as error:
        return Result([], error, [])
    except Exception as error:  # a damaged file may raise anything in a reader
        plain = isinstance(error, ValueError | ImportError)
        cause = str(error) if plain else f"{type(error).__name__}: {error}"
        if isinstance(error, MemoryError):
            cause = "there is not enough memory to read it"
        suffix = f" (read as {known.name})" if known and not isinstance(error, ImportError) else ""
        cause = cause.removeprefix(f"{path}: ")
        kind = UnknownFormatError if isinstance(error, NoSpectraError) else SpectrumReadError
        wrapped = kind(path, shortened(cause, 200) + suffix)
        wrapped.__cause__ = error
        return Result([], wrapped, [])
    if options.medium is not None:
        for item in items:
            item.medium = options.medium
    return Result(items, None, notices)


def _with_bar(results: Iterable[Result], n: int, progress: bool | None) -> Iterable[Result]:
    if progress is None:
        progress = n >= _MANY and sys.stderr.isatty()
    if not progress:
        return results
    from tqdm.auto import tqdm  # noqa: PLC0415

    return tqdm(results, total=n, desc="reading spectra", unit=" files")
