"""What the logits of members are divided by, and how often each member counts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

_Floats = NDArray[np.float64]
_TEMPERATURES = 1e-3, 1e3
_ROUNDING = 1e-7  # of logits in float32
_DOUBT = 1e-3  # no smaller than the probabilities that logits are taken from


def log_loss(logits: _Floats, target: NDArray[np.intp], weight: _Floats | None) -> float:
    """Mean of minus the logarithm of the probability of the true class.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
    target : ndarray of shape (n_rows,)
        Class indices.
    weight : ndarray of shape (n_rows,) or None
    """
    true = log_softmax(logits, axis=1)[np.arange(len(target)), target]
    return -float(np.average(true, weights=weight))


def spread(logits: _Floats, weight: _Floats | None) -> float:
    """Return the standard deviation of logits about the mean of their row, which says nothing; 1 if there is none."""
    found = math.sqrt(np.average(np.var(logits, axis=1), weights=weight))
    return found if found > _ROUNDING * (1.0 + np.abs(logits).max()) else 1.0


def temperature(logits: _Floats, target: NDArray[np.intp], weight: _Floats | None) -> float:
    """Divisor of logits for the least log loss (Guo et al. 2017, arXiv:1706.04599), between 1e-3 and 1e3.

    A part of 1e-3 of each label is given to all classes alike: a member without any error on few spectra would else
    have temperature 0. The loss is convex in the inverse temperature, so that its minimum is where the derivative
    Σ (p - q) l vanishes, with logits l, probabilities p and labels q.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
    target : ndarray of shape (n_rows,)
        Class indices.
    weight : ndarray of shape (n_rows,) or None
    """
    logits = logits - logits.mean(axis=1, keepdims=True)
    true = (1.0 - _DOUBT) * logits[np.arange(len(target)), target]  # Σ q l: the mean of a row is 0

    def slope(log_temperature: float) -> float:
        p = softmax(logits * math.exp(-log_temperature), axis=1)
        return float(np.average((p * logits).sum(axis=1) - true, weights=weight))

    low, high = map(math.log, _TEMPERATURES)
    if slope(high) >= 0:  # worse than knowing nothing
        return _TEMPERATURES[1]
    if slope(low) <= 0:
        return _TEMPERATURES[0]
    return math.exp(brentq(slope, low, high, xtol=1e-12))


def greedy_counts(
    logits: NDArray[np.float64], score: Callable[[_Floats], float], max_members: int
) -> NDArray[np.intp]:
    """How often each member is chosen, with replacement, if each choice makes the mean of logits best.

    Parameters
    ----------
    logits : ndarray of shape (n_members, n_rows, n_classes)
    score : callable
        Of logits of shape (n_rows, n_classes), the higher the better.
    max_members : int
        Number of choices. Of the ensembles after each choice, the best is kept; the smaller one if they are as good.

    Returns
    -------
    ndarray of shape (n_members,)

    Raises
    ------
    ValueError
        If no ensemble has a score.
    """
    counts = np.zeros(len(logits), dtype=np.intp)
    total = np.zeros_like(logits[0])
    best_score, best_counts = -math.inf, counts.copy()
    for size in range(1, max_members + 1):
        scores = [score((total + member) / size) for member in logits]
        if np.isnan(scores).any():
            raise ValueError(f"scoring gives NaN for an ensemble of {size} of {len(logits)} members")
        chosen = int(np.argmax(scores))
        total += logits[chosen]
        counts[chosen] += 1
        if size == 1 or scores[chosen] > best_score:
            best_score, best_counts = scores[chosen], counts.copy()
    return best_counts
