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

from skspec.checks import Interval, check_choice, check_groups, check_label_pair, check_weight
from skspec.metrics._confusion import FloatArray, confusion, size_of
from skspec.metrics._scores import prepare

_METHODS = ("bca", "percentile")
_MOST_VALUES = 2**22  # of the resamples that are scored at once: 32 MiB


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
        names = ["y_pred", "y_pred_other"]
        pairs = [check_label_pair(("y_true", k), y_true, y) for k, y in zip(names, predictions, strict=False)]
        y_true, predictions = pairs[0][0], [y_pred for _, y_pred in pairs]
        n = len(y_true)
        known = None if groups is None else check_groups(groups, n)
        self.unit = np.arange(n) if known is None else np.unique(known, return_inverse=True)[1]
        self.n_units = int(self.unit.max()) + 1
        self.n_values = self.n_units  # of one resample, the largest of its arrays
        # without strata, all units are of the same class
        target = np.unique(y_true if stratify else np.zeros(n), return_inverse=True)[1]
        stratum = self._strata(target)
        self.strata = [np.flatnonzero(stratum == k) for k in np.unique(stratum)]
        if isinstance(score, str):
            weight = None if sample_weight is None else check_weight(sample_weight, n)
            self.scores = [self._of_matrices(score, y_true, p, weight, params) for p in predictions]
        else:
            if params or sample_weight is not None:
                raise ValueError(
                    "parameters and sample_weight need a score given by name; bind them in the callable"
                )
            self.scores = [self._of_rows(score, y_true, p) for p in predictions]

    def _strata(self, target: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the most frequent class of each unit, of several the first."""
        n_classes = target.max() + 1
        pairs, counts = np.unique(self.unit * n_classes + target, return_counts=True)
        unit = pairs // n_classes
        order = np.lexsort((pairs, -counts, unit))
        return pairs[order][np.unique(unit[order], return_index=True)[1]] % n_classes

    def _of_matrices(
        self, name: str, y_true: Any, y_pred: Any, weight: FloatArray | None, params: dict[str, Any]
    ) -> Callable[[FloatArray], FloatArray]:
        score, true, predicted, n_classes = prepare(name, y_true, y_pred, **params)
        cells, cell = np.unique(true * n_classes + predicted, return_inverse=True)
        values = np.ones(len(true)) if weight is None else weight
        in_unit = csr_array((values, (self.unit, cell)), shape=(self.n_units, len(cells)))
        self.n_values = max(self.n_values, n_classes, size_of(len(cells), n_classes))
        return lambda counts: score(confusion(counts @ in_unit, cells, n_classes))

    def _of_rows(
        self, score: Callable[[Any, Any], float], y_true: Any, y_pred: Any
    ) -> Callable[[FloatArray], FloatArray]:
        def scores(counts: FloatArray) -> FloatArray:
            rows = (np.repeat(np.arange(len(y_true)), row[self.unit].astype(np.intp)) for row in counts)
            return np.array([score(y_true[r], y_pred[r]) for r in rows], dtype=np.float64)

        return scores

    def _draw(self, n_resamples: int, generator: np.random.Generator) -> FloatArray:
        """Return how often each unit is drawn, shape (n_resamples, n_units)."""
        counts = np.empty((n_resamples, self.n_units))
        for k in range(n_resamples):
            drawn = [units[generator.integers(0, len(units), len(units))] for units in self.strata]
            counts[k] = np.bincount(np.concatenate(drawn), minlength=self.n_units)
        return counts

    def _score_parts(self, n: int, counts_of: Callable[[range], FloatArray]) -> FloatArray:
        """Return `n` scores, computed in parts that fit into memory; `counts_of` gives the counts of a part."""
        step = max(1, _MOST_VALUES // self.n_values)
        parts = [range(n)[k : k + step] for k in range(0, n, step)]
        return np.concatenate([self._score(counts_of(part)) for part in parts])

    def _score(self, counts: FloatArray) -> FloatArray:
        """Return the scores of resamples, for two predictions their difference."""
        with np.errstate(invalid="ignore"):  # 0 / 0 is reported below
            found = np.subtract.reduce([scores(counts) for scores in self.scores])
        if not np.isfinite(found).all():
            raise ValueError(
                f"score is not a finite number for {np.sum(~np.isfinite(found))} of {len(found)} resamples, which may "
                "lack a class, or have no weight; an interval needs a score that is always defined"
            )
        return found

    def _leave_out(self, units: range) -> FloatArray:
        """Return the counts of samples that lack one unit each."""
        counts = np.ones((len(units), self.n_units))
        counts[np.arange(len(units)), units] = 0.0
        return counts

    def result(
        self, method: str, confidence_level: float, n_resamples: int, random_state: Any
    ) -> BootstrapResult:
        """Return the score of the first prediction, minus that of the second if any, and its interval."""
        check_choice("method", method, _METHODS)
        Interval(Real, 0, 1, "neither").check("confidence_level", confidence_level)
        Interval(Integral, 2).check("n_resamples", n_resamples)
        generator = np.random.default_rng(random_state)

        observed = float(self._score(np.ones((1, self.n_units)))[0])
        resamples = self._score_parts(n_resamples, lambda part: self._draw(len(part), generator))
        levels = np.array([0.5 - confidence_level / 2, 0.5 + confidence_level / 2])
        if method == "bca":
            levels = self._correct(levels, observed, resamples)
        low, high = np.quantile(resamples, levels)
        return BootstrapResult(observed, float(low), float(high), resamples)

    def _correct(self, levels: FloatArray, observed: float, resamples: FloatArray) -> FloatArray:
        """Return the quantiles of the bias-corrected and accelerated interval."""
        below = np.mean(resamples < observed)
        if not 0 < below < 1:  # all resamples on one side: the correction is undefined
            return levels
        left_out = self._score_parts(self.n_units, self._leave_out)
        distance = left_out.mean() - left_out
        spread = np.sum(distance**2) ** 1.5
        acceleration = np.sum(distance**3) / (6.0 * spread) if spread > 0 else 0.0
        z0, z = norm.ppf(below), norm.ppf(levels)
        return norm.cdf(z0 + (z0 + z) / (1.0 - acceleration * (z0 + z)))
