"""Classes that a model file may name, by their names in the file."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import sklearn.ensemble
import sklearn.pipeline
from sklearn.base import BaseEstimator

import skspec
from skspec.checks import check_parameters

_Classes = dict[str, type[BaseEstimator]]
_Class = TypeVar("_Class", bound=type[BaseEstimator])

_RESERVED = ("skspec", "sklearn", "imblearn")
_SKLEARN: _Classes = {
    "sklearn.FeatureUnion": sklearn.pipeline.FeatureUnion,
    "sklearn.Pipeline": sklearn.pipeline.Pipeline,
    "sklearn.VotingClassifier": sklearn.ensemble.VotingClassifier,
    "sklearn.VotingRegressor": sklearn.ensemble.VotingRegressor,
}
_registered: _Classes = {}


def register_estimator(cls: _Class) -> _Class:
    """Allow `save` and `load` to handle an estimator class of your own.

    Parameters
    ----------
    cls : type
        Subclass of `~sklearn.base.BaseEstimator`. Model files identify it by its qualified name, for example
        ``"mypackage.MyClassifier"``.

    Returns
    -------
    type
        The class, so that the function can be used as a decorator.

    Raises
    ------
    TypeError
        If `cls` is not a subclass of BaseEstimator.
    ValueError
        If it belongs to skspec, scikit-learn or imbalanced-learn, or another class is registered under its name.

    See Also
    --------
    save : Save a fitted model.

    Notes
    -----
    `load` only looks names up among the registered classes and never imports anything: first import the package that
    registers the class.

    A model file holds the parameters and the fitted attributes, whose names end in an underscore. They can be numbers,
    strings, arrays, lists, tuples, dicts and estimators. A class can define more:

    - ``__skspec_fit_only__``, a tuple of names: parameters that only guide another fit, such as directories. They are not
      saved, and a file that has them is refused. Functions and random number generators are never saved.
    - ``__skspec_get_state__(self)`` and ``__skspec_set_state__(self, state, arrays)``: the fitted state as a dict of
      plain values and a dict of arrays, in place of the fitted attributes. ``__skspec_set_state__`` must raise an error
      for invalid values, which may come from a damaged or malicious file.
    - ``__skspec_check_fitted__(self)`` must raise an error for fitted attributes that do not belong together.
    - ``__skspec_get_params__(self)``: the parameters to save, if not those of ``get_params(deep=False)``.

    Subclasses of the neural estimators inherit all of these.

    Examples
    --------
    .. code-block:: python

        @register_estimator
        class MeanSubtractor(TransformerMixin, BaseEstimator):
            def fit(self, X, y=None):
                self.mean_ = np.mean(X, axis=0)
                return self

            def transform(self, X):
                return X - self.mean_
    """
    if not (isinstance(cls, type) and issubclass(cls, BaseEstimator)):
        raise TypeError(f"cls must be a subclass of sklearn.base.BaseEstimator, got {cls!r}")
    name = _qualified_name(cls)
    if _package(cls) in _RESERVED:
        raise ValueError(f"{name} cannot be registered: names of {_package(cls)} are reserved")
    redefined = cls.__module__ == "__main__"  # a notebook cell that is run again
    if not redefined and _registered.get(name, cls) is not cls:
        raise ValueError(f"{name} cannot be registered: another class has this name")
    _registered[name] = cls
    return cls


def name_of(estimator: BaseEstimator) -> str | None:
    """Return the name under which the class of an estimator is saved; None if it is unknown."""
    cls = type(estimator)
    package = _package(cls)
    if package == "skspec":
        public = cls.__name__ in skspec.__all__ and getattr(skspec, cls.__name__) is cls
        return f"skspec.{cls.__name__}" if public else None
    return next((name for name, other in _known(package).items() if cls is other), None)


def find(name: Any) -> type[BaseEstimator]:
    """Return the class of a name, which is only looked up, never imported."""
    package, _, public = name.partition(".") if isinstance(name, str) else ("", "", "")
    found: Any = None
    if package == "skspec":
        found = getattr(skspec, public) if public in skspec.__all__ else None
    elif public:
        found = _known(package).get(name)
    if isinstance(found, type) and issubclass(found, BaseEstimator):
        return found
    hint = (
        "" if package in _RESERVED else "; import the package that registers it (skspec.register_estimator)"
    )
    raise ValueError(f"it has a step of the unknown class {name!r}{hint}")


def fit_only(cls: type[BaseEstimator]) -> set[str]:
    """Return the parameters that only guide another fit, which are not saved, and refused in a file."""
    own = {"memory"} if issubclass(cls, sklearn.pipeline.Pipeline) else set()
    return own.union(*(vars(kind).get("__skspec_fit_only__", ()) for kind in cls.__mro__))


def is_of_sklearn(estimator: BaseEstimator) -> bool:
    """Return whether an estimator is one of scikit-learn."""
    return _package(type(estimator)) == "sklearn"


def is_registered(estimator: BaseEstimator) -> bool:
    """Return whether the class of an estimator was registered by the user."""
    return type(estimator) in _registered.values()


def is_ours(value: Any) -> bool:
    """Return whether a value is an estimator of skspec or of a registered class."""
    return isinstance(value, BaseEstimator) and (_package(type(value)) == "skspec" or is_registered(value))


def check_params(estimator: Any, name: str) -> None:
    """Raise ValueError for a parameter of an estimator of skspec that its class does not allow."""
    if not is_ours(estimator) or is_registered(estimator) or hasattr(estimator, "fit_resample"):
        return  # the parameters of a sampler only guide another fit
    try:
        check_parameters(estimator)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has an invalid parameter: {error}") from error


def check_fitted(estimator: Any, name: str) -> None:
    """Raise ValueError if the class of an estimator finds that its fitted attributes do not belong together."""
    if hasattr(estimator, "__skspec_check_fitted__"):
        try:
            estimator.__skspec_check_fitted__()
        except Exception as error:  # registered classes raise errors of any type
            raise ValueError(f"fitted attributes of {name} do not belong together ({error})") from error


def advice_on_unknown(estimator: BaseEstimator) -> str:
    """Return the advice for an estimator whose class is unknown."""
    if _package(type(estimator)) in _RESERVED:
        return "it is not on the list of classes that are safe to load"
    return "register its class with skspec.register_estimator"


def _qualified_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _known(package: str) -> _Classes:
    """Return the classes of scikit-learn or imbalanced-learn, or else those that users registered."""
    return _SKLEARN if package == "sklearn" else _imblearn() if package == "imblearn" else _registered


@cache
def _imblearn() -> _Classes:
    """Return pipeline and samplers of imbalanced-learn, which is imported late because that takes long."""
    import imblearn.pipeline  # noqa: PLC0415
    from imblearn import combine, over_sampling, under_sampling  # noqa: PLC0415

    classes: _Classes = {"imblearn.Pipeline": imblearn.pipeline.Pipeline}
    for module in (combine, over_sampling, under_sampling):
        classes |= {f"{module.__name__}.{name}": getattr(module, name) for name in module.__all__}
    return classes
