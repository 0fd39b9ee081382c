"""The five published systems: sizes, steps, and training on suitable data."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skspec import load, recipes, save
from skspec.mk import mk_coordinates, mk_grid
from tests.recipes._data import galaxies, joint_stars, stars, survey

RECIPES = {name: system.recipe for name, system in recipes.PUBLISHED_SYSTEMS.items()}
MK_NETWORKS = ("conv1d-v1", "conv1d-v2", "resnet50", "convtran", "convkan")


def prepared_width(model, X):
    """Columns that reach the classifier."""
    for _, step in model.steps[:-1]:
        if hasattr(step, "transform"):
            X = step.fit_transform(X)
    return np.asarray(X).shape[1]


def n_weights(model, X, n_classes):
    """Number of weights of the network for X."""
    classifier = model[-1]
    classifier._check_params()
    shape = classifier._input_shape(prepared_width(model, X)).channels
    with torch.device("meta"):
        network = classifier._build_network(shape, n_classes)
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("network", "n"),
    [
        ("conv1d-v1", 18_794_920 - 65),  # 65 are in a layer of the released model that is never called
        ("conv1d-v2", 40_126_919),
        ("resnet50", 16_034_151),
        ("convtran", 67_687),
        ("convkan", 4_666_603),
    ],
)
def test_published_sizes_of_joint_classes(network, n, prepared):
    X = np.ones((2, 2305)) if prepared else stars(4)[0]
    assert n_weights(recipes.mk_joint(network=network, prepared=prepared), X, 39) == n


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("name", "width", "n_classes", "n"),
    [
        ("boss_quasars", 433, 13, 327_813),
        ("lamost_rare_o", 3500, 7, 126_026_157),  # published: 781,127, with the wrong axes
        ("star_galaxy_qso", 2600, 3, 3_845_443 + 4 * 3),  # four scalars reach the last layer
    ],
)
def test_published_sizes_of_spectra(name, width, n_classes, n, prepared):
    X = np.random.default_rng(0).uniform(1, 2, (3, width)) if prepared else stars(4)[0]
    assert n_weights(RECIPES[name](prepared=prepared), X, n_classes) == n


@pytest.mark.parametrize(
    ("network", "side", "n"),
    [("cnn", 69, 1_652_958), ("resnet18", 69, 11_699_522), ("resnet50", 224, 25_567_042)],
)
def test_published_sizes_of_galaxies(network, side, n):
    X = np.zeros((1, 3 * side**2), np.uint8)
    assert n_weights(recipes.galaxy10(network=network), X, 10) == n


# Steps -------------------------------------------------------------------------------------------------------


def test_order_of_steps():
    steps = {name: [step for step, _ in make().steps[:-1]] for name, make in RECIPES.items()}
    assert steps == {
        "mk_joint": ["logwaveresampler", "continuumnormalizer"],
        "lamost_rare_o": ["logwaveresampler", "fluxnormalizer", "randomundersampler", "ganoversampler"],
        "galaxy10": ["randomundersampler", "randomoversampler"],
        "star_galaxy_qso": ["logwaveresampler", "noiseoversampler", "fluxnormalizer", "featureunion"],
        "boss_quasars": ["logwaveresampler", "fluxnormalizer"],
    }
    assert [step for step, _ in recipes.mk_joint(prepared=True).steps] == [
        "missingfluximputer",
        "conv1dclassifier",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_parameters_and_clones(name):
    model = RECIPES[name](max_epochs=3, random_state=7)
    last = model.steps[-1][0]
    params = model.get_params()
    assert params[f"{last}__max_epochs"] == 3
    seeds = [value for key, value in params.items() if key.endswith("__random_state")]
    assert set(seeds) == {7}
    twin = clone(model).set_params(**{f"{last}__max_epochs": 4})
    assert twin[-1].max_epochs == 4
    assert model[-1].max_epochs == 3
    assert repr(clone(model)) == repr(model)


def test_published_numbers_of_epochs():
    assert recipes.mk_joint()[-1].max_epochs == 200
    assert recipes.lamost_rare_o()[-1].max_epochs == 140
    assert recipes.lamost_rare_o()["ganoversampler"].max_steps == 8000
    assert recipes.lamost_rare_o(max_steps=5)["ganoversampler"].max_steps == 5
    assert [recipes.galaxy10(network=n)[-1].max_epochs for n in ("cnn", "resnet18", "resnet50")] == [
        32,
        16,
        64,
    ]
    assert recipes.boss_quasars()[-1].max_epochs == 50


def test_luminosity_counts_by_its_square():
    coordinates = recipes.mk_joint()[-1].class_coordinates
    assert set(coordinates) == set(mk_grid(full=True).tolist())
    temperature, luminosity = np.subtract(coordinates["KV"], coordinates["GIV"]) ** 2
    assert luminosity / temperature == 2.25
    assert coordinates["GV"] == mk_coordinates("GV")


def test_grids():
    X = stars(4)[0]
    wave = recipes.mk_joint()[0].fit(X).wave_
    assert 4000 < wave[0] < wave[-1] < 6800
    lamost = recipes.lamost_rare_o()[0].fit(X)
    np.testing.assert_allclose(np.diff(np.log10(lamost.wave_)), 1e-4, rtol=1e-6)
    assert lamost.edges_[[0, -1]] == pytest.approx([3700.0, 3700.0 * 10**0.35])
    contest = recipes.star_galaxy_qso()
    assert contest[0].fit(X).edges_[[0, -1]] == pytest.approx([3799.0, 8999.0])
    wien = dict(contest["featureunion"].transformer_list)["wien"]
    np.testing.assert_allclose(wien.wave, contest[0].wave_, rtol=1e-12)
    assert recipes.boss_quasars()[0].fit(X).edges_[[0, -1]] == pytest.approx([10**3.56, 10**4.01])


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="network must be one of .*did you mean 'resnet50'"):
        recipes.mk_joint(network="resnet5")
    with pytest.raises(ValueError, match="pretrained is for resnet18 and resnet50"):
        recipes.galaxy10(network="cnn", pretrained="weights.pt")
    with pytest.raises(ValueError, match="prepared must be one of True, False, got 'yes'"):
        recipes.boss_quasars(prepared="yes")


# Samplers ----------------------------------------------------------------------------------------------------


def test_galaxies_come_in_the_published_numbers():
    sizes = [4970, 4001, 500, 349, 17]
    y = np.repeat(np.arange(5), sizes)
    X = np.arange(len(y), dtype=np.uint16)[:, None]
    under, over = (step for _, step in recipes.galaxy10(random_state=0).steps[:-1])
    X, y = over.fit_resample(*under.fit_resample(X, y))
    assert np.bincount(y).tolist() == [4000, 4000, 4000, 8 * 349, 8 * 17]
    assert X.dtype == np.uint16
    assert len(np.unique(X[y == 0])) == 4000


def test_only_the_smallest_class_is_made_up():
    X, y = stars(60)
    keep = (y != "B") | (np.cumsum(y == "B") <= 8)
    model = recipes.lamost_rare_o(max_steps=2, random_state=0)
    rows = model["fluxnormalizer"].fit_transform(model[0].fit_transform(X[keep]))
    _, made = model["ganoversampler"].fit_resample(rows, y[keep])
    known, counts = np.unique(made, return_counts=True)
    assert dict(zip(known.tolist(), counts.tolist(), strict=True)) == dict.fromkeys("ABGM", 15)


def test_what_samplers_make_is_never_scored():
    """Samplers add rows in fit but not in predict."""
    X, y = survey(45, weights=[0.6, 0.2, 0.2])
    seen = []

    class Spy(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_, counts = np.unique(y, return_counts=True)
            seen.append((len(X), sorted(set(counts.tolist()))))
            return self

        def predict(self, X):
            seen.append(len(X))
            return np.repeat(self.classes_[:1], len(X))

    model = recipes.star_galaxy_qso()
    model.steps[-1] = ("spy", Spy())
    cross_val_score(model, X, y, cv=StratifiedKFold(3))
    assert seen == [(54, [18]), 15, (54, [18]), 15, (54, [18]), 15]


# From end to end ---------------------------------------------------------------------------------------------


def test_joint_classes_from_end_to_end(tmp_path):
    X, y = joint_stars(48)
    model = recipes.mk_joint(network="convtran", max_epochs=1, random_state=0)
    model.set_params(convtranclassifier__embed_dim=8, convtranclassifier__n_heads=2)
    model.set_params(logwaveresampler__n_bins=200)
    proba = model.fit(X, y).predict_proba(X)
    assert proba.shape == (48, 8)
    save(model, tmp_path / "m.skspec")
    np.testing.assert_array_equal(load(tmp_path / "m.skspec").predict_proba(X), proba)


@pytest.mark.parametrize("network", MK_NETWORKS)
def test_joint_classes_of_prepared_spectra(network):
    rng = np.random.default_rng(0)
    X, y = rng.normal(1.0, 0.05, (24, 128)), np.repeat(["GV", "KIII"], 12)
    X[y == "GV", 40:60] -= 0.5
    X[0, :5] = np.nan
    model = recipes.mk_joint(network=network, prepared=True, max_epochs=2, random_state=0)
    small = {
        "conv1d-v1": {"filters": (8, 4), "hidden": (8,)},
        "conv1d-v2": {"filters": (8, 8), "strides": (1, 2), "hidden": (8,)},
        "resnet50": {"width": 4},
        "convtran": {"embed_dim": 8, "n_heads": 2},
        "convkan": {"filters": (4, 4), "strides": (1, 2)},
    }[network]
    model[-1].set_params(**small, batch_size=8)
    assert model.fit(X, y).predict_proba(X).shape == (24, 2)
    assert 1 <= model[-1].best_epoch_ <= 2
    model.fit(X, y, **{f"{model.steps[-1][0]}__groups": np.arange(24) // 2})  # two spectra a star
    assert "valid_score" in model[-1].history_.colnames


def test_rare_stars_from_end_to_end(tmp_path):
    X, y = stars(60)
    keep = (y != "B") | (np.cumsum(y == "B") <= 8)
    X, y = X[keep], y[keep]
    model = recipes.lamost_rare_o(max_epochs=4, max_steps=5, random_state=0)
    model.set_params(plaincnnclassifier__hidden=(32,), plaincnnclassifier__batch_size=8)
    model.fit(X, y)
    assert model.score(X, y) > 0.5
    with pytest.warns(UserWarning, match="sampling_strategy .* only guides another fit"):
        save(model, tmp_path / "m.skspec")
    np.testing.assert_array_equal(load(tmp_path / "m.skspec").predict(X), model.predict(X))


def test_galaxies_from_end_to_end():
    X, y = galaxies(60)
    model = recipes.galaxy10(network="cnn", max_epochs=10, random_state=0)
    model.set_params(plaincnnclassifier__batch_size=16)
    assert model.fit(X[:45], y[:45]).score(X[45:], y[45:]) > 0.9
    deep = recipes.galaxy10(max_epochs=1, random_state=0).set_params(resnet2dclassifier__width=4)
    assert deep.fit(X, y).predict(X[:5]).shape == (5,)


@pytest.mark.parametrize("prepared", [False, True])
def test_stars_galaxies_quasars_from_end_to_end(prepared, tmp_path):
    X, y = survey(45)
    if prepared:
        wave = np.linspace(3800.0, 8998.0, 2600)
        X = np.array([np.interp(wave, X.wave, np.nan_to_num(f)) for f in X.flux])
    model = recipes.star_galaxy_qso(prepared=prepared, max_epochs=2, random_state=0)
    model.set_params(resnet1dclassifier__width=4, resnet1dclassifier__batch_size=8)
    proba = model.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    names = model["featureunion"].get_feature_names_out(
        [f"x{k}" for k in range(2600)]
    )  # the scalars come last
    assert [name.split("__")[1] for name in names[-4:]] == [
        "wien_temperature",
        "wien_offset",
        "flux_mean",
        "flux_std",
    ]
    save(model, tmp_path / "m.skspec")
    np.testing.assert_array_equal(load(tmp_path / "m.skspec").predict_proba(X), proba)


def test_quasars_from_end_to_end():
    X, y = survey(120)
    model = recipes.boss_quasars(max_epochs=25, random_state=0)
    model.set_params(plaincnnclassifier__batch_size=16, plaincnnclassifier__filters=(16,) * 4)
    assert model.fit(X[:90], y[:90]).score(X[90:], y[90:]) > 0.6
    assert len(model[-1].history_) <= 25
    rows = np.abs(np.random.default_rng(0).normal(1, 0.2, (30, 433)))
    again = recipes.boss_quasars(prepared=True, max_epochs=1, random_state=0).fit(rows, y[:30])
    assert again.predict(rows).shape == (30,)
