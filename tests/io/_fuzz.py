"""Damage small files of every format at random, and read them: ``python -m tests.io._fuzz FIRST COUNT SECONDS``.

File number n is the same on every machine: its format, and what is done to it, follow from n alone. The process reads
files ``FIRST`` to ``FIRST + COUNT - 1``, stops after some seconds, and prints a line of JSON for each one whose outcome
is wrong and a summary at the end. It bounds its own memory. The file named by ``FUZZ_STATE`` holds the number of the
file that is read, so that a parent knows which one killed the process.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from skspec import read_spectra
from skspec.io import SpectrumReadError
from tests.io._files import N, flux_ivar, lamost_header, write_image, write_lamost_table, write_sdss_spec

LONGEST = 2.0  # seconds for a file
MEMORY = 500 << 20  # bytes beyond what the process has before
MESSAGE = 400  # characters
WAVE = np.linspace(4000.0, 4100.0, N)
_VALUES = (
    "0", "1", "-1", "2", "8", "-32", "-64", "16", "999", "1000", "-2880", "2880", "2147483647", "-2147483648",
    "4294967296", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1E300", "-1.5", "NaN", "T", "F",
    "''", "'1D'", "'2D'", "'0E'", "'99999999D'", "'1PE(9)'", "'5A'", "'16X'", "'Angstrom'", "'BINTABLE'", "'IMAGE'", "'",
)  # fmt: skip
_CARDS = (
    "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "BITPIX", "TFIELDS", "TFORM1", "TFORM2", "TTYPE1", "THEAP",
    "TDIM1", "ZNAXIS", "ZNAXIS1", "ZTILE1", "ZIMAGE", "ZBITPIX", "ZCMPTYPE", "GROUPS", "BSCALE", "BZERO",
    "BLANK", "TNULL1", "TSCAL1", "TZERO1", "CRVAL1", "CDELT1", "CRPIX1", "COEFF0", "COEFF1", "XTENSION",
    "EXTNAME", "DATASUM",
)  # fmt: skip


def originals(folder: Path) -> dict[str, bytes]:
    """Write one small file of each format, and return their contents."""
    flux, ivar = flux_ivar()
    columns = {"wave": WAVE, "flux": flux, "ivar": ivar}

    def table(name, columns, *, hdus=(), **cards):
        first = fits.PrimaryHDU(header=fits.Header(cards))
        rest = [fits.BinTableHDU.from_columns(list(columns)), *hdus]
        fits.HDUList([first, *rest]).writeto(folder / name, checksum=name == "sums")

    pixels = [fits.Column(name, "D", array=values) for name, values in columns.items()]
    vectors = [fits.Column(name, f"{N}D", array=[values] * 2) for name, values in columns.items()]
    ragged = [
        fits.Column(name, "PD()", array=np.array([values, values[:-5]], dtype=object))
        for name, values in columns.items()
    ]
    write_sdss_spec(folder / "sdss", exposures=2)
    write_lamost_table(folder / "lamost-table")
    fits.PrimaryHDU(np.stack([flux, ivar]), lamost_header()).writeto(folder / "lamost-image")
    write_image(folder / "iraf", flux, CRVAL1=4000.0, CDELT1=1.0)
    write_image(folder / "spspec", np.stack([flux, flux, ivar]), COEFF0=3.6, COEFF1=1e-4, SPEC_CLN=1)
    scaled = fits.ImageHDU(flux, fits.Header({"CRVAL1": 4000.0, "CDELT1": 1.0}))
    scaled.scale("int16", bscale=0.01, bzero=5.0)
    fits.HDUList([fits.PrimaryHDU(), scaled]).writeto(folder / "scaled")
    packed = fits.CompImageHDU(flux, fits.Header({"CRVAL1": 4000.0, "CDELT1": 1.0}))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(folder / "compressed")
    packed = fits.CompImageHDU(
        flux, fits.Header({"CRVAL1": 4000.0, "CDELT1": 1.0}), compression_type="GZIP_2"
    )
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(folder / "compressed-gzip")
    table("pixels", pixels, OBJECT="HD 1")
    table("sums", pixels, OBJECT="HD 1")
    table("vectors", vectors)
    table("ragged", ragged)
    fibers = [fits.Column(name, "K", array=[7, 8]) for name in ("TARGETID", "TARGET_RA", "TARGET_DEC")]
    arms = [fits.PrimaryHDU(), fits.BinTableHDU.from_columns(fibers, name="FIBERMAP")]
    for i, arm in enumerate("BRZ"):
        arms += [
            fits.ImageHDU(3600 + 0.8 * np.arange(i * N, (i + 1) * N), name=f"{arm}_WAVELENGTH"),
            fits.ImageHDU(np.stack([flux, flux]), name=f"{arm}_FLUX"),
            fits.ImageHDU(np.stack([ivar, ivar]), name=f"{arm}_IVAR"),
        ]
    fits.HDUList(arms).writeto(folder / "desi")
    (folder / "gzip").write_bytes(gzip.compress((folder / "sdss").read_bytes()))
    labels = {"class": ["A", "F"], "z": [0.1, 0.2]}
    np.savez(
        folder / "npz", wave=WAVE, flux=np.stack([flux, flux]), **{k: np.array(v) for k, v in labels.items()}
    )
    np.savez_compressed(
        folder / "npz-packed", wave=WAVE, flux=np.stack([flux, flux]), ivar=np.stack([ivar, ivar])
    )
    for name in ("npz", "npz-packed"):
        (folder / f"{name}.npz").rename(folder / name)
    rows = zip(WAVE, flux, ivar, strict=True)
    (folder / "text").write_text("# wave flux ivar\n" + "".join(f"{w} {f} {i}\n" for w, f, i in rows))
    wide = pd.DataFrame({f"flux_{wave:.1f}": [1.5, 2.5] for wave in WAVE} | labels)
    wide.to_csv(folder / "csv", index=False)
    wide.to_parquet(folder / "parquet-wide")
    pd.DataFrame({"wave": [WAVE] * 2, "flux": [flux] * 2} | labels).to_parquet(folder / "parquet")
    Table(columns).write(folder / "ecsv", format="ascii.ecsv")
    answers = pd.DataFrame(
        {f"FE{i}": [1.0, 2.0] for i in range(2600)} | {"id": ["a", "b"], "answer": ["star", "qso"]}
    )
    answers.to_csv(folder / "contest-csv", index=False)
    answers.to_feather(folder / "contest-feather")
    (folder / "contest-text").write_text(",".join(["1.25"] * 2600))
    with h5py.File(folder / "hdf5", "w") as file:
        file.create_dataset("fluxes", data=np.ones((4, 433), dtype="f4"), compression="gzip", chunks=(2, 433))
        file["classes"] = np.eye(4, 13, dtype="f4")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def damaged(content: bytes, rng: np.random.Generator) -> tuple[bytes, list[str]]:
    """Return content that was damaged in one to three ways, and their names."""
    data, done = bytearray(content), []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        kind = str(rng.choice(list(_DAMAGES)))
        if data:
            _DAMAGES[kind](data, rng)
            done.append(kind)
    return bytes(data), done


def _flip_bits(data: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(len(data), size=rng.integers(1, 9)):
        data[at] ^= 1 << int(rng.integers(8))


def _truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(len(data))) :]


def _truncate_blocks(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(1, len(data) // 2880 + 2)) * 2880 :]


def _insert(data: bytearray, rng: np.random.Generator) -> None:
    at, n = int(rng.integers(len(data) + 1)), int(rng.choice([1, 2, 80, 2879, 2880]))
    data[at:at] = rng.integers(256, size=n, dtype=np.uint8).tobytes() if rng.random() < 0.5 else bytes(n)


def _delete(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(data)))
    del data[at : at + int(rng.choice([1, 2, 80, 2880]))]


def _overwrite(data: bytearray, rng: np.random.Generator) -> None:
    at, n = int(rng.integers(len(data))), int(rng.integers(1, 200))
    data[at : at + n] = rng.integers(256, size=min(n, len(data) - at), dtype=np.uint8).tobytes()


def _swap_blocks(data: bytearray, rng: np.random.Generator) -> None:
    size = 2880 if len(data) > 5760 else max(len(data) // 4, 1)
    one, two = (int(i) * size for i in rng.integers(max(len(data) // size, 1), size=2))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


def _pad(data: bytearray, rng: np.random.Generator) -> None:
    data += bytes(int(rng.choice([1, 2880, 10000])))


def _edit_card(data: bytearray, rng: np.random.Generator) -> None:
    name = str(rng.choice(_CARDS))
    places = [match.start() for match in re.finditer(rb"%-8b= " % name.encode(), data)]
    if places:
        at = int(rng.choice(places))
        data[at : at + 80] = f"{name:8}= {rng.choice(_VALUES):>20}".ljust(80).encode()
    elif ends := [match.start() for match in re.finditer(rb"END {77}", data)]:
        at = int(rng.choice(ends))
        data[at : at + 160] = f"{name:8}= {rng.choice(_VALUES):>20}".ljust(80).encode() + b"END".ljust(80)
    else:
        _edit_number(data, rng)


def _edit_number(data: bytearray, rng: np.random.Generator) -> None:
    if places := list(re.finditer(rb"\d+", data)):
        match = places[int(rng.integers(len(places)))]
        data[match.start() : match.end()] = str(rng.choice(_VALUES)).encode()


_DAMAGES = {
    "flip bits": _flip_bits,
    "truncate": _truncate,
    "truncate blocks": _truncate_blocks,
    "insert": _insert,
    "delete": _delete,
    "overwrite": _overwrite,
    "swap blocks": _swap_blocks,
    "pad": _pad,
    "edit card": _edit_card,
    "edit number": _edit_number,
}


class TooLate(BaseException):
    """Raised in a reader that takes too long; no reader catches it."""


def _stop(*_: object) -> None:
    raise TooLate


def problem(path: Path, whole: object) -> str | None:
    """Read a damaged file; return what is wrong with the outcome, ``""`` if it is refused rightly, None if it is read.

    Parameters
    ----------
    path : Path
    whole : Spectra or None
        Spectra of the file before it was cut, if that is all that happened to it; those read must begin as they do.
    """
    start, outcome = time.perf_counter(), None
    signal.setitimer(signal.ITIMER_REAL, 2 * LONGEST)
    try:
        spectra = read_spectra(path)
    except SpectrumReadError as error:
        spectra, message = None, str(error)
        if len(message) >= MESSAGE or not message.isprintable():
            return f"message of {len(message)} characters: {message!r}"
        outcome = ""
    except TooLate:
        return "hangs"
    except Exception as error:
        return f"foreign error {type(error).__name__}: {error} {traceback.format_exc()[-600:]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if time.perf_counter() - start > LONGEST:
        return "takes too long"
    if spectra is not None and whole is not None:
        for i in range(min(len(spectra), len(whole))):
            n = min(len(spectra.flux[i]), len(whole.flux[i]))
            if not np.array_equal(spectra.flux[i][:n], whole.flux[i][:n], equal_nan=True):
                return "differs from the whole file"
    return outcome


def main(first: int, count: int, seconds: float) -> None:
    """Read damaged files and print what is wrong."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    signal.signal(signal.SIGALRM, _stop)
    state = os.environ.get("FUZZ_STATE")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "whole").mkdir()
        contents = originals(folder / "whole")
        wholes = {kind: read_spectra(folder / "whole" / kind) for kind in contents}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 4 * MEMORY, used + 4 * MEMORY))
        until, n_files, n_read, kinds = time.monotonic() + seconds, 0, 0, list(contents)
        path = folder / "damaged"
        for number in range(first, first + count):
            if time.monotonic() > until:
                break
            rng = np.random.default_rng(number)
            kind = kinds[number % len(kinds)]
            content, done = damaged(contents[kind], rng)
            path.write_bytes(content)
            if state:
                Path(state).write_text(str(number))
            cut = done in (["truncate"], ["truncate blocks"]) and contents[kind].startswith(b"SIMPLE")
            wrong = problem(path, wholes[kind] if cut else None)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
            if peak > before + MEMORY:
                wrong, before = wrong or f"takes {(peak - before) >> 20} MiB", peak
            n_files += 1
            n_read += wrong is None
            if wrong:
                print(
                    json.dumps({"file": number, "format": kind, "damage": done, "wrong": wrong}), flush=True
                )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(json.dumps({"files": n_files, "read": n_read, "peak_MiB": peak}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
