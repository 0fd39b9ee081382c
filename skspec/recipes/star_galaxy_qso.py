"""Stars, galaxies and quasars of LAMOST: the system of an entry to the Tianchi contest."""

from __future__ import annotations

from typing import Any

import numpy as np
from imblearn.pipeline import make_pipeline
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion, Pipeline

import skspec
from skspec.features import FluxStatistics, WienFitFeatures
from skspec.oversampling import NoiseOversampler
from skspec.preprocessing import FluxNormalizer
from skspec.recipes._system import PublishedGrid, PublishedScore, PublishedSystem

_FIRST, _LAST, _STEP, _N_PIXELS = 3800.0, 8998.0, 2.0, 2600  # Å: λ (nm) = 0.2 x + 380
_GRID = PublishedGrid(
    float(np.log10(_FIRST - _STEP / 2)), float(np.log10(_LAST + _STEP / 2)), _N_PIXELS, (_FIRST, _LAST)
)


def star_galaxy_qso(
    *,
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Pipeline:
    """Classify stars, galaxies and quasars by a residual network and the temperature of the continuum.

    The system of an entry to the LAMOST contest on Tianchi, as far as it is known, with bugs fixed. Small classes are
    oversampled with noisy copies, flux is divided by its norm, and a Wien spectrum is fitted. Its temperature and
    offset, and the mean and standard deviation of the flux, are inputs to the last layer of a one-dimensional ResNet18.

    Parameters
    ----------
    prepared : bool, default=False
        Whether X is on the grid of the contest, 2600 pixels from 3800 to 8998 Å. If so, spectra are not resampled, and
        only missing pixels are filled.
    max_epochs : int or None, default=None
        Number of epochs. The published number is unknown; None means the default of `ResNet1DClassifier`, 15.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generator.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `NoiseOversampler`, `FluxNormalizer`,
        ``FeatureUnion`` of flux, `WienFitFeatures` and `FluxStatistics`, `ResNet1DClassifier`. The sampler acts in fit
        only.

    Notes
    -----
    **Data.** X: `Spectra`; if `prepared`, also an array of shape (n_spectra, 2600). y: "star", "galaxy" and "qso", or
    any others. Published: 140,000 training and 40,000 test spectra in CSV files, in which the wavelength of pixel x is
    0.2 x + 380 nm; `read_spectra` reads them.

    **Published scores.** Macro-F1 0.979 and accuracy 0.995 in validation; macro-F1 0.974 in the final test. (The entry
    that the authors cite [1]_ reached 0.984, with the mean of seven networks.)

    **Bugs fixed.**

    - The fitted function, k a λ⁻⁵ exp(-b / (λ T)) + I₀ with a = 1.19e-16 and b = 1.44e-2, takes wavelengths in metres,
      whereas the code around it has nanometres. `WienFitFeatures` uses Å throughout, needs no start values, and finds
      the best of all temperatures.
    - Resampling onto 2600 bins equally wide in log wavelength conserves flux, so that spectra of any survey can be
      used.
    - Only training spectra are copied, so that neither copies nor their originals are in a test fold.
      Cross-validate with ``groups=X.sky_groups()`` to keep repeated observations of an object together.

    **Differences.** Only the kind of the published network is known. Here it has 3,845,455 weights: the 3,845,443 of
    ResNet18 for three classes, and those of the four scalars. As in the entry cited, the noise is 0.2 times the standard
    deviation of each spectrum, and the norm is the root of the sum of squares. All classes are oversampled to the size of
    the largest (there: 3 : 1 : 1). The network is trained as by default; the authors also mention a soft-F1 loss
    (``resnet1dclassifier__loss="soft_f1"``).

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
    edges = np.linspace(_GRID.loglam_min, _GRID.loglam_max, _N_PIXELS + 1)
    wave = (_FIRST, _LAST) if prepared else 10.0 ** (0.5 * (edges[1:] + edges[:-1]))
    wien = WienFitFeatures(wave=wave, offset=True, features=("wien_temperature", "wien_offset"))
    features = FeatureUnion(
        [("flux", "passthrough"), ("wien", wien), ("statistics", FluxStatistics(("mean", "std")))]
    )
    classifier = skspec.ResNet1DClassifier(n_scalars=4, random_state=random_state)
    if max_epochs is not None:
        classifier.set_params(max_epochs=max_epochs)
    return make_pipeline(
        _GRID.first_step(prepared=prepared),
        NoiseOversampler(amplitude=0.2, random_state=random_state),
        FluxNormalizer("l2"),
        features,
        classifier,
    )


def _contest_classes(labels: NDArray[Any]) -> NDArray[np.str_]:
    """Return star, galaxy and qso in lower case; ``""`` for other classes."""
    labels = np.char.lower(labels)
    return np.where(np.isin(labels, ("star", "galaxy", "qso")), labels, "")


SYSTEM = PublishedSystem(
    star_galaxy_qso,
    scores=(
        PublishedScore("macro-F1", "f1_macro", {}, {None: 0.9741}),
        PublishedScore("accuracy", "accuracy", {}, {None: 0.9945}),
    ),
    test_fraction=2 / 9,
    protocol="spectrum by spectrum, 2 of 9 for testing, as in the contest",
    grid=_GRID,
    reduce_labels=_contest_classes,
)
