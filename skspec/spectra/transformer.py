"""Base classes of the transformers that process each spectrum by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from skspec.checks import check_parameters, unchanged_on_error
from skspec.spectra._spectra import Spectra
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
        return tags


class _KeptSpectra:
    """Mixin whose ``set_output`` makes frames of arrays, and leaves `Spectra` as they are.

    scikit-learn wraps ``transform`` and ``fit_transform`` when a class that defines them is made, and puts any result
    into a frame. For `Spectra` the methods are called as they were defined.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = {name: vars(cls)[name] for name in ("fit_transform", "transform") if name in vars(cls)}
        super().__init_subclass__(**kwargs)
        for name, method in own.items():
            setattr(cls, name, _keep_spectra(method, getattr(cls, name)))


def _keep_spectra(method: Callable[..., Any], framed: Callable[..., Any]) -> Callable[..., Any]:
    """Combine a method for `Spectra` and the same method with frames for everything else."""

    @wraps(method)
    def either(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        return (method if isinstance(X, Spectra) else framed)(self, X, *args, **kwargs)

    return either


class OneToOneTransformer(_KeptSpectra, OneToOneFeatureMixin, StatelessTransformer):
    """Stateless transformer that returns `Spectra` for `Spectra`, and for an array one column for each of its columns.

    With scikit-learn's ``set_output`` and ``transform_output``, arrays become frames and `Spectra` stay what they are.
    """

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Check parameters and data, and transform them; see `fit` and `transform`."""
        return self.fit(X, y).transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: those of the columns of X in `fit`, or `input_features`.

        Raises NotFittedError if `fit` was not given an array: `Spectra` have no columns.
        """
        if not hasattr(self, "n_features_in_"):
            # scikit-learn recognises this wording, and numbers the columns of a FeatureUnion.
            raise NotFittedError(
                f"this {type(self).__name__} was not fitted on an array, and does not provide get_feature_names_out"
            )
        return super().get_feature_names_out(input_features)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
