"""Joint MK classes of stars: temperature and luminosity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from skspec.checks import check_choice
from skspec.estimators import Conv1DClassifier, ConvKANClassifier, ConvTranClassifier, ResNet1DClassifier
from skspec.mk import mk_coordinates, mk_grid
from skspec.preprocessing import ContinuumNormalizer
from skspec.recipes._grid import onto_grid
from skspec.training import NeuralClassifier

_FIRST, _LAST, _N_PIXELS = 4000.0, 6800.0, 2305
_PUBLISHED_ENDS = (4000.3685, 6799.8605)  # Å, of the linear grid
_VALIDATION = 0.15 / 0.85  # of what is not tested on

NETWORKS: dict[str, Callable[..., NeuralClassifier]] = {
    "conv1d-v1": partial(
        Conv1DClassifier,
        filters=(512, 256, 128, 64),
        strides=1,
        head="channel_max",
        hidden=(2048, 1024),
        dropout=0.0,
        batch_norm=False,
        optimizer="adam",
        weight_decay=0.0,
        lr=1e-4,
        batch_size=16,
    ),
    "conv1d-v2": partial(
        Conv1DClassifier,
        filters=(32, 128, 512, 2048, 512, 128, 32),
        strides=(1, 2, 2, 2, 2, 2, 2),
        hidden=(2048,),
        dropout=0.0,
        batch_norm=False,
        lr=5e-5,
        batch_size=128,
    ),
    "resnet50": partial(ResNet1DClassifier, depth=50, lr=1e-4, batch_size=128),
    "convtran": partial(
        ConvTranClassifier,
        embed_dim=64,
        n_heads=16,
        feedforward_dim=256,
        relative_encoding=None,
        dropout=0.01,
        lr=1e-3,
        batch_size=8,
    ),
    "convkan": partial(
        ConvKANClassifier, filters=(64, 128, 256, 512), strides=(1, 2, 2, 1), lr=1e-4, batch_size=128
    ),
}


def mk_joint(
    *,
    network: str = "conv1d-v2",
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify stars by temperature and luminosity class together: the 39 joint MK classes from OI to MVI.

    The system of volgasezen/StellarClassification [1]_, with its bugs mended. Spectra are brought onto 2305 bins
    between 4000 and 6800 Å and divided by their running median of 100 pixels. A network learns the classes, all
    equally often and with noise (σ from 0.01 to 0.05), by cross-entropy and by how far its expectation is from the
    truth on the grid of temperature and luminosity.

    Parameters
    ----------
    network : {"conv1d-v1", "conv1d-v2", "resnet50", "convtran", "convkan"}, default="conv1d-v2"
        Which of the published networks; they have 19, 40, 16, 0.07 and 5 million weights. "conv1d-v2" is the best of
        them, and makes the best pair with "resnet50".
    prepared : bool, default=False
        Whether X is what the published file holds: already on the published grid (linear, 2305 points from 4000.37 to
        6799.86 Å) and divided by its median. The first two steps then only fill missing pixels.
    max_epochs : int or None, default=None
        Passes over the training spectra; None is the published 200, which is for a GPU.
    random_state : int, RandomState instance or None, default=None
        Determines everything random.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler`, `ContinuumNormalizer`, classifier; if `prepared`, `MissingFluxImputer` and the
        classifier.

    Raises
    ------
    ValueError
        If `network` is unknown.

    See Also
    --------
    skspec.mk.joint_class : Joint classes of MK types.
    skspec.metrics.published_scores : The scores of the published table.

    Notes
    -----
    **Data.** X: `Spectra` that cover 4000 to 6800 Å, at rest (published: redshift below 2.4 Å / 6800 Å), of one
    resolution (`ResolutionMatcher`, survey by survey). If `prepared`, `Spectra` or an array of shape (n_spectra, 2305).
    y: joint classes such as "GV". Published: 8622 spectra of 5674 stars of SDSS, CFLIB, ELODIE, SOPHIE and XSL, as
    ``dataset_subset.fits``, which `read_spectra` reads with classes in ``meta["class"]``.

    **Ensembles.** `LogitVotingClassifier` hands labels on as they are. scikit-learn's VotingClassifier and
    StackingClassifier number them, so that their places on the grid of temperature and luminosity are lost: fit raises.

    **Published scores** on 1295 spectra (all but F1 with classes weighted alike, see
    `skspec.metrics.published_scores`):

    =========  =====  =====  ======  ======
    network    F1     MAE    QWK(T)  QWK(L)
    =========  =====  =====  ======  ======
    conv1d-v1  0.597  0.236  0.980   0.903
    conv1d-v2  0.628  0.269  0.979   0.865
    resnet50   0.585  0.322  0.982   0.798
    convtran   0.567  0.269  0.980   0.861
    convkan    0.522  0.405  0.964   0.725
    =========  =====  =====  ======  ======

    They are too good for new stars. Half of the ELODIE test spectra are of stars that were trained on; of the best
    ensemble's labels for these 96 % are right, for other stars 66 %. Cross-validate with ``groups=X.sky_groups()``.

    **Mended.**

    - Resolution: published smoothing takes pixel steps for line widths, and is too weak by the step of the coarsest
      grid, 1.4757 Å. Here it is left to `ResolutionMatcher`.
    - Resampling: bins are means over pixels, so that flux is conserved, and equally wide in log wavelength, so that a
      velocity is a shift; published is a spline at linear steps. Gaps are filled by a line, at both ends with the
      nearest bin.
    - Labels: the class that a range such as III-IV belongs to is decided by `skspec.mk.joint_class`, under test.
    - The epoch is chosen by the macro-F1 of 15/85 of the spectra given to fit, never by test spectra (as it was for
      ConvTran). ``groups`` given to the classifier's fit, for "resnet50" as ``resnet1dclassifier__groups``, keep stars
      together.
    - Test-time shifts (``tta_shifts=5``) hold the ends of each spectrum; published ones roll the whole batch, so that
      the end of one spectrum leaks into the next. They are off: they made the published scores worse.
    - ConvKAN: flux is squeezed into the range of the splines (``input_scale=0.5``), at whose edge flux divided by its
      median otherwise lies. Conv1D-v1: a convolution that was never used (65 weights) is left out.

    **Different.** Columns are standardised. β of the optimisers is torch's default (published: 0.9 and 0.95 or 0.75).
    The learning rate is constant, as it was by a mistake; ``schedule="plateau"`` is what was meant. How ConvKAN was
    trained is not known: the settings of ResNet50 stand in. That the published flux is divided by its median, not
    less its median, follows from the order of the script; the file was not at hand.

    References
    ----------
    .. [1] https://github.com/volgasezen/StellarClassification, commit a4b332a.

    Examples
    --------
    >>> from skspec.recipes import mk_joint
    >>> model = mk_joint(network="resnet50", max_epochs=20, random_state=0)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'continuumnormalizer', 'resnet1dclassifier']
    >>> model = model.set_params(resnet1dclassifier__augment_velocity=100.0)
    """
    check_choice("network", network, NETWORKS)
    classifier = NETWORKS[network](
        loss="distance",
        class_coordinates={label: mk_coordinates(label) for label in mk_grid(full=True).tolist()},
        distance_weight=0.75,
        balanced_batches=True,
        augment_noise=(0.01, 0.05),
        schedule="constant",
        max_epochs=200 if max_epochs is None else max_epochs,
        validation_fraction=_VALIDATION,
        scoring="f1_macro",
        n_iter_no_change=None,
        random_state=random_state,
    )
    grid = onto_grid(
        prepared,
        first=float(np.log10(_FIRST)),
        last=float(np.log10(_LAST)),
        n_bins=_N_PIXELS,
        wave=_PUBLISHED_ENDS,
    )
    return make_pipeline(*([grid] if prepared else [grid, ContinuumNormalizer()]), classifier)
