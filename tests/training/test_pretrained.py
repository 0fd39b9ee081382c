"""Weights are read from files of both formats, and others are refused."""

import pickle
import sys

import pytest
import torch

from skspec.networks import ResNet
from skspec.training.pretrained import read_state_dict

WEIGHTS = {"conv1.weight": torch.arange(6.0).view(1, 2, 3), "bn1.num_batches_tracked": torch.tensor(3)}


class Trap:
    def __reduce__(self):
        return pytest.fail, ("the file was executed",)


def save_zip(weights, path):
    torch.save(weights, path)


def save_as_before_2020(weights, path):
    torch.save(weights, path, _use_new_zipfile_serialization=False)


def save_safetensors(weights, path):
    pytest.importorskip("safetensors.torch").save_file(weights, path)


FORMATS = [save_zip, save_as_before_2020, save_safetensors]


@pytest.mark.parametrize("save", FORMATS)
def test_formats_are_detected_by_content(tmp_path, save):
    path = tmp_path / "weights.bin"
    save(WEIGHTS, path)
    read = read_state_dict(str(path))
    assert set(read) == set(WEIGHTS)
    for name, tensor in WEIGHTS.items():
        assert torch.equal(read[name], tensor)
        assert read[name].dtype == tensor.dtype


@pytest.mark.parametrize("save", FORMATS)
def test_a_network_loads_them(tmp_path, save):
    trained, network = (ResNet(n_pixels=16, n_outputs=n, stem="small").eval() for n in (4, 2))
    save(dict(trained.state_dict()), tmp_path / "resnet18")
    network.load_pretrained(read_state_dict(tmp_path / "resnet18"))
    x = torch.randn(2, 1, 16)
    with torch.inference_mode():
        assert torch.equal(network.features(x), trained.features(x))


def test_nothing_is_executed(tmp_path):
    torch.save({"a": Trap()}, tmp_path / "zip")
    (tmp_path / "pickle").write_bytes(pickle.dumps({"a": Trap()}, protocol=2))
    for name in ("zip", "pickle"):
        with pytest.raises(ValueError, match=f"{name} is damaged, or not a state_dict of tensors"):
            read_state_dict(tmp_path / name)


@pytest.mark.parametrize("save", FORMATS)
def test_damaged(tmp_path, save):
    path = tmp_path / "weights"
    save(WEIGHTS, path)
    content = path.read_bytes()
    for cut in (0, 8, 9, len(content) // 2):
        path.write_bytes(content[:cut])
        with pytest.raises(ValueError, match="weights is damaged, or not a state_dict of tensors"):
            read_state_dict(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.ones(3), "must contain a state_dict of tensors, got a Tensor"),
        ({"state_dict": WEIGHTS, "epoch": 3}, "must contain only tensors, got a dict under 'state_dict'"),
    ],
)
def test_not_a_state_dict(tmp_path, content, message):
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match=f"checkpoint.pt {message}"):
        read_state_dict(tmp_path / "checkpoint.pt")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.pt"):
        read_state_dict(tmp_path / "missing.pt")


def test_without_safetensors(tmp_path, monkeypatch):
    save_safetensors(WEIGHTS, tmp_path / "weights")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(ImportError, match=r"pip install 'skspec\[save\]'"):
        read_state_dict(tmp_path / "weights")
