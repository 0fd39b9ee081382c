"""Published configurations, as parameters of the classifiers, have the published numbers of weights."""

import json

import pytest
import torch

from skspec import (
    Conv1DClassifier,
    ConvKANClassifier,
    ConvTranClassifier,
    PlainCNNClassifier,
    ResNet1DClassifier,
    ResNet2DClassifier,
)
from tests._data import data_path

MK = (1, 2305), 39
PUBLISHED = {
    "conv1d_v1": (
        Conv1DClassifier(
            filters=(512, 256, 128, 64),
            strides=1,
            head="channel_max",
            hidden=(2048, 1024),
            dropout=0.0,
            batch_norm=False,
        ),
        *MK,
    ),
    "conv1d_v2": (
        Conv1DClassifier(
            filters=(32, 128, 512, 2048, 512, 128, 32),
            strides=(1, 2, 2, 2, 2, 2, 2),
            hidden=(2048,),
            dropout=0.0,
            batch_norm=False,
        ),
        *MK,
    ),
    "resnet50_1d": (ResNet1DClassifier(depth=50), *MK),
    "convtran": (
        ConvTranClassifier(embed_dim=64, n_heads=16, feedforward_dim=256, relative_encoding=None),
        *MK,
    ),
    "convtran_eRPE": (ConvTranClassifier(embed_dim=64, n_heads=16, feedforward_dim=256), *MK),
    "convtran_small_eRPE": (ConvTranClassifier(n_heads=8, feedforward_dim=256), (1, 128), 39),
    "convkan": (
        ConvKANClassifier(filters=(64, 128, 256, 512), strides=(1, 2, 2, 1), input_scale=None),
        *MK,
    ),
    "convkan_small": (ConvKANClassifier(filters=(4, 8, 8, 8)), (1, 256), 39),
    "mqc_model10v2": (
        PlainCNNClassifier(
            filters=(100, 100, 100, 100),
            kernel_sizes=(14, 12, 10, 8),
            strides=2,
            padding="valid",
            pooling=1,
            hidden=(),
        ),
        (1, 433),
        13,
    ),
    "lamost_cnn_if_channels_fixed": (
        PlainCNNClassifier(filters=(10, 20, 40, 50), kernel_sizes=3, hidden=(11500,)),
        (1, 3500),
        7,
    ),
    "galaxy_cnn": (
        PlainCNNClassifier(image_shape=(3, 69, 69), filters=(6, 16), padding="valid", hidden=(512, 84)),
        (3, 69, 69),
        10,
    ),
    "galaxy_resnet18_fc": (ResNet2DClassifier(n_hidden=1000), (3, 224, 224), 10),
    "galaxy_resnet50_fc": (ResNet2DClassifier(depth=50, n_hidden=1000), (3, 224, 224), 10),
    "resnet18_1d_stem7_3class_1ch": (ResNet1DClassifier(), (1, 2600), 3),
}
UNUSED = {"conv1d_v1": 65}  # in a layer of the released model that is never called


@pytest.fixture(scope="module")
def published():
    known = json.loads(data_path("mk_predictions/arch_parity.json").read_text())
    known |= known.pop("others")
    return {name: n if isinstance(n, int) else n["params"] for name, n in known.items() if name in PUBLISHED}


@pytest.mark.parametrize("name", PUBLISHED)
def test_number_of_weights(name, published):
    model, shape, n_outputs = PUBLISHED[name]
    model._check_params()
    with torch.device("meta"):
        network = model._build_network(shape, n_outputs)
    n_weights = sum(p.numel() for p in network.parameters())
    assert n_weights == published[name] - UNUSED.get(name, 0)
