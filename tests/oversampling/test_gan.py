"""`GANOversampler`: training, early stopping, checkpoints, and invalid input."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skspec import GANOversampler
from skspec.oversampling import _adversarial
from skspec.oversampling._pictures import picture_names, save_picture
from tests._processes import forkserver
from tests.oversampling._rare import N_PIXELS, rare

QUICK = {
    "max_steps": 30,
    "score_every": 10,
    "batch_size": 8,
    "latent_dim": 8,
    "random_state": 0,
    "device": "cpu",
}
RANDOM_PARTS = {"augment": True, "validation_fraction": 0.25, "loss": "wasserstein", "n_critic": 2}


def test_spectra_are_like_the_real_ones_and_in_their_units():
    X, y = rare(n_rare=60, n_common=200)
    sampler = GANOversampler(random_state=0, max_steps=100, score_every=20)
    made = sampler.fit_resample(1e4 + 1e3 * X, y)[0][260:]
    real = 1e4 + 1e3 * X[y == "O"]
    error = real.std(axis=0) / np.sqrt(60)
    assert np.abs((made.mean(axis=0) - real.mean(axis=0)) / error).max() < 4
    assert np.median(made.std(axis=0) / real.std(axis=0)) == pytest.approx(1.0, abs=0.1)
    depth = made[:, [20, 40]].mean(axis=1) - made[:, 30]
    assert depth.mean() == pytest.approx(600.0, rel=0.1)


def test_range_follows_the_data():
    X, y = rare()
    X = np.maximum(X - 0.6, 0.0)
    made = GANOversampler(**QUICK, sampling_strategy={"O": 3000}).fit_resample(X, y)[0][80:]
    assert made.min() == 0.0  # what is never negative stays so
    low, high = X[y == "O"].min(axis=0), X[y == "O"].max(axis=0)
    margin = 0.1 * (high - low)
    assert (made <= high + margin + 1e-6).all()
    assert (made >= low - margin - 1e-6).all()


@pytest.mark.parametrize("loss", ["hinge", "wasserstein", "logistic"])
@pytest.mark.parametrize("network", ["conv", "dense"])
def test_every_game_is_learned(network, loss):
    X, y = rare()
    sampler = GANOversampler(**QUICK | {"network": network, "loss": loss, "max_steps": 150, "lr": 1e-3}).fit(
        X, y
    )
    sampler.fit_resample(X, y)
    history = sampler.history_
    assert list(history["step"]) == list(range(0, 160, 10))[: len(history)]
    assert np.isfinite(history["critic_loss"][1:]).all()
    assert history["score"].min() < 0.5


def test_the_best_state_is_kept(monkeypatch):
    scores = iter([5.0, 4.0, 1.0, 3.0, 2.0, 2.0, 2.0])
    kept = []

    def judge(self, made):
        kept.append(made)
        return next(scores)

    monkeypatch.setattr(_adversarial.GeneratorScore, "__call__", judge)
    X, y = rare()
    sampler = GANOversampler(**QUICK | {"max_steps": 1000, "n_iter_no_change": 3})
    sampler.fit_resample(X, y)
    np.testing.assert_array_equal(
        sampler.history_["score"], [5.0, 4.0, 1.0, 3.0, 2.0, 2.0]
    )  # three without a better
    generator = sampler.generators_["O"]
    with _adversarial.seeded(int(np.random.RandomState(0).randint(2**31 - 1)), torch.device("cpu")):
        again = _adversarial.generate(generator.network, np.zeros(200, dtype=int))
    np.testing.assert_array_equal(again, kept[2])


def test_copies_score_badly():
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.normal(size=(300, 3)))[0].T

    def draw(n):
        return 5.0 * rng.normal(size=(n, 3)) @ vectors + rng.normal(0.0, 0.01, (n, 300))

    learned, other, target = draw(100), draw(200), np.zeros(100, dtype=int)
    judge = _adversarial.GeneratorScore((learned, target))
    copies = np.repeat(learned, 2, axis=0) + 1e-3 * rng.normal(size=(200, 300))
    assert judge(other) < 0.2
    assert judge(copies) > 0.45
    assert judge(other + 3.0 * vectors[0]) > 2 * judge(other)
    judge = _adversarial.GeneratorScore((learned, target), (draw(100), target))
    assert judge(other) < 0.2
    assert judge(copies) > 0.45


def test_one_network_for_each_class():
    X, y = rare(n_common=40)
    y[np.flatnonzero(y == "G")[:12]] = "C"
    together = GANOversampler(**QUICK)
    together.fit_resample(X, y)
    apart = GANOversampler(**QUICK, conditional=False)
    X_new, y_new = apart.fit_resample(X, y)
    assert set(apart.generators_) == set(together.generators_) == {"C", "O"}
    assert together.generators_["C"].network is together.generators_["O"].network
    assert apart.generators_["C"].network is not apart.generators_["O"].network
    assert set(apart.history_["class"]) == {"C", "O"}
    alone = GANOversampler(**QUICK, sampling_strategy={"O": 28})
    np.testing.assert_array_equal(alone.fit_resample(X, y)[0][60:], X_new[60:][y_new[60:] == "O"])


def test_the_published_configuration():
    sampler = GANOversampler(
        network="dense", latent_dim=900, loss="logistic", lr=1e-4, max_steps=2, random_state=0
    )
    X, y = np.random.default_rng(0).normal(size=(16, 3500)), np.repeat(["A", "O"], [10, 6])
    sampler.fit_resample(X, y)
    network = sampler.generators_["O"].network
    assert sum(p.numel() for p in network.parameters()) == 4_478_124


def test_samples_afterwards():
    X, y = rare()
    sampler = GANOversampler(**QUICK)
    with pytest.raises(ValueError, match="not fitted"):
        sampler.sample(3, "O")
    sampler.fit_resample(X, y)
    first, again = (sampler.sample(5, "O", random_state=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (5, N_PIXELS)
    assert not np.array_equal(sampler.sample(5, "O"), sampler.sample(5, "O"))
    with pytest.raises(ValueError, match=r"label must be a class with a generator \('O'\), got 'G'"):
        sampler.sample(3, "G")


# Checkpoints -----------------------------------------------------------------------------------------------


class PowerCutError(Exception):
    pass


def cut_after(monkeypatch, n_steps):
    step, count = _adversarial.AdversarialTrainer.step, iter(range(n_steps))

    def counted(self):
        if next(count, None) is None:
            raise PowerCutError
        return step(self)

    monkeypatch.setattr(_adversarial.AdversarialTrainer, "step", counted)


@pytest.mark.parametrize(
    "more", [{}, RANDOM_PARTS, {"network": "dense", "loss": "logistic", "conditional": False}]
)
def test_goes_on_as_if_never_interrupted(tmp_path, monkeypatch, more):
    X, y = rare(n_common=40)
    y[np.flatnonzero(y == "G")[:12]] = "C"
    model = GANOversampler(**QUICK | more)
    expected = clone(model)
    X_expected, _ = expected.fit_resample(X, y)
    model.set_params(checkpoint_dir=tmp_path)
    for n_steps in (15, 14):
        with monkeypatch.context() as patch:
            cut_after(patch, n_steps)
            with pytest.raises(PowerCutError):
                clone(model).fit_resample(X, y)
        assert list(tmp_path.glob("*.checkpoint"))
    X_new, _ = model.fit_resample(X, y)
    np.testing.assert_array_equal(X_new, X_expected)
    for name in expected.history_.colnames:
        np.testing.assert_array_equal(model.history_[name], expected.history_[name])
    assert list(tmp_path.iterdir()) == []


def test_takes_up_only_its_own(tmp_path, monkeypatch):
    X, y = rare()
    model = GANOversampler(**QUICK, checkpoint_dir=tmp_path)
    with monkeypatch.context() as patch:
        cut_after(patch, 15)
        with pytest.raises(PowerCutError):
            model.fit_resample(X, y)
    other, _ = GANOversampler(**QUICK | {"lr": 1e-2}).fit_resample(X, y)
    found, _ = GANOversampler(**QUICK | {"lr": 1e-2}, checkpoint_dir=tmp_path).fit_resample(X, y)
    np.testing.assert_array_equal(found, other)


def train(directory, out):
    """Code of the process that is killed."""
    torch.set_num_threads(1)
    np.save(
        out,
        GANOversampler(
            **QUICK | {"max_steps": 200, "n_iter_no_change": None, "score_every": 5}, checkpoint_dir=directory
        ).fit_resample(*rare())[0],
    )


def test_killed_and_resumed(tmp_path):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected, _ = GANOversampler(
        **QUICK | {"max_steps": 200, "n_iter_no_change": None, "score_every": 5}
    ).fit_resample(*rare())
    torch.set_num_threads(n_threads)
    processes = forkserver()
    checkpoints, out = tmp_path / "checkpoints", tmp_path / "rows.npy"
    process = processes.Process(target=train, args=(checkpoints, out))
    process.start()
    while process.is_alive() and not list(checkpoints.glob("*.checkpoint")):
        time.sleep(0.01)
    time.sleep(0.1)
    process.kill()
    process.join()
    assert not out.exists()
    process = processes.Process(target=train, args=(checkpoints, out))
    process.start()
    process.join()
    np.testing.assert_array_equal(np.load(out), expected)


# Output ----------------------------------------------------------------------------------------------------


def test_pictures_and_bar_change_nothing(tmp_path, capsys):
    X, y = rare()
    expected, _ = GANOversampler(**QUICK).fit_resample(X, y)
    shown = GANOversampler(**QUICK, picture_dir=tmp_path / "pictures", picture_every=20, verbose=1)
    np.testing.assert_array_equal(shown.fit_resample(X, y)[0], expected)
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [picture.name for picture in pictures] == ["O-000000.png", "O-000020.png"]
    assert pictures[0].read_bytes()[:4] == b"\x89PNG"
    assert "GANOversampler: 100%" in capsys.readouterr().err


def test_names_of_pictures_are_safe_and_distinct(tmp_path):
    labels = ["O", "../above", "G8/K0", "G8_K0", "g8_k0", ".", "", "a\0b", "é" * 300, "$\\frac", "/etc/x"]
    names = picture_names(labels)
    assert (names["O"], names["G8_K0"], names["../above"]) == ("O", "G8_K0", "___above")
    assert len({name.casefold() for name in names.values()}) == 11
    for label, name in names.items():
        file = tmp_path / f"{name}-000000.png"
        save_picture(file, np.eye(4), np.eye(4), label=label, step=0)
        assert file.parent == tmp_path
    assert len(list(tmp_path.iterdir())) == 11


@pytest.mark.parametrize("conditional", [False, True])
def test_all_pictures_are_in_their_directory(tmp_path, conditional):
    X, y = rare(n_rare=16, n_common=24)
    y = y.astype(object)
    y[np.flatnonzero(y == "O")[:8]] = "../O"
    y[np.flatnonzero(y == "O")] = "__/O"
    options = QUICK | {"max_steps": 2, "score_every": 2, "conditional": conditional}
    GANOversampler(**options, picture_dir=tmp_path / "in" / "here", picture_every=2).fit_resample(
        X, y.astype(str)
    )
    pictures = list(tmp_path.rglob("*.png"))
    assert len(pictures) == 4
    assert {picture.parent for picture in pictures} == {tmp_path / "in" / "here"}


# Failures and threads -------------------------------------------------------------------------------------


def test_a_fit_that_diverges_or_is_interrupted_changes_nothing(monkeypatch):
    X, y = rare()
    sampler = GANOversampler(**QUICK)
    with pytest.raises(FloatingPointError, match="training diverged after"):
        GANOversampler(**QUICK | {"lr": 1e30}).fit_resample(X, y)
    sampler.fit_resample(X, y)
    before = dict(vars(sampler))
    monkeypatch.setattr(
        _adversarial.AdversarialTrainer, "step", lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        sampler.fit_resample(X, y)
    with pytest.raises(ValueError, match="n_channels must divide"):
        sampler.set_params(n_channels=7).fit_resample(X, y)
    sampler.set_params(n_channels=1)
    assert all(vars(sampler)[name] is value for name, value in before.items() if name.endswith("_"))


@pytest.mark.parametrize("network", ["conv", "dense"])
def test_random_numbers_are_those_of_the_fit(network):
    X, y = rare()
    options = QUICK | {"max_steps": 4, "network": network, "loss": "wasserstein", "augment": True}
    sampler = GANOversampler(**options)
    before = torch.get_rng_state()
    expected, _ = sampler.fit_resample(X, y)
    samples = [sampler.sample(20, "O", random_state=seed) for seed in range(4)]
    assert torch.equal(torch.get_rng_state(), before)
    with ThreadPoolExecutor(2) as pool:
        future = pool.submit(GANOversampler(**options).fit_resample, X, y)
        while not future.done():
            torch.rand(10)
        again = pool.map(lambda seed: sampler.sample(20, "O", random_state=seed), range(4))
        np.testing.assert_array_equal(future.result()[0], expected)
        np.testing.assert_array_equal(list(again), samples)


# Invalid input ------------------------------------------------------------------------------------------


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(_adversarial.AdversarialTrainer, "__init__", lambda *_: pytest.fail("it was trained"))


@pytest.mark.usefixtures("untrained")
def test_too_few_spectra():
    X, y = rare(n_rare=4)
    with pytest.raises(ValueError, match="class 'O' has 4 spectra; GANOversampler needs at least 5"):
        GANOversampler().fit_resample(X, y)
    X, y = rare(n_rare=8)
    with pytest.raises(
        ValueError, match="validation_fraction=0.25 of the 8 spectra of class 'O' is 2; at least 3"
    ):
        GANOversampler(validation_fraction=0.25).fit_resample(X, y)


@pytest.mark.usefixtures("untrained")
def test_missing_and_constant_spectra():
    X, y = rare()
    rare_row, common_row = np.flatnonzero(y == "O")[2], np.flatnonzero(y == "G")[0]
    broken = X.copy()
    broken[rare_row, 3] = np.nan
    with pytest.raises(
        ValueError, match=rf"X has NaN in 1 of 80 rows \(first: row {rare_row}\).*MissingFluxImputer"
    ):
        GANOversampler().fit_resample(broken, y)
    broken = X.copy()
    broken[rare_row] = 1.0
    with pytest.raises(ValueError, match=f"row {rare_row} of X, of class 'O', is constant"):
        GANOversampler().fit_resample(broken, y)
    broken[rare_row] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        GANOversampler().fit_resample(broken, y)
    assert common_row >= 0


def test_constant_spectra_of_other_classes_do_not_matter():
    X, y = rare()
    X[np.flatnonzero(y == "G")[0]] = 1.0
    assert len(GANOversampler(**QUICK).fit_resample(X, y)[0]) == 120


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network": "convolutional"}, "network must be one of 'conv', 'dense'"),
        ({"loss": "hinges"}, "did you mean 'hinge'"),
        ({"latent_dim": 0}, "latent_dim == 0"),
        ({"batch_size": 1}, "batch_size == 1"),
        ({"ema_decay": 1.0}, "ema_decay == 1.0"),
        ({"lr": 0.0}, "lr == 0.0"),
        ({"n_channels": 7}, "n_channels must divide the 60 features"),
        ({"device": "abacus"}, "device must be 'auto' or one that torch can use"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        GANOversampler(**params).fit_resample(*rare())


def test_divergence_is_said():
    X, y = rare()
    with pytest.raises(FloatingPointError, match="training diverged after .* a smaller lr may help"):
        GANOversampler(**QUICK | {"lr": 1e30}).fit_resample(X, y)
