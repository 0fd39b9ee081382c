"""Text, HTML and plot of `Spectra`."""

import time
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table

from skspec import Spectra, read_spectra
from tests._data import data_path

WAVE = np.linspace(4000.0, 7000.0, 1501)


class Page(HTMLParser):
    """Collect tags, text and cells of a page; fail if tags do not match."""

    VOID = ("br",)

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words, self.cells, self.lines = [], [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag, attrs):
        assert tag == "polyline"
        points = [tuple(map(float, point.split(","))) for point in dict(attrs)["points"].split()]
        self.lines.append((dict(attrs)["stroke"], np.array(points)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data

    @property
    def text(self):
        return " ".join(self.words)


def make(n=3, **options):
    flux = np.random.default_rng(0).normal(10.0, 1.0, (n, len(WAVE)))
    return Spectra(flux, wave=WAVE, **options)


def own_grids():
    lengths = (1501, 900, 1200)
    return Spectra([np.sin(WAVE[:n] / 50) for n in lengths], wave=[WAVE[:n] + n for n in lengths])


def test_repr_counts():
    assert repr(make(1)) == "<Spectra: 1 spectrum × 1501 pixels, 4000.0–7000.0 Å (vacuum), no ivar>"
    assert repr(make(2)).startswith("<Spectra: 2 spectra × 1501 pixels")
    assert repr(make(0)) == "<Spectra: 0 spectra × 1501 pixels, no ivar>"
    assert repr(own_grids()[1]).startswith("<Spectra: 1 spectrum, up to 900 pixels each, 4900.0–")


def test_html_of_a_common_grid():
    unit = u.Unit("1e-17 erg s-1 cm-2 AA-1")
    flux = np.ones((8, len(WAVE))) + WAVE / 1e4
    spectra = Spectra(flux * unit, wave=WAVE, medium="air", meta={"class": list("ABCDEFGH")})
    page = Page(spectra._repr_html_())
    assert "8 spectra × 1501 pixels, 4000.0–7000.0 Å (air), no ivar" in page.text
    assert f"flux unit: {unit}" in page.text
    assert page.cells == ["class", *"ABCDE"]
    assert "3 more rows" in page.text
    assert len(page.lines) == 3
    assert len({color for color, _ in page.lines}) == 3
    for _, points in page.lines:
        assert 200 < len(points) <= 300
        assert (np.diff(points[:, 0]) > 0).all()
        assert (np.diff(points[:, 1]) <= 0).all()  # flux rises, and y points down
        assert points.min() >= 0
        assert points[:, 0].max() <= 600
        assert points[:, 1].max() <= 160


def test_html_of_own_grids_puts_each_at_its_wavelengths():
    page = Page(own_grids()._repr_html_())
    assert "3 spectra, up to 1501 pixels each" in page.text
    first, second, third = (points for _, points in page.lines)
    assert second[0, 0] < 2 < third[0, 0] < first[0, 0]  # from 4900, 5200 and 5501 Å
    assert first[-1, 0] > 590 > third[-1, 0] > second[-1, 0]


def test_html_breaks_lines_at_gaps():
    spectra = make(1, ivar=np.ones((1, len(WAVE))))
    spectra.ivar[0, 500:900] = 0
    spectra.flux[0, 1200:1210] = np.nan
    spectra.flux[0, 700] = 1e30  # in the gap
    page = Page(spectra._repr_html_())
    ends = [(points[0, 0], points[-1, 0]) for _, points in page.lines]
    assert len(ends) == 3
    assert ends[0][1] == pytest.approx(200, abs=2)
    assert ends[1] == pytest.approx((360, 479), abs=2)


@pytest.mark.parametrize("own", [False, True])
def test_html_of_nothing_to_see(own):
    empty = own_grids() if own else make()
    none = Page(empty[:0]._repr_html_())
    assert "0 spectra" in none.text
    assert "svg" not in none.tags
    missing = empty.replace(
        flux=[np.full(len(f), np.nan) for f in empty.flux] if own else empty.flux * np.nan
    )
    page = Page(missing._repr_html_())
    assert "have no valid pixel" in page.text
    assert "svg" not in page.tags
    assert "No valid pixel" in Page(missing[0]._repr_html_()).text


def test_html_of_odd_spectra():
    for flux in ([[1.0]], [[1.0, 1.0, 1.0]], [[0.0, np.nan, 0.0]]):
        page = Page(Spectra(flux, wave=4000.0 + np.arange(len(flux[0])))._repr_html_())
        assert page.lines
        for _, points in page.lines:
            assert len(points) > 1
            assert np.isfinite(points).all()


def test_html_escapes_and_shortens_the_catalogue():
    meta = {
        "<b>": ["<script>alert(1)</script>", "a & b", "x" * 500],
        "z": MaskedColumn([0.123456789, 1.0, 2.0], mask=[False, True, False]),
    } | {f"c{i}": [i] * 3 for i in range(20)}
    html = make(meta=meta)._repr_html_()
    page = Page(html)
    assert "script" not in page.tags
    assert page.tags.count("b") == 1
    assert page.cells[0] == "<b>"
    assert page.cells.count("…") == 4
    assert "<script>alert(1)</script>" in page.cells
    assert "a & b" in page.cells
    assert "x" * 39 + "…" in page.cells
    assert "0.1234568" in page.cells
    assert "—" in page.cells
    assert len(html) < 40_000


def test_html_of_many_is_as_fast_as_of_few(tmp_path):
    n = 200_000
    flux = np.lib.format.open_memmap(tmp_path / "a.npy", mode="w+", dtype=np.float32, shape=(n, 1501))
    spectra = Spectra(flux, wave=WAVE, meta={"row": np.arange(n)})
    start = time.perf_counter()
    html = spectra._repr_html_()
    assert time.perf_counter() - start < 0.5
    assert len(html) < 40_000


# Plot ---------------------------------------------------------------------------------------------------


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_plot_draws_each_spectrum_once(plt):
    ax = make(6, meta={"class": list("ABABAB")}).plot(rows=[0, 3])
    assert len(ax.lines) == 2
    assert [text.get_text() for text in ax.texts] == ["A", "B"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), WAVE)


def test_plot_of_own_grids(plt):
    spectra = own_grids()
    ax = spectra.plot()
    for line, wave, flux in zip(ax.lines, spectra.wave, spectra.flux, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), wave)
        assert np.corrcoef(line.get_ydata(), flux)[0, 1] > 0.999
    assert len(spectra[1].plot().lines) == 1


def test_plot_of_a_folder_of_lamost_files(plt):
    spectra = read_spectra(sorted(data_path("lamost_lrs/fits").glob("*"))[:9], on_error="skip")
    assert not spectra.is_common_grid
    for some in (spectra, spectra[3], spectra[-2:]):
        ax = some.plot()
        ax.figure.canvas.draw()
        assert len(ax.lines) == min(len(some), 8)


def test_plot_labels_spectra_without_valid_pixels(plt):
    spectra = make(3, meta={"class": list("ABC")})
    spectra.flux[1] = np.nan
    ax = spectra.plot()
    assert len(ax.lines) == 2
    assert [text.get_text() for text in ax.texts] == ["A", "B (no valid pixel)", "C"]
    ax = spectra[1].replace(meta=Table()).plot()
    assert [text.get_text() for text in ax.texts] == ["(no valid pixel)"]
    ax.figure.canvas.draw()


def test_plot_of_no_spectra_is_an_error(plt):
    for spectra in (make(0), own_grids()[:0]):
        with pytest.raises(ValueError, match="there are no spectra to plot"):
            spectra.plot()
    with pytest.raises(ValueError, match="there are no spectra to plot"):
        make().plot(rows=[])
