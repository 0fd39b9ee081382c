"""Interrupted and resumed training: the same weights, bit for bit, and damaged files are ignored."""

import os
import time

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, EarlyStopping, EpochScoring

from skspec import Conv1DClassifier, Mask, Noise, Shift
from skspec.training.checkpoint import read_checkpoint, write_checkpoint
from tests._processes import forkserver

MAX_EPOCHS = 40


class Diary(Callback):
    """Write each epoch and process to a file, slowly."""

    def __init__(self, path, pause=0.0):
        self.path = path
        self.pause = pause

    def on_epoch_end(self, net, **kwargs):
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()} {len(net.history)}\n")
        time.sleep(self.pause)


class Stop(Callback):
    """Simulate a power cut after some epochs."""

    def __init__(self, after):
        self.after = after

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > self.after:
            raise RuntimeError("power cut")


def data():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = rng.normal(size=(120, 30)) + 0.3 * y[:, None]
    X[::7, 3] = np.nan
    return X, y


def full_of_chance(**kwargs):
    """Return a model with all kinds of random numbers and of state."""
    return Conv1DClassifier(
        filters=(4,),
        kernel_sizes=(3,),
        batch_size=16,
        max_epochs=MAX_EPOCHS,
        ema_decay=0.9,
        mixup=0.3,
        validation_fraction=0.2,
        scoring="f1_macro",
        n_iter_no_change=None,
        schedule="plateau",
        augment=[Shift(2), Noise((0.0, 0.5)), Mask(0.2)],
        balanced_batches=True,
        random_state=3,
    ).set_params(**kwargs)


def weights(model):
    return {name: t.numpy() for name, t in model.net_.module_.state_dict().items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def train(directory, diary, out):
    """Train in the process that is killed."""
    torch.set_num_threads(1)
    model = full_of_chance(checkpoint_dir=directory, callbacks=[Diary(diary, pause=0.05)])
    np.savez(out, **weights(model.fit(*data())))


def test_killed_ten_times_at_random_moments(tmp_path):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the other process
    expected = full_of_chance().fit(*data())
    torch.set_num_threads(n_threads)
    processes = forkserver()
    diary, out, checkpoints = tmp_path / "diary", tmp_path / "weights.npz", tmp_path / "checkpoints"
    rng = np.random.default_rng()
    for _ in range(10):
        known = diary.stat().st_size if diary.exists() else 0
        process = processes.Process(target=train, args=(checkpoints, diary, out))
        process.start()
        while process.is_alive() and (diary.stat().st_size if diary.exists() else 0) == known:
            time.sleep(0.01)  # until training begins
        time.sleep(rng.uniform(0.0, 0.25))
        assert process.is_alive(), "it was to be killed in the middle"
        process.kill()
        process.join()
    assert not out.exists()
    process = processes.Process(target=train, args=(checkpoints, diary, out))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert_same(dict(np.load(out)), weights(expected))
    assert list(checkpoints.iterdir()) == []
    log = [line.split() for line in diary.read_text().splitlines()]
    assert len({pid for pid, _ in log}) == 11
    last = [int(epoch) for pid, epoch in log if pid == log[-1][0]]
    assert last == list(range(last[0], MAX_EPOCHS + 1))
    assert last[0] > 1


def together(directory, start, out):
    """Run the same fits at the same time as other processes."""
    torch.set_num_threads(1)
    X, y = data()
    for number in range(4):
        start.wait()
        model = full_of_chance(checkpoint_dir=directory / str(number), max_epochs=8).fit(X, y)
    np.savez(out, **weights(model))


def test_the_same_fit_in_several_processes(tmp_path):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = weights(full_of_chance(max_epochs=8).fit(*data()))
    torch.set_num_threads(n_threads)
    processes = forkserver()
    start = processes.Barrier(3)
    outs = [tmp_path / f"{k}.npz" for k in range(3)]
    running = [processes.Process(target=together, args=(tmp_path / "shared", start, out)) for out in outs]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0, 0]
    for out in outs:
        assert_same(dict(np.load(out)), expected)
    assert [file for file in tmp_path.rglob("shared/*/*") if file.is_file()] == []


@pytest.mark.parametrize("reason", ["No space left on device", "Permission denied"])
def test_training_continues_if_the_disk_is_full(tmp_path, monkeypatch, reason):
    X, y = data()
    expected = full_of_chance(max_epochs=3).fit(X, y)

    def full(handle):
        raise OSError(28, reason)

    monkeypatch.setattr("skspec.training.checkpoint.os.fsync", full)
    model = full_of_chance(max_epochs=3, checkpoint_dir=tmp_path)
    with pytest.warns(RuntimeWarning, match=rf"cannot be written \({reason}\); training continues"):
        model.fit(X, y)
    assert_same(weights(model), weights(expected))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    X, y = data()
    model = full_of_chance(checkpoint_dir=tmp_path, max_epochs=6)
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[Stop(3)]).fit(X, y)
    (file,) = tmp_path.iterdir()
    write_checkpoint(file, {"seed": 1, "module": {"weight": torch.ones(2)}})
    with pytest.raises(ValueError, match=r"is not a checkpoint of this Conv1D; delete it"):
        model.fit(X, y)


def test_interrupted_between_epochs(tmp_path):
    X, y = data()
    expected = full_of_chance().fit(X, y)
    model = full_of_chance(checkpoint_dir=tmp_path)
    for after in (1, 5, 20):
        with pytest.raises(RuntimeError, match="power cut"):
            clone(model).set_params(callbacks=[Stop(after)]).fit(X, y)
    (file,) = tmp_path.iterdir()
    model.fit(X, y)
    assert_same(weights(model), weights(expected))
    assert not file.exists()
    same = [name for name in expected.history_.colnames if name != "dur"]
    assert model.history_.colnames == expected.history_.colnames
    for name in same:
        np.testing.assert_array_equal(model.history_[name], expected.history_[name])
    assert model.best_epoch_ == expected.best_epoch_


def test_state_of_callbacks_is_saved(tmp_path):
    X, y = data()
    more = [
        EpochScoring("accuracy", name="seen", on_train=True),
        EarlyStopping(monitor="seen", lower_is_better=False, patience=12, sink=lambda _: None),
    ]
    model = full_of_chance(callbacks=more, validation_fraction=None, schedule="one-cycle")
    expected = clone(model).fit(X, y)
    assert len(expected.history_) < MAX_EPOCHS  # early stopping
    model.set_params(checkpoint_dir=tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        clone(model).set_params(callbacks=[*more, Stop(len(expected.history_) - 5)]).fit(X, y)
    assert_same(weights(model.fit(X, y)), weights(expected))


def test_early_stopping_is_the_same_after_an_interruption(tmp_path):
    X, y = data()
    model = full_of_chance(n_iter_no_change=4)
    expected = clone(model).fit(X, y)
    assert len(expected.history_) == expected.best_epoch_ + 4 < MAX_EPOCHS
    model.set_params(checkpoint_dir=tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        clone(model).set_params(callbacks=[Stop(len(expected.history_) - 1)]).fit(X, y)
    assert_same(weights(model.fit(X, y)), weights(expected))
    assert len(model.history_) == len(expected.history_)


@pytest.mark.parametrize("keep", [0, 20, 0.5, 0.999])
def test_a_half_written_checkpoint_is_not_loaded(tmp_path, keep):
    X, y = data()
    model = full_of_chance(checkpoint_dir=tmp_path, max_epochs=6)
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[Stop(3)]).fit(X, y)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: keep if keep in (0, 20) else int(keep * len(content))])
    file.with_suffix(".part").write_bytes(content[:100])
    with pytest.warns(UserWarning, match="is damaged; training starts from the beginning"):
        model.fit(X, y)
    assert_same(weights(model), weights(full_of_chance(max_epochs=6).fit(X, y)))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_executed_on_loading(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    write_checkpoint(tmp_path / "x.checkpoint", {"module": Evil()})
    with pytest.raises(Exception, match="weights_only|Weights only"):
        read_checkpoint(tmp_path / "x.checkpoint")
    assert not (tmp_path / "evil").exists()


def test_different_fits_do_not_share_checkpoints(tmp_path):
    X, y = data()
    model = full_of_chance(checkpoint_dir=tmp_path, max_epochs=4)
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[Stop(2)]).fit(X, y)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    others = [
        (clone(model).set_params(lr=0.1), X, y),
        (clone(model).set_params(random_state=4), X, y),
        (clone(model).set_params(class_weight={0: 2.0, 1: 1.0, 2: 1.0}), X, y),
        (clone(model), X + 1e-3, y),
        (clone(model), X, (y + 1) % 3),
        (clone(model).set_params(loss="distance", class_coordinates=float), X, y),
    ]
    for other, X_other, y_other in others:
        expected = clone(other).set_params(checkpoint_dir=None).fit(X_other, y_other)
        assert_same(weights(other.fit(X_other, y_other)), weights(expected))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]


def test_without_a_seed_an_interrupted_fit_resumes_with_its_own(tmp_path):
    X, y = data()
    diary = tmp_path / "diary"
    model = full_of_chance(checkpoint_dir=tmp_path / "checkpoints", random_state=None, max_epochs=6)
    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[Stop(3)], validation_fraction=None).fit(X, y)
    model.set_params(callbacks=[Diary(diary)], validation_fraction=None).fit(X, y)
    assert [line.split()[1] for line in diary.read_text().splitlines()][-1] == "6"
    assert len(diary.read_text().splitlines()) < 6
