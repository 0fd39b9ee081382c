"""The one table of test instances: small, quick, and with the checks that they cannot pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skspec import (
    ContinuumNormalizer,
    Conv1DClassifier,
    Conv1DRegressor,
    ConvKANClassifier,
    ConvTranClassifier,
    FluxNormalizer,
    FluxStatistics,
    GANOversampler,
    LineIndices,
    LogitVotingClassifier,
    LogWaveResampler,
    MissingFluxImputer,
    NoiseOversampler,
    PlainCNNClassifier,
    ResNet1DClassifier,
    ResNet1DRegressor,
    ResNet2DClassifier,
    ResolutionMatcher,
    WienFitFeatures,
)

_MINIBATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a spectrum of weight two is one row in one batch, one repeated is two rows in different batches: "
        "stochastic descent cannot make both the same"
    )
}
_VOTERS = [("linear", LogisticRegression()), ("bayes", GaussianNB())]
_SMALL_RESNET = {"width": 8, "stem": "small", "lr": 1e-2, "max_epochs": 6}


class Case(NamedTuple):
    """An estimator under test, and the scikit-learn checks that it must fail, each with its reason."""

    make: Callable[[], BaseEstimator]
    expected_failed_checks: Mapping[str, str] = {}


CASES = {
    "ContinuumNormalizer": Case(ContinuumNormalizer),
    "ContinuumNormalizer, quantile": Case(
        lambda: ContinuumNormalizer("quantile", window=300.0, window_unit="angstrom", wave=(4000.0, 5000.0))
    ),
    "ContinuumNormalizer, polynomial": Case(
        lambda: ContinuumNormalizer("polynomial", degree=0, mode="subtract")
    ),
    "ContinuumNormalizer, spline": Case(lambda: ContinuumNormalizer("spline", n_knots=2)),
    "ContinuumNormalizer, als": Case(lambda: ContinuumNormalizer("als", edge="shrink")),
    "Conv1DClassifier": Case(
        lambda: Conv1DClassifier(filters=(16,), kernel_sizes=(3,), strides=1, lr=1e-2, max_epochs=20),
        _MINIBATCHES,
    ),
    "ConvKANClassifier": Case(
        lambda: ConvKANClassifier(
            filters=(16, 16), kernel_size=5, n_bases=6, dropout=0.0, lr=3e-2, max_epochs=10
        ),
        _MINIBATCHES,
    ),
    "Conv1DRegressor": Case(
        lambda: Conv1DRegressor(filters=(16,), kernel_sizes=(3,), strides=1, lr=1e-2, max_epochs=30),
        _MINIBATCHES,
    ),
    "Conv1DRegressor, gaussian": Case(
        lambda: Conv1DRegressor(
            loss="gaussian", filters=(16,), kernel_sizes=(3,), strides=1, lr=1e-2, max_epochs=30
        ),
        _MINIBATCHES,
    ),
    "ConvTranClassifier": Case(
        lambda: ConvTranClassifier(embed_dim=8, feedforward_dim=16, kernel_size=4, lr=2e-2, max_epochs=15),
        _MINIBATCHES,
    ),
    "FluxNormalizer": Case(FluxNormalizer),
    "FluxNormalizer, minmax": Case(lambda: FluxNormalizer("minmax")),
    "FluxNormalizer, snv": Case(lambda: FluxNormalizer("snv")),
    "FluxStatistics": Case(FluxStatistics),
    "FluxStatistics, slopes": Case(
        lambda: FluxStatistics(["slopes", "std"], slope_bands=[(4000.0, 6000.0)], wave=(4000.0, 8000.0))
    ),
    "GANOversampler": Case(lambda: GANOversampler(latent_dim=4, max_steps=2, batch_size=8, random_state=0)),
    "GANOversampler, dense": Case(
        lambda: GANOversampler(
            network="dense", loss="logistic", conditional=False, max_steps=1, random_state=0
        )
    ),
    "LineIndices": Case(lambda: LineIndices(wave=(3800.0, 7000.0))),
    "LogitVotingClassifier": Case(lambda: LogitVotingClassifier(_VOTERS)),
    "LogitVotingClassifier, selection": Case(
        lambda: LogitVotingClassifier(_VOTERS, scaling="temperature", selection="greedy", cv=2)
    ),
    "LogWaveResampler": Case(lambda: LogWaveResampler(wave=(3500.0, 10500.0), n_bins=20)),
    "LogWaveResampler, interpolate": Case(
        lambda: LogWaveResampler(wave=(3700.0, 9900.0), n_bins=20, missing="interpolate")
    ),
    "LogWaveResampler, linear": Case(lambda: LogWaveResampler("linear", wave=(3500.0, 10500.0), n_bins=20)),
    "LogWaveResampler, cubic": Case(lambda: LogWaveResampler("cubic", wave=(3500.0, 10500.0), n_bins=20)),
    "LogWaveResampler, fft": Case(lambda: LogWaveResampler("fft", wave=(3500.0, 10500.0), n_bins=20)),
    "LogWaveResampler, ivar_weighted": Case(
        lambda: LogWaveResampler("ivar_weighted", wave=(3700.0, 9000.0), n_bins=20)
    ),
    "MissingFluxImputer": Case(lambda: MissingFluxImputer(min_coverage=0.1)),
    "MissingFluxImputer, nearest": Case(
        lambda: MissingFluxImputer("nearest", low_coverage="nan", wave=(4000.0, 5000.0))
    ),
    "MissingFluxImputer, template": Case(
        lambda: MissingFluxImputer("template", n_components=1, min_coverage=0.1)
    ),
    "MissingFluxImputer, constant": Case(
        lambda: MissingFluxImputer("constant", min_coverage=0.0, add_indicator=True)
    ),
    "WienFitFeatures": Case(lambda: WienFitFeatures(wave=(3800.0, 9000.0))),
    "WienFitFeatures, offset": Case(lambda: WienFitFeatures(wave=(3800.0, 9000.0), offset=True)),
    "WienFitFeatures, log": Case(lambda: WienFitFeatures(wave=(3800.0, 9000.0), method="log")),
    "ResolutionMatcher": Case(lambda: ResolutionMatcher(20.0, 40.0, wave=(4000.0, 4100.0))),
    "ResolutionMatcher, velocities": Case(
        lambda: ResolutionMatcher(
            0.0, 1000.0, target_unit="km/s", wave=(4000.0, 5000.0), coarser="keep", min_coverage=0.1
        )
    ),
    "NoiseOversampler": Case(lambda: NoiseOversampler(random_state=0)),
    "PlainCNNClassifier": Case(
        lambda: PlainCNNClassifier(
            filters=(8,), kernel_sizes=3, hidden=(), dropout=0.0, lr=2e-2, max_epochs=20
        ),
        _MINIBATCHES,
    ),
    "PlainCNNClassifier, images": Case(
        lambda: PlainCNNClassifier(
            image_shape=(1, 1, -1), filters=(8,), hidden=(16,), dropout=0.0, lr=1e-2, max_epochs=20
        ),
        _MINIBATCHES,
    ),
    "ResNet1DClassifier": Case(lambda: ResNet1DClassifier(**_SMALL_RESNET), _MINIBATCHES),
    "ResNet1DRegressor": Case(lambda: ResNet1DRegressor(**_SMALL_RESNET), _MINIBATCHES),
    "ResNet2DClassifier": Case(
        lambda: ResNet2DClassifier(image_shape=(1, 1, -1), **_SMALL_RESNET), _MINIBATCHES
    ),
}


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Reasons by check, of an estimator from the table."""
    return dict(CASES[type(estimator).__name__].expected_failed_checks)


def names(kind: type) -> list[str]:
    """Names of the estimators of a kind, for ``pytest.mark.parametrize``."""
    return [name for name, case in CASES.items() if isinstance(case.make(), kind)]
