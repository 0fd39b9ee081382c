"""`search_space`: parameters of an estimator worth searching, and their ranges."""

from __future__ import annotations

from typing import Any


def search_space(estimator: Any) -> dict[str, Any]:
    """Return distributions from which a random search draws the parameters of an estimator.

    Parameters
    ----------
    estimator : estimator
        An estimator of skspec, or one that contains some: a pipeline, a union, a voting ensemble, or any other whose
        ``get_params(deep=True)`` returns nested estimators.

    Returns
    -------
    dict
        A list of values or a distribution of `scipy.stats` for each parameter, with the names of nested estimators as
        prefixes (``"conv1dclassifier__lr"``): the ``param_distributions`` of
        `~sklearn.model_selection.RandomizedSearchCV` and `~sklearn.model_selection.HalvingRandomSearchCV`. Add
        parameters that depend on your data, and delete those that you do not want to search.

    Raises
    ------
    ValueError
        If no part of the estimator has parameters to search.
    TypeError
        If `estimator` is not an instance of an estimator.

    Notes
    -----
    Learning rates and sizes are searched around the current values of the estimator: learning rates within a factor of
    ten (Bengio 2012, arXiv:1206.5533), sizes within a factor of two. Of parameters that depend on a choice, such as the
    window of a running median, only those of the current choice are searched.

    ``max_epochs`` is left out, since it is the budget: ``resource="conv1dclassifier__max_epochs"`` of a halving search.
    Parameters that depend on the data are left out too: augmentation, class weights, channels, wavelengths.

    A search over ``n_bins`` of `LogWaveResampler` changes the number of columns of its output. Delete it if a later step
    has its own ``wave`` parameter.

    To include your own estimator, define a method ``__skspec_search_space__(self)`` that returns such a dict of its
    parameters.

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
            f"estimator must contain estimators of skspec with parameters to search, got {type(estimator).__name__}"
        )
    return space
