"""Spectral types of LAMOST stars, with generated O stars: william-lpa/LAMOST_DR6_CNN_Spectral_Classifier."""

from __future__ import annotations

from functools import partial

import numpy as np
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.pipeline import Pipeline

import skspec
from skspec.mk import temperature_class
from skspec.oversampling import max_per_class
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._system import PublishedGrid, PublishedScore, PublishedSystem, precision, recall

_FIRST, _N_PIXELS = float(np.log10(3700.0)), 3500
_GRID = PublishedGrid(  # LAMOST's pixels are 1e-4 dex wide
    _FIRST, _FIRST + 1e-4 * _N_PIXELS, _N_PIXELS, 10.0 ** (_FIRST + 1e-4 * (np.arange(_N_PIXELS) + 0.5))
)


def lamost_rare_o(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    max_steps: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify LAMOST stars by spectral type, with O stars from a generative network.

    The system of william-lpa/LAMOST_DR6_CNN_Spectral_Classifier [1]_, with bugs fixed. Spectra on 3500 pixels are scaled
    to the range from 0 to 1, large classes are reduced to 1400 spectra, a generative adversarial network oversamples the
    smallest class to the size of the largest, and a plain convolutional network is trained.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is on the grid, 3500 pixels of 1e-4 dex from 3700 Å. If so, spectra are not resampled, and only missing
        pixels are filled.
    max_epochs : int or None, default=None
        Number of epochs of the classifier; None means the published 140, which need a GPU.
    max_steps : int or None, default=None
        Number of training steps of the generator; None means the published 8000.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer`, ``RandomUnderSampler``,
        `GANOversampler`, `PlainCNNClassifier`. Samplers act in fit only.

    See Also
    --------
    skspec.mk.temperature_class : Convert LAMOST subclasses to classes.
    skspec.oversampling.quality_report : Compare generated with real spectra.

    Notes
    -----
    **Data.** X: `Spectra`, for example LAMOST FITS files, which `read_spectra` reads; if `prepared`, also an array of
    shape (n_spectra, 3500). y: the classes O B A F G K M, which ``temperature_class(X.meta["subclass"])`` returns. The
    smallest class needs at least 5 spectra, and about 20 for useful results. Published: 1400 spectra of each class; those
    of O are 122 real and 1278 generated ones.

    **Published scores.** Accuracy 0.84 over all classes and "0.99 of O". The latter is from a confusion matrix
    normalised by predictions (precision, not recall), in which nine of ten O stars are generated. Here generated
    spectra are never scored.

    **Bugs fixed.**

    - Axes: the network treated spectra as one pixel with 3500 channels, and never convolved over wavelength. Now it
      does, and has 126,026,157 weights instead of 781,127, nearly all of them between the last convolution and 11,500
      hidden units; with ``plaincnnclassifier__hidden=(64,)`` it has 707,269.
    - Labels: class O is exactly O (published: all subclasses that start with O, including OB).
    - Wavelengths: LAMOST's pixels are logarithmic. The 3500 that are kept end near 8283 Å, not at 8671.6 Å.
    - The trailing mean over three pixels, which shifted all lines by one pixel (69 km/s), is left out: the resampler
      averages pixels.
    - The generator's output has the scale of the data (published: -1 to 1 for data from 0 to 1), and the loss of its
      critic takes logits (published: probabilities treated as logits). It is trained on batches of 32 (published: single
      spectra), on training spectra only, and its best state is kept.
    - Short spectra of O stars are not padded with zeros but with the value of their last pixel.
    - The test set is separate from the validation set and, with ``groups=X.sky_groups()``, shares no star with the
      training set. The published split was random, without a seed, and its test set was also the validation set.

    References
    ----------
    .. [1] https://github.com/william-lpa/LAMOST_DR6_CNN_Spectral_Classifier, commit 74cd891.

    Examples
    --------
    >>> from skspec.recipes import lamost_rare_o
    >>> model = lamost_rare_o(max_epochs=10, max_steps=500, random_state=0)
    >>> model = model.set_params(plaincnnclassifier__hidden=(64,))
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'fluxnormalizer', 'randomundersampler', 'ganoversampler', 'plaincnnclassifier']
    """
    return make_pipeline(
        _GRID.first_step(prepared=prepared),
        FluxNormalizer("minmax", quantile=1.0),
        RandomUnderSampler(sampling_strategy=max_per_class(1400), random_state=random_state),
        skspec.GANOversampler(
            sampling_strategy="minority",
            network="dense",
            loss="logistic",
            latent_dim=900,
            lr=1e-4,
            max_steps=8000 if max_steps is None else max_steps,
            random_state=random_state,
        ),
        skspec.PlainCNNClassifier(
            filters=(10, 20, 40, 50),
            kernel_sizes=3,
            hidden=(11500,),
            dropout=0.0,
            optimizer="adam",
            weight_decay=0.0,
            lr=1e-3,
            schedule="constant",
            batch_size=32,
            max_epochs=140 if max_epochs is None else max_epochs,
            random_state=random_state,
        ),
    )


SYSTEM = PublishedSystem(
    lamost_rare_o,
    scores=(
        PublishedScore("accuracy", "accuracy", {}, {None: 0.8395}),
        PublishedScore("macro-F1", "f1_macro"),
        PublishedScore("precision of O", partial(precision, label="O"), {}, {None: 0.99}, label="O"),
        PublishedScore("recall of O", partial(recall, label="O"), label="O"),
    ),
    test_fraction=0.3,
    protocol="spectrum by spectrum, 30 % for testing",
    grid=_GRID,
    label_column="subclass",
    reduce_labels=temperature_class,
    min_class_size=10,  # leaves the generator enough spectra of each class in any training set
)
