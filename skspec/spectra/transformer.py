"""Base class of the transformers that process each spectrum by itself."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from skspec.checks import check_parameters, unchanged_on_error
from skspec.spectra.inputs import check_flux


class StatelessTransformer(TransformerMixin, BaseEstimator):
    """Transformer of `Spectra` and arrays whose `fit` only checks parameters and data.

    Subclasses extend `_check`, which `transform` calls too.
    """

    @unchanged_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check parameters and data.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            NaN marks missing pixels of an array.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer itself.
        """
        self._check(X, reset=True)
        return self

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        """Check parameters and X, and return what `blocks` takes: X, and the wavelengths of its columns if needed."""
        check_parameters(self)
        return check_flux(self, X, reset=reset), None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        if isinstance(self, OneToOneFeatureMixin):
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
