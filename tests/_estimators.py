"""The one table of test instances: small, quick, and with the checks that they cannot pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sklearn.base import BaseEstimator

from skspec import Conv1DClassifier, FluxNormalizer, LogWaveResampler

_MINIBATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a spectrum of weight two is one row in one batch, one repeated is two rows in different batches: "
        "stochastic descent cannot make both the same"
    )
}


class Case(NamedTuple):
    """An estimator under test, and the scikit-learn checks that it must fail, each with its reason."""

    make: Callable[[], BaseEstimator]
    expected_failed_checks: Mapping[str, str] = {}


CASES = {
    "Conv1DClassifier": Case(
        lambda: Conv1DClassifier(filters=(16,), kernel_sizes=(3,), strides=1, lr=1e-2, max_epochs=20),
        _MINIBATCHES,
    ),
    "FluxNormalizer": Case(FluxNormalizer),
    "FluxNormalizer, minmax": Case(lambda: FluxNormalizer("minmax")),
    "FluxNormalizer, snv": Case(lambda: FluxNormalizer("snv")),
    "LogWaveResampler": Case(lambda: LogWaveResampler(wave=(3500.0, 10500.0), n_bins=20)),
    "LogWaveResampler, interpolate": Case(
        lambda: LogWaveResampler(wave=(3700.0, 9000.0), n_bins=20, missing="interpolate")
    ),
}


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Reasons by check, of an estimator from the table."""
    return dict(CASES[type(estimator).__name__].expected_failed_checks)


def names(kind: type) -> list[str]:
    """Names of the estimators of a kind, for ``pytest.mark.parametrize``."""
    return [name for name, case in CASES.items() if isinstance(case.make(), kind)]
