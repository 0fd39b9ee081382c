"""Spectral types of LAMOST stars, with made-up spectra of O stars."""

from __future__ import annotations

import numpy as np
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.pipeline import Pipeline

from skspec.estimators import PlainCNNClassifier
from skspec.oversampling import GANOversampler, max_per_class
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._grid import onto_grid

_FIRST, _N_PIXELS = float(np.log10(3700.0)), 3500
_LAST = _FIRST + 1e-4 * _N_PIXELS  # LAMOST's pixels are 1e-4 dex wide
_PER_CLASS = 1400


def lamost_rare_o(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    max_steps: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify LAMOST stars by spectral type, with O stars that a generator has made.

    The system of william-lpa/LAMOST_DR6_CNN_Spectral_Classifier [1]_, with its bugs mended. Spectra on 3500 pixels
    are scaled from 0 to 1, large classes are cut to 1400, a generator makes spectra of the smallest class until it is
    as large as the largest, and a plain convolutional network learns the classes.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is already on the grid: 3500 pixels of 1e-4 dex from 3700 Å on. Then only its missing pixels are
        filled.
    max_epochs : int or None, default=None
        Passes of the classifier over the training spectra; None is the published 140, which is for a GPU.
    max_steps : int or None, default=None
        Steps of the generator; None is the published 8000.
    random_state : int, RandomState instance or None, default=None
        Determines everything random.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer`, ``RandomUnderSampler``,
        `GANOversampler`, `PlainCNNClassifier`. Samplers work in fit alone.

    See Also
    --------
    skspec.mk.temperature_class : The classes of LAMOST's subclasses.
    skspec.oversampling.quality_report : How good generated spectra are.

    Notes
    -----
    **Data.** X: `Spectra`, for example LAMOST's own FITS files as `read_spectra` reads them; if `prepared`, also an
    array of shape (n_spectra, 3500). y: the classes O B A F G K M, which ``temperature_class(X.meta["subclass"])``
    gives. At least 5 spectra of the smallest class are needed, about 20 to be of use. Published: 1400 of each class,
    of O 122 real and 1278 made-up ones.

    **Published scores.** Accuracy 0.84 of all classes and "0.99 of O". That is a matrix normalised by what was
    predicted (precision, not recall), and nine of ten of its O stars are made up. Made-up spectra are never scored
    here.

    **Mended.**

    - Axes: the network was told that spectra are one pixel long, with 3500 channels, so that it never convolved over
      wavelength. It does now, and has 126,026,157 weights instead of 781,127, nearly all of them between the last
      convolution and 11,500 hidden units; with ``plaincnnclassifier__hidden=(64,)`` it has 707,269.
    - Labels: O is O; published, all subclasses that start with O, OB among them.
    - Wavelengths: LAMOST's pixels are logarithmic. The 3500 that are kept end near 8283 Å, not at 8671.6.
    - The mean over three pixels, which moved all lines by one pixel (69 km/s) as it looked back only, is left out:
      the resampler averages pixels.
    - The generator makes numbers on the scale of the data (published: -1 to 1 for data from 0 to 1), and the loss of
      its critic takes logits (published: probabilities as logits). It learns from batches of 32 (published: real
      spectra one by one), from training spectra alone, and its best state is kept.
    - O stars of short spectra are not padded with zeros: beyond its ends a spectrum has the value of its last pixel.
    - Spectra that a network is scored by are neither those it is validated by nor, with ``groups=X.sky_groups()``, of
      the same stars as those it was trained on. The published split was random, without a seed, and test and
      validation spectra were the same.

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
    centres = 10.0 ** (_FIRST + 1e-4 * (np.arange(_N_PIXELS) + 0.5))
    return make_pipeline(
        onto_grid(prepared, first=_FIRST, last=_LAST, n_bins=_N_PIXELS, wave=centres),
        FluxNormalizer("minmax", quantile=1.0),
        RandomUnderSampler(sampling_strategy=max_per_class(_PER_CLASS), random_state=random_state),
        GANOversampler(
            sampling_strategy="minority",
            network="dense",
            loss="logistic",
            latent_dim=900,
            lr=1e-4,
            max_steps=8000 if max_steps is None else max_steps,
            random_state=random_state,
        ),
        PlainCNNClassifier(
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
