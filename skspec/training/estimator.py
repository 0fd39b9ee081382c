"""What all neural estimators have in common: the parameters of training, and how a network is trained and applied."""

from __future__ import annotations

import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, PrintLog
from torch import Tensor, nn

from skspec import __version__
from skspec.metrics import get_scorer
from skspec.spectra import as_wave
from skspec.training import augmentation
from skspec.training.batching import Batches, Rows
from skspec.training.callbacks import ProgressBar
from skspec.training.checkpoint import Checkpoint, checkpoint_path, read_checkpoint
from skspec.training.data import check_rows
from skspec.training.devices import resolve_device, seeded
from skspec.training.net import Net
from skspec.training.network import InputShape, RowNetwork, column_statistics
from skspec.training.optimizers import OPTIMIZERS
from skspec.training.parameters import check_parameters
from skspec.training.precision import autocast, resolve_precision
from skspec.training.schedules import LearningRate
from skspec.training.state import get_state, get_weights, history_table, set_state
from skspec.training.validation import Validation, hold_out

_PREDICT_VALUES = {"cpu": 2**16, "cuda": 2**20}  # of X in a batch: what caches and memory take best
_PREDICT_ROWS = 16  # at least: convolutions of fewer do not fill a processor
_ALIKE = 4  # fewer are filled up: other kernels round differently, and a spectrum has the same answer in any company
_NOT_IDENTITY = ("callbacks", "checkpoint_dir", "device", "random_state", "verbose")  # of a fit


@dataclass(kw_only=True, eq=False, repr=False)
class NeuralEstimator(BaseEstimator, metaclass=ABCMeta):
    """Base of the neural estimators: how a network is trained and applied.

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
    schedule : {"one-cycle", "cosine", "constant", "plateau"}, default="one-cycle"
        Learning rate over the run: up in the first 30 % and down to 0 (Smith and Topin 2017,
        arXiv:1708.07120); down along half a cosine; constant; or constant until five epochs have brought nothing
        better (of the validation score, else of the training loss), then 0.3 times that, and so on.
    max_grad_norm : float or None, default=None
        Gradients longer than this are shortened to it (Pascanu et al. 2013, arXiv:1211.5063).
    ema_decay : float or None, default=None
        Decay of an exponential moving average of the weights over the steps, for example 0.99; the average is then
        what is validated and kept.
    mixup : float, default=0.0
        Mixes pairs of training spectra and their targets, λ : 1 - λ, with λ from Beta(`mixup`, `mixup`) (Zhang et
        al. 2018, arXiv:1710.09412); 0 does not.
    validation_fraction : float or None, default=None
        Fraction of the spectra that is not learned from, but scored after each epoch; the weights of the best epoch
        are kept. Drawn class by class; the spectra of a group stay together if ``groups`` are given to fit.
    scoring : str, callable or None, default=None
        How validation spectra are scored: a scorer or its name, of scikit-learn or of `skspec.metrics.get_scorer`;
        None takes the loss.
    n_iter_no_change : int or None, default=10
        Epochs without a better validation score after which training ends; None always goes on to `max_epochs`.
    augment_noise : (float, float), "ivar" or None, default=None
        Noise that is added to each training spectrum anew in each epoch: Gaussian, with σ drawn uniformly from this
        range, in the units of X, once for the spectrum; "ivar" takes the σ of each pixel from `ivar_channel`, times
        a factor drawn from 0 to 1 for the spectrum. The inverse variance shrinks accordingly.
    augment_shift : int, default=0
        Each training spectrum is moved by a whole number of pixels, up to this one, either way; its ends are held.
    augment_velocity : float, default=0.0
        Each training spectrum is moved in velocity, up to this many km/s either way, by linear interpolation. Needs
        wavelengths: `Spectra`, or `wave`.
    augment_tilt : float, default=0.0
        Each training spectrum is multiplied by a straight line from 1 - a to 1 + a over the pixels, with a drawn up
        to this number either way: an error of flux calibration, or dust.
    augment_mask : float, default=0.0
        A stretch of up to this fraction of each training spectrum is made missing, at a random place.
    warm_start : bool, default=False
        Whether fit starts from the weights and column statistics of the last fit; classes and columns must then be
        the same.
    checkpoint_dir : path or None, default=None
        Directory where the state of training is written after epochs. When a fit was killed, the next one with the
        same parameters and data goes on from there, and ends with the weights of an uninterrupted run (bit for bit
        on one machine's CPU). Any number of fits can share the directory; a completed fit leaves nothing there.
    n_channels : int, default=1
        Channels that lie side by side in a row of X (flux | ivar): n_features = n_channels * n_pixels.
    ivar_channel : int or None, default=None
        Which of the channels, counted from 0, is the inverse variance. The network is given its logarithm, a pixel
        without any (0 or NaN) is missing in all channels, and augmentation keeps it right. `Spectra` bring theirs
        for ``n_channels=2, ivar_channel=1``.
    wave : array-like of shape (n_pixels,) or None, default=None
        Wavelengths in Å for `augment_velocity`, when X is an array.
    device : str or torch.device, default="auto"
        Where to train and predict: "auto" takes a CUDA GPU if there is one, and else the CPU.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Arithmetic of matrix products. "auto" is bfloat16 for networks of more than a million weights where the
        device has instructions for it, and float32 otherwise.
    compile : bool, default=False
        Whether to compile the network for training (`torch.compile`), which takes up to a minute and a C++ compiler
        or a GPU: for long runs. Dropout draws other numbers then.
    callbacks : list of skorch callbacks or None, default=None
        Called while training (clones of them, found afterwards in ``net_.callbacks_``).
    verbose : int, default=0
        0 is silent, 1 shows a progress bar with losses, score and time left, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, validation spectra, the order of the others, augmentation and dropout. With an
        int, fits on one machine with one number of threads give the same weights, bit for bit; None differs every
        time. The global generators of numpy and torch are left alone.
    """

    lr: float = 3e-3
    max_epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adamw"
    weight_decay: float = 1e-2
    schedule: str = "one-cycle"
    max_grad_norm: float | None = None
    ema_decay: float | None = None
    mixup: float = 0.0
    validation_fraction: float | None = None
    scoring: str | Callable[..., float] | None = None
    n_iter_no_change: int | None = 10
    augment_noise: tuple[float, float] | str | None = None
    augment_shift: int = 0
    augment_velocity: float = 0.0
    augment_tilt: float = 0.0
    augment_mask: float = 0.0
    warm_start: bool = False
    checkpoint_dir: str | PathLike[str] | None = None
    n_channels: int = 1
    ivar_channel: int | None = None
    wave: ArrayLike | None = None
    device: str | torch.device = "auto"
    precision: str = "auto"
    compile: bool = False
    callbacks: Sequence[Any] | None = None
    verbose: int = 0
    random_state: int | np.random.RandomState | None = None

    # What a family of networks says -------------------------------------------------------------------

    @abstractmethod
    def _build_network(self, shape: tuple[int, ...], n_outputs: int) -> nn.Module:
        """Return a new network for spectra of shape (n_channels, n_pixels), or images, with `n_outputs` outputs.

        Beside ``forward`` it has ``features``: the activations before the last layer.
        """

    def _load_pretrained(self, network: Any) -> None:
        """Give a new network the weights to start from, where there are any beside random ones."""

    def _input_shape(self, n_features: int) -> InputShape:
        """How a row of X folds."""
        if n_features % self.n_channels:
            raise ValueError(f"n_channels must divide the {n_features} features of X, got {self.n_channels}")
        return InputShape((self.n_channels, n_features // self.n_channels))

    def _transforms(self, shape: InputShape) -> list[augmentation.Transform]:
        """Random changes of training spectra."""
        transforms: list[augmentation.Transform] = []
        if self.augment_velocity:
            wave = torch.from_numpy(self._wave(shape.channels[-1]))
            transforms.append(augmentation.VelocityShift(wave, self.augment_velocity))
        if self.augment_shift:
            transforms.append(augmentation.Shift(self.augment_shift))
        if self.augment_tilt:
            transforms.append(augmentation.Tilt(self.augment_tilt, self.ivar_channel))
        if self.augment_noise is not None:
            sigma = None if isinstance(self.augment_noise, str) else self.augment_noise
            transforms.append(augmentation.Noise(sigma, self.ivar_channel))
        if self.augment_mask:
            transforms.append(augmentation.Mask(self.augment_mask))
        return transforms

    def _check_params(self) -> None:
        """Raise ValueError or TypeError for a parameter that makes no sense."""
        check_parameters(self)

    _net_class: ClassVar[type[Net]]

    @abstractmethod
    def _net_options(self, generator: np.random.Generator) -> dict[str, Any]:
        """Return the criterion and what else of the net depends on the kind of target."""

    @property
    @abstractmethod
    def _n_outputs(self) -> int:
        """Outputs of the network."""

    @abstractmethod
    def _get_answer_state(self) -> dict[str, Any]:
        """Return what the outputs mean, as JSON can hold it."""

    @abstractmethod
    def _set_answer_state(self, state: Mapping[str, Any]) -> None:
        """Take over what the outputs mean."""

    # What a user calls --------------------------------------------------------------------------------

    def embed(self, X: Any) -> NDArray[np.float32]:
        """Activations before the last layer: coordinates in which the answer is a linear function.

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

    def _train(
        self,
        rows: NDArray[np.float32],
        target: NDArray[Any],
        weight: NDArray[np.floating] | None,
        *,
        groups: NDArray[Any] | None,
        device: torch.device,
        start: Net | None,
        identity: Any,
    ) -> None:
        """Train a new network, from the weights of another if there is one.

        `identity` is what else tells this fit from others: see `training.checkpoint`.
        """
        seed = _draw_seed(self.random_state)
        callbacks: list[tuple[str, Callback]] = []
        if self.checkpoint_dir is not None:
            weights = None if start is None else get_weights(start)
            path = checkpoint_path(
                self.checkpoint_dir, [self._identity(seed), identity, rows, target, weight, groups, weights]
            )
            state = read_checkpoint(path)
            seed = seed if state is None else state["seed"]
            callbacks.append(("checkpoint", Checkpoint(path, state, seed)))
        data, validation = Rows(rows, target, weight), None
        if self.validation_fraction is not None:
            strata = target if target.ndim == 1 else np.zeros(len(target), dtype=np.intp)
            learn, validate = hold_out(strata, groups, self.validation_fraction, seed)
            data, validation = data.part(learn), data.part(validate)
        if start is None:
            statistics = column_statistics(data.X, self._input_shape(rows.shape[1]))
        else:
            module = start.module_
            statistics = module.center.numpy(force=True), module.scale.numpy(force=True)
        if validation is not None:
            scorer = None if self.scoring is None else get_scorer(self.scoring)
            callbacks.append(("validation", Validation(scorer, self.n_iter_no_change)))
        with seeded(seed, device):
            net = self._make_net(*statistics, device=device, seed=seed, callbacks=callbacks)
            if start is None:
                self._load_pretrained(net.module_.network)
            else:
                net.module_.load_state_dict(start.module_.state_dict())
            self.net_ = net.train(data, validation)
        self.history_ = history_table(self.net_.history)
        self.__dict__.pop("best_epoch_", None)
        if validation is not None:
            self.best_epoch_ = dict(net.callbacks_)["validation"].best_epoch_

    def _train_more(
        self,
        rows: NDArray[np.float32],
        target: NDArray[Any],
        weight: NDArray[np.floating] | None,
        device: torch.device,
    ) -> None:
        """Pass over some rows once, at a constant learning rate."""
        seed = _draw_seed(self.random_state) if not hasattr(self, "net_") else None
        data = Rows(rows, target, weight)
        if seed is not None:
            statistics = column_statistics(rows, self._input_shape(rows.shape[1]))
            with seeded(seed, device):
                self.net_ = self._make_net(*statistics, device=device, seed=seed)
                self._load_pretrained(self.net_.module_.network)
        net = self.net_.to(device)
        dict(net.callbacks_)["learning_rate"].schedule = "constant"
        with seeded(int(net.generator.integers(2**31 - 1)), device):
            net.train(data, n_epochs=1)
        self.history_ = history_table(net.history)

    def _apply(
        self,
        X: Any,
        function: Callable[[Any, Tensor], Tensor],
        views: Sequence[tuple[float, augmentation.Transform]] = (),
    ) -> NDArray[np.float32]:
        """Rows of output of a method of the network, for rows of X; the mean over views with their weights."""
        check_is_fitted(self)
        rows = Rows(check_rows(self, X))
        device = self._prediction_device()
        module = self.net_.to(device).module_.eval()
        values = _PREDICT_VALUES.get(device.type, _PREDICT_VALUES["cpu"])
        batches = Batches(rows, max(_PREDICT_ROWS, values // rows.X.shape[1]), device=device)
        weights = torch.tensor([weight for weight, _ in views], device=device)

        def answer(rows: Tensor) -> Tensor:
            n = len(rows)
            if n < _ALIKE:
                rows = rows[torch.arange(_ALIKE, device=device) % n]
            return outputs(rows).float()[:n]

        def outputs(rows: Tensor) -> Tensor:
            if not views:
                return function(module, rows)
            x, scalars = module.shape.unfold(rows)
            seen = [function(module, module.shape.fold(see(x), scalars)).float() for _, see in views]
            return (torch.stack(seen) * (weights / weights.sum())[:, None, None]).sum(0)

        with torch.inference_mode(), autocast(device, self._dtype(device, module)):
            return torch.cat([answer(batch.X).cpu() for batch in batches]).numpy()

    def _prediction_device(self) -> torch.device:
        try:
            return resolve_device(self.device)
        except ValueError as error:
            warnings.warn(f"{error}; predicting on the CPU", stacklevel=4)
            return torch.device("cpu")

    def _make_net(
        self,
        center: NDArray[np.floating],
        scale: NDArray[np.floating],
        *,
        device: torch.device,
        seed: int,
        callbacks: Iterable[tuple[str, Callback]] = (),
    ) -> Net:
        """Return an untrained net, its weights drawn from torch's global generator."""
        shape = self._input_shape(len(center))
        module = RowNetwork(self._build_network(shape.channels, self._n_outputs), center, scale, shape)
        if self.compile:
            module.compile()
        optimizer, options = OPTIMIZERS[self.optimizer]
        generator = np.random.default_rng(seed)
        transforms = self._transforms(shape)
        net = self._net_class(
            module,
            generator=generator,
            augment=augmentation.Augmentation(shape, transforms) if transforms else None,
            max_grad_norm=self.max_grad_norm,
            ema_decay=self.ema_decay,
            dtype=self._dtype(device, module),
            optimizer=optimizer,
            optimizer__weight_decay=self.weight_decay,
            **{f"optimizer__{name}": value for name, value in options.items()},
            **self._net_options(generator),
            lr=self.lr,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            callbacks=self._make_callbacks(dict(callbacks)),
            device=str(device),
            verbose=self.verbose > 1,
        )
        return net.initialize()

    def _make_callbacks(self, more: Mapping[str, Callback]) -> list[Any]:
        """Callbacks in the order in which they are told: what records, what shows, the user's, checkpoints."""
        callbacks: list[Any] = [(name, more[name]) for name in ("validation",) if name in more]
        callbacks.append(("learning_rate", LearningRate(self.schedule, self.lr)))
        if self.verbose == 1:
            callbacks.append(ProgressBar(type(self).__name__))
        elif self.verbose > 1:
            callbacks.append(PrintLog())
        callbacks += list(clone(self.callbacks, safe=False) or ())
        return callbacks + [(name, more[name]) for name in ("checkpoint",) if name in more]

    def _dtype(self, device: torch.device, module: nn.Module) -> torch.dtype:
        return resolve_precision(self.precision, device, sum(p.numel() for p in module.parameters()))

    def _identity(self, seed: int) -> list[Any]:
        """Return what tells a fit from others, beside its data."""
        params = {k: v for k, v in self.get_params(deep=False).items() if k not in _NOT_IDENTITY}
        named = {k: f"{v.__module__}.{v.__qualname__}" if callable(v) else v for k, v in params.items()}
        known_seed = None if self.random_state is None else seed
        return [type(self).__name__, named, known_seed, __version__, torch.__version__]

    def _wave(self, n_pixels: int) -> NDArray[np.float64]:
        wave = getattr(self, "wave_", self.wave)
        if wave is None:
            raise ValueError("augment_velocity needs wavelengths: give them as wave=, or give Spectra")
        wave = as_wave(wave)
        if not isinstance(wave, np.ndarray) or wave.shape != (n_pixels,):
            raise ValueError(
                f"wave must have {n_pixels} wavelengths, one for each pixel, got {np.shape(wave)}"
            )
        return wave

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
