"""Text as other programs and other locales write it."""

import numpy as np
import pytest

from skspec import read_spectra
from skspec.io import SpectrumReadError

WAVE = 4000.0 + 2.0 * np.arange(30)
FLUX = np.round(np.random.default_rng(0).normal(10, 1, 30), 4)


def lines(row, header="", end="\n"):
    rows = [row.format(i=i, w=w, f=f) for i, (w, f) in enumerate(zip(WAVE, FLUX, strict=True))]
    return header + end.join(rows) + end


STYLES = {
    "semicolons": lines("{w};{f};0.5"),
    "decimal commas and semicolons": lines("{w};{f};0.5", "wave;flux;err\n").replace(".", ","),
    "decimal commas and tabs": lines("{w}\t{f}\t0.5").replace(".", ","),
    "decimal commas and blanks": lines("  {w}  {f}  0.5").replace(".", ","),
    "carriage returns": lines("{w} {f} 0.5", end="\r"),
    "Windows": lines("{w},{f},0.5", end="\r\n"),
    "byte order mark": lines("{w} {f} 0.5", "\ufeffwave flux err\n"),
    "Fortran exponents": lines("{w:.6E} {f:.6E} 5.0E-01").replace("E", "D"),
    "small Fortran exponents": lines("{w:.6e} {f:.6e} 5.0e-01").replace("e", "d"),
    "quotes": lines('"{w}","{f}","0.5"', '"wave","flux","err"\n'),
    "quotes and decimal commas": lines('"{w}";"{f}";"0.5"', '"wave";"flux";"err"\n').replace(".", ","),
    "thin spaces": lines("{w:,.1f} {f} 0.5").replace(",", "\u202f"),
    "comments": lines("{w} {f} 0.5  # seen", "% one\n! two\n; three\n# wave flux err\n"),
    "comments between": lines("{w} {f} 0.5").replace("4020", "! one\n; two\n% three\n# four\n4020"),
    "pixel numbers": lines("{i} {w} {f} 0.5"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("style", STYLES)
def test_styles(tmp_path, style, encoding):
    with open(tmp_path / "a.txt", "w", encoding=encoding, newline="") as file:
        file.write(STYLES[style].removeprefix("\ufeff") if encoding == "utf-16" else STYLES[style])
    if style == "pixel numbers":
        with pytest.warns(UserWarning, match="column 1 has the numbers of the pixels"):
            spectra = read_spectra(tmp_path / "a.txt")
    else:
        spectra = read_spectra(tmp_path / "a.txt")
    np.testing.assert_array_equal(spectra.wave, WAVE)
    np.testing.assert_array_equal(spectra.flux[0], FLUX.astype(np.float32))
    np.testing.assert_array_equal(spectra.ivar[0], 4)


@pytest.mark.parametrize("word", ["nan", "NaN", "INDEF", "-", "*****", "null", ""])
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
@pytest.mark.parametrize("at", [0, 7])
def test_words_for_missing_values(tmp_path, word, separator, at):
    if not word and (separator == " " or (separator == "\t" and not at)):
        pytest.skip("blanks do not separate empty cells")
    rows = [
        f"{w}{separator}{word if i == at else f}{separator}0.5"
        for i, (w, f) in enumerate(zip(WAVE, FLUX, strict=True))
    ]
    (tmp_path / "a.txt").write_text(separator.join(["wave", "flux", "err"]) + "\n" + "\n".join(rows) + "\n")
    spectra = read_spectra(tmp_path / "a.txt")
    assert np.flatnonzero(~spectra.valid[0]).tolist() == [at]
    np.testing.assert_array_equal(spectra.wave, WAVE)


@pytest.mark.parametrize("first", [0, 1])
def test_pixel_numbers_are_not_wavelengths(tmp_path, first):
    np.savetxt(tmp_path / "a.txt", np.column_stack([np.arange(30) + first, FLUX]))
    np.savez(tmp_path / "a.npz", wave=np.arange(30) + first, flux=FLUX)
    for name in ("a.txt", "a.npz"):
        with pytest.raises(
            SpectrumReadError, match=rf"{name}: wavelengths {first}, .* are numbers of pixels"
        ):
            read_spectra(tmp_path / name)
    np.savetxt(tmp_path / "b.txt", np.column_stack([np.arange(30) + first, WAVE, FLUX]))
    with pytest.warns(UserWarning, match="column 1 has the numbers of the pixels"):
        spectra = read_spectra(tmp_path / "b.txt")
    np.testing.assert_array_equal(spectra.wave, WAVE)


def test_wavelengths_in_nm_that_reach_the_infrared_need_a_unit(tmp_path):
    np.savetxt(tmp_path / "a.txt", np.column_stack([np.linspace(300, 2480, 30), FLUX]))
    with pytest.raises(SpectrumReadError, match="wave_unit= .perhaps nm"):
        read_spectra(tmp_path / "a.txt")
    assert read_spectra(tmp_path / "a.txt", wave_unit="nm").wave[0] == 3000


def test_a_line_that_does_not_fit_is_named(tmp_path):
    (tmp_path / "a.txt").write_text(lines("{w} {f}") + "5000 nonsense\n")
    with pytest.raises(SpectrumReadError, match=r"line 31|row 30|nonsense"):
        read_spectra(tmp_path / "a.txt")
