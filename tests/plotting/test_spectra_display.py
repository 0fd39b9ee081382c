"""`SpectraDisplay`: wavelengths and names of marked lines."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from sklearn.dummy import DummyClassifier

from skspec import Spectra
from skspec.features._lick import LICK
from skspec.plotting import SpectraDisplay, plot_spectra
from skspec.plotting._lines import LINES
from skspec.plotting._spectra_display import _spread
from skspec.spectra import air_to_vacuum, vacuum_to_air
from tests._data import data_path

WAVE = np.linspace(3800.0, 9200.0, 600)


def flat(n=3, **params):
    return Spectra(np.ones((n, len(WAVE))) + 0.1 * np.sin(WAVE / 50.0), wave=WAVE, **params)


def rulers(ax):
    (collection,) = [found for found in ax.collections if isinstance(found, LineCollection)]
    return collection.get_segments()


def names_above(ax):
    (top,) = ax.child_axes
    return [text.get_text() for text in top.get_xticklabels()], top.get_xticks()


def test_balmer_lines_are_where_rydberg_has_them():
    infinite, electron_over_proton = 109737.31568, 1.0 / 1836.15267
    rydberg = infinite / (1.0 + electron_over_proton) * 1e-8  # per Å
    for name, upper in zip(("Hα", "Hβ", "Hγ", "Hδ", "Hε", "H8", "H9"), range(3, 10), strict=True):
        (wave,) = LINES["hydrogen"][name]
        assert wave == pytest.approx(1.0 / (rydberg * (0.25 - 1.0 / upper**2)), abs=0.12)


@pytest.mark.parametrize(
    ("name", "air"),
    [
        ("Na D", (5889.95, 5895.92)),
        ("Ca K", 3933.66),
        ("Ca H", 3968.47),
        ("Mg b", (5167.32, 5172.68, 5183.60)),
    ],
)
def test_metal_lines_are_those_in_air(name, air):
    np.testing.assert_allclose(LINES["metals"][name], air_to_vacuum(np.atleast_1d(air)), atol=0.02)


def test_lines_lie_in_their_lick_bands():
    for name, index in [("Mg b", "Mgb"), ("Na D", "NaD")]:
        low, high = LICK[index].band
        assert all(low < wave < high for wave in LINES["metals"][name][-2:])


def test_one_line_has_one_wavelength():
    for name in ("Hα", "Hβ", "Hγ", "Hδ"):
        waves = {lines[name] for lines in LINES.values() if name in lines}
        assert len(waves) == 1


def test_heads_of_tio_bands_are_where_late_stars_fall():
    with np.load(data_path("miles_v9.1/miles_v9.1.npz")) as miles:
        late = (miles["spectral_class"] == "M") & (miles["subtype"] >= 4)
        wave, flux = air_to_vacuum(miles["wave"]), np.log(np.maximum(miles["flux"][late], 1e-3)).mean(axis=0)
    for head in LINES["TiO"]["TiO"]:
        near = np.flatnonzero(np.abs(wave - head) < 25.0)
        fall = [flux[k - 8 : k].mean() - flux[k + 1 : k + 9].mean() for k in near]
        assert max(fall) > 0.15
        assert wave[near[np.argmax(fall)]] == pytest.approx(head, abs=3.0)


def test_marks_move_with_redshift():
    display = SpectraDisplay(flat(), lines=["galaxies"], z=0.1).plot()
    low, high = WAVE[[0, -1]]
    for name, waves in LINES["galaxies"].items():
        expected = [1.1 * wave for wave in waves if low < 1.1 * wave < high]
        np.testing.assert_allclose(display.marks_.get(name, []), expected)
    segments = rulers(display.ax_)
    drawn = sorted(segment[0][0] for segment in segments)
    np.testing.assert_allclose(drawn, np.sort(np.concatenate(list(display.marks_.values()))))
    assert all(len(segment) == 3 for segment in segments)
    display.figure_.canvas.draw()


def test_marks_are_in_the_medium_of_the_spectra():
    display = SpectraDisplay(flat(medium="air"), lines={"Hα": 6564.61}).plot()
    np.testing.assert_allclose(display.marks_["Hα"], vacuum_to_air(np.array([6564.61])))
    assert "air" in display.ax_.get_xlabel()


def test_near_lines_of_a_name_share_it():
    display = SpectraDisplay(
        flat(), lines={"Na D": (5891.58, 5897.56), "He I": 5877.25, "far": [4000, 9000]}
    ).plot()
    names, places = names_above(display.ax_)
    assert names == ["far", "He I", "Na D", "far"]
    assert len(rulers(display.ax_)) == 5
    width = display.ax_.get_window_extent().width / display.figure_.dpi * 72.0
    gaps = np.diff(places) * width / np.diff(display.ax_.get_xlim())
    assert gaps.min() > 7.5  # points, the size of the font


def test_no_line_in_sight_leaves_the_spectra_alone():
    display = SpectraDisplay(flat(), lines="quasars", z=9.0).plot()
    assert display.marks_ == {}
    assert not display.ax_.child_axes
    np.testing.assert_array_equal(display.ax_.lines[0].get_ydata(), plot_spectra(flat()).lines[0].get_ydata())


def test_places_are_nearest_without_touching():
    np.testing.assert_allclose(_spread(np.array([0.2, 5.0, 5.0, 9.0]), 1.0, 0.0, 10.0), [0.5, 4.5, 5.5, 9.0])
    np.testing.assert_allclose(_spread(np.array([9.9, 9.9]), 1.0, 0.0, 10.0), [8.5, 9.5])
    np.testing.assert_allclose(_spread(np.array([1.0, 1.0]), 5.0, 0.0, 10.0), [2.5, 7.5])


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_from_predictions_and_from_estimator():
    spectra = flat()
    _, axes = plt.subplots(1, 2, layout="constrained")
    display = SpectraDisplay.from_predictions(spectra, ["A", "B", "A"], ["A", "A", "A"], ax=axes[0])
    assert display.ax_ is axes[0]
    assert texts(display.ax_) == ["A", "B (predicted A)", "A"]
    estimator = DummyClassifier().fit(np.asarray(spectra), ["A", "B", "A"])
    same = SpectraDisplay.from_estimator(estimator, spectra, ["A", "B", "A"])
    assert texts(same.ax_) == texts(display.ax_)
    unknown = SpectraDisplay.from_estimator(estimator, spectra, rows=[1])
    assert texts(unknown.ax_) == ["A"]
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SpectraDisplay(np.ones((2, 9))).plot(), TypeError, "spectra must be a Spectra object"),
        (lambda: SpectraDisplay(flat(), lines="galaxy").plot(), ValueError, "did you mean 'galaxies'"),
        (lambda: SpectraDisplay(flat(), lines={"x": -1.0}).plot(), ValueError, "above 0, got -1.0 for 'x'"),
        (
            lambda: SpectraDisplay(flat(), labels=["a"]).plot(),
            ValueError,
            "labels must have 3 entries, got 1",
        ),
        (lambda: SpectraDisplay(flat(), z=-1.0).plot(), ValueError, "z == -1.0, must be > -1.0"),
        (lambda: SpectraDisplay(flat(), z=[0.1, 0.2]).plot(), TypeError, "z must be an instance of"),
        (lambda: SpectraDisplay.from_predictions(flat(), None, ["A"]), ValueError, "inconsistent"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
    assert not plt.get_fignums()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install skspec\[plot\]"):
        SpectraDisplay(flat()).plot()
