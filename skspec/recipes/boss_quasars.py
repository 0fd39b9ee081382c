"""Quasars, galaxies and kinds of stars of BOSS: the system of ManuelSolimano/mqc-nets."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

import skspec
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._system import PublishedGrid, PublishedScore, PublishedSystem, recall

_GRID = PublishedGrid(3.56, 4.01, 433, 10.0 ** np.linspace(3.56, 4.01, 433, endpoint=False))
_CLASSES = ("QSO", "BAL", *"OBAFGKML", "WD", "C", "GAL")
_RECALL = (0.989, 0.818, 0.524, 0.405, 0.713, 0.910, 0.782, 0.855, 0.975, 0.797, 0.833, 0.725, 0.919)


def boss_quasars(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify BOSS spectra: quasars with and without broad absorption lines, galaxies, and ten kinds of stars.

    The system of ManuelSolimano/mqc-nets (model10v2) [1]_, with bugs fixed. Spectra are resampled onto 433
    logarithmic bins from 3631 to 10,233 Å and divided by their maximum. The network has four convolutions and one linear
    layer, with 327,813 weights for 13 classes.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is on the grid of the published file, 433 points in equal steps of log wavelength. If so, spectra are
        not resampled, and only missing pixels are filled.
    max_epochs : int or None, default=None
        Maximum number of epochs; None means the published 50. Training stops early when the validation loss has not
        improved for 3 epochs.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer`, `PlainCNNClassifier`.

    Notes
    -----
    **Data.** X: `Spectra`, for example BOSS spec files; if `prepared`, also an array of shape (n_spectra, 433), such as
    the ``fluxes`` of the published HDF5 file. `read_spectra` reads both. y: its ``classes``, or any others. Published:
    788,539 spectra of the classes QSO, BAL, O, B, A, F, G, K, M, L, WD, C and GAL. If objects were observed more than
    once, cross-validate with ``groups=X.sky_groups()``.

    **Published scores.** Recall of each class in the test set; their mean is 0.788:

    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====
    QSO   BAL   O     B     A     F     G     K     M     L     WD    C     GAL
    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====
    .989  .818  .524  .405  .713  .910  .782  .855  .975  .797  .833  .725  .919
    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====

    The published "accuracy 0.989" counts each of the 13 outputs separately, twelve of which should be 0 for any spectrum.
    The published "precision" assumes classes of equal size.

    **Bugs fixed.**

    - Resampling averages the pixels in a bin, which preserves the signal-to-noise ratio. The published Fourier
      resampling rings and treats the grid as periodic (`LogWaveResampler` with ``method="fft"``).
    - In gaps and beyond its ends, a spectrum is interpolated between the nearest bins or takes the value of the last one
      instead of zero. Spectra with bad pixels are not dropped.
    - The maximum is taken over bins, so that a single cosmic ray does not set the scale.
    - The validation set (a ninth of the training spectra: with a tenth for testing, 80 : 10 : 10) is stratified by
      class. ``plaincnnclassifier__groups`` given to fit keeps objects together.
    - The README mentions five convolutions and twelve classes; the code has four and thirteen.

    **Not fixed.** Class C of the published file mixes 757 carbon stars with 16,748 cataclysmic variables, which the file
    does not distinguish. If you make the labels yourself, use separate classes.

    **Differences.** Columns are standardised. Adam is used without its amsgrad variant and without the published decay
    of 1e-6, which is negligible.

    References
    ----------
    .. [1] https://github.com/ManuelSolimano/mqc-nets, commit 7f9fa9b.

    Examples
    --------
    >>> from skspec.recipes import boss_quasars
    >>> model = boss_quasars(max_epochs=10, random_state=0).set_params(plaincnnclassifier__batch_size=64)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'fluxnormalizer', 'plaincnnclassifier']
    """
    return make_pipeline(
        _GRID.first_step(prepared=prepared),
        FluxNormalizer("max"),
        skspec.PlainCNNClassifier(
            filters=(100, 100, 100, 100),
            kernel_sizes=(14, 12, 10, 8),
            strides=2,
            padding="valid",
            pooling=1,
            hidden=(),
            dropout=0.5,
            optimizer="adam",
            weight_decay=0.0,
            lr=1e-3,
            schedule="constant",
            batch_size=1000,
            max_epochs=50 if max_epochs is None else max_epochs,
            validation_fraction=1 / 9,
            n_iter_no_change=3,
            random_state=random_state,
        ),
    )


SYSTEM = PublishedSystem(
    boss_quasars,
    scores=(
        PublishedScore("mean recall", "accuracy", {"class_weight": "balanced"}, {None: sum(_RECALL) / 13}),
        *(
            PublishedScore(f"recall of {name}", partial(recall, label=name), {}, {None: value}, label=name)
            for name, value in zip(_CLASSES, _RECALL, strict=True)
        ),
    ),
    test_fraction=0.1,
    protocol="spectrum by spectrum, 10 % for testing",
    grid=_GRID,
)
