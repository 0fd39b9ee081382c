"""`search_space`: the parameters of an estimator that are worth searching, and their ranges."""

from __future__ import annotations

from typing import Any


def search_space(estimator: Any) -> dict[str, Any]:
    """Return distributions from which a random search draws the parameters of an estimator.

    Parameters
    ----------
    estimator : estimator
        An estimator of skspec, or one that contains some: a pipeline, a union, a voting ensemble, or any other that
        returns nested estimators from ``get_params(deep=True)``.

    Returns
    -------
    dict
        A list of values or a distribution of `scipy.stats` for each parameter, with the names of nested estimators
        as prefix (``"conv1dclassifier__lr"``): the ``param_distributions`` of
        `~sklearn.model_selection.RandomizedSearchCV` and `~sklearn.model_selection.HalvingRandomSearchCV`. It is a plain
        dict: add parameters that depend on your data, and delete those that are settled.

    Raises
    ------
    ValueError
        If no part of the estimator has parameters to search.
    TypeError
        If `estimator` is not an instance of an estimator.

    Notes
    -----
    Learning rates and sizes are searched around the present values of the estimator, learning rates within
    a factor of ten (Bengio 2012, arXiv:1206.5533), sizes within a factor of two. If some parameters depend on a choice,
    such as the window of a running median, only those of the present choice are searched.

    ``max_epochs`` is left out: it is the budget, ``resource="conv1dclassifier__max_epochs"`` of a halving search.
    Parameters that depend on the data are left out too: augmentation, class weights, channels, wavelengths.

    A search over ``n_bins`` of `LogWaveResampler` changes the number of columns of its output. Delete it if a later step
    has a ``wave`` parameter of its own.

    An estimator of your own takes part if its class has a method ``__skspec_search_space__(self)`` that returns such a
    dict for its own parameters.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skspec import FluxNormalizer, LogWaveResampler, search_space
    >>> search_space(make_pipeline(LogWaveResampler(n_bins=400), FluxNormalizer()))
    {'logwaveresampler__n_bins': [200, 400, 800], 'fluxnormalizer__method': ['median', 'l2', 'minmax', 'snv']}
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(f"estimator must be an instance of an estimator, got {estimator!r}")
    parts = {"": estimator} | {f"{name}__": part for name, part in estimator.get_params(deep=True).items()}
    space = {
        prefix + name: values
        for prefix, part in parts.items()
        if hasattr(type(part), "__skspec_search_space__")
        for name, values in part.__skspec_search_space__().items()
    }
    if not space:
        raise ValueError(
            f"estimator must have a part of skspec with parameters to search, got {type(estimator).__name__}"
        )
    return space
