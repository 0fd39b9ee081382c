"""Parameters that are worth searching, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform


def search_space(estimator: Any) -> dict[str, Any]:
    """Distributions from which a random search draws the parameters of an estimator.

    Parameters
    ----------
    estimator : estimator
        An estimator of skspec, or what has some inside: a pipeline, a union, a vote, and whatever else names them in
        ``get_params(deep=True)``.

    Returns
    -------
    dict
        A list of values or a distribution of `scipy.stats` by name of parameter, with the names of nested estimators
        before it (``"conv1dclassifier__lr"``): the ``param_distributions`` of
        `~sklearn.model_selection.RandomizedSearchCV` and `~sklearn.model_selection.HalvingRandomSearchCV`. It is a plain
        dict: add what your data ask for, and delete what is settled.

    Raises
    ------
    ValueError
        If no part of the estimator has parameters to search.
    TypeError
        If it is no estimator.

    Notes
    -----
    Learning rates and sizes lie around the values that the estimator has, the former within a factor of ten (Bengio
    2012, arXiv:1206.5533), the latter within one of two. Of parameters that depend on a choice, such as the window of a
    running median, those of the present choice are searched.

    ``max_epochs`` is left out: it is the budget, ``resource="conv1dclassifier__max_epochs"`` of a halving search.
    So is what only the data can tell: augmentation, class weights, channels, wavelengths.

    A search over ``n_bins`` of `LogWaveResampler` changes the width of what comes out. Delete it where a later step is
    given wavelengths of its own.

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
        prefix + name: values for prefix, part in parts.items() for name, values in _space_of(part).items()
    }
    if not space:
        raise ValueError(
            f"estimator must have a part of skspec with parameters to search, got {type(estimator).__name__}"
        )
    return space


def _space_of(part: Any) -> dict[str, Any]:
    """Search space of one estimator, from its classes in order of inheritance; empty if it is none of ours."""
    space: dict[str, Any] = {}
    for kind in reversed(type(part).__mro__):
        if kind.__module__.startswith("skspec.") and kind.__name__ in _SPACES:
            space |= _SPACES[kind.__name__](part)
    return space


def _around(value: float) -> Any:
    """Up to ten times less or more."""
    return loguniform(value / 10, value * 10)


def _sizes(value: Any) -> list[Any]:
    """Half, as given and double."""
    return [value // 2, value, 2 * value] if value > 1 else [value, 2 * value]


def _first(value: Any, *others: Any) -> list[Any]:
    """Choices, beginning with the present one."""
    return [value, *(other for other in others if other != value)]


def _filters(estimator: Any) -> list[tuple[int, ...]]:
    """As many layers, all narrower or wider: strides and kernels may be given layer by layer."""
    filters = tuple(estimator.filters)
    return _first(filters, tuple(max(1, n // 2) for n in filters), tuple(2 * n for n in filters))


def _continuum_normalizer(estimator: Any) -> dict[str, Any]:
    match estimator.method:
        case "median":
            own = {"window": _sizes(estimator.window)}
        case "quantile":
            own = {"window": _sizes(estimator.window), "quantile": uniform(0.7, 0.28)}
        case "polynomial" | "legendre":
            own = {"degree": randint(2, 9)}
        case "spline":
            own = {"n_knots": randint(4, 21)}
        case _:
            own = {"smoothness": loguniform(estimator.smoothness / 100, estimator.smoothness * 100)}
    return {"mode": ["divide", "subtract"], **own}


def _flux_normalizer(estimator: Any) -> dict[str, Any]:
    others = ("mean", "snv") if estimator.ivar_weighted else ("median", "l2", "minmax", "snv")
    return {"method": _first(estimator.method, *others)}


def _missing_flux_imputer(estimator: Any) -> dict[str, Any]:
    return {"n_components": _sizes(estimator.n_components)} if estimator.method == "template" else {}


def _wien_fit_features(estimator: Any) -> dict[str, Any]:
    return {"offset": [False, True]} if estimator.method == "least_squares" else {}


def _noise_oversampler(estimator: Any) -> dict[str, Any]:
    return {"amplitude": _around(estimator.amplitude)} if estimator.amplitude > 0 else {}


def _plain_cnn(estimator: Any) -> dict[str, Any]:
    own = {"filters": _filters(estimator), "dropout": uniform(0.0, 0.6)}
    if estimator.padding == "same":  # otherwise larger kernels leave fewer pixels, perhaps none
        sizes = estimator.kernel_sizes
        own["kernel_sizes"] = _first(tuple(sizes) if np.ndim(sizes) else sizes, 3, 5, 9)
    return own


def _resnet(estimator: Any) -> dict[str, Any]:
    return {"width": _sizes(estimator.width)} if estimator.pretrained is None else {}


# By name of the class: to name the classes themselves would import torch.
_SPACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "ContinuumNormalizer": _continuum_normalizer,
    "FluxNormalizer": _flux_normalizer,
    "LogWaveResampler": lambda e: {"n_bins": _sizes(e.n_bins)},
    "MissingFluxImputer": _missing_flux_imputer,
    "WienFitFeatures": _wien_fit_features,
    "GANOversampler": lambda e: {"latent_dim": [e.latent_dim, 2 * e.latent_dim], "lr": _around(e.lr)},
    "NoiseOversampler": _noise_oversampler,
    "NeuralEstimator": lambda e: {
        "lr": _around(e.lr),
        "weight_decay": loguniform(1e-4, 1e-1),
        "batch_size": _sizes(e.batch_size),
    },
    "Conv1DParameters": lambda e: {
        "filters": _filters(e),
        "kernel_sizes": _first(tuple(e.kernel_sizes), tuple(2 * size + 1 for size in e.kernel_sizes)),
        "dropout": uniform(0.0, 0.6),
    },
    "ConvKANClassifier": lambda e: {
        "filters": _filters(e),
        "kernel_size": _first(e.kernel_size, 3, 5, 9),
        "dropout": uniform(0.0, 0.6),
    },
    "ConvTranClassifier": lambda e: {
        "embed_dim": [e.embed_dim, 2 * e.embed_dim],  # a multiple of n_heads
        "feedforward_dim": _sizes(e.feedforward_dim),
        "kernel_size": _sizes(e.kernel_size),
        "relative_encoding": ["eRPE", None],
        "dropout": uniform(0.0, 0.3),
    },
    "PlainCNNClassifier": _plain_cnn,
    "ResNetParameters": _resnet,
}
