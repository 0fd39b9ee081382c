"""Stars, galaxies and quasars of LAMOST."""

from __future__ import annotations

import numpy as np
from imblearn.pipeline import make_pipeline
from sklearn.pipeline import FeatureUnion, Pipeline

from skspec.estimators import ResNet1DClassifier
from skspec.features import FluxStatistics, WienFitFeatures
from skspec.oversampling import NoiseOversampler
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._grid import onto_grid

_FIRST_PIXEL, _STEP, _N_PIXELS = 3800.0, 2.0, 2600  # Å: λ (nm) = 0.2 x + 380
_ENDS = (_FIRST_PIXEL, _FIRST_PIXEL + _STEP * (_N_PIXELS - 1))
_FIRST, _LAST = (float(np.log10(edge)) for edge in (_ENDS[0] - _STEP / 2, _ENDS[1] + _STEP / 2))
_SCALARS = 4


def star_galaxy_qso(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Tell stars, galaxies and quasars apart, by a residual network and the temperature of the continuum.

    The system of an entry to the LAMOST contest on Tianchi, as far as it is known, with its bugs mended. Small
    classes are filled up by noisy copies; flux is divided by its norm; a Wien spectrum is fitted; and its temperature
    and offset, with mean and standard deviation of the flux, join a one-dimensional ResNet18 before its last layer.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is on the grid of the contest, 2600 pixels from 3800 to 8998 Å. Then only its missing pixels are
        filled.
    max_epochs : int or None, default=None
        Passes over the training spectra. The published number is not known; None is the 15 of `ResNet1DClassifier`.
    random_state : int, RandomState instance or None, default=None
        Determines everything random.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `NoiseOversampler`, `FluxNormalizer`,
        ``FeatureUnion`` of flux, `WienFitFeatures` and `FluxStatistics`, `ResNet1DClassifier`. The sampler works in fit
        alone.

    Notes
    -----
    **Data.** X: `Spectra`; if `prepared`, also an array of shape (n_spectra, 2600). y: "star", "galaxy" and "qso", or
    any others. Published: 140,000 training and 40,000 test spectra in CSV files, the wavelength of pixel x being
    0.2 x + 380 nm; `read_spectra` reads them.

    **Published scores.** Macro-F1 0.979 and accuracy 0.995 in validation; macro-F1 0.974 in the final test. (The entry
    that the authors cite [1]_ reached 0.984, with the mean of seven networks.)

    **Mended.**

    - The fit, k a λ⁻⁵ exp(-b / (λ T)) + I₀ with a = 1.19e-16 and b = 1.44e-2, holds for wavelengths in metres, beside
      which others are in nanometres. `WienFitFeatures` has one unit, Å, needs no start values, and finds the best of
      all temperatures.
    - Resampling onto 2600 bins equally wide in log wavelength conserves flux, so that spectra of any survey will do.
    - Noisy copies are made of training spectra alone: neither do they meet their originals in a test fold, nor are they
      scored. Objects observed twice stay together in a cross-validation with ``groups=X.sky_groups()``.

    **Different, since unknown.** Of the published network only the kind is known. Here it has 3,845,455 weights: the
    3,845,443 of ResNet18 for three classes, and those of the four scalars. The noise is 0.2 times the standard
    deviation of each spectrum and the norm the root of the sum of squares, as in the entry cited; all classes are
    brought to the size of the largest (there: 3 : 1 : 1). Training is that of `ResNet1DClassifier`; a soft-F1 loss
    was also spoken of (``resnet1dclassifier__loss="soft_f1"``).

    References
    ----------
    .. [1] https://github.com/Cjh327/AstroData-2020, commit 290f3de.

    Examples
    --------
    >>> from skspec.recipes import star_galaxy_qso
    >>> model = star_galaxy_qso(max_epochs=5, random_state=0)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'noiseoversampler', 'fluxnormalizer', 'featureunion', 'resnet1dclassifier']
    """
    edges = np.linspace(_FIRST, _LAST, _N_PIXELS + 1)
    wave = _ENDS if prepared else 10.0 ** (0.5 * (edges[1:] + edges[:-1]))
    features = FeatureUnion(
        [
            ("flux", "passthrough"),
            (
                "wien",
                WienFitFeatures(wave=wave, offset=True, features=("wien_temperature", "wien_offset")),
            ),
            ("statistics", FluxStatistics(("mean", "std"))),
        ]
    )
    classifier = ResNet1DClassifier(n_scalars=_SCALARS, random_state=random_state)
    if max_epochs is not None:
        classifier.set_params(max_epochs=max_epochs)
    return make_pipeline(
        onto_grid(prepared, first=_FIRST, last=_LAST, n_bins=_N_PIXELS, wave=_ENDS),
        NoiseOversampler(amplitude=0.2, random_state=random_state),
        FluxNormalizer("l2"),
        features,
        classifier,
    )
