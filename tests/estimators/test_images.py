"""Classifiers of images: shapes of rows, flips, and invalid input."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skspec import (
    Flips,
    Mask,
    Noise,
    PlainCNNClassifier,
    ResNet2DClassifier,
    Rotations,
    Shift,
    Spectra,
    Tilt,
    VelocityShift,
)
from tests._data import data_path


def cnn(**options):
    small = {"filters": (4,), "kernel_sizes": 3, "hidden": (), "max_epochs": 2, "random_state": 0}
    return PlainCNNClassifier(**({"image_shape": (3, -1, -1)} | small | options))


def images(n=24, shape=(3, 8, 8), seed=0):
    """Return noise with a bright corner in the channel of the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = rng.normal(10.0, 1.0, (n, *shape))
    x[np.arange(n), y, :3, :4] += 5.0
    return x, y


def views(x):
    """Return all views: eight of square images, four of others."""
    turns = range(4) if x.shape[-1] == x.shape[-2] else (0, 2)
    turned = [np.rot90(x, k, (2, 3)) for k in turns]
    return [view for one in turned for view in (one, one[..., ::-1])]


def rows(x):
    return np.ascontiguousarray(x).reshape(len(x), -1)


@pytest.mark.parametrize(
    ("image_shape", "n_features", "expected"),
    [
        ((3, 69, 69), 14283, (3, 69, 69)),
        ((3, -1, -1), 14283, (3, 69, 69)),
        ((3, -1, 69), 14283, (3, 69, 69)),
        ((3, 23, -1), 14283, (3, 23, 207)),
        ((-1, 69, 69), 14283, (3, 69, 69)),
        ([1, 1, -1], 7, (1, 1, 7)),
        (np.array([2, 2, 2]), 8, (2, 2, 2)),
    ],
)
def test_shape_follows_from_the_width(image_shape, n_features, expected):
    for model in (ResNet2DClassifier(image_shape=image_shape), cnn(image_shape=image_shape)):
        model._check_params()
        assert model._input_shape(n_features).channels == expected


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        ((3, 8, 9), r"image_shape=\(3, 8, 9\) does not fit the 192 features of X"),
        ((5, -1, 8), r"image_shape=\(5, -1, 8\) does not fit the 192 features of X"),
        ((2, -1, -1), r"image_shape=\(2, -1, -1\) of square images does not fit the 192 features of X"),
        ((3, 8), "must be .channels, height, width., each a positive integer or -1 .* got .3, 8."),
        ((3, 0, 8), "each a positive integer or -1"),
        ((3, 8.0, 8), "each a positive integer or -1"),
        ("388", "each a positive integer or -1 .* got '388'"),
        ((-1, -1, 8), "can have -1 once, or for both sides of square images, got .-1, -1, 8."),
        ((-1, -1, -1), "can have -1 once, or for both sides"),
    ],
)
def test_shape_that_does_not_fit(image_shape, message):
    x, y = images()
    with pytest.raises(ValueError, match=message):
        cnn(image_shape=image_shape).fit(rows(x), y)


def test_folded_image_is_standardised_by_channel():
    x, y = images()
    module = cnn().fit(rows(x), y).net_.module_
    (seen,) = module.unfold(torch.from_numpy(rows(x).astype(np.float32)))
    axes = (0, 2, 3)
    expected = (x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True)
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-5)


def test_unflattened_images_are_refused_with_advice():
    x, y = images()
    with pytest.raises(
        ValueError, match=r"shape \(24, 3, 8, 8\), but one row per image is needed: .*image_shape="
    ):
        cnn().fit(x, y)


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 6, 8)], ids=["square", "oblong"])
@pytest.mark.parametrize("make", [cnn, ResNet2DClassifier], ids=["PlainCNN", "ResNet2D"])
def test_tta_is_the_mean_over_all_views(make, shape):
    x, y = images(shape=shape)
    y = np.where(np.arange(24) == 0, 2, y)  # three classes, so decision_function returns all logits
    model = make(image_shape=shape, max_epochs=1, precision="float32", random_state=0).fit(rows(x), y)
    assert len(views(x)) == (8 if shape[1] == shape[2] else 4)
    expected = np.mean([model.decision_function(rows(view)) for view in views(x)], axis=0)
    plain, embedding = model.decision_function(rows(x)), model.embed(rows(x))
    model.set_params(tta_flips=True)
    np.testing.assert_allclose(model.decision_function(rows(x)), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(expected - plain).max() > 1e-3
    np.testing.assert_array_equal(model.embed(rows(x)), embedding)  # of the image itself, not averaged
    turned = model.decision_function(rows(views(x)[1]))
    np.testing.assert_allclose(turned, expected, rtol=1e-4, atol=1e-5)


def test_training_images_are_flipped_and_rotated():
    x, y = images(n=200)
    model = cnn(augment=[Flips(), Rotations()], max_epochs=1).fit(rows(x), y)
    seen = model.net_.augment(torch.from_numpy(rows(x).astype(np.float32))).numpy()
    all_views = np.stack([rows(view) for view in views(x.astype(np.float32))])
    which = (all_views == seen).all(axis=2)
    assert (which.sum(axis=0) == 1).all()
    counts = which.sum(axis=1)
    assert counts.sum() == 200
    assert counts.min() > 10
    assert cnn().fit(rows(x), y).net_.augment is None


def test_flips_teach_invariance_to_orientation():
    x, y = images(n=64)
    model = cnn(filters=(8,), hidden=(16,), max_epochs=20, lr=1e-2)
    upside_down = rows(x[:, :, ::-1, ::-1])
    flipped = clone(model).set_params(augment=[Flips(), Rotations()]).fit(rows(x), y).score(upside_down, y)
    assert flipped > 0.9
    assert flipped >= clone(model).fit(rows(x), y).score(upside_down, y)


@pytest.mark.parametrize(
    "options",
    [
        {"n_channels": 3},
        {"n_channels": 2, "ivar_channel": 1},
        {"tta_shifts": 1},
        {"tta_shifts": {0: 1.0, 1: 0.5}},
    ],
    ids=str,
)
def test_parameters_of_spectra_are_refused(options):
    x, y = images()
    name = next(iter(options))
    with pytest.raises(
        ValueError,
        match=f"{name} is for spectra, but with image_shape, rows of X are images; got {name}=",
    ):
        cnn(**options).fit(rows(x), y)
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        ResNet2DClassifier(**options)


@pytest.mark.parametrize("step", [Shift(1), VelocityShift(10.0), Tilt(0.1), Mask(0.1)], ids=str)
def test_augmentations_of_spectra_are_refused(step):
    x, y = images()
    message = f"augment has {type(step).__name__}, which is for spectra, but the rows of X are images"
    for model in (cnn(augment=[Flips(), step]), ResNet2DClassifier(augment=[step])):
        with pytest.raises(ValueError, match=message):
            model.fit(rows(x), y)


def test_parameters_of_images_are_refused():
    x, y = images()
    with pytest.raises(
        ValueError, match="tta_flips is for images, and needs image_shape; got tta_flips=True"
    ):
        cnn(image_shape=None, tta_flips=True).fit(rows(x), y)
    with pytest.raises(ValueError, match="tta_flips must be one of True, False, got 'yes'"):
        cnn(tta_flips="yes").fit(rows(x), y)
    with pytest.raises(
        ValueError, match="augment has Rotations, which is for images, but the rows of X are spectra"
    ):
        cnn(image_shape=None, augment=[Rotations()]).fit(rows(x), y)


def test_spectra_are_refused():
    x, y = images()
    spectra = Spectra(rows(x), wave=np.linspace(4000, 5000, 192))
    with pytest.raises(
        ValueError, match=r"X is Spectra, but the rows of X are images for PlainCNNClassifier"
    ):
        cnn().fit(spectra, y)


def test_grey_images_are_refused_with_advice():
    x, y = images()
    with pytest.raises(ValueError, match=r"shape \(24, 8, 8\).* image_shape=\(1, 8, 8\)") as error:
        cnn().fit(x[:, 0], y)
    assert "n_channels" not in str(error.value)
    cnn(image_shape=(1, 8, 8)).fit(x[:, 0].reshape(len(x), -1), y)


def test_noise_is_for_images_too():
    x, y = images()
    model = cnn(augment=[Noise((0.5, 0.5))]).fit(rows(x), y)
    noise = model.net_.augment(torch.zeros(50, 192)).numpy()
    np.testing.assert_allclose(noise.std(), 0.5, rtol=0.05)


def test_resnet_needs_an_image():
    x, y = images()
    with pytest.raises(ValueError, match="image_shape must be .channels, height, width., .* got None"):
        ResNet2DClassifier(image_shape=None).fit(rows(x), y)


def test_real_images():
    with np.load(data_path("galaxy_zoo2_spiral/galaxy_zoo2_spiral.npz")) as data:
        image, label, split = data["image"], data["label"], data["split"]
    chosen = np.concatenate(
        [np.flatnonzero((split == "train") & (label == c))[:150] for c in np.unique(label)]
    )
    X = image.transpose(0, 3, 1, 2)[:, :, ::2, ::2].reshape(len(image), -1)
    model = PlainCNNClassifier(
        image_shape=(3, -1, -1), augment=[Flips(), Rotations()], tta_flips=True, max_epochs=15, random_state=0
    ).fit(X[chosen], label[chosen])
    held_out = split == "validation"
    assert model.score(X[held_out], label[held_out]) > 0.65  # a random forest on 1400 images: 0.77
    few = chosen[::10]
    deep = ResNet2DClassifier(max_epochs=2, batch_size=16, random_state=0).fit(X[few], label[few])
    assert deep.history_["train_loss"][-1] < deep.history_["train_loss"][0]
