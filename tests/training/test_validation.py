"""Validation set, scores, choice of the best weights, and early stopping."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skspec import Conv1DClassifier
from skspec.training.validation import hold_out


class Epochs(Callback):
    """Record the weights of each epoch, and the held-out rows."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.weights_ = []
        self.learned_ = X
        self.valid_ = None

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.weights_.append({k: v.clone() for k, v in net.validated_module.state_dict().items()})
        self.valid_ = dataset_valid


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.arange(160) % 4
    return rng.normal(size=(160, 20)) + 0.25 * y[:, None], np.array(["G", "A", "F", "K"])[y]


@pytest.fixture
def model():
    return Conv1DClassifier(
        filters=(8,),
        kernel_sizes=(3,),
        max_epochs=15,
        lr=3e-2,
        schedule="constant",
        validation_fraction=0.25,
        callbacks=[Epochs()],
        random_state=0,
    )


def seen(model):
    return dict(model.net_.callbacks_)["Epochs"]


# Validation set ---------------------------------------------------------------------------------------


def test_classes_are_held_out_in_proportion_and_single_members_are_not():
    target = np.repeat([0, 1, 2, 3], [100, 20, 1, 4])
    learn, validate = hold_out(target, None, 0.25, seed=0)
    assert sorted(np.concatenate([learn, validate])) == list(range(125))
    np.testing.assert_array_equal(np.bincount(target[validate], minlength=4), [25, 5, 0, 1])
    again, other = hold_out(target, None, 0.25, seed=0), hold_out(target, None, 0.25, seed=1)
    np.testing.assert_array_equal(again[1], validate)
    assert not np.array_equal(other[1], validate)


def test_groups_stay_together():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 300)
    groups = rng.integers(0, 60, 300).astype(str)
    learn, validate = hold_out(target, groups, 0.2, seed=0)
    assert sorted(np.concatenate([learn, validate])) == list(range(300))
    assert not set(groups[learn]) & set(groups[validate])
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(target, target, groups)
    np.testing.assert_array_equal(validate, next(folds)[1])


def test_a_class_of_one_group_is_in_the_training_set():
    target = np.repeat([0, 1, 2], [50, 50, 5])
    groups = np.r_[np.arange(100) // 5, np.full(5, 99)]
    for seed in range(5):
        learn, _ = hold_out(target, groups, 0.3, seed=seed)
        assert set(target[learn]) == {0, 1, 2}
    with pytest.raises(ValueError, match="with any choice of groups, a class has no training spectra"):
        hold_out(np.repeat([0, 1], 10), np.repeat([0, 1], 10), 0.5, seed=0)


def test_impossible_validation_sets(model, data):
    X, y = data
    with pytest.raises(ValueError, match="validation_fraction=0.01 cannot be held out: .*test_size"):
        model.set_params(validation_fraction=0.01).fit(X, y)
    with pytest.raises(ValueError, match=r"groups has shape \(3,\); \(160,\) is needed"):
        model.set_params(validation_fraction=0.2).fit(X, y, groups=[1, 2, 3])


def test_fit_separates_groups_and_standardises_by_the_training_set(model, data):
    X, y = data
    groups = np.arange(160) // 4
    model.fit(X, y, groups=groups)
    rows = seen(model)
    group_of = {row.tobytes(): group for row, group in zip(X.astype(np.float32), groups, strict=True)}
    learned = {group_of[row.tobytes()] for row in rows.learned_.X}
    valid = {group_of[row.tobytes()] for row in rows.valid_.X}
    assert len(learned) + len(valid) == 40
    assert not learned & valid
    np.testing.assert_allclose(model.net_.module_.center, rows.learned_.X.mean(axis=0), rtol=1e-5, atol=1e-6)
    pipeline = make_pipeline(StandardScaler(), model)
    pipeline.fit(X, y, conv1dclassifier__groups=groups)


# Scores and weights -----------------------------------------------------------------------------------

SCORINGS = {
    "loss": (None, lambda y, p, classes: -log_loss(y, p, labels=classes)),
    "name": ("accuracy", lambda y, p, classes: accuracy_score(y, classes[p.argmax(1)])),
    "probability": (
        "roc_auc_ovr",
        lambda y, p, classes: roc_auc_score(y, p, multi_class="ovr", labels=classes),
    ),
    "scorer": (
        make_scorer(lambda y, z: -np.mean(y != z)),
        lambda y, p, classes: -np.mean(y != classes[p.argmax(1)]),
    ),
}


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("ema_decay", [None, 0.8])
def test_the_best_epoch_is_kept(model, data, scoring, ema_decay):
    X, y = data
    given, truth = SCORINGS[scoring]
    model.set_params(scoring=given, n_iter_no_change=None, ema_decay=ema_decay).fit(X, y)
    epochs = seen(model)
    valid = epochs.valid_.X, model.classes_[epochs.valid_.y]
    kept = {k: v.clone() for k, v in model.net_.module_.state_dict().items()}
    scores = []
    for weights in epochs.weights_:
        model.net_.module_.load_state_dict(weights)
        scores.append(truth(valid[1], model.predict_proba(valid[0]), model.classes_))
    column = -model.history_["valid_loss"] if given is None else model.history_["valid_score"]
    np.testing.assert_allclose(column, scores, rtol=1e-5)
    assert model.best_epoch_ == 1 + int(np.argmax(scores))
    assert model.best_epoch_ < 15 or scoring != "loss"
    best = epochs.weights_[model.best_epoch_ - 1]
    assert all((kept[name] == best[name]).all() for name in kept)


def test_scores_that_are_nan(model, data):
    X, y = data
    with pytest.warns(RuntimeWarning, match=r"validation score of epoch 1 is nan; epochs without a score"):  # noqa: SIM117
        with pytest.raises(ValueError, match=r"which was NaN in all 4 epochs, so no epoch is the best"):
            model.set_params(scoring=lambda *_: np.nan, n_iter_no_change=4).fit(X, y)
    assert not hasattr(model, "net_")
    numbers = iter([np.nan, 0.1, np.nan, 0.4, 0.3, np.nan, 0.2])
    model.set_params(scoring=lambda *_: next(numbers), n_iter_no_change=3)
    with pytest.warns(RuntimeWarning, match="validation score of epoch 1 is nan") as caught:
        model.fit(X, y)
    assert len(caught) == 1
    assert model.best_epoch_ == 4
    assert len(model.history_) == 7


def test_two_classes_by_decision_function(model, data):
    X, y = data
    y = np.isin(y, ["G", "A"])
    model.set_params(scoring="roc_auc").fit(X, y)
    rows = seen(model).valid_
    assert model.history_["valid_score"].max() == pytest.approx(
        roc_auc_score(model.classes_[rows.y], model.decision_function(rows.X)), abs=1e-6
    )


def test_early_stopping(model, data):
    X, y = data
    model.set_params(n_iter_no_change=3, max_epochs=200, lr=0.1).fit(X, y)
    assert len(model.history_) == model.best_epoch_ + 3 < 200
    assert "lr" in model.history_.colnames
    assert np.isfinite(model.history_["lr"]).all()


def test_without_validation_there_is_no_best_epoch(model, data):
    X, y = data
    model.fit(X, y)
    assert hasattr(model, "best_epoch_")
    model.set_params(validation_fraction=None).fit(X, y)
    assert not hasattr(model, "best_epoch_")
    assert model.history_.colnames == ["epoch", "dur", "lr", "train_loss"]
    assert len(seen(model).learned_) == 160


def test_sample_weights_count_in_validation(model, data):
    X, y = data
    weight = np.linspace(0.1, 2.0, 160)
    model.set_params(max_epochs=1).fit(X, y, sample_weight=weight)
    rows = seen(model).valid_
    p = model.predict_proba(rows.X)[np.arange(len(rows)), rows.y]
    assert model.history_["valid_loss"][0] == pytest.approx(np.mean(-np.log(p) * rows.weight), rel=1e-4)


def test_progress_bar_shows_the_score(model, data, capsys):
    model.set_params(verbose=1, scoring="accuracy", max_epochs=3).fit(*data)
    err = capsys.readouterr().err
    assert "valid_loss=" in err
    assert f"score={model.history_['valid_score'][-1]:.4f}" in err
