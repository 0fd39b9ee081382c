"""Scales of the logits of members, and greedy selection of members."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

_Floats = NDArray[np.float64]
_TEMPERATURES = 1e-3, 1e3
_ROUNDING = 1e-7  # relative rounding error of logits in float32
_SMOOTHING = 1e-3  # of labels; at least the floor of the probabilities from which logits are computed


def log_loss(logits: _Floats, target: NDArray[np.intp], weight: _Floats | None) -> float:
    """Return the mean negative log-probability of the true class; `target` are class indices."""
    true = log_softmax(logits, axis=1)[np.arange(len(target)), target]
    return -float(np.average(true, weights=weight))


def spread(logits: _Floats, weight: _Floats | None) -> float:
    """Return the standard deviation of logits about the mean of their row; 1 if it is 0 within rounding."""
    found = math.sqrt(np.average(np.var(logits, axis=1), weights=weight))
    return found if found > _ROUNDING * (1.0 + np.abs(logits).max()) else 1.0


def temperature(logits: _Floats, target: NDArray[np.intp], weight: _Floats | None) -> float:
    """Return the divisor of logits that minimises the log loss (Guo et al. 2017, arXiv:1706.04599), in [1e-3, 1e3].

    Labels are smoothed by 1e-3; without smoothing, a member without errors would have temperature 0. The loss is convex
    in the inverse temperature, so its minimum is where the derivative Σ (p - q) l vanishes, with logits l, probabilities
    p and labels q.
    """
    logits = logits - logits.mean(axis=1, keepdims=True)
    true = (1.0 - _SMOOTHING) * logits[np.arange(len(target)), target]  # Σ q l: the mean of a row is 0

    def slope(log_temperature: float) -> float:
        p = softmax(logits * math.exp(-log_temperature), axis=1)
        return float(np.average((p * logits).sum(axis=1) - true, weights=weight))

    low, high = map(math.log, _TEMPERATURES)
    if slope(high) >= 0:  # worse than equal probabilities
        return _TEMPERATURES[1]
    if slope(low) <= 0:
        return _TEMPERATURES[0]
    return math.exp(brentq(slope, low, high, xtol=1e-12))


def greedy_counts(
    logits: NDArray[np.float64], score: Callable[[_Floats], float], max_members: int
) -> NDArray[np.intp]:
    """Return how often each member is chosen, with replacement, if each choice maximises the score of the mean logits.

    `logits` has shape (n_members, n_rows, n_classes). The ensemble with the highest score after up to `max_members`
    choices is kept, the smallest of equally good ones. ValueError if a score is NaN.
    """
    counts = np.zeros(len(logits), dtype=np.intp)
    total = np.zeros_like(logits[0])
    best_score, best_counts = -math.inf, counts.copy()
    for size in range(1, max_members + 1):
        scores = [score((total + member) / size) for member in logits]
        if np.isnan(scores).any():
            raise ValueError(f"scoring returned NaN for an ensemble of {size} of {len(logits)} members")
        chosen = int(np.argmax(scores))
        total += logits[chosen]
        counts[chosen] += 1
        if size == 1 or scores[chosen] > best_score:
            best_score, best_counts = scores[chosen], counts.copy()
    return best_counts
