"""Each augmentation against its documentation, and test-time augmentation against brute force."""

import json

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspec import Conv1DClassifier, Flips, Mask, Noise, Rotations, Shift, Spectra, Tilt, VelocityShift
from skspec.training import augmentation as aug
from skspec.training.network import InputShape
from tests._data import data_path


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def spectra(n=4000, n_pixels=50, n_channels=1):
    """Return spectra that rise along the pixels, each with its own offset."""
    number = torch.arange(n, dtype=torch.float32)[:, None, None]
    return (1000.0 * number + torch.arange(n_pixels)).expand(n, n_channels, n_pixels).clone()


def test_noise_has_a_sigma_from_the_range_for_each_spectrum():
    noise = Noise((0.5, 2.0))(torch.zeros(4000, 1, 2000))
    sigma = noise.std(dim=2)[:, 0].numpy()
    assert stats.kstest(sigma, stats.uniform(0.5, 1.5).cdf).pvalue > 1e-3
    assert abs(noise.mean().item()) < 1e-2
    assert stats.kstest(noise[0, 0].numpy() / sigma[0], stats.norm.cdf).pvalue > 1e-3


def test_noise_reduces_the_inverse_variance():
    x = torch.zeros(3000, 2, 500)
    x[:, 1] = torch.log10(torch.tensor(4.0))
    out = Noise((1.0, 1.0))(x, ivar_channel=1)
    torch.testing.assert_close(10 ** out[:, 1], torch.full((3000, 500), 1 / (1 / 4 + 1)))
    assert out[:, 0].std().item() == pytest.approx(1.0, abs=5e-3)


def test_noise_from_ivar_follows_each_pixel():
    x = torch.zeros(4000, 2, 600)
    x[:, 1, :300] = torch.log10(torch.tensor(100.0))  # σ 0.1, and 1 in the other half
    x[:, :, 599] = np.nan
    out = Noise("ivar")(x, ivar_channel=1)
    sigma = out[:, 0, 300:599].std(dim=1)
    assert stats.kstest(sigma.numpy(), stats.uniform().cdf).statistic < 0.05
    torch.testing.assert_close(
        out[:, 0, :300].std(dim=1) / sigma, torch.full((4000,), 0.1), atol=0.03, rtol=0
    )
    ratio = (10 ** -out[:, 1, 0] - 0.01) / (10 ** -out[:, 1, 400] - 1)
    torch.testing.assert_close(
        ratio[sigma > 0.1], torch.full_like(ratio[sigma > 0.1], 0.01), rtol=1e-2, atol=0
    )
    assert out[:, :, 599].isnan().all()


def test_each_spectrum_is_shifted_and_padded_with_its_end_values():
    x = spectra()
    out = Shift(3)(x)
    shift = (x - out)[:, 0, 25]  # the spectrum rises by one per pixel
    assert sorted(shift.unique().tolist()) == [-3, -2, -1, 0, 1, 2, 3]
    assert stats.chisquare(np.unique(shift, return_counts=True)[1]).pvalue > 1e-3
    for row in range(50):
        expected = np.clip(np.arange(50) - shift[row].item(), 0, 49) + 1000.0 * row
        np.testing.assert_array_equal(out[row, 0], expected)


def test_shift_of_channels_together():
    x = spectra(n_channels=2)
    out = Shift(5)(x)
    torch.testing.assert_close(out[:, 0], out[:, 1])


@pytest.mark.parametrize("wave", [np.linspace(4000, 7000, 3001), 10 ** np.linspace(3.6, 3.9, 3001)])
def test_velocity_shift_moves_a_line_to_its_shifted_wavelength(wave):
    centre, width = 5500.0, 6.0
    flux = torch.from_numpy(np.exp(-0.5 * ((wave - centre) / width) ** 2)).float().expand(400, 1, -1)
    out = VelocityShift(1500.0)(flux, wave=torch.from_numpy(wave))[:, 0].double().numpy()
    step = np.gradient(wave)
    place = (out * wave * step).sum(1) / (out * step).sum(1)
    velocity = (place / centre - 1) * 299_792.458
    assert stats.kstest(velocity, stats.uniform(-1500, 3000).cdf).pvalue > 1e-3
    row = int(np.argmax(velocity))
    expected = np.exp(-0.5 * ((wave - place[row]) / (width * place[row] / centre)) ** 2)
    np.testing.assert_allclose(out[row], expected, atol=8e-3)


def test_velocity_shift_pads_with_end_values_and_keeps_spectra_separate():
    x = spectra(n=200)
    out = VelocityShift(300.0)(x, wave=torch.linspace(5000, 5010, 50, dtype=torch.float64))
    low, high = x[:, :, :1], x[:, :, -1:]
    assert ((out >= low) & (out <= high)).all()
    assert not torch.equal(out, x)


def test_tilt_is_a_line_around_one():
    x = torch.full((4000, 2, 11), 3.0)
    x[:, 1] = 0.0
    out = Tilt(0.2)(x, ivar_channel=1)
    slope = out[:, 0, -1] / 3 - 1
    assert stats.kstest(slope.numpy(), stats.uniform(-0.2, 0.4).cdf).pvalue > 1e-3
    line = 1 + slope[:, None] * torch.linspace(-1, 1, 11)
    torch.testing.assert_close(out[:, 0], 3 * line)
    torch.testing.assert_close(10 ** out[:, 1], line**-2)


def test_mask_is_a_contiguous_range_of_all_channels():
    x = torch.zeros(4000, 2, 100)
    gap = Mask(0.2)(x).isnan()
    assert torch.equal(gap[:, 0], gap[:, 1])
    width = gap[:, 0].sum(1)
    assert sorted(width.unique().tolist()) == list(range(21))
    edges = torch.diff(torch.nn.functional.pad(gap[:, 0].int(), (1, 1)), dim=1).abs().sum(1)
    assert set(edges.tolist()) == {0, 2}
    assert gap[:, 0].any(0).all()


def test_flips_and_rotations_are_the_eight_views():
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    views = {tuple(aug.turned(image, k).flatten().tolist()) for k in range(8)}
    by_hand = {
        tuple(np.rot90(m, k).ravel()) for m in (image[0, 0].numpy(), image[0, 0].numpy().T) for k in range(4)
    }
    assert views == by_hand
    out = Rotations()(Flips()(image.expand(800, 1, 3, 3)))
    drawn, counts = np.unique(out.flatten(1).numpy(), axis=0, return_counts=True)
    assert {tuple(row) for row in drawn} == by_hand
    assert stats.chisquare(counts).pvalue > 1e-3
    oblong = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert len({tuple(aug.turned(oblong, k).flatten().tolist()) for k in range(aug.n_views(oblong))}) == 4


def test_scalars_are_not_augmented():
    shape = InputShape((1, 4), n_scalars=2)
    rows = torch.arange(12.0).reshape(2, 6)
    out = aug.RowAugmenter(shape, [Noise((1.0, 1.0))])(rows)
    torch.testing.assert_close(out[:, 4:], rows[:, 4:])
    assert (out[:, :4] != rows[:, :4]).all()
    assert rows.tolist() == torch.arange(12.0).reshape(2, 6).tolist()


# In a classifier --------------------------------------------------------------------------------------


@pytest.fixture
def model():
    return Conv1DClassifier(
        filters=(8,), kernel_sizes=(3,), max_epochs=20, lr=1e-2, dropout=0.1, random_state=0
    )


def one_line(shift, n=60, n_pixels=40):
    """Return two classes that differ in the depth of a line, which is shifted by some pixels in all spectra."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = 1 + 0.05 * rng.normal(size=(n, n_pixels))
    X[:, 20 + shift] -= np.where(y, 0.8, 0.3)
    return X, y


def test_shifts_in_training_help_with_shifted_spectra(model):
    X, y = one_line(0)
    moved, _ = one_line(3)
    plain = model.fit(X, y).score(moved, y)
    shifted = model.set_params(augment=[Shift(4)], max_epochs=60).fit(X, y).score(moved, y)
    assert plain < 0.7
    assert shifted > 0.9


ALL = [VelocityShift(100.0), Shift(2), Tilt(0.1), Noise((0.0, 0.1)), Mask(0.1)]


def test_augmentation_is_seeded_and_learns(model):
    X, y = one_line(0)
    spectra = Spectra(X, wave=np.linspace(4000, 4400, 40))
    model.set_params(augment=ALL, max_epochs=60)
    a = model.fit(spectra, y).decision_function(spectra)
    np.testing.assert_array_equal(model.fit(spectra, y).decision_function(spectra), a)
    assert model.score(spectra, y) > 0.75
    model.set_params(augment=[VelocityShift(100.0, wave=np.linspace(4000, 4400, 40)), *ALL[1:]])
    np.testing.assert_array_equal(model.fit(X, y).decision_function(X), a)


def test_inverse_variance_in_a_channel(model):
    """The values of missing pixels have no effect."""
    X, y = one_line(0)
    rng = np.random.default_rng(1)
    ivar = rng.uniform(10, 1000, X.shape)
    ivar[:, 5] = np.where(np.arange(60) % 3, ivar[:, 5], 0)
    model.set_params(n_channels=2, ivar_channel=1, augment=[Tilt(0.05), Noise("ivar")])
    rows = np.hstack([X, ivar])
    model.fit(rows, y)
    assert model.score(rows, y) > 0.9
    wild = rows.copy()
    wild[ivar[:, 5] == 0, 5] = 1e6
    np.testing.assert_array_equal(model.predict_proba(wild), model.predict_proba(rows))
    np.testing.assert_array_equal(clone(model).fit(wild, y).predict_proba(rows), model.predict_proba(rows))
    spectra = Spectra(X, wave=np.linspace(4000, 4100, 40), ivar=ivar)
    np.testing.assert_allclose(model.predict_proba(spectra), model.predict_proba(rows), rtol=1e-5)
    noisier = np.hstack([X, ivar / 50])
    assert not np.allclose(model.predict_proba(noisier), model.predict_proba(rows), atol=1e-3)
    with pytest.raises(ValueError, match="channel 1 is the inverse variance and must not be negative, got -"):
        model.fit(np.hstack([X, -ivar]), y)
    with pytest.raises(ValueError, match="ivar_channel needs Spectra with ivar"):
        model.fit(Spectra(X, wave=np.linspace(4000, 4100, 40)), y)


def brute_force(model, X, weights):
    """Return the weighted mean of logits over shifted copies, row by row."""
    total = 0.0
    for shift, weight in weights.items():
        source = np.clip(np.arange(X.shape[1]) - shift, 0, X.shape[1] - 1)
        total = total + weight * np.stack([model.decision_function(row[None, source])[0] for row in X])
    return total / sum(weights.values())


def test_test_time_shifts_are_the_mean_over_shifted_copies(model):
    X, y = one_line(0)
    X, y = X[:12], (np.arange(12) % 3)
    model.fit(X, y)
    published = json.loads(data_path("mk_predictions/arch_parity.json").read_text())[
        "tta_weights_shift_-5_to_4"
    ]
    weights = dict(zip(range(-5, 5), published, strict=True))
    expected = brute_force(model, X, weights)
    np.testing.assert_allclose(
        model.set_params(tta_shifts=weights).decision_function(X), expected, rtol=1e-4, atol=1e-5
    )
    proba = np.exp(expected) / np.exp(expected).sum(1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), proba, rtol=1e-4)
    model.set_params(tta_shifts=0)
    gauss = {s: np.exp(-((3 * s / 2.5) ** 2)) for s in range(-2, 3)}
    expected = brute_force(model, X, gauss)
    np.testing.assert_allclose(
        model.set_params(tta_shifts=2).decision_function(X), expected, rtol=1e-4, atol=1e-5
    )
    alone = np.concatenate([model.decision_function(X[[k]]) for k in range(12)])
    np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ([Noise((2.0, 1.0))], r"Noise in augment: sigma must be a range \(low, high\) of σ or 'ivar'"),
        ([Noise(0.1)], "Noise in augment: sigma must be a range"),
        ([Noise("ivr")], "Noise in augment: sigma must be one of 'ivar', got 'ivr'; did you mean 'ivar'"),
        ([Noise("ivar")], r"Noise\(sigma='ivar'\) in augment needs ivar_channel"),
        (
            [VelocityShift(100.0)],
            r"VelocityShift in augment needs wavelengths: pass VelocityShift\(..., wave=...\), or Spectra",
        ),
        ([VelocityShift(100.0, wave=[1.0, 2.0])], "wave must have 40 wavelengths"),
        ([Shift(-1)], "Shift in augment: largest == -1, must be >= 0"),
        ([Mask(1.0)], "Mask in augment: largest == 1.0, must be < 1"),
        ([Shift(1), Mask(0.1), Shift(2)], "augment has Shift twice"),
        ([Shift(1), Flips()], "augment has Flips, which is for images, but the rows of X are spectra"),
    ],
)
def test_invalid_augmentations(model, augment, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(augment=augment).fit(*one_line(0))


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (Shift(1), r"augment must be a list of augmentations, .*, got Shift\(largest=1\)"),
        ("noise", "augment must be a list of augmentations, .*, got 'noise'"),
        ([Shift(1), "mask"], "augment must contain augmentations, .*, got 'mask'"),
        ([Shift], r"got <class .*Shift'>; did you mean Shift\(...\)"),
        ([StandardScaler()], r"augment must contain augmentations, .*, got StandardScaler\(\)"),
    ],
)
def test_no_augmentations(model, augment, message):
    with pytest.raises(TypeError, match=message):
        model.set_params(augment=augment).fit(*one_line(0))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ivar_channel": 1}, "ivar_channel == 1, must be <= 0"),
        ({"tta_shifts": {1: -1.0}}, "tta_shifts must have weights that are not negative"),
        ({"tta_shifts": {1: 0.0}}, "tta_shifts must have weights that are not negative and not all 0"),
    ],
)
def test_invalid_parameters(model, params, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(**params).fit(*one_line(0))


# As parameters ----------------------------------------------------------------------------------------


def test_augmentations_are_equal_by_their_parameters():
    wave = np.linspace(4000, 4400, 40)
    for step in [*ALL, VelocityShift(100.0, wave=wave), Flips(), Rotations()]:
        assert clone(step) is not step
        assert clone(step) == step == type(step)(**step.get_params())
    assert Tilt(0.1) != Tilt(0.2)
    assert Mask(0.1) != Tilt(0.1)
    assert VelocityShift(100.0, wave=wave) != VelocityShift(100.0)
    assert VelocityShift(100.0, wave=wave) != VelocityShift(100.0, wave=wave + 1)
    assert repr(Noise((0.0, 0.1))) == "Noise(sigma=(0.0, 0.1))"


def test_parameters_of_augmentations_are_nested_in_the_estimator(model):
    model.set_params(augment=[Shift(2), Tilt(0.1)])
    assert model.get_params()["augment__shift__largest"] == 2
    assert "augment__shift__largest" not in model.get_params(deep=False)
    twin = clone(model).set_params(augment__tilt__largest=0.3)
    assert twin.augment == [Shift(2), Tilt(0.3)]
    assert model.augment == [Shift(2), Tilt(0.1)]
    twin.set_params(augment=[Mask(0.1)], augment__mask__largest=0.2)
    assert twin.augment == [Mask(0.2)]
    with pytest.raises(ValueError, match="'augment__tilt__largest' cannot be set: augment has mask"):
        twin.set_params(augment__tilt__largest=0.3)
    with pytest.raises(
        ValueError, match="'augment__tilt__largest' cannot be set: augment has no augmentation"
    ):
        twin.set_params(augment=None, augment__tilt__largest=0.3)
    with pytest.raises(ValueError, match="Invalid parameter 'smallest' for estimator Tilt"):
        model.set_params(augment__tilt__smallest=0.3)


def test_augmentations_are_applied_in_order(model):
    X, y = one_line(0)
    model.set_params(max_epochs=2)
    a = model.set_params(augment=[Tilt(0.1), Mask(0.1)]).fit(X, y).decision_function(X)
    b = model.set_params(augment=[Mask(0.1), Tilt(0.1)]).fit(X, y).decision_function(X)
    assert not np.array_equal(a, b)


def test_empty_list_is_none(model):
    X, y = one_line(0)
    model.set_params(max_epochs=2)
    plain = model.fit(X, y).decision_function(X)
    np.testing.assert_array_equal(model.set_params(augment=[]).fit(X, y).decision_function(X), plain)


def test_the_trained_net_has_cloned_augmentations(model):
    model.set_params(augment=[Shift(2)], max_epochs=1).fit(*one_line(0))
    model.augment[0].largest = 7
    assert model.net_.augment.augmentations == [Shift(2)]


def test_augmentation_can_be_searched(model):
    X, y = one_line(0)
    pipeline = make_pipeline(StandardScaler(), model.set_params(augment=[Tilt(0.1)], max_epochs=2))
    name = "conv1dclassifier__augment"
    whole = [[Noise((0.0, 0.1)), Shift(1)], [Mask(0.1)], None]
    search = GridSearchCV(pipeline, {name: whole}, cv=2).fit(X, y)
    assert search.cv_results_[f"param_{name}"].tolist() == whole
    assert search.best_params_[name] in whole
    inner = f"{name}__tilt__largest"
    search = GridSearchCV(pipeline, {inner: [0.0, 0.3]}, cv=2).fit(X, y)
    assert search.best_estimator_[-1].augment == [Tilt(search.best_params_[inner])]
    assert model.augment == [Tilt(0.1)]
    space = {inner: stats.uniform(0.0, 0.3), "conv1dclassifier__lr": stats.loguniform(1e-3, 1e-1)}
    search = RandomizedSearchCV(pipeline, space, n_iter=2, cv=2, random_state=0, n_jobs=2).fit(X, y)
    assert 0.0 < search.best_estimator_[-1].augment[0].largest < 0.3
