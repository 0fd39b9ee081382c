"""Everything scikit-learn asks of an estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from tests._estimators import CASES, expected_failed_checks


@parametrize_with_checks(
    [case.make() for case in CASES.values()], expected_failed_checks=expected_failed_checks
)
def test_estimator(estimator, check):
    check(estimator)
