"""Small survey on disk: text files of two kinds of spectra, and a catalogue."""

import numpy as np
import pytest
from astropy.table import Table

WAVE = np.linspace(4000.0, 7000.0, 150)
KINDS = ("broad", "narrow")


def write_spectrum(path, kind, seed, *, wave=WAVE, noise=0.02):
    rng = np.random.default_rng(seed)
    width = 300.0 if kind == "broad" else 60.0
    flux = 10.0 * (1.0 - 0.6 * np.exp(-0.5 * ((wave - 5500.0) / width) ** 2))
    flux += rng.normal(0.0, 10 * noise, len(wave))
    lines = [f"{w:.3f} {f:.5f} {10 * noise:.5f}" for w, f in zip(wave, flux, strict=True)]
    path.write_text("wave flux err\n" + "\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def survey(tmp_path_factory):
    """Folder with 24 spectra of 20 objects, and ``catalogue.csv``; the last object is the only one of its kind."""
    root = tmp_path_factory.mktemp("survey")
    folder = root / "night1"
    folder.mkdir()
    rows = []
    for i in range(24):
        kind = KINDS[i % 2] if i < 23 else "odd"
        write_spectrum(folder / f"s{i:02d}.txt", KINDS[i % 2], seed=i)
        place = i if i < 20 else i - 20  # the last four are second visits
        rows.append((f"night1/s{i:02d}.txt", kind, 10.0 + place, -5.0, f"plate{i % 5}"))
    table = Table(rows=rows, names=("file", "kind", "ra", "dec", "plate"))
    table.write(root / "catalogue.csv", format="ascii.csv")
    return root
