"""Reading SDSS/BOSS spectra: ``python -m benchmarks.read [--files 300] [--repeats 5]``.

The files of data releases 8 to 17 among the real data (``$SKSPEC_DATA``, by default ``../shared/data``) are copied
into a temporary directory until there are a few hundred, so that all contenders read from the page cache. Every copy has
a different comment in each extension header, so that a cache of parsed headers is never hit; real surveys are between
that and files with identical headers.

Each contender reads flux, wavelength, ivar, class and redshift of all files, into one `Spectra` or, for the others,
into a list. ``astropy`` is the usual loop; ``astropy, first table only`` leaves out the catalogue row
with class and redshift; ``bytes`` only reads the files, the lower limit for any reader. The row ``same headers`` reads
copies of the original files without it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from benchmarks._harness import compare, machine
from skspec import read_spectra

_FOLDERS = ("sdss_dr8plus", "boss_lowercase_v5_10", "boss_uppercase_v5_13")


def astropy_loop(files: list[Path]) -> list[Any]:
    found = []
    for file in files:
        with fits.open(file) as hdus:
            names = {name.lower(): name for name in hdus[1].columns.names}
            coadd = hdus[1].data
            row = hdus[2].data[0]
            found.append(
                (
                    coadd[names["flux"]],
                    10.0 ** coadd[names["loglam"]].astype(float),
                    coadd[names["ivar"]],
                    row["CLASS"],
                    row["Z"],
                )
            )
    return found


def astropy_first_table(files: list[Path]) -> list[Any]:
    found = []
    for file in files:
        with fits.open(file) as hdus:
            coadd = hdus[1].data
            names = {name.lower(): name for name in hdus[1].columns.names}
            found.append(
                (coadd[names["flux"]], 10.0 ** coadd[names["loglam"]].astype(float), coadd[names["ivar"]])
            )
    return found


def read_bytes(files: list[Path]) -> int:
    return sum(len(file.read_bytes()) for file in files)


def with_own_headers(content: bytes, number: int) -> bytes:
    """Return the content of a file with the number of the copy in its extension headers."""
    card = b"XTENSION= 'BINTABLE' / copy %d" % number
    return re.sub(rb"XTENSION= 'BINTABLE'.{60}", card.ljust(80), content)


def check_equal(files: list[Path]) -> None:
    """Stop unless both readers return the same values."""
    spectra = read_spectra(files)
    for i, (flux, wave, ivar, kind, z) in enumerate(astropy_loop(files)):
        row = spectra[i]
        same = (
            np.array_equal(row.flux[0], flux)
            and np.array_equal(row.ivar[0], ivar)
            and np.allclose(row.wave, wave, rtol=1e-6, atol=0.0)
            and row.meta["class"][0] == kind
            and row.meta["z"][0] == z
        )
        if not same:
            sys.exit(f"{files[i]}: the readers disagree")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=300, help="number of files (default 300)")
    parser.add_argument("--repeats", type=int, default=5, help="number of runs of each contender (default 5)")
    options = parser.parse_args()
    data = Path(os.environ.get("SKSPEC_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    originals = sorted(
        file for folder in _FOLDERS for file in (data / "native_formats" / folder).glob("*.fits")
    )
    if not originals:
        sys.exit(f"no SDSS files under {data}/native_formats; set SKSPEC_DATA to the folder of the real data")
    print(machine("astropy"))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i:05d}.fits" for i in range(options.files)]
        for i, file in enumerate(files):
            file.write_bytes(with_own_headers(originals[i % len(originals)].read_bytes(), i))
        same = [Path(folder) / f"same{i:05d}.fits" for i in range(options.files)]
        for i, file in enumerate(same):
            file.write_bytes(originals[i % len(originals)].read_bytes())
        check_equal(files[: len(originals)])
        compare(
            {
                "astropy": lambda: astropy_loop(files),
                "astropy, first table only": lambda: astropy_first_table(files),
                "read_spectra": lambda: read_spectra(files),
                "read_spectra, same headers": lambda: read_spectra(same),
                "read_spectra, n_jobs=2": lambda: read_spectra(files, n_jobs=2),
                "bytes": lambda: read_bytes(files),
            },
            repeats=options.repeats,
            items=len(files),
            title=f"flux, wave, ivar, class, z of {len(files)} SDSS/BOSS files ({len(originals)} originals), time a file",
        )


if __name__ == "__main__":
    main()
