"""What we recommend for stars."""

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

from skspec.checks import check_choice
from skspec.ensemble import LogitVotingClassifier
from skspec.estimators import Conv1DClassifier, PlainCNNClassifier
from skspec.preprocessing import ContinuumNormalizer, FluxNormalizer, LogWaveResampler, MissingFluxImputer
from skspec.regressors import Conv1DRegressor

TASKS = ("class", "luminosity", "joint", "spectral_code")
OBSERVED = ("library", "survey", "elsewhere")
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
    """Classify stars by the ensemble that did best on real ones.

    Networks see flux and continuum-divided flux side by side and are trained on spectra that are noisier and bent
    otherwise each time; trees and support vector machines, which err elsewhere, vote with them.

    Parameters
    ----------
    task : {"class", "luminosity", "joint", "spectral_code"}, default="class"
        What y is: spectral class (B to M), luminosity class, both together, or the number of `skspec.mk.spectral_code`,
        for which the pipeline is a regressor.
    observed : {"library", "survey", "elsewhere"}, default="library"
        How: spectra of a library, with hardly any noise, dust or motion; those of a survey; or a library to train on, and
        spectra of another instrument to classify. Only a library has a regressor, and with "survey" and "elsewhere" the
        three tasks of classification have the same members.
    loglam_min, loglam_max : float, default=3.5495, 3.8693
        Decimal logarithm of the outer edges of the wavelength grid in vacuum Å: what MILES shows, 3544 to 7401 Å.
    n_bins : int or None, default=None
        Logarithmic bins between them; None is 1000, for a survey 800. Give it with `prepared` too,
        since a tenth of it is the window of the running median.
    prepared : bool, default=False
        Whether X is on one grid already, `Spectra` or array. Then missing pixels are filled only, and `loglam_min` and
        `loglam_max` say nothing.
    max_epochs : int or None, default=None
        Passes of the networks over the training spectra. None is 30 for a library (60 for spectral codes) and 15 for a
        survey of some thousand spectra; a survey of some hundred needs 120.
    random_state : int or None, default=None
        Determines everything random.

    Returns
    -------
    Pipeline
        Unfitted: `LogWaveResampler` (`MissingFluxImputer` if `prepared`), `FluxNormalizer` and a
        `LogitVotingClassifier` or `~sklearn.ensemble.VotingRegressor`, whose ``n_jobs`` trains members in parallel.

    Raises
    ------
    ValueError
        If `task` or `observed` is unknown, spectral codes are asked for with an `observed` other than "library", or
        `n_bins` is below 1.

    See Also
    --------
    skspec.datasets.observe_spectra : Make a library look as a survey would see it, to train for that survey.

    Notes
    -----
    **Members.** ``library``: two `Conv1DClassifier`, one of them with mixup; for spectral classes also a random
    forest on lines. ``survey``: `Conv1DClassifier`, `PlainCNNClassifier`, and a calibrated support vector machine in 50
    principal components. ``elsewhere``: the two `Conv1DClassifier` on lines alone, since lines carry over to another
    instrument and the flux calibration does not; a third on flux and lines, trained on spectra bent by up to 30 %; and a
    random forest on both. ``spectral_code``: `Conv1DRegressor` for absolute errors, extremely randomised trees on lines,
    and a support vector machine. Its 50 components need as many spectra, and in a survey the calibration by five folds
    needs 65 spectra or more, at least five of each class. Where nothing else is said, networks take the
    median-normalised flux and its ratio to the running median over a tenth of the bins as two channels; lines are that
    ratio.

    **How they were chosen.** By cross-validation within four fifths of the MILES stars, before the ensembles had been
    scored on the rest (the 120 epochs on 230 of these stars, one copy each). Those for spectra from elsewhere by
    learning the spectral classes of one library and testing on another: MILES to the MK standards of MKCLASS, with
    noise and without, to the library of Pickles and to the spectra it was made of, and the three ways back. The
    benchmarks ``python -m benchmarks.real_stars`` and ``benchmarks.transfer`` compare with what one would use instead;
    the first prints the scores of the stars that these choices have not seen on their own. Their tables are in the
    documentation.

    Spectra of one star belong together: cross-validate with ``groups``, and give fit ``logitvotingclassifier__groups``
    if members get ``validation_fraction``. The support vector machine of a survey is calibrated without groups, and
    ``logitvotingclassifier__sample_weight`` counts in its calibration only. For spectral codes there are neither
    weights nor groups.

    Examples
    --------
    >>> from skspec.recipes import recommended
    >>> model = recommended("luminosity", random_state=0)
    >>> [name for name, _ in model.steps]
    ['logwaveresampler', 'fluxnormalizer', 'logitvotingclassifier']
    >>> [name for name, _ in model[-1].estimators]
    ['conv1d', 'conv1d_mixup']
    """
    check_choice("task", task, TASKS)
    check_choice("observed", observed, OBSERVED)
    check_choice("prepared", prepared, (True, False))
    if task == "spectral_code" and observed != "library":
        raise ValueError(
            f"task='spectral_code' needs observed='library', got {observed!r}: no recipe was tested"
        )
    if n_bins is None:
        n_bins = 800 if observed == "survey" else 1000
    check_scalar(n_bins, "n_bins", Integral, min_val=1)
    grid: LogWaveResampler | MissingFluxImputer = MissingFluxImputer()
    if not prepared:
        grid = LogWaveResampler(
            loglam_min=loglam_min, loglam_max=loglam_max, n_bins=n_bins, missing="interpolate"
        )

    views = _Views(n_bins)
    if max_epochs is None:
        max_epochs = 15 if observed == "survey" else 60 if task == "spectral_code" else 30
    ensemble: LogitVotingClassifier | VotingRegressor
    if task == "spectral_code":
        ensemble = VotingRegressor(_code_members(views, max_epochs, random_state))
    elif observed == "survey":
        ensemble = LogitVotingClassifier(_survey_members(views, max_epochs, random_state))
    elif observed == "elsewhere":
        ensemble = LogitVotingClassifier(_members_for_elsewhere(views, max_epochs, random_state))
    else:
        ensemble = LogitVotingClassifier(_library_members(task, views, max_epochs, random_state))
    return make_pipeline(grid, FluxNormalizer(), ensemble)


@dataclass(frozen=True)
class _Views:
    """What members make of the normalised flux."""

    n_bins: int

    def lines(self) -> Pipeline:
        """Ratio to the running median."""
        return make_pipeline(
            ContinuumNormalizer(window=max(self.n_bins // 10, 2), max_ratio=5.0),
            MissingFluxImputer(method="constant", fill_value=1.0, min_coverage=0.0),
        )

    def both(self) -> FeatureUnion:
        """Flux and lines side by side."""
        return FeatureUnion([("flux", "passthrough"), ("lines", self.lines())])


def _library_members(task: str, views: _Views, epochs: int, seed: int | None) -> list[Member]:
    def network(mixup: float) -> Pipeline:
        classifier = Conv1DClassifier(
            n_channels=2,
            max_epochs=epochs,
            augment_noise=(0.0, 0.03),
            augment_tilt=0.1,
            mixup=mixup,
            random_state=seed,
        )
        return make_pipeline(views.both(), classifier)

    members = [("conv1d", network(0.0)), ("conv1d_mixup", network(0.3))]
    if task == "class":
        members.append(
            ("forest", make_pipeline(views.lines(), RandomForestClassifier(300, random_state=seed)))
        )
    return members


def _members_for_elsewhere(views: _Views, epochs: int, seed: int | None) -> list[Member]:
    """Return what does not lean on the flux calibration: lines, and flux that is bent in training."""

    def network(n_channels: int, tilt: float, mixup: float = 0.0) -> Conv1DClassifier:
        return Conv1DClassifier(
            n_channels=n_channels,
            max_epochs=epochs,
            augment_noise=(0.0, 0.1),
            augment_tilt=tilt,
            mixup=mixup,
            random_state=seed,
        )

    return [
        ("conv1d_lines", make_pipeline(views.lines(), network(1, 0.1))),
        ("conv1d_lines_mixup", make_pipeline(views.lines(), network(1, 0.1, mixup=0.3))),
        ("conv1d", make_pipeline(views.both(), network(2, 0.3))),
        ("forest", make_pipeline(views.both(), RandomForestClassifier(300, random_state=seed))),
    ]


def _survey_members(views: _Views, epochs: int, seed: int | None) -> list[Member]:
    conv1d = Conv1DClassifier(
        n_channels=2,
        max_epochs=epochs,
        augment_noise=(0.0, 0.2),
        augment_tilt=0.3,
        augment_shift=1,
        augment_mask=0.05,
        random_state=seed,
    )
    plain = PlainCNNClassifier(
        n_channels=2,
        filters=(8, 16, 32, 32),
        dropout=0.5,
        max_epochs=epochs,
        batch_size=64,
        augment_noise=(0.0, 0.2),
        augment_tilt=0.3,
        random_state=seed,
    )
    machine = make_pipeline(StandardScaler(), PCA(50, random_state=seed), SVC(C=10.0))
    return [
        ("conv1d", make_pipeline(views.both(), conv1d)),
        ("plain_cnn", make_pipeline(views.both(), plain)),
        ("svm", make_pipeline(views.both(), CalibratedClassifierCV(machine, cv=5, ensemble=False))),
    ]


def _code_members(views: _Views, epochs: int, seed: int | None) -> list[Member]:
    network = Conv1DRegressor(
        n_channels=2,
        loss="absolute_error",
        max_epochs=epochs,
        augment_noise=(0.0, 0.03),
        augment_tilt=0.1,
        random_state=seed,
    )
    machine = make_pipeline(StandardScaler(), PCA(50, random_state=seed), SVR(C=100.0, epsilon=0.3))
    return [
        ("conv1d", make_pipeline(views.both(), network)),
        (
            "trees",
            make_pipeline(views.lines(), ExtraTreesRegressor(200, max_features=0.3, random_state=seed)),
        ),
        ("svm", make_pipeline(views.both(), machine)),
    ]
