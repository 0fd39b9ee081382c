"""`max_per_class`: upper limit on the number of spectra of each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_scalar


def max_per_class(n: int) -> Callable[[ArrayLike], dict[Any, int]]:
    """Return a ``sampling_strategy`` for imbalanced-learn's under-samplers that caps the size of each class.

    Parameters
    ----------
    n : int
        Maximum number of spectra of a class; smaller classes stay as they are.

    Returns
    -------
    callable
        Function of the labels that returns the number of spectra to keep of each class. It can be pickled and cloned; in
        cross-validation, the limit applies to each training set.

    Raises
    ------
    ValueError
        If `n` is less than 1.
    TypeError
        If `n` is not an integer.

    Examples
    --------
    >>> from imblearn.under_sampling import RandomUnderSampler
    >>> from skspec.oversampling import max_per_class
    >>> cap = max_per_class(3)
    >>> cap(["G", "G", "G", "G", "O"])
    {'G': 3, 'O': 1}
    >>> sampler = RandomUnderSampler(sampling_strategy=cap, random_state=0)
    """
    check_scalar(n, "n", Integral, min_val=1)
    return _MaxPerClass(int(n))


@dataclass(frozen=True)
class _MaxPerClass:
    n: int

    def __call__(self, y: ArrayLike) -> dict[Any, int]:
        classes, counts = np.unique(np.asarray(y), return_counts=True)
        return dict(zip(classes.tolist(), np.minimum(counts, self.n).tolist(), strict=True))

    def __repr__(self) -> str:
        return f"max_per_class({self.n})"
