"""Confidence intervals of scores, and tests between classifiers, by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.stats import norm
from sklearn.utils import check_consistent_length, column_or_1d

from skspec.checks import Interval, check_choice
from skspec.metrics._confusion import FloatArray
from skspec.metrics._scores import check_weights, prepare

_METHODS = ("bca", "percentile")


@dataclass(frozen=True)
class BootstrapResult:
    """Score with its confidence interval.

    Attributes
    ----------
    score : float
        Score of all spectra; for two classifiers, the difference between their scores.
    low, high : float
        Limits of the interval.
    resamples : ndarray of shape (n_resamples,)
        Scores of the resamples.
    pvalue : float or None
        For two classifiers, the p-value of the null hypothesis that their scores do not differ.
    """

    score: float
    low: float
    high: float
    resamples: FloatArray
    pvalue: float | None = None

    def __str__(self) -> str:
        text = f"{self.score:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return text if self.pvalue is None else f"{text}, p = {self.pvalue:.3g}"


def bootstrap_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    score: str | Callable[[Any, Any], float],
    *,
    groups: ArrayLike | None = None,
    stratify: bool = True,
    sample_weight: ArrayLike | None = None,
    method: str = "bca",
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | np.random.Generator | None = None,
    **params: Any,
) -> BootstrapResult:
    """Compute the confidence interval of a score by the bootstrap over spectra or groups of spectra.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_spectra,)
        True and predicted labels.
    score : {"accuracy", "f1_macro", "joint_mae", "joint_kappa", "axis_kappa"} or callable
        Name of a function of `skspec.metrics`, for which all resamples are scored at once, or any function of true and
        predicted labels, which is called for each resample.
    groups : array-like of shape (n_spectra,), default=None
        Group of each spectrum, for example its star. Spectra of a group are not independent and are drawn together.
    stratify : bool, default=True
        Whether to keep the number of spectra (groups) of each class in every resample; the class of a group is the most
        frequent class of its spectra.
    sample_weight : array-like of shape (n_spectra,), default=None
        Weight of each spectrum, only for scores by name.
    method : {"bca", "percentile"}, default="bca"
        Bias-corrected and accelerated interval (Efron 1987, J. Am. Stat. Assoc. 82, 171), or percentiles of the
        resamples.
    confidence_level : float, default=0.95
        Confidence level of the interval.
    n_resamples : int, default=1000
        Number of resamples.
    random_state : int, numpy.random.Generator or None, default=None
        Seed of the random number generator, or the generator.
    **params
        Parameters of the score: ``class_weight``, ``coordinates``, ``order``, ...

    Returns
    -------
    BootstrapResult

    Raises
    ------
    ValueError
        If lengths differ, or a parameter is out of range.

    Examples
    --------
    >>> from skspec.metrics import bootstrap_interval
    >>> y_true, y_pred = ["A", "F", "G", "G"] * 25, ["A", "F", "G", "F"] * 25
    >>> print(bootstrap_interval(y_true, y_pred, "accuracy", random_state=0))
    0.750 [0.670, 0.810]
    """
    options = {"groups": groups, "stratify": stratify, "sample_weight": sample_weight}
    units = _Units(y_true, [y_pred], score, **options, **params)
    return units.result(method, confidence_level, n_resamples, random_state)


def bootstrap_difference(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_pred_other: ArrayLike,
    score: str | Callable[[Any, Any], float],
    *,
    groups: ArrayLike | None = None,
    stratify: bool = True,
    sample_weight: ArrayLike | None = None,
    method: str = "bca",
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: int | np.random.Generator | None = None,
    **params: Any,
) -> BootstrapResult:
    """Compute the difference between the scores of two classifiers, with confidence interval and p-value.

    Both are scored on the same resamples of the same spectra (paired bootstrap; Efron and Tibshirani 1993, chapter 16).
    The two-sided p-value is (1 + n) / (1 + number of resamples), where n is the number of resamples whose difference
    deviates from the observed difference at least as much as that deviates from 0.

    Parameters
    ----------
    y_true : array-like of shape (n_spectra,)
        True labels.
    y_pred, y_pred_other : array-like of shape (n_spectra,)
        Predicted labels of the two classifiers.
    score, groups, stratify, sample_weight, method, confidence_level, n_resamples, random_state, **params
        See `bootstrap_interval`.

    Returns
    -------
    BootstrapResult
        ``score`` is the score of `y_pred` minus that of `y_pred_other`.

    Raises
    ------
    ValueError
        If lengths differ, or a parameter is out of range.
    """
    options = {"groups": groups, "stratify": stratify, "sample_weight": sample_weight}
    units = _Units(y_true, [y_pred, y_pred_other], score, **options, **params)
    result = units.result(method, confidence_level, n_resamples, random_state)
    beyond = np.abs(result.resamples - result.score) >= np.abs(result.score)
    pvalue = (1 + int(beyond.sum())) / (1 + n_resamples)
    return BootstrapResult(result.score, result.low, result.high, result.resamples, pvalue)


class _Units:
    """Units of the bootstrap (spectra, or groups of them), and the scores of resamples."""

    def __init__(
        self,
        y_true: Any,
        predictions: list[Any],
        score: str | Callable[[Any, Any], float],
        *,
        groups: Any,
        stratify: Any,
        sample_weight: Any,
        **params: Any,
    ) -> None:
        y_true = column_or_1d(y_true)
        predictions = [column_or_1d(y_pred) for y_pred in predictions]
        check_consistent_length(y_true, *predictions, groups)
        n = len(y_true)
        self.unit = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        self.n_units = int(self.unit.max()) + 1
        # without strata, all units are of the same class
        target = np.unique(y_true if stratify else np.zeros(n), return_inverse=True)[1]
        stratum = self._strata(target)
        self.strata = [np.flatnonzero(stratum == k) for k in np.unique(stratum)]
        if isinstance(score, str):
            weight = check_weights(sample_weight, n)
            self.scores = [self._of_matrices(score, y_true, p, weight, params) for p in predictions]
        else:
            if params or sample_weight is not None:
                raise ValueError(
                    "parameters and sample_weight need a score given by name; bind them in the callable"
                )
            self.scores = [self._of_rows(score, y_true, p) for p in predictions]

    def _strata(self, target: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the most frequent class of each unit."""
        counts = np.zeros((self.n_units, target.max() + 1), dtype=np.intp)
        np.add.at(counts, (self.unit, target), 1)
        return counts.argmax(axis=1)

    def _of_matrices(
        self, name: str, y_true: Any, y_pred: Any, weight: FloatArray | None, params: dict[str, Any]
    ) -> Callable[[FloatArray], FloatArray]:
        score, true, predicted, n_classes = prepare(name, y_true, y_pred, **params)
        cells, cell = np.unique(true * n_classes + predicted, return_inverse=True)
        values = np.ones(len(true)) if weight is None else weight
        in_unit = csr_array((values, (self.unit, cell)), shape=(self.n_units, len(cells)))

        def scores(counts: FloatArray) -> FloatArray:
            matrices = np.zeros((len(counts), n_classes**2))
            matrices[:, cells] = counts @ in_unit
            return score(matrices.reshape(-1, n_classes, n_classes))

        return scores

    def _of_rows(
        self, score: Callable[[Any, Any], float], y_true: Any, y_pred: Any
    ) -> Callable[[FloatArray], FloatArray]:
        def scores(counts: FloatArray) -> FloatArray:
            rows = (np.repeat(np.arange(len(y_true)), row[self.unit].astype(np.intp)) for row in counts)
            return np.array([score(y_true[r], y_pred[r]) for r in rows], dtype=np.float64)

        return scores

    def draw(self, n_resamples: int, generator: np.random.Generator) -> FloatArray:
        """Return how often each unit is drawn, shape (n_resamples, n_units)."""
        counts = np.empty((n_resamples, self.n_units))
        for k in range(n_resamples):
            drawn = [units[generator.integers(0, len(units), len(units))] for units in self.strata]
            counts[k] = np.bincount(np.concatenate(drawn), minlength=self.n_units)
        return counts

    def result(
        self, method: str, confidence_level: float, n_resamples: int, random_state: Any
    ) -> BootstrapResult:
        """Return the score of the first prediction, minus that of the second if any, and its interval."""
        check_choice("method", method, _METHODS)
        Interval(Real, 0, 1, "neither").check("confidence_level", confidence_level)
        Interval(Integral, 2).check("n_resamples", n_resamples)
        generator = np.random.default_rng(random_state)

        def scored(counts: FloatArray) -> FloatArray:
            return np.subtract.reduce([scores(counts) for scores in self.scores])

        observed = float(scored(np.ones((1, self.n_units)))[0])
        resamples = scored(self.draw(n_resamples, generator))
        levels = np.array([0.5 - confidence_level / 2, 0.5 + confidence_level / 2])
        if method == "bca":
            levels = _corrected(levels, observed, resamples, scored, self.n_units)
        low, high = np.quantile(resamples, levels)
        return BootstrapResult(observed, float(low), float(high), resamples)


def _corrected(
    levels: FloatArray,
    observed: float,
    resamples: FloatArray,
    scored: Callable[[FloatArray], FloatArray],
    n_units: int,
) -> FloatArray:
    """Return the quantiles of the bias-corrected and accelerated interval."""
    below = np.mean(resamples < observed)
    if not 0 < below < 1:  # all resamples on one side: the correction is undefined
        return levels
    blocks = np.array_split(np.arange(n_units), 1 + n_units // 1000)
    left_out = np.concatenate([scored(1.0 - np.eye(n_units)[rows]) for rows in blocks])
    distance = left_out.mean() - left_out
    spread = np.sum(distance**2) ** 1.5
    acceleration = np.sum(distance**3) / (6.0 * spread) if spread > 0 else 0.0
    z0, z = norm.ppf(below), norm.ppf(levels)
    return norm.cdf(z0 + (z0 + z) / (1.0 - acceleration * (z0 + z)))
