"""Shapes of galaxies in images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import Any

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from skspec.checks import check_choice
from skspec.estimators import PlainCNNClassifier, ResNet2DClassifier
from skspec.oversampling import max_per_class
from skspec.training import NeuralClassifier

VIEWS, PER_CLASS = 8, 4000

NETWORKS: dict[str, Callable[..., NeuralClassifier]] = {
    "cnn": partial(
        PlainCNNClassifier,
        image_shape=(3, -1, -1),
        filters=(6, 16),
        padding="valid",
        hidden=(512, 84),
        dropout=0.0,
        batch_size=512,
    ),
    "resnet18": partial(ResNet2DClassifier, depth=18, n_hidden=1000, batch_size=128),
    "resnet50": partial(ResNet2DClassifier, depth=50, n_hidden=1000, batch_size=64),
}
_EPOCHS = {"cnn": 32, "resnet18": 16, "resnet50": 64}


@dataclass(frozen=True)
class _Views:
    """Sampling strategy: as many copies of each image as it has views, up to a number of images of the class."""

    views: int
    cap: int

    def __call__(self, y: ArrayLike) -> dict[Any, int]:
        classes, counts = np.unique(np.asarray(y), return_counts=True)
        wanted = np.maximum(counts, np.minimum(self.views * counts, self.cap))
        return dict(zip(classes.tolist(), wanted.tolist(), strict=True))


def galaxy10(
    *,
    network: str = "resnet18",
    pretrained: str | PathLike[str] | None = None,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify galaxies by shape in colour images: the ten classes of Galaxy10 SDSS.

    The system of ChenfaZheng/SDSSGalCat [1]_, with its bugs mended. Large classes are cut to 4000 images, small ones
    repeated up to eight times, images are turned and mirrored at random while training, and a network learns the
    classes.

    Parameters
    ----------
    network : {"cnn", "resnet18", "resnet50"}, default="resnet18"
        Which of the published networks: two convolutions and a perceptron, or a residual network with the 1000
        outputs of ImageNet and one more layer. They have 1,652,958, 11,699,522 and 25,567,042 weights (for images of
        69 pixels).
    pretrained : path or None, default=None
        File on this machine with ImageNet weights of torchvision's resnet18 or resnet50, from which the published
        networks started. None starts from random ones.
    max_epochs : int or None, default=None
        Passes over the training images; None is the published 32, 16 or 64.
    random_state : int, RandomState instance or None, default=None
        Determines everything random.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Unfitted: ``RandomUnderSampler``, ``RandomOverSampler``, classifier. Samplers work in fit alone.

    Raises
    ------
    ValueError
        If `network` is unknown, or `pretrained` is given for "cnn".

    Notes
    -----
    **Data.** X: array of shape (n_images, 3 · height · width), the colours one after the other: of images with colours
    last, ``images.transpose(0, 3, 1, 2).reshape(len(images), -1)``. Images are square; for others set ``image_shape``.
    y: the classes. Published: 21,785 images of 69 × 69 pixels, uint8, in ten classes, as ``Galaxy10.h5``, which
    `skspec.datasets.load_galaxy10` reads.

    **Published scores**, macro-averaged:

    ==============================  =========  ======  =====
    network                         precision  recall  F1
    ==============================  =========  ======  =====
    cnn                             0.551      0.526   0.511
    cnn, images whitened            0.518      0.527   0.508
    resnet18                        0.839      0.790   0.802
    resnet50                        0.908      0.909   0.908
    ==============================  =========  ======  =====

    They are too good for new galaxies, see the first point. Class 5 has 17 images and F1 0 in both rows of the cnn.

    **Mended.**

    - Images were turned, mirrored and repeated before the split, so that views of one galaxy stood on both sides. Here
      samplers and turning act on training images alone, with the same number of each class: eight views of each
      image, at most 4000 of a class.
    - Batch normalisation predicts with running averages; published, with those of the test batch.
    - Batches are drawn anew in each epoch.

    **Different.** Images are not enlarged to 224 pixels, which costs ten times the arithmetic and brings no
    information (do it beforehand if pretrained weights are to see features at the scale they know). Channels are
    standardised by the training images, for the cnn as well, which was given 0 to 255. SGD has Nesterov momentum. At
    most 4000 images of a class are what the code has; the README says 2000 for ResNet18.

    References
    ----------
    .. [1] https://github.com/ChenfaZheng/SDSSGalCat, commit bcfcd07.

    Examples
    --------
    >>> from skspec.recipes import galaxy10
    >>> model = galaxy10(network="cnn", max_epochs=5, random_state=0)
    >>> [name for name, _ in model.steps]
    ['randomundersampler', 'randomoversampler', 'plaincnnclassifier']
    """
    check_choice("network", network, NETWORKS)
    if pretrained is not None and network == "cnn":
        raise ValueError(f"pretrained is for resnet18 and resnet50, got {pretrained!r} for network='cnn'")
    classifier = NETWORKS[network](
        optimizer="sgd",
        weight_decay=0.0,
        lr=1e-3,
        schedule="constant",
        augment_flips=True,
        max_epochs=_EPOCHS[network] if max_epochs is None else max_epochs,
        random_state=random_state,
        **({} if pretrained is None else {"pretrained": pretrained}),
    )
    return make_pipeline(
        RandomUnderSampler(sampling_strategy=max_per_class(PER_CLASS), random_state=random_state),
        RandomOverSampler(sampling_strategy=_Views(VIEWS, PER_CLASS), random_state=random_state),
        classifier,
    )
