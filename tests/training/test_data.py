"""Validation of X, y and sample_weight: missing pixels, grids, and helpful errors."""

import numpy as np
import pytest
import torch
from astropy import units as u
from astropy.table import MaskedColumn
from sklearn.base import clone

from skspec import Conv1DClassifier, Spectra
from skspec.training.network import InputShape, RowNetwork, column_statistics

WAVE = np.linspace(4000.0, 7000.0, 30)
Y = np.repeat(["A", "M"], 20)


@pytest.fixture(name="X")
def spectra_with_a_step():
    rng = np.random.default_rng(0)
    return rng.normal(5.0, 1.0, (40, 30)) + np.where(Y == "M", 2.0, 0.0)[:, None]


@pytest.fixture
def model():
    return Conv1DClassifier(filters=(8,), kernel_sizes=(3,), max_epochs=5, random_state=0)


# Missing pixels ---------------------------------------------------------------------------------------


def test_missing_pixel_counts_as_the_training_mean(X, model):
    X[::3, 4] = np.nan
    model.fit(X, Y)
    mean = np.nanmean(X.astype(np.float32), axis=0)
    filled = np.where(np.isnan(X), mean, X)
    np.testing.assert_allclose(model.predict_proba(X), model.predict_proba(filled), atol=1e-6)
    moved = np.where(np.isnan(X), mean + 3, X)
    assert abs(model.predict_proba(X) - model.predict_proba(moved)).max() > 1e-3


def test_column_missing_in_training_is_ignored(X, model):
    X[:, 7] = np.nan
    model.fit(X, Y)
    other = X.copy()
    other[:, 7] = 1e6
    np.testing.assert_array_equal(model.predict_proba(other), model.predict_proba(X))


def test_statistics_are_those_of_the_valid_pixels(monkeypatch):
    X = np.random.default_rng(1).normal(3.0, 2.0, (50, 6)).astype(np.float32)
    X[X < 1.0] = np.nan
    X[:, 4] = 7.0
    X[:, 5] = np.nan
    monkeypatch.setattr("skspec.training.network._CHUNK", 64)  # many chunks
    center, scale = column_statistics(X, InputShape((1, 6)))
    np.testing.assert_allclose(center[:5], np.nanmean(X[:, :5].astype(float), axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale[:4], np.nanstd(X[:, :4].astype(float), axis=0), rtol=1e-7)
    assert scale[4] == 1.0
    assert np.isnan(center[5])


def test_channels_are_unfolded_in_order():
    network = RowNetwork(torch.nn.Identity(), np.zeros(6), np.ones(6), InputShape((2, 3)))
    unfolded = network(torch.arange(12.0).reshape(2, 6))
    assert unfolded.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_row_without_valid_pixel_is_named(X, model, method):
    model.fit(X, Y)
    X[[11, 30]] = np.nan
    with pytest.raises(ValueError, match="spectrum 11 has no valid pixel, nor have 1 others"):
        model.fit(X, Y) if method == "fit" else model.predict(X)
    ivar = np.ones_like(X)
    ivar[3] = 0
    spectra = Spectra(
        np.nan_to_num(X), wave=WAVE, ivar=ivar, meta={"file": [f"s{i}.fits" for i in range(40)]}
    )
    with pytest.raises(ValueError, match=r"s3.fits \(spectrum 3\) has no valid pixel; remove such spectra"):
        model.fit(spectra, Y) if method == "fit" else model.predict(spectra)


def test_infinite_values_are_refused(X, model):
    X[2, 3] = np.inf
    with pytest.raises(ValueError, match="X contains infinity"):
        model.fit(X, Y)
    X[2, 3] = 1e300
    with pytest.raises(ValueError, match="too large for dtype"):
        model.fit(X, Y)


def test_masked_array_has_missing_pixels(X, model):
    mask = np.zeros(X.shape, bool)
    mask[::3, 4] = True
    a = clone(model).fit(np.ma.MaskedArray(X, mask), Y)
    b = clone(model).fit(np.where(mask, np.nan, X), Y)
    np.testing.assert_array_equal(a.decision_function(X), b.decision_function(X))
    with pytest.raises(TypeError, match="X is a masked array of int64"):
        model.fit(np.ma.MaskedArray(X.astype(int), mask), Y)


# Spectra and their grids ------------------------------------------------------------------------------


def test_spectra_are_their_flux(X, model):
    ivar = np.ones_like(X)
    ivar[::3, 4] = 0
    a = clone(model).fit(Spectra(X, wave=WAVE, ivar=ivar), Y)
    b = clone(model).fit(np.where(ivar > 0, X, np.nan), Y)
    np.testing.assert_array_equal(a.wave_, WAVE)
    assert not hasattr(b, "wave_")
    np.testing.assert_array_equal(a.decision_function(X), b.decision_function(X))


def test_another_grid_is_refused(X, model):
    model.fit(Spectra(X, wave=WAVE), Y)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.predict(Spectra(X, wave=WAVE * (1 + 1e-8))), expected)
    message = (
        r"another wavelength grid \(30 pixels, 4001.00–7001.00 Å\) than .* fitted on \(30 pixels, 4000.00–"
    )
    with pytest.raises(ValueError, match=message):
        model.predict(Spectra(X, wave=WAVE + 1.0))
    with pytest.raises(ValueError, match="another wavelength grid .29 pixels"):
        model.predict(Spectra(X[:, :29], wave=WAVE[:29]))
    with pytest.raises(ValueError, match="another wavelength grid"):
        model.predict(Spectra(X, wave=WAVE, medium="air"))
    np.testing.assert_array_equal(model.predict(Spectra(X, wave=WAVE).to_air()), expected)
    assert not hasattr(model.fit(X, Y), "wave_")  # a fit on an array forgets the grid
    model.predict(Spectra(X, wave=WAVE + 1.0))


def test_grids_that_differ_need_resampling_first(X, model):
    ragged = Spectra(list(X), wave=[WAVE + 0.1 * i for i in range(40)])
    with pytest.raises(
        ValueError, match="40 spectra have different wavelength grids; put LogWaveResampler first"
    ):
        model.fit(ragged, Y)
    with pytest.raises(ValueError, match="n_channels=2 needs an array with the channels side by side"):
        clone(model).set_params(n_channels=2).fit(Spectra(X, wave=WAVE), Y)


# Labels, weights and other errors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(40, "A"), "y has only one class, 'A'; at least two classes are needed"),
        (Y[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
        (np.linspace(0, 1, 40), "Unknown label type: continuous"),
        (np.where(np.arange(40) == 3, np.nan, 1.0), "Input y contains NaN"),
        (np.ma.MaskedArray(Y, np.arange(40) < 3), "y has 3 masked labels; every training spectrum needs one"),
        (MaskedColumn(Y, mask=np.arange(40) < 3), "y has 3 masked labels"),
        (None, "requires y to be passed"),
    ],
    ids=["one class", "length", "continuous", "nan", "masked", "masked column", "none"],
)
def test_labels_refused(X, model, y, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(39), r"sample_weight has shape \(39,\); \(40,\) is needed"),
        (np.ones((40, 1)), r"sample_weight has shape \(40, 1\)"),
        (-np.ones(40), "sample_weight must not be negative, got -1"),
        (np.zeros(40), "sample_weight is zero for all spectra"),
        (np.full(40, np.nan), "sample_weight contains NaN"),
        (np.full(40, np.inf), "sample_weight contains infinity"),
        (np.full(40, 1e308), r"sample_weight, times class_weight, must not be 0 .* got 1e\+308 to 1e\+308"),
        (np.where(Y == "A", 1e-200, 1e200), "must span less than 30 orders of magnitude"),
        (np.ma.masked_less(np.arange(40.0), 3), "sample_weight contains NaN or masked values"),
        (np.where(Y == "A", 1.0, 0.0), "y has only one class"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_sample_weights_refused(X, model, weight, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, sample_weight=weight)


def test_weights_of_strings_or_with_units_are_refused(X, model):
    with pytest.raises(TypeError, match="sample_weight must be numbers, got strings"):
        model.fit(X, Y, sample_weight=np.full(40, "1"))
    with pytest.raises(TypeError, match="sample_weight is an astropy Quantity in s"):
        model.fit(X, Y, sample_weight=np.ones(40) * u.s)


def test_quantity_is_refused(X, model):
    with pytest.raises(TypeError, match="X is an astropy Quantity in erg"):
        model.fit(X * u.erg, Y)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"lr": 0.0}, ValueError, "lr == 0.0, must be > 0"),
        ({"lr": "fast"}, TypeError, "lr must be an instance of"),
        ({"max_epochs": 0}, ValueError, "max_epochs == 0, must be >= 1"),
        ({"batch_size": 2.5}, TypeError, "batch_size must be an instance of int"),
        ({"weight_decay": -1}, ValueError, "weight_decay == -1, must be >= 0"),
        ({"optimizer": "adamww"}, ValueError, "optimizer must be one of 'adamw', .* did you mean 'adamw'"),
        ({"schedule": "one_cycle"}, ValueError, "schedule must be one of .* did you mean 'one-cycle'"),
        ({"class_weight": "balance"}, ValueError, "class_weight must be .* did you mean 'balanced'"),
        ({"class_weight": {"A": np.nan, "M": 1.0}}, ValueError, "class_weight must have .* got nan for 'A'"),
        ({"class_weight": {"A": np.inf}}, ValueError, "class_weight must have .* got inf for 'A'"),
        ({"class_weight": {"A": -1.0}}, ValueError, "class_weight must have .* got -1.0 for 'A'"),
        ({"class_weight": {"A": "2"}}, ValueError, "class_weight must have .* got '2' for 'A'"),
        ({"class_weight": dict.fromkeys(np.unique(Y), 0)}, ValueError, "class_weight is zero for all"),
        ({"class_weight": {"a": 2.0}}, ValueError, "class_weight .* one for 'a', which is not a class"),
        ({"tta_shifts": {0: np.nan}}, ValueError, "weight in tta_shifts must be a number, got nan"),
        ({"tta_shifts": {0: 1.0, 1: 1e300}}, ValueError, "weight in tta_shifts == 1e\\+300"),
        ({"tta_shifts": {0: "1"}}, TypeError, "weight in tta_shifts must be an instance of"),
        ({"tta_shifts": {0.5: 1.0}}, TypeError, "shift in tta_shifts must be an instance of int"),
        ({"n_channels": 0}, ValueError, "n_channels == 0, must be >= 1"),
        ({"verbose": -1}, ValueError, "verbose == -1, must be >= 0"),
        ({"callbacks": "EarlyStopping"}, TypeError, "callbacks must be a list of skorch callbacks"),
        ({"device": "gpu"}, ValueError, "device must be 'auto' or one that torch can use, got 'gpu'"),
        ({"random_state": "seed"}, ValueError, "'seed' cannot be used to seed"),
        ({"filters": ()}, ValueError, "filters must not be empty"),
        ({"filters": (8, 0)}, ValueError, r"filters must be a sequence of positive integers, got \(8, 0\)"),
        ({"kernel_sizes": 3}, ValueError, "kernel_sizes must be a sequence of positive integers, got 3"),
        ({"strides": (1, 2)}, ValueError, r"strides must have 1 values, got 2"),
        ({"strides": 0}, ValueError, "strides == 0, must be >= 1"),
        ({"head": "pooling"}, ValueError, "head must be one of .* did you mean 'pool'"),
        ({"hidden": (1.5,)}, ValueError, "hidden must be a sequence of positive integers"),
        ({"dropout": 1.0}, ValueError, "dropout == 1.0, must be < 1"),
        ({"batch_norm": "yes"}, ValueError, "batch_norm must be one of True, False, got 'yes'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_parameters_refused(X, model, params, error, message):
    with pytest.raises(error, match=message):
        model.set_params(**params).fit(X, Y)
