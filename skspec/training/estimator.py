"""`NeuralEstimator`, the base class of all neural estimators: parameters of training, fit and prediction."""

from __future__ import annotations

import inspect
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from skspec.checks import (
    BOOLEAN,
    COUNT,
    NON_NEGATIVE,
    POSITIVE,
    Choice,
    Constraints,
    Instance,
    Interval,
    check_parameters,
    unchanged_on_error,
)
from skspec.spectra.inputs import row_name
from skspec.training.augmentation import Augmentation, check_augmentations, named_augmentations
from skspec.training.data import check_rows, check_training_data
from skspec.training.declaration import Declared
from skspec.training.devices import resolve_device
from skspec.training.net import Net
from skspec.training.network import InputShape, RowNetwork
from skspec.training.optimizers import OPTIMIZERS
from skspec.training.precision import PRECISIONS, resolve_precision
from skspec.training.prediction import View, apply_network
from skspec.training.run import train
from skspec.training.schedules import SCHEDULES
from skspec.training.search import around, sizes_around
from skspec.training.state import get_state, set_state


class NeuralEstimator(Declared, metaclass=ABCMeta):
    """Base class of the neural estimators: training and application of a network.

    Other Parameters
    ----------------
    — Optimisation —
    lr : float
        Learning rate; the maximum of the `schedule`.
    max_epochs : int
        Number of epochs.
    batch_size : int
        Number of spectra in a batch. A last batch of one spectrum is joined to the batch before it.
    optimizer : {"adamw", "adam", "sgd"}
        Optimiser (fused); "sgd" has Nesterov momentum 0.9.
    weight_decay : float
        Weight decay; decoupled from the gradient in "adamw" (Loshchilov and Hutter 2017, arXiv:1711.05101).
    schedule : {"one-cycle", "cosine", "constant", "plateau"}
        Learning rate during training: "one-cycle" rises in the first 30 % of the steps and falls to 0 (Smith and Topin
        2017, arXiv:1708.07120); "cosine" falls along half a cosine; "plateau" is constant, but multiplied by 0.3
        whenever five epochs in a row have not improved the validation score (without validation: the training loss).
    max_grad_norm : float or None
        Maximum norm of the gradient; larger gradients are scaled down to it (Pascanu et al. 2013, arXiv:1211.5063).
    ema_decay : float or None
        Decay of an exponential moving average of the weights over the steps, for example 0.99; the average is then
        validated and kept.

    — Augmentation —
    augment : list of augmentations or None
        Random changes of the training spectra, drawn anew in each epoch and applied in this order: `Noise`, `Shift`,
        `VelocityShift`, `Tilt` and `Mask` for spectra, `Noise`, `Flips` and `Rotations` for images. Their parameters
        can be searched by the name of the class, for example ``augment__noise__sigma``.
    mixup : float
        If not 0, pairs of training spectra and their targets are mixed λ : 1 - λ, with λ from Beta(`mixup`, `mixup`)
        (Zhang et al. 2018, arXiv:1710.09412).

    — Validation —
    validation_fraction : float or None
        Fraction of the spectra that is held out and scored after each epoch; the weights of the best epoch are kept.
        The split is stratified by class, and keeps groups together if ``groups`` are passed to fit.
    scoring : str, callable or None
        Score of the validation set: a scorer or its name, of scikit-learn or of `skspec.metrics.get_scorer`; None is
        the negative loss. If some targets of a regressor are unknown, each is scored for the spectra for which it is
        known, and the mean over targets is taken. An epoch whose score is NaN is never the best.
    n_iter_no_change : int or None
        Early stopping: number of epochs without a better validation score after which training ends; None always trains
        for `max_epochs`.

    — Running —
    warm_start : bool
        Whether fit starts from the weights and column statistics of the last fit; classes and columns must then be
        the same.
    checkpoint_dir : path or None
        Directory for checkpoints, written after epochs. If a fit is interrupted, the next one with the same parameters
        and data resumes it, and ends with the weights of an uninterrupted run (bit for bit on the CPU of one machine).
        Any number of fits can share the directory; a completed fit leaves no files there.
    device : str or torch.device
        Device for training and prediction: "auto" is a CUDA GPU if there is one, else the CPU.
    precision : {"auto", "float32", "bfloat16"}
        Precision of matrix products. "auto" is bfloat16 for networks of more than a million weights if the device
        supports it in hardware, and float32 otherwise.
    compile : bool
        Whether to compile the network for training (`torch.compile`), for long runs: this takes up to a minute and
        requires a C++ compiler or a GPU. The random numbers of dropout are then different.
    callbacks : list of skorch callbacks or None
        Callbacks for training. They are cloned; the clones are in ``net_.callbacks_`` afterwards.
    verbose : int
        0 is silent, 1 shows a progress bar with losses, score and remaining time, 2 prints a line per epoch.
    random_state : int, RandomState instance or None
        Seed of initial weights, validation set, order of the spectra, augmentation and dropout. With an int, fits on
        one machine with the same number of threads give the same weights, bit for bit; with None, every fit differs.
        The global generators of numpy and torch are not changed.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X had names.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the network, whose input is rows of X.
    history_ : astropy.table.Table
        One row for each epoch: epoch, train_loss, valid_loss, valid_score, lr, dur (seconds), and the records of
        callbacks.
    best_epoch_ : int
        Number of the epoch whose weights were kept, counted from 1; only with `validation_fraction`.

    Notes
    -----
    The input of the network is standardised: each column is centred on its mean and divided by its standard deviation
    in the training set (images: by those of its channel). A missing pixel (NaN, or ``ivar`` 0 in `Spectra`) is replaced
    by the training mean of its column, and a column that is missing in all training spectra is ignored. Infinite values
    and spectra without any valid pixel raise an error.
    """

    lr: float = 3e-3
    max_epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adamw"
    weight_decay: float = 1e-2
    schedule: str = "one-cycle"
    max_grad_norm: float | None = None
    ema_decay: float | None = None
    augment: Sequence[Augmentation] | None = None
    mixup: float = 0.0
    validation_fraction: float | None = None
    scoring: str | Callable[..., float] | None = None
    n_iter_no_change: int | None = 10
    warm_start: bool = False
    checkpoint_dir: str | PathLike[str] | None = None
    device: str | torch.device = "auto"
    precision: str = "auto"
    compile: bool = False
    callbacks: Sequence[Any] | None = None
    verbose: int = 0
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints: ClassVar[Constraints] = {
        "lr": [POSITIVE],
        "max_epochs": [COUNT],
        "batch_size": [COUNT],
        "optimizer": [Choice(tuple(OPTIMIZERS))],
        "weight_decay": [NON_NEGATIVE],
        "schedule": [Choice(tuple(SCHEDULES))],
        "max_grad_norm": [POSITIVE, None],
        "ema_decay": [Interval(Real, 0, 1, "neither"), None],
        "mixup": [NON_NEGATIVE],
        "validation_fraction": [Interval(Real, 0, 1, "neither"), None],
        "n_iter_no_change": [COUNT, None],
        "warm_start": [BOOLEAN],
        "precision": [Choice(PRECISIONS)],
        "compile": [BOOLEAN],
        "callbacks": [Instance((list, tuple), "a list of skorch callbacks"), None],
        "verbose": [Interval(Integral, 0, None)],
    }
    __skspec_fit_only__: ClassVar[tuple[str, ...]] = ("callbacks", "checkpoint_dir")

    # Defined by subclasses ----------------------------------------------------------------------------

    # Has a method ``features``, the activations before the last layer, besides ``forward``.
    _network_class: ClassVar[type[nn.Module]]

    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
        """Return a new network for input of some shape, with the parameters that it shares with the estimator."""
        n_channels, *size = shape
        sizes = {"n_channels": n_channels, "n_pixels": size[0]} if len(size) == 1 else {"image_shape": shape}
        shared = inspect.signature(self._network_class).parameters.keys() & self._get_param_names()
        own = {name: getattr(self, name) for name in shared - {"n_channels", "image_shape"}}
        return self._network_class(n_outputs=n_outputs, **sizes, **own)

    def _load_pretrained(self, network: Any) -> None:
        """Load pretrained weights, if any, into a new network."""

    @property
    @abstractmethod
    def _input_kind(self) -> str:
        """Content of the rows of X: "spectra" or "images"."""

    @abstractmethod
    def _input_shape(self, n_features: int) -> InputShape:
        """Return the layout of a row of X."""

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for an invalid parameter."""
        check_parameters(self)
        check_augmentations(self, self._input_kind, getattr(self, "ivar_channel", None))

    _net_class: ClassVar[type[Net]]

    @abstractmethod
    def _net_options(self, generator: np.random.Generator) -> dict[str, Any]:
        """Return the arguments of the net that depend on the kind of target, such as the loss function."""

    @abstractmethod
    def _encode_target(
        self, y: NDArray[Any], weight: NDArray[np.float64] | None, *, warm_start: bool
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None, Any]:
        """Return targets for the loss, weights with mean one, and additional data that identify this fit.

        This sets the fitted attributes that define the meaning of the outputs.
        """

    @property
    @abstractmethod
    def _n_outputs(self) -> int:
        """Number of outputs of the network."""

    @abstractmethod
    def _get_output_state(self) -> dict[str, Any]:
        """Return the meaning of the outputs as a dict for JSON."""

    @abstractmethod
    def _set_output_state(self, state: Mapping[str, Any]) -> None:
        """Restore the meaning of the outputs."""

    # Public methods -----------------------------------------------------------------------------------

    @unchanged_on_error
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train the network, from scratch or, with ``warm_start``, from the weights of the last fit.

        If the fit fails or is interrupted, the estimator is left as it was before.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,) or (n_spectra, n_targets)
            Labels for a classifier: strings, integers or anything else that scikit-learn accepts for classes. Values
            for a regressor: NaN or masked where unknown, but at least one known value for each spectrum.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss; only ratios matter. Spectra of weight 0 are ignored.
        groups : array-like of shape (n_spectra,), default=None
            Group of each spectrum, for example its star. No group is in both the training and the validation set.

        Returns
        -------
        NeuralEstimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, grids of `Spectra` differ, X has infinite values or a row without a valid
            pixel, lengths disagree, y has only one class or a spectrum without a known value, no validation set can be
            held out, or classes, targets or columns are not those of the last fit with ``warm_start``.
        TypeError
            If a parameter has the wrong type, or X or y is an astropy Quantity.
        FloatingPointError
            If training diverges: the loss or a weight becomes NaN or infinite.
        """
        self._check_params()
        device = resolve_device(self.device)
        start = getattr(self, "net_", None) if self.warm_start else None
        warm = start is not None
        rows, y, sample_weight, groups = check_training_data(
            self, X, y, sample_weight, groups, reset=not warm
        )
        target, weight, identity = self._encode_target(y, sample_weight, warm_start=warm)
        train(self, rows, target, weight, groups=groups, device=device, start=start, identity=identity)
        return self

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Return the activations before the last layer, of which the output is a linear function.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_embedding)
        """
        return self._apply(X, RowNetwork.features)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of augmentations, with names such as ``augment__noise__sigma``.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        for name, step in named_augmentations(self.augment).items() if deep else ():
            params |= {f"augment__{name}__{key}": value for key, value in step.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the estimator and its augmentations (with names such as ``augment__noise__sigma``).

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        NeuralEstimator
            The estimator itself.
        """
        nested = {key: params.pop(key) for key in list(params) if key.startswith("augment__")}
        super().set_params(**params)
        steps = named_augmentations(self.augment)
        for key, value in nested.items():
            name, _, parameter = key.removeprefix("augment__").partition("__")
            if name not in steps:
                raise ValueError(
                    f"{key!r} cannot be set: augment has {', '.join(steps) or 'no augmentation'}"
                )
            steps[name].set_params(**{parameter: value})
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __skspec_search_space__(self) -> dict[str, Any]:
        return {
            "lr": around(self.lr),
            "weight_decay": loguniform(1e-4, 1e-1),
            "batch_size": sizes_around(self.batch_size),
        }

    # Training and prediction --------------------------------------------------------------------------

    def _apply(
        self, X: Any, function: Callable[[Any, Tensor], Tensor], views: Sequence[View] = ()
    ) -> NDArray[np.float32]:
        """Return the outputs of a method of `RowNetwork` for X, averaged over views."""
        check_is_fitted(self)
        rows = check_rows(self, X)
        device = self._prediction_device()
        module = self.net_.to(device).module_
        dtype = self._dtype(device, module)
        outputs = apply_network(module, rows, function, views=views, device=device, dtype=dtype)
        _check_outputs(outputs, X)
        return outputs

    def _prediction_device(self) -> torch.device:
        try:
            return resolve_device(self.device)
        except ValueError as error:
            warnings.warn(f"{error}; predicting on the CPU", stacklevel=4)
            return torch.device("cpu")

    def _dtype(self, device: torch.device, module: nn.Module) -> torch.dtype:
        return resolve_precision(self.precision, device, sum(p.numel() for p in module.parameters()))

    # Persistence without pickle -----------------------------------------------------------------------

    def __skspec_get_state__(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the fitted state as a dict for JSON and arrays by name; see `training.state`."""
        check_is_fitted(self)
        return get_state(self)

    def __skspec_set_state__(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore a fitted state in an estimator with the same parameters."""
        set_state(self, state, arrays)
        return self


def _check_outputs(outputs: NDArray[np.float32], X: Any) -> None:
    bad = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(bad):
        more = f" and {len(bad) - 1} others" if len(bad) > 1 else ""
        raise FloatingPointError(
            f"the network returns NaN or infinity for {row_name(int(bad[0]), X)}{more}; their values are too far from "
            "those of the training spectra: normalise the flux (FluxNormalizer), or remove them"
        )
