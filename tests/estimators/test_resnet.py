"""Residual networks: spectra with scalar features, and pretrained weights."""

import numpy as np
import pytest
import torch

from skspec import (
    Flips,
    Mask,
    Noise,
    ResNet1DClassifier,
    ResNet2DClassifier,
    Rotations,
    Shift,
    Spectra,
    Tilt,
    load,
    save,
)
from skspec.networks import ResNet


def spectra_with_scalars(n=64, n_pixels=30):
    """Return noise and two scalars on very different scales; the first determines the class."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    scalars = np.column_stack([6000.0 + 3000.0 * y + rng.normal(0, 100.0, n), rng.normal(1e-17, 1e-18, n)])
    return np.column_stack([rng.normal(1.0, 0.1, (n, n_pixels)), scalars]), y


def resnet(**options):
    few = {"optimizer": "sgd", "lr": 0.03, "max_epochs": 1, "precision": "float32", "random_state": 0}
    return ResNet1DClassifier(**(few | options))


def test_scalars_reach_the_last_layer():
    X, y = spectra_with_scalars()
    model = resnet(n_scalars=2).fit(X, y)
    embedding = model.embed(X)
    assert embedding.shape == (64, 514)
    expected = (X[:, -2:] - X[:, -2:].mean(axis=0)) / X[:, -2:].std(axis=0)
    np.testing.assert_allclose(embedding[:, -2:], expected, atol=2e-5)
    hidden = resnet(n_scalars=2, n_hidden=8).fit(X, y).embed(X)
    np.testing.assert_array_equal(hidden[:, 8:], embedding[:, -2:])


def test_scalars_are_used():
    X, y = spectra_with_scalars(n=96)
    model = resnet(n_scalars=2, n_hidden=4, lr=0.1, max_epochs=12).fit(X, y)
    assert model.score(X, y) > 0.95
    swapped = X.copy()
    swapped[:, -2] = 15_000.0 - swapped[:, -2]
    assert model.score(swapped, 1 - y) > 0.8


def test_missing_scalar_is_the_mean():
    X, y = spectra_with_scalars()
    model = resnet(n_scalars=2).fit(X, y)
    X[3, -2] = np.nan
    assert model.embed(X)[3, -2] == 0.0


def test_augmentation_does_not_change_scalars():
    X, y = spectra_with_scalars()
    X = X.astype(np.float32)
    model = resnet(n_scalars=2, augment=[Shift(2), Tilt(0.1), Noise((0.1, 0.2)), Mask(0.2)])
    changed = model.fit(X, y).net_.augment(torch.from_numpy(X)).numpy()
    np.testing.assert_array_equal(changed[:, -2:], X[:, -2:])
    assert (changed[:, :-2] != X[:, :-2]).all()


def test_channels_and_scalars():
    X, y = spectra_with_scalars()
    model = resnet(n_scalars=2, n_channels=2, stem="small").fit(X, y)
    x, scalars = model.net_.module_.unfold(torch.from_numpy(X.astype(np.float32)))
    assert (x.shape, scalars.shape) == ((64, 2, 15), (64, 2))


def test_images_with_scalars():
    X, y = spectra_with_scalars(n_pixels=32)
    model = ResNet2DClassifier(
        image_shape=(2, -1, -1),
        n_scalars=2,
        augment=[Flips(), Rotations()],
        tta_flips=True,
        max_epochs=1,
        precision="float32",
        random_state=0,
    ).fit(X, y)
    assert model.embed(X).shape == (64, 514)
    view = np.hstack([X[:, :32].reshape(64, 2, 4, 4).swapaxes(2, 3).reshape(64, 32), X[:, 32:]])
    np.testing.assert_allclose(
        model.decision_function(view), model.decision_function(X), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_scalars": 32}, "n_scalars must be less than the 32 features of X, got 32"),
        ({"n_scalars": 33}, "n_scalars must be less than the 32 features of X, got 33"),
        ({"n_scalars": -1}, "n_scalars == -1, must be >= 0"),
        ({"n_scalars": 2, "n_channels": 4}, "n_channels must divide the 30 features"),
        ({"depth": 20}, "depth must be one of 18, 34, 50, 101, got 20"),
        ({"stem": "large"}, "stem must be one of 'standard', 'small', got 'large'"),
        ({"n_hidden": -1}, "n_hidden == -1, must be >= 0"),
    ],
)
def test_invalid_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        resnet(**options).fit(*spectra_with_scalars())


def test_spectra_have_no_scalars():
    X, y = spectra_with_scalars()
    spectra = Spectra(X, wave=np.linspace(4000.0, 5000.0, 32))
    with pytest.raises(ValueError, match="n_scalars needs an array with the scalars in its last columns"):
        resnet(n_scalars=2).fit(spectra, y)
    with pytest.raises(ValueError, match="n_scalars needs an array"):
        resnet(n_scalars=2).fit(X, y).predict(spectra)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pt"
    torch.manual_seed(5)
    torch.save(ResNet(n_outputs=1000, n_pixels=100).state_dict(), path)
    return path


def test_starts_from_pretrained_weights(weights):
    X, y = spectra_with_scalars()
    model = resnet(n_scalars=2, pretrained=weights, lr=1e-9, weight_decay=0.0).fit(X, y)
    given, network = torch.load(weights, weights_only=True), model.net_.module_.network.state_dict()
    trained = [name for name in network if name.endswith("weight") and not name.startswith("final_layer")]
    assert len(trained) == 40  # 20 convolutions with their batch normalisations
    for name in trained:
        torch.testing.assert_close(network[name], given[name], rtol=0, atol=1e-6)
    assert network["final_layer.weight"].shape == (2, 514)


def test_pretrained_weights_that_do_not_fit(weights, tmp_path):
    X, y = spectra_with_scalars()
    with pytest.raises(FileNotFoundError, match="none.pt"):
        resnet(pretrained=tmp_path / "none.pt").fit(X, y)
    with pytest.raises(ValueError, match="lack .* of this ResNet34"):
        resnet(pretrained=weights, depth=34).fit(X, y)
    with pytest.raises(
        ValueError, match=r"conv1.weight of shape \(64, 2, 7\) for this ResNet18, got \(64, 1, 7\)"
    ):
        resnet(pretrained=weights, n_channels=2).fit(X, y)


def test_saved_model_does_not_need_the_pretrained_file(weights, tmp_path):
    pytest.importorskip("safetensors")
    X, y = spectra_with_scalars()
    model = resnet(n_scalars=2, pretrained=str(weights)).fit(X, y)
    with pytest.warns(UserWarning, match=r"pretrained of the model \(str\) only guides another fit"):
        save(model, tmp_path / "model.skspec")
    loaded = load(tmp_path / "model.skspec")
    assert loaded.pretrained is None
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
