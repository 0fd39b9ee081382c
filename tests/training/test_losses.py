"""Losses against published values and closed forms, and the loss of a classifier."""

import json

import numpy as np
import pytest
import torch
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.metrics import f1_score
from torch.nn import functional

from skspec import Conv1DClassifier
from skspec.training.losses import CrossEntropy, Distance, Focal, SoftF1
from skspec.training.targets import SoftTargets
from tests._data import data_path

LOSSES = [CrossEntropy(), Focal(2.0), SoftF1(), Distance(torch.tensor([[0.0], [1.0], [3.0]]), 0.5)]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(12, 3, generator=generator), torch.arange(12) % 3


def mk_coordinates():
    """Return coordinates of the 39 published joint classes: all of O-M and I-VI but G VI, K VI and M IV."""
    missing = {(4, 5), (5, 5), (6, 3)}
    pairs = [(t, lum) for t in range(7) for lum in range(6) if (t, lum) not in missing]
    return torch.tensor(pairs) * torch.tensor(
        [1.0, 1.5]
    )  # the published axes have the weights 1 and 1.5 squared


@pytest.mark.parametrize("k", range(4))
def test_distance_loss_has_the_published_values(k):
    published = json.loads(data_path("mk_predictions/arch_parity.json").read_text())["ordinal_loss"]
    loss = Distance(mk_coordinates(), published["alphas"][k])
    for name, logits in {
        "uniform_logits": torch.zeros(1, 39),
        "logit_10_on_class_19": 10.0 * functional.one_hot(torch.tensor([19]), 39),
    }.items():
        for target, values in published[name].items():
            index = torch.tensor([int(target.removeprefix("target_"))])
            assert loss(logits.float(), index).item() == pytest.approx(values[k], rel=1e-6, abs=2e-6)


def test_distance_loss_by_hand():
    loss = Distance(torch.tensor([[0.0, 1.0], [2.0, 4.0]]), 0.25)
    logits = torch.log(torch.tensor([[0.75, 0.25]]))
    by_hand = -0.75 * np.log(0.75) + 0.25 * ((0.25 * 2) ** 2 + (0.25 * 3) ** 2) / 2
    assert loss(logits, torch.tensor([0])).item() == pytest.approx(by_hand, rel=1e-6)


def test_focal_loss(batch):
    logits, target = batch
    p = functional.softmax(logits, 1).gather(1, target[:, None])[:, 0]
    expected = -((1 - p) ** 1.5 * torch.log(p)).mean()
    assert Focal(1.5)(logits, target).item() == pytest.approx(expected.item(), rel=1e-5)
    assert Focal(0.0)(logits, target).item() == pytest.approx(CrossEntropy()(logits, target).item(), rel=1e-6)
    sure = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    Focal(0.5)(sure, torch.tensor([0])).backward()
    assert torch.isfinite(sure.grad).all()


def test_soft_f1_of_decisions_is_f1(batch):
    logits, target = batch
    decided = 200.0 * functional.one_hot(logits.argmax(1), 3).float()
    f1 = f1_score(target, logits.argmax(1), average="macro")
    assert SoftF1()(decided, target).item() == pytest.approx(1 - f1, abs=1e-6)
    absent = torch.tensor([0, 0, 1, 1])  # class 2 is not in the batch, but predicted
    decided = 200.0 * functional.one_hot(torch.tensor([0, 2, 1, 1]), 3).float()
    assert SoftF1()(decided, absent).item() == pytest.approx(1 - (2 / 3 + 1) / 2, abs=1e-6)
    weight = torch.tensor([3.0, 1.0, 1.0, 1.0])
    weighted = f1_score(absent, [0, 2, 1, 1], average="macro", sample_weight=weight, labels=[0, 1])
    assert SoftF1()(decided, absent, weight).item() == pytest.approx(1 - weighted, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_indices_and_probabilities_are_the_same_target(loss, batch):
    logits, target = batch
    weight = torch.linspace(0.5, 1.5, 12)
    sure = functional.one_hot(target, 3).float()
    for w in (None, weight):
        assert loss(logits, target, w).item() == pytest.approx(loss(logits, sure, w).item(), rel=1e-6)
    assert loss(logits, target, weight).item() != pytest.approx(loss(logits, target).item(), rel=1e-6)
    ones = torch.ones(12)
    assert loss(logits, target, ones).item() == pytest.approx(loss(logits, target).item(), rel=1e-6)


# Soft targets -----------------------------------------------------------------------------------------


def soft_targets(**kwargs):
    options = {"label_smoothing": 0.0, "mixup": 0.0} | kwargs
    return SoftTargets(3, generator=np.random.default_rng(0), **options)


def test_label_smoothing_is_that_of_torch(batch):
    logits, target = batch
    _, soft, weight = soft_targets(label_smoothing=0.2)(torch.zeros(12, 4), target, None)
    assert weight is None
    expected = functional.cross_entropy(logits, target, label_smoothing=0.2).item()
    assert CrossEntropy()(logits, soft).item() == pytest.approx(expected, rel=1e-6)


def test_mixup_mixes_rows_targets_and_weights(batch):
    _, target = batch
    X = functional.one_hot(target, 3).float()  # mixed as the targets are
    weight = torch.ones(12)
    for w in (None, weight):
        mixed, soft, total = soft_targets(mixup=0.4)(X, target, w)
        torch.testing.assert_close(mixed, soft)
        assert ((soft > 0).sum(1) == 2).any()
        torch.testing.assert_close(soft.sum(1), torch.ones(12))
        assert total is None or torch.equal(total, weight)


def test_mixup_of_weighted_rows_is_the_mixed_loss(batch):
    logits, target = batch
    weight = torch.linspace(0.5, 2.0, 12)
    mix = soft_targets(mixup=1.0)
    twin = np.random.default_rng(0)
    share, other = twin.beta(1.0, 1.0), torch.from_numpy(twin.permutation(12))
    _, soft, total = mix(logits, target, weight)
    each = functional.cross_entropy
    a = (each(logits, target, reduction="none") * weight).mean()
    b = (each(logits, target[other], reduction="none") * weight[other]).mean()
    expected = share * a + (1 - share) * b
    assert CrossEntropy()(logits, soft, total).item() == pytest.approx(expected.item(), rel=1e-5)


# In a classifier --------------------------------------------------------------------------------------


@pytest.fixture
def model():
    return Conv1DClassifier(filters=(8,), kernel_sizes=(3,), max_epochs=12, lr=1e-2, random_state=0)


@pytest.fixture
def ladder():
    """Return noisy spectra of five classes in order of brightness."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 5
    return rng.normal(size=(200, 16)) + 0.4 * y[:, None], np.array(["O5", "B5", "A5", "F5", "G5"])[y]


@pytest.mark.parametrize("loss", ["focal", "soft_f1", "distance"])
def test_every_loss_learns(model, ladder, loss):
    X, y = ladder
    model.set_params(
        loss=loss, class_coordinates=dict(zip(["O5", "B5", "A5", "F5", "G5"], range(5), strict=True))
    )
    assert model.fit(X, y).score(X, y) > 0.5
    assert model.history_["train_loss"][-1] < model.history_["train_loss"][0]


def test_distance_loss_without_weight_is_cross_entropy(model, ladder):
    X, y = ladder
    plain = model.fit(X, y).decision_function(X)
    model.set_params(
        loss="distance", class_coordinates=lambda label: "OBAFG".index(label[0]), distance_weight=0.0
    )
    np.testing.assert_allclose(model.fit(X, y).decision_function(X), plain, rtol=1e-5, atol=1e-5)
    model.set_params(distance_weight=0.9)
    assert not np.allclose(model.fit(X, y).decision_function(X), plain, atol=1e-3)


def test_soft_targets_reduce_confidence(model, ladder):
    X, y = ladder
    sure = model.fit(X, y).predict_proba(X).max(axis=1).mean()
    for kwargs in ({"label_smoothing": 0.5}, {"mixup": 1.0}):
        model.set_params(**({"label_smoothing": 0.0, "mixup": 0.0} | kwargs))
        assert model.fit(X, y).predict_proba(X).max(axis=1).mean() < sure


@pytest.mark.parametrize("ensemble", [VotingClassifier, StackingClassifier])
def test_coordinates_are_missing_in_ensembles_that_encode_labels(model, ladder, ensemble):
    X, y = ladder
    model.set_params(
        loss="distance", class_coordinates={name: i for i, name in enumerate(np.unique(y).tolist())}
    )
    message = "the class 0; VotingClassifier and .* LogitVotingClassifier does not"
    with pytest.raises(ValueError, match=message):
        ensemble([("net", model)]).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "distance"}, "loss='distance' needs class_coordinates, .* got None"),
        (
            {"loss": "distance", "class_coordinates": {"O5": 1}},
            "class_coordinates has no entry for the class 'A5'$",
        ),
        (
            {"loss": "distance", "class_coordinates": lambda label: [0] * (1 + (label == "O5"))},
            r"the same number of axes for each class, got shapes \[\(1,\), \(2,\)\]",
        ),
        ({"loss": "distance", "class_coordinates": lambda _: np.nan}, "class_coordinates must be finite"),
        ({"loss": "crossentropy"}, "did you mean 'cross_entropy'"),
        ({"distance_weight": 1.5}, "distance_weight == 1.5, must be <= 1"),
        ({"label_smoothing": 1.0}, "label_smoothing == 1.0, must be < 1"),
    ],
)
def test_invalid_parameters(model, ladder, params, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(**params).fit(*ladder)
