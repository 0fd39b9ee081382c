"""Recommended ensembles for stars."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, VotingRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils import check_scalar

import skspec
from skspec.checks import check_choice
from skspec.ensemble import LogitVotingClassifier
from skspec.preprocessing import ContinuumNormalizer, FluxNormalizer, LogWaveResampler, MissingFluxImputer

_TASKS = ("class", "luminosity", "joint", "spectral_code")
_OBSERVED = ("library", "survey", "elsewhere")
Member = tuple[str, Any]


def recommended(
    task: str = "class",
    *,
    observed: str = "library",
    loglam_min: float = 3.5495,
    loglam_max: float = 3.8693,
    n_bins: int | None = None,
    prepared: bool = False,
    max_epochs: int | None = None,
    random_state: int | None = None,
) -> Pipeline:
    """Classify stars with the ensemble that scored best on real stars.

    Networks take flux and continuum-divided flux as two channels, and are trained with random noise and flux-calibration
    tilts (augmentation). They are combined with trees and support vector machines, whose errors differ from theirs.

    Parameters
    ----------
    task : {"class", "luminosity", "joint", "spectral_code"}, default="class"
        Meaning of y: spectral class (B to M), luminosity class, both together, or the number of
        `skspec.mk.spectral_code`, for which the pipeline is a regressor.
    observed : {"library", "survey", "elsewhere"}, default="library"
        Kind of spectra: a library, with almost no noise, dust or motion; a survey; or a library for training and
        spectra of another instrument to classify ("elsewhere"). Only "library" has a regressor. For "survey" and
        "elsewhere" the ensemble is the same for all three classification tasks.
    loglam_min, loglam_max : float, default=3.5495, 3.8693
        Decimal logarithm of the outer edges of the wavelength grid in vacuum Å. The default is the range of MILES, 3544
        to 7401 Å. Choose a range that your spectra cover: missing bins are interpolated, with a warning from
        a tenth of them on.
    n_bins : int or None, default=None
        Number of logarithmic bins; None means 1000, or 800 for a survey. Set it with `prepared` too, since the window of
        the running median is a tenth of it.
    prepared : bool, default=False
        Whether X, `Spectra` or array, is already on one grid. If so, spectra are not resampled, only missing pixels are
        filled, and `loglam_min` and `loglam_max` are ignored.
    max_epochs : int or None, default=None
        Number of epochs of the networks. None means 30 for a library (60 for spectral codes), and 15 for a survey, which
        suits a few thousand spectra; a few hundred need 120.
    random_state : int or None, default=None
        Seed of the random number generators.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer` and a
        `LogitVotingClassifier` or `~sklearn.ensemble.VotingRegressor`, which trains members in parallel with ``n_jobs``.

    Raises
    ------
    ValueError
        If `task` or `observed` is unknown, `task` is "spectral_code" and `observed` is not "library", or `n_bins` is
        below 1.

    See Also
    --------
    skspec.datasets.observe_spectra : Simulate survey observations of a library, to train for that survey.

    Notes
    -----
    **Members.** Lines are the ratio of the median-normalised flux to its running median over a tenth of the bins.
    Unless stated otherwise, networks take flux and lines as two channels.

    - ``library``: two `Conv1DClassifier`, one of them with mixup; for spectral classes also a random forest on lines.
    - ``survey``: `Conv1DClassifier`, `PlainCNNClassifier`, and a calibrated support vector machine on 50 principal
      components. Its calibration in five folds needs 65 spectra or more, at least five of each class.
    - ``elsewhere``: the two `Conv1DClassifier` on lines only, since the flux calibration of another instrument differs
      but its lines do not; a third on flux and lines, trained with tilts of up to 30 %; and a random forest on flux
      and lines.
    - ``spectral_code``: `Conv1DRegressor` with the absolute error as loss, extremely randomised trees on lines, and a
      support vector machine on 50 principal components, which needs at least 50 spectra.

    **How they were chosen.** By cross-validation within four fifths of the MILES stars, before the ensembles were scored
    on the rest (the 120 epochs on 230 of these stars, one copy each). The members of ``elsewhere`` were chosen by
    training on the spectral classes of one library and testing on another: from MILES to the MK standards of MKCLASS
    (with and without noise), to the library of Pickles and to the spectra it was made from, and from each of these three
    to MILES. The benchmarks ``python -m benchmarks.real_stars`` and ``benchmarks.transfer`` compare the ensembles with
    other classifiers; the first also prints scores on the stars that were not used for the choice. Their tables are in
    the documentation.

    Keep the spectra of a star together: cross-validate with ``groups``, and give fit ``logitvotingclassifier__groups``
    if members have a ``validation_fraction``. The support vector machine of a survey is calibrated without groups, and
    uses ``logitvotingclassifier__sample_weight`` for its calibration only. The ensemble for spectral codes accepts
    neither weights nor groups.

    Examples
    --------
    >>> from skspec.recipes import recommended
    >>> model = recommended("luminosity", random_state=0)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'fluxnormalizer', 'logitvotingclassifier']
    >>> [name for name, _ in model[-1].estimators]
    ['conv1d', 'conv1d_mixup']
    """
    check_choice("task", task, _TASKS)
    check_choice("observed", observed, _OBSERVED)
    check_choice("prepared", prepared, (True, False))
    if task == "spectral_code" and observed != "library":
        raise ValueError(f"task='spectral_code' needs observed='library', got {observed!r}")
    if n_bins is None:
        n_bins = 800 if observed == "survey" else 1000
    check_scalar(n_bins, "n_bins", Integral, min_val=1)
    grid: LogWaveResampler | MissingFluxImputer = MissingFluxImputer()
    if not prepared:
        grid = LogWaveResampler(
            loglam_min=loglam_min, loglam_max=loglam_max, n_bins=n_bins, missing="interpolate"
        )

    inputs = _MemberInputs(n_bins)
    if max_epochs is None:
        max_epochs = 15 if observed == "survey" else 60 if task == "spectral_code" else 30
    ensemble: LogitVotingClassifier | VotingRegressor
    if task == "spectral_code":
        ensemble = VotingRegressor(_code_members(inputs, max_epochs, random_state))
    elif observed == "survey":
        ensemble = LogitVotingClassifier(_survey_members(inputs, max_epochs, random_state))
    elif observed == "elsewhere":
        ensemble = LogitVotingClassifier(_elsewhere_members(inputs, max_epochs, random_state))
    else:
        ensemble = LogitVotingClassifier(_library_members(task, inputs, max_epochs, random_state))
    return make_pipeline(grid, FluxNormalizer(), ensemble)


@dataclass(frozen=True)
class _MemberInputs:
    """Transformers of normalised flux to the input of a member."""

    n_bins: int

    def lines(self) -> Pipeline:
        """Return the transformer to lines: the ratio to the running median."""
        return make_pipeline(
            ContinuumNormalizer(window=max(self.n_bins // 10, 2), max_ratio=5.0),
            MissingFluxImputer(method="constant", fill_value=1.0, min_coverage=0.0),
        )

    def both(self) -> FeatureUnion:
        """Return the union of flux and lines."""
        return FeatureUnion([("flux", "passthrough"), ("lines", self.lines())])


def _library_members(task: str, inputs: _MemberInputs, epochs: int, seed: int | None) -> list[Member]:
    def network(mixup: float) -> Pipeline:
        classifier = skspec.Conv1DClassifier(
            n_channels=2,
            max_epochs=epochs,
            augment=[skspec.Tilt(0.1), skspec.Noise((0.0, 0.03))],
            mixup=mixup,
            random_state=seed,
        )
        return make_pipeline(inputs.both(), classifier)

    members = [("conv1d", network(0.0)), ("conv1d_mixup", network(0.3))]
    if task == "class":
        forest = RandomForestClassifier(300, random_state=seed)
        members.append(("forest", make_pipeline(inputs.lines(), forest)))
    return members


def _elsewhere_members(inputs: _MemberInputs, epochs: int, seed: int | None) -> list[Member]:
    """Return members that are insensitive to the flux calibration: on lines only, or trained with strong tilts."""

    def network(n_channels: int, tilt: float, mixup: float = 0.0) -> Any:
        return skspec.Conv1DClassifier(
            n_channels=n_channels,
            max_epochs=epochs,
            augment=[skspec.Tilt(tilt), skspec.Noise((0.0, 0.1))],
            mixup=mixup,
            random_state=seed,
        )

    return [
        ("conv1d_lines", make_pipeline(inputs.lines(), network(1, 0.1))),
        ("conv1d_lines_mixup", make_pipeline(inputs.lines(), network(1, 0.1, mixup=0.3))),
        ("conv1d", make_pipeline(inputs.both(), network(2, 0.3))),
        ("forest", make_pipeline(inputs.both(), RandomForestClassifier(300, random_state=seed))),
    ]


def _survey_members(inputs: _MemberInputs, epochs: int, seed: int | None) -> list[Member]:
    conv1d = skspec.Conv1DClassifier(
        n_channels=2,
        max_epochs=epochs,
        augment=[skspec.Shift(1), skspec.Tilt(0.3), skspec.Noise((0.0, 0.2)), skspec.Mask(0.05)],
        random_state=seed,
    )
    plain = skspec.PlainCNNClassifier(
        n_channels=2,
        filters=(8, 16, 32, 32),
        dropout=0.5,
        max_epochs=epochs,
        batch_size=64,
        augment=[skspec.Tilt(0.3), skspec.Noise((0.0, 0.2))],
        random_state=seed,
    )
    machine = make_pipeline(StandardScaler(), PCA(50, random_state=seed), SVC(C=10.0))
    return [
        ("conv1d", make_pipeline(inputs.both(), conv1d)),
        ("plain_cnn", make_pipeline(inputs.both(), plain)),
        ("svm", make_pipeline(inputs.both(), CalibratedClassifierCV(machine, cv=5, ensemble=False))),
    ]


def _code_members(inputs: _MemberInputs, epochs: int, seed: int | None) -> list[Member]:
    network = skspec.Conv1DRegressor(
        n_channels=2,
        loss="absolute_error",
        max_epochs=epochs,
        augment=[skspec.Tilt(0.1), skspec.Noise((0.0, 0.03))],
        random_state=seed,
    )
    trees = ExtraTreesRegressor(200, max_features=0.3, random_state=seed)
    machine = make_pipeline(StandardScaler(), PCA(50, random_state=seed), SVR(C=100.0, epsilon=0.3))
    return [
        ("conv1d", make_pipeline(inputs.both(), network)),
        ("trees", make_pipeline(inputs.lines(), trees)),
        ("svm", make_pipeline(inputs.both(), machine)),
    ]
