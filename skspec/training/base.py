"""The estimator that every neural classifier is: scikit-learn outside, skorch inside.

A family of networks is a subclass: a keyword-only dataclass with the network's parameters and
`NeuralClassifier._build_network`. What is learned is in ``net_`` and a few arrays. To write it to a file and
read it back without pickle there is the pair `NeuralClassifier._get_fitted_state` and
`NeuralClassifier._set_fitted_state`.
"""

from __future__ import annotations

import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, PrintLog
from torch import Tensor, nn

from skspec._validation import check_choice
from skspec.training.batching import Batches, Rows
from skspec.training.callbacks import ProgressBar
from skspec.training.data import check_rows, check_training_data, check_weight
from skspec.training.devices import resolve_device, seeded
from skspec.training.losses import CrossEntropy
from skspec.training.net import Net
from skspec.training.network import RowNetwork, column_statistics
from skspec.training.optimizers import OPTIMIZERS
from skspec.training.schedules import SCHEDULES, LearningRate
from skspec.training.state import get_state, history_table, set_state

_PREDICT_VALUES = {"cpu": 2**17, "cuda": 2**20}  # of X in a batch: what caches and memory take best


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralClassifier(ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the neural classifiers: how a network is trained and asked.

    Parameters
    ----------
    lr : float, default=3e-3
        Learning rate; the highest of the `schedule`.
    max_epochs : int, default=30
        Passes over the training spectra.
    batch_size : int, default=32
        Spectra of one step. A last batch of one spectrum joins the batch before it.
    optimizer : {"adamw", "adam", "sgd"}, default="adamw"
        Optimiser, fused; "sgd" has Nesterov momentum 0.9.
    weight_decay : float, default=1e-2
        Weight decay; decoupled from the gradient in "adamw" (Loshchilov and Hutter 2017, arXiv:1711.05101).
    schedule : {"one-cycle", "cosine", "constant"}, default="one-cycle"
        Learning rate over the run: up in the first 30 % and down to 0 (Smith and Topin 2017,
        arXiv:1708.07120); down along half a cosine; or constant.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss, as in scikit-learn; "balanced" makes all classes count the same.
    n_channels : int, default=1
        Channels that lie side by side in a row of X (flux | ivar): n_features = n_channels * n_pixels.
    device : str or torch.device, default="auto"
        Where to train and predict: "auto" takes a CUDA GPU if there is one, and else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Called while training (clones of them, found afterwards in ``net_.callbacks_``). There are no
        validation scores to monitor, but "train_loss".
    verbose : int, default=0
        0 is silent, 1 shows a progress bar with loss and time left, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the order of the spectra and dropout. With an int, fits on one machine
        with one number of threads give the same weights, bit for bit; None differs every time. The global
        generators of numpy and torch are left alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.
    wave_ : ndarray of shape (n_pixels,)
        Vacuum wavelengths in Å, when X was `Spectra`; predictions then need the same grid, to 1e-6 relative.
    net_ : skorch.NeuralNetClassifier
        The trained net; ``net_.module_`` is the network, which takes rows of X.
    history_ : astropy.table.Table
        A row for each epoch: epoch, train_loss, lr, dur (seconds), and what callbacks recorded.

    Notes
    -----
    The network sees standardised columns: each is centred on its mean and divided by its standard deviation
    in the training spectra. A missing pixel (NaN, or ``ivar`` 0 in `Spectra`) is thereby given as the training
    mean of its column, and a column missing in all training spectra is ignored. Infinite values are an error,
    and so is a spectrum without any valid pixel.

    Spectra differ in brightness: normalise them first, for example by `FluxNormalizer`.
    """

    lr: float = 3e-3
    max_epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adamw"
    weight_decay: float = 1e-2
    schedule: str = "one-cycle"
    class_weight: Mapping[Any, float] | str | None = None
    n_channels: int = 1
    device: str | torch.device = "auto"
    callbacks: Sequence[Any] | None = None
    verbose: int = 0
    random_state: int | np.random.RandomState | None = None

    # What a family of networks says -------------------------------------------------------------------

    @abstractmethod
    def _build_network(self, n_pixels: int, n_outputs: int) -> nn.Module:
        """Return a new network for spectra of `n_pixels` with ``n_channels``, and `n_outputs` logits.

        Beside ``forward`` it has ``features``: the activations before the last layer.
        """

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that makes no sense."""
        check_scalar(self.lr, "lr", Real, min_val=0, include_boundaries="neither")
        check_scalar(self.max_epochs, "max_epochs", Integral, min_val=1)
        check_scalar(self.batch_size, "batch_size", Integral, min_val=1)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_scalar(self.weight_decay, "weight_decay", Real, min_val=0)
        check_choice("schedule", self.schedule, SCHEDULES)
        if not isinstance(self.class_weight, Mapping):
            check_choice("class_weight", self.class_weight, (None, "balanced"))
        check_scalar(self.n_channels, "n_channels", Integral, min_val=1)
        check_scalar(self.verbose, "verbose", Integral, min_val=0)
        if self.callbacks is not None and not isinstance(self.callbacks, list | tuple):
            raise TypeError(f"callbacks must be a list of skorch callbacks, got {self.callbacks!r}")

    # What a user calls --------------------------------------------------------------------------------

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network from scratch.

        Parameters
        ----------
        X : Spectra on one grid, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.
        y : array-like of shape (n_spectra,)
            Labels: strings, integers or whatever scikit-learn takes for classes.
        sample_weight : array-like of shape (n_spectra,), default=None
            Weight of each spectrum in the loss; only their ratios matter. Spectra of weight 0 are left out.

        Returns
        -------
        NeuralClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a parameter is out of range, y has one class only, grids of `Spectra` differ, X has infinite
            values or a row without a valid pixel, or lengths disagree.
        TypeError
            If a parameter has the wrong type, or X is an astropy Quantity.
        """
        self._check_params()
        device = resolve_device(self.device)
        self.__dict__.pop("net_", None)  # a fit that fails leaves no model of other data behind
        rows, labels = check_training_data(self, X, y, self.n_channels)
        weight = None if sample_weight is None else check_weight(sample_weight, len(rows))
        if weight is not None and not weight.all():
            rows, labels, weight = rows[weight > 0], labels[weight > 0], weight[weight > 0]
        self.classes_, target = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has one class only, {self.classes_.tolist()[0]!r}; at least two classes are needed"
            )
        if self.class_weight is not None:
            class_weight = compute_sample_weight(self.class_weight, labels)
            weight = class_weight if weight is None else weight * class_weight
        if weight is not None:
            weight = (weight / weight.mean()).astype(np.float32)
        seed = _draw_seed(self.random_state)
        data = Rows(rows, target, weight)
        with seeded(seed, device):
            self.net_ = self._make_net(*column_statistics(rows), device=device, seed=seed).train(data)
        self.history_ = history_table(self.net_.history)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Logits.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_classes), or (n_spectra,) for two classes
            In the order of ``classes_``; for two classes, that of the second less that of the first.
        """
        logits = self._apply(X, RowNetwork.forward)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities: the softmax of the logits.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_classes)
            In the order of ``classes_``; rows sum to 1 in float64.
        """
        return softmax(self._apply(X, RowNetwork.forward).astype(np.float64), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each spectrum.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra,)
        """
        best = self._apply(X, RowNetwork.forward).argmax(axis=1)
        return self.classes_[best]

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Activations before the last layer: coordinates in which the classes are linearly separable.

        Parameters
        ----------
        X : Spectra on the grid of fit, or array-like of shape (n_spectra, n_features)
            NaN where pixels are missing.

        Returns
        -------
        ndarray of shape (n_spectra, n_embedding)
        """
        return self._apply(X, RowNetwork.features)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    # How it is done -----------------------------------------------------------------------------------

    def _apply(self, X: Any, function: Callable[[Any, Tensor], Tensor]) -> NDArray[np.float32]:
        """Rows of output of a method of the network, for rows of X."""
        check_is_fitted(self)
        rows = Rows(check_rows(self, X, self.n_channels))
        device = self._prediction_device()
        module = self.net_.to(device).module_.eval()
        values = _PREDICT_VALUES.get(device.type, _PREDICT_VALUES["cpu"])
        batches = Batches(rows, max(1, values // rows.X.shape[1]), device=device)
        with torch.inference_mode():
            return torch.cat([function(module, batch.X).cpu() for batch in batches]).numpy()

    def _prediction_device(self) -> torch.device:
        try:
            return resolve_device(self.device)
        except ValueError as error:
            warnings.warn(f"{error}; predicting on the CPU", stacklevel=4)
            return torch.device("cpu")

    def _make_net(
        self, center: NDArray[np.floating], scale: NDArray[np.floating], *, device: torch.device, seed: int
    ) -> Net:
        """Return an untrained net, its weights drawn from torch's global generator."""
        network = self._build_network(len(center) // self.n_channels, len(self.classes_))
        optimizer, options = OPTIMIZERS[self.optimizer]
        net = Net(
            RowNetwork(network, center, scale, self.n_channels),
            generator=np.random.default_rng(seed),
            criterion=CrossEntropy(),
            optimizer=optimizer,
            optimizer__weight_decay=self.weight_decay,
            **{f"optimizer__{name}": value for name, value in options.items()},
            lr=self.lr,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            classes=np.arange(len(self.classes_)),
            callbacks=self._make_callbacks(),
            device=str(device),
            verbose=self.verbose > 1,
        )
        return net.initialize()

    def _make_callbacks(self) -> list[Callback]:
        callbacks: list[Callback] = [LearningRate(self.schedule, self.lr)]
        if self.verbose == 1:
            callbacks.append(ProgressBar(type(self).__name__))
        elif self.verbose > 1:
            callbacks.append(PrintLog())
        return callbacks + list(clone(self.callbacks, safe=False) or ())

    # Persistence without pickle -----------------------------------------------------------------------

    def _get_fitted_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was learned as a dict that JSON can hold and arrays by name; see `training.state`."""
        check_is_fitted(self)
        return get_state(self)

    def _set_fitted_state(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `_get_fitted_state` gave, in an estimator with the same parameters."""
        set_state(self, state, arrays)
        return self


def _draw_seed(random_state: int | np.random.RandomState | None) -> int:
    if random_state is None:  # scikit-learn would draw from numpy's global generator
        random_state = np.random.RandomState()
    return int(check_random_state(random_state).randint(2**31 - 1))
