"""Quasars, galaxies and kinds of stars of BOSS."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from skspec.estimators import PlainCNNClassifier
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._grid import onto_grid

_FIRST, _LAST, _N_BINS = 3.56, 4.01, 433


def boss_quasars(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify BOSS spectra: quasars with and without broad absorption, galaxies, and ten kinds of stars.

    The system of ManuelSolimano/mqc-nets (model10v2) [1]_, with its bugs mended. Spectra are brought onto 433
    logarithmic bins from 3631 to 10,233 Å and divided by their maximum; four convolutions and one linear layer learn
    the classes. It is small and quick: 327,813 weights for 13 classes.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is what the published file holds: 433 points in equal steps of log wavelength. Then missing pixels are
        filled only.
    max_epochs : int or None, default=None
        Most passes over the training spectra; None is the published 50. Training ends when 3 have brought nothing.
    random_state : int, RandomState instance or None, default=None
        Determines everything random.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer`, `PlainCNNClassifier`.

    Notes
    -----
    **Data.** X: `Spectra`, for example of BOSS's own spec files, which `read_spectra` reads; if `prepared`, also an
    array of shape (n_spectra, 433): the ``fluxes`` of the published HDF5 file, which `read_spectra` reads. y: its
    ``classes``, or any others. Published: 788,539 spectra of the classes QSO, BAL, O, B, A, F, G, K, M, L, WD, C and
    GAL. For objects seen twice cross-validate with ``groups=X.sky_groups()``.

    **Published scores.** Recall of the classes in test spectra, whose mean is 0.788:

    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====
    QSO   BAL   O     B     A     F     G     K     M     L     WD    C     GAL
    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====
    .989  .818  .524  .405  .713  .910  .782  .855  .975  .797  .833  .725  .919
    ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====  ====

    "Accuracy 0.989" counts each of 13 outputs of a spectrum, twelve of which are 0 for anything; "precision" is that of
    equally large classes.

    **Mended.**

    - Class C mixes 757 carbon stars with 16,748 cataclysmic variables; give them labels of their own where you make the
      labels. In the published file they cannot be told apart.
    - Resampling: means over the pixels of a bin, which keep the signal-to-noise ratio. Published is a Fourier
      resampling, which rings and takes the grid as periodic (`LogWaveResampler` with ``method="fft"``).
    - Beyond its ends and in gaps a spectrum goes on with its nearest bins, or a line between them, instead of at zero,
      and spectra with bad pixels are not dropped.
    - The maximum is that of the bins, so that a single cosmic ray does not set the scale.
    - Validation spectra (a ninth of those trained on: with a tenth for testing, 80 : 10 : 10) are drawn class by class.
      ``plaincnnclassifier__groups`` given to fit keeps objects together.
    - The README speaks of five convolutions and twelve classes; there are four and thirteen.

    **Different.** Columns are standardised. Adam without its amsgrad variant and decay of 1e-6, which is next to
    nothing.

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
    starts = 10.0 ** np.linspace(_FIRST, _LAST, _N_BINS, endpoint=False)
    return make_pipeline(
        onto_grid(prepared, first=_FIRST, last=_LAST, n_bins=_N_BINS, wave=starts),
        FluxNormalizer("max"),
        PlainCNNClassifier(
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
